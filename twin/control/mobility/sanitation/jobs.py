"""What a unit does next: pure arithmetic over its state, its round and the streets.

The desk asks :func:`next_job` each time a unit stands and waits. The answer keeps four bounds, as far as they
can be foreseen: the hopper never takes more than it holds and water lasts (else a visit comes first, put where it
costs least: :func:`.tours.trips`); the battery reaches a charger above its reserve; sweeping ends with its
hours; and the unit is home before its permit ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from twin.control.mobility.sanitation.ports import Floats, Ints
from twin.control.mobility.sanitation.stops import Stop, Stops
from twin.control.mobility.sanitation.sweepers import Sweeper
from twin.control.mobility.sanitation.tours import trips
from twin.control.mobility.sanitation.ways import Ways
from twin.control.mobility.streets import Streets

SPARE = 0.9  # of hopper and water that is planned with: what lies on a road is only expected
WORTH_TIPPING = 0.1  # share of the hopper that is not brought home
WORTH_FILLING = 0.7  # share of the water below which a visit fills it up
CHAIN_S = 1_200.0  # longest sweeping without looking again at what is best
HOME_SPARE_S = 300.0  # to be home before the permit ends: traffic may be slower than told
BATTERY_SPARE = 0.05  # above the reserve
CHARGE_TO = 0.9  # in working hours
CHARGE_FULL = 1.0
FAR_S = 1e6  # stands for: there is no way


@dataclass(frozen=True)
class Job:
    """What to do: sweep ``roads``, or go to ``stop`` (tip, water, charge), home, or rest."""

    what: str
    roads: tuple[int, ...] = ()
    stop: Stop | None = None
    charge: float = 0.0


@dataclass(frozen=True)
class Bounds:
    """What holds for a unit now: speed of sweeping, when sweeping ends, when it must be home."""

    now_s: int
    sweep_m_s: float
    sweep_ends_s: float
    home_by_s: float


@dataclass(frozen=True)
class Site:
    """The streets of a unit's permits, the places, and who uses them."""

    ways: Ways
    streets: Streets
    stops: Stops
    users: dict[tuple[str, str], int]


def next_job(u: Sweeper, fill_l: Floats, bounds: Bounds, site: Site) -> Job:
    """Return the next job of a unit that stands and waits; ``fill_l``: litres expected from each road of its round."""
    if u.errands and (job := _errand(u, bounds, site)) is not None:
        return job
    roads = np.asarray(u.round, dtype=np.int64)
    if roads.size == 0 or bounds.now_s >= bounds.sweep_ends_s:
        return _end_of_work(u, bounds, site)
    full = False
    if _visit_first(u, roads, fill_l, bounds, site):
        job = _errand(u, bounds, site)
        if job is not None:
            return job
        full = u.hopper_l > 0.5 * u.capacity_l  # too late to tip: nothing more would go in
    chain = roads[:0] if full else _chain(u, roads, fill_l, bounds, site)
    if chain.size:
        return Job("sweep", tuple(chain.tolist()))
    if not full and _short_of_charge(u, roads[:1], bounds, site):
        charger, _ = site.stops.best("charger", site.streets, u.road, int(roads[0]), bounds.now_s, site.users)
        if charger is not None and u.charge < CHARGE_TO - 0.05:
            return Job("charge", stop=charger, charge=CHARGE_TO)
    return _end_of_work(u, bounds, site)


def _between(site: Site, a: int, b: int) -> float:
    return float(site.ways.transit_s(site.streets, [a], [b])[0, 0])


def _metres(site: Site, a: int, b: int) -> float:
    return float(site.streets.distances(np.asarray([a]), np.asarray([b]))[0, 0])


def _errand(u: Sweeper, bounds: Bounds, site: Site) -> Job | None:
    """Return the way to the next errand that is still worth it and possible in time, None if none is."""
    to = u.round[0] if u.round else u.home_road
    while u.errands:
        what = u.errands[0]
        needed = u.hopper_l > 0.02 * u.capacity_l if what == "tip" else u.water_l < WORTH_FILLING * u.water_full_l
        stop, time_s = site.stops.best(what, site.streets, u.road, to, bounds.now_s, site.users)
        if needed and stop is not None and bounds.now_s + time_s + _home_s(site, to, u) <= bounds.home_by_s:
            return Job(what, stop=stop)
        u.errands.pop(0)
    return None


def _home_s(site: Site, road: int, u: Sweeper) -> float:
    """Return the time (s) home; 0 where there is no way: then nothing is gained by leaving early."""
    time_s = site.streets.hop(road, u.home_road)
    return time_s if np.isfinite(time_s) else 0.0


def _end_of_work(u: Sweeper, bounds: Bounds, site: Site) -> Job:
    """Return the way home, by a tip if there is much in the hopper; at home: charge, or rest."""
    if u.hopper_l >= WORTH_TIPPING * u.capacity_l:
        u.errands = ["tip"]
        rest, u.round = u.round, []
        job = _errand(u, bounds, site)
        u.round = rest
        if job is not None:
            return job
    if not u.at_home:
        return Job("home")
    home = [s for s in site.stops.of("charger", bounds.now_s) if s.road == u.road]
    return Job("charge", stop=home[0], charge=CHARGE_FULL) if home and u.charge < 0.95 else Job("rest")


