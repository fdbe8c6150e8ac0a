"""Why was this late? The time of an incident, from the beginning of its hazard to its end, cut into parts.

The parts tile that time, so they add up to it to the second; what no fact explains is called ``unexplained``.

=============  ==================================================================================================
detection      the hazard began → the first sign of it was seen
alerting       seen → on the books of the incident desk
queue          on the books, and nobody was sent
confirmation   nobody was sent yet, because somebody looked first
re-dispatch    somebody was sent who refused, was silent, broke down or was called off, until another was sent
dispatch       order → set out (answer and turnout)
travel         set out → there
handling       there → said to be done
verification   said to be done → closed, or open again
thought closed closed → open again
=============  ==================================================================================================

Parts are cut at facts of the log: :class:`IncidentAssigned`, :class:`ResponderSetOut`, :class:`ResponderArrived` …
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from scenarios.readings import Memory
from twin import events
from twin.domain.ids import unit_label
from twin.log import Facts

PARTS = (
    "detection", "alerting", "queue", "confirmation", "re-dispatch", "dispatch", "travel", "handling", "verification",
    "thought closed", "unexplained",
)  # fmt: skip
#: where two explain the same second, the one further on in this list does
_RANK = {name: k for k, name in enumerate(PARTS)}


@dataclass(frozen=True)
class Stretch:
    """A piece of time [from_s, until_s) and what it was spent on; ``who`` was busy with it."""

    part: str
    from_s: int
    until_s: int
    who: str = ""


@dataclass(frozen=True)
class Account:
    """The time of one incident. ``hazard`` -1: no hazard is known for it, and its time begins when it was seen.

    ``closed`` False: it was open when the run ended, and its time ends there.
    """

    incident: str
    theme: str
    severity: str
    hazard: int
    began_s: int
    created_s: int
    ended_s: int
    closed: bool
    stretches: tuple[Stretch, ...]

    @property
    def total_s(self) -> int:
        """Seconds from beginning to end."""
        return self.ended_s - self.began_s

    def seconds(self, part: str) -> int:
        """Return the seconds spent on a part."""
        return sum(s.until_s - s.from_s for s in self.stretches if s.part == part)

    def sentences(self) -> list[str]:
        """Say in words where the time went, the longest first."""
        named = sorted((p for p in PARTS if self.seconds(p)), key=lambda p: (-self.seconds(p), _RANK[p]))
        rows = [f"{self.incident} ({self.theme}, {self.severity}) took {self.total_s} s:"]
        for part in named:
            who = sorted({s.who for s in self.stretches if s.part == part and s.who})
            rows.append(f"  {part} {self.seconds(part)} s" + (f" ({', '.join(who)})" if who else ""))
        return rows


@dataclass
class _Ticket:
    """One sending of a responder, as the facts tell it; -1: did not happen."""

    unit: int
    task: str
    sent_s: int
    out_s: int = -1
    there_s: int = -1
    over_s: int = -1
    well: bool = False  # it did what it was sent for


@dataclass
class _Story:
    created: Any
    tickets: dict[str, _Ticket] = field(default_factory=dict)
    marks: list[tuple[int, str, str]] = field(default_factory=list)  # second, what, who
    hazards: list[int] = field(default_factory=list)


def accounts(log: Facts | Memory) -> list[Account]:
    """Return the account of every incident of a run, in order of their creation."""
    memory = Memory(log)
    began = _column(memory, events.HazardBegan, "hazard", "t_s")
    end_s = memory.end_s()
    return [_account(name, story, began, end_s) for name, story in _stories(memory).items()]


def account(log: Facts | Memory, incident: str) -> Account:
    """Return the account of one incident. KeyError: there is none of this name."""
    for found in accounts(log):
        if found.incident == incident:
            return found
    raise KeyError(f"there is no incident '{incident}' in this run")


def _column(memory: Memory, kind: type[events.Fact], key: str, value: str) -> dict[Any, Any]:
    columns = memory.columns(kind)
    return dict(zip(columns[key].tolist(), columns[value].tolist(), strict=True))


def _rows(memory: Memory, kind: type[events.Fact]) -> Iterable[dict[str, Any]]:
    columns = memory.columns(kind)
    names = list(columns)
    for values in zip(*(columns[n].tolist() for n in names), strict=True):
        yield dict(zip(names, values, strict=True))


def _stories(memory: Memory) -> dict[str, _Story]:
    stories = {row["incident"]: _Story(row) for row in _rows(memory, events.IncidentCreated)}
    for row in _rows(memory, events.IncidentAssigned):
        ticket = _Ticket(row["unit"], row["task"], row["t_s"])
        stories[row["incident"]].tickets[row["ticket"]] = ticket
    finds: tuple[type[events.Fact], ...] = (
        events.ResponderArrived, events.ResponderHandled, events.ResponderUnable, events.IncidentLooked,
    )  # fmt: skip
    for find in finds:
        for row in _rows(memory, find):
            if row["hazard"] >= 0:
                stories[row["incident"]].hazards.append(row["hazard"])
    _times_of_tickets(memory, stories)
    marks: tuple[tuple[type[events.Fact], str], ...] = (
        (events.IncidentAdvanced, "state"), (events.IncidentReopened, "open again"), (events.IncidentClosed, "closed"),
    )  # fmt: skip
    for kind, what in marks:
        for row in _rows(memory, kind):
            said = row["state"] if what == "state" else what
            stories[row["incident"]].marks.append((row["t_s"], said, row.get("who", "")))
    looked = [(events.IncidentLookAsked, "look asked"), (events.IncidentLooked, "looked")]
    for look, what in looked:
        for row in _rows(memory, look):
            if row.get("task", "confirm") == "confirm":
                stories[row["incident"]].marks.append((row["t_s"], what, ""))
    return stories


def _times_of_tickets(memory: Memory, stories: dict[str, _Story]) -> None:
    """Put what responders did into their tickets."""
    steps: tuple[tuple[type[events.Fact], str, bool], ...] = (
        (events.ResponderSetOut, "out_s", False), (events.ResponderArrived, "there_s", False),
        (events.ResponderHandled, "over_s", True), (events.ResponderFoundNothing, "over_s", True),
        (events.ResponderUnable, "over_s", True), (events.ResponderChecked, "over_s", True),
        (events.ResponderRefused, "over_s", False), (events.ResponderFailed, "over_s", False),
        (events.ResponderRecalled, "over_s", False),
    )  # fmt: skip
    for kind, name, well in steps:
        for row in _rows(memory, kind):
            ticket = stories[row["incident"]].tickets[row["ticket"]]
            if getattr(ticket, name) < 0:
                setattr(ticket, name, row["t_s"])
            ticket.well |= well


def _account(name: str, story: _Story, began: dict[int, int], end_s: int) -> Account:
    made = story.created
    created_s, seen_s = int(made["t_s"]), min(int(made["since_s"]), int(made["t_s"]))
    hazard = next((h for h in story.hazards if began.get(h, end_s + 1) <= created_s), -1)
    began_s = min(began[hazard], seen_s) if hazard >= 0 else seen_s
    marks = sorted(story.marks, key=lambda m: m[0])
    closed = [t for t, what, _ in marks if what == "closed"]
    opened = [t for t, what, _ in marks if what == "open again"]
    is_closed = bool(closed) and (not opened or max(closed) >= max(opened))
    ended_s = max(closed) if is_closed else end_s
    found = [Stretch("detection", began_s, seen_s), Stretch("alerting", seen_s, created_s)]
    held = made["severity"] not in ("Severe", "Extreme")  # else somebody looks while somebody is sent
    found += _of_states([m for m in marks if held or not m[1].startswith("look")], created_s, ended_s)
    for ticket in story.tickets.values():
        if ticket.task == "handle":
            found += _of_ticket(ticket, story, marks, ended_s)
    stretches = tuple(_tile(found, began_s, ended_s))
    return Account(name, made["theme"], made["severity"], hazard, began_s, created_s, ended_s, is_closed, stretches)


def _of_states(marks: list[tuple[int, str, str]], created_s: int, ended_s: int) -> list[Stretch]:
    """Return what the desk's own states explain: queue, confirmation, verification, thought closed."""
    out: list[Stretch] = []
    state, since_s, asked_s = "queue", created_s, -1
    for t_s, what, _ in marks:
        if what == "look asked":
            asked_s = t_s
        elif what == "looked" and asked_s >= 0:
            out.append(Stretch("confirmation", asked_s, t_s))
            asked_s = -1
        after = {"new": "queue", "open again": "queue", "handled": "verification", "closed": "thought closed"}
        after |= dict.fromkeys(("assigned", "on the way", "on site"), "")
        if what in after and after[what] != state:
            if state:
                out.append(Stretch(state, since_s, t_s))
            state, since_s = after[what], t_s
    if state:
        out.append(Stretch(state, since_s, ended_s))
    return out


