"""How far and how long from anywhere to anywhere: one skim between zones, corrected for each pair of blocks.

A *location code* says where somebody is: ``>= 0`` is a row of ``city.blocks``; ``-(2 + k)`` is outside, behind
the k-th place of kind ``gate`` (in the order of ``city.places``); ``-1`` is nowhere (travelling). No route is
searched for one trip: the straight line between two blocks is divided by the speed, and multiplied by the
detour, that the street network gives between the anchor roads of their zones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.city import City
from twin.errors import ScenarioError
from twin.world.people.ports import AUTONOMOUS_BUS, BUS, CAR, EBIKE, PASSENGER, WALK
from twin.world.people.settings import PeopleSettings

Codes = npt.NDArray[Any]  # location codes, rows, zones
Floats = npt.NDArray[Any]

NOWHERE = -1
_FEWEST_ZONES = 24
_MOST_ZONES = 600
_CELLS = 14


def gate_code(gate: int | npt.NDArray[np.integer]) -> int | npt.NDArray[np.integer]:
    """Return the location code behind gate ``gate`` (0 = the first place of kind gate); works on arrays."""
    return -(2 + gate)


def gate_of(code: npt.ArrayLike) -> Codes:
    """Return the gate numbers of location codes; -1 for those inside the city."""
    c = np.asarray(code, dtype=np.int64)
    return np.where(c <= -2, -2 - c, -1)


def is_outside(code: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return True for location codes behind a gate."""
    return np.asarray(code) <= -2


