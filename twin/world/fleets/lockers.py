"""Parcel lockers in truth: where they stand, what lies in them, and when it is taken out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.dice import Dice
from twin.domain.mobility import Places
from twin.world.fleets.handover import DAY_S, Outcome, Service
from twin.world.fleets.orders import Stops

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LOCKER_PLACES = ("community_centre", "service_point", "market", "shop")  # where lockers stand (assumed)
LOCKER_SLOTS = 60  # of one parcel locker (assumed; common cabinets have 40 to 100)
LOCKER_M = 500.0  # how far (straight line) a parcel may be left from its customer's door (assumed)
COLLECTED_MEAN_S = 5 * 3600.0  # until a parcel is taken out, exponential (assumed)
MARGIN_M = 50.0  # lockers so far outside of the area served are used too


class Lockers:
    """All lockers of an area: equal-length columns; a parcel takes one slot until it is taken out."""

    def __init__(
        self, dice: Dice, place: tuple[str, ...], slots: Ints, road: Ints, pos_m: Floats, x_m: Floats, y_m: Floats,
        name: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.place, self.slots, self.road, self.pos_m, self.x_m, self.y_m = place, slots, road, pos_m, x_m, y_m
        self._name = name or place
        self._row = {p: i for i, p in enumerate(place)}
        self._inside: list[dict[int, int]] = [{} for _ in place]  # order → when it is taken out
        self._collect = dice.stream("delivery.collected")

    @classmethod
    def around(cls, city: City, dice: Dice, stops: Stops) -> Lockers:
        """Return the lockers among the stops of an area."""
        places = city.places[city.places["kind"].isin(LOCKER_PLACES)]
        road = places["road"].to_numpy(np.int64)
        x, y = places.geometry.x.to_numpy(), places.geometry.y.to_numpy()
        inside = (x >= stops.x_m.min() - MARGIN_M) & (x <= stops.x_m.max() + MARGIN_M)
        inside &= (y >= stops.y_m.min() - MARGIN_M) & (y <= stops.y_m.max() + MARGIN_M)
        inside &= (road >= 0) & city.roads["car"].to_numpy(bool)[road]
        places = places[inside]
        return cls(
            dice,
            tuple(places["place"].tolist()),
            np.full(len(places), LOCKER_SLOTS, dtype=np.int64),
            road[inside],
            places["pos_m"].to_numpy(np.float64),
            x[inside],
            y[inside],
            tuple(places["name"].tolist()),
        )

    def message(self, now_s: int) -> list[Places]:
        """Return what the desk is told of them; nothing where there is none."""
        if not self.place:
            return []
        n = len(self.place)
        return [
            Places(
                t_s=now_s, key="delivery/lockers", kind="locker", place=self.place, name=self._name, road=self.road,
                pos_m=self.pos_m, x_m=self.x_m, y_m=self.y_m, size=self.slots, from_s=np.zeros(n, dtype=np.int64),
                until_s=np.full(n, DAY_S, dtype=np.int64),
            )
        ]  # fmt: skip

    def row(self, place: str) -> int:
        """Return the row of a locker by its place; -1 if there is none."""
        return self._row.get(place, -1)

    def room(self, row: int, now_s: int) -> int:
        """Return how many slots are free."""
        inside = self._inside[row] = {o: until for o, until in self._inside[row].items() if until > now_s}
        return int(self.slots[row]) - len(inside)

    def put(self, row: int, order: Ints, now_s: int, service: Service) -> Outcome:
        """Put orders into a locker as long as there is room."""
        done = np.arange(order.size) < self.room(row, now_s)
        duration_s = service.locker_s + service.locker_each_s * int(done.sum())
        stay_s = np.rint(self._collect.exponential(COLLECTED_MEAN_S, order)).astype(np.int64)
        for o, s in zip(order[done].tolist(), stay_s[done].tolist(), strict=True):
            self._inside[row][o] = now_s + duration_s + s
        return Outcome(done, tuple("" if ok else "locker full" for ok in done.tolist()), duration_s)

    def take_back(self, row: int, order: int) -> None:
        """Free the slot of an order that was not left in it after all."""
        self._inside[row].pop(order, None)
