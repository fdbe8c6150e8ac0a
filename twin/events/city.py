"""Facts of the run, its people, its traffic and the roads."""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class RunStarted(Fact):
    """A run began, with these inputs."""

    scenario: str
    seed: int
    city: str
    traffic: str
    residents: int


@dataclass(frozen=True)
class RunEnded(Fact):
    """A run ended; ``reason`` is 'finished' or 'interrupted'."""

    reason: str


@dataclass(frozen=True)
class DayPlanned(Fact):
    """Residents decided on their day: how many people, how many trips, per mode of the main trip."""

    day: int
    weekend: bool
    people: int
    trips: int


@dataclass(frozen=True)
class TripStarted(Fact):
    """A resident set out. ``planned_s`` is when it was meant to be; ``vehicle`` is 0 unless by car."""

    resident: int
    trip: int
    mode: int
    purpose: int
    origin: int
    destination: int
    vehicle: int
    planned_s: int
    due_s: int
    distance_m: float
    expected_s: float


@dataclass(frozen=True)
class TripEnded(Fact):
    """A resident reached the destination. ``duration_s`` is from setting out; ``late_s`` against the due time."""

    resident: int
    trip: int
    mode: int
    purpose: int
    duration_s: int
    late_s: int


@dataclass(frozen=True)
class TripRefused(Fact):
    """A trip did not happen or ended early; ``reason`` says why (no route, removed, no bus …)."""

    resident: int
    trip: int
    mode: int
    reason: str


@dataclass(frozen=True)
class TripUnderWay(Fact):
    """At the end of the run a resident was still travelling."""

    resident: int
    trip: int
    mode: int


@dataclass(frozen=True)
class HabitChanged(Fact):
    """After being late, a resident will leave ``shift_s`` earlier, or take another mode, on later days."""

    resident: int
    mode: int
    shift_s: int
    late_s: int


@dataclass(frozen=True)
class VehicleEntered(Fact):
    """A vehicle that is no resident's car (through traffic, freight, bus …) or a resident's car entered the roads."""

    vehicle: int
    kind: str
    road: int


@dataclass(frozen=True)
class VehicleArrived(Fact):
    """A vehicle reached the end of its route."""

    vehicle: int
    kind: str
    duration_s: int


@dataclass(frozen=True)
class VehicleRefused(Fact):
    """A vehicle could not be let in: no route, or its roads were closed."""

    vehicle: int
    kind: str
    reason: str


@dataclass(frozen=True)
class VehicleTeleported(Fact):
    """SUMO moved a vehicle that had been stuck too long; a defect of the model that is counted."""

    vehicle: int
    kind: str


@dataclass(frozen=True)
class VehicleRemoved(Fact):
    """A vehicle was taken off the road before its end."""

    vehicle: int
    kind: str
    reason: str


@dataclass(frozen=True)
class VehicleUnderWay(Fact):
    """At the end of the run a vehicle was still on the road or waiting to enter."""

    vehicle: int
    kind: str


@dataclass(frozen=True)
class VehicleRerouted(Fact):
    """A vehicle under way got a new route; ``cause`` says why (closure, advice …)."""

    vehicle: int
    kind: str
    cause: str
    extra_s: float


@dataclass(frozen=True)
class BusStopped(Fact):
    """A bus stood at a stop (a row of ``city.places``): who got on and off, and how many are aboard when it leaves."""

    vehicle: int
    place: str
    line: str
    boarded: int
    alighted: int
    aboard: int


@dataclass(frozen=True)
class StopSkipped(Fact):
    """A vehicle will drive past a stop on ``road``: no lane there is open to it. ``place`` "": it is no bus stop."""

    vehicle: int
    road: int
    place: str
    reason: str


@dataclass(frozen=True)
class BusMissed(Fact):
    """A resident waiting at a stop could not board a bus because it was full."""

    resident: int
    vehicle: int
    place: str


@dataclass(frozen=True)
class RoadClosed(Fact):
    """A road was closed. ``cause`` names the intervention."""

    road: int
    cause: str


@dataclass(frozen=True)
class RoadReopened(Fact):
    """A closed road was opened again."""

    road: int
    cause: str


@dataclass(frozen=True)
class LaneClosed(Fact):
    """One lane (0 = rightmost) of a road was closed."""

    road: int
    lane: int
    cause: str


@dataclass(frozen=True)
class LaneReopened(Fact):
    """A closed lane was opened again."""

    road: int
    lane: int
    cause: str


@dataclass(frozen=True)
class SpeedLimitSet(Fact):
    """``cause`` set or lifted a limit: ``speed_m_s`` holds on the road now, the least of all; -1: its own is back."""

    road: int
    speed_m_s: float
    cause: str


@dataclass(frozen=True)
class WeatherChanged(Fact):
    """The weather changed; ``speed_factor`` is its effect on free speeds, ``rain_mm_h`` its intensity."""

    weather: str
    rain_mm_h: float
    speed_factor: float


@dataclass(frozen=True)
class DemandChanged(Fact):
    """An intervention changed demand: ``kind`` of traffic, ``factor`` on its volume."""

    kind: str
    factor: float
    cause: str


@dataclass(frozen=True)
class EventHeld(Fact):
    """An event drew visitors to a place."""

    place: str
    people: int
    cause: str


@dataclass(frozen=True)
class DetectorRead(Fact):
    """Perception: a road detector reported the interval that just ended."""

    road: int
    count: int
    speed_m_s: float
    occupancy: float


@dataclass(frozen=True)
class ClosureReported(Fact):
    """Perception: somebody told traffic control that a road is closed (or open again)."""

    road: int
    closed: bool


@dataclass(frozen=True)
class ControllerDecided(Fact):
    """A controller was given messages and answered with commands; the journal holds both."""

    controller: str
    messages: int
    commands: int


@dataclass(frozen=True)
class AdviceFollowed(Fact):
    """Rerouting advice went out for a road; of the ``people`` heading there, ``followed`` took it."""

    road: int
    people: int
    followed: int


@dataclass(frozen=True)
class GateCrossed(Fact):
    """A vehicle of the whole district entered the area of a zoom by ``road``, or began inside it."""

    vehicle: int
    road: int
