"""Units of fleets through the whole run: what they were at every moment, where they stood, which legs they drove.

A unit is one thing on the map, though every leg of it is a vehicle of its own in traffic. While it drives it follows
that vehicle's positions; else it stands where its last change of state says.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twin.domain.ids import FLEETS, VEHICLE_KINDS, unit_of
from twin.domain.mobility import STATES
from twin.log import Facts

if TYPE_CHECKING:
    from viz.fcd import Samples

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_KIND = 10**12
FLEET_CODES = tuple(VEHICLE_KINDS[fleet] for fleet in FLEETS)


@dataclass(frozen=True)
class Leg:
    """One leg: seconds of setting out and of its end (``end_s`` −1: still under way when the run ended).

    ``late_s`` against what was expected is None when it did not arrive (it was sent elsewhere, or broke down).
    """

    unit: int
    vehicle: int
    task: str
    t_s: int
    end_s: int
    to_road: int
    distance_m: float
    expected_s: float
    late_s: int | None

    @property
    def planned_s(self) -> int:
        """Whole seconds it should take, so that planned and lateness add up to what it took."""
        return round(self.expected_s) if self.late_s is None else self.end_s - self.t_s - self.late_s


@dataclass
class Track:
    """A unit's changes in the order of time: equal-length columns; ``cause`` says why it is halted or broken."""

    unit: int
    fleet: str
    model: str
    capacity: int
    t_s: list[int] = field(default_factory=list)
    state: list[str] = field(default_factory=list)
    cause: list[str] = field(default_factory=list)
    battery: list[float] = field(default_factory=list)
    load: list[int] = field(default_factory=list)
    road: list[int] = field(default_factory=list)
    pos_m: list[float] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    detours: list[tuple[int, float]] = field(default_factory=list)  # second, seconds lost going round an obstacle

    def spans(self, from_s: int, until_s: int) -> list[tuple[int, int, str, str]]:
        """Return (from, until, state, cause) that fill [from_s, until_s); state "" before the first fact."""
        out: list[tuple[int, int, str, str]] = []
        i, t = bisect_right(self.t_s, from_s) - 1, from_s
        while t < until_s:
            end = min(self.t_s[i + 1], until_s) if i + 1 < len(self.t_s) else until_s
            if end > t:
                state, cause = (self.state[i], self.cause[i]) if i >= 0 else ("", "")
                if out and out[-1][2:] == (state, cause):
                    out[-1] = (out[-1][0], end, state, cause)
                else:
                    out.append((t, end, state, cause))
                t = end
            i += 1
        return out

    def serving_before(self, t_s: int) -> int:
        """Return when the serving that ended at ``t_s`` began; ``t_s`` if it was not serving then."""
        i, begun = bisect_right(self.t_s, t_s - 1) - 1, t_s
        while i >= 0 and self.state[i] == "serving":
            begun = self.t_s[i]
            i -= 1
        return begun


def rows(facts: Facts, fact: str) -> list[dict[str, Any]]:
    """Return facts of one kind as dictionaries."""
    return list(facts.table(fact).to_pylist())


def tracks(facts: Facts) -> dict[int, Track]:
    """Return the tracks of all units by their numbers, in order; empty for a run without fleets."""
    out: dict[int, Track] = {}
    for r in sorted(rows(facts, "UnitDeployed"), key=lambda r: int(r["unit"])):
        track = out[int(r["unit"])] = Track(int(r["unit"]), r["fleet"], r["model"], int(r["capacity"]))
        _put(track, {**r, "state": "parked", "load": 0}, "")
    if not out:
        return out
    why = _causes(facts)
    for r in rows(facts, "UnitChanged"):
        track = out[int(r["unit"])]
        state = str(r["state"])
        cause = ""
        if state in ("halted", "broken"):
            told = why.get((track.unit, state), [])
            at = bisect_right(told, (int(r["t_s"]), "\U0010ffff")) - 1
            cause = told[at][1] if at >= 0 else ""
        _put(track, r, cause)
    for r in rows(facts, "Overtaken"):
        out[int(r["unit"])].detours.append((int(r["t_s"]), float(r["extra_s"])))
    _put_legs(facts, out)
    return out


def _put(track: Track, r: dict[str, Any], cause: str) -> None:
    for name, value in (
        ("t_s", int(r["t_s"])), ("state", str(r["state"])), ("cause", cause), ("battery", float(r["battery"])),
        ("load", int(r["load"])), ("road", int(r["road"])), ("pos_m", float(r["pos_m"])),
    ):  # fmt: skip
        getattr(track, name).append(value)


def _causes(facts: Facts) -> dict[tuple[int, str], list[tuple[int, str]]]:
    out: dict[tuple[int, str], list[tuple[int, str]]] = {}
    for fact, state in (("UnitHalted", "halted"), ("UnitBroke", "broken")):
        for r in rows(facts, fact):
            out.setdefault((int(r["unit"]), state), []).append((int(r["t_s"]), str(r["cause"])))
    return out


