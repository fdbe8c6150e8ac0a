"""How dirty the desk believes the roads to be: growth since they were last seen or swept.

A filter per road and kind of dirt: between two looks dirt grows at a rate; a look corrects the amount and, when
some time has passed since the last sweep, the rate. All gains are assumed; errors are corrected by later looks.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from twin.domain.sanitation import DUST_G_L, LITTER_G_L, CleaningArea, DirtReports, cleanliness, hopper_l

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86_400.0
LITTER_SHARE = 0.8  # of the litres expected; the rest is dust
DAYS_AT_START = 1.0  # nobody has told yet when roads were swept last
LEFT_LITTER, LEFT_DUST = 0.1, 0.4  # share that a sweep leaves
GAIN = {"camera": 0.6, "cleaner": 0.6, "citizen": 0.3}  # weight of a look against what was expected
RATE_GAIN, RATE_AFTER_S = 0.2, 3_600.0
WASH_PER_MM = 0.18  # Sartor and Boyd, EPA-R2-72-081, 1972: 4.6 per inch of rain


class ExpectedDirt:
    """Expected litter and dust (g/m) of the roads to keep clean; rows are those of ``road`` (ascending)."""

    def __init__(self) -> None:
        self.road: Ints = np.empty(0, dtype=np.int64)
        self.lanes: Ints = np.empty(0, dtype=np.int64)
        self.litter_g_m: Floats = np.empty(0)
        self.dust_g_m: Floats = np.empty(0)
        self.swept_s: Ints = np.empty(0, dtype=np.int64)
        self.rain_mm_h = 0.0
        self._litter_rate: Floats = np.empty(0)  # g/m in a second
        self._dust_rate: Floats = np.empty(0)
        self._now_s = 0

    def add(self, area: CleaningArea, now_s: int) -> None:
        """Take in the roads of an area; a road of two areas counts once."""
        new = ~np.isin(area.road, self.road)
        litres = area.litter_l_m[new]
        litter = litres * LITTER_SHARE * LITTER_G_L / DAY_S
        dust = litres * (1.0 - LITTER_SHARE) * DUST_G_L / DAY_S
        self.at(now_s)
        order = np.argsort(np.concatenate([self.road, area.road[new]]), kind="stable")

        def merged(old: npt.NDArray[np.generic], more: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
            return np.concatenate([old, more])[order]

        self.lanes = merged(self.lanes, area.lanes[new]).astype(np.int64)
        self.swept_s = merged(self.swept_s, np.full(litres.size, -1)).astype(np.int64)
        self.litter_g_m = merged(self.litter_g_m, litter * DAYS_AT_START * DAY_S).astype(np.float64)
        self.dust_g_m = merged(self.dust_g_m, dust * DAYS_AT_START * DAY_S).astype(np.float64)
        self._litter_rate = merged(self._litter_rate, litter).astype(np.float64)
        self._dust_rate = merged(self._dust_rate, dust).astype(np.float64)
        self.road = merged(self.road, area.road[new]).astype(np.int64)

    def at(self, now_s: int) -> None:
        """Let dirt grow, and rain wash, until ``now_s``."""
        past_s = max(now_s - self._now_s, 0)
        self._now_s = max(now_s, self._now_s)
        if past_s and self.road.size:
            self.litter_g_m = self.litter_g_m + self._litter_rate * past_s
            dry = 0.0 if self.rain_mm_h > 0 else 1.0
            wash = math.exp(-WASH_PER_MM * self.rain_mm_h * past_s / 3600.0)
            self.dust_g_m = self.dust_g_m * wash + self._dust_rate * past_s * dry

    def swept(self, roads: Ints, now_s: int) -> None:
        """Take note that roads were swept."""
        self.at(now_s)
        rows = self._rows(roads)
        self.litter_g_m[rows] *= LEFT_LITTER
        self.dust_g_m[rows] *= LEFT_DUST
        self.swept_s[rows] = now_s

    def seen(self, told: DirtReports, now_s: int) -> None:
        """Correct what is expected by what somebody saw; roads of nobody's area are left out."""
        self.at(now_s)
        known = np.isin(told.road, self.road)
        rows = self._rows(told.road[known])
        gain = GAIN.get(told.source, 0.3)
        since = np.where(self.swept_s[rows] >= 0, now_s - self.swept_s[rows], 0).astype(np.float64)
        learn = since >= RATE_AFTER_S
        for amount, rate, look in (
            (self.litter_g_m, self._litter_rate, told.litter_g_m[known]),
            (self.dust_g_m, self._dust_rate, told.dust_g_m[known]),
        ):
            error = look - amount[rows]
            error[~np.isfinite(error)] = 0.0  # a camera that could not tell
            amount[rows] = np.maximum(amount[rows] + gain * error, 0.0)
            better = rate[rows] + RATE_GAIN * error / np.maximum(since, RATE_AFTER_S)
            rate[rows] = np.where(learn, np.maximum(better, 0.0), rate[rows])

    def _rows(self, roads: Ints) -> Ints:
        rows = np.searchsorted(self.road, roads)
        return np.asarray(rows[(rows < self.road.size)], dtype=np.int64)

    def cleanliness(self) -> Floats:
        """Return the expected cleanliness of each road, 0..1."""
        return cleanliness(self.litter_g_m, self.dust_g_m, self.lanes)

    def fill_l_m(self) -> Floats:
        """Return the litres of hopper that a metre of each road is expected to fill when it is swept."""
        return hopper_l(self.litter_g_m * (1.0 - LEFT_LITTER), self.dust_g_m * (1.0 - LEFT_DUST))
