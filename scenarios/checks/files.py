"""Properties from YAML files and from Python: what a city demands of every run, written down by the city.

A file is a list of ``signals`` and of ``properties``; ``docs/check.md`` shows all forms. Every mistake is one sentence
with the file, the line, the key and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from scenarios.checks.choose import Facts
from scenarios.checks.formulas import formula
from scenarios.checks.model import Property
from scenarios.checks.patterns import Absence, Bound, Response
from scenarios.checks.signals import STEP_S, Signal, Take, What
from twin.errors import ScenarioError
from twin.scenario.mistakes import did_you_mean, show_path, show_value
from twin.scenario.yaml_file import KeyPath, Tree, read_yaml

SHIPPED = Path(__file__).parent / "shipped"
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d)\s*\Z")
_IN_S = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_PER = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_FORMS = {
    "formula": ("formula", "step"),
    "every": ("every", "followed_by", "within", "same"),
    "never": ("never", "while", "same"),
    "at_most": ("at_most", "of", "same"),
}
_TAKES = ("least", "most", "mean", "sum")


class _Reader:
    """One file: where each mistake stands."""

    def __init__(self, tree: Tree, source: str) -> None:
        self.tree, self.source = tree, source

    def wrong(self, path: KeyPath, text: str) -> ScenarioError:
        """Return the error of a key."""
        marks = self.tree.marks
        written = [str(marks[path[:n]]) for n in range(len(path), -1, -1) if path[:n] in marks]
        where = written[0] if written else self.source
        return ScenarioError(f"{where}: {show_path(path)} {text}" if path else f"{where}: {text}")

    def mapping(self, path: KeyPath, value: Any, keys: Iterable[str], needed: Iterable[str] = ()) -> Mapping[str, Any]:
        """Return a mapping that has only known keys, and those it needs."""
        known = list(keys)
        if not isinstance(value, dict):
            raise self.wrong(path, f"is {show_value(value)}; expected keys such as {', '.join(known[:4])}")
        for key in value:
            if key not in known:
                allowed = f"; allowed: {', '.join(known)}{did_you_mean(str(key), known)}"
                raise self.wrong((*path, key), f"is no key of a {path[0] if path else 'file'}{allowed}")
        for key in needed:
            if key not in value:
                raise self.wrong(path, f"has no '{key}'")
        return value

    def seconds(self, path: KeyPath, value: Any) -> int:
        """Return a span such as "5 min" in seconds."""
        match = _SPAN.match(value) if isinstance(value, str) else None
        if match is None:
            raise self.wrong(path, f'is {show_value(value)}; allowed: a number with s, min, h or d, such as "5 min"')
        return round(float(match[1]) * _IN_S[match[2]])

    def chosen(self, path: KeyPath, value: Any) -> Facts:
        """Return facts: a kind, or {fact, where}."""
        item: Mapping[str, Any] = (
            {"fact": value} if isinstance(value, str) else self.mapping(path, value, ("fact", "where"), ("fact",))
        )
        where: Any = item.get("where", {})
        if not isinstance(where, dict):
            raise self.wrong((*path, "where"), f"is {show_value(where)}; expected fields and values")
        try:
            return Facts(str(item["fact"]), {str(k): v for k, v in where.items()})
        except ScenarioError as error:
            raise self.wrong(path, str(error)) from None

    def keys(self, path: KeyPath, value: Any, chosen: Iterable[Facts]) -> tuple[str, ...]:
        """Return the fields that tell things apart; all chosen facts must have them."""
        names = (value,) if isinstance(value, str) else tuple(value or ())
        for name in names:
            for facts in chosen:
                try:
                    facts.check_field(str(name))
                except ScenarioError as error:
                    raise self.wrong(path, str(error)) from None
        return tuple(map(str, names))

    def signal(self, name: str, value: Any) -> Signal:
        """Return one declared signal."""
        path: KeyPath = ("signals", name)
        kinds = get_args(What)
        item = self.mapping(path, value, (*kinds, "end", "field", "by", "take", "window", "per"))
        said = [k for k in kinds if k in item]
        if len(said) != 1:
            raise self.wrong(path, f"says {' and '.join(said) or 'nothing'}; exactly one of {', '.join(kinds)}")
        what = said[0]
        facts = self.chosen((*path, what), item[what])
        end = self.chosen((*path, "end"), item["end"]) if "end" in item else None
        if (what == "level") != (end is not None):
            raise self.wrong(path, "is a level, which needs 'end'" if end is None else "has an 'end', but is no level")
        field, by = str(item.get("field", "")), str(item.get("by", ""))
        if (what in ("last", "mean", "least", "most", "sum")) != bool(field):
            raise self.wrong(path, f"is a {what}, which {'has no' if field else 'needs a'} 'field'")
        for key, given in (("field", field), ("by", by)):
            if given:
                self.keys((*path, key), given, [facts])
        take = item.get("take", "mean")
        if take not in get_args(Take):
            raise self.wrong((*path, "take"), f"is {show_value(take)}; allowed: {', '.join(_TAKES)}")
        per = item.get("per", "hour")
        if per not in _PER:
            raise self.wrong((*path, "per"), f"is {show_value(per)}; allowed: {', '.join(_PER)}")
        window_s = self.seconds((*path, "window"), item["window"]) if "window" in item else 900
        return Signal(name, what, facts, end, field, by, take, window_s, _PER[per])

    def property(self, i: int, value: Any, signals: Mapping[str, Signal]) -> Property:
        """Return one property."""
        path: KeyPath = ("properties", i)
        every_key = dict.fromkeys(("name", *(k for keys in _FORMS.values() for k in keys)))
        item = self.mapping(path, value, every_key, ("name",))
        name = str(item["name"])
        forms = [form for form in _FORMS if form in item]
        if len(forms) != 1:
            raise self.wrong(path, f"says {' and '.join(forms) or 'nothing'}; exactly one of {', '.join(_FORMS)}")
        form = forms[0]
        self.mapping(path, value, ("name", *_FORMS[form]))
        if form == "formula":
            step_s = self.seconds((*path, "step"), item["step"]) if "step" in item else STEP_S
            try:
                return formula(name, str(item["formula"]), signals, step_s)
            except ScenarioError as error:
                raise self.wrong((*path, "formula"), f"is wrong: {error}") from None
        if form == "every":
            self.mapping(path, item, ("name", *_FORMS[form]), ("followed_by", "within"))
            answers = item["followed_by"] if isinstance(item["followed_by"], list) else [item["followed_by"]]
            every = self.chosen((*path, "every"), item["every"])
            by = tuple(self.chosen((*path, "followed_by"), a) for a in answers)
            same = self.keys((*path, "same"), item.get("same"), (every, *by))
            return Response(name, every, by, self.seconds((*path, "within"), item["within"]), same)
        what = "while" if form == "never" else "of"
        begin, end = self.state((*path, what), item.get(what), needed=form == "at_most")
        chosen = [*([begin] if begin is not None else []), *end]
        if form == "never":
            never = self.chosen((*path, "never"), item["never"])
            return Absence(name, never, begin, end, self.keys((*path, "same"), item.get("same"), (never, *chosen)))
        most = item["at_most"]
        if not isinstance(most, int) or isinstance(most, bool) or most < 0:
            raise self.wrong((*path, "at_most"), f"is {show_value(most)}; allowed: a whole number from 0")
        assert begin is not None
        return Bound(name, most, begin, end, self.keys((*path, "same"), item.get("same"), chosen))

    def state(self, path: KeyPath, value: Any, *, needed: bool) -> tuple[Facts | None, tuple[Facts, ...]]:
        """Return what begins and what ends a state: {from, to}, or a kind that never ends; ``to`` may be several."""
        if value is None:
            if needed:
                raise self.wrong(path, "is missing; write {from: FACT, to: FACT}, or a fact")
            return None, ()
        if isinstance(value, dict) and "from" in value:
            item = self.mapping(path, value, ("from", "to"))
            ends = item.get("to", [])
            to = tuple(self.chosen((*path, "to"), v) for v in (ends if isinstance(ends, list) else [ends]))
            return self.chosen((*path, "from"), item["from"]), to
        return self.chosen(path, value), ()


def read_properties(file: str | Path) -> list[Property]:
    """Return the properties of a YAML file. ScenarioError: one sentence."""
    reader = _Reader(read_yaml(Path(file)), str(file))
    whole = reader.mapping((), reader.tree.data, ("signals", "properties"), ("properties",))
    declared = whole.get("signals") or {}
    if not isinstance(declared, dict) or not isinstance(whole["properties"], list):
        raise ScenarioError(f"{file}: 'signals' is a mapping of names, 'properties' a list")
    signals = {str(name): reader.signal(str(name), value) for name, value in declared.items()}
    out = [reader.property(i, value, signals) for i, value in enumerate(whole["properties"])]
    twice = [p.name for i, p in enumerate(out) if p.name in {q.name for q in out[:i]}]
    if twice:
        raise ScenarioError(f"{file}: two properties are called '{twice[0]}'")
    return out


def find_properties(spec: str) -> list[Property]:
    """Return the properties that a text names: a YAML file, a shipped set, or "package.module:NAME" in Python.

    ``NAME``: a class of a property, or a function that returns one or several.
    """
    from twin.scenario.check import load_factory

    shipped = {f.stem: f for f in sorted(SHIPPED.glob("*.yaml"))}
    if spec in shipped:
        return read_properties(shipped[spec])
    if ":" in spec and not spec.endswith((".yaml", ".yml")):
        made = load_factory(spec, "--properties")()
        members = list(made) if isinstance(made, Iterable) else [made]
        if not members:
            raise ScenarioError(f"--properties {spec}: gives no property")
        for member in members:
            if not callable(getattr(member, "check", None)) or not isinstance(getattr(member, "name", None), str):
                raise ScenarioError(f"--properties {spec}: {member!r} is no property; it needs a name and check(facts)")
        return members
    if spec.endswith((".yaml", ".yml")):
        return read_properties(spec)
    raise ScenarioError(
        f"--properties {spec}: is no file, no package.module:NAME, and none of {', '.join(shipped)}"
        f"{did_you_mean(spec, shipped)}"
    )
