"""Shapes of JSON: small checks that name the field that is wrong.

A *check* is called with a value and the path to it, and yields one sentence per problem. The published schemas are
written with these in :mod:`scenarios.exports.mds_shapes` and :mod:`scenarios.exports.realtime_shapes`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Check = Callable[[Any, str], Iterator[str]]

_UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


def text(longest: int = 255, pattern: str = "") -> Check:
    """Accept a string of at most ``longest`` characters, matching ``pattern`` if there is one."""
    form = re.compile(pattern)

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{path}: is {_said(value)}, not a string"
        elif len(value) > longest:
            yield f"{path}: has {len(value)} characters; at most {longest} are allowed"
        elif pattern and not form.search(value):
            yield f"{path}: is '{value}', which has not the form {pattern}"

    return check


def uuid(value: Any, path: str) -> Iterator[str]:
    """Accept a UUID in lower case, as 36 characters."""
    if not isinstance(value, str) or not _UUID.match(value):
        yield f"{path}: is {_said(value)}, not a UUID"


def one_of(*allowed: str) -> Check:
    """Accept one of a few words."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str) or value not in allowed:
            yield f"{path}: is {_said(value)}; allowed: {', '.join(allowed)}"

    return check


def number(low: float | None = None, high: float | None = None, *, whole: bool = False) -> Check:
    """Accept a number within bounds; ``whole``: an integer."""

    def check(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, (int,) if whole else (int, float)) or math.isnan(value):
            yield f"{path}: is {_said(value)}, not {'a whole number' if whole else 'a number'}"
        elif (low is not None and value < low) or (high is not None and value > high):
            bounds = f"from {low}" if high is None else f"from {low} to {high}"
            yield f"{path}: is {value}; allowed: {bounds}"

    return check


def whole(low: int | None = None, high: int | None = None) -> Check:
    """Accept a whole number within bounds."""
    return number(low, high, whole=True)


def boolean(value: Any, path: str) -> Iterator[str]:
    """Accept true or false."""
    if not isinstance(value, bool):
        yield f"{path}: is {_said(value)}, not true or false"


def nullable(inner: Check) -> Check:
    """Accept null, or what ``inner`` asks for."""

    def check(value: Any, path: str) -> Iterator[str]:
        if value is not None:
            yield from inner(value, path)

    return check


def array(of: Check, least: int = 0) -> Check:
    """Accept a list of things of one shape, ``least`` of them at least."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, Sequence) or isinstance(value, str):
            yield f"{path}: is {_said(value)}, not a list"
            return
        if len(value) < least:
            yield f"{path}: has {len(value)} entries; at least {least} are needed"
        for i, item in enumerate(value):
            yield from of(item, f"{path}[{i}]")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Accept an object with these fields and no others."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{path}: is {_said(value)}, not an object"
            return
        dot = f"{path}." if path else ""
        for name in required:
            if name not in value:
                yield f"{dot}{name}: is missing"
        for name, item in value.items():
            if name in known:
                yield from known[name](item, f"{dot}{name}")
            else:
                yield f"{dot}{name}: is not a field here"

    return check


def _said(value: Any) -> str:
    return "missing (null)" if value is None else repr(value) if len(repr(value)) < 60 else type(value).__name__
