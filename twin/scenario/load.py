"""From a name or file to a checked scenario, with every mistake in one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twin.errors import ScenarioError
from twin.scenario.agree import zoom_period
from twin.scenario.layers import chain, find, from_python, mark_of, merge, plain_copy, set_key
from twin.scenario.mistakes import ScenarioProblems, sentences, show_path
from twin.scenario.model import Marks, Scenario
from twin.scenario.parts import DAY_S, city_mapping, clock_text
from twin.scenario.yaml_file import KeyPath, Mark, Tree

# -- public ------------------------------------------------------------------------------------------


def load_scenario(
    path_or_name: str | Path,
    sets: Mapping[str, str] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    files: bool = True,
    sources: Mapping[str, str] | None = None,
) -> Scenario:
    """Load a scenario of the catalogue or a YAML file, with everything it extends.

    ``sets``: key path → YAML text, as given by ``--set``; ``overrides``: keys → values, from Python; ``files``:
    check that the files it names are there; ``sources``: key of ``sets`` → the option that gave it, as errors name
    it, where that is not ``--set KEY``. Raises ScenarioProblems (a ScenarioError) that lists every mistake.
    """
    path = find(path_or_name)
    problems: list[str] = []
    tree = chain(path, problems, files=files)
    tree.data.setdefault("name", path.stem)
    for name, text in (sets or {}).items():
        try:
            set_key(tree, name, text, files, problems, (sources or {}).get(name, ""))
        except ScenarioError as error:
            problems.append(str(error))
    if overrides:
        merge(tree, from_python(overrides))
    return _build(tree, problems)


def scenario_from_data(data: Mapping[str, Any], source: str) -> Scenario:
    """Make a scenario from plain data such as a stamp holds; same checks, same sentences."""
    return _build(Tree(plain_copy(data), {(): Mark(source)}), [])


def with_changes(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """Return a copy of a scenario with changes merged in and everything checked again."""
    tree = Tree(scenario.resolved(), dict(scenario._marks.of))
    for name, value in scenario.control.factories().items():
        tree.data["control"][name] = value  # classes stay classes
    merge(tree, from_python(changes))
    return _build(tree, [])


def shorten(scenario: Scenario, hours: float) -> tuple[Scenario, list[str]]:
    """Return the first hours of a scenario, and a sentence for everything that falls away."""
    if not 0 < hours <= 31 * 24:
        raise ScenarioError(f"--hours: is {hours:g}; allowed: a number above 0, up to 744")
    return cut(scenario, scenario.start_s + max(1, round(hours * 3600)))


def cut(scenario: Scenario, end_s: int) -> tuple[Scenario, list[str]]:
    """Return a scenario that ends at ``end_s`` (or its own end), and a sentence for everything that falls away."""
    if end_s <= scenario.start_s:
        raise ScenarioError(f"{scenario.name}: cannot end at {end_s} s, it starts at {scenario.start_s} s")
    if end_s >= scenario.end_s:
        return scenario, []
    days = (end_s - 1) // DAY_S + 1
    gone = [
        f"The intervention '{v.kind}' at {clock_text(v.at)} falls away: the run ends before it."
        for v in scenario.interventions
        if v.at_s >= end_s
    ]
    changes: dict[str, Any] = {"end": clock_text(end_s - (days - 1) * DAY_S), "days": days}
    changes["interventions"] = [v.model_dump(mode="json") for v in scenario.interventions if v.at_s < end_s]
    if scenario.zoom is not None:
        start_s, zoom_end_s = zoom_period(scenario)
        if zoom_end_s > end_s:
            zoom = scenario.zoom.model_dump(mode="json")
            changes["zoom"] = {**zoom, "end": None} if start_s < end_s else None
            gone.append("The zoom is cut short: the run ends before it does.")
    return with_changes(scenario, changes), gone


# -- building ----------------------------------------------------------------------------------------


def _build(tree: Tree, problems: list[str]) -> Scenario:
    """Validate; on mistakes validate again without them, so that the other checks speak as well."""
    found = list(dict.fromkeys(problems))
    context: dict[str, Any] = {"disagreements": []}
    if "city" in tree.data:
        tree.data["city"] = city_mapping(tree.data["city"])
    try:
        scenario = Scenario.model_validate(tree.data, context=context)
    except ValidationError as error:
        wrong = sentences(error, lambda path: mark_of(tree.marks, path))
        found += [text for _, text in wrong]
        rest, items = _without(tree.data, [path for path, _ in wrong])
        context["disagreements"] = []
        try:
            Scenario.model_validate(rest, context=context)
        except ValidationError:
            context["disagreements"] = []
        bad = {path[:2] for path, _ in wrong} | {path[:1] for path, _ in wrong if len(path) == 1}
        period_known = not bad & {("start",), ("end",), ("days",)}
        said = [d for d in context["disagreements"] if period_known or "outside the run" not in d[1]]
        found += _disagree(said, tree, items, skip=bad)
        raise ScenarioProblems(found) from None
    found += _disagree(context["disagreements"], tree, range(len(scenario.interventions)), skip=set())
    if found:
        raise ScenarioProblems(found)
    scenario._marks = Marks(tree.marks)
    return scenario


def _disagree(found: list[Any], tree: Tree, items: Sequence[int], skip: set[KeyPath]) -> list[str]:
    out = []
    for path, text in found:
        at = (path[0], items[path[1]], *path[2:]) if path[0] == "interventions" else path
        if at[:2] not in skip and at[:1] not in skip:
            out.append(f"{mark_of(tree.marks, at)}: {show_path(at)} {text}")
    return out


def _without(data: Mapping[str, Any], wrong: list[KeyPath]) -> tuple[dict[str, Any], list[int]]:
    """Return the data without its mistakes, and the original numbers of the interventions that stay."""
    out = {k: dict(v) if isinstance(v, dict) else v for k, v in data.items()}
    items: list[int] = []
    dropped = {path[1] for path in wrong if path[:1] == ("interventions",) and len(path) > 1}
    if isinstance(out.get("interventions"), list):
        items = [i for i in range(len(out["interventions"])) if i not in dropped]
        out["interventions"] = [out["interventions"][i] for i in items]
    for path in wrong:
        if not path or (path[0] == "interventions" and len(path) > 1):
            continue
        top = str(path[0])
        part = out.get(top)
        if len(path) > 1 and isinstance(part, dict):
            part.pop(str(path[1]), None)
        else:
            out.pop(top, None)
    return out, items
