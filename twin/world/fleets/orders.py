"""Who orders what and when: the demand of the last mile, as named draws per customer and day.

Residents order parcels from the park (groceries, e-commerce, meals) to their homes; shops order supplies. How
many orders a day are expected is the scenario's (``delivery.orders_per_day``); who orders, when, how much and whether
into a locker are draws of the customer, so one more resident changes nobody else's draws. (All share the expected
number: of more customers each orders a little less, and what is still ordered is the same.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.special import gammaln

from geo.city import City
from twin.dice import Dice
from twin.errors import ScenarioError
from twin.world.people.model import PeopleModel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86_400
SHOP_SHARE = 0.12  # of orders are supplies of shops (assumed)
WEEKEND = 1.15  # orders on a day of the weekend against a weekday (assumed)
MOST_A_DAY = 1024  # orders of one customer on a day; more than half of it expected is a mistake
DAYS = 64  # that an order number can tell apart; a scenario has 31 at most
A_BLOCK = 10**5  # residents of a block that can be told apart where no people are in the run
SHOPS = 10**10  # numbers of shops begin here, behind all residents
#: litres of an order: log-normal; residents about 12 l (a shopping bag), shops about 60 l (a crate) (assumed)
SIZE_L = {"resident": (12.0, 0.6), "shop": (60.0, 0.4)}
PACK_MEAN_S = 420.0  # from order to packed in the park (assumed: instant retail picks in 5 to 10 min)
#: relative number of orders by hour of the day: lunch and evening peaks of instant delivery (assumed)
BY_HOUR = {
    "resident": (0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 6, 9, 8, 5, 4, 4, 5, 8, 10, 8, 6, 4, 1, 0),
    "shop": (0, 0, 0, 0, 0, 0, 2, 5, 8, 9, 7, 4, 3, 6, 7, 5, 4, 2, 1, 0, 0, 0, 0, 0),
}


@dataclass(frozen=True)
class Orders:
    """Orders of a time span, by the second they are placed: equal-length columns.

    ``order``: its number, made of customer, day and count; ``customer``: resident, or -1 - block of its shops
    (without people in the run: ``A_BLOCK`` · block + count within it); ``block``: row of ``city.blocks``; ``size``
    litres.
    """

    order: Ints
    customer: Ints
    block: Ints
    placed_s: Ints
    ready_s: Ints
    size: Ints
    locker: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.order)

    def rows(self, keep: npt.NDArray[np.bool_] | slice) -> Orders:
        """Return some of the rows."""
        return Orders(*(getattr(self, f)[keep] for f in self.__dataclass_fields__))


@dataclass(frozen=True)
class Stops:
    """Where parcels for the blocks of the area are handed over: equal-length columns over ``block``."""

    block: Ints
    road: Ints
    pos_m: Floats
    x_m: Floats
    y_m: Floats

    @classmethod
    def of(cls, city: City, block: Ints) -> Stops:
        """Return the kerb next to each block: the nearest point of its road to its middle."""
        line = city.roads.geometry.to_numpy()
        road = city.blocks["road"].to_numpy(np.int64)[block]
        middle = shapely.centroid(city.blocks.geometry.to_numpy()[block])
        along = shapely.line_locate_point(line[road], middle)
        at = shapely.line_interpolate_point(line[road], along)
        drawn_m = np.maximum(shapely.length(line[road]), 1e-6)
        pos = along / drawn_m * city.roads["length_m"].to_numpy(np.float64)[road]
        return cls(block, road, pos, shapely.get_x(at), shapely.get_y(at))

    def row(self, block: Ints) -> Ints:
        """Return the rows of blocks of the area."""
        return np.asarray(np.searchsorted(self.block, block), dtype=np.int64)


def blocks_around(city: City, places: tuple[str, ...], radius_m: float) -> Ints:
    """Return the blocks within ``radius_m`` of any of the places (all when there are none) that a car can come to."""
    middle = shapely.centroid(city.blocks.geometry.to_numpy())
    road = city.blocks["road"].to_numpy(np.int64)
    near = np.full(len(city.blocks), not places)
    for name in places:
        near |= shapely.distance(middle, city.place(name).geometry) <= radius_m
    return np.flatnonzero(near & (road >= 0) & city.roads["car"].to_numpy(bool)[road]).astype(np.int64)


class Demand:
    """The orders of an area. Without people in the run the blocks' own numbers of residents order."""

    def __init__(
        self, city: City, dice: Dice, people: PeopleModel | None, blocks: Ints, per_day: float, locker_share: float
    ) -> None:
        self._draw = {what: dice.stream(f"delivery.{what}") for what in ("number", "time", "size", "pack", "locker")}
        self._locker_share = locker_share
        inside = np.zeros(len(city.blocks), dtype=bool)
        inside[blocks] = True
        if people is not None:
            home = people.residents.home.astype(np.int64)
            who = np.flatnonzero((home >= 0) & inside[np.maximum(home, 0)]).astype(np.int64)
            where = home[who]
        else:
            count = np.where(inside, city.blocks["residents"].to_numpy(np.int64), 0)
            where = np.repeat(np.arange(count.size), count)
            who = where * A_BLOCK + np.arange(where.size) - np.repeat(np.cumsum(count) - count, count)
        shops = blocks[city.blocks["shops"].to_numpy(np.int64)[blocks] > 0]
        self._customers = {"resident": (who, where), "shop": (-1 - shops, shops)}
        share = {"resident": 1.0 - SHOP_SHARE if shops.size else 1.0, "shop": SHOP_SHARE if who.size else 1.0}
        self.mean = {
            kind: per_day * share[kind] / len(customers) if len(customers) else 0.0
            for kind, (customers, _) in self._customers.items()
        }
        for kind, mean in self.mean.items():
            if mean > MOST_A_DAY / 2:
                raise ScenarioError(
                    f"delivery.orders_per_day is {per_day:g}: that is {mean:,.0f} orders a day for each of"
                    f" {len(self._customers[kind][0])} {kind}s of the area; at most {MOST_A_DAY // 2} are possible"
                )

    def day(self, day: int, weekend: bool) -> Orders:
        """Return the orders of a day (0 = first of the run), in order of time, then number."""
        parts = [self._of(kind, day, WEEKEND if weekend else 1.0) for kind in self._customers]
        columns = [np.concatenate([getattr(p, f) for p in parts]) for f in Orders.__dataclass_fields__]
        orders = Orders(*columns)
        by_time = np.lexsort((orders.order, orders.placed_s))
        return Orders(*(getattr(orders, f)[by_time] for f in Orders.__dataclass_fields__))

    def _of(self, kind: str, day: int, factor: float) -> Orders:
        customer, block = self._customers[kind]
        count = self._count(self.mean[kind] * factor, customer, day)
        rows = np.repeat(np.arange(customer.size), count)
        first = np.repeat(np.cumsum(count) - count, count)
        nth = np.arange(rows.size) - first
        who, where = customer[rows], block[rows]
        occurrence = day * MOST_A_DAY + nth
        order = (np.where(who >= 0, who, SHOPS - who) * DAYS + day) * MOST_A_DAY + nth
        placed = day * DAY_S + _time_of_day(self._draw["time"].uniform(who, occurrence), BY_HOUR[kind])
        median, spread = SIZE_L[kind]
        size = np.clip(np.rint(median * np.exp(spread * self._draw["size"].normal(who, occurrence))), 1, 200)
        pack = np.rint(self._draw["pack"].exponential(PACK_MEAN_S, who, occurrence)).astype(np.int64)
        locker = self._draw["locker"].uniform(who, occurrence) < self._locker_share
        return Orders(
            order=order.astype(np.int64),
            customer=who,
            block=where,
            placed_s=placed,
            ready_s=placed + 60 + pack,
            size=size.astype(np.int64),
            locker=locker & (who >= 0),
        )

    def _count(self, mean: float, customer: Ints, day: int) -> Ints:
        """Return how many orders each customer places: the Poisson law, by inversion of one draw.

        More expected orders never mean fewer, and the first of them are the same.
        """
        if customer.size == 0 or mean <= 0:
            return np.zeros(customer.size, dtype=np.int64)
        k = np.arange(MOST_A_DAY)
        at_most = np.cumsum(np.exp(k * np.log(mean) - mean - gammaln(k + 1)))
        return np.asarray(np.searchsorted(at_most, self._draw["number"].uniform(customer, day), side="right"))


def _time_of_day(u: Floats, weights: tuple[float, ...]) -> Ints:
    """Return seconds of the day from draws in [0, 1): the hour by its weight, evenly within it."""
    weight = np.asarray(weights, dtype=np.float64)
    begin = np.concatenate([[0.0], np.cumsum(weight)])
    x = u * begin[-1]
    hour = np.minimum(np.searchsorted(begin, x, side="right") - 1, np.flatnonzero(weight)[-1])
    second = np.minimum((x - begin[hour]) / weight[hour] * 3600.0, 3599.0)
    return np.asarray(hour * 3600 + second.astype(np.int64), dtype=np.int64)
