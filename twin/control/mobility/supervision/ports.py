"""What the safety supervision platform asks a policy: what to do next about a unit that breaks rules (F21).

A policy is a pure function of the case file it is shown. It is asked whenever something about an open case may have
changed, at least every ``LOOK_S`` seconds while one is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

#: what has been done last in a case
Level = Literal["opened", "warned", "slowed", "stopped", "released"]
#: what can be done: nothing yet, warn the unit and its desk, limit its speed, order it to a safe stop, let it go on
#: after a stop, close the case
Do = Literal["wait", "warn", "slow", "stop", "release", "close"]
DO: tuple[Do, ...] = ("wait", "warn", "slow", "stop", "release", "close")


@dataclass(frozen=True)
class Breach:
    """A rule broken: ``violation`` is one of VIOLATIONS, since when by the data, found when; ``ongoing`` still."""

    violation: str
    since_s: int
    found_s: int
    ongoing: bool


@dataclass(frozen=True)
class CaseView:
    """A case file: what a unit broke, what was done about it last and when.

    ``level_s``: when that was, or when it was last warned; ``quiet_s``: for how long nothing has been found any more
    (0 while something is going on); ``unwarned``: breaches it was not warned of yet; ``recent``: breaches of this
    unit in the last hour, those of closed cases included; ``news``: breaches found since it was last slowed, stopped
    or released; ``limit_m_s``: the fastest it may drive now, by its permits or else by the road.
    """

    unit: int
    case: str
    now_s: int
    level: Level
    level_s: int
    breaches: tuple[Breach, ...]
    unwarned: int
    recent: int
    news: int
    quiet_s: int
    limit_m_s: float


@dataclass(frozen=True)
class Step:
    """What to do; ``speed_m_s`` where it is "slow"."""

    do: Do
    speed_m_s: float = 0.0


class Ladder(Protocol):
    """How far and how fast to go up: the part of the platform that people swap."""

    def step(self, case: CaseView) -> Step:
        """Say what to do about a case now."""
