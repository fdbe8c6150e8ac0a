"""Lorries with material: from gates, logistics and industrial parks to the sites and back, on the roads of all.

Tonnes follow the value built in a day (tonnes per 1,000 CNY by kind of project), 28 t a lorry, by the hours in which
sites are supplied; peak hours are spared. A lorry that arrived is unloaded and drives back. Figures assumed.
"""

from __future__ import annotations

import numpy as np

from geo.city import City
from twin.domain.ids import vehicle_entity, vehicle_number
from twin.events import SupplyArrived, VehicleRefused
from twin.log import Log
from twin.world.ports import RunContext
from twin.world.sites.files import Floats, Ints, Sites
from twin.world.traffic.ports import Flow, NewVehicles
from twin.world.traffic.routing import pick
from twin.world.traffic.types import TRUCK

DAY_S = 86_400
TONNES_PER_KCNY = (0.30, 0.60, 0.40, 0.50)
PAYLOAD_T = 28.0
UNLOAD_MEAN_S = 1_500.0
MOST_A_DAY = 499
#: share of a day's lorries by hour: not in the peaks
HOURS = (0, 0, 0, 0, 0, 2, 8, 2, 3, 9, 10, 9, 7, 8, 9, 9, 8, 3, 3, 6, 4, 0, 0, 0)


class Supply:
    """All lorries of a run."""

    def __init__(self, context: RunContext, sites: Sites, factor: float) -> None:
        self._c, self._sites, self._factor = context, sites, factor
        dice = context.dice
        self._draw = {n: dice.stream(f"sites.lorry_{n}") for n in ("count", "time", "from", "unload")}
        self._in, self._out, self._weight = _sources(context.city)
        self._plan: tuple[Ints, Ints, Ints, Ints] = (np.zeros(0, np.int64),) * 4
        self._at = 0
        self._back: list[tuple[int, int, int]] = []  # second, vehicle, row
        self._under_way: dict[int, tuple[int, int, int]] = {}  # vehicle: row, source, 0 out 1 back

    def plan(self, day: int, gained: Floats, now_s: int) -> tuple[Ints, Ints]:
        """Plan the lorries of a day for what is built in it; return (rows, lorries) of sites that need any."""
        s = self._sites
        tonnes = gained * s.investment_cny / 1000.0 * np.asarray(TONNES_PER_KCNY)[s.kind] * self._factor
        need = tonnes / PAYLOAD_T
        count = np.floor(need + self._draw["count"].uniform(s.project, day)).astype(np.int64)
        count = np.minimum(np.where(gained > 0, count, 0), MOST_A_DAY)
        if self._weight.size == 0:
            count[:] = 0
        row = np.repeat(np.arange(len(s)), count)
        trip = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
        entity = s.project[row] * 100_000 + day * 1_000 + trip  # project < 10,000, day < 100, trip < 1,000
        hours = np.concatenate([[0.0], np.cumsum(HOURS)])
        share = self._draw["time"].uniform(entity) * hours[-1]
        depart = day * DAY_S + np.interp(share, hours, np.arange(25) * 3600.0).astype(np.int64)
        source = self._draw["from"].choice(self._weight, entity) if row.size else row
        order = np.lexsort((entity, depart))
        order = order[depart[order] >= now_s]
        self._plan, self._at = (row[order], entity[order], depart[order], source[order]), 0
        rows = np.flatnonzero(count)
        return rows, count[rows]

    def set_out(self, now_s: int, until_s: int) -> None:
        """Let the lorries of [now, until) onto the road, out and back."""
        row, entity, depart, source = self._plan
        end = self._at + int(np.searchsorted(depart[self._at :], until_s))
        k = slice(self._at, end)
        self._at = end
        if k.stop > k.start:
            vehicle = np.asarray(vehicle_number("supply", entity[k], 0), dtype=np.int64)  # type: ignore[arg-type]
            for v, r, src in zip(vehicle.tolist(), row[k].tolist(), source[k].tolist(), strict=True):
                self._under_way[v] = (r, src, 0)
            road, pos = self._sites.road[row[k]], self._sites.pos_m[row[k]]
            none = np.full(vehicle.size, np.nan)
            self._enter(vehicle, depart[k], self._in[source[k]], road, none, pos)
        self._send_back(now_s, until_s)

    def _send_back(self, now_s: int, until_s: int) -> None:
        ready = sorted(b for b in self._back if b[0] < until_s)
        if not ready:
            return
        self._back = [b for b in self._back if b[0] >= until_s]
        vehicle = np.asarray([v + 1 for _, v, _ in ready], dtype=np.int64)
        rows = np.asarray([r for *_, r in ready], dtype=np.int64)
        source = np.asarray([self._under_way.pop(v)[1] for _, v, _ in ready], dtype=np.int64)
        for v, r, src in zip(vehicle.tolist(), rows.tolist(), source.tolist(), strict=True):
            self._under_way[v] = (r, src, 1)
        depart = np.asarray([max(t, now_s) for t, *_ in ready], dtype=np.int64)
        none = np.full(vehicle.size, np.nan)
        self._enter(vehicle, depart, self._sites.road[rows], self._out[source], self._sites.pos_m[rows], none)

    def _enter(self, vehicle: Ints, depart: Ints, a: Ints, b: Ints, from_m: Floats, to_m: Floats) -> None:
        routes = self._c.routes.routes(a, b)
        found = routes.found
        if not found.all():
            lost = vehicle[~found]
            self._c.log.add(VehicleRefused, t_s=depart[~found], vehicle=lost, kind="supply", reason="no route")
            for v in lost.tolist():
                self._under_way.pop(v, None)
        if found.any():
            n = int(found.sum())
            types = np.full(n, TRUCK, dtype=np.int64)
            new = NewVehicles(
                vehicle[found], types, depart[found], pick(routes, found),
                depart_pos_m=from_m[found], arrive_pos_m=to_m[found],
            )  # fmt: skip
            self._c.gate.add(new)

    def took(self, flow: Flow) -> None:
        """Take note of lorries that arrived: unload, then drive back."""
        for v, t in zip(flow.arrived.tolist(), flow.arrived_s.tolist(), strict=True):
            here = self._under_way.get(v)
            if here is None:
                continue
            row, _, way = here
            if way == 1:
                del self._under_way[v]
                continue
            _arrived(self._c.log, t, int(self._sites.project[row]), v)
            wait = 300 + int(self._draw["unload"].exponential(UNLOAD_MEAN_S, int(vehicle_entity(v)))[0])
            self._back.append((t + wait, v, row))

    def lost(self, vehicle: int) -> None:
        """Forget a lorry that traffic took off the road: its load never came."""
        self._under_way.pop(vehicle, None)

    @property
    def under_way(self) -> int:
        """Lorries on the road or being unloaded."""
        return len(self._under_way)


