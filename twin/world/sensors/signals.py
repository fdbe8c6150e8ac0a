"""What measuring channels would read without noise: one value for each channel, brought up to date each minute.

Quantities: water level above normal and depth of water in dips (m), rain (mm/h), dust at sites and in the air (µg/m³),
gas (% of the lower explosive limit), people against what is normal for a place, power of street lamps (W). Dust and
smoke thin out with distance as exp(−d/L) (assumed: there is no wind in the twin).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.world.city_brain.births import is_dark
from twin.world.city_brain.hazards import Hazards
from twin.world.city_brain.nature import Nature
from twin.world.ports import RunContext
from twin.world.sensors.channel_kinds import CHANNEL_KINDS
from twin.world.sensors.channels import Channels

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86_400
#: dust from a hazard: theme → (share of its size at the source, length m); straw: by √area
PLUMES = {"dust": (1.0, 120.0), "gas": (1.0, 12.0), "straw": (12.0, 450.0)}
LAMP_W, IDLE_W = 118.0, 2.0
DUST_BASE, AIR_BASE = 90.0, 55.0  # µg/m³, means of PM10 and PM2.5 (assumed)


class Signals:
    """The value that each channel measures now; 0 for those that do not measure."""

    def __init__(self, context: RunContext, channels: Channels, nature: Nature, hazards: Hazards) -> None:
        self._c, self._channels, self._nature, self._hazards = context, channels, nature, hazards
        self.value = np.zeros(len(channels))
        self._rows = {
            k.measures: np.flatnonzero(channels.kind == i).astype(np.int64)
            for i, k in enumerate(CHANNEL_KINDS)
            if k.measures
        }
        self._draw = context.dice.stream("city_brain.air")

    def pairs_of(self, row: int) -> Ints:
        """Return the channels that a hazard's quantity reaches."""
        theme, site = str(self._hazards.theme[row]), int(self._hazards.site[row])
        measures = {"level": "level", "ponding": "depth", "crowd": "crowd", "dust": "dust"}.get(theme)
        if measures is not None and site >= 0:
            rows = self._rows[measures]
            found: Ints = rows[self._channels.site[rows] == site]
            return found
        if theme not in PLUMES:
            return np.empty(0, dtype=np.int64)
        rows = self._rows["gas" if theme == "gas" else "air"]
        index = self._channels.kind[rows[:1]]
        reach = CHANNEL_KINDS[int(index[0])].reach_m if index.size else 0.0
        near: Ints = rows[self._distance(rows, row) <= reach]
        return near

    def _distance(self, rows: Ints, row: int) -> Floats:
        c, h = self._channels, self._hazards
        found: Floats = np.hypot(c.x_m[rows] - h.x_m[row], c.y_m[rows] - h.y_m[row])
        return found

    def update(self, now_s: int) -> None:
        """Bring all values up to the present minute."""
        v, site, nature = self.value, self._channels.site, self._nature
        rows = self._rows
        v[rows["level"]] = nature.level_m[site[rows["level"]]] if len(nature.level_m) else 0.0
        v[rows["depth"]] = nature.depth_m[site[rows["depth"]]] if len(nature.depth_m) else 0.0
        v[rows["crowd"]] = nature.crowded[site[rows["crowd"]]] if len(nature.crowded) else 0.0
        v[rows["rain"]] = self._c.weather.rain_mm_h
        self._calm(v, now_s, self._c.weather.rain_mm_h)
        self._plumes()

    def usual(self, t_s: int) -> Floats:
        """Return what all channels would read on a dry day on which nothing happens."""
        v = np.zeros(len(self.value))
        self._calm(v, t_s, 0.0)
        return v

    def _calm(self, v: Floats, now_s: int, rain_mm_h: float) -> None:
        """Put what is in the air without any hazard, and what lamps draw."""
        hour, rows = now_s % DAY_S / 3600.0, self._rows
        washed = 1.0 / (1.0 + 0.3 * rain_mm_h)
        day = 1.0 + 0.25 * np.sin(2 * np.pi * (hour - 3.0) / 24.0)
        wander = 1.0 + 0.15 * float(self._draw.normal(0, now_s // 3600)[0])
        wander += (now_s % 3600) / 3600.0 * 0.15 * float(self._draw.normal(0, now_s // 3600 + 1)[0])
        works = 1.5 if 8 <= hour < 18 else 1.0
        v[rows["dust"]] = DUST_BASE * day * wander * works * washed
        v[rows["air"]] = AIR_BASE * day * wander * washed
        v[rows["gas"]] = 0.5
        v[rows["lamp"]] = LAMP_W if is_dark(now_s) else IDLE_W

    def _plumes(self) -> None:
        hazards = self._hazards
        for row in hazards.open_rows().tolist():
            theme = str(hazards.theme[row])
            if theme not in PLUMES:
                continue
            share, length = PLUMES[theme]
            size = float(hazards.size[row])
            strength = share * (np.sqrt(size) if theme == "straw" else size)
            near = self.pairs_of(row)
            self.value[near] += strength * np.exp(-self._distance(near, row) / length)
