"""Scenes from blocks 场景积木 (F33): what a community is equipped with by its grade, and copies to another.

A scene is a set of devices that a community owns *beside* the 19,000 channels of the city (which stay as they are):
it sees hazards of one theme in that community and reports them to the community platform. Grades, what belongs to
each, and how well devices work are assumed; F33 only says that there are three grades and that scenes can be copied.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.errors import ScenarioError
from twin.events import SceneInstalled
from twin.scenario.check import CityNames
from twin.world.city_brain.hazards import ENDED
from twin.world.community.env import DAY_S, Env
from twin.world.community.reporters import Reporters

GRADES = ("basic", "growing", "benchmark")  # 基础型、成长型、标杆型


@dataclass(frozen=True)
class SceneKind:
    """One block: ``people``: residents for each device; ``sees``: share of hazards in the community that it reports.

    After ``delay_s`` on average; ``false_a_day``: reports of nothing for each scene; ``grade``: from which it belongs.
    """

    title: str
    theme: str
    device: str
    people: int
    grade: str
    sees: float
    delay_s: float = 180.0
    false_a_day: float = 0.01


SCENES: dict[str, SceneKind] = {
    "manhole": SceneKind("智慧井盖", "manhole", "manhole sensor", 60, "basic", 0.9),
    "fire_lane": SceneKind("消防通道监测", "fire_lane", "fire-lane camera", 250, "growing", 0.85),
    "ebike_shed": SceneKind("电动车棚与梯控", "ebike", "shed and lift camera", 300, "growing", 0.85),
    "garbage": SceneKind("垃圾满溢监测", "garbage", "bin camera", 200, "growing", 0.8),
    "bikes": SceneKind("非机动车停放", "bikes", "kerb camera", 400, "benchmark", 0.8),
    "thrown": SceneKind("高空抛物监测", "thrown", "tower camera", 200, "benchmark", 0.85, 60.0),
    "gas": SceneKind("独居老人燃气", "gas", "gas detector", 80, "benchmark", 0.9, 60.0),
    "lift": SceneKind("智慧电梯", "lift", "lift monitor", 150, "benchmark", 0.95, 60.0),
}


class Names:
    """Communities by id, name, or the name of a place that lies in them (such as a community centre 社区)."""

    def __init__(self, names: CityNames) -> None:
        self.city = names.name
        self._of = names.communities_named()

    def find(self, name: str, key: str) -> str:
        """Return the id of a community. ScenarioError: there is none of this name."""
        from twin.scenario.mistakes import did_you_mean

        if name not in self._of:
            raise ScenarioError(f"{key} is {name}; {self.city} has no such community{did_you_mean(name, self._of)}")
        return self._of[name]


def grades(communities: Mapping[str, Sequence[Any]], best: Collection[str]) -> dict[str, str]:
    """Return the grade of every community by its id; ``communities``: columns community, kind, residents.

    ``best``: ids of the benchmark communities; none: those with the most residents, one in thirty.
    """
    ids = [str(i) for i in communities["community"]]
    kinds = dict(zip(ids, communities["kind"], strict=True))
    if not best and ids:
        order = np.argsort(-np.asarray(communities["residents"], dtype=np.float64), kind="stable")
        best = {ids[i] for i in order[: max(1, len(ids) // 30)].tolist()}
    return {i: "benchmark" if i in best else "basic" if kinds[i] == "village" else "growing" for i in ids}


def scenes_of(grade: str) -> list[str]:
    """Return the scenes that a community of a grade has."""
    return [s for s, k in SCENES.items() if GRADES.index(k.grade) <= GRADES.index(grade)]


class Scenes:
    """The scenes of all communities; see the module's text."""

    def __init__(self, env: Env, reporters: Reporters) -> None:
        self._e, self._reporters = env, reporters
        city, part = env.city, env.part
        known = CityNames.of(city)
        names = Names(known)
        best = {names.find(n, f"community.benchmark[{i}]") for i, n in enumerate(part.benchmark)}
        self.grade = grades(known.communities, best)
        self.of: dict[str, dict[str, str]] = {}  # community → scene → cause
        for community, grade in self.grade.items():
            self.of[community] = dict.fromkeys(scenes_of(grade), grade)
        for i, copy in enumerate(part.copies):
            here, there = (
                names.find(copy.of, f"community.copy[{i}].from"), names.find(copy.to, f"community.copy[{i}].to")
            )  # fmt: skip
            if copy.scene not in self.of[here]:
                has = ", ".join(self.of[here]) or "none"
                raise ScenarioError(
                    f"community.copy[{i}].scene is {copy.scene}; {copy.of} ({self.grade[here]}) has no such scene, but"
                    f" {has}"
                )
            self.of[there].setdefault(copy.scene, f"copy from {copy.of}")
        self._sees = env.dice.stream("community.device_sees")
        self._when = env.dice.stream("community.device_when")
        self._false = env.dice.stream("community.device_false")
        self._residents = dict(
            zip(map(str, city.communities["community"]), city.communities["residents"].tolist(), strict=True)
        )
        rows = city.communities.geometry.centroid
        self._spot = {c: (float(p.x), float(p.y)) for c, p in zip(self.of, rows, strict=True)}
        env.hazards.listeners.append(self._hazard)

    def devices(self, community: str, scene: str) -> int:
        """Return how many devices of a scene a community owns."""
        return max(1, round(float(self._residents[community]) / SCENES[scene].people))

    def begin(self, now_s: int) -> None:
        """Write down what is installed."""
        rows = [(c, s, cause) for c, scenes in self.of.items() for s, cause in scenes.items()]
        if not rows:
            return
        self._e.log.add(
            SceneInstalled, t_s=np.full(len(rows), now_s), community=[c for c, _, _ in rows],
            scene=[s for _, s, _ in rows], grade=[self.grade[c] for c, _, _ in rows],
            devices=np.asarray([self.devices(c, s) for c, s, _ in rows]), cause=[cause for _, _, cause in rows],
        )  # fmt: skip

    def _hazard(self, what: str, row: int, now_s: int) -> None:
        h = self._e.hazards
        if what != "began":
            return
        community, theme = str(h.community[row]), str(h.theme[row])
        for scene in self.of.get(community, ()):
            kind = SCENES[scene]
            if kind.theme != theme:
                continue
            number = int(h.id[row])
            if float(self._sees.uniform(number)[0]) < kind.sees:
                delay_s = 1 + int(self._when.exponential(kind.delay_s, number)[0])
                self._later(row, number, theme, now_s + delay_s)

    def _later(self, row: int, number: int, theme: str, at_s: int) -> None:
        h = self._e.hazards

        def report() -> None:
            if h.state[row] != ENDED:
                self._reporters.device(f"device-{number}", row, theme, float(h.x_m[row]), float(h.y_m[row]))

        self._e.later(at_s, report)

    def false_of_the_day(self, now_s: int) -> None:
        """Let devices see what is not there, as drawn for today."""
        day = now_s // DAY_S
        for c, community in enumerate(self.of):
            for s, scene in enumerate(SCENES):
                if scene not in self.of[community]:
                    continue
                u = self._false.uniform(c * len(SCENES) + s, day * 2 + np.arange(2))
                if u[0] < SCENES[scene].false_a_day:
                    at_s = day * DAY_S + int(u[1] * DAY_S)
                    if at_s > now_s:
                        self._false_later(f"device-{community}-{scene}-d{day}", scene, community, at_s)

    def _false_later(self, name: str, scene: str, community: str, at_s: int) -> None:
        x_m, y_m = self._spot[community]
        self._e.later(at_s, lambda: self._reporters.device(name, -1, SCENES[scene].theme, x_m, y_m))
