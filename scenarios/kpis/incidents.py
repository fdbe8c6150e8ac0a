"""Indicators of incidents and of those who come: times of the loop, targets, sent for nothing, closed and not fixed.

Times are of incidents that got so far; beside them stands the share of those that did not.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from scenarios.incident_account import PARTS, Account, accounts
from scenarios.kpis.base import Kpi
from scenarios.readings import Memory
from twin import events
from twin.log import Facts

Floats = npt.NDArray[np.float64]

SOON_S = 1800
#: accounts of logs that are in use: many indicators of one run are computed one after the other
_KEPT: WeakKeyDictionary[Facts, list[Account]] = WeakKeyDictionary()


def _accounts(m: Memory) -> list[Account]:
    if m.facts not in _KEPT:
        _KEPT[m.facts] = accounts(m)
    return _KEPT[m.facts]


def _first(m: Memory, kind: type[events.Fact], task: str = "handle") -> dict[str, int]:
    """Return when a fact happened first, by incident; of tickets only those with a task."""
    tickets = _tickets(m, task)
    columns = m.columns(kind)
    out: dict[str, int] = {}
    for incident, ticket, t_s in zip(
        columns["incident"].tolist(), columns["ticket"].tolist(), columns["t_s"].tolist(), strict=True
    ):
        if ticket in tickets:
            out[incident] = min(t_s, out.get(incident, t_s))
    return out


def _tickets(m: Memory, task: str) -> set[str]:
    columns = m.columns(events.IncidentAssigned)
    return {t for t, what in zip(columns["ticket"].tolist(), columns["task"].tolist(), strict=True) if what == task}


# -- times ---------------------------------------------------------------------------------------------


def detection_s(m: Memory, theme: str = "") -> Floats:
    """Return seconds from the beginning of a hazard to its incident, of incidents that are about one."""
    truth = m.columns(events.HazardBegan)  # an account can begin earlier, with a sign that was there first
    began = dict(zip(truth["hazard"].tolist(), truth["t_s"].tolist(), strict=True))
    found = [a for a in _accounts(m) if a.hazard >= 0 and theme in ("", a.theme)]
    return np.array([a.created_s - began[a.hazard] for a in found], dtype=np.float64)


def dispatch_s(m: Memory, theme: str = "") -> Floats:
    """Return seconds from an incident's creation to the first order to handle it."""
    return _since_creation(m, _first(m, events.IncidentAssigned), theme)


def on_site_s(m: Memory, theme: str = "") -> Floats:
    """Return seconds from an incident's creation to the first arrival."""
    return _since_creation(m, _first(m, events.ResponderArrived), theme)


def _since_creation(m: Memory, when: dict[str, int], theme: str) -> Floats:
    found = [a for a in _accounts(m) if a.incident in when and theme in ("", a.theme)]
    return np.array([when[a.incident] - a.created_s for a in found], dtype=np.float64)


def closing_s(m: Memory, theme: str = "") -> Floats:
    """Return seconds from an incident's creation to its end, of those that were closed."""
    found = [a for a in _accounts(m) if a.closed and theme in ("", a.theme)]
    return np.array([a.ended_s - a.created_s for a in found], dtype=np.float64)


def reached_s(m: Memory, theme: str = "") -> Floats:
    """Return seconds from the beginning of a hazard to the first responder who came to it."""
    began = m.columns(events.HazardBegan)
    start = {
        h: t for h, t, k in zip(began["hazard"].tolist(), began["t_s"].tolist(), began["theme"].tolist(), strict=True)
        if theme in ("", k)
    }  # fmt: skip
    came = m.columns(events.ResponderArrived)
    first: dict[int, int] = {}
    for hazard, t_s in zip(came["hazard"].tolist(), came["t_s"].tolist(), strict=True):
        if hazard in start:
            first[hazard] = min(t_s, first.get(hazard, t_s))
    return np.array([t_s - start[h] for h, t_s in sorted(first.items())], dtype=np.float64)


def _at(values: Callable[[Memory, str], Floats], q: float, theme: str = "") -> Callable[[Memory], float | None]:
    def minutes(m: Memory) -> float | None:
        found = values(m, theme)
        return float(np.quantile(found, q)) / 60.0 if found.size else None

    return minutes


