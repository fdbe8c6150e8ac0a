"""Replay: feed the recorded messages of a run to other control code, and show where the decisions differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.control.ports import Controller
from twin.domain.wire import encode
from twin.errors import ScenarioError
from twin.hosts import read_journal
from twin.scenario.mistakes import did_you_mean


@dataclass(frozen=True)
class Difference:
    """One call that was answered differently: what only the recorded controller said, and what only the other."""

    now_s: int
    only_then: tuple[dict[str, Any], ...]
    only_now: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Replay:
    """What a replay found. ``error``: the second and words where the other controller failed."""

    desk: str
    calls: int
    messages: int
    commands: int
    differences: tuple[Difference, ...]
    error: str = ""

    @property
    def same(self) -> bool:
        """Whether every call was answered alike."""
        return not self.differences and not self.error


def journals(folder: Path) -> dict[str, Path]:
    """Return the journals of a run folder by desk. ScenarioError where it holds none."""
    found = {f.stem: f for f in sorted((folder / "journal").glob("*.jsonl"))}
    if not found:
        raise ScenarioError(f"{folder}: holds no journal of a desk")
    return found


def replay(folder: Path, desk: str, factory: Callable[[], Controller], most: int = 1000) -> Replay:
    """Feed what a desk was told in a run to another controller; at most ``most`` differences are kept.

    The world is not there: what the other would have changed by its decisions is not seen, so the first difference is
    exact, and later ones are answers to the messages that the recorded controller got.
    """
    known = journals(folder)
    if desk not in known:
        raise ScenarioError(
            f"{folder}: no journal of '{desk}'{did_you_mean(desk, known)}; there are {', '.join(known)}"
        )
    other = factory()
    calls = messages = commands = 0
    differences: list[Difference] = []
    for now_s, told, said in read_journal(known[desk]):
        calls, messages, commands = calls + 1, messages + len(told), commands + len(said)
        try:
            answer = list(other.decide(now_s, told))
        except Exception as error:
            words = f"at {now_s} s: {type(error).__name__}: {error}"
            return Replay(desk, calls, messages, commands, tuple(differences), words)
        then, now = [encode(c) for c in said], [encode(c) for c in answer]
        if then != now and len(differences) < most:
            differences.append(
                Difference(now_s, tuple(c for c in then if c not in now), tuple(c for c in now if c not in then))
            )
    return Replay(desk, calls, messages, commands, tuple(differences))
