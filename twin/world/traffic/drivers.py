"""What drivers on the road do about closures and advice.

A driver who sets out knows the closures that are *known*: advised by traffic control, or old enough that word has
got round. Whoever is already under way learns of a closure from rerouting advice – a share ``COMPLIANCE`` follows
it – or else by standing before it, and then turns off. The draw depends on the vehicle and the road alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from geo.network import Network
from twin.dice import Dice
from twin.domain.ids import FLEETS, vehicle_kind
from twin.events import AdviceFollowed, VehicleRemoved, VehicleRerouted
from twin.log import Log
from twin.world.traffic.ports import NewVehicles, Traffic
from twin.world.traffic.routing import RouteTable

Ints = npt.NDArray[np.int64]
_NOWHERE = np.empty(0, dtype=np.int32)

COMPLIANCE = 0.6  # share of drivers who follow rerouting advice: 0.3 to 0.7 in field studies (assumed here)
PENALTY = 3.0  # factor on the time of a road that is to be avoided but is open
STUBBORN = ("bus", *FLEETS)  # kinds that keep their way unless it is closed: their operator chooses it


class Drivers:
    """Knows the planned way of everybody under way; reroutes them when the world or control gives reason to."""

    def __init__(
        self,
        traffic: Traffic,
        network: Network,
        routes: RouteTable,
        log: Log,
        dice: Dice,
        on_lost: Callable[[int, int, str], None],
    ) -> None:
        self._traffic, self._network, self._routes = traffic, network, routes
        self._log, self._on_lost = log, on_lost
        self._draw = dice.stream("drivers.compliance")
        self._way: dict[int, npt.NDArray[np.int32]] = {}
        self._avoid: dict[int, int] = {}
        self._time_s = routes.time_s
        self.news = False  # advice has changed since routes were last computed
        self.detours: dict[int, npt.NDArray[np.int32]] = {}  # whole ways of everybody who was ever rerouted
        self.rerouted: list[tuple[int, int, npt.NDArray[np.int32]]] = []

    def entered(self, new: NewVehicles) -> None:
        """Remember the ways of new vehicles."""
        offsets, roads = new.routes.offsets.tolist(), new.routes.roads
        for i, vehicle in enumerate(new.vehicle.tolist()):
            self._way[vehicle] = roads[offsets[i] : offsets[i + 1]]

    def left(self, vehicles: list[int]) -> None:
        """Forget vehicles that are gone."""
        for vehicle in vehicles:
            self._way.pop(vehicle, None)

    def first_roads(self, vehicles: list[int]) -> list[int]:
        """Return the first road of each vehicle's way (-1: unknown)."""
        return [int(self._way[v][0]) if v in self._way else -1 for v in vehicles]

    def way(self, vehicle: int) -> npt.NDArray[np.int32]:
        """Return the whole way of a vehicle under way, with every detour it took; empty: unknown."""
        return self._way.get(vehicle, _NOWHERE)

    def redirect(self, vehicle: int, rest: npt.NDArray[np.int32], now_s: int) -> bool:
        """Let the operator of a vehicle give it a new rest of its way; False if it cannot take it."""
        before = self._traffic.remaining(vehicle)
        if before.size == 0 or vehicle not in self._way:
            return False
        try:
            if not self._traffic.set_route(vehicle, rest):
                return False
        except ValueError:  # it stands in a junction, or has a stop on the way before
            return False
        self._keep(vehicle, before, rest, now_s)
        return True

    def _keep(self, vehicle: int, before: npt.NDArray[np.int32], rest: npt.NDArray[np.int32], now_s: int) -> None:
        """Take note of a vehicle's new rest of its way, in place of the rest ``before``."""
        whole = self._way[vehicle]
        self._way[vehicle] = self.detours[vehicle] = np.concatenate([whole[: whole.size - before.size], rest])
        self.rerouted.append((vehicle, now_s, rest))

    # -- advice --------------------------------------------------------------------------------------------

    def measured(self, time_s: npt.NDArray[np.float64]) -> None:
        """Take the present travel times (s per road)."""
        self._time_s = time_s

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """The travel times of the moment, s per road."""
        return self._time_s

    def times(self, now_s: int) -> npt.NDArray[np.float64]:
        """Return travel times as drivers take them: roads to be avoided count ``PENALTY`` times."""
        out = self._time_s.copy()
        for road, until_s in self._avoid.items():
            if until_s > now_s:
                out[road] *= PENALTY
        return out

    def advise(self, road: int, until_s: int, now_s: int) -> None:
        """Tell everybody to avoid a road; who heads there, and is willing, takes the best way without it."""
        self.news |= self._avoid.get(road, -1) <= now_s
        self._avoid[road] = until_s
        heading = [(v, r) for v, r in self._heading_for(np.asarray([road]), None) if vehicle_kind(v) not in STUBBORN]
        if not heading:
            return
        willing = self._draw.uniform(np.asarray([v for v, _ in heading], dtype=np.int64), road) < COMPLIANCE
        asked = [h for h, w in zip(heading, willing, strict=True) if w]
        here, end = [int(rest[0]) for _, rest in asked], [int(rest[-1]) for _, rest in asked]
        ways = self._network.routes(here, end, self.times(now_s), self._routes.closed)
        followed = sum(
            self._take(vehicle, rest, ways[i], now_s, "advice")
            for i, (vehicle, rest) in enumerate(asked)
            if ways[i].size and road not in ways[i][1:]
        )
        self._log.add(AdviceFollowed, t_s=now_s, road=road, people=len(heading), followed=followed)

    def withdraw(self, road: int) -> None:
        """Let a road be used again as any other."""
        self.news |= self._avoid.pop(road, None) is not None

    # -- closures ------------------------------------------------------------------------------------------

    def at_closures(self, closed: npt.NDArray[np.bool_], now_s: int, ahead: int | None = 1) -> None:
        """Turn off those who stand right before a closed road (or have it ``ahead`` roads before them).

        ``closed``: True for every road that is closed in truth, known or not.
        """
        seen = self._heading_for(np.flatnonzero(closed), ahead)
        if not seen:
            return
        here, end = [int(rest[0]) for _, rest in seen], [int(rest[-1]) for _, rest in seen]
        ways = self._network.routes(here, end, self._routes.time_s, closed)
        for i, (vehicle, rest) in enumerate(seen):
            self._take(vehicle, rest, ways[i], now_s, "closure")

    def _heading_for(self, roads: Ints, ahead: int | None) -> list[tuple[int, npt.NDArray[np.int32]]]:
        """Return vehicles with one of the roads before them, and the rest of their way."""
        wanted = set(roads.tolist())
        out = []
        for vehicle, way in self._way.items():
            if wanted.isdisjoint(way.tolist()):
                continue
            rest = self._traffic.remaining(vehicle)
            if rest.size and not wanted.isdisjoint(rest[1 : None if ahead is None else 1 + ahead].tolist()):
                out.append((vehicle, rest))
        return out

    def _take(
        self, vehicle: int, rest: npt.NDArray[np.int32], way: npt.NDArray[np.int32], now_s: int, cause: str
    ) -> bool:
        """Give a vehicle a new rest of its way; one without any way round a closure leaves the road."""
        kind = vehicle_kind(vehicle)
        if way.size == 0:
            return self._give_up(vehicle, now_s, "no way round a closure")
        if way.size == rest.size and (way == rest).all():
            return False
        try:
            taken = self._traffic.set_route(vehicle, way)
        except ValueError:  # such as a bus with a stop on the closed road
            return self._give_up(vehicle, now_s, "could not turn off before a closure") if cause == "closure" else False
        if not taken:
            return False
        self._keep(vehicle, rest, way, now_s)
        extra = float(self._routes.time_s[way[1:]].sum() - self._routes.time_s[rest[1:]].sum())
        self._log.add(VehicleRerouted, t_s=now_s, vehicle=vehicle, kind=kind, cause=cause, extra_s=extra)
        return True

    def _give_up(self, vehicle: int, now_s: int, reason: str) -> bool:
        """Take a vehicle off the road; whoever was in it is told."""
        self._traffic.remove(vehicle)
        self._log.add(VehicleRemoved, t_s=now_s, vehicle=vehicle, kind=vehicle_kind(vehicle), reason=reason)
        self._way.pop(vehicle, None)
        self._on_lost(vehicle, now_s, reason)
        return False
