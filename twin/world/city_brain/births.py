"""When and where hazards begin: a Poisson stream for each site of each kind, thinned by hour, weather and darkness.

Every ten minutes each site of each kind draws once whether something begins there in those ten minutes, as a function
of (seed, kind, site, ten minutes) alone: a site, a kind or a sensor more changes nobody else's hazards. Of two
scenarios that differ in the weather, the one with the higher rate has all hazards of the other, and more. Some come
with those of their neighbours from a common cause (:mod:`.causes`), and as many fewer by chance.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from twin.clock import Phase
from twin.dice import Stream
from twin.world.city_brain.causes import Causes
from twin.world.city_brain.hazards import NEVER_S, Beginning, Hazards, hazard_number
from twin.world.city_brain.kinds import KINDS, HazardKind, kinds_of
from twin.world.city_brain.sites import Places, Sites
from twin.world.ports import RunContext

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STEP_S = 600
DAY_S = 86_400
MOMENT = 10**9  # occurrences of the draws of the second within the ten minutes
RANK = 10_000  # occurrences of the kinds of one theme at one site lie so far apart
CAUSED = 50_000  # occurrences from here on are those of common causes
PUT = 90_000  # occurrences from here on are those of interventions
DAWN_H, DUSK_H = 6.0, 18.5  # assumed: the seasons' mean
_WHAT = 16  # draws about one hazard


def is_dark(t_s: int) -> bool:
    """Whether it is dark at a second of the run."""
    hour = t_s % DAY_S / 3600.0
    return not DAWN_H <= hour < DUSK_H


def chance(kind: HazardKind, weight: Floats, t_s: int, rain_mm_h: float, seconds: float, factor: float) -> Floats:
    """Return the probability that a hazard begins at each site in the next ``seconds``: 1 − exp(−rate)."""
    rate = kind.rate * now(kind, t_s, rain_mm_h) * factor * seconds / DAY_S
    return np.asarray(-np.expm1(-rate * weight), dtype=np.float64)


def now(kind: HazardKind, t_s: int, rain_mm_h: float) -> float:
    """Return how often a kind begins at this hour and in this weather, against its mean over a dry day."""
    hours = kind.hours[t_s % DAY_S // 3600] * 24.0 / sum(kind.hours)
    wet = max(0.0, 1.0 + kind.rain * rain_mm_h)
    return hours * wet * (kind.dark if is_dark(t_s) else 1.0)


class Births:
    """Lets hazards of chance begin."""

    def __init__(self, context: RunContext, hazards: Hazards, places: Places) -> None:
        self._c, self._hazards, self._places = context, hazards, places
        on = hazards.settings.themes
        self._kinds = [n for n, k in KINDS.items() if k.theme in on and k.rate > 0 and len(places[k.sites])]
        self._when = {n: context.dice.stream(f"city_brain.begins.{n}") for n in self._kinds}
        self._what = {n: context.dice.stream(f"city_brain.what.{n}") for n in KINDS}
        self.causes = Causes(context, places, self._kinds, hazards.settings.common_causes, self._caused)

    def step(self, now_s: int) -> None:
        """Draw what begins in the next ten minutes, and put it on the clock."""
        c = self._c
        step = now_s // STEP_S
        seconds = min(STEP_S, c.end_s - now_s)
        factor = self._hazards.settings.rate
        self.causes.step(now_s, step, STEP_S, lambda kind, t_s: factor * now(kind, t_s, c.weather.rain_mm_h))
        for name in self._kinds:
            kind, sites = KINDS[name], self._places[KINDS[name].sites]
            weight = sites.weight * self.causes.left[name] if name in self.causes.left else sites.weight
            p = chance(kind, weight, now_s, c.weather.rain_mm_h, STEP_S, factor)
            if not p.any():
                continue
            u = self._when[name].uniform(np.arange(len(sites)), step)
            for site in np.flatnonzero(u < p).tolist():
                at_s = now_s + int(self._when[name].uniform(site, MOMENT + step)[0] * STEP_S)
                if at_s < now_s + seconds:
                    c.clock.at(at_s, Phase.WORLD, partial(self._begin, name, sites, site, step))

    def _begin(self, name: str, sites: Sites, site: int, step: int) -> None:
        occurrence = kinds_of(KINDS[name].theme).index(name) * RANK + step
        self._hazards.begin(self._c.clock.now_s, self.make(name, sites, site, occurrence, "chance"))

    def _caused(self, name: str, sites: Sites, site: int, step: int, cause: str) -> None:
        occurrence = CAUSED + kinds_of(KINDS[name].theme).index(name) * RANK + step
        self._hazards.begin(self._c.clock.now_s, self.make(name, sites, site, occurrence, cause))

    def make(
        self, name: str, sites: Sites, site: int, occurrence: int, cause: str, size: float | None = None
    ) -> Beginning:
        """Return a hazard of a kind at a site of its list: its size, growth and fate drawn for this occurrence."""
        kind, now_s = KINDS[name], self._c.clock.now_s
        draw = Drawn(self._what[name], site, occurrence)
        aside = 40.0 if kind.sites in ("homes", "towers", "bins", "lanes", "fields", "squares") else 8.0
        harmed = kind.harm_share > 0 and draw.uniform(4) < kind.harm_share
        harm_s = now_s + round(60 * draw.log_normal(5, kind.harm_min, kind.harm_sigma)) if harmed else NEVER_S
        lasts_s = round(60 * draw.log_normal(3, kind.lasts_min, kind.lasts_sigma))
        fate = kind.fate
        if kind.harm == "drowned" and harmed:
            lasts_s, fate = harm_s - now_s, "drowned"
        growth = draw.log_normal(2, kind.growth_min, kind.growth_sigma)
        return Beginning(
            number=hazard_number(kind.theme, site, occurrence),
            kind=name,
            x_m=float(sites.x_m[site]) + aside * (2 * draw.uniform(6) - 1),
            y_m=float(sites.y_m[site]) + aside * (2 * draw.uniform(7) - 1),
            road=int(sites.road[site]),
            place=str(sites.place[site]),
            grid=str(sites.grid[site]),
            community=str(sites.community[site]),
            size=draw.log_normal(1, kind.size, kind.size_sigma) if size is None else size,
            growth_min=growth,
            most=kind.most,
            until_s=now_s + max(lasts_s, 1) if not kind.moves else NEVER_S,
            fate=fate,
            harm_s=harm_s,
            harmed=1 if harmed else 0,
            site=site,
            cause=cause,
        )


class Drawn:
    """The draws about one hazard, by purpose."""

    def __init__(self, stream: Stream, site: int, occurrence: int) -> None:
        self._stream, self._site, self._first = stream, site, occurrence * _WHAT

    def uniform(self, which: int) -> float:
        """Return draw ``which``, uniform in [0, 1)."""
        return float(self._stream.uniform(self._site, self._first + which)[0])

    def log_normal(self, which: int, median: float, sigma: float) -> float:
        """Return draw ``which``, log-normal; the median itself where sigma is 0."""
        if median <= 0 or sigma <= 0:
            return median
        return float(median * np.exp(sigma * self._stream.normal(self._site, self._first + which)[0]))