# -- shares --------------------------------------------------------------------------------------------


def _percent(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole else None


def _created(m: Memory) -> float | None:
    return float(m.columns(events.IncidentCreated)["t_s"].size) if _desk(m) else None


def _desk(m: Memory) -> bool:
    return bool(m.columns(events.ResponderDeployed)["t_s"].size)


def _closed_share(m: Memory) -> float | None:
    found = _accounts(m)
    return _percent(sum(a.closed for a in found), len(found))


def _reached_share(m: Memory) -> float | None:
    """Hazards that a responder came to, of all that began."""
    return _percent(reached_s(m).size, m.columns(events.HazardBegan)["t_s"].size) if _desk(m) else None


def _within(m: Memory) -> float | None:
    """Incidents that somebody came to within half an hour, of all that were created so long before the end."""
    came, end_s = _first(m, events.ResponderArrived), m.end_s()
    mine = [a for a in _accounts(m) if a.created_s <= end_s - SOON_S]
    return _percent(sum(a.incident in came and came[a.incident] - a.created_s <= SOON_S for a in mine), len(mine))


def _targets_kept(m: Memory) -> float | None:
    """Clocks of phases that did not run out, of all that were due before the end, whether or not anybody noticed."""
    end_s = m.end_s()
    clocks, up, closed = (
        m.columns(kind) for kind in (events.IncidentClockStarted, events.IncidentEscalated, events.IncidentClosed)
    )
    noticed = zip(up["incident"].tolist(), up["t_s"].tolist(), up["reason"].tolist(), strict=True)
    late = {(incident, t_s) for incident, t_s, why in noticed if why.endswith("overdue")}
    steps: dict[str, list[tuple[int, int]]] = {}  # second and due second of each clock, -1 for the end
    for incident, t_s, due_s in zip(
        clocks["incident"].tolist(), clocks["t_s"].tolist(), clocks["due_s"].tolist(), strict=True
    ):
        steps.setdefault(incident, []).append((t_s, due_s))
    for incident, t_s in zip(closed["incident"].tolist(), closed["t_s"].tolist(), strict=True):
        steps.setdefault(incident, []).append((t_s, -1))
    kept = over = 0
    for incident, found in steps.items():
        found.sort(key=lambda step: (step[0], step[1] < 0))
        for (_, due_s), (next_s, _) in pairwise([*found, (end_s, -1)]):
            if 0 <= due_s < end_s:
                over += 1
                kept += next_s < due_s or (next_s == due_s and (incident, due_s) not in late)
    return _percent(kept, over)


def _for_nothing(m: Memory) -> float | None:
    """Arrivals to handle something where no hazard was, of all such arrivals."""
    tickets = _tickets(m, "handle")
    came = m.columns(events.ResponderArrived)
    mine = [h for h, t in zip(came["hazard"].tolist(), came["ticket"].tolist(), strict=True) if t in tickets]
    return _percent(sum(h < 0 for h in mine), len(mine))


def _replaced(m: Memory) -> float | None:
    """Orders after which somebody else had to be sent."""
    lost = m.columns(events.ResponderRefused)["t_s"].size + m.columns(events.ResponderFailed)["t_s"].size
    return _percent(lost, m.columns(events.IncidentAssigned)["t_s"].size)


def _not_fixed(m: Memory) -> float | None:
    """Incidents closed as handled whose hazard was still there then, of all closed as handled."""
    handled = m.columns(events.ResponderHandled)
    rows = zip(handled["t_s"].tolist(), handled["incident"].tolist(), handled["hazard"].tolist(), strict=True)
    about: dict[str, list[tuple[int, int]]] = {}
    for t_s, incident, hazard in rows:
        about.setdefault(incident, []).append((t_s, hazard))
    ended = m.columns(events.HazardEnded)
    over = dict(zip(ended["hazard"].tolist(), ended["t_s"].tolist(), strict=True))
    closed = m.columns(events.IncidentClosed)
    mine = []
    for incident, t_s, what in zip(
        closed["incident"].tolist(), closed["t_s"].tolist(), closed["outcome"].tolist(), strict=True
    ):
        before = [hazard for at_s, hazard in about.get(incident, []) if at_s <= t_s]
        if what == "handled" and before:
            mine.append(over.get(before[-1], t_s + 1) > t_s)
    return _percent(sum(mine), len(mine))


def _each_once(m: Memory) -> float | None:
    """Incidents for each hazard that any is about."""
    about = [a.hazard for a in _accounts(m) if a.hazard >= 0]
    return len(about) / len(set(about)) if about else None


def _part(part: str) -> Callable[[Memory], float | None]:
    def share(m: Memory) -> float | None:
        found = [a for a in _accounts(m) if a.closed and a.hazard >= 0]
        return _percent(sum(a.seconds(part) for a in found), sum(a.total_s for a in found))

    return share


_CHINESE = {
    "detection": "发现", "alerting": "预警", "confirmation": "核实", "queue": "排队", "re-dispatch": "改派",
    "dispatch": "派遣", "travel": "路途", "handling": "处置", "verification": "核查", "thought closed": "误结案",
    "unexplained": "未解释",
}  # fmt: skip


def _name(part: str) -> str:
    return part.replace(" ", "_").replace("-", "")


INCIDENTS: tuple[Kpi, ...] = (
    Kpi("incidents", "Incidents", "事件数", "", "neither", _created),
    Kpi("incidents_closed_share", "Incidents that were closed", "结案率", "%", "higher", _closed_share),
    Kpi("incident_detection_min", "From hazard to incident, median", "发现时长中位数", "min", "lower",
        _at(detection_s, 0.5)),
    Kpi("incident_detection_p95_min", "From hazard to incident, 95th percentile", "发现时长95分位", "min", "lower",
        _at(detection_s, 0.95)),
    Kpi("incident_dispatch_min", "From incident to order, median", "派遣时长中位数", "min", "lower",
        _at(dispatch_s, 0.5)),
    Kpi("incident_dispatch_p95_min", "From incident to order, 95th percentile", "派遣时长95分位", "min", "lower",
        _at(dispatch_s, 0.95)),
    Kpi("incident_on_site_min", "From incident to arrival, median", "到场时长中位数", "min", "lower",
        _at(on_site_s, 0.5)),
    Kpi("incident_on_site_p95_min", "From incident to arrival, 95th percentile", "到场时长95分位", "min", "lower",
        _at(on_site_s, 0.95)),
    Kpi("incident_within_30min_share", "Incidents with somebody there within half an hour", "半小时到场率", "%",
        "higher", _within),
    Kpi("incident_closing_min", "From incident to end, median", "办结时长中位数", "min", "lower",
        _at(closing_s, 0.5)),
    Kpi("incident_closing_p95_min", "From incident to end, 95th percentile", "办结时长95分位", "min", "lower",
        _at(closing_s, 0.95)),
    Kpi("hazards_reached_share", "Hazards that a responder came to", "到场处置率", "%", "higher", _reached_share),
    Kpi("water_reached_min", "From being in the water to help, median", "溺水到场时长中位数", "min", "lower",
        _at(reached_s, 0.5, "water")),
    Kpi("fire_reached_min", "From ignition to help, median", "火情到场时长中位数", "min", "lower",
        _at(reached_s, 0.5, "fire")),
    Kpi("incident_targets_kept", "Clocks of service targets that did not run out", "时限达标率", "%", "higher",
        _targets_kept),
    Kpi("dispatch_false_share", "Arrivals where nothing was", "空跑率", "%", "lower", _for_nothing),
    Kpi("dispatch_replaced_share", "Orders after which another had to be sent", "改派率", "%", "lower", _replaced),
    Kpi("incident_not_fixed_share", "Closed as handled and still there", "虚假结案率", "%", "lower", _not_fixed),
    Kpi("incidents_per_hazard", "Incidents per hazard", "每隐患事件数", "", "lower", _each_once),
    *(
        Kpi(f"loop_{_name(p)}_share", f"Time: {p}", f"闭环时间占比：{_CHINESE[p]}", "%", "neither", _part(p))
        for p in PARTS
    ),
)  # fmt: skip
INCIDENTS_HEADLINE: tuple[Kpi, ...] = tuple(
    k for k in INCIDENTS
    if k.name in ("incidents", "incident_on_site_min", "incident_targets_kept", "dispatch_false_share")
)  # fmt: skip
__all__ = ["INCIDENTS", "INCIDENTS_HEADLINE"]