def _visit_first(u: Sweeper, roads: Ints, fill_l: Floats, bounds: Bounds, site: Site) -> bool:
    """Decide whether to tip and fill before the next road; sets the errands."""
    tips, waters = site.stops.of("tip", bounds.now_s), site.stops.of("water", bounds.now_s)
    water_l = site.streets.length_m[roads] * u.water_l_m
    left = np.asarray([SPARE * u.capacity_l - u.hopper_l if tips else np.inf, u.water_l if waters else np.inf])
    full = np.asarray([SPARE * u.capacity_l if tips else np.inf, u.water_full_l if waters else np.inf])
    between = np.asarray([_between(site, a, b) for a, b in pairwise(roads.tolist())])
    after = np.asarray([_visit_s(u, a, b, bounds, site) for a, b in pairwise(roads.tolist())])
    first = int(roads[0])
    cuts = trips(
        np.column_stack([fill_l, water_l]),
        np.maximum(left, 0.0),
        full,
        np.minimum(between, FAR_S),
        np.minimum(after, FAR_S),
        min(_visit_s(u, u.road, first, bounds, site), FAR_S),
        min(_between(site, u.road, first), FAR_S),
    )
    if not cuts or cuts[0] != 0:
        return False
    u.errands = ["tip", "water"]
    return True


def _visit_s(u: Sweeper, a: int, b: int, bounds: Bounds, site: Site) -> float:
    """Return the time (s) from road a to road b with a visit to a tip and a water point, service included."""
    time_s, at = 0.0, int(a)
    tip, there_s = site.stops.best("tip", site.streets, at, int(b), bounds.now_s, {})
    if tip is not None:
        time_s, at = there_s - _way_s(site, tip.road, int(b)) + u.tip_s, tip.road
    water, more_s = site.stops.best("water", site.streets, at, int(b), bounds.now_s, {})
    if water is not None:
        return time_s + more_s + (u.water_full_l / u.fill_l_s if np.isfinite(u.water_full_l) else 0.0)
    return time_s + _way_s(site, at, int(b))


def _way_s(site: Site, a: int, b: int) -> float:
    return site.streets.hop(a, b)


def _chain(u: Sweeper, roads: Ints, fill_l: Floats, bounds: Bounds, site: Site) -> Ints:
    """Return the longest beginning of the round that can be swept on one leg within all bounds; may be empty."""
    first = int(roads[0])
    reach_s = _between(site, u.road, first)
    if not np.isfinite(reach_s):
        return roads[:0]
    most = 1
    while most < roads.size and site.ways.follows(int(roads[most - 1]), int(roads[most])):
        most += 1
    chain = roads[:most]
    metres = np.cumsum(site.streets.length_m[chain])
    sweep_s = metres / bounds.sweep_m_s
    done_s = bounds.now_s + reach_s + sweep_s
    home_s = np.asarray([_home_s(site, road, u) for road in chain.tolist()])
    room_l = u.capacity_l * SPARE - u.hopper_l
    water = metres * u.water_l_m <= u.water_l + 1e-6
    ok = (done_s <= bounds.sweep_ends_s) & (done_s + home_s + HOME_SPARE_S <= bounds.home_by_s)
    ok &= _charge_after(u, chain, metres, reach_s, bounds, site) >= 0
    # a single road that fills more than a tank is swept as far as the tank lasts
    fits = (np.cumsum(fill_l[:most]) <= room_l + 1e-6) & water
    fits[0] |= _nearly_fresh(u)
    ok &= fits & ((sweep_s <= CHAIN_S) | (np.arange(most) == 0))
    count = int(np.flatnonzero(np.append(~ok, True))[0])
    return chain[:count]


def _nearly_fresh(u: Sweeper) -> bool:
    """Return whether tipping and filling would not help any more (or there is nowhere to)."""
    return not u.errands


def _charge_after(u: Sweeper, chain: Ints, metres: Floats, reach_s: float, bounds: Bounds, site: Site) -> Floats:
    """Return the Wh above the reserve (and some to spare) that are left at the nearest charger after each road."""
    stops = site.stops.of("charger", bounds.now_s)
    goals = np.asarray([s.road for s in stops] or [u.home_road], dtype=np.int64)
    back_m = site.streets.distances(chain, goals).min(axis=1)
    reach_m = _metres(site, u.road, int(chain[0]))
    back_m, reach_m = np.where(np.isfinite(back_m), back_m, 0.0), reach_m if np.isfinite(reach_m) else 0.0
    time_s = reach_s + metres / bounds.sweep_m_s + back_m / max(u.speed_m_s, 0.1)
    use = (reach_m + metres + back_m) * u.use_wh_m + time_s * u.idle_w / 3600.0
    return np.asarray((u.charge - u.reserve - BATTERY_SPARE) * u.battery_wh - use, dtype=np.float64)


def _short_of_charge(u: Sweeper, first: Ints, bounds: Bounds, site: Site) -> bool:
    metres = np.cumsum(site.streets.length_m[first])
    reach_s = _between(site, u.road, int(first[0]))
    reach_s = reach_s if np.isfinite(reach_s) else 0.0
    return bool(_charge_after(u, first, metres, reach_s, bounds, site)[0] < 0)