def _arrived(log: Log, t_s: int, project: int, vehicle: int) -> None:
    log.add(SupplyArrived, t_s=t_s, project=project, vehicle=vehicle, tonnes=PAYLOAD_T)


def _sources(city: City) -> tuple[Ints, Ints, Floats]:
    """Return (road out of a source, road back to it, weight): gates by their weight, parks share a third."""
    places = city.places
    gates = places[(places["kind"] == "gate") & (places["road"] >= 0) & (places["road_out"] >= 0)]
    weight = np.maximum(np.nan_to_num(gates["weight"].to_numpy(np.float64), nan=0.0), 0.0)
    if weight.sum() <= 0:
        weight = np.ones(len(gates))
    weight = weight / max(weight.sum(), 1e-9)
    main = city.roads["main"].to_numpy(bool)
    parks = places[places["kind"].isin(("logistics_park", "industrial_park")) & (places["road"] >= 0)]
    parks = parks[main[parks["road"].to_numpy(np.int64)]]
    out = np.concatenate([gates["road"].to_numpy(np.int64), parks["road"].to_numpy(np.int64)])
    back = np.concatenate([gates["road_out"].to_numpy(np.int64), parks["road"].to_numpy(np.int64)])
    share = np.full(len(parks), 0.5 / max(len(parks), 1))
    return out, back, np.concatenate([weight, share])
