"""The questions of the catalogue: each with a base, variants, indicators and what must hold; asked by ``twin ask``.

``scenarios/questions.yaml`` holds them. Asking one is a study (:mod:`scenarios.study`) and a check of its properties on
the same runs, so an answer never stands on a broken run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scenarios.checks.files import find_properties
from scenarios.checks.model import Outcome
from scenarios.checks.run import Judged, judge, sound_properties
from scenarios.checks.waivers import broken, reasons, told
from scenarios.runner.store import Job
from scenarios.runner.telling import Tell, silent
from scenarios.stats.plan import parse_guardrail
from scenarios.study import Question as Asked
from scenarios.study import Study, study
from twin.errors import ScenarioError
from twin.log import Facts
from twin.scenario import Scenario, load_scenario
from twin.scenario.mistakes import did_you_mean
from twin.scenario.yaml_file import read_yaml

FILE = Path(__file__).parent / "questions.yaml"
#: A governance, B sensing and alerting, C construction, D vehicle-road-cloud, E communities, F services, G businesses
LETTERS = "ABCDEFG"


@dataclass(frozen=True)
class Question:
    """One question. ``variants``: name → scenario and keys set; ``scale``: keys set in base and variants alike.

    ``answer``: two sentences from ``pairs`` real pairs of runs; "" where it was not asked yet.
    """

    name: str
    letters: str
    question: str
    question_zh: str
    base: str
    base_set: Mapping[str, Any]
    variants: Mapping[str, Mapping[str, Any]]
    kpis: tuple[str, ...]
    guardrails: Mapping[str, Any]
    properties: tuple[str, ...]
    scale: Mapping[str, Any]
    pairs: int = 0
    answer: str = ""

    def scenarios(self) -> tuple[Scenario, list[Scenario]]:
        """Return base and variants at their scale. ScenarioError where a key does not fit."""
        base = self._made(self.base, self.base_set, f"{self.name}_base")
        made = [
            self._made(
                v.get("scenario", self.base), {**({} if "scenario" in v else self.base_set), **v.get("set", {})}, n
            )
            for n, v in self.variants.items()
        ]
        return base, made

    def _made(self, of: str, changes: Mapping[str, Any], name: str) -> Scenario:
        ready = load_scenario(of, {})
        data = ready.resolved()
        for key, value in {**changes, **self.scale}.items():
            _set(data, key, value, self.name)
        data |= {"name": name, "question": self.question, "question_zh": self.question_zh}
        return Scenario.from_resolved(data, f"question '{self.name}'")

    def study(self, seeds: int, out: Path, workers: int | None = None, tell: Tell = silent, grow: Any = None) -> Answer:
        """Ask it under seeds 1 … n; what is finished in ``out`` is not run again."""
        from scenarios import kpis

        base, variants = self.scenarios()
        asked = Asked(
            kpis=tuple(kpis.by_name(k) for k in self.kpis),
            seeds=tuple(range(1, seeds + 1)),
            guardrails=tuple(
                parse_guardrail(f"{k}={v}", [x.name for x in kpis.ALL]) for k, v in self.guardrails.items()
            ),
        )
        demanded = [*sound_properties(), *(p for name in self.properties for p in find_properties(name))]
        excused = [reasons(s, demanded) for s in (base, *variants)]
        done = study(base, variants, asked, out, workers, None, tell, grow or (lambda _: None))
        wrong: dict[str, list[str]] = {}
        waived: dict[str, list[str]] = {}
        for s, why in zip((base, *variants), excused, strict=True):
            first = Job.of(s, 1)
            found: dict[int, dict[str, Outcome]] = {}
            for seed in asked.seeds:
                folder = Job.of(s, seed, key=first.key).folder(out)
                if (folder / "done.json").is_file():
                    found[seed] = judge(Facts.read(folder), demanded)
                    if said := [f"{n}: {_first(o)}" for n, o in broken(found[seed], why).items()]:
                        wrong[f"{s.name}, seed {seed}"] = said
            if found and why:
                over = [Judged(p, {k: f[p.name] for k, f in found.items()}, why.get(p.name, "")) for p in demanded]
                waived[s.name] = [f"{j.demand.name}: {told(j)}" for j in over if j.waived]
        return Answer(self, done, wrong, waived)


@dataclass(frozen=True)
class Answer:
    """What a question gave: the study, what was broken in which run, and what is waived in which scenario."""

    question: Question
    study: Study
    broken: Mapping[str, list[str]]
    waived: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every run was sound and ended."""
        return not self.broken and not any(c.failed for c in self.study.compared)


