"""Facts of junctions: their grades, what their signals showed, delays, priority, lost links (F19, F20).

``junction`` is the row of a junction in this run; :class:`JunctionGraded` tells its name. ``phase``: row within the
junction.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class JunctionGraded(Fact):
    """At the start: a junction with signals, by its ``name``, and its ``grade`` L0 to L3 (F19); local metres."""

    junction: int
    name: str
    grade: str
    x_m: float
    y_m: float


@dataclass(frozen=True)
class PhasesShown(Fact):
    """In the ``period_s`` before, these phases turned green: ``phase@second`` of the period, parted by spaces.

    What was green when the run began counts as turned green in its second 0.
    """

    junction: int
    period_s: int
    shown: str


@dataclass(frozen=True)
class ApproachDelayed(Fact):
    """In the ``period_s`` before, vehicles on a road towards a signal lost ``delay_veh_s``; so many passed."""

    junction: int
    road: int
    period_s: int
    delay_veh_s: float
    passed_veh: float


@dataclass(frozen=True)
class SignalsFellBack(Fact):
    """A junction went back to its own plan: central control's order ran out; ``reason``: link lost, or no order."""

    junction: int
    reason: str


@dataclass(frozen=True)
class SignalsTaken(Fact):
    """Central control took a junction in hand (again)."""

    junction: int


@dataclass(frozen=True)
class SignalLinkChanged(Fact):
    """The data link of a junction was lost, or came back."""

    junction: int
    up: bool


@dataclass(frozen=True)
class PriorityAsked(Fact):
    """A vehicle asked for priority at a junction (SRM), ``eta_s`` before the stop line; ``kind`` of vehicle."""

    vehicle: int
    kind: str
    junction: int
    eta_s: float


@dataclass(frozen=True)
class PriorityAnswered(Fact):
    """A request was answered (SSM): processing, granted, rejected or reserviceLocked."""

    vehicle: int
    junction: int
    answer: str


@dataclass(frozen=True)
class SignalPassed(Fact):
    """A bus, shuttle or emergency vehicle passed a signal; ``delay_s``: over free flow, halts at stops left out.

    ``distance_m``: length it was timed over; ``halted_s``: at stops; ``granted``: it was given priority here.
    """

    vehicle: int
    kind: str
    junction: int
    road: int
    delay_s: float
    halted_s: float
    distance_m: float
    granted: bool


@dataclass(frozen=True)
class SignalsChecked(Fact):
    """The monitor saw all seconds of a run without an unsafe one: ``junctions`` × ``seconds``, ``turns`` of states."""

    junctions: int
    seconds: int
    turns: int
    refused: int
