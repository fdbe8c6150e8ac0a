"""Common causes: what makes hazards of neighbouring sites begin together (a Neyman-Scott process; Neyman & Scott 1958).

A waste round that fails leaves the bins of one stretch full; a drain that backs up lifts the covers of one street. A
cause begins in a *stretch* (sites of one list that belong together) by chance, at the hours and in the rain of its
first kind of hazard, and hits each site of it with a probability, after a while. It takes its hazards out of those of
chance: at every site as many are expected in a day as without common causes, only not independently.

Which stretch, and which sites, are draws named by the first site of the stretch, by the site and by the ten minutes:
one stretch more changes no other. Shares, hits and delays are assumed; that such cases come in clusters is common
experience of 12345 and 311 desks, how much so is not known for the district.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from twin.clock import Phase
from twin.events import CauseBegan
from twin.world.city_brain.kinds import KINDS, HazardKind
from twin.world.city_brain.sites import Places
from twin.world.ports import RunContext

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOMENT = 10**9  # occurrences of the draws of the second within the ten minutes
DAY_S = 86_400
BEFORE = 36  # tens of minutes before the run whose causes may still bring hazards
MOST = 0.95  # a cause hits no site more surely than this
HAUL_M = 800.0  # lorries wear out the roads so far around their site (assumed)


@dataclass(frozen=True)
class Cause:
    """One cause. ``kinds``: kinds of hazards that it brings, the first sets how often and when it comes.

    ``share`` of their hazards come from it; it hits each site of the stretch with probability ``hit`` (of the first
    kind; of the others so that their share is right), on average ``delay_min`` after it began. Hazards of the kinds
    that it ``builds_up`` can be measured, and met, while they are on their way: a bin fills, water stands under a
    cover; ``at_once``: all of it from the beginning of the cause on, such as a shed without current.
    """

    title_zh: str
    kinds: tuple[str, ...]
    share: float
    hit: float
    delay_min: float
    cell_m: float
    builds_up: tuple[str, ...] = ()
    at_once: bool = False


CAUSES: dict[str, Cause] = {
    "missed round": Cause("环卫漏收", ("garbage",), 0.6, 0.7, 90.0, 600.0, ("garbage",)),
    "busy place": Cause("人流活动", ("bikes", "vendor"), 0.5, 0.7, 40.0, 900.0),
    "full car park": Cause("停车场已满", ("fire_lane",), 0.5, 0.7, 40.0, 700.0, ("fire_lane",)),
    "dead chargers": Cause("充电棚停电", ("ebike",), 0.6, 0.7, 60.0, 700.0, ("ebike",), at_once=True),
    "backed-up drain": Cause("排水管道超压", ("manhole",), 0.6, 0.5, 30.0, 500.0, ("manhole",)),
    "haulage": Cause("渣土运输", ("site_dust", "violation", "pothole"), 0.5, 0.6, 60.0, 0.0, ("site_dust",)),
}


def stretches(places: Places, kind: str) -> Ints:
    """Return for each site of a kind of hazard the first site of its stretch; −1: it belongs to none.

    A collection round, car park or charging shed serves the sites of one community within a square of ``cell_m``; a
    drain lies along one street; roads within ``HAUL_M`` of a building site are the way of its lorries, and its stretch
    is numbered by that building site.
    """
    sites = places[KINDS[kind].sites]
    cause = next((c for c in CAUSES.values() if kind in c.kinds), None)
    if cause is None or not len(sites):
        return np.full(len(sites), -1, dtype=np.int64)
    if cause.cell_m == 0:
        if KINDS[kind].sites == "works":
            return np.arange(len(sites), dtype=np.int64)
        works = places["works"]
        if not len(works):
            return np.full(len(sites), -1, dtype=np.int64)
        away, nearest = cKDTree(np.column_stack([works.x_m, works.y_m])).query(np.column_stack([sites.x_m, sites.y_m]))
        return np.where(away <= HAUL_M, nearest, -1).astype(np.int64)
    of = sites.place if KINDS[kind].sites == "covers" else sites.community
    cells = np.floor(np.column_stack([sites.x_m, sites.y_m]) / cause.cell_m).astype(np.int64).tolist()
    first: dict[tuple[str, int, int], int] = {}
    return np.asarray([first.setdefault((str(o), *c), i) for i, (o, c) in enumerate(zip(of, cells, strict=True))])


@dataclass(frozen=True)
class Pending:
    """A hazard on its way: ``begun_s``: since when its cause is there; ``at_s``: when it begins."""

    cause: str
    begun_s: int
    at_s: int
    step: int


class _Plan:
    """One cause in one city: its stretches, how often it begins in each, and whom it hits."""

    def __init__(self, name: str, cause: Cause, places: Places, on: frozenset[str], share: float) -> None:
        self.name, self.cause = name, cause
        first = cause.kinds[0]
        self.kind: HazardKind = KINDS[first]
        sites = places[self.kind.sites]
        of = stretches(places, first)
        size = np.bincount(of, minlength=len(sites)) if len(sites) else np.zeros(0)
        alone = size[of] < 2 if cause.cell_m else np.zeros(len(sites), dtype=bool)
        rate = self.kind.rate * sites.weight  # a day and site
        whole = np.bincount(of, weights=np.where(alone, 0.0, rate), minlength=len(sites))
        self.groups: Ints = np.flatnonzero(whole > 0).astype(np.int64)
        #: causes a day of each stretch, such that the share of its hazards is right
        self.a_day: Floats = share * cause.share * whole[self.groups] / (cause.hit * size[self.groups])
        row = np.full(len(sites), -1, dtype=np.int64)
        row[self.groups] = np.arange(len(self.groups))
        self.hits: dict[str, tuple[Ints, Floats, Ints]] = {}  # kind → sites, probability, row of their stretch
        self.left: dict[str, Floats] = {}  # kind → share of each site's own rate that is left to chance
        for kind in cause.kinds:
            if kind not in on:
                continue
            k, own = places[KINDS[kind].sites], stretches(places, kind)
            mine = np.flatnonzero((own >= 0) & (row[np.maximum(own, 0)] >= 0)) if len(row) else np.empty(0, np.int64)
            if kind == first:
                mine = mine[~alone[mine]]
            mine = mine.astype(np.int64)
            group = row[own[mine]]
            r = KINDS[kind].rate * k.weight[mine]
            wanted = (
                share * cause.share * r / np.maximum(self.a_day[group], 1e-12) if share > 0 else np.zeros(mine.size)
            )
            p = np.minimum(wanted, MOST)
            left = np.ones(len(k))
            left[mine] = 1.0 - self.a_day[group] * p / np.maximum(r, 1e-12)
            self.hits[kind], self.left[kind] = (mine, p, group), left


class Causes:
    """Lets common causes begin; ``begin(kind, site, step, cause)`` is called when one of their hazards begins."""

    def __init__(
        self, context: RunContext, places: Places, kinds: list[str], share: float, begin: Callable[..., None]
    ) -> None:
        self._c, self._places, self._begin = context, places, begin
        on = frozenset(kinds)
        self._plans = [
            _Plan(name, cause, places, on, share)
            for name, cause in CAUSES.items()
            if share > 0 and cause.kinds[0] in on and len(places[KINDS[cause.kinds[0]].sites])
        ]
        stream = context.dice.stream
        self._when = {p.name: stream(f"city_brain.cause.{p.name}") for p in self._plans}
        self._whom = {kind: stream(f"city_brain.caused.{kind}") for p in self._plans for kind in p.hits}
        #: (kind, site) → its hazard that a cause will bring
        self.pending: dict[tuple[str, int], Pending] = {}
        #: kind → share of the rate of each site that is left to chance
        self._begun = False
        self.left = {kind: left for p in self._plans for kind, left in p.left.items()}

    def step(self, now_s: int, step: int, seconds: int, rate: Callable[[HazardKind, int], float]) -> None:
        """Draw which causes begin in the next ``seconds``; ``rate``: of a kind at a second, against its daily mean.

        At first those of the hours before are drawn, too: some of their hazards are still to come.
        """
        if not self._begun:
            self._begun = True
            for k in range(min(BEFORE, step), 0, -1):
                self._draw(now_s - k * seconds, step - k, seconds, rate)
        self._draw(now_s, step, seconds, rate)

    def _draw(self, t_s: int, step: int, seconds: int, rate: Callable[[HazardKind, int], float]) -> None:
        for plan in self._plans:
            p = -np.expm1(-plan.a_day * rate(plan.kind, t_s) * seconds / DAY_S)
            if not p.any():
                continue
            draw = self._when[plan.name]
            for row in np.flatnonzero(draw.uniform(plan.groups, step) < p).tolist():
                group = int(plan.groups[row])
                at_s = t_s + int(draw.uniform(group, MOMENT + step)[0] * seconds)
                if at_s < self._c.clock.now_s:
                    self._happen(plan, row, step, at_s)
                elif at_s < self._c.end_s:
                    self._c.clock.at(at_s, Phase.WORLD, partial(self._happen, plan, row, step, at_s))

    def _happen(self, plan: _Plan, row: int, step: int, begun_s: int) -> None:
        """Let a cause begin: its hazards are on their way."""
        now_s, n = self._c.clock.now_s, 0
        for kind, (sites, p, group) in plan.hits.items():
            mine = np.flatnonzero(group == row)
            draw = self._whom[kind]
            for k in mine[draw.uniform(sites[mine], step) < p[mine]].tolist():
                site = int(sites[k])
                delay_s = int(60 * draw.exponential(plan.cause.delay_min, site, MOMENT + step)[0])
                at_s = begun_s + 1 + delay_s
                n += 1
                if now_s <= at_s < self._c.end_s:
                    coming = self.pending[kind, site] = Pending(plan.name, begun_s, at_s, step)
                    self._c.clock.at(at_s, Phase.WORLD, partial(self._arrive, kind, site, coming))
        where = self._places[plan.kind.sites]
        site = int(plan.groups[row])
        self._c.log.add(
            CauseBegan, t_s=now_s, cause=plan.name, theme=plan.kind.theme, x_m=float(where.x_m[site]),
            y_m=float(where.y_m[site]), place=str(where.place[site]), community=str(where.community[site]), hits=n,
        )  # fmt: skip

    def _arrive(self, kind: str, site: int, coming: Pending) -> None:
        if self.pending.get((kind, site)) is coming:
            del self.pending[kind, site]
            self._begin(kind, self._places[KINDS[kind].sites], site, coming.step, coming.cause)

    def meet(self, theme: str, x_m: float, y_m: float, radius_m: float) -> bool:
        """Let the nearest hazard that is building up near a point begin now: somebody is sent to where it will be."""
        found: list[tuple[float, str, int]] = []
        for kind, site in self.pending:
            if KINDS[kind].theme == theme and kind in CAUSES[self.pending[kind, site].cause].builds_up:
                sites = self._places[KINDS[kind].sites]
                away = float(np.hypot(sites.x_m[site] - x_m, sites.y_m[site] - y_m))
                if away <= radius_m:
                    found.append((away, kind, site))
        if found:
            _, kind, site = min(found)
            self._arrive(kind, site, self.pending[kind, site])
        return bool(found)
