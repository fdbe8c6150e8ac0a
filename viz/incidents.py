"""Incidents and responders for the page: states, clocks, stories, tickets, and where the time of each incident went.

The account of an incident is that of :mod:`scenarios.incident_account`: its stretches fill the time from the beginning
of the hazard to the end of the incident, so they add up to it to the second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from scenarios.incident_account import PARTS, accounts
from twin.domain.city_brain import SEVERITIES
from twin.domain.ids import vehicle_label
from twin.domain.incidents import DEPARTMENTS, LEVELS, RESPONDER_KINDS, STATES
from twin.events import incidents as ev
from twin.events.base import Fact
from twin.log import Facts
from viz.fleet import Tables

#: state of an incident → shape of its badge; its level is told by the bars inside, its severity by the colour
STATE_SHAPES: dict[str, str] = {
    "new": "triangle", "assigned": "diamond", "on the way": "arrow", "on site": "square", "handled": "pentagon",
    "verified": "hexagon", "closed": "circle",
}  # fmt: skip
#: what can be told of an incident, in the order in which it is told within a second
STORY = (
    "created", "merged", "look asked", "looked", "assigned", "accepted", "refused", "set out", "arrived",
    "found nothing", "unable", "handled", "failed", "recalled", "escalated", "advanced", "checked", "verified",
    "reopened", "closed",
)  # fmt: skip
META: dict[str, Any] = {
    "parts": list(PARTS), "departments": list(DEPARTMENTS), "levels": list(LEVELS), "states": list(STATES),
    "state_shapes": STATE_SHAPES, "responder_kinds": list(RESPONDER_KINDS), "story": list(STORY),
}  # fmt: skip
Word = Callable[[Any], int]
Units = Callable[[Any, Any], npt.NDArray[np.int64]]


def rows(facts: Facts, kind: type[Fact]) -> list[dict[str, Any]]:
    """Return facts of one kind as dictionaries, in the order of the log."""
    return list(facts.table(kind).to_pylist())


def code(value: str, allowed: tuple[str, ...]) -> int:
    """Return the place of a word in a list, 0 where it is not in it."""
    return allowed.index(value) if value in allowed else 0


def put_incidents(
    tables: Tables,
    facts: Facts,
    theme: dict[str, int],
    number: dict[int, int],
    alerts: dict[tuple[str, int], int],
    word: Word,
    units: Units,
    begin_s: int,
    end_s: int,
) -> None:
    """Put everything about incidents and responders into tables; ``number``: hazard → row, ``alerts`` → row."""
    created = rows(facts, ev.IncidentCreated)
    row = {str(r["incident"]): i for i, r in enumerate(created)}
    told = {a.incident: a for a in accounts(facts)} if created else {}
    spot = units([r["x_m"] for r in created], [r["y_m"] for r in created])
    out, parts = [], []
    for i, (r, (x, y)) in enumerate(zip(created, spot.tolist(), strict=True)):
        a = told[str(r["incident"])]
        out.append(
            (
                word(r["incident"]), theme.get(r["theme"], len(theme) - 1), word(r["theme"]),
                code(r["department"], DEPARTMENTS), x, y, r["t_s"] - begin_s, min(r["since_s"], r["t_s"]) - begin_s,
                word(r["grid"]), word(r["source"]), alert_row(str(r["ref"]), alerts), number.get(a.hazard, -1),
                a.began_s - begin_s, min(a.ended_s, end_s) - begin_s, int(a.closed),
            )
        )  # fmt: skip
        parts += [
            (i, PARTS.index(s.part), s.from_s - begin_s, min(s.until_s, end_s) - begin_s, word(s.who))
            for s in a.stretches
        ]
    fields = "name theme said department x y t since grid source alert hazard began ended closed"
    tables.put("incidents", fields, out)
    tables.put("parts", "incident part from until who", parts)
    tables.put("states", "incident t said state", _states(facts, created, row, begin_s))
    tables.put("levels", "incident t level area overdue", _levels(facts, created, row, word, begin_s))
    tables.put("grades", "incident t severity", _grades(facts, created, row, begin_s))
    tables.put("clocks", "incident t due", _clocks(facts, row, begin_s))
    tables.put("ends", "incident t closed", _ends(facts, row, begin_s))
    tables.put("story", "incident t what word unit", _story(facts, row, word, begin_s))
    _responders(tables, facts, row, word, units, begin_s)


def alert_row(ref: str, alerts: dict[tuple[str, int], int]) -> int:
    """Return the row of the alert that a sign refers to (``raise/NAME#2``), −1 for none."""
    name, _, episode = ref.removeprefix("raise/").rpartition("#")
    return alerts.get((name, int(episode)), -1) if episode.isdigit() else -1


def _states(facts: Facts, created: list[dict[str, Any]], row: dict[str, int], begin_s: int) -> list[tuple[int, ...]]:
    """Return (incident, second, 0 created, 1 said or 2 open again, state)."""
    found = [(row[str(r["incident"])], int(r["t_s"]), 0, 0) for r in created]
    found += [
        (row[str(r["incident"])], int(r["t_s"]), 1, code(r["state"], STATES)) for r in rows(facts, ev.IncidentAdvanced)
    ]
    found += [(row[str(r["incident"])], int(r["t_s"]), 2, 0) for r in rows(facts, ev.IncidentReopened)]
    found.sort(key=lambda f: f[:3])  # within a second: created, said, open again
    return [(i, t - begin_s, said, state) for i, t, said, state in found]


def _levels(
    facts: Facts, created: list[dict[str, Any]], row: dict[str, int], word: Word, begin_s: int
) -> list[tuple[int, ...]]:
    """Return (incident, second, level, area, whether a clock had run out)."""
    found = [(row[str(r["incident"])], int(r["t_s"]), code(r["level"], LEVELS), word(r["area"]), 0) for r in created]
    found += [
        (
            row[str(r["incident"])], int(r["t_s"]), code(r["level"], LEVELS), word(r["area"]),
            int(str(r["reason"]).endswith("overdue")),
        )
        for r in rows(facts, ev.IncidentEscalated)
    ]  # fmt: skip
    found.sort(key=lambda f: f[:2])
    return [(i, t - begin_s, level, area, over) for i, t, level, area, over in found]


def _grades(facts: Facts, created: list[dict[str, Any]], row: dict[str, int], begin_s: int) -> list[tuple[int, ...]]:
    """Return (incident, second, severity): it can rise when signs are merged."""
    found = [
        (row[str(r["incident"])], int(r["t_s"]) - begin_s, code(r["severity"], SEVERITIES))
        for r in [*created, *rows(facts, ev.IncidentMerged)]
    ]
    return sorted(found, key=lambda f: f[:2])


def _clocks(facts: Facts, row: dict[str, int], begin_s: int) -> list[tuple[int, ...]]:
    found = [
        (row[str(r["incident"])], int(r["t_s"]) - begin_s, int(r["due_s"]) - begin_s)
        for r in rows(facts, ev.IncidentClockStarted)
    ]
    return sorted(found, key=lambda f: f[:2])


def _ends(facts: Facts, row: dict[str, int], begin_s: int) -> list[tuple[int, ...]]:
    """Return (incident, second, +1 closed or −1 open again)."""
    found = [(row[str(r["incident"])], int(r["t_s"]) - begin_s, 1) for r in rows(facts, ev.IncidentClosed)]
    # only what was closed counts as closed once less; "handled" was open all the time
    found += [
        (row[str(r["incident"])], int(r["t_s"]) - begin_s, -1 if r["state"] == "closed" else 0)
        for r in rows(facts, ev.IncidentReopened)
    ]
    return sorted(found)


def _story(facts: Facts, row: dict[str, int], word: Word, begin_s: int) -> list[tuple[int, ...]]:
    """Return (incident, second, what, a word, unit or −1) of everything that is told of incidents."""
    told: tuple[tuple[type[Fact], str, tuple[str, ...]], ...] = (
        (ev.IncidentCreated, "created", ("source",)), (ev.IncidentMerged, "merged", ("source",)),
        (ev.IncidentLookAsked, "look asked", ("task",)), (ev.IncidentLooked, "looked", ("what", "who")),
        (ev.IncidentAssigned, "assigned", ("task",)), (ev.ResponderAccepted, "accepted", ()),
        (ev.ResponderRefused, "refused", ("reason",)), (ev.ResponderSetOut, "set out", ()),
        (ev.ResponderArrived, "arrived", ()), (ev.ResponderFoundNothing, "found nothing", ()),
        (ev.ResponderUnable, "unable", ("reason",)), (ev.ResponderHandled, "handled", ()),
        (ev.ResponderFailed, "failed", ("reason",)), (ev.ResponderRecalled, "recalled", ("reason",)),
        (ev.IncidentEscalated, "escalated", ("level", "area", "reason")),
        (ev.ResponderChecked, "checked", ()), (ev.IncidentVerified, "verified", ("who", "cause")),
        (ev.IncidentReopened, "reopened", ("cause",)), (ev.IncidentClosed, "closed", ("outcome",)),
    )  # fmt: skip
    out = []
    for kind, what, fields in told:
        for r in rows(facts, kind):
            if str(r["incident"]) in row:
                said = " · ".join(str(r[f]) for f in fields if r[f])
                unit = int(r["unit"]) % 100_000 if r.get("unit") is not None else -1
                out.append((row[str(r["incident"])], int(r["t_s"]) - begin_s, STORY.index(what), word(said), unit))
    return sorted(out)


def _responders(tables: Tables, facts: Facts, row: dict[str, int], word: Word, units: Units, begin_s: int) -> None:
    """Put responders and their tickets; a responder is named ``responder-N``."""
    deployed = rows(facts, ev.ResponderDeployed)
    spot = units([r["x_m"] for r in deployed], [r["y_m"] for r in deployed])
    out = [
        (
            int(r["unit"]) % 100_000, code(r["kind"], RESPONDER_KINDS), code(r["level"], LEVELS), word(r["area"]), x, y,
        )
        for r, (x, y) in zip(deployed, spot.tolist(), strict=True)
    ]  # fmt: skip
    tables.put("responders", "number kind level area x y", sorted(out))
    free = rows(facts, ev.ResponderFree)
    spot = units([r["x_m"] for r in free], [r["y_m"] for r in free])
    freed = [
        (int(r["unit"]) % 100_000, int(r["t_s"]) - begin_s, x, y) for r, (x, y) in zip(free, spot.tolist(), strict=True)
    ]
    tables.put("free", "number t x y", sorted(freed))
    steps = {
        "out": (ev.ResponderSetOut,), "there": (ev.ResponderArrived,),
        "over": (
            ev.ResponderHandled, ev.ResponderFoundNothing, ev.ResponderUnable, ev.ResponderChecked, ev.ResponderRefused,
            ev.ResponderFailed, ev.ResponderRecalled,
        ),
    }  # fmt: skip
    at: dict[str, dict[str, dict[str, Any]]] = {}
    for name, its in steps.items():
        found = at.setdefault(name, {})
        for kind in its:
            for r in rows(facts, kind):
                old = found.get(r["ticket"])
                if old is None or r["t_s"] < old["t_s"]:
                    found[r["ticket"]] = {**r, "fact": kind.__name__}
    tickets = []
    for r in rows(facts, ev.IncidentAssigned):
        out_, there, over = (at[name].get(r["ticket"]) for name in ("out", "there", "over"))
        vehicle = int(out_["vehicle"]) if out_ else 0
        tickets.append(
            (
                int(r["unit"]) % 100_000, int(r["t_s"]) - begin_s, row[str(r["incident"])], word(r["task"]),
                round(float(r["expected_s"])) if np.isfinite(r["expected_s"]) else -1,
                out_["t_s"] - begin_s if out_ else -1, there["t_s"] - begin_s if there else -1,
                over["t_s"] - begin_s if over else -1, word(over["fact"].removeprefix("Responder") if over else ""),
                word(vehicle_label(vehicle) if vehicle else ""),
                round(float(out_["distance_m"])) if out_ else -1,
            )
        )  # fmt: skip
    tables.put("tickets", "number t incident task expected out there over how vehicle metres", sorted(tickets))
