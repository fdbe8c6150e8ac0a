"""From files to a checked scenario: ``extends`` chains, ``--set``, paths, and every mistake in one report."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twin.errors import ScenarioError
from twin.scenario.mistakes import ScenarioProblems, did_you_mean, sentences, show_path, show_value
from twin.scenario.model import Marks, Scenario
from twin.scenario.parts import DAY_S, city_mapping, clock_text
from twin.scenario.yaml_file import KeyPath, Mark, Tree, parse_yaml, read_yaml

#: keys that describe one file and are not inherited by the scenarios that extend it
OWN = ("name", "title", "title_zh", "question", "question_zh")
#: keys that are replaced as a whole, never merged with what they extend
WHOLE = ("city", "zoom", "interventions")
SUFFIXES = (".yaml", ".yml")
MAX_CHAIN = 20


@dataclass
class _Layer:
    """One file of a chain, read and with its paths resolved."""

    tree: Tree
    path: Path
    problems: list[str]


# -- public ------------------------------------------------------------------------------------------


def catalogue() -> dict[str, Path]:
    """Return the shipped scenarios: name → file, in the order of names.

    The folder is found by the package's name, not imported: the rooms' arrows point from scenarios to twin.
    """
    spec = find_spec("scenarios.catalogue")
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = sorted(f for folder in folders for f in Path(folder).glob("*.yaml"))
    return {f.stem: f for f in files}


def load_scenario(
    path_or_name: str | Path,
    sets: Mapping[str, str] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    files: bool = True,
) -> Scenario:
    """Load a scenario of the catalogue or a YAML file, with everything it extends.

    ``sets``: key path → YAML text, as given by ``--set``; ``overrides``: keys → values, from Python; ``files``:
    check that the files it names are there. Raises ScenarioProblems (a ScenarioError) that lists every mistake.
    """
    path = _find(path_or_name)
    problems: list[str] = []
    tree = _chain(path, problems, files=files)
    tree.data.setdefault("name", path.stem)
    for name, text in (sets or {}).items():
        try:
            _set(tree, name, text, files, problems)
        except ScenarioError as error:
            problems.append(str(error))
    if overrides:
        _merge(tree, _from_python(overrides))
    return _build(tree, problems)


def scenario_from_data(data: Mapping[str, Any], source: str) -> Scenario:
    """Make a scenario from plain data such as a stamp holds; same checks, same sentences."""
    return _build(Tree(_plain_copy(data), {(): Mark(source)}), [])


def with_changes(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """Return a copy of a scenario with changes merged in and everything checked again."""
    tree = Tree(scenario.resolved(), dict(scenario._marks.of))
    for name, value in scenario.control.factories().items():
        tree.data["control"][name] = value  # classes stay classes
    _merge(tree, _from_python(changes))
    return _build(tree, [])


def shorten(scenario: Scenario, hours: float) -> tuple[Scenario, list[str]]:
    """Return the first hours of a scenario; interventions after the new end fall away, each with a sentence."""
    if not 0 < hours <= 31 * 24:
        raise ScenarioError(f"--hours: is {hours:g}; allowed: a number above 0, up to 744")
    end_s = scenario.start_s + max(1, round(hours * 3600))
    if end_s >= scenario.end_s:
        return scenario, []
    days = (end_s - 1) // DAY_S + 1
    keep = [v for v in scenario.interventions if v.at_s < end_s]
    gone = [
        f"The intervention '{v.kind}' at {clock_text(v.at)} falls away: the run ends before it."
        for v in scenario.interventions
        if v.at_s >= end_s
    ]
    changes: dict[str, Any] = {"end": clock_text(end_s - (days - 1) * DAY_S), "days": days}
    changes["interventions"] = [v.model_dump(mode="json") for v in keep]
    if scenario.zoom is not None:
        from twin.scenario.agree import zoom_period

        start_s, zoom_end_s = zoom_period(scenario)
        if zoom_end_s > end_s:
            zoom = scenario.zoom.model_dump(mode="json")
            changes["zoom"] = {**zoom, "end": None} if start_s < end_s else None
            gone.append("The zoom is cut short: the run ends before it does.")
    return with_changes(scenario, changes), gone


# -- files and chains --------------------------------------------------------------------------------


def _find(path_or_name: str | Path) -> Path:
    """Return the file of a name in the catalogue or a path."""
    text = str(path_or_name)
    if "\0" in text:
        raise ScenarioError("the name of the scenario holds a NUL character")
    known = catalogue()
    if isinstance(path_or_name, str) and text in known:
        return known[text]
    if isinstance(path_or_name, Path) or text.endswith(SUFFIXES) or "/" in text or os.sep in text:
        return Path(text)
    raise ScenarioError(
        f"there is no scenario '{show_value(text)[1:-1]}'{did_you_mean(text, known)}; "
        f"known: {', '.join(known)}; or give the path of a .yaml file"
    )


def _chain(path: Path, problems: list[str], *, files: bool) -> Tree:
    """Read a file and all it extends, the base first, and lay them over each other."""
    layers: list[_Layer] = []
    seen: list[Path] = []
    mark: Mark | None = None
    here: Path | None = path
    while here is not None:
        real = Path(os.path.realpath(here))
        if real in seen:
            names = " → ".join(p.name for p in [*seen, real])
            raise ScenarioError(f"{mark}: 'extends' goes in a circle: {names}")
        if len(seen) >= MAX_CHAIN:
            raise ScenarioError(f"{mark}: 'extends' chains more than {MAX_CHAIN} files")
        seen.append(real)
        layer = _read_layer(here, mark, files)
        layers.append(layer)
        base = layer.tree.data.pop("extends", None)
        mark = layer.tree.marks.get(("extends",), Mark(str(here)))
        here = None if base is None else _base_of(base, layer.path, mark)
    whole = Tree({}, {})
    for layer in reversed(layers):
        for name in OWN:
            whole.data.pop(name, None)
        _merge(whole, layer.tree)
        problems.extend(layer.problems)
    return whole


def _read_layer(path: Path, mark: Mark | None, files: bool) -> _Layer:
    try:
        tree = read_yaml(path)
    except ScenarioError as error:
        raise ScenarioError(f"{mark}: extends {error}" if mark else str(error)) from None
    if tree.data is None:
        tree.data = {}
    if not isinstance(tree.data, dict):
        raise ScenarioError(f"{path}: holds {show_value(tree.data)}; a scenario is keys and values, such as 'start:'")
    layer = _Layer(tree, path, [])
    if "city" in tree.data:
        tree.data["city"] = _city_paths(tree.data["city"], path.parent, tree, layer.problems, files)
    return layer


def _base_of(base: object, path: Path, mark: Mark) -> Path:
    """Return the file that ``extends`` names: in the catalogue, or relative to the file that says it."""
    if not isinstance(base, str) or not base or "\0" in base:
        raise ScenarioError(f"{mark}: extends is {show_value(base)}; allowed: a scenario's name or a .yaml file")
    known = catalogue()
    if base in known:
        return known[base]
    if base.endswith(SUFFIXES):
        return path.parent / base
    for suffix in SUFFIXES:
        if (beside := path.parent / f"{base}{suffix}").is_file():
            return beside
    raise ScenarioError(
        f"{mark}: extends is {show_value(base)}, which is no scenario{did_you_mean(base, known)}; "
        f"known: {', '.join(known)}; or a .yaml file relative to this one"
    )


# -- paths in a city ---------------------------------------------------------------------------------


def _city_paths(city: Any, base: Path, tree: Tree, problems: list[str], files: bool) -> Any:
    """Return ``city`` in its long form with every path made absolute; a missing file is a problem."""
    city = city_mapping(city)
    if not isinstance(city, dict):
        return city
    out = dict(city)
    for name in ("folder", "osm", "sumo", "routes", "additional"):
        value = city.get(name)
        if isinstance(value, str) and value:
            out[name] = _path(value, ("city", name), base, tree, problems, files)
        elif isinstance(value, list):
            out[name] = [
                _path(v, ("city", name, i), base, tree, problems, files) if isinstance(v, str) and v else v
                for i, v in enumerate(value)
            ]
    return out


def _path(text: str, key: KeyPath, base: Path, tree: Tree, problems: list[str], files: bool) -> str:
    """Return the first that exists: relative to the file, to the current folder, to the project's root."""
    from twin.scenario.parts import TEMPLATES

    places = [base, Path.cwd(), Path(__file__).resolve().parents[2]]
    folder = key == ("city", "folder")
    if "\0" not in text:
        for place in places:
            found = Path(os.path.normpath(place.absolute() / text))
            try:
                if found.is_dir() if folder else found.is_file():
                    return str(found)
            except OSError:
                continue  # a name too long for the file system is simply not there
    if files:
        mark = _mark(tree.marks, key)
        shown = show_path(key) if tree.marks.get(key) else "city"
        what = "folder" if folder else "file"
        more = f"{did_you_mean(text, TEMPLATES)}; allowed: {', '.join(TEMPLATES)}, or a city folder" if folder else ""
        problems.append(
            f"{mark}: {shown} is {show_value(text)}, but there is no such {what}"
            + (more or " (looked beside the scenario, in the current folder and in the project's folder)")
        )
    return text


