"""What signal control and the cloud control platform hear and say (F19, F20, F27), as columns over all junctions.

Rows: *junctions* are the rows of ``SignalMap.junction``; *groups* (SAE J2735 signal groups), *lanes* (approach lanes),
*links* (lane to lane across a junction) and *phases* are rows of one table each over all junctions, in order of
their junction. A *state* is a string with one letter per group of a junction, as in SUMO: ``G`` green, ``g`` green
that gives way, ``y`` yellow, ``r`` red, ``u`` red and yellow.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: grades of a junction (F19); ``SignalMap.grade`` is an index into it. L0 fixed plans; L1 loops, actuated control, SPAT
#: and MAP; L2 roadside perception, adaptive control; L3 cooperative control. Append only.
GRADES = ("L0", "L1", "L2", "L3")

#: who runs a junction just now; ``SignalStates.mode`` is an index into it. Append only.
MODES = ("plan", "central")
PLAN, CENTRAL = range(2)


#: roles of vehicles that ask for priority (SAE J2735 BasicVehicleRole). Append only.
ROLES = ("public_transport", "emergency")
PUBLIC_TRANSPORT, EMERGENCY = range(2)

#: answers to a request (SAE J2735 PrioritizationResponseStatus); ``SignalStatus.status``. Append only.
STATUSES = ("processing", "granted", "rejected", "reserviceLocked")
PROCESSING, GRANTED, REJECTED, LOCKED = range(4)


# -- messages ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignalMap(Message):
    """The signalised junctions, told once at the start (MAP, SAE J2735 / ETSI TS 103 301).

    junction: name, ``grade`` (index into GRADES), position in local metres.
    group: its junction, its place in the state (0..), whether pedestrians use it.
    lane: approach lanes: junction, road index, number from the kerb (0..), length, speed limit.
    link: group, lane (-1: pedestrians), road it leads to (-1: pedestrians).
    feed: ``feed_share`` of what leaves lane ``feed_lane`` comes to lane ``feed_to`` (of the next signal): a guess.
    conflict: ordered pairs of groups of one junction whose ways cross. ``conflict_yields``: 1 where the first gives
    way to the second, so that both may be green while the first shows ``g``. ``conflict_clear_s``: at least this
    many seconds from the end of the first one's green to the start of the second one's.
    phase: junction, state, length in the junction's own plan, least and most green, all in whole seconds.
    change: from phase, to phase, and the steps between as ``"state:seconds state:seconds"`` ("" for none).
    ``offset_s``: second at which the own plan's first phase of a junction turns green (mod its cycle).
    ``yellow_s``: least yellow of each group (0 for pedestrians, and where the city's own program shows none).
    """

    junction: tuple[str, ...]
    grade: Ints
    x_m: Floats
    y_m: Floats
    offset_s: Ints
    group_junction: Ints
    group_place: Ints
    group_walk: Ints
    yellow_s: Ints
    lane_junction: Ints
    lane_road: Ints
    lane_number: Ints
    lane_length_m: Floats
    lane_speed_m_s: Floats
    link_group: Ints
    link_lane: Ints
    link_to_road: Ints
    feed_lane: Ints
    feed_to: Ints
    feed_share: Floats
    conflict_a: Ints
    conflict_b: Ints
    conflict_yields: Ints
    conflict_clear_s: Ints
    phase_junction: Ints
    phase_state: tuple[str, ...]
    phase_green_s: Ints
    phase_min_s: Ints
    phase_max_s: Ints
    change_from: Ints
    change_to: Ints
    change_steps: tuple[str, ...]


@dataclass(frozen=True)
class SignalStates(Message):
    """What the cabinets of ``junction`` (rows) show (SPAT): equal-length columns.

    ``phase``: the phase that is green, or the last one that was; ``to_phase``: the same, or the one being changed to;
    ``since_s``: when its green, or the change, began; ``mode``: index into MODES.
    """

    junction: Ints
    phase: Ints
    to_phase: Ints
    since_s: Ints
    mode: Ints


@dataclass(frozen=True)
class ApproachReadings(Message):
    """What detectors and roadside units of ``junction`` (rows) perceived at ``seen_s``, as sparse columns over lanes.

    Only lanes with something to tell are listed; the other lanes of these junctions are empty. ``queue``: standing
    vehicles; ``moving``: driving ones within range; ``waiting_s``: longest time one of them has stood;
    ``gap_s``: seconds since a vehicle crossed the stop line or stood on its loop; ``passed``: vehicles that crossed
    the stop line since the last reading. nan: not known (a dead detector, or none of that kind); ``waiting_s`` and
    ``gap_s`` may be left out as a whole (empty): nobody measures them.
    ``object_lane``, ``object_eta_s``: the moving vehicles one by one, with the time in which they would reach the
    stop line undisturbed (columns of an RSM, roadside perception; empty where there are loops only).
    """

    seen_s: int
    junction: Ints
    lane: Ints
    queue: Floats
    moving: Floats
    waiting_s: Floats
    gap_s: Floats
    passed: Floats
    object_lane: Ints
    object_eta_s: Floats


@dataclass(frozen=True)
class LinkStatus(Message):
    """The data links of ``junction`` (rows) were lost (0) or are there again (1)."""

    junction: Ints
    up: Ints


@dataclass(frozen=True)
class SignalRules(Message):
    """How signals are to be controlled, told once at the start; s.

    ``interval_s``: between two decisions; ``hold_s``: how long an order holds; ``stale_s``: how old what is told may
    be; ``plan_every_s``: between two plans of a plan policy; ``priority``: roles (indices of ROLES) that may have it;
    ``extend_s``: most seconds a green is held beyond its plan for them; ``again_s``: least between two priorities of
    one junction for public transport.
    """

    interval_s: int
    hold_s: int
    stale_s: int
    plan_every_s: int
    priority: Ints
    extend_s: int
    again_s: int


@dataclass(frozen=True)
class SignalRequest(Message):
    """Vehicles ask for priority (SRM, SAE J2735), as equal-length columns; asked anew as they come nearer.

    ``vehicle``; ``junction`` (row); ``lane``: approach lane (row) that it is on; ``to_road``: where it goes (-1: not
    told); ``role``: index into ROLES; ``eta_s``: seconds to the stop line, undisturbed; ``done``: 1 where it has passed
    the stop line or asks no longer (priorityCancellation).
    """

    vehicle: Ints
    junction: Ints
    lane: Ints
    to_road: Ints
    role: Ints
    eta_s: Floats
    done: Ints


# -- commands ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShowPhases(Command):
    """Let the cabinets of ``junction`` (rows) show ``phase`` (rows), from now until ``until_s``: equal-length columns.

    A cabinet that shows the phase keeps it; another one changes to it at once, by way of yellow and clearance.
    The order runs out at ``until_s``: a cabinet that hears nothing more goes back to its own plan, without a jump.
    """

    junction: Ints
    phase: Ints
    until_s: int


@dataclass(frozen=True)
class SetPlans(Command):
    """Give the cabinets of ``junction`` (rows) a new own plan: ``offset_s`` beside them.

    ``phase`` and ``green_s`` say how long each phase of these junctions is green; 0 leaves a phase out.
    """

    junction: Ints
    offset_s: Ints
    phase: Ints
    green_s: Ints


@dataclass(frozen=True)
class SignalStatus(Command):
    """Answer requests (SSM, SAE J2735): equal-length columns; ``status``: index into STATUSES."""

    vehicle: Ints
    junction: Ints
    status: Ints
