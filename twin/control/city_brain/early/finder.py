"""Where to look before anybody said so: next to what was found, and where a reading surges.

Signals become *spots*: things of the city's register that something is said to be wrong with. A spot in an unusual
cluster (:mod:`.scan`) gives ideas: the things of its zone of which nobody has said anything yet, the graver the more
unusual the cluster, and each look there for nothing makes it less so. What is found is a spot in turn, and gives ideas
around it (adaptive cluster sampling; Thompson 1990, *J. Am. Stat. Assoc.* 85). A surge (:mod:`.surges`) is an idea at
once, and a spot. Whether an idea becomes an order is up to the policy and the budget of the desk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.control.city_brain.early.odds import Odds
from twin.control.city_brain.early.scan import Cluster, ThemeScan
from twin.control.city_brain.early.surges import Surge, Surges
from twin.domain.community import Assets, EarlyChannels, EarlyReadings

RATIOS = (3.0, 7.0, 13.0)  # log-likelihood ratios of the grades: about one, two and three finds of a quiet theme
MOST_AROUND = 12  # things that are thought of around one spot
IDEA_S = 3 * 3600  # an idea is worth following so long (assumed)
MISSED_S = 4 * 3600  # so long a look for nothing speaks against its neighbours (assumed)
AT_M = 90.0  # a signal so near to a thing is about it, if nothing is nearer


@dataclass
class Idea:
    """Something to look at: ``asset`` −1: at (x, y) only. ``anchor``: the spot of theme ``by`` that speaks for it."""

    theme: str
    why: str
    grade: int
    asset: int
    x_m: float
    y_m: float
    anchor: int
    ref: str
    since_s: int
    until_s: int
    found: int
    expected: float
    away_m: float
    by: str

    @property
    def kind(self) -> str:
        """What its odds go by: the theme, and the theme that speaks for it."""
        return self.theme if self.by == self.theme else f"{self.by} > {self.theme}"


class Finder:
    """Ideas from spots and surges; a fold, as the desk that owns it."""

    def __init__(self, from_s: int, *, neighbours: bool, readings: bool) -> None:
        self._from_s, self._neighbours, self._readings = from_s, neighbours, readings
        self.odds = Odds()
        self._scans: dict[str, ThemeScan] = {}
        self._surges: dict[str, Surges] = {}
        self._count: dict[tuple[str, int], int] = {}
        self._ideas: dict[tuple[str, int, str], Idea] = {}
        self._looked: dict[tuple[str, int], int] = {}  # things that an order was opened for → when
        self._missed: dict[tuple[str, int], int] = {}  # things where nothing was → when

    def register(self, m: Assets) -> None:
        """Take the city's register."""
        theme = np.asarray(m.theme, dtype=object)
        for name in dict.fromkeys(m.theme):
            rows = np.flatnonzero(theme == name)
            self._scans[name] = ThemeScan(m.x_m[rows], m.y_m[rows], m.stretch[rows], self._from_s)

    def channels(self, m: EarlyChannels) -> None:
        """Take the channels of a source."""
        if self._readings:
            self._surges[m.source] = Surges(m, self._from_s)

    # -- spots -----------------------------------------------------------------------------------------------

    def asset(self, theme: str, x_m: float, y_m: float) -> int:
        """Return the thing that is meant, −1: none."""
        scan = self._scans.get(theme)
        near = scan.within(x_m, y_m, AT_M) if scan is not None else np.empty(0)
        return int(near[0]) if near.size else -1

    def said(self, theme: str, ref: str, x_m: float, y_m: float, weight: float, t_s: int, now_s: int) -> None:
        """Take note that something is said to be wrong somewhere."""
        asset = self.asset(theme, x_m, y_m)
        if asset >= 0:
            self._spot(theme, asset, ref, weight, t_s, now_s)

    def _spot(self, theme: str, asset: int, ref: str, weight: float, t_s: int, now_s: int) -> None:
        scan = self._scans[theme]
        scan.forget(now_s)
        new = scan.add(asset, ref, weight, t_s)
        if not ref.startswith("reading"):  # somebody told: the idea itself is settled
            self._ideas.pop((theme, asset, "neighbour"), None)
        if new and self._neighbours:
            self._around(scan, theme, asset, now_s)

    def _around(self, scan: ThemeScan, theme: str, asset: int, now_s: int) -> None:
        """Have ideas around a spot."""
        cluster = scan.cluster(asset, now_s)
        grade = self._grade(theme, cluster, now_s)
        x, y = float(scan.x_m[asset]), float(scan.y_m[asset])
        around = cluster.assets if grade >= 0 else cluster.assets[:0]
        away = np.hypot(scan.x_m[around] - x, scan.y_m[around] - y)
        for k in np.lexsort((around, away))[:MOST_AROUND].tolist():
            self._have(theme, int(around[k]), theme, asset, grade, cluster, float(away[k]), now_s)
        stretch = int(scan.stretch[asset])
        for name, other in self._scans.items():  # what else belongs to the same: a site's dust, and what it breaks
            same = other.of_stretch(stretch) if stretch >= 0 and name != theme else ()
            for b in same if len(same) <= MOST_AROUND else ():
                far = float(np.hypot(other.x_m[b] - x, other.y_m[b] - y))
                self._have(name, int(b), theme, asset, 0, cluster, far, now_s)

    def _have(
        self, theme: str, asset: int, by: str, anchor: int, grade: int, c: Cluster, away_m: float, now_s: int
    ) -> None:
        """Have an idea, unless something is known of the thing, or it was looked at lately."""
        key, scan = (theme, asset, "neighbour"), self._scans[theme]
        known = asset in scan.spots or now_s - self._looked.get((theme, asset), -(1 << 60)) < MISSED_S
        before = self._ideas.get(key)
        if known or (before is not None and before.grade >= grade and before.by == theme):
            return
        self._ideas[key] = Idea(
            theme, "neighbour", grade, asset, float(scan.x_m[asset]), float(scan.y_m[asset]), anchor, "",
            self._scans[by].spots[anchor].t_s, now_s + IDEA_S, c.found, c.expected, away_m, by,
        )  # fmt: skip

    def _grade(self, theme: str, cluster: Cluster, now_s: int) -> int:
        missed = sum(now_s - self._missed.get((theme, a), -(1 << 60)) < MISSED_S for a in cluster.assets.tolist())
        return sum(cluster.ratio >= limit for limit in RATIOS) - 1 - missed

    def false(self, theme: str, ref: str) -> None:
        """Forget a signal that was about nothing, and the ideas that only it spoke for."""
        scan = self._scans.get(theme)
        if scan is None:
            return
        scan.drop(ref)
        for key, idea in list(self._ideas.items()):
            if idea.by == theme and idea.anchor >= 0 and idea.anchor not in scan.spots:
                del self._ideas[key]

    # -- readings --------------------------------------------------------------------------------------------

    def measured(self, m: EarlyReadings, now_s: int) -> None:
        """Take readings; surges become spots and ideas."""
        surges = self._surges.get(m.source)
        if surges is None:
            return
        for s in surges.take(m):
            self._surged(m.source, surges, s, now_s)

    def _surged(self, source: str, surges: Surges, s: Surge, now_s: int) -> None:
        theme, x, y = surges.theme[s.row], float(surges.x_m[s.row]), float(surges.y_m[s.row])
        scan = self._scans.get(theme)
        if s.new:
            self._count[source, s.row] = self._count.get((source, s.row), 0) + 1
        ref = f"reading/{source}/{s.row}/{self._count.get((source, s.row), 0)}"
        asset = self.asset(theme, x, y)
        told = (
            scan is not None
            and asset in scan.spots
            and any(not r.startswith("reading") for r in scan.spots[asset].refs)
        )
        if not told and now_s - self._looked.get((theme, asset), -(1 << 60)) >= MISSED_S:
            self._ideas[theme, asset if asset >= 0 else -2 - s.row, "reading"] = Idea(
                theme, "reading", s.grade, asset, x, y, -1, ref, now_s, now_s + IDEA_S, 0, 0.0, 0.0, theme
            )
        if asset >= 0:
            self._spot(theme, asset, ref, self.odds.useful(theme, "reading", s.grade), now_s, now_s)

    # -- ideas -----------------------------------------------------------------------------------------------

    def ideas(self, now_s: int) -> list[tuple[float, Idea]]:
        """Return the probability to be for something, and the idea; the likeliest first, then the nearest."""
        for key in [k for k, i in self._ideas.items() if i.until_s <= now_s]:
            del self._ideas[key]
        found = [(self.odds.useful(i.kind, i.why, i.grade), i) for i in self._ideas.values()]
        return sorted(found, key=lambda f: (-f[0], f[1].away_m, f[1].theme, f[1].asset, f[1].x_m, f[1].y_m))

    def followed(self, idea: Idea, now_s: int) -> None:
        """Take note that an order was opened for an idea."""
        self._ideas = {k: i for k, i in self._ideas.items() if i is not idea}
        if idea.asset >= 0:
            self._looked[idea.theme, idea.asset] = now_s
            self._ideas.pop((idea.theme, idea.asset, "neighbour"), None)
            self._ideas.pop((idea.theme, idea.asset, "reading"), None)

    def outcome(self, idea: Idea, order: str, useful: bool, now_s: int) -> None:
        """Learn what became of an order: what was found is a spot, what was not speaks against its neighbours."""
        self.odds.learn(idea.kind, idea.why, idea.grade, useful)
        if idea.asset < 0:
            return
        if useful:
            self._spot(idea.theme, idea.asset, order, 1.0, now_s, now_s)
            return
        self._missed[idea.theme, idea.asset] = now_s
        scan = self._scans[idea.theme]
        if idea.ref:
            self.false(idea.theme, idea.ref)
        zone = set(scan.zones(idea.asset)[0].tolist())
        for key, other in list(self._ideas.items()):
            if other.theme == idea.theme and other.why == "neighbour" and other.asset in zone:
                other.grade -= 1
                if other.grade < 0:
                    del self._ideas[key]
