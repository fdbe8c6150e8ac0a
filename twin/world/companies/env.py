"""What the parts of the company side need of a run: clock, dice, log, and a way to tell the desks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twin.clock import Clock, Phase
from twin.dice import Dice
from twin.domain.messages import Message
from twin.log import Log

DAY_S = 86_400
POLICIES, CLIMATE, PLANS = "policies", "climate", "plans"


@dataclass(frozen=True)
class Env:
    """What this needs of a run; ``weekday`` of day 0 (Monday 0); ``tell``: give a desk a message."""

    clock: Clock
    dice: Dice
    log: Log
    end_s: int
    weekday: int
    tell: Callable[[str, Message], None]

    def at(self, t_s: int, phase: Phase, action: Callable[[], None]) -> None:
        """Let something happen at a second, if that is still to come and within the run."""
        if self.clock.now_s <= t_s < self.end_s:
            self.clock.at(t_s, phase, action)
