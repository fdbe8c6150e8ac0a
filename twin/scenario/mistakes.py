"""From what pydantic finds to sentences: place, key, value, what is allowed, and what was probably meant."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from twin.errors import ScenarioError
from twin.scenario.interventions import KINDS
from twin.scenario.model import Scenario
from twin.scenario.yaml_file import KeyPath, Mark

_NUMBER_UNIT = re.compile(r"\s*([-+]?[0-9][0-9,_ ]*(?:\.[0-9]+)?)\s*([^\W\d_/%°]+[\w/ .]*|%|°)?\s*\Z")
_CLOCK_LIKE = re.compile(r"\s*([0-9]{1,2})[:.h时点]?([0-9]{2})?\s*(?:分|uhr|am|AM)?\s*\Z")
#: what a key's name ends with → units people write, each with its factor
UNITS: dict[str, dict[str, float]] = {
    "km_h": {"km/h": 1, "kmh": 1, "kph": 1, "公里/小时": 1, "m/s": 3.6},
    "mm_h": {"mm/h": 1, "mm": 1, "毫米/小时": 1},
    "m": {"m": 1, "米": 1, "km": 1000, "公里": 1000},
    "s": {"s": 1, "sec": 1, "秒": 1, "min": 60, "m": 60, "分钟": 60, "h": 3600, "小时": 3600},
}
COUNTS = {"%": 0.01, "people": 1, "residents": 1, "人": 1, "companies": 1, "k": 1000, "万": 10_000, "days": 1, "天": 1}
_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


class ScenarioProblems(ScenarioError):  # noqa: N818 - the plural of an error
    """Everything that is wrong with a scenario: ``problems`` holds one sentence each; str() shows all."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the nearest known word, or nothing."""
    names = {k.lower(): k for k in known}
    close = get_close_matches(str(word).lower(), list(names), n=1, cutoff=0.6)
    return f"; did you mean '{names[close[0]]}'?" if close else ""


def show_path(path: Iterable[str | int]) -> str:
    """Return a key path as people write it: interventions[0].until."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out


def show_value(value: object) -> str:
    """Return a value as it stands in a file, shortened."""
    if value is None:
        return "null (nothing)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping of keys"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(show_value(v) for v in value[:3]) + (", …" if len(value) > 3 else "")
        return f"the list [{inner}]"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 60 else text[:57] + "…"


def sentences(error: ValidationError, mark: Callable[[KeyPath], Mark]) -> list[tuple[KeyPath, str]]:
    """Return (key path in the data, sentence) for every mistake pydantic found, each key once."""
    out: dict[KeyPath, str] = {}
    for item in error.errors(include_url=False, include_context=True):
        path, model, allowed = _locate(item["loc"], whole=item["type"] == "extra_forbidden")
        if any(path[: len(p)] == p for p in out if p):
            continue  # the members of a union all complain; the first is enough
        out[path] = f"{mark(path)}: {_sentence(item, path, model, allowed)}"
    return list(out.items())


def _sentence(item: Any, path: KeyPath, model: type[BaseModel], allowed: str) -> str:
    kind, value, shown = item["type"], item["input"], show_path(path)
    if kind == "extra_forbidden":
        text = _unknown_key(path, model, value)
    elif kind == "missing":
        text = f"{shown} is missing; write {allowed}"
    elif kind.startswith("union_tag") or (kind.startswith("model_") and path[:1] == ("interventions",)):
        text = _unknown_kind(shown, value)
    elif kind.startswith("model_"):
        text = f"{shown or 'the file'} is {show_value(value)}; expected {_mapping_of(allowed, model)}"
    elif kind == "value_error":
        text = f"{shown}: {item['ctx']['error']}"
    else:
        text = f"{shown} is {show_value(value)}; allowed: {allowed}{_hint(str(path[-1]), value, allowed)}"
    return text


def _unknown_kind(shown: str, value: object) -> str:
    if isinstance(value, dict) and "kind" in value:
        said, known = value["kind"], did_you_mean(str(value["kind"]), KINDS)
        return f"{shown}.kind is {show_value(said)}; allowed: {', '.join(KINDS)}{known}"
    if isinstance(value, dict):
        return f"{shown}.kind is missing; allowed: {', '.join(KINDS)}"
    return f"{shown} is {show_value(value)}; expected keys such as 'at:' and 'kind:'"


def _mapping_of(allowed: str, model: type[BaseModel]) -> str:
    if allowed:
        return allowed
    return "keys and values, such as " + ", ".join(f"'{k}:'" for k in list(model.model_fields)[:4])


def _unknown_key(path: KeyPath, model: type[BaseModel], value: object) -> str:
    last = str(path[-1])
    shown = f"unknown key '{show_value(last)[1:-1]}'" + (f" in {show_path(path[:-1])}" if len(path) > 1 else "")
    if path == ("seed",):
        return f"{shown}; the seed is no part of a scenario, give it when running: --seed {show_value(value)}"
    known = list(model.model_fields)
    close = did_you_mean(last, known)
    if not close and model is Scenario:  # a key of a part, written one level too high
        for name, part in _parts().items():
            if last in part.model_fields:
                close = f"; did you mean '{name}.{last}'?"
    return f"{shown}{close or '; allowed: ' + ', '.join(known)}"


def _parts() -> dict[str, type[BaseModel]]:
    found = {name: _model_in(f.annotation) for name, f in Scenario.model_fields.items()}
    return {name: part for name, part in found.items() if part is not None and name != "interventions"}


def _hint(name: str, value: object, allowed: str) -> str:
    """Say how to write what was probably meant: a number without its unit, a time in quotes, true for yes."""
    if "a time" in allowed:
        return _time_hint(value)
    if isinstance(value, float) and "whole number" in allowed and math.isfinite(value) and value == int(value):
        return f"; write {int(value)}"
    if not isinstance(value, str):
        nobody = name == "residents" and isinstance(value, int) and value <= 0
        return "; for a run without people write 'people: null'" if nobody else ""
    if "true or false" in allowed:
        meant = _TRUTH.get(value.lower())
        return f"; write {meant}" if meant else ""
    if "number" in allowed or "degrees" in allowed:
        return _number_hint(name, value)
    words = [w.strip(" ,.") for w in re.split(r"[ ,]", allowed)]
    return did_you_mean(value, [w for w in words if len(w) > 2])


def _number_hint(name: str, value: str) -> str:
    """Say which number to write for "1 km", "30 km/h" or "50 %", in the unit that the key's name ends with."""
    match = _NUMBER_UNIT.match(value)
    if match is None:
        return ""
    number = float(re.sub(r"[,_ ]", "", match[1]))
    if not match[2]:
        return (
            f"; write {number:g} without quotes" if number != int(number) else f"; write {int(number)} without quotes"
        )
    said = match[2].replace(" ", "").lower()
    key_unit = next((u for u in UNITS if name.endswith(f"_{u}")), "")
    factor = UNITS.get(key_unit, COUNTS).get(said)
    if factor is None:
        return f"; write the number alone, in {key_unit.replace('_', '/')}" if key_unit else "; write the number alone"
    return f"; write {number * factor:.15g} (the unit is fixed by the key)"


