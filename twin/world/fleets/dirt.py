"""Litter and dust on the roads in truth: they fall, are washed and blown away, and are swept; arrays over roads.

Each quarter of an hour, per road and metre:

* litter falls as people of the hour drop it (:class:`.dirt_sources.Sources`), with a fixed lognormal spread between
  roads; some is blown into verges and gullies (10 % a day, assumed);
* dust falls from the land in dry weather, from building sites with the square of the wind, and from vehicles:
  wear of tyres, brakes and road of cars 0.15 g/km and of lorries 1 g/km (EMEP/EEA guidebook 2019, 1.A.3.b.vi-vii:
  0.01 to 0.1 g/km of particles, most wear is coarser), and what lorries lose: 5 g/km, ten times that near a building
  site (assumed);
* wind and wheels blow a fifth of the dust away each day, so that it levels off after a week, as measured by Sartor
  and Boyd (EPA-R2-72-081, 1972);
* rain washes dust away: dD/dmm = -0.18 D (their 4.6 per inch), and a tenth as much of the litter (assumed).

Nothing falls as dust while it rains. Wind: Rayleigh distributed about 2.8 m/s (Jinan's yearly mean, rounded), one draw
an hour. Sweeping takes a share (:data:`EFFICIENCY`) of what lies on the metres swept, as long as there is room in
the hopper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.dice import Dice
from twin.domain.sanitation import DUST_G_L, LITTER_G_L, cleanliness
from twin.world.fleets.dirt_sources import HOURS, Sources

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STEP_S = 900
DAY_S = 86_400
SPREAD = 0.4  # sigma of the logarithm between roads (assumed)
DAYS_AT_START = 1.0  # since everything was swept last
CAR_G_KM, TRUCK_G_KM, LOST_G_KM, LOST_AT_SITE = 0.15, 1.0, 5.0, 10.0
BLOWN_LITTER, BLOWN_DUST = 0.1, 0.2  # share a day
WASH_PER_MM, WASH_LITTER = 0.18, 0.1
MEAN_WIND_M_S = 2.8
#: share of (litter, dust) taken: robot with water, robot without, cleaner with broom, cleaner
#: who picks up litter. Vacuum sweepers take 60 to 92 %
#: of street dirt in tests, mechanical brooms 20 to 40 % of the fine part (reviews of the Center for Watershed
#: Protection, 2006); litter, and the values within those ranges, are assumed.
EFFICIENCY = {"wet": (0.90, 0.65), "dry": (0.90, 0.35), "broom": (0.95, 0.35), "pick": (0.80, 0.0)}


@dataclass(frozen=True)
class Change:
    """What a step changed, in grams over all roads: (litter, dust) each."""

    fell_g: tuple[float, float]
    washed_g: tuple[float, float]
    blown_g: tuple[float, float]


class Dirt:
    """``litter_g_m`` and ``dust_g_m``: grams per metre on each road of the city, shape (n,)."""

    def __init__(self, city: City, dice: Dice, sources: Sources | None = None) -> None:
        self.sources = s = sources if sources is not None else Sources.of(city)
        self.length_m: Floats = city.roads["length_m"].to_numpy(np.float64)
        self.lanes: Ints = city.roads["lanes"].to_numpy(np.int64)
        n = self.length_m.size
        spread = dice.stream("fleets.dirt_spread")
        self._wind = dice.stream("fleets.dirt_wind")
        roads = np.arange(n)
        scale = -0.5 * SPREAD**2  # mean 1
        self._litter_factor = np.exp(scale + SPREAD * spread.normal(roads, 0))
        self._dust_factor = np.exp(scale + SPREAD * spread.normal(roads, 1))
        self._litter_g_m_day = s.litter_g_day / self.length_m * self._litter_factor  # (4, n)
        self.litter_g_m: Floats = self._litter_g_m_day.sum(axis=0) * DAYS_AT_START
        self.dust_g_m: Floats = (s.dust_g_m_day + s.site_g_m_day) * self._dust_factor * DAYS_AT_START
        self._vehicles_g_m: Floats = np.zeros(n)  # fell from vehicles since the last step
        self._dropped_g_m: Floats = np.zeros(n)

    # -- what falls ----------------------------------------------------------------------------------------

    def expected_g_m_day(self, roads: Ints) -> tuple[Floats, Floats]:
        """Return the litter and dust (g/m) that a planner expects on roads in a dry day: without their spread."""
        s = self.sources
        litter = s.litter_g_day[:, roads].sum(axis=0) / self.length_m[roads]
        return litter, s.dust_g_m_day[roads] + s.site_g_m_day[roads]

    def drove(self, roads: npt.NDArray[np.integer], count: npt.ArrayLike, trucks: npt.ArrayLike) -> None:
        """Take note of vehicles: columns of roads, how many drive along them, and how many of those are lorries."""
        road = np.asarray(roads, dtype=np.int64)
        lorries = np.asarray(trucks, dtype=np.float64)
        cars = np.asarray(count, dtype=np.float64) - lorries
        lost = TRUCK_G_KM + LOST_G_KM * (1.0 + (LOST_AT_SITE - 1.0) * self.sources.near_site[road])
        grams_m = (cars * CAR_G_KM + lorries * lost) / 1000.0
        self._vehicles_g_m += np.bincount(road, weights=np.broadcast_to(grams_m, road.shape), minlength=self.lanes.size)

    def drop(self, roads: Ints, grams: npt.ArrayLike) -> None:
        """Let litter fall beside that of every day (an event, an accident): grams per road."""
        np.add.at(self._dropped_g_m, roads, np.asarray(grams, dtype=np.float64) / self.length_m[roads])

    def step(self, until_s: int, rain_mm_h: float, seconds: int = STEP_S) -> Change:
        """Live on for ``seconds`` up to ``until_s``."""
        day, hour = seconds / DAY_S, (until_s - seconds) // 3600 % 24
        litter = HOURS[:, hour] * 24.0 * day @ self._litter_g_m_day + self._dropped_g_m
        dust = self._vehicles_g_m.copy()
        if rain_mm_h <= 0:
            wind = self._wind_square(until_s - seconds)
            s = self.sources
            dust += (s.dust_g_m_day + s.site_g_m_day * wind) * self._dust_factor * day
        self._vehicles_g_m[:] = 0.0
        self._dropped_g_m[:] = 0.0
        mm = rain_mm_h * seconds / 3600.0
        fell, blown, washed = [], [], []
        for amount, new, blow, wash in (
            (self.litter_g_m, litter, BLOWN_LITTER, WASH_PER_MM * WASH_LITTER),
            (self.dust_g_m, dust, BLOWN_DUST, WASH_PER_MM),
        ):
            lies = amount + new
            gone = lies * -np.expm1(-blow * day)
            away = (lies - gone) * -np.expm1(-wash * mm)
            amount[:] = lies - gone - away
            fell.append(float(new @ self.length_m))
            blown.append(float(gone @ self.length_m))
            washed.append(float(away @ self.length_m))
        return Change((fell[0], fell[1]), (washed[0], washed[1]), (blown[0], blown[1]))

    def _wind_square(self, t_s: int) -> float:
        """Return the square of the wind of an hour over its mean square (Rayleigh: exponential, mean 1)."""
        return float(self._wind.exponential(1.0, t_s // DAY_S, t_s // 3600 % 24)[0])

    # -- sweeping and looking ------------------------------------------------------------------------------

    def sweep(self, road: int, metres: float, how: str, room_l: float = np.inf) -> tuple[float, float]:
        """Sweep some metres of a road, in one go; return the grams of litter and dust taken, at most what has room.

        Amounts are means over the road: a road swept in several goes is swept a little less well than in one.
        """
        share = min(max(metres / float(self.length_m[road]), 0.0), 1.0)
        litter_share, dust_share = EFFICIENCY[how]
        litter = float(self.litter_g_m[road]) * share * litter_share
        dust = float(self.dust_g_m[road]) * share * dust_share
        litres = (litter / LITTER_G_L + dust / DUST_G_L) * float(self.length_m[road])
        if litres > room_l:
            part = max(room_l, 0.0) / litres
            litter, dust = litter * part, dust * part
        self.litter_g_m[road] -= litter
        self.dust_g_m[road] -= dust
        return litter * float(self.length_m[road]), dust * float(self.length_m[road])

    def cleanliness(self, roads: Ints) -> Floats:
        """Return the cleanliness of roads, 0..1 (:func:`twin.domain.sanitation.cleanliness`)."""
        return cleanliness(self.litter_g_m[roads], self.dust_g_m[roads], self.lanes[roads])
