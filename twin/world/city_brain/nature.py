"""What nature does: rain fills waters and ponds streets, sites and fires dust the air, people gather (F7).

These hazards are not drawn: they begin when a quantity passes a limit and end when it falls again. Streets under
water are slow, and closed to all but walking pace where it is deep (Pregnolato et al. 2017, *Transportation Research
D* 55: v = 0.0009 w² − 0.5529 w + 86.9 km/h for w mm of water). How quickly waters and dips fill is assumed: the
schematic city has no heights and no sewers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.domain.city_brain import THEMES
from twin.world.city_brain.births import RANK, Births
from twin.world.city_brain.hazards import ACTIVE, CONTAINED, ENDED, Hazards
from twin.world.city_brain.kinds import KINDS
from twin.world.city_brain.sites import Places
from twin.world.ports import RunContext

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DRAIN_MM_H = 36.0  # median of what drains take: a storm of once in 2 to 3 years (GB 50014)
DRAIN_SIGMA = 0.35  # assumed
DRAIN_ALIKE, DRAIN_CELL_M = 0.6, 1500.0  # correlation of the dips of one drain, whose area is so wide (assumed)
RUNS_OFF = 0.7  # of the rain; the rest seeps away (GB 50014: 0.45 to 0.7 in built-up areas)
CATCHES = 9.0  # a dip collects the rain of nine times its own area (assumed)
PUMPED_M_H = 0.12  # how fast a dip empties when rain is less than drains take (assumed)
PUMPS_M_H = 0.6  # with a crew that pumps (assumed)
POND_M, POND_OVER_M = 0.15, 0.05
DEEPEST_M = 1.2
RISE_M_MM = 0.006  # metres a water rises for a millimetre of rain, median, sigma 0.4 (assumed)
FALLS_H = 14.0  # time in which it falls again to 1/e (assumed)
HIGH_M, HIGH_OVER_M = 0.8, 0.6
DEEP_M = 0.3
WADING_M_S = 1.4
CROWD, CROWD_OVER, CROWD_LEAST = 1.6, 1.2, 250.0  # of what is normal there; people (assumed)
PEOPLE_S = 600


class Nature:
    """Depths of dips, levels of waters, people at squares; all as columns over their sites."""

    def __init__(self, context: RunContext, hazards: Hazards, places: Places, births: Births) -> None:
        self._c, self._hazards, self._places, self._births = context, hazards, places, births
        on = hazards.settings.themes
        self._on = {theme: theme in on for theme in THEMES}
        draw = context.dice.stream("city_brain.nature")
        dips, waters, squares = places["dips"], places["gauges"], places["squares"]
        k = np.arange(len(dips))
        alike = DRAIN_ALIKE * hazards.settings.common_causes
        cell = np.floor(np.column_stack([dips.x_m, dips.y_m]) / DRAIN_CELL_M).astype(np.int64) + (1 << 20)
        drain = context.dice.stream("city_brain.drain")
        z = np.zeros(0)
        if len(k):
            common = drain.normal(cell[:, 0] * (1 << 22) + cell[:, 1])
            z = np.sqrt(1.0 - alike) * draw.normal(k, 0) + np.sqrt(alike) * common
        self.drain_mm_h = DRAIN_MM_H * np.exp(DRAIN_SIGMA * z)
        self.depth_m = np.zeros(len(dips))
        k = np.arange(len(waters))
        self.rise_m_mm = RISE_M_MM * np.exp(0.4 * draw.normal(k, 1)) if len(k) else np.zeros(0)
        self.level_m = np.zeros(len(waters))
        self.people = np.zeros(len(squares))
        self.crowded = np.zeros(len(squares))
        self._open: dict[tuple[str, int], int] = {}
        self._count: dict[tuple[str, int], int] = {}
        self._slowed: dict[int, float] = {}  # dip → speed of its street
        self._usual: Floats | None = None

    def step(self, now_s: int, seconds: int) -> None:
        """Let ``seconds`` pass with the rain there is."""
        rain, hours = self._c.weather.rain_mm_h, seconds / 3600.0
        if rain > 0 or self.depth_m.any():
            self._ponds(now_s, rain, hours)
        if rain > 0 or self.level_m.any():
            self.level_m = (self.level_m + self.rise_m_mm * rain * hours) * np.exp(-hours / FALLS_H)
            self._limit("high_water", self.level_m, HIGH_M, HIGH_OVER_M, now_s)
        if now_s % PEOPLE_S == 0:
            self._gather(now_s)

    # -- rain ------------------------------------------------------------------------------------------------

    def _ponds(self, now_s: int, rain: float, hours: float) -> None:
        excess = RUNS_OFF * rain - self.drain_mm_h
        fills = CATCHES * np.maximum(excess, 0.0) / 1000.0
        pumped = np.full(len(self.depth_m), PUMPED_M_H)
        for (kind, site), row in self._open.items():
            if kind == "ponded_road" and self._hazards.state[row] != ACTIVE:
                pumped[site] = PUMPS_M_H
        falls = np.where(excess < 0, pumped, np.where(pumped > PUMPED_M_H, pumped - PUMPED_M_H, 0.0))
        self.depth_m = np.clip(self.depth_m + (fills - falls) * hours, 0.0, DEEPEST_M)
        self._limit("ponded_road", self.depth_m, POND_M, POND_OVER_M, now_s)
        if self._on["ponding"]:
            self._slow()

    def _slow(self) -> None:
        """Let streets under water be as slow as they are deep."""
        roads = self._places["dips"].road
        wet = np.flatnonzero(self.depth_m > POND_OVER_M).tolist()
        for site in sorted(self._slowed.keys() - set(wet)):
            del self._slowed[site]
            self._c.limits.set(int(roads[site]), f"pond {site}", None)
        for site in wet:
            road, speed = int(roads[site]), round(ponded_m_s(float(self.depth_m[site])), 1)
            if self._slowed.get(site) != speed:
                self._slowed[site] = speed
                own = float(self._c.city.roads["speed_m_s"].iloc[road])
                self._c.limits.set(road, f"pond {site}", min(speed, own))

    # -- people ----------------------------------------------------------------------------------------------

    def _gather(self, now_s: int) -> None:
        """Count who is where; a crowd is many times what is normal for the place."""
        model = self._c.people
        sites = self._places["squares"]
        if model is None or not len(sites):
            return
        part = self._c.scenario.people
        share = part.share if part is not None else 1.0
        where = model.whereabouts()
        count = np.bincount(where[where >= 0], minlength=len(self._c.city.blocks)) / share
        self.people = count[sites.of].astype(np.float64)
        self.crowded = np.where(self.people >= CROWD_LEAST, self.people / sites.weight, 0.0)
        self._limit("crowd", self.crowded, CROWD, CROWD_OVER, now_s)

    # -- limits ----------------------------------------------------------------------------------------------

    def _limit(self, kind: str, value: Floats, above: float, over: float, now_s: int) -> None:
        """Let hazards of a kind begin where a value passes ``above``, and end where it falls below ``over``.

        One that somebody handled before begins again only after the value fell below ``over``.
        """
        if not self._on[KINDS[kind].theme]:
            return
        for key, row in [(k, r) for k, r in self._open.items() if k[0] == kind]:
            size = float(value[key[1]])
            ended = self._hazards.state[row] == ENDED
            if size < over:
                del self._open[key]
                if not ended:
                    handled = self._hazards.state[row] == CONTAINED
                    self._hazards.end(row, now_s, "handled" if handled else KINDS[kind].fate)
            elif not ended:
                self._hazards.resize(row, size, now_s)
        for site in np.flatnonzero(value >= above).tolist():
            if (kind, site) not in self._open:
                self._begin(kind, site, float(value[site]))

    def _begin(self, kind: str, site: int, size: float) -> None:
        count = self._count[kind, site] = self._count.get((kind, site), 0) + 1
        sites = self._places[KINDS[kind].sites]
        new = self._births.make(kind, sites, site, RANK + count, "weather" if kind != "crowd" else "people", size)
        self._open[kind, site] = self._hazards.begin(self._c.clock.now_s, new)

    def put(self, kind: str, site: int, row: int, size: float) -> None:
        """Let an intervention fill a dip, raise a water or fill a square; nature goes on from there."""
        self._open[kind, site] = row
        if kind == "ponded_road":
            self.depth_m[site] = max(self.depth_m[site], size)
            self._slow()
        elif kind == "high_water":
            self.level_m[site] = max(self.level_m[site], size)


def ponded_m_s(depth_m: float) -> float:
    """Return the speed on a street under so much water; walking pace from ``DEEP_M`` on."""
    if depth_m >= DEEP_M:
        return WADING_M_S
    mm = 1000.0 * depth_m
    return max((0.0009 * mm * mm - 0.5529 * mm + 86.9448) / 3.6, WADING_M_S)