def _time_hint(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 24 < value <= 1440:
        hours, minutes = divmod(value, 60)  # how YAML 1.1 reads an unquoted 06:30
        return f'; if {hours:02d}:{minutes:02d} is meant, write it in quotes: "{hours:02d}:{minutes:02d}"'
    match = _CLOCK_LIKE.match(str(value)) if isinstance(value, (str, int)) else None
    if match and int(match[1]) * 60 + int(match[2] or 0) <= 1440 and int(match[2] or 0) < 60:
        return f'; write "{int(match[1]):02d}:{int(match[2] or 0):02d}"'
    if isinstance(value, float) and 0 <= value < 24:
        return f'; write "{int(value):02d}:{round(value % 1 * 60) % 60:02d}"'
    return '; write hours and minutes in quotes, such as "07:30"'


def _locate(loc: Sequence[str | int], whole: bool) -> tuple[KeyPath, type[BaseModel], str]:
    """Return the path in the data (without union tags), the model it lies in, and what is allowed there.

    ``whole``: the last part is a key as the user wrote it, whatever it looks like.
    """
    model: type[BaseModel] = Scenario
    path: list[str | int] = []
    allowed = ""
    for n, part in enumerate(loc):
        if isinstance(part, int):
            path.append(part)
            continue
        if path and path[0] == "interventions" and len(path) == 2 and part in KINDS:
            model, allowed = _intervention(part), ""
            continue
        if part not in model.model_fields and _is_branch(part) and not (whole and n == len(loc) - 1):
            continue  # a member of a union, not a key
        path.append(part)
        fields = model.model_fields
        info = fields.get(str(part)) or next((f for f in fields.values() if f.alias == part), None)
        if info is None:
            continue
        extra = info.json_schema_extra
        allowed = str(extra["allowed"]) if isinstance(extra, dict) else ""
        model = _model_in(info.annotation) or model
    return tuple(path), model, allowed


def _is_branch(part: str) -> bool:
    return "[" in part or part in ("str", "int", "float", "callable") or part[:1].isupper()


def _intervention(kind: str) -> type[BaseModel]:
    from twin.scenario import interventions

    models: tuple[type[BaseModel], ...] = get_args(interventions.Intervention)
    return next(m for m in models if m.model_fields["kind"].default == kind)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model an annotation names, looking into optionals and lists (not into unions of several)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is Annotated:
        return _model_in(get_args(annotation)[0])
    found = [m for m in (_model_in(a) for a in get_args(annotation)) if m is not None]
    return found[0] if len(found) == 1 else None
