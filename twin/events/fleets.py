"""Facts of fleets: what the units (autonomous buses, delivery and sanitation robots, couriers) did and suffered.

``unit`` see :mod:`twin.domain.ids`; ``state`` is one of :data:`twin.domain.mobility.STATES`; ``battery`` is the
state of charge, 0..1; ``load`` in the fleet's own measure (passengers, parcels, litres of litter).
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class UnitDeployed(Fact):
    """A unit stood ready at its home at the start of the run; ``capacity`` in the measure of its load.

    ``model``: its kind, a key of ``twin.world.fleets.models.MODELS`` (robot, trike, van, minibus, sweeper …).
    """

    unit: int
    fleet: str
    model: str
    road: int
    pos_m: float
    capacity: int
    battery: float


@dataclass(frozen=True)
class UnitDeparted(Fact):
    """A unit set out on a leg as ``vehicle`` to ``to_road``.

    ``task`` says what for, ``expected_s`` how long it should take.
    """

    unit: int
    vehicle: int
    task: str
    road: int
    to_road: int
    distance_m: float
    expected_s: float


@dataclass(frozen=True)
class UnitArrived(Fact):
    """A unit ended a leg; ``late_s`` against what was expected when it set out."""

    unit: int
    vehicle: int
    task: str
    road: int
    distance_m: float
    late_s: int


@dataclass(frozen=True)
class UnitOnRoad(Fact):
    """A unit came to another road on its leg, at a second between two ticks."""

    unit: int
    road: int


@dataclass(frozen=True)
class UnitChanged(Fact):
    """The state, charge or load of a unit changed; where it was then (``pos_m`` along ``road``)."""

    unit: int
    state: str
    battery: float
    load: int
    road: int
    pos_m: float


@dataclass(frozen=True)
class UnitHalted(Fact):
    """A unit came to a minimal-risk stop; ``cause`` says why (rain, fog, blocked lane, lost link, order …)."""

    unit: int
    cause: str
    road: int
    pos_m: float


@dataclass(frozen=True)
class UnitResumed(Fact):
    """A halted unit went on after ``waited_s``; ``cause`` says thanks to what."""

    unit: int
    cause: str
    waited_s: int


@dataclass(frozen=True)
class UnitRefused(Fact):
    """A unit could not carry out a command; ``reason`` says why."""

    unit: int
    reason: str


@dataclass(frozen=True)
class UnitBroke(Fact):
    """A unit is out of service, in truth; ``cause`` names the intervention, 'wear', or why the crew fetched it."""

    unit: int
    cause: str
    road: int


@dataclass(frozen=True)
class UnitRepaired(Fact):
    """A broken unit was fit again, at its home."""

    unit: int
    waited_s: int


@dataclass(frozen=True)
class LinkLost(Fact):
    """The radio link of a unit was lost; telemetry and commands do not get through."""

    unit: int
    cause: str


@dataclass(frozen=True)
class LinkRestored(Fact):
    """The radio link of a unit was back."""

    unit: int


@dataclass(frozen=True)
class UnitCharged(Fact):
    """A unit had charged ``energy_wh`` at a charger of ``place`` for ``duration_s``.

    After waiting ``waited_s`` for one.
    """

    unit: int
    place: str
    energy_wh: float
    duration_s: int
    waited_s: int


@dataclass(frozen=True)
class ChargerFailed(Fact):
    """Chargers of a place stopped working; ``chargers`` are left."""

    place: str
    chargers: int
    cause: str


@dataclass(frozen=True)
class DepotShut(Fact):
    """A depot closed, outside its plan; units there cannot load or charge."""

    place: str
    cause: str


@dataclass(frozen=True)
class DepotOpened(Fact):
    """A shut depot opened again."""

    place: str
    cause: str


@dataclass(frozen=True)
class ReserveBroken(Fact):
    """A unit's charge fell below its reserve; outside a recorded fault this must not happen."""

    unit: int
    battery: float


@dataclass(frozen=True)
class AssistBegan(Fact):
    """A remote operator turned to a unit that had asked for help ``waited_s`` ago."""

    unit: int
    operator: int
    cause: str
    waited_s: int


@dataclass(frozen=True)
class AssistEnded(Fact):
    """A remote operator had helped a unit; ``solved`` False: it must be fetched."""

    unit: int
    operator: int
    duration_s: int
    solved: bool


@dataclass(frozen=True)
class UnitsUnderWay(Fact):
    """At the end of the run a unit was out: in which state, with how much load."""

    unit: int
    state: str
    load: int
