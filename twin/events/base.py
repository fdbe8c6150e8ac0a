"""What a fact is, and the columns that all facts together make."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import get_type_hints


class Fact:
    """Base of all kinds of fact."""


def kinds() -> dict[str, type[Fact]]:
    """Return all kinds of fact by name, in the order in which this package declares them.

    Raises TypeError when two kinds have one name.
    """
    found: dict[str, type[Fact]] = {}
    for kind in Fact.__subclasses__():
        if found.setdefault(kind.__name__, kind) is not kind:
            raise TypeError(f"two kinds of fact are called {kind.__name__}")
    return found


def columns() -> dict[str, type]:
    """Return every field of every kind with its type; the columns of the log beside ``t_s`` and ``fact``.

    Raises TypeError when two kinds give one name two types.
    """
    return dict(_columns(tuple(kinds().values())))


@cache
def _columns(of: tuple[type[Fact], ...]) -> dict[str, type]:
    out: dict[str, type] = {}
    for kind in of:
        hints = get_type_hints(kind)
        for f in fields(kind):  # type: ignore[arg-type]
            t = hints[f.name]
            if out.setdefault(f.name, t) is not t:
                raise TypeError(
                    f"field '{f.name}' of {kind.__name__} is {t.__name__}, elsewhere {out[f.name].__name__}"
                )
    return out
