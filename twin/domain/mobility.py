"""What every fleet's desk hears and says: roster, legs, telemetry, permits, depots, weather (F21–F26).

A *unit* is one vehicle of a fleet (:func:`twin.domain.ids.unit_number`). Its desk sends it on *legs*: a leg is a
way of road indices, the first of which is the road the unit stands on, and ends at ``pos_m`` of the last. What the
unit does is told by :class:`UnitReport`; where it is, by :class:`Telemetry` (late, lost, wrong).

Energy is in Wh, battery telemetry as state of charge 0..1; ``load`` in the fleet's own measure.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: states of a unit; ``Telemetry.state`` is an index into it. parked: standing by off the lane. serving: loading,
#: handing over, doors open, tipping. halted: minimal-risk stop. manual: the safety driver drives. Append only.
STATES = ("parked", "driving", "serving", "charging", "halted", "manual", "broken")
PARKED, DRIVING, SERVING, CHARGING, HALTED, MANUAL, BROKEN = range(7)

#: what a unit can break; ``harsh braking`` and ``red light`` are moments, the others last. Append only.
VIOLATIONS = ("speeding", "red light", "out of area", "out of hours", "harsh braking", "silence", "no permit")

#: what :attr:`UnitReport.what` can be:
#:   arrived    the leg is over; the unit stands at ``road``/``pos_m``
#:   refused    a command could not be carried out; ``detail`` says why; the unit goes on with what it did
#:   loaded     orders ``items`` are in the unit (delivery); ``missed`` were not there
#:   handed     orders ``items`` were handed over, ``missed`` could not be (``detail``: why)
#:   returned   orders ``items`` were unloaded at the depot
#:   doors      the doors are closed again: bookings ``items`` got on, ``left`` got off, ``missed`` did not come
#:   charged    charging ended
#:   serviced   tipping or filling ended (sanitation)
#:   swept      the road of a sweep leg was swept: ``items`` are roads
#:   halted     minimal-risk stop; ``detail``: cause
#:   resumed    it goes on
#:   help       it needs a remote operator; ``detail``: cause
#:   assisted   the operator is done; ``detail`` "solved" or "fetch"
#:   broken     it broke down, or the crew took it; ``items`` = orders or bookings aboard
#:   repaired   it is fit again at its home; ``items`` = orders the recovery crew brought back to the depot
REPORTS = (
    "arrived", "refused", "loaded", "handed", "returned", "doors", "charged", "serviced", "swept", "halted",
    "resumed", "help", "assisted", "broken", "repaired",
)  # fmt: skip


# -- messages ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Roster(Message):
    """The units of a desk, told once at its start: equal-length columns.

    ``capacity`` in the measure of ``load``; ``battery_wh`` full; ``use_wh_m`` and ``idle_w`` consumption;
    ``reserve``: state of charge that must not be gone below; ``speed_m_s``: the fastest it drives;
    ``home``: place id of its depot, at ``road``/``pos_m``; ``test_h``/``test_km``: test driving done before.
    """

    fleet: str
    unit: Ints
    capacity: Ints
    battery_wh: Floats
    charge: Floats
    use_wh_m: Floats
    idle_w: Floats
    reserve: Floats
    speed_m_s: Floats
    home: tuple[str, ...]
    road: Ints
    pos_m: Floats
    test_h: Floats
    test_km: Floats


@dataclass(frozen=True)
class Places(Message):
    """Places a desk works with, told once: depots, chargers, stops, lockers, tips, water points … (``kind``).

    ``x_m``/``y_m``: local metres; ``size``: docks, chargers, locker slots … by kind; open in [from_s, until_s) of
    each day.
    """

    kind: str
    place: tuple[str, ...]
    name: tuple[str, ...]
    road: Ints
    pos_m: Floats
    x_m: Floats
    y_m: Floats
    size: Ints
    from_s: Ints
    until_s: Ints


@dataclass(frozen=True)
class PlaceChanged(Message):
    """A depot, charger … closed or opened outside its plan, or has fewer working parts (``size``)."""

    place: str
    kind: str
    open: bool
    size: int


@dataclass(frozen=True)
class TravelTimes(Message):
    """Present travel times published by the cloud control platform, seconds per road of the RoadMap."""

    time_s: Floats


@dataclass(frozen=True)
class WeatherReport(Message):
    """The weather as the weather service tells it."""

    weather: str
    rain_mm_h: float
    visibility_m: float


@dataclass(frozen=True)
class PermitIssued(Message):
    """Units of a fleet may drive on ``roads`` (F26), between ``from_s`` and ``until_s`` of each day.

    At most ``speed_m_s``.

    Valid in [valid_from_s, valid_until_s) of the run. ``unit`` empty: every unit of the fleet. ``purpose``:
    test, goods, passengers, cleaning. Units need ``min_test_h`` hours or ``min_test_km`` before ``purpose`` is
    allowed; until then they may only test.
    """

    permit: str
    fleet: str
    purpose: str
    unit: Ints
    roads: Ints
    from_s: int
    until_s: int
    speed_m_s: float
    valid_from_s: int
    valid_until_s: int
    min_test_h: float
    min_test_km: float


@dataclass(frozen=True)
class PermitWithdrawn(Message):
    """A permit no longer holds."""

    permit: str
    reason: str


@dataclass(frozen=True)
class Telemetry(Message):
    """What units sent since the last time, as it came in: equal-length columns, may be late, lost, repeated or wrong.

    ``sent_s``: the unit's clock when it was sent; ``speed_m_s`` then; ``top_speed_m_s``, ``braking_m_s2``
    (positive), ``red_lights``: highest, hardest, number since the last sending; ``state``: index into STATES;
    ``odometer_m``; ``battery`` 0..1.
    """

    unit: Ints
    sent_s: Ints
    road: Ints
    pos_m: Floats
    speed_m_s: Floats
    top_speed_m_s: Floats
    braking_m_s2: Floats
    red_lights: Ints
    battery: Floats
    load: Ints
    state: Ints
    odometer_m: Floats


@dataclass(frozen=True)
class UnitReport(Message):
    """Something a unit did or met.

    ``what`` is one of REPORTS. ``items``/``left``/``missed``: orders, bookings or roads.
    """

    unit: int
    what: str
    road: int
    pos_m: float
    battery: float
    load: int
    items: Ints
    left: Ints
    missed: Ints
    detail: str


@dataclass(frozen=True)
class Instruction(Message):
    """The supervision platform tells a desk what it ordered a unit to do: warn, slow (to ``speed_m_s``), stop.

    Release.
    """

    unit: int
    what: str
    speed_m_s: float
    reason: str


# -- commands ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DriveTo(Command):
    """Send a unit on a leg along ``roads`` to ``pos_m`` of the last; ``speed_m_s`` is the most it may drive.

    A parked unit sets out from where it stands (``roads[0]`` is that road; one road alone means moving along the
    kerb). A unit under way joins the new way at the first road of it that lies before it, or finds its own way
    to the end if none does. ``task``: a word for people ("collect", "deliver", "home", "sweep", "stop" …);
    sanitation units sweep on legs whose task is "sweep".
    """

    unit: int
    roads: Ints
    pos_m: float
    speed_m_s: float
    task: str


@dataclass(frozen=True)
class HaltUnit(Command):
    """Order a unit to a safe stop as soon as it can."""

    unit: int
    reason: str


@dataclass(frozen=True)
class ResumeUnit(Command):
    """Let a halted unit go on with its leg."""

    unit: int


@dataclass(frozen=True)
class LimitUnitSpeed(Command):
    """Limit a unit's speed; -1 lifts the limit."""

    unit: int
    speed_m_s: float


@dataclass(frozen=True)
class ChargeUnit(Command):
    """Let a unit charge at the place where it stands, up to a state of charge ``charge``."""

    unit: int
    charge: float


@dataclass(frozen=True)
class AssistUnit(Command):
    """Let a remote operator turn to a unit that asked for help."""

    unit: int
    operator: int


@dataclass(frozen=True)
class FetchUnit(Command):
    """Send the recovery crew for a unit that is out and must not drive, as no permit holds: it is carried home.

    The crew takes it once it stands, wherever that is; a unit that has come home meanwhile is left alone. Reported
    as "broken" (``detail``: ``reason``) and, when it stands at home with what it had aboard, as "repaired".
    """

    unit: int
    reason: str
