"""Files laid over each other: ``extends`` chains, ``--set``, values from Python, and the paths of a city's files."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError
from twin.scenario.mistakes import did_you_mean, show_path, show_value
from twin.scenario.parts import TEMPLATES, city_mapping
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


def catalogue() -> dict[str, Path]:
    """Return the shipped scenarios: name → file, in the order of names.

    The folder is found by the package's name, not imported: the rooms' arrows point from scenarios to twin.
    """
    spec = find_spec("scenarios.catalogue")
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = sorted(f for folder in folders for f in Path(folder).glob("*.yaml"))
    return {f.stem: f for f in files}


# -- files and chains --------------------------------------------------------------------------------


def find(path_or_name: str | Path) -> Path:
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
        f"there is no scenario '{show_value(text)[1:-1]}'; known: {', '.join(known)}, "
        f"or the path of a .yaml file{did_you_mean(text, known)}"
    )


def chain(path: Path, problems: list[str], *, files: bool) -> Tree:
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
        merge(whole, layer.tree)
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
        tree.data["city"] = city_paths(tree.data["city"], path.parent, tree, layer.problems, files)
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
        f"{mark}: extends is {show_value(base)}, which is no scenario; known: {', '.join(known)}, "
        f"or a .yaml file relative to this one{did_you_mean(base, known)}"
    )


# -- paths in a city ---------------------------------------------------------------------------------


def city_paths(city: Any, base: Path, tree: Tree, problems: list[str], files: bool) -> Any:
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
        mark = mark_of(tree.marks, key)
        shown = show_path(key) if tree.marks.get(key) else "city"
        what = "folder" if folder else "file"
        more = f"; allowed: {', '.join(TEMPLATES)}, or a city folder{did_you_mean(text, TEMPLATES)}" if folder else ""
        problems.append(
            f"{mark}: {shown} is {show_value(text)}, but there is no such {what}"
            + (more or " (looked beside the scenario, in the current folder and in the project's folder)")
        )
    return text


# -- merging -----------------------------------------------------------------------------------------


def merge(below: Tree, above: Tree) -> None:
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


def from_python(values: Mapping[str, Any]) -> Tree:
    """Return values given in Python as a tree; the marks say so."""
    marks: dict[KeyPath, Mark] = {}
    data = plain_copy(values)
    if isinstance(data.get("city"), (str, dict)):
        data["city"] = city_paths(data["city"], Path.cwd(), Tree({}, {}), [], files=False)

    def note(value: Any, path: KeyPath) -> None:
        if path:
            marks[path] = Mark("given in Python")
        if isinstance(value, dict):
            for name, inner in value.items():
                note(inner, (*path, name))

    note(data, ())
    return Tree(data, marks)


def plain_copy(value: Any) -> Any:
    """Return data with mappings as dicts and sequences as lists, so that nobody else's objects are changed."""
    if isinstance(value, Mapping):
        return {str(k): plain_copy(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_copy(v) for v in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json") if not isinstance(value, type) else value
    return value


def set_key(tree: Tree, name: str, text: str, files: bool, problems: list[str], source: str = "") -> None:
    """Write one ``--set key.sub=value`` into the tree; its mark is the option itself, or the ``source`` named."""
    source = source or f"--set {name}"
    value = parse_yaml(text, source, lines=False)
    if not name or not all(name.split(".")):
        raise ScenarioError(f"{source.split()[0]} '{name}': is not a key; write it like people.residents=1000")
    parts: list[str | int] = [int(p) if p.isdigit() and len(p) < 6 else p for p in name.split(".")]
    if parts[0] == "extends":
        raise ScenarioError(f"{source}: what a scenario extends is fixed in its file")
    where: Any = tree.data  # the list or mapping that holds the next part of the key
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
            inner = where.get(part) if isinstance(where, dict) else where[part]
            if not isinstance(inner, (dict, list)):
                inner = where[part] = {}
                tree.marks[tuple(parts[: n + 1])] = Mark(source)
            where = inner
    here = tuple(parts)
    for mark in [m for m in tree.marks if m[: len(here)] == here]:
        del tree.marks[mark]
    tree.marks[here] = Mark(source)
    if parts[0] == "city":
        tree.data["city"] = city_paths(tree.data["city"], Path.cwd(), tree, problems, files)


def mark_of(marks: Mapping[KeyPath, Mark], path: KeyPath) -> Mark:
    """Return the mark of a key, else that of the nearest key above it."""
    for n in range(len(path), -1, -1):
        if path[:n] in marks:
            return marks[path[:n]]
    return Mark("scenario")
