"""YAML text → plain data, with the line of every key remembered, and nothing that can hurt.

Only the parser of ruamel.yaml is used; values are made here by the rules of YAML 1.2 (``06:30`` and ``on`` are
text). Tags, merge keys, huge files, deep nesting and many aliases are refused before anything is built, so no
file can run code or eat the memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from twin.errors import ScenarioError

MAX_BYTES = 1_000_000
MAX_PARTS = 50_000
MAX_DEPTH = 20
MAX_ALIASES = 50

KeyPath = tuple[str | int, ...]

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]{1,30}\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,6})?\Z")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)\Z")


@dataclass(frozen=True)
class Mark:
    """Where a value was written: a file (or ``--set key``) and a line, 0 when there is none."""

    source: str
    line: int = 0

    def __str__(self) -> str:
        """Return the words that begin an error sentence."""
        return f"{self.source}, line {self.line}" if self.line else self.source


@dataclass
class Tree:
    """Plain data with the mark of every key path in it."""

    data: Any
    marks: dict[KeyPath, Mark] = field(default_factory=dict)


def read_yaml(path: Path) -> Tree:
    """Read a YAML file of at most 1 MB. Raises ScenarioError: one sentence with file and line."""
    try:
        if path.is_dir():
            raise ScenarioError(f"{path}: is a folder; expected a scenario file (.yaml)")
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioError(f"{path}: has {path.stat().st_size:,} bytes; a scenario may have {MAX_BYTES:,} at most")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ScenarioError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ScenarioError(f"{path}: cannot be read ({reason.lower()})") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ScenarioError(f"{path}, line {line}: is not UTF-8 text; save the file as UTF-8") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, source: str, *, lines: bool = True) -> Tree:
    """Turn YAML text into data and marks; ``source`` begins every error sentence."""
    if len(text) > MAX_BYTES:
        raise ScenarioError(f"{source}: is too long; {MAX_BYTES:,} characters at most")
    builder = _Builder(source, lines)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 0
        what = " ".join(str(error.problem or error.context or "cannot be read").split())
        raise ScenarioError(f"{Mark(source, line if lines else 0)}: is not valid YAML: {what}") from None
    except YAMLError as error:
        what = " ".join(str(getattr(error, "reason", error)).split())
        raise ScenarioError(f"{source}: is not valid YAML: {what}") from None
    except (ValueError, IndexError, AttributeError, TypeError, AssertionError, RecursionError) as error:
        # the parser itself stumbles over some malformed texts (numbers in escapes, bad directives)
        raise ScenarioError(f"{source}: is not valid YAML ({type(error).__name__})") from None
    return Tree(builder.root, builder.marks)


def _plain(text: str) -> Any:
    """Return the value of an unquoted scalar by YAML 1.2; what is no number, truth value or null is text."""
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text[0] in "tT"
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    if _SPECIAL.match(text):
        return float(text.lower().replace(".", ""))
    return text


class _Builder:
    """Folds parser events into data; keeps its own stack, so nesting costs no recursion."""

    def __init__(self, source: str, lines: bool) -> None:
        self.root: Any = None
        self.marks: dict[KeyPath, Mark] = {}
        self._source = source
        self._lines = lines
        self._stack: list[tuple[Any, KeyPath, list[Any]]] = []  # (container, its path, [pending key, seen])
        self._anchors: dict[str, Any] = {}
        self._started = False
        self._parts = 0
        self._aliases = 0

    def take(self, event: Any) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise self._fail(event, f"has too many values ({MAX_PARTS:,} at most)")
        if isinstance(event, DocumentStartEvent) and self._started:
            raise self._fail(event, "holds a second document ('---'); a scenario is one document")
        if isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent)):
            self._started = True
            if event.tag is not None:
                raise self._fail(event, f"the tag '{event.tag}' is not allowed; write plain values")
            self._value(event)
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self._stack.pop()

    def _alias(self, event: Any) -> None:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise self._fail(event, f"uses too many aliases (*name); {MAX_ALIASES} at most")
        if event.anchor not in self._anchors:
            raise self._fail(event, f"the alias '*{event.anchor}' has no anchor '&{event.anchor}'")
        value = self._anchors[event.anchor]
        if not isinstance(value, (str, int, float, bool, type(None))):
            raise self._fail(
                event, f"the alias '*{event.anchor}' stands for a list or mapping; only single values may be shared"
            )
        self._put(event, value)

    def _value(self, event: Any) -> None:
        if isinstance(event, ScalarEvent):
            value: Any = _plain(event.value) if event.implicit[0] else event.value
            self._put(event, value)
        else:
            value = {} if isinstance(event, MappingStartEvent) else []
            path = self._put(event, value)
            if len(self._stack) >= MAX_DEPTH:
                raise self._fail(event, f"is nested too deeply ({MAX_DEPTH} levels at most)")
            self._stack.append((value, path, []))
        if event.anchor is not None:
            self._anchors[event.anchor] = value

    def _put(self, event: Any, value: Any) -> KeyPath:
        """Put a value into the open container and return its key path; a mapping takes keys and values in turn."""
        if not self._stack:
            self.root = value
            self._mark((), event)
            return ()
        container, path, pending = self._stack[-1]
        if isinstance(container, list):
            here: KeyPath = (*path, len(container))
            container.append(value)
            self._mark(here, event)
        elif not pending:
            if not isinstance(event, (ScalarEvent, AliasEvent)):
                raise self._fail(event, "a key must be a single word, not a list or mapping")
            key = event.value if isinstance(event, ScalarEvent) else str(value)
            if key in container:
                raise self._fail(event, f"the key '{'.'.join(map(str, (*path, key)))}' is written twice")
            pending.append(key)
            here = (*path, key)
            self._mark(here, event)
        else:
            here = (*path, pending.pop())
            container[here[-1]] = value
        return here

    def _mark(self, path: KeyPath, event: Any) -> None:
        self.marks[path] = Mark(self._source, self._line(event))

    def _line(self, event: Any) -> int:
        return event.start_mark.line + 1 if self._lines and event.start_mark is not None else 0

    def _fail(self, event: Any, what: str) -> ScenarioError:
        return ScenarioError(f"{Mark(self._source, self._line(event))}: {what}")
