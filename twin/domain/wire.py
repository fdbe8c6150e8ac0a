"""Messages and commands as JSON and back, without loss: the journal, remote hosts and live feeds use this.

Arrays become lists; nan becomes null (JSON has no nan). Only the classes registered here can come back, so a
journal or a remote answer can name nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

import numpy as np

from twin.domain import commands, messages
from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message


def _family(base: type) -> dict[str, type]:
    members: list[type] = base.__subclasses__()
    return {member.__name__: member for member in members}


MESSAGES: dict[str, type] = _family(Message)
COMMANDS: dict[str, type] = _family(Command)
_KINDS: tuple[type, ...] = (*MESSAGES.values(), *COMMANDS.values())
_HINTS: dict[type, dict[str, Any]] = {kind: get_type_hints(kind, vars(messages) | vars(commands)) for kind in _KINDS}


def encode(item: Message | Command) -> dict[str, Any]:
    """Return a JSON-able dict with ``type`` and the fields of a message or command."""
    out: dict[str, Any] = {"type": type(item).__name__}
    for f in fields(item):
        value = getattr(item, f.name)
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "f":
                out[f.name] = [None if math.isnan(v) else v for v in value.tolist()]
            else:
                out[f.name] = value.tolist()
        elif isinstance(value, np.generic):
            out[f.name] = value.item()
        else:
            out[f.name] = value
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
        hint = hints[key]
        if hint is Ints or hint == Ints:
            values[key] = np.asarray(value, dtype=np.int64)
        elif hint is Floats or hint == Floats:
            values[key] = np.asarray([math.nan if v is None else v for v in value], dtype=np.float64)
        elif hint is float and isinstance(value, int) and not isinstance(value, bool):
            values[key] = float(value)
        elif isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
            values[key] = value
        else:
            raise ValueError(f"{name}.{key}: expected {hint.__name__}, got {value!r}")
    return kind(**values)
