"""Hazards on sites in truth: they appear with the work, are seen or not, go by order or by themselves, and may hurt.

Kinds and figures of the table are assumed: share, typical L, E, C of Graham and Kinney, how well a camera can see it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.control.construction.hazards import grade_of
from twin.dice import Dice
from twin.domain.construction import ENDS, GRADES, HAZARDS
from twin.world.sites.files import Floats, Ints, Sites

DAY_S = 86_400
SPOTS = 400  # squares of a site
#: kind → share, likelihood, exposure, consequence, seen by a camera that covers the spot
_KINDS = {
    "edge": (0.20, 3.0, 4.0, 9.0, 0.8),
    "scaffold": (0.14, 3.0, 5.0, 9.0, 0.6),
    "crane": (0.06, 1.5, 6.0, 27.0, 0.5),
    "electric": (0.14, 3.0, 5.0, 7.0, 0.1),
    "pit": (0.06, 2.0, 6.0, 27.0, 0.4),
    "fire": (0.08, 3.0, 3.0, 15.0, 0.7),
    "dust": (0.18, 5.0, 5.0, 2.0, 0.9),
    "helmet": (0.14, 3.0, 6.0, 4.0, 0.9),
}
SPREAD = 0.35  # of the logarithm of likelihood and consequence
JUDGED_SD = (0.5, 0.2, 0.3)  # of the logarithm with which an end judges them (device, supervisor, builder)
BUILDER_PLAYS_DOWN = 0.7
LASTS_DAYS = 8.0  # until it is gone by itself, with the work that made it
HURTS_A_DAY = (2e-6, 1e-5, 5e-5, 4e-4)  # by grade
DEVICE_DELAY_S = 5_400.0
VISITOR_SEES, BUILDER_SEES = 0.75, 0.25
FALSE_A_DAY = 0.02  # false sightings of a site's devices
WORK_S = (7 * 3600, 18 * 3600)


@dataclass
class Hazard:
    """One hazard that is there."""

    row: int
    project: int
    kind: int
    spot: int
    since_s: int
    gone_s: int  # by itself
    scores: tuple[float, float, float]

    @property
    def grade(self) -> int:
        """Its grade in truth."""
        return grade_of(*self.scores)

    @property
    def where(self) -> tuple[int, int, int]:
        """What it is known by."""
        return self.project, self.kind, self.spot


@dataclass(frozen=True)
class Sighting:
    """Somebody sees a hazard, or believes to, at second ``t_s``."""

    t_s: int
    end: int
    project: int
    kind: int
    spot: int
    scores: tuple[float, float, float]


class Hazards:
    """Hazards that are there now."""

    def __init__(self, sites: Sites, dice: Dice, per_site_day: float, cameras: float) -> None:
        self._sites, self.per_site_day, self._cameras = sites, per_site_day, cameras
        self._shares = [_KINDS[h][0] for h in HAZARDS]
        names = ("appear", "kind", "spot", "when", "score_l", "score_c", "lasts", "camera", "delay", "visit", "own",
                 "judge", "false", "false_kind", "hurt")  # fmt: skip
        self._draw = {n: dice.stream(f"sites.hazard_{n}") for n in names}
        self.there: dict[tuple[int, int, int], Hazard] = {}

    def appear(self, day: int, busy: Floats) -> list[Hazard]:
        """Return the hazards of a day (at most three a site), in order of time; they are not there yet."""
        out: list[Hazard] = []
        who = self._sites.project
        for j in range(3):
            at = 3 * day + j
            chance = self.per_site_day / 3 * np.minimum(busy, 1.5)
            rows = np.flatnonzero(self._draw["appear"].uniform(who, at) < chance).tolist()
            out += [self._made(row, int(who[row]), at, day) for row in rows]
        return sorted(out, key=lambda h: (h.since_s, h.where))

    def _made(self, row: int, project: int, at: int, day: int) -> Hazard:
        d = self._draw
        kind = int(d["kind"].choice(self._shares, project, at)[0])
        _, likelihood, exposure, consequence, _ = _KINDS[HAZARDS[kind]]
        likelihood *= float(np.exp(SPREAD * d["score_l"].normal(project, at)[0]))
        consequence *= float(np.exp(SPREAD * d["score_c"].normal(project, at)[0]))
        since = day * DAY_S + int(d["when"].integers(*WORK_S, project, at)[0])
        lasts = max(int(d["lasts"].exponential(LASTS_DAYS * DAY_S, project, at)[0]), 1800)
        spot = int(d["spot"].integers(0, SPOTS, project, at)[0])
        return Hazard(row, project, kind, spot, since, since + lasts, (likelihood, exposure, consequence))

    # -- who sees them -------------------------------------------------------------------------------------

    def by_device(self, h: Hazard) -> Sighting | None:
        """Return when a camera sees a hazard; None: it does not."""
        d, key = self._draw, h.spot + SPOTS * h.kind
        covered = d["camera"].uniform(h.project, h.spot)[0] < self._cameras
        seen = d["camera"].uniform(h.project, SPOTS + h.since_s)[0] < _KINDS[HAZARDS[h.kind]][4]
        t_s = h.since_s + 60 + int(d["delay"].exponential(DEVICE_DELAY_S, h.project, h.since_s)[0])
        if not (covered and seen) or t_s >= h.gone_s:
            return None
        return Sighting(t_s, 0, h.project, h.kind, h.spot, self.judged(h.scores, 0, h.project, h.since_s + key))

    def false(self, day: int, busy: Floats) -> list[Sighting]:
        """Return what devices of busy sites believe to see on a day."""
        d, who = self._draw, self._sites.project
        out: list[Sighting] = []
        for row in np.flatnonzero(d["false"].uniform(who, day) < FALSE_A_DAY * (busy > 0)).tolist():
            p = int(who[row])
            kind = int(d["false_kind"].choice(self._shares, p, 2 * day)[0])
            spot = int(d["false_kind"].integers(0, SPOTS, p, 2 * day + 1)[0])
            if (p, kind, spot) in self.there:
                continue
            t_s = day * DAY_S + int(d["when"].integers(*WORK_S, p, -1 - day)[0])
            _, likelihood, exposure, consequence, _ = _KINDS[HAZARDS[kind]]
            scores = self.judged((likelihood, exposure, consequence), 0, p, t_s)
            out.append(Sighting(t_s, 0, p, kind, spot, scores))
        return out

    def by_people(self, project: int, end: int, t_s: int) -> list[Sighting]:
        """Return what a supervisor on a visit, or a builder in the evening, sees of a site."""
        name, share = ("visit", VISITOR_SEES) if ENDS[end] == "supervisor" else ("own", BUILDER_SEES)
        out = []
        for h in [h for h in self.there.values() if h.project == project and h.since_s < t_s]:
            if self._draw[name].uniform(project, h.spot + SPOTS * (t_s // 3600))[0] < share:
                scores = self.judged(h.scores, end, project, t_s + h.spot)
                out.append(Sighting(t_s, end, project, h.kind, h.spot, scores))
        return out

    def judged(
        self, scores: tuple[float, float, float], end: int, project: int, occurrence: int
    ) -> tuple[float, float, float]:
        """Return L, E, C as an end judges them."""
        noise = JUDGED_SD[end] * self._draw["judge"].normal(
            np.full(2, project), 6 * occurrence + 2 * end + np.arange(2)
        )
        low = BUILDER_PLAYS_DOWN if ENDS[end] == "builder" else 1.0
        return (
            round(low * scores[0] * float(np.exp(noise[0])), 2),
            round(scores[1], 2),
            round(scores[2] * float(np.exp(noise[1])), 2),
        )

    # -- what they do --------------------------------------------------------------------------------------

    def hurts(self, day: int) -> list[Hazard]:
        """Return the hazards that hurt somebody on a day."""
        here = list(self.there.values())
        if not here:
            return []
        who = np.array([h.project for h in here])
        at = np.array([day * 4096 + h.spot + SPOTS * h.kind for h in here])
        chance = np.array([HURTS_A_DAY[h.grade] for h in here])
        return [here[i] for i in np.flatnonzero(self._draw["hurt"].uniform(who, at) < chance).tolist()]


def grade_name(h: Hazard) -> str:
    """Return the grade of a hazard in truth."""
    return GRADES[h.grade]


def rows_of(projects: Ints) -> dict[int, int]:
    """Return the row of every project number."""
    return {int(p): i for i, p in enumerate(projects)}
