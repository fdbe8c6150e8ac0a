"""Whether anybody drove outside its permit without a violation fact, found anew from what units told (F26).

Not by the comparison that :mod:`twin.world.fleets.conduct` makes: permits come from ``PermitGranted``, ``PermitRoad``
and ``PermitEnded``, driving from ``UnitChanged`` (when) and ``UnitOnRoad`` (where). Driving
while no permit held, or standing or driving on a road that none allowed, must lie within a violation of that unit.
The first ``SLACK_S`` are left out: conduct is looked at every ten seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from twin.control.mobility.standings import AUTOMATED
from twin.domain.ids import unit_fleet, unit_label
from twin.log import Facts

SLACK_S = 20
DAY_S = 86_400
MOVING = ("driving", "manual")
Spells = list[tuple[int, int]]


@dataclass(frozen=True)
class _Permit:
    """A permit of the log: whose, when (spells, seconds of the run), on which roads."""

    fleet: str
    units: frozenset[str]
    spells: tuple[tuple[int, int], ...]
    roads: npt.NDArray[np.int64]

    def of(self, unit: str, fleet: str) -> bool:
        return fleet == self.fleet and (not self.units or unit in self.units)


def permits_are_kept(facts: Facts) -> list[str]:
    """No unmanned unit drives when, or is out where, no permit allows it, without a violation fact that says so."""
    changed = facts.frame("UnitChanged")[["t_s", "unit", "state", "road"]]
    changed = changed[[unit_fleet(u) in AUTOMATED for u in changed["unit"].tolist()]]
    if changed.empty:
        return []
    end_s = int(changed["t_s"].max())
    permits = _permits(facts, end_s + 1)
    told = _violations(facts, end_s + 1)
    seen = _seen(facts, changed)
    out: list[str] = []
    for unit, rows in changed.groupby("unit", sort=True):
        number = int(unit)
        name, mine = unit_label(number), [p for p in permits if p.of(unit_label(number), unit_fleet(number))]
        held = _union([s for p in mine for s in p.spells])
        excused = {kind: told.get((number, kind), []) for kind in ("hours", "area")}
        for begin, end in _without(_driving(rows, end_s), [*held, *_widened(excused["hours"])]):
            if end - begin > SLACK_S:
                out.append(f"{name} drove from {begin} to {end} s while no permit held, and no violation says so")
        where = seen[seen["unit"] == number]
        for t_s, road in _unlawful(where, mine):
            if not any(a <= t_s <= b for a, b in _widened(excused["area"])):
                out.append(f"{name} was on road {road} at {t_s} s, which no permit allows, and no violation says so")
    return out[:5]


def _permits(facts: Facts, end_s: int) -> list[_Permit]:
    listed = facts.frame("PermitRoad")
    roads = {name: rows["road"].to_numpy(np.int64) for name, rows in listed.groupby("permit", observed=True)}
    nowhere = np.empty(0, dtype=np.int64)
    ended = facts.frame("PermitEnded").groupby("permit", observed=True)["t_s"].min()
    out = []
    for p in facts.frame("PermitGranted").itertuples():
        until = min(int(p.valid_until_s), int(ended.get(p.permit, end_s)), end_s)
        spells = _daily(int(p.daily_from_s), int(p.daily_until_s), int(p.t_s), until)
        units = frozenset(str(p.unit_names).split(", ")) if p.unit_names else frozenset()
        out.append(_Permit(str(p.fleet), units, tuple(spells), roads.get(p.permit, nowhere)))
    return out


def _daily(from_s: int, until_s: int, begin_s: int, end_s: int) -> Spells:
    """Return the hours of each day within [begin_s, end_s)."""
    from_s, until_s = from_s % DAY_S, until_s % DAY_S
    if from_s == until_s:
        return [(begin_s, end_s)] if begin_s < end_s else []
    length = (until_s - from_s) % DAY_S
    starts = range(begin_s // DAY_S * DAY_S - DAY_S + from_s, end_s, DAY_S)
    return [(max(s, begin_s), min(s + length, end_s)) for s in starts if max(s, begin_s) < min(s + length, end_s)]


def _violations(facts: Facts, end_s: int) -> dict[tuple[int, str], Spells]:
    """Return when each unit was known to be outside: of its hours (or without a permit), or of its area."""
    kinds = {"out of hours": "hours", "no permit": "hours", "out of area": "area"}
    began, over = facts.frame("ViolationBegan"), facts.frame("ViolationEnded")
    out: dict[tuple[int, str], Spells] = {}
    for violation, kind in kinds.items():
        ends = over[over["violation"] == violation].groupby("unit")["t_s"].agg(list)
        for unit, begins in began[began["violation"] == violation].groupby("unit")["t_s"].agg(list).items():
            stops = ends.get(unit, [])  # one begins only when the last has ended
            pairs = [(b, stops[k] if k < len(stops) else end_s) for k, b in enumerate(begins)]
            out.setdefault((int(unit), kind), []).extend(pairs)
    return out


def _driving(rows: pd.DataFrame, end_s: int) -> Spells:
    """Return when a unit was driving, by its changes of state."""
    t_s, moving = rows["t_s"].tolist(), rows["state"].isin(MOVING).tolist()
    ends = [*t_s[1:], end_s]
    return _union([(a, b) for a, b, m in zip(t_s, ends, moving, strict=True) if m])


def _seen(facts: Facts, changed: pd.DataFrame) -> pd.DataFrame:
    """Return where units were out, row by row; not where they set out: there they were put, and are gone at once."""
    still = changed[changed["state"].isin(("serving", "halted"))][["t_s", "unit", "road"]]
    more = [facts.frame(kind)[["t_s", "unit", "road"]] for kind in ("UnitOnRoad", "UnitArrived", "UnitHalted")]
    seen: pd.DataFrame = pd.concat([still, *more])
    return seen


def _unlawful(where: pd.DataFrame, permits: Sequence[_Permit]) -> Spells:
    """Return (second, road) of a unit's places that no permit allowed, though one held."""
    t_s, road = where["t_s"].to_numpy(), where["road"].to_numpy()
    some, allowed = np.zeros(t_s.size, dtype=bool), np.zeros(t_s.size, dtype=bool)
    for p in permits:
        holds = np.zeros(t_s.size, dtype=bool)
        for begin, end in p.spells:
            holds |= (begin <= t_s) & (t_s < end)
        some |= holds
        allowed |= holds & np.isin(road, p.roads)
    rows = np.flatnonzero(some & ~allowed)
    return list(zip(t_s[rows].tolist(), road[rows].tolist(), strict=True))


def _widened(spells: Spells) -> Spells:
    return [(a - SLACK_S, b + SLACK_S) for a, b in spells]


def _union(spells: Sequence[tuple[int, int]]) -> Spells:
    out: Spells = []
    for begin, end in sorted(spells):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        elif begin < end:
            out.append((begin, end))
    return out


def _without(spells: Spells, covered: Sequence[tuple[int, int]]) -> Spells:
    """Return what of ``spells`` is not covered."""
    out: Spells = []
    cover = _union(covered)
    for begin, end in spells:
        at = begin
        for a, b in cover:
            if b <= at or a >= end:
                continue
            if a > at:
                out.append((at, a))
            at = max(at, b)
        if at < end:
            out.append((at, end))
    return out
