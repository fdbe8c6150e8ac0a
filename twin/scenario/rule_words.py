"""Reading the keys of a rules file: each mistake is one sentence with file, line, key, value and what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from twin.scenario.mistakes import did_you_mean, show_path, show_value
from twin.scenario.yaml_file import KeyPath, Tree

_DURATION = re.compile(r"([0-9]{1,7}) ?(s|min|h|d)\Z")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
DURATION = "a number of s, min, h or d, such as 90 s"


class Page:
    """A YAML file being read; ``problems`` gathers the sentences."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.problems: list[str] = []

    def say(self, path: KeyPath, text: str) -> None:
        """Note a mistake at a key path."""
        marks = self.tree.marks
        while path and path not in marks:
            path = path[:-1]
        self.problems.append(f"{marks.get(path, 'the file')}: {text}")

    def wrong(self, path: KeyPath, value: object, allowed: str) -> None:
        """Note a value that is not allowed."""
        self.say(path, f"{show_path(path) or 'the file'} is {show_value(value)}; allowed: {allowed}")

    def keys(self, path: KeyPath, value: object, known: Collection[str], needed: Sequence[str] = ()) -> Keys | None:
        """Return a mapping's keys, or None where there is no mapping; unknown and missing keys are noted."""
        if not isinstance(value, dict):
            self.wrong(path, value, f"keys and values, such as {', '.join(f'{k}:' for k in list(known)[:4])}")
            return None
        for key in value:
            if key not in known:
                close = did_you_mean(key, known) or f"; allowed: {', '.join(known)}"
                inside = f" in {show_path(path)}" if path else ""
                self.say((*path, key), f"unknown key {show_value(str(key))}{inside}{close}")
        for key in needed:
            if key not in value:
                self.say(path, f"{show_path((*path, key))} is missing")
        return Keys(self, path, value)


class Keys:
    """The keys of one mapping; each reader returns its default where the key is absent or wrong."""

    def __init__(self, page: Page, path: KeyPath, data: Mapping[str, Any]) -> None:
        self.page, self.path, self.data = page, path, data

    def __contains__(self, key: str) -> bool:
        """Whether the key was written."""
        return key in self.data

    def _get(self, key: str, right: Callable[[Any], bool], allowed: str, default: Any) -> Any:
        if key not in self.data:
            return default
        value = self.data[key]
        if right(value):
            return value
        self.page.wrong((*self.path, key), value, allowed)
        return default

    def text(self, key: str, default: str = "") -> str:
        """Return a text of at most 500 characters."""
        value = self._get(
            key, lambda v: isinstance(v, str) and 0 < len(v) <= 500, "a text of 1 to 500 characters", default
        )
        return str(value)

    def number(self, key: str, default: float = 0.0) -> float:
        """Return a finite number."""
        return float(self._get(key, lambda v: _number(v) and abs(v) < 1e15, "a number", default))

    def whole(self, key: str, low: int, high: int, default: int) -> int:
        """Return a whole number within bounds."""
        right = lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high  # noqa: E731
        return int(self._get(key, right, f"a whole number from {low} to {high:,}", default))

    def seconds(self, key: str, default: int = 0) -> int:
        """Return a duration in seconds."""
        value = self._get(key, lambda v: v == 0 or (isinstance(v, str) and bool(_DURATION.match(v))), DURATION, "")
        found = _DURATION.match(value) if isinstance(value, str) else None
        if found is None:
            return 0 if value == 0 else default
        return int(found.group(1)) * _SECONDS[found.group(2)]

    def word(self, key: str, allowed: Sequence[str], default: str) -> str:
        """Return one of a few words."""
        return str(self._get(key, lambda v: isinstance(v, str) and v in allowed, ", ".join(allowed), default))

    def truth(self, key: str) -> bool:
        """Return true or false."""
        return bool(self._get(key, lambda v: isinstance(v, bool), "true or false", False))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        right = lambda v: isinstance(v, list) and all(isinstance(x, str) and x for x in v)  # noqa: E731
        return tuple(self._get(key, right, "a list of texts, such as [grid]", ()))

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return a mapping of texts as sorted pairs."""
        right = lambda v: isinstance(v, dict) and all(isinstance(x, str) and x for x in v.values())  # noqa: E731
        return tuple(sorted(self._get(key, right, "keys and texts, such as {owner: 水务}", {}).items()))

    def inner(self, key: str, known: Collection[str], needed: Sequence[str] = ()) -> Keys | None:
        """Return the keys of a mapping below ``key``, or None."""
        if key not in self.data:
            return None
        return self.page.keys((*self.path, key), self.data[key], known, needed)

    def items(self, key: str, known: Collection[str], needed: Sequence[str] = ()) -> Iterator[Keys]:
        """Yield the mappings of a list below ``key``."""
        for k, value in enumerate(self._get(key, lambda v: isinstance(v, list), "a list", [])):
            found = self.page.keys((*self.path, key, k), value, known, needed)
            if found is not None:
                yield found


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
