"""V2X messages with ETSI/SAE names, as objects (F20, F27); many of one kind travel as one object of columns.

=========== ============== ===================== ==================================================================
here        ETSI           SAE J2735 / China     source
=========== ============== ===================== ==================================================================
CamBatch    CAM            BSM                   ETSI EN 302 637-2, T/CSAE 53-2020
Mapem       MAPEM          MAP                   ETSI TS 103 301, ISO/TS 19091
Spatem      SPATEM         SPAT                  ETSI TS 103 301, ISO/TS 19091
DenmBatch   DENM           RSI (roadside info)   ETSI EN 302 637-3, T/CSAE 53-2020
CpmBatch    CPM            RSM (roadside safety) ETSI TS 103 324, T/CSAE 53-2020
=========== ============== ===================== ==================================================================

``SignalMap`` and ``SignalStates`` (:mod:`twin.domain.junctions`) are the same MAP and SPAT for a whole district, as
control needs them; requests and answers about priority (SREM, SSEM) are there, too. Times of generation are
milliseconds since midnight of the first day (``_ms``); positions are local metres; headings are degrees from north,
clockwise. A *station* is the number of a vehicle or, below zero, −1 − the row of a junction's roadside unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: what roadside perception or a vehicle can tell of; ``kind`` of an object or hazard is an index into it. Append only
OBJECT_KINDS = ("vehicle", "person", "stopped_vehicle")
VEHICLE, PERSON, STOPPED = range(3)

#: DENM cause codes by kind of hazard (ETSI EN 302 637-3 table 10: 12 human presence on the road, 94 stationary vehicle)
CAUSE_CODES = {PERSON: 12, STOPPED: 94}

#: SAE J2735 MovementPhaseState by letter of a signal state, as in SUMO
EVENT_STATES = {
    "G": "protected-Movement-Allowed",
    "g": "permissive-Movement-Allowed",
    "y": "protected-clearance",
    "Y": "protected-clearance",
    "u": "pre-Movement",
    "r": "stop-And-Remain",
}

#: states of the link to a junction in the cloud's picture. Append only
PICTURE_STATES = ("live", "stale", "lost")
LIVE, STALE, LOST = range(3)


# -- messages ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CamBatch(Message):
    """Cooperative awareness messages of connected vehicles that roadside units received: equal-length columns.

    ``rsu``: row of the junction whose unit heard it; ``generated_ms``: when the vehicle made it; ``road``/``pos_m``:
    map matched (-1: not matched); ``to_road``: the road it will take after this one (-1: not told; BSM and CAM do not
    hold it, it comes with VIR/SREM or map matching of the route, T/CSAE 157-2020).
    """

    station: Ints
    rsu: Ints
    generated_ms: Ints
    x_m: Floats
    y_m: Floats
    speed_m_s: Floats
    heading_deg: Floats
    length_m: Floats
    road: Ints
    pos_m: Floats
    to_road: Ints


@dataclass(frozen=True)
class CpmBatch(Message):
    """What roadside units perceive themselves: objects that need no radio (CPM, RSM): equal-length columns.

    ``object``: number of the object, the same as long as it is followed; ``kind``: index into OBJECT_KINDS;
    ``road``/``lane``/``pos_m``: map matched; ``lane`` from the kerb (-1: not on a road, or not known).
    """

    rsu: Ints
    object: Ints
    kind: Ints
    generated_ms: Ints
    x_m: Floats
    y_m: Floats
    speed_m_s: Floats
    heading_deg: Floats
    length_m: Floats
    road: Ints
    lane: Ints
    pos_m: Floats


@dataclass(frozen=True)
class DenmBatch(Message):
    """Decentralised environmental notifications as they were received: equal-length columns (DENM, RSI).

    ``hazard``: number of the event (actionID); ``cause_code``: ETSI EN 302 637-3; ``relevance_m``: radius in which it
    matters; ``until_s``: end of validity.
    """

    rsu: Ints
    hazard: Ints
    cause_code: Ints
    detected_ms: Ints
    x_m: Floats
    y_m: Floats
    relevance_m: Floats
    until_s: Ints


@dataclass(frozen=True)
class Mapem(Message):
    """The map of one intersection as it is broadcast (MAPEM): lanes, their nodes, where they lead, signal groups.

    ``lane``: laneID 1 … 255; ``approach``: its approach; ``ingress``: 1 into, 0 out of the intersection.
    ``node_lane``, ``node_x_m``, ``node_y_m``: points of lanes from the stop line outwards, offsets from the reference
    point. ``connect_lane``, ``connect_to``, ``connect_group``: from lane, to lane, signal group 1 … 255.
    """

    intersection: int
    name: str
    revision: int
    lon: float
    lat: float
    lane: Ints
    approach: Ints
    ingress: Ints
    node_lane: Ints
    node_x_m: Floats
    node_y_m: Floats
    connect_lane: Ints
    connect_to: Ints
    connect_group: Ints


@dataclass(frozen=True)
class Spatem(Message):
    """Signal phase and timing of one intersection as it is broadcast (SPATEM): equal-length columns over groups.

    ``group``: 1 … 255; ``state``: letters as in ``SignalStates``, one per group, as one text; ``min_end_ms``,
    ``max_end_ms``, ``likely_ms``: when the present state ends, since midnight of the first day (nan: not known);
    ``confidence``: of ``likely_ms``, 0 … 1; ``speed_m_s``: advisory speed (nan: none).
    """

    intersection: int
    name: str
    revision: int
    generated_ms: int
    group: Ints
    state: str
    min_end_ms: Floats
    max_end_ms: Floats
    likely_ms: Floats
    confidence: Floats
    speed_m_s: Floats


@dataclass(frozen=True)
class Sights(Message):
    """What blocks sight around junctions for good (walls, hedges, corners of buildings): segments, told once.

    ``x1_m, y1_m`` to ``x2_m, y2_m``; nobody sees through them. Part of a roadside unit's own static map.
    """

    x1_m: Floats
    y1_m: Floats
    x2_m: Floats
    y2_m: Floats


@dataclass(frozen=True)
class MergeMap(Message):
    """Where roads merge without a signal within reach of a roadside unit, told once: equal-length columns.

    ``merge``: number of the place; ``road``: a road that leads to it; ``length_m``, ``limit_m_s`` beside it.
    """

    merge: Ints
    road: Ints
    length_m: Floats
    limit_m_s: Floats


@dataclass(frozen=True)
class RoadsideRules(Message):
    """Which functions of grade L3 are on (1) or off (0), told to the roadside units once at the start."""

    glosa: int
    warnings: int
    merging: int


@dataclass(frozen=True)
class PolicePlans(Message):
    """Signal plans by hour, decided by the traffic police and told to the cloud control platform.

    ``plan``: number; ``from_s``/``to_s``: seconds of the day in which it holds (beside ``plan``). ``wave``: 1 where the
    platform makes a green wave of its own in these hours, and the columns below hold nothing for this plan.
    ``row_plan``, ``phase``, ``green_s``: green of phases (rows of the map; phases of a junction that are not named are
    left out). ``offset_plan``, ``junction``, ``offset_s``: the junctions of a plan and their offsets.
    """

    plan: Ints
    from_s: Ints
    to_s: Ints
    wave: Ints
    row_plan: Ints
    phase: Ints
    green_s: Ints
    offset_plan: Ints
    junction: Ints
    offset_s: Ints


@dataclass(frozen=True)
class PlanStates(Message):
    """Which plan the cabinets of ``junction`` (rows) have: ``serial`` of the last ``SetPlans`` they took, -1 their own.

    ``serial`` is the number at the end of the command's key.
    """

    junction: Ints
    serial: Ints


@dataclass(frozen=True)
class PlansRunning(Message):
    """The own plans that the cabinets of ``junction`` (rows) hold now, told by wire to the roadside units beside them.

    ``offset_s`` beside ``junction``; ``phase`` (rows of the map) and ``green_s``: the greens of their phases.
    """

    junction: Ints
    offset_s: Ints
    phase: Ints
    green_s: Ints


# -- commands ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AdviseSpeeds(Command):
    """Advisory speeds for single vehicles (SPATEM with ``speeds``, RSC): equal-length columns.

    ``station``: whom; ``rsu``: whose unit says it; ``speed_m_s``: advice (inf: none any more); ``reason``: index into
    ADVICE_REASONS. It holds until ``until_s``.
    """

    station: Ints
    rsu: Ints
    speed_m_s: Floats
    reason: Ints
    until_s: int


@dataclass(frozen=True)
class SendDenms(Command):
    """Warnings of hazards to vehicles that cannot see them (DENM/RSI): equal-length columns.

    ``hazard``: number of the object; ``station``: whom it matters for; ``needs_m_s2``: deceleration that would be
    needed to stop short of it from where the vehicle is.
    """

    rsu: Ints
    hazard: Ints
    kind: Ints
    station: Ints
    x_m: Floats
    y_m: Floats
    needs_m_s2: Floats
    until_s: int


@dataclass(frozen=True)
class ReportPicture(Command):
    """Publish the state of the platform's picture: junctions by state, vehicles shown, mean age of what is known, s."""

    live: int
    stale: int
    lost: int
    tracks: int
    track_age_s: float


#: why a speed is advised; ``reason`` is an index into it. Append only
ADVICE_REASONS = ("glosa", "merge", "hazard")
GLOSA, MERGE, HAZARD = range(3)