@dataclass(frozen=True)
class Travel:
    """Positions, zones and the skim of a city; rows of ``x_m``/``y_m``/``zone`` are blocks, then gates.

    ``speed_m_s``: straight-line speed of a car on empty roads between zones, shape (zones, zones);
    ``detour``: street distance over straight line, same shape. ``roads_in`` / ``roads_out``: for each row, the
    road on which a car begins a trip from there / ends a trip to there (-1: none).
    """

    n_blocks: int
    n_gates: int
    x_m: Floats
    y_m: Floats
    zone: Codes
    n_zones: int
    roads_in: Codes
    roads_out: Codes
    gate_weight: Floats
    speed_m_s: Floats
    detour: Floats
    settings: PeopleSettings

    @classmethod
    def of(cls, city: City, settings: PeopleSettings) -> Travel:
        """Measure ``city``. Raises ScenarioError if it has no blocks that a person could live in."""
        if len(city.blocks) == 0:
            raise ScenarioError(f"city {city.name}: it has no building blocks, so nobody can live in it")
        blocks, n_blocks = city.blocks, len(city.blocks)
        gates = city.places[(city.places["kind"] == "gate").to_numpy()]
        gates_ok = (gates["road"].to_numpy() >= 0) & (gates["road_out"].to_numpy() >= 0)
        box = blocks.geometry.bounds.to_numpy(np.float64)
        x = np.concatenate([(box[:, 0] + box[:, 2]) / 2, gates.geometry.x.to_numpy(np.float64)])
        y = np.concatenate([(box[:, 1] + box[:, 3]) / 2, gates.geometry.y.to_numpy(np.float64)])
        road = blocks["road"].to_numpy(np.int64)
        size = blocks["residents"].to_numpy(np.float64) + blocks["jobs"].to_numpy(np.float64)
        zone = _zones(blocks["community"], x[:n_blocks], y[:n_blocks])
        anchor, zone = _anchors(zone, x[:n_blocks], y[:n_blocks], size, road)
        n_inner = len(anchor)
        at = np.concatenate([anchor, n_blocks + np.arange(len(gates))])
        start = np.concatenate([road[anchor], gates["road"].to_numpy(np.int64)])
        end = np.concatenate([road[anchor], gates["road_out"].to_numpy(np.int64)])
        speed, detour = _skim(city, start, end, x[at], y[at])
        weight = np.nan_to_num(gates["weight"].to_numpy(np.float64))
        return cls(
            n_blocks=n_blocks,
            n_gates=len(gates),
            x_m=x,
            y_m=y,
            zone=np.concatenate([zone, n_inner + np.arange(len(gates))]),
            n_zones=n_inner + len(gates),
            roads_in=np.concatenate([road, gates["road"].to_numpy(np.int64)]),
            roads_out=np.concatenate([road, gates["road_out"].to_numpy(np.int64)]),
            gate_weight=np.where(gates_ok, weight, 0.0),
            speed_m_s=speed,
            detour=detour,
            settings=settings,
        )

    # -- codes ---------------------------------------------------------------------------------------

    def rows(self, code: npt.ArrayLike) -> Codes:
        """Location codes → rows of this object's arrays."""
        c = np.asarray(code, dtype=np.int64)
        return np.where(c >= 0, c, self.n_blocks - 2 - c)

    def road_of(self, code: npt.ArrayLike, outgoing: bool) -> Codes:
        """Return the road index for cars at location codes; -1 where there is none.

        ``outgoing`` True: the trip ends there (behind a gate: the road that leads out); False: it begins there.
        """
        return (self.roads_out if outgoing else self.roads_in)[self.rows(code)]

    # -- distance and time ---------------------------------------------------------------------------

    def straight_m(self, origin: npt.ArrayLike, destination: npt.ArrayLike) -> Floats:
        """Straight-line distance in metres; 60 m at least (within one block)."""
        o, d = self.rows(origin), self.rows(destination)
        return np.asarray(np.maximum(np.hypot(self.x_m[o] - self.x_m[d], self.y_m[o] - self.y_m[d]), 60.0))

    def distance_m(self, origin: npt.ArrayLike, destination: npt.ArrayLike) -> Floats:
        """Distance along streets in metres."""
        o, d = self.rows(origin), self.rows(destination)
        return self.straight_m(origin, destination) * self.detour[self.zone[o], self.zone[d]]

    def car_s(self, origin: npt.ArrayLike, destination: npt.ArrayLike) -> Floats:
        """Driving time in seconds on roads without queues (signals and junctions included, parking not)."""
        o, d = self.rows(origin), self.rows(destination)
        speed = self.speed_m_s[self.zone[o], self.zone[d]]
        return self.straight_m(origin, destination) / speed * self.settings.car_signals

    def peak(self, t_s: npt.ArrayLike) -> Floats:
        """Return the factor by which people expect driving to be slower at second ``t_s`` (any day)."""
        t = np.asarray(t_s) % 86_400
        rush = ((t >= 24_300) & (t < 31_500)) | ((t >= 60_300) & (t < 66_600))
        return np.where(rush, self.settings.car_peak, 1.0)

    def expected_s(
        self, origin: npt.ArrayLike, destination: npt.ArrayLike, mode: npt.ArrayLike, at_s: npt.ArrayLike
    ) -> Floats:
        """Return the travel time people reckon with, in seconds, for trips by ``mode`` at second ``at_s``.

        Buses: the ride at mean speed; a wait and the ways to the stops come from :class:`Transit`.
        """
        m = np.asarray(mode)
        way = self.distance_m(origin, destination)
        s = self.settings
        car = self.car_s(origin, destination) * self.peak(at_s)
        out = np.where(m == WALK, way / s.walk_m_s, car)
        out = np.where(m == EBIKE, way / s.ebike_m_s, out)
        out = np.where((m == BUS) | (m == AUTONOMOUS_BUS), way / s.bus_m_s, out)
        return np.where((m == CAR) | (m == PASSENGER), car, out)

    def zone_minutes(self) -> Floats:
        """Typical driving minutes between zones, shape (zones, zones), for the choice of destinations."""
        weight = np.bincount(self.zone, minlength=self.n_zones).astype(np.float64)
        cx = np.bincount(self.zone, self.x_m, self.n_zones) / weight
        cy = np.bincount(self.zone, self.y_m, self.n_zones) / weight
        spread = np.hypot(self.x_m - cx[self.zone], self.y_m - cy[self.zone])
        radius = np.maximum(np.bincount(self.zone, spread, self.n_zones) / weight, 150.0)
        straight = np.hypot(cx[:, None] - cx[None, :], cy[:, None] - cy[None, :])
        # two random points of neighbouring zones are not nearer than their size
        straight = np.maximum(straight, 0.5 * (radius[:, None] + radius[None, :]))
        return straight / self.speed_m_s / 60.0