def _first(o: Outcome) -> str:
    return o.violations[0].what if o.violations else "broken"


def _set(data: Any, key: str, value: Any, name: str) -> None:
    *above, last = key.split(".")
    at = data
    for part in above:
        if not isinstance(at, dict) or not isinstance(at.get(part), dict):
            raise ScenarioError(f"{FILE.name}: question '{name}' sets '{key}', but '{part}' is not on in its scenario")
        at = at[part]
    if not isinstance(at, dict) or (last not in at):
        raise ScenarioError(f"{FILE.name}: question '{name}' sets '{key}', which is no key{did_you_mean(last, at)}")
    at[last] = value


def questions(file: Path = FILE) -> dict[str, Question]:
    """Return all questions by name."""
    out: dict[str, Question] = {}
    for row in read_yaml(file).data:
        q = Question(
            row["name"], row["letters"], row["question"], row["question_zh"], row["base"], row.get("base_set", {}),
            row["variants"], tuple(row["kpis"]), row.get("guardrails", {}), tuple(row["properties"]), row["scale"],
            int(row.get("pairs", 0)), str(row.get("answer", "")),
        )  # fmt: skip
        out[q.name] = q
    return out


def question(name: str) -> Question:
    """Return the question of a name. ScenarioError names the nearest."""
    known = questions()
    if name not in known:
        raise ScenarioError(f"there is no question '{name}'; known: {', '.join(known)}{did_you_mean(name, known)}")
    return known[name]


# -- the page --------------------------------------------------------------------------------------------

FIELDS = {
    "A": "city brain and travel 城市大脑",
    "B": "sensing and alerting 感知预警",
    "C": "construction 智慧建设",
    "D": "vehicle-road-cloud 车路云",
    "E": "communities 社区",
    "F": "government services 政务服务",
    "G": "businesses 企业",
}
PAGE = Path(__file__).parents[1] / "docs" / "questions.md"
_HEAD = """# Questions and answers 问题与答案

What the catalogue is made to be asked. `twin ask` lists the questions, `twin ask NAME --seeds 20` runs one: base and
variants under the same seeds, paired, with intervals, and everything that must hold judged on the same runs. Answers
stand for the schematic city and its assumptions, at the scale named; nothing here is calibrated to observations.

```
twin ask drowning --seeds 20
```

Add your own to a copy of `scenarios/questions.yaml`, or compare files directly with `twin compare`.
"""


def page(of: Mapping[str, Question]) -> str:
    """Return docs/questions.md; written anew by ``python -m scenarios.questions``."""
    parts = [_HEAD]
    for letter, name in FIELDS.items():
        mine = [q for q in of.values() if letter in q.letters]
        if not mine:
            continue
        parts.append(f"## {letter} · {name}\n")
        parts += [_section(q) for q in mine]
    return "\n".join(parts).rstrip() + "\n"


def _section(q: Question) -> str:
    changed = _said(q.base_set)
    variants = "; ".join(
        f"`{name}`: " + (f"`{v['scenario']}`" if "scenario" in v else _said(v.get("set", {})))
        for name, v in q.variants.items()
    )
    rows = [
        f"### {q.name}\n",
        f"**{q.question}** {q.question_zh}\n",
        f"Base `{q.base}`{f' with {changed}' if changed else ''}. Variants {variants}. Indicators "
        + ", ".join(f"`{k}`" for k in q.kpis)
        + (". Guardrails " + ", ".join(f"`{k}` {v}" for k, v in q.guardrails.items()) if q.guardrails else "")
        + ". Must hold: nothing and nobody is lost"
        + "".join(f", `{p}`" for p in q.properties)
        + (f". Scale: {_said(q.scale)}" if q.scale else "")
        + ".\n",
        (f"{q.answer} ({q.pairs} pairs.)" if q.answer else "*Not answered yet: it was not run at enough seeds.*")
        + "\n",
    ]
    return "\n".join(rows)


def _said(keys: Mapping[str, Any]) -> str:
    import json

    return ", ".join(f"`{k}: {json.dumps(v, ensure_ascii=False)}`" for k, v in keys.items())


if __name__ == "__main__":
    PAGE.write_text(page(questions()), encoding="utf-8")
