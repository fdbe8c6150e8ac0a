"""What supervision of sites needs of a run, or of months without traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twin.clock import Clock
from twin.dice import Dice
from twin.domain.messages import Message
from twin.log import Log

DAY_S = 86_400
DESK = "construction"


@dataclass(frozen=True)
class Env:
    """What supervision needs of a run. ``weekday``: of day 0, Monday is 0. ``wet``: what the weather now says, or None.

    ``tell``: give the desk a message; ``planned``: hears of each day's rows and what they gain (for lorries).
    """

    clock: Clock
    dice: Dice
    log: Log
    start_s: int
    end_s: int
    weekday: int
    tell: Callable[[str, Message], None]
    wet: Callable[[int], bool | None]
    planned: Callable[[int], None]