# -- merging -----------------------------------------------------------------------------------------


def _merge(below: Tree, above: Tree) -> None:
    """Lay ``above`` over ``below``: mappings merge key by key, everything else replaces."""
    _merge_data(below.data, above.data, (), below, above)
    if () in above.marks:
        below.marks[()] = Mark(above.marks[()].source)


def _merge_data(low: dict[str, Any], high: Mapping[str, Any], path: KeyPath, below: Tree, above: Tree) -> None:
    for name, value in high.items():
        here = (*path, name)
        old = low.get(name)
        if isinstance(old, dict) and isinstance(value, dict) and (path or name not in WHOLE):
            if here in above.marks:
                below.marks[here] = above.marks[here]
            _merge_data(old, value, here, below, above)
            continue
        low[name] = value
        for mark in [m for m in below.marks if m[: len(here)] == here]:
            del below.marks[mark]
        below.marks.update({m: v for m, v in above.marks.items() if m[: len(here)] == here})


def _from_python(values: Mapping[str, Any]) -> Tree:
    marks: dict[KeyPath, Mark] = {}
    data = _plain_copy(values)
    if isinstance(data.get("city"), (str, dict)):
        data["city"] = _city_paths(data["city"], Path.cwd(), Tree({}, {}), [], files=False)

    def note(value: Any, path: KeyPath) -> None:
        if path:
            marks[path] = Mark("given in Python")
        if isinstance(value, dict):
            for name, inner in value.items():
                note(inner, (*path, name))

    note(data, ())
    return Tree(data, marks)