def _of_ticket(ticket: _Ticket, story: _Story, marks: list[tuple[int, str, str]], ended_s: int) -> list[Stretch]:
    who = unit_label(ticket.unit)
    later = [t.sent_s for t in story.tickets.values() if t.task == "handle" and t.sent_s > ticket.sent_s]
    later += [t for t, what, _ in marks if what in ("new", "open again", "closed", "handled") and t > ticket.sent_s]
    next_s = min(later, default=ended_s)
    if not ticket.well and (ticket.over_s >= 0 or ticket.out_s < 0) and ticket.there_s < 0:
        return [Stretch("re-dispatch", ticket.sent_s, next_s, who)]
    over_s = ticket.over_s if ticket.over_s >= 0 else next_s
    out_s = ticket.out_s if ticket.out_s >= 0 else over_s
    there_s = ticket.there_s if ticket.there_s >= 0 else over_s
    return [
        Stretch("dispatch", ticket.sent_s, out_s, who),
        Stretch("travel", out_s, there_s, who),
        Stretch("handling", there_s, over_s, who),
    ]


def _tile(found: list[Stretch], began_s: int, ended_s: int) -> Iterable[Stretch]:
    """Cut [began_s, ended_s) at all borders and give each piece to what explains it; neighbours alike are joined."""
    pieces = [s for s in found if s.from_s < s.until_s]
    cuts = {began_s, ended_s} | {min(max(t, began_s), ended_s) for s in pieces for t in (s.from_s, s.until_s)}
    last: Stretch | None = None
    for a, b in pairwise(sorted(cuts)):
        over = [s for s in pieces if s.from_s <= a and s.until_s >= b]
        best = max(over, key=lambda s: _RANK[s.part], default=Stretch("unexplained", a, b))
        here = Stretch(best.part, a, b, best.who)
        if last is not None and (last.part, last.who) == (here.part, here.who):
            last = Stretch(last.part, last.from_s, b, last.who)
        else:
            if last is not None:
                yield last
            last = here
    if last is not None:
        yield last
