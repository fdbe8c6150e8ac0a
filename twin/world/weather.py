"""The weather as far as streets feel it."""

from __future__ import annotations

import math

from twin.events import WeatherChanged
from twin.log import Log


def speed_factor(kind: str, rain_mm_h: float) -> float:
    """Return the factor on free speeds.

    Rain: 1 − 0.025 √(mm/h), not below 0.80; snow twice that loss, not below 0.60; fog 0.90. Fitted by eye to the
    speed adjustment factors of the Highway Capacity Manual 6, exhibit 11-20 (medium rain 0.94, heavy rain 0.93,
    heavy snow 0.87 and less on streets, low visibility 0.94): an assumption, not a calibration.
    """
    loss = 0.025 * math.sqrt(max(rain_mm_h, 0.0))
    if kind == "rain":
        return max(0.80, 1.0 - loss)
    if kind == "snow":
        return max(0.60, 1.0 - max(2.0 * loss, 0.12))
    return 0.90 if kind == "fog" else 1.0


def visibility_m(kind: str, rain_mm_h: float) -> float:
    """Return how far one sees, in metres.

    Rain: 10 km at most and 7.6 km · (mm/h)^-0.63 (after Atlas 1953, meteorological range in rain); snow a fifth of
    that of the same water; fog 100 m (dense fog as weather services call it; assumed).
    """
    if kind == "fog":
        return 100.0
    clear = 10_000.0 if rain_mm_h <= 0 else min(10_000.0, 7_600.0 * rain_mm_h**-0.63)
    return clear / 5.0 if kind == "snow" else clear


class Weather:
    """The present weather, and what it was at the start."""

    def __init__(self, log: Log, kind: str, rain_mm_h: float) -> None:
        self._log = log
        self._first = (kind, rain_mm_h)
        self.kind, self.rain_mm_h = kind, rain_mm_h

    @property
    def factor(self) -> float:
        """Factor on free speeds now."""
        return speed_factor(self.kind, self.rain_mm_h)

    def change(self, t_s: int, kind: str, rain_mm_h: float) -> None:
        """Let the weather be this from now on."""
        self.kind, self.rain_mm_h = kind, rain_mm_h
        self._log.add(WeatherChanged, t_s=t_s, weather=kind, rain_mm_h=float(rain_mm_h), speed_factor=self.factor)

    def back(self, t_s: int) -> None:
        """Let the weather of the start come back."""
        self.change(t_s, *self._first)
