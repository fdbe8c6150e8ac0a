"""A prospective space-time scan over what can go wrong: where more things have gone wrong lately than usual.

Kulldorff's scan statistic (1997, *Commun. Statist.* 26; prospective: 2001, *J. R. Statist. Soc.* A 164), Poisson model:
over zones Z and windows that end now, the largest log-likelihood ratio

    LLR = c ln(c / μ) − (c − μ)   where c > μ, else 0

of c things found in Z and μ expected there: things a day (Gamma-Poisson, learnt) × share of all things that lie in Z ×
share of the day in the window (learnt by the hour). Zones are those that hold what was just found: its stretch of the
city's register (a collection round, a drain: a network zone as in Tango & Takahashi 2005) and circles around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from twin.domain.messages import Floats, Ints

RADII_M = (300.0, 700.0)
WINDOWS_S = (3600, 4 * 3600, 12 * 3600)
KEPT_S = WINDOWS_S[-1]
PRIOR_DAYS = 3.0
PRIOR_A_DAY = 5.0  # things found a day and theme, before anything was learnt (assumed)
HOUR_S, DAY_S = 3600, 86_400


def log_likelihood_ratio(count: float, expected: float) -> float:
    """Return the Poisson log-likelihood ratio of a zone with more than expected; 0 where it has not more."""
    if expected <= 0 or count <= expected:
        return 0.0
    return count * math.log(count / expected) - (count - expected)


@dataclass
class Spot:
    """A thing that something is said to be wrong with: since when, and by whom (ref → weight, 1: certain)."""

    t_s: int
    refs: dict[str, float] = field(default_factory=dict)

    @property
    def weight(self) -> float:
        """How likely something is wrong, by the best of those who say so."""
        return max(self.refs.values(), default=0.0)


@dataclass(frozen=True)
class Cluster:
    """The zone with the largest ratio around a thing: its things, found ones, and how many were expected."""

    ratio: float
    assets: Ints
    found: int
    expected: float
    window_s: int


class ThemeScan:
    """Things of one theme, and what was lately said of them."""

    def __init__(self, x_m: Floats, y_m: Floats, stretch: Ints, from_s: int) -> None:
        self.x_m, self.y_m, self.stretch, self._from_s = x_m, y_m, stretch, from_s
        self._order = np.argsort(x_m, kind="stable")
        self._sorted = x_m[self._order]
        self._of: dict[int, Ints] = {
            int(s): np.flatnonzero(stretch == s) for s in np.unique(stretch[stretch >= 0]).tolist()
        }
        self._zones: dict[int, list[Ints]] = {}
        self.spots: dict[int, Spot] = {}
        self._where: dict[str, int] = {}
        self._found = 0.0
        self._hours = np.full(24, 1.0)

    def within(self, x_m: float, y_m: float, radius_m: float) -> Ints:
        """Return the things within a radius, the nearest first."""
        a, b = np.searchsorted(self._sorted, [x_m - radius_m, x_m + radius_m])
        rows = self._order[a:b]
        away = np.hypot(self.x_m[rows] - x_m, self.y_m[rows] - y_m)
        order = np.lexsort((rows, away))
        return np.asarray(rows[order][away[order] <= radius_m], dtype=np.int64)

    def of_stretch(self, stretch: int) -> Ints:
        """Return the things of a stretch."""
        return self._of.get(stretch, np.empty(0, dtype=np.int64))

    # -- what was found ----------------------------------------------------------------------------------------

    def add(self, asset: int, ref: str, weight: float, t_s: int) -> bool:
        """Take note that something is said to be wrong with a thing; True: nobody said so lately."""
        spot = self.spots.get(asset)
        new = spot is None or t_s - spot.t_s > KEPT_S
        if spot is None or new:
            spot = self.spots[asset] = Spot(t_s)
            self._found += weight
            self._hours[t_s % DAY_S // HOUR_S] += weight
        spot.refs[ref] = weight
        self._where[ref] = asset
        return new

    def drop(self, ref: str) -> None:
        """Forget what turned out to be false."""
        asset = self._where.pop(ref, None)
        spot = self.spots.get(asset) if asset is not None else None
        if spot is not None and asset is not None:
            spot.refs.pop(ref, None)
            if not spot.refs:
                del self.spots[asset]

    def forget(self, now_s: int) -> None:
        """Let go of what is long past."""
        for asset in [a for a, s in self.spots.items() if now_s - s.t_s > KEPT_S]:
            for ref in self.spots.pop(asset).refs:
                self._where.pop(ref, None)

    # -- how unusual that is -------------------------------------------------------------------------------------

    def a_day(self, now_s: int) -> float:
        """Return how many things are found a day (Gamma-Poisson)."""
        days = max(0.0, (now_s - self._from_s) / DAY_S)
        return (PRIOR_A_DAY * PRIOR_DAYS + self._found) / (PRIOR_DAYS + days)

    def share(self, now_s: int, window_s: int) -> float:
        """Return which share of a day's finds falls into a window that ends now, by the hours they came at so far."""
        hours = self._hours / self._hours.sum()
        total, t_s = 0.0, now_s
        while t_s > now_s - window_s:
            start = max((t_s - 1) // HOUR_S * HOUR_S, now_s - window_s)
            total += float(hours[start % DAY_S // HOUR_S]) * (t_s - start) / HOUR_S
            t_s = start
        return total

    def zones(self, asset: int) -> list[Ints]:
        """Return the zones that hold a thing: its stretch, and circles around it."""
        found = self._zones.get(asset)
        if found is None:
            x, y = float(self.x_m[asset]), float(self.y_m[asset])
            found = [self.within(x, y, r) for r in RADII_M]
            stretch = int(self.stretch[asset])
            if stretch >= 0:
                found.insert(0, self._of[stretch])
            self._zones[asset] = found
        return found

    def cluster(self, asset: int, now_s: int) -> Cluster:
        """Return the most unusual zone and window around a thing; the first of several that are equally so."""
        rate = self.a_day(now_s) / max(1, self.x_m.size)
        shares = [self.share(now_s, w) for w in WINDOWS_S]
        best = Cluster(0.0, np.empty(0, dtype=np.int64), 0, 0.0, WINDOWS_S[0])
        for zone in self.zones(asset):
            here = [s for a in zone.tolist() if (s := self.spots.get(a)) is not None]
            for window_s, share in zip(WINDOWS_S, shares, strict=True):
                inside = [s.weight for s in here if now_s - s.t_s <= window_s]
                expected = rate * zone.size * share
                ratio = log_likelihood_ratio(sum(inside), expected)
                if ratio > best.ratio + 1e-9:
                    best = Cluster(ratio, zone, len(inside), expected, window_s)
        return best