def _put_legs(facts: Facts, out: dict[int, Track]) -> None:
    """Give every unit its legs: a departure ends with its arrival, the next departure, or a breakdown."""
    arrived: dict[int, list[tuple[int, int]]] = {}
    for r in rows(facts, "UnitArrived"):
        arrived.setdefault(int(r["unit"]), []).append((int(r["t_s"]), int(r["late_s"])))
    broke: dict[int, list[int]] = {}
    for r in rows(facts, "UnitBroke"):
        broke.setdefault(int(r["unit"]), []).append(int(r["t_s"]))
    gone: dict[int, list[dict[str, Any]]] = {}
    for r in rows(facts, "UnitDeparted"):
        gone.setdefault(int(r["unit"]), []).append(r)
    for unit, departures in gone.items():
        ends, k = arrived.get(unit, []), 0
        for i, r in enumerate(departures):
            t = int(r["t_s"])
            until = int(departures[i + 1]["t_s"]) if i + 1 < len(departures) else None
            stops = [b for b in broke.get(unit, []) if b >= t and (until is None or b < until)]
            end, late = (stops[0] if stops else until if until is not None else -1), None
            while k < len(ends) and ends[k][0] < t:
                k += 1
            if k < len(ends) and (until is None or ends[k][0] <= until) and not (stops and ends[k][0] > stops[0]):
                end, late = ends[k]
                k += 1
            leg = Leg(
                unit, int(r["vehicle"]), str(r["task"]), t, end, int(r["to_road"]), float(r["distance_m"]),
                float(r["expected_s"]), late,
            )  # fmt: skip
            out[unit].legs.append(leg)


def is_fleet(vehicle: Ints) -> npt.NDArray[np.bool_]:
    """Return which vehicle numbers are legs of units."""
    return np.isin(vehicle // _KIND, FLEET_CODES)


def with_ends(samples: Samples, facts: Facts, found: dict[int, Track], length_m: Floats) -> Samples:
    """Return the samples with the exact beginning and end of every leg's vehicle, which the facts tell.

    Units set out and stop in the middle of roads; sampling every some seconds would miss where. What traffic says
    beyond a known end (in meso vehicles come by it on their way to the end of a queue) is drawn back to it.
    """
    if not found:
        return samples
    begin, end = _ends(facts, found, ("VehicleEntered",)), _ends(facts, found, ("VehicleArrived", "VehicleRemoved"))
    road, share, keep = samples.road, samples.share.copy(), np.ones(len(samples), dtype=bool)
    fleet = np.flatnonzero(is_fleet(samples.vehicle))
    heads = fleet[np.flatnonzero(np.diff(samples.vehicle[fleet], prepend=-1))]
    tails = np.append(heads[1:], fleet[-1] + 1) if fleet.size else heads
    for a, b in zip(heads.tolist(), tails.tolist(), strict=True):
        own = slice(a, b)
        vehicle = int(samples.vehicle[a])
        if vehicle in begin:
            t, r, pos = begin[vehicle]
            keep[own] &= samples.t_s[own] > t
            first = (road[own] == r) & (samples.t_s[own] < t + 120) & (share[own] < pos / length_m[r])
            share[own][first] = pos / length_m[r]
        if vehicle in end:
            t, r, pos = end[vehicle]
            keep[own] &= samples.t_s[own] < t
            last = (road[own] == r) & (samples.t_s[own] > t - 120) & (share[own] > pos / length_m[r])
            share[own][last] = pos / length_m[r]
    more = [(v, *at) for ends in (begin, end) for v, at in ends.items()]
    new_v = np.array([m[0] for m in more], dtype=np.int64)
    new_t = np.array([m[1] for m in more], dtype=np.float64)
    new_r = np.array([m[2] for m in more], dtype=np.int32)
    new_s = np.clip(np.array([m[3] for m in more], dtype=np.float64) / length_m[new_r], 0.0, 1.0)
    v = np.concatenate([samples.vehicle[keep], new_v])
    t_all = np.concatenate([samples.t_s[keep], new_t])
    order = np.lexsort((t_all, v))
    v, t_all = v[order], t_all[order]
    once = np.ones(len(v), dtype=bool)
    once[1:] = (v[1:] != v[:-1]) | (t_all[1:] > t_all[:-1])
    return replace(
        samples,
        vehicle=v[once],
        t_s=t_all[once],
        road=np.concatenate([road[keep], new_r])[order][once],
        share=np.concatenate([share[keep], new_s])[order][once],
    )


def _ends(facts: Facts, found: dict[int, Track], kinds: tuple[str, ...]) -> dict[int, tuple[int, int, float]]:
    """Return vehicle → (second, road, metres along it) of entering or leaving, where a change of its unit tells it."""
    out: dict[int, tuple[int, int, float]] = {}
    for kind in kinds:
        table = facts.table(kind, ["t_s", "vehicle"])
        vehicle = table["vehicle"].to_numpy(zero_copy_only=False).astype(np.int64)
        mine = np.flatnonzero(is_fleet(vehicle))
        t_s = table["t_s"].to_numpy()[mine]
        for v, t in zip(vehicle[mine].tolist(), t_s.tolist(), strict=True):
            track = found.get(int(unit_of(v)))
            i = bisect_right(track.t_s, t) - 1 if track else -1
            if track is None or i < 0 or (kind != "VehicleEntered" and track.t_s[i] != t):
                continue
            out[v] = (t, track.road[i], track.pos_m[i])
    return out


def state_code(state: str) -> int:
    """Return the place of a state in STATES, with one more for a state that is not known."""
    return STATES.index(state) if state in STATES else len(STATES)
