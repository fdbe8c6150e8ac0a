"""The cases of a run as an event log: what the XES and OCEL 2 exports write (F34-F42).

An *activity* is a kind of task (check, review, visit, decide, make, appeal) with its begin and end, or something that
happens in one instant: apply, accept, ask and bring (corrections, supplements, papers for a counter), result, close,
hand in elsewhere (a hall of another region sends papers on), ask another place, and what it decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError
from twin.log import Facts

ZONE = dt.timezone(dt.timedelta(hours=8))
_ASKED = {"correct": "ask for correction", "supplement": "ask for supplement", "carry": "send to next counter"}
_BROUGHT = {"correct": "correct", "supplement": "supplement", "carry": "come to next counter"}


@dataclass(frozen=True)
class CaseEvent:
    """One event of a case. ``lifecycle``: start or complete (XES lifecycle:transition); ``officer`` -1: nobody's."""

    case: int
    t_s: int
    order: int
    activity: str
    lifecycle: str
    officer: int
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CaseLog:
    """Cases with their attributes, and events by case in the order of time."""

    cases: dict[int, dict[str, Any]]
    events: list[CaseEvent]
    midnight: dt.datetime

    def time(self, t_s: int) -> str:
        """Return a second of the run as ISO 8601 with its offset."""
        return (self.midnight + dt.timedelta(seconds=t_s)).isoformat(timespec="milliseconds")


def read(facts: Facts, midnight: dt.datetime) -> CaseLog:
    """Return the cases of a run. ``midnight``: of its first day, with a time zone. ScenarioError: there are none."""
    filed = facts.table("CaseFiled").to_pylist()
    if not filed:
        raise ScenarioError("the run holds no service cases to export; switch 'services' on in its scenario")
    cases = {
        row["case_no"]: {
            k: row[k] for k in ("matter_no", "office", "item", "items", "item_version", "handed_in", "reused")
        }
        for row in filed
    }
    found: list[tuple[int, int, int, str, str, int, dict[str, Any]]] = []
    for rank, (kind, of) in enumerate(_KINDS.items()):
        for row in facts.table(kind).to_pylist():
            if row["case_no"] in cases:
                activity, lifecycle, details = of(row)
                found.append((row["case_no"], row["t_s"], rank, activity, lifecycle, row.get("officer", -1), details))
    found.sort(key=lambda e: e[:5])
    events = [CaseEvent(c, t, k, a, li, o, d) for k, (c, t, _, a, li, o, d) in enumerate(found)]
    return CaseLog(cases, events, midnight)


def _where(row: dict[str, Any]) -> str:
    return f"{row['province']} {row['city']} {row['county']}"


#: kinds of fact, in the order in which those of one second follow each other
_KINDS: dict[str, Callable[[dict[str, Any]], tuple[str, str, dict[str, Any]]]] = {
    "PapersForwarded": lambda r: ("hand in elsewhere", "complete", {"place": _where(r), "courier": r["courier"]}),
    "CaseFiled": lambda r: ("apply", "complete", {"office": r["office"]}),
    "ApplicantAnswered": lambda r: (_BROUGHT[r["why"]], "complete", {}),
    "TaskEnded": lambda r: (r["task"], "complete", {"outcome": r["outcome"], "worked_s": r["worked_s"]}),
    "PlaceDecided": lambda r: ("decide elsewhere", "complete", {"accepted": r["accepted"]}),
    "CaseAccepted": lambda _: ("accept", "complete", {}),
    "ApplicantAsked": lambda r: (_ASKED[r["why"]], "complete", {}),
    "PlaceAsked": lambda r: ("ask another place", "complete", {"place": _where(r)}),
    "TaskBegan": lambda r: (r["task"], "start", {"department": r["dept"], "waited_s": r["waited_s"]}),
    "OfficersReminded": lambda r: ("remind", "complete", {"overdue": r["overdue"]}),
    "ResultGiven": lambda r: ("give result", "complete", {"result": r["result"]}),
    "CaseConcluded": lambda r: ("close", "complete", {"state": r["state"], "overdue": r["overdue"]}),
}


def midnight_of(folder: Path, date: str | None) -> dt.datetime:
    """Return the midnight before a run's first second: of ``date``, or of the first week of 2026 with its weekday."""
    from scenarios.exports.run import the_date
    from twin.run_folder import read_stamp

    stamp = read_stamp(folder)
    weekday = stamp.get("scenario", {}).get("weekday")
    return dt.datetime.combine(the_date(date, weekday), dt.time(), ZONE)


def by_case(log: CaseLog) -> Iterator[tuple[int, list[CaseEvent]]]:
    """Yield the events of each case, in the order of case numbers."""
    i = 0
    while i < len(log.events):
        case = log.events[i].case
        j = i
        while j < len(log.events) and log.events[j].case == case:
            j += 1
        yield case, log.events[i:j]
        i = j
