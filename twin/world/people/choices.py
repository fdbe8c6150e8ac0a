"""Mode choice: a multinomial logit over walk, e-bike, car, bus and being a passenger, for whole tours.

What leaves home by car comes home by car, so the choice is made once a tour, on the way to its main place. One
number per person and tour decides through the cumulated probabilities, so the same person under another
weather or price changes mode only as far as the probabilities move. On most days it is the person's usual
number (habit), on the others the day's own.

A household's cars go first to tours of those who go furthest to work; somebody else takes a car that is at
home for the whole of their tour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.people.ports import BUS, CAR, EBIKE, PASSENGER, WALK
from twin.world.people.settings import PeopleSettings
from twin.world.people.transit import Transit
from twin.world.people.travel import Travel, is_outside

Ints = npt.NDArray[Any]  # whole numbers
Floats = npt.NDArray[Any]
Bools = npt.NDArray[Any]

#: modes in the order of the columns of :func:`utilities`
COLUMNS = np.array([WALK, EBIKE, BUS, PASSENGER, CAR])
_NEVER = -50.0


def utilities(
    travel: Travel,
    transit: Transit,
    settings: PeopleSettings,
    home: Ints,
    place: Ints,
    at_s: Ints,
    may_ebike: Bools,
    may_car: Bools,
    may_bus: Bools,
    rain_mm_h: float = 0.0,
    longest_m: Floats | None = None,
) -> Floats:
    """Return the utilities of the modes for tours home → place → home, shape (tours, 5).

    Columns: walk, e-bike, bus, passenger, car; -50 where a mode cannot be used. ``longest_m``: the longest leg of
    the tour along streets, where it has stops on the way.
    """
    t, wet = settings.taste, min(rain_mm_h, 10.0) / 10.0
    way = travel.distance_m(home, place)
    if longest_m is not None:
        way = np.maximum(way, longest_m)
    outside = is_outside(home) | is_outside(place)
    car_min = travel.car_s(home, place) * travel.peak(at_s) / 60.0
    # whoever leaves the city has the same way again behind the gate, whatever the mode
    walk = t.walk_per_min * way / settings.walk_m_s / 60.0 + t.rain_walk * wet
    walk = np.where((way > t.walk_most_m) | outside, _NEVER, walk)
    riding_min = (way / settings.ebike_m_s + settings.parking_s) / 60.0
    ebike = t.ebike_constant + t.ebike_per_min * riding_min + t.rain_ebike * wet
    ebike = np.where(may_ebike & (way <= t.ebike_most_m), ebike - 1.0 * outside, _NEVER)
    bus = np.full(len(way), _NEVER)
    rows = np.flatnonzero(may_bus & (way > 700.0))
    if rows.size:
        out, back = transit.best(home[rows], place[rows]), transit.best(place[rows], home[rows])
        served = (out.line >= 0) & (back.line >= 0)
        rows, out = rows[served], out.take(served)
        access_min = ((out.access_m + out.egress_m) / settings.walk_m_s + out.wait_s) / 60.0
        bus[rows] = (
            t.bus_constant
            + t.bus_ride_per_min * out.ride_s / 60.0
            + t.bus_access_per_min * access_min
            + t.rain_bus * wet
        )
    passenger = t.passenger_constant + t.passenger_per_min * car_min
    car = t.car_constant + t.car_per_min * (car_min + settings.parking_s / 60.0) + t.car_per_km * way / 1000.0
    car = np.where(may_car, car, _NEVER)
    return np.stack([walk, ebike, bus, passenger, car], axis=1)


def choose(utility: Floats, u: Floats) -> Ints:
    """Return one mode (code of ``ports.MODES``) per row by numbers in [0, 1).

    Where nothing can be used (far away, no vehicle, no line) somebody is given a lift: passenger.
    """
    weight = np.exp(np.maximum(utility, _NEVER))
    weight[utility <= _NEVER] = 0.0
    cumulative = np.cumsum(weight, axis=1)
    index = (cumulative <= (u * cumulative[:, -1])[:, None]).sum(axis=1)
    return np.asarray(COLUMNS[np.minimum(index, 4)], dtype=np.int64)


def share_cars(household: Ints, cars: Ints, rank: Ints, first: Bools, begin_s: Floats, end_s: Floats) -> Bools:
    """Decide which of the tours that want a car get one: columns over those tours.

    ``cars``: of the household; ``rank``: the driver's place in its order; ``first``: the main tour of the day;
    ``begin_s``/``end_s``: away from home. A driver who gets a car keeps it for all tours of the day; others
    drive when their tour does not overlap any tour of those who do (with half an hour between).
    """
    n = len(household)
    if n == 0:
        return np.empty(0, dtype=bool)
    # one line per driver: the most important tour speaks for the person
    order = np.lexsort((begin_s, rank, ~first, household))
    person = household[order] * 8 + rank[order]
    _, lead = np.unique(person, return_index=True)
    lead = np.sort(lead)
    h = household[order][lead]
    place = np.arange(len(lead)) - np.searchsorted(h, h, side="left")
    holds = place < cars[order][lead]
    holder = np.isin(household * 8 + rank, person[lead][holds])
    # a car that stands at home meanwhile: before the holders' first tour or after their last one
    _, group = np.unique(household, return_inverse=True)
    groups = int(group.max()) + 1
    early, late = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(early, group[holder], begin_s[holder])
    np.maximum.at(late, group[holder], end_s[holder])
    free = ~holder & ((end_s + 1800.0 < early[group]) | (begin_s > late[group] + 1800.0))
    # only one of those: the earliest
    rows = np.flatnonzero(free)
    rows = rows[np.lexsort((rank[rows], begin_s[rows], group[rows]))]
    g = group[rows]
    winner = rows[np.arange(len(rows)) == np.searchsorted(g, g, side="left")]
    holder[winner] = True
    return holder
