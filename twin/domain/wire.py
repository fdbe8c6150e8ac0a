"""Messages and commands as JSON and back, without loss: the journal, remote hosts and live feeds use this.

Arrays become lists; nan becomes null (JSON has no nan). Only the classes registered here can come back, so a
journal or a remote answer can name nothing else.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: modules of this package that declare messages and commands; a new system of the city adds its own
VOCABULARIES = (
    "messages",
    "commands",
    "mobility",
    "bus",
    "delivery",
    "sanitation",
    "supervision",
    "junctions",
    "city_brain",
    "v2x",
    "incidents",
    "community",
    "services",
    "companies",
    "construction",
)
for _name in VOCABULARIES:
    importlib.import_module(f"twin.domain.{_name}")


def _family(base: type) -> dict[str, type]:
    """Return all subclasses by name, in order of declaration; two of one name are a TypeError."""
    found: dict[str, type] = {}
    subclasses: list[type] = base.__subclasses__()
    for member in subclasses:
        for name, kind in {member.__name__: member, **_family(member)}.items():
            if found.setdefault(name, kind) is not kind:
                raise TypeError(f"two kinds of {base.__name__} are called {name}")
    return found


MESSAGES: dict[str, type] = _family(Message)
COMMANDS: dict[str, type] = _family(Command)
_FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(f.name for f in fields(kind)) for kind in (*MESSAGES.values(), *COMMANDS.values())
}
_HINTS: dict[type, dict[str, Any]] = {kind: get_type_hints(kind) for kind in (*MESSAGES.values(), *COMMANDS.values())}


def named(item: Message | Command) -> dict[str, Any]:
    """Return ``type`` and the fields of a message or command as they are: arrays stay arrays."""
    kind = type(item)
    out: dict[str, Any] = {"type": kind.__name__}
    for name in _FIELDS.get(kind) or [f.name for f in fields(item)]:
        out[name] = getattr(item, name)
    return out


def encode(item: Message | Command) -> dict[str, Any]:
    """Return a JSON-able dict with ``type`` and the fields of a message or command."""
    out = named(item)
    for name, value in out.items():
        if isinstance(value, np.ndarray):
            listed = value.tolist()
            if value.dtype.kind == "f" and math.isnan(sum(listed)):  # a sum with a nan is nan: one look at all
                listed = [None if math.isnan(v) else v for v in listed]
            out[name] = listed
        elif isinstance(value, np.generic):
            out[name] = value.item()
        elif isinstance(value, tuple):
            out[name] = list(value)
    return out


def decode(data: Mapping[str, Any]) -> Any:
    """Return the message or command that :func:`encode` wrote; ValueError names what is wrong."""
    name = data.get("type")
    kind = MESSAGES.get(str(name)) or COMMANDS.get(str(name))
    if kind is None:
        raise ValueError(f"unknown type {name!r}; known: {', '.join((*MESSAGES, *COMMANDS))}")
    hints = _HINTS[kind]
    given = {k: v for k, v in data.items() if k != "type"}
    if given.keys() != {f.name for f in fields(kind)}:
        wrong = sorted(given.keys() ^ {f.name for f in fields(kind)})
        raise ValueError(f"{name}: fields missing or unknown: {', '.join(wrong)}")
    values: dict[str, Any] = {}
    for key, value in given.items():
        values[key] = _value(f"{name}.{key}", hints[key], value)
    return kind(**values)


def _value(where: str, hint: Any, value: Any) -> Any:
    if hint == Ints:
        return np.asarray(value, dtype=np.int64)
    if hint == Floats:
        return np.asarray([math.nan if v is None else v for v in value], dtype=np.float64)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{where}: expected a list, got {value!r}")
        return tuple(_value(where, get_args(hint)[0], v) for v in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise ValueError(f"{where}: expected {hint.__name__}, got {value!r}")
