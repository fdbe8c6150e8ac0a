"""Facts of faults that a scenario puts into the twin's own machinery: messages, controllers, clocks."""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class FaultBegan(Fact):
    """A fault of the machinery began; ``fault``: its kind, ``desk``: whom it hits, ``cause`` names the intervention."""

    fault: str
    desk: str
    cause: str


@dataclass(frozen=True)
class FaultEnded(Fact):
    """A fault healed; ``fired``: how often it struck in truth (messages, commands, calls)."""

    fault: str
    desk: str
    cause: str
    fired: int
