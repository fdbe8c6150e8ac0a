"""What the desks of V2X are told once, from the city and the scenario: merges, plans of the police."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo.city import City
from geo.network import Network
from twin.control.junctions.layout import Ints, Layout
from twin.domain.junctions import SignalMap
from twin.domain.v2x import MergeMap, PolicePlans
from twin.errors import ScenarioError
from twin.scenario.v2x import PlanHours
from twin.world.junctions.perception import GRADE_SENSES
from twin.world.traffic.positions import RoadShapes

L3 = 3


def merges(city: City, net: Network, told: SignalMap, coop: Ints, now_s: int) -> MergeMap:
    """Return the places near junctions ``coop`` (rows) where roads that lead nowhere else become one; no signals."""
    onward = np.bincount(net.from_road, minlength=net.n)
    only = onward[net.from_road] == 1
    into: dict[int, list[int]] = {}
    for a, b in zip(net.from_road[only].tolist(), net.to_road[only].tolist(), strict=True):
        into.setdefault(b, []).append(a)
    signalled = set(told.lane_road.tolist())
    begin = np.array(sorted(into), dtype=np.int64)
    x, y = RoadShapes(city).at(begin, np.zeros(begin.size))
    rows: list[tuple[int, int]] = []
    for to, at_x, at_y in zip(begin.tolist(), x.tolist(), y.tolist(), strict=True):
        near = np.hypot(told.x_m[coop] - at_x, told.y_m[coop] - at_y) <= GRADE_SENSES[L3].range_m
        if len(into[to]) > 1 and near.any() and not signalled.intersection(into[to]):
            rows += [(to, way) for way in sorted(into[to])]
    merge, road = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    length = city.roads["length_m"].to_numpy(np.float64)[road]
    limit = city.roads["speed_m_s"].to_numpy(np.float64)[road]
    return MergeMap(now_s, "rsu/merges", merge, road, length, limit)


def police_plans(scenario: str, police: Sequence[PlanHours], layout: Layout, now_s: int) -> PolicePlans:
    """Return the plans of the police as a message. ScenarioError: a junction does not exist, or has other phases."""
    row = {name: j for j, name in enumerate(layout.told.junction)}
    greens: list[tuple[int, int, int]] = []
    offsets: list[tuple[int, int, int]] = []
    for i, hours in enumerate(police):
        for k, plan in enumerate(hours.plans):
            where = f"{scenario}: junctions.v2x.platform.police.{i}.plans.{k}"
            if plan.junction not in row:
                names = ", ".join(layout.told.junction[:8])
                raise ScenarioError(f"{where}: there is no junction '{plan.junction}' with signals, but {names} …")
            j = row[plan.junction]
            first, n = int(layout.first_phase[j]), int(layout.phases[j])
            if len(plan.greens) != n:
                raise ScenarioError(f"{where}: {len(plan.greens)} greens are given; '{plan.junction}' has {n} phases")
            least_s = layout.told.phase_min_s[first : first + n].tolist()
            short = [g for g, least in zip(plan.greens, least_s, strict=True) if 0 < g < least]
            if short or not any(plan.greens):
                raise ScenarioError(
                    f"{where}: a green of {short[0] if short else 0} s is given; '{plan.junction}' needs {least_s} s at"
                    " least, or 0 to leave a phase out"
                )
            offsets.append((i, j, plan.offset_s))
            greens += [(i, first + p, green) for p, green in enumerate(plan.greens)]
    g, o = (np.array(rows, dtype=np.int64).reshape(-1, 3).T for rows in (greens, offsets))
    return PolicePlans(
        now_s, "police/plans", np.arange(len(police), dtype=np.int64),
        np.array([h.start for h in police], dtype=np.int64), np.array([h.end for h in police], dtype=np.int64),
        np.array([int(h.green_wave) for h in police], dtype=np.int64), g[0], g[1], g[2], o[0], o[1], o[2],
    )  # fmt: skip