def _plain_copy(value: Any) -> Any:
    """Return data with mappings as dicts and sequences as lists, so that nobody else's objects are changed."""
    if isinstance(value, Mapping):
        return {str(k): _plain_copy(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_copy(v) for v in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json") if not isinstance(value, type) else value
    return value


def _set(tree: Tree, name: str, text: str, files: bool, problems: list[str]) -> None:
    """Write one ``--set key.sub=value`` into the tree; its mark is the option itself."""
    source = f"--set {name}"
    value = parse_yaml(text, source, lines=False)
    if not name or not all(name.split(".")):
        raise ScenarioError(f"--set '{name}': is not a key; write it like people.residents=1000")
    parts: list[str | int] = [int(p) if p.isdigit() and len(p) < 6 else p for p in name.split(".")]
    if parts[0] == "extends":
        raise ScenarioError("--set extends: what a scenario extends is fixed in its file")
    where: Any = tree.data
    for n, part in enumerate(parts):
        last = n == len(parts) - 1
        if isinstance(part, int) and isinstance(where, list):
            if part >= len(where):
                raise ScenarioError(f"{source}: {show_path(parts[:n])} has {len(where)} items, counted from 0")
        elif not isinstance(where, dict):
            raise ScenarioError(f"{source}: {show_path(parts[:n])} is a list; name an item by its number, from 0")
        else:
            part = parts[n] = str(part)  # noqa: PLW2901 - a digit is a plain key in a mapping
        if last:
            where[part] = copy.deepcopy(value.data)
        else:
            inner = where[part] if isinstance(where, list) else where.get(part)
            if not isinstance(inner, (dict, list)):
                inner = where[part] = {}
                tree.marks[tuple(parts[: n + 1])] = Mark(source)
            where = inner
    here = tuple(parts)
    for mark in [m for m in tree.marks if m[: len(here)] == here]:
        del tree.marks[mark]
    tree.marks[here] = Mark(source)
    if parts[0] == "city":
        tree.data["city"] = _city_paths(tree.data["city"], Path.cwd(), tree, problems, files)


# -- building ----------------------------------------------------------------------------------------


def _mark(marks: Mapping[KeyPath, Mark], path: KeyPath) -> Mark:
    for n in range(len(path), -1, -1):
        if path[:n] in marks:
            return marks[path[:n]]
    return Mark("scenario")


def _build(tree: Tree, problems: list[str]) -> Scenario:
    """Validate; on mistakes validate again without them, so that the other checks speak as well."""
    found = list(problems)
    context: dict[str, Any] = {"disagreements": []}
    if "city" in tree.data:
        tree.data["city"] = city_mapping(tree.data["city"])
    try:
        scenario = Scenario.model_validate(tree.data, context=context)
    except ValidationError as error:
        wrong = sentences(error, lambda path: _mark(tree.marks, path))
        found += [text for _, text in wrong]
        rest, items = _without(tree.data, [path for path, _ in wrong])
        context["disagreements"] = []
        try:
            Scenario.model_validate(rest, context=context)
        except ValidationError:
            context["disagreements"] = []
        bad = {path[:2] for path, _ in wrong} | {path[:1] for path, _ in wrong if len(path) == 1}
        found += _disagree(context["disagreements"], tree, items, skip=bad)
        raise ScenarioProblems(found) from None
    found += _disagree(context["disagreements"], tree, range(len(scenario.interventions)), skip=set())
    if found:
        raise ScenarioProblems(found)
    scenario._marks = Marks(tree.marks)
    return scenario


def _disagree(found: list[Any], tree: Tree, items: Any, skip: set[KeyPath]) -> list[str]:
    out = []
    for path, text in found:
        at = (path[0], items[path[1]], *path[2:]) if path[0] == "interventions" else path
        if at[:2] not in skip and at[:1] not in skip:
            out.append(f"{_mark(tree.marks, at)}: {show_path(at)} {text}")
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
        if not path:
            continue
        if path[0] == "interventions" and len(path) > 1:
            continue
        part = out.get(path[0])  # type: ignore[call-overload]
        if len(path) > 1 and isinstance(part, dict):
            part.pop(path[1], None)
        else:
            out.pop(path[0], None)  # type: ignore[call-overload]
    return out, items
