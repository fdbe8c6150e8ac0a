"""The tag forest (F6): several trees of tags, one channel in many, and a language to ask for channels.

``place:大桥 & kind:camera & (theme:water | theme:fire) & !fault``: ``!`` binds tighter than ``&``, that tighter than
``|``. ``tree:tag`` is a node anywhere in a tree, with all below it, or a path ``tree:branch/leaf``; a word alone is a
node of any tree. Rows of channels are numpy bitmaps made of sorted row numbers when they are first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.domain.city_brain import ChannelMap
from twin.domain.messages import Ints

Bits = npt.NDArray[np.bool_]

_TOKEN = re.compile(r"\s*([()&|!]|[^\s()&|!]+)")
MAX_QUERY = 2_000  # characters; assumed, far beyond what a person writes
MAX_NESTED = 50
_KEPT = 512  # bitmaps kept at once


class QueryError(ValueError):
    """A query cannot be read: one sentence that points at the character (counted from 1)."""

    def __init__(self, query: str, at: int, what: str) -> None:
        self.at = at + 1
        super().__init__(f"query '{query}', character {self.at}: {what}")


@dataclass(frozen=True)
class Query:
    """A parsed query in postfix order: tags as (tree, node), and the operators ``!``, ``&``, ``|``."""

    text: str
    steps: tuple[tuple[str, str, int] | str, ...]


def parse(text: str) -> Query:
    """Parse a query; QueryError points at the character that is wrong."""
    if len(text) > MAX_QUERY:
        raise QueryError(text[:20] + "…", MAX_QUERY, f"has more than {MAX_QUERY:,} characters")
    tokens: list[tuple[str, int]] = []
    at = 0
    while match := _TOKEN.match(text, at):
        tokens.append((match.group(1), match.start(1)))
        at = match.end()
    return Query(text, tuple(_Parser(text, tokens).whole()))


class _Parser:
    """Recursive descent: or → and → not → tag | ( or )."""

    def __init__(self, text: str, tokens: Sequence[tuple[str, int]]) -> None:
        self._text, self._tokens, self._next, self._depth = text, tokens, 0, 0
        self._out: list[tuple[str, str, int] | str] = []

    def whole(self) -> list[tuple[str, str, int] | str]:
        self._either()
        if self._next < len(self._tokens):
            token, at = self._tokens[self._next]
            raise QueryError(self._text, at, f"expected '&', '|' or the end, found '{token}'")
        return self._out

    def _peek(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _either(self) -> None:
        self._both()
        while self._peek() == "|":
            self._next += 1
            self._both()
            self._out.append("|")

    def _both(self) -> None:
        self._negated()
        while self._peek() == "&":
            self._next += 1
            self._negated()
            self._out.append("&")

    def _negated(self) -> None:
        count = 0
        while self._peek() == "!":
            self._next += 1
            count += 1
        self._tag()
        if count % 2:
            self._out.append("!")

    def _tag(self) -> None:
        if self._next >= len(self._tokens):
            raise QueryError(self._text, len(self._text), "expected a tag, '!' or '(', found the end")
        token, at = self._tokens[self._next]
        if token == "(":
            self._depth += 1
            if self._depth > MAX_NESTED:
                raise QueryError(self._text, at, f"more than {MAX_NESTED} parentheses are nested")
            self._next += 1
            self._either()
            if self._peek() != ")":
                where = self._tokens[self._next][1] if self._next < len(self._tokens) else len(self._text)
                raise QueryError(self._text, where, f"expected ')' for the '(' at character {at + 1}")
            self._next += 1
            self._depth -= 1
            return
        if token in ")&|":
            raise QueryError(self._text, at, f"expected a tag, '!' or '(', found '{token}'")
        tree, colon, node = token.partition(":")
        if colon and (not tree or not node):
            raise QueryError(self._text, at, f"'{token}' must look like 'tree:tag'")
        self._next += 1
        self._out.append((tree, node, at) if colon else ("", token, at))


@dataclass
class TagForest:
    """Which channels (rows 0…size-1) carry which tags."""

    size: int
    _rows: dict[tuple[str, str], Ints] = field(default_factory=dict)
    _trees: dict[str, None] = field(default_factory=dict)
    _bits: dict[tuple[str, str], Bits] = field(default_factory=dict)

    @classmethod
    def of(cls, told: ChannelMap) -> TagForest:
        """Grow the forest of a channel map; kind, place, grid and unit are trees of their own."""
        forest = cls(len(told.channel))
        pairs: dict[tuple[str, str], list[int]] = {}
        for tree, column in (("kind", told.kind), ("place", told.place), ("grid", told.grid), ("unit", told.unit)):
            forest._trees[tree] = None
            _collect(pairs, tree, zip(range(forest.size), column, strict=True))
        for row, tag in zip(told.tag_channel.tolist(), told.tag, strict=True):
            tree, colon, path = tag.partition(":")
            _collect(pairs, tree if colon else "", [(row, path if colon else tag)])
        for key, rows in pairs.items():
            forest._rows[key] = np.unique(np.asarray(rows, dtype=np.int64))
            forest._trees[key[0]] = None
        return forest

    def mark(self, tag: str, rows: Iterable[int], on: bool) -> None:
        """Put a tag such as ``fault`` on channels, or take it off."""
        tree, colon, node = tag.partition(":")
        key = (tree, node) if colon else ("", tag)
        now = self._rows.get(key, np.empty(0, dtype=np.int64))
        given = np.asarray(list(rows), dtype=np.int64)
        self._rows[key] = np.union1d(now, given) if on else np.setdiff1d(now, given)
        self._trees[key[0]] = None
        self._bits.clear()

    def select(self, query: Query) -> Bits:
        """Return a bitmap over all channels; QueryError for a tree that does not exist."""
        stack: list[Bits] = []
        for step in query.steps:
            if isinstance(step, tuple):
                stack.append(self._tag(query.text, *step))
            elif step == "!":
                stack.append(~stack.pop())
            else:
                right, left = stack.pop(), stack.pop()
                stack.append(left & right if step == "&" else left | right)
        return stack.pop()

    def rows(self, text: str) -> Ints:
        """Return the channels that a query asks for, in order."""
        return np.flatnonzero(self.select(parse(text))).astype(np.int64)

    def count(self, text: str) -> int:
        """Return how many channels a query asks for."""
        return int(np.count_nonzero(self.select(parse(text))))

    def nodes(self, tree: str) -> dict[str, int]:
        """Return the nodes of a tree with the number of channels at or below each."""
        return {node: len(rows) for (of, node), rows in sorted(self._rows.items()) if of == tree}

    def _tag(self, text: str, tree: str, node: str, at: int) -> Bits:
        known = self._bits.get((tree, node))
        if known is not None:
            return known
        if tree and tree not in self._trees:
            trees = ", ".join(t for t in self._trees if t)
            raise QueryError(text, at, f"there is no tree '{tree}'; trees: {trees}")
        bits = np.zeros(self.size, dtype=np.bool_)
        for of in [tree] if tree else self._trees:
            rows = self._rows.get((of, node))
            if rows is not None:
                bits[rows] = True
        if len(self._bits) >= _KEPT:
            self._bits.clear()
        self._bits[tree, node] = bits
        return bits


def _collect(pairs: dict[tuple[str, str], list[int]], tree: str, rows: Iterable[tuple[int, str]]) -> None:
    """Enter each row under every node of its path: by name, and by the path down to it."""
    for row, path in rows:
        if not path:
            continue
        parts = path.split("/")
        for depth, part in enumerate(parts, 1):
            pairs.setdefault((tree, part), []).append(row)
            if depth > 1:
                pairs.setdefault((tree, "/".join(parts[:depth])), []).append(row)
