"""Commands: what control can ask for. Frozen, typed, JSON-serialisable, each with an idempotency key.

A command with a key that was carried out before has no second effect.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """Base of all commands."""

    key: str


@dataclass(frozen=True)
class Entry(Command):
    """Base of what a desk writes into its own books: it goes nowhere, so it cannot be lost on the way."""


@dataclass(frozen=True)
class WakeAt(Command):
    """Call me again at second ``t_s``, with whatever messages there are then."""

    t_s: int


@dataclass(frozen=True)
class AvoidRoad(Command):
    """Advise drivers (signs, radio, navigation) to avoid a road until ``until_s``; ``reason`` in a few words."""

    road: int
    until_s: int
    reason: str


@dataclass(frozen=True)
class WithdrawAdvice(Command):
    """Tell drivers that a road needs no longer be avoided."""

    road: int


@dataclass(frozen=True)
class SetSpeedLimit(Command):
    """Show a variable speed limit in m/s on a road."""

    road: int
    speed_m_s: float


@dataclass(frozen=True)
class LiftSpeedLimit(Command):
    """Give a road its own limit back."""

    road: int
