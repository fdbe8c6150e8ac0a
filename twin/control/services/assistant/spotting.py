"""Finding known words in a question although they are misspelt: exactly, by sound, or with one character wrong.

A word of two characters counts by sound (or looks) if one of them is right; from three on all may be homophones; from
four on one may be missing, from five on one may be any other. Words within a longer word that is there do not count.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twin.control.services.assistant.sounds import look, sound
from twin.control.services.assistant.subjects import Said

LONGEST = 120  # characters of a question that are read
EXACT, BY_SOUND, NEARLY = 1.0, 0.85, 0.75
_TAG = re.compile(r"<[^<>]{0,200}>")
_SCRIPT = re.compile(r"<(script|style)\b.{0,2000}?</\1\s*>", re.IGNORECASE | re.DOTALL)
_NOT_WORD = re.compile(r"[^\w]+|_+")
_BY_LENGTH = (0.0, 0.5, 0.8, 0.92, 1.0)


def plain(question: str) -> str:
    """Return what is read of a question: no tags, no signs, one form of each character, at most LONGEST characters."""
    text = question[: 20 * LONGEST]
    text = html.unescape(_TAG.sub(" ", _SCRIPT.sub(" ", text)))
    return _NOT_WORD.sub("", unicodedata.normalize("NFKC", text).lower())[:LONGEST]


@dataclass(frozen=True)
class Spot:
    """A word that was found: ``said``, as what (``meant`` with strengths), how well (0..1), and where."""

    said: str
    meant: tuple[tuple[str, float], ...]
    how: float
    spans: tuple[tuple[int, int], ...]


class Spotter:
    """Finds the words of a table in questions."""

    def __init__(self, table: Sequence[Said]) -> None:
        self._rows = tuple(table)
        parts = dict.fromkeys(p.lower() for row in self._rows for p in row.parts)
        self._words = tuple((p, sound(p), look(p), frozenset(p)) for p in parts)

    def spots(self, text: str) -> list[Spot]:
        """Return what is found in a text made by :func:`plain`."""
        heard, seen = sound(text), look(text)
        there: dict[str, tuple[float, int]] = {}
        characters = frozenset(text)
        for word, sounds, looks, own in self._words:
            found = _find(word, sounds, looks, own, text, heard, seen, characters)
            if found is not None:
                there[word] = found
        out = []
        for row in self._rows:
            got = [there.get(p.lower()) for p in row.parts]
            if any(g is None for g in got):
                continue
            spans = tuple((g[1], g[1] + len(p)) for g, p in zip(got, row.parts, strict=True) if g)
            long = sum(len(p) for p in row.parts)
            how = min(g[0] for g in got if g) * _BY_LENGTH[min(long, 4)] * (1.05 if len(spans) > 1 else 1.0)
            out.append(Spot("+".join(row.parts), row.meant, how, spans))
        whole = [s for s in out if len(s.spans) == 1]
        return [s for s in out if len(s.spans) > 1 or not any(_within(s, o) for o in whole)]


def _within(a: Spot, b: Spot) -> bool:
    (i, j), (m, n) = a.spans[0], b.spans[0]
    longer = (n - m) > (j - i) and b.how >= 0.9 * a.how
    return m <= i and j <= n and (longer or b.how > a.how + 0.05)  # the same place, but better: 工商 is not 工伤


def _find(
    word: str,
    sounds: str,
    looks: str,
    own: frozenset[str],
    text: str,
    heard: str,
    seen: str,
    characters: frozenset[str],
) -> tuple[float, int] | None:
    """Return how well a word is found, and where; None: not at all."""
    at = text.find(word)
    if at >= 0:
        return EXACT, at
    size = len(word)
    if size < 2:
        return None
    at = heard.find(sounds)
    if at < 0:
        at = seen.find(looks)
    if at >= 0 and (size > 2 or word[0] == text[at] or word[1] == text[at + 1]):
        return BY_SOUND, at
    if size < 4 or len(own & characters) < min(len(own), size) - 1:
        return None
    at = _nearly(word, text)
    return (NEARLY, at) if at >= 0 else None


def _nearly(word: str, text: str) -> int:
    """Return where ``word`` is with one character wrong or missing; -1: nowhere. One half of it must be right."""
    size, half = len(word), len(word) // 2
    for piece, offset in ((word[:half], 0), (word[half:], half)):
        start = text.find(piece)
        if start < 0:
            continue
        begin = max(0, start - offset)
        window = text[begin : begin + size]
        if size > 4 and len(window) == size and sum(a != b for a, b in zip(window, word, strict=True)) == 1:
            return begin
        begin = max(0, start - offset + 1) if offset else start
        short = text[begin : begin + size - 1]
        if len(short) == size - 1 and _one_missing(short, word):
            return begin
    return -1


def _one_missing(short: str, word: str) -> bool:
    """Return whether ``short`` is ``word`` without one of its characters."""
    i = next((i for i, (a, b) in enumerate(zip(short, word, strict=False)) if a != b), len(short))
    return short[i:] == word[i + 1 :]


def strengths(spots: Sequence[Spot]) -> Mapping[str, float]:
    """Return the best strength of each official word."""
    best: dict[str, float] = {}
    for spot in spots:
        for official, strength in spot.meant:
            value = min(1.05, spot.how * strength)
            if value > best.get(official, 0.0):
                best[official] = value
    return best