def _zones(community: pd.Series, x: Floats, y: Floats) -> Codes:
    """Communities as zones; where a city has very few or very many, square cells instead."""
    codes, names = pd.factorize(community, sort=True)
    if _FEWEST_ZONES <= len(names) <= _MOST_ZONES or len(x) < _FEWEST_ZONES:
        return np.asarray(codes, dtype=np.int64)
    side = max(float(np.ptp(x)), float(np.ptp(y)), 1.0) / _CELLS
    cell = np.floor((x - x.min()) / side) * (_CELLS + 1) + np.floor((y - y.min()) / side)
    return np.asarray(pd.factorize(cell, sort=True)[0], dtype=np.int64)


def _anchors(zone: Codes, x: Floats, y: Floats, size: Floats, road: Codes) -> tuple[Codes, Codes]:
    """Return each zone's anchor block (nearest to its centre of gravity among those with a road), and zones."""
    zone = np.where(zone < 0, zone.max() + 1, zone)
    zone = np.unique(zone, return_inverse=True)[1].astype(np.int64)
    n = int(zone.max()) + 1
    w = size + 1e-3
    total = np.bincount(zone, w, n)
    cx, cy = np.bincount(zone, w * x, n) / total, np.bincount(zone, w * y, n) / total
    off = np.hypot(x - cx[zone], y - cy[zone]) + np.where(road < 0, 1e9, 0.0)
    order = np.lexsort((np.arange(len(zone)), off, zone))
    first = np.searchsorted(zone[order], np.arange(n))
    return order[first].astype(np.int64), zone


def _skim(city: City, start: Codes, end: Codes, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Straight-line speed and detour between anchors; where there is no way by car, typical values."""
    straight = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    n = len(x)
    speed, detour = np.full((n, n), np.nan), np.full((n, n), np.nan)
    a, b = np.flatnonzero(start >= 0), np.flatnonzero(end >= 0)
    if a.size and b.size:
        net = city.network
        seconds = net.times(start[a], end[b]).astype(np.float64)
        metres = net.times(start[a], end[b], net.length_m).astype(np.float64)
        far = straight[np.ix_(a, b)] > 400.0
        with np.errstate(divide="ignore", invalid="ignore"):
            v = np.where(far & np.isfinite(seconds), straight[np.ix_(a, b)] / seconds, np.nan)
            k = np.where(far & np.isfinite(metres), metres / straight[np.ix_(a, b)], np.nan)
        speed[np.ix_(a, b)], detour[np.ix_(a, b)] = v, k
    speed, detour = np.clip(speed, 2.5, 22.0), np.clip(detour, 1.05, 2.5)
    # inside a zone and next door: the typical value of the eight nearest zones
    near = np.argsort(straight, axis=1, kind="stable")[:, 1:9]
    index = np.arange(n)[:, None]
    local_v, local_k = _median(speed[index, near], 7.0), _median(detour[index, near], 1.35)
    local_v = np.minimum(local_v, 7.0)
    speed = np.where(np.isnan(speed), np.minimum(local_v[:, None], local_v[None, :]), speed)
    detour = np.where(np.isnan(detour), (local_k[:, None] + local_k[None, :]) / 2, detour)
    # who walks or rides is not bound to one-way streets and turns
    return speed, np.minimum(detour, detour.T)


def _median(values: Floats, otherwise: float) -> Floats:
    """Row medians without nan; ``otherwise`` where a row has no number."""
    known = np.isfinite(values)
    filled = np.sort(np.where(known, values, np.inf), axis=1) if values.shape[1] else np.empty((len(values), 1))
    count = known.sum(axis=1)
    if values.shape[1] == 0:
        return np.full(len(values), otherwise)
    middle = filled[np.arange(len(values)), np.maximum(count - 1, 0) // 2]
    return np.where(count > 0, middle, otherwise)
