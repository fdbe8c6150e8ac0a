"""The permits of a scenario in truth: which roads they mean, when they begin and end, and who is told (F26, F28).

A permit that asks for tests comes with a second one, ``NAME/test``: until a unit has done them it may drive on the
same roads to test, with nobody and nothing aboard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt

from geo.city import City
from geo.errors import CityError
from twin.control.mobility.permits import TEST, Permits
from twin.domain.ids import unit_label, unit_number
from twin.domain.messages import Message
from twin.domain.mobility import PermitIssued, PermitWithdrawn
from twin.errors import ScenarioError
from twin.events import PermitEnded, PermitGranted, PermitRoad
from twin.log import Log
from twin.scenario.supervision import Permit, Supervision, subdistrict_names

Ints = npt.NDArray[np.int64]

DAY_S = 86_400


def area_roads(city: City, area: Sequence[str], radius_m: float) -> Ints:
    """Return the roads open to cars in an area: names of subdistricts, roads, or places (within ``radius_m``).

    A subdistrict may be named with or without 街道 ("Subdistrict"), or by its id. A road counts to the subdistrict
    or circle that its middle lies in. Raises ScenarioError for a name that the city does not have.
    """
    roads = city.roads
    car = roads["car"].to_numpy(bool)
    chosen = np.zeros(len(roads), dtype=bool)
    subdistricts = _subdistricts(city)
    for name in area:
        if name in subdistricts:
            chosen |= (roads["subdistrict"] == subdistricts[name]).to_numpy()
            continue
        try:
            chosen[city.roads_named(name)] = True
            continue
        except CityError:
            pass
        try:
            point = city.place(name).geometry
        except CityError:
            raise ScenarioError(_no_such_area(city, name, list(subdistricts))) from None
        middle = roads.geometry.interpolate(0.5, normalized=True)
        chosen |= middle.distance(point).to_numpy() <= radius_m
    return np.flatnonzero(chosen & car).astype(np.int64)


def _subdistricts(city: City) -> dict[str, str]:
    table = city.subdistricts
    return subdistrict_names((str(r.subdistrict), str(r.name), str(r.name_en)) for r in table.itertuples())


def _no_such_area(city: City, name: str, subdistricts: Sequence[str]) -> str:
    known = [*subdistricts, *city.roads["name"], *city.roads["name_en"], *city.places["name"], *city.places["name_en"]]
    close = get_close_matches(name, sorted({str(k) for k in known if k}), n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"supervision.permits: {city.name} has no subdistrict, road or place '{name}'{hint}"


@dataclass(frozen=True)
class Issue:
    """A permit as it will be issued: the message, when it begins to hold and when it ends by its date."""

    told: PermitIssued
    from_s: int
    until_s: int


def issues(city: City, scenario: Supervision, fleets: Sequence[str], start_s: int, end_s: int) -> list[Issue]:
    """Return the permits for the fleets that are there, in the order of the scenario. Raises ScenarioError."""
    out: list[Issue] = []
    taken: set[str] = set()
    for name, permit in scenario.named(fleets):
        if name in taken:
            raise ScenarioError(f"supervision.permits: two permits are called '{name}'; give each its own name")
        taken.add(name)
        default = permit not in scenario.permits
        if default and not set(permit.area) & set(_subdistricts(city)):
            # another city than the shipped one: all its roads are the test ground
            roads = np.flatnonzero(city.roads["car"].to_numpy(bool)).astype(np.int64)
        else:
            roads = area_roads(city, permit.area, permit.radius_m)
        if roads.size == 0:
            raise ScenarioError(f"supervision.permits: '{name}' allows no road: {', '.join(permit.area)}")
        out += _issue(permit, name, roads, start_s, end_s)
    return out


def _issue(permit: Permit, name: str, roads: Ints, start_s: int, end_s: int) -> list[Issue]:
    until = end_s + DAY_S
    if permit.valid_until is not None:
        until = (permit.valid_until_day - 1) * DAY_S + permit.valid_until
    unit = np.asarray([unit_number(permit.fleet, n) for n in permit.units], dtype=np.int64)
    hours, km = permit.tests
    kinds: list[tuple[str, str, float, float]] = [(name, permit.purpose_word, hours, km)]
    if permit.asks_tests:
        kinds.append((f"{name}/test", TEST, 0.0, 0.0))
    out = []
    for called, purpose, h, k in kinds:
        told = PermitIssued(
            t_s=start_s, key=f"permit/{called}/issued", permit=called, fleet=permit.fleet, purpose=purpose, unit=unit,
            roads=roads, from_s=permit.start, until_s=permit.end, speed_m_s=permit.speed_m_s, valid_from_s=start_s,
            valid_until_s=until, min_test_h=h, min_test_km=k,
        )  # fmt: skip
        out.append(Issue(told, start_s, until))
    return out


class PermitsInTruth:
    """Who may drive, in truth: permits begin at the start and end by date or by an intervention."""

    def __init__(self, planned: Sequence[Issue], log: Log) -> None:
        self.in_force = Permits()
        self._log = log
        self._planned = list(planned)
        self._ends: dict[str, tuple[int, str]] = {}

    def begin(self, now_s: int) -> list[tuple[str, Message]]:
        """Let the permits begin; return (fleet, message) of those issued."""
        out: list[tuple[str, Message]] = []
        for issue in self._planned:
            told = issue.told
            if issue.until_s <= now_s:
                continue  # ended before the run began
            self._ends[told.permit] = (issue.until_s, told.fleet)
            self.in_force.take(told)
            self._log.add(
                PermitGranted,
                t_s=now_s,
                permit=told.permit,
                fleet=told.fleet,
                roads=int(told.roads.size),
                speed_m_s=float(told.speed_m_s),
                permit_for=told.purpose,
                unit_names=", ".join(unit_label(int(u)) for u in told.unit),
                daily_from_s=told.from_s,
                daily_until_s=told.until_s,
                valid_until_s=told.valid_until_s,
            )
            self._log.add(PermitRoad, t_s=now_s, permit=told.permit, road=told.roads)
            out.append((told.fleet, told))
        return out

    def tick(self, now_s: int) -> None:
        """End permits whose date has come; everybody has known it from the permit, so nobody is told."""
        for name in [n for n, (until, _) in self._ends.items() if until <= now_s]:
            _, fleet = self._ends.pop(name)
            self._log.add(PermitEnded, t_s=now_s, permit=name, fleet=fleet, reason="its time was over")

    def end(self, permit: str, now_s: int, cause: str) -> list[tuple[str, Message]]:
        """Withdraw a permit, and the tests that it allowed; return (fleet, message), empty if there is none."""
        out: list[tuple[str, Message]] = []
        for name in (permit, f"{permit}/test"):
            if name not in self._ends:
                continue
            _, fleet = self._ends.pop(name)
            told = PermitWithdrawn(now_s, f"permit/{name}/withdrawn", name, cause)
            self.in_force.take(told)
            self._log.add(PermitEnded, t_s=now_s, permit=name, fleet=fleet, reason=cause)
            out.append((fleet, told))
        return out

    def names(self) -> list[str]:
        """Return the permits in force."""
        return list(self._ends)
