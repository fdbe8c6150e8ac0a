"""Facts of V2X messages, connected vehicles, warnings and the cloud control platform (F19, F20, F27).

``junction``: row of the junction whose roadside unit it is about; ``hazard``: number of an object that is in the way.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class VehicleConnected(Fact):
    """A vehicle with a V2X radio entered the road."""

    vehicle: int


@dataclass(frozen=True)
class ChannelMeasured(Fact):
    """Over one second at the end of an interval: what a roadside unit's channel was like.

    ``stations``: connected vehicles in sensing range; ``sent``: CAMs of those nearest to this unit, ``heard``: how many
    of these it received; ``busy``: channel busy ratio, 0..1.
    """

    junction: int
    stations: int
    sent: int
    heard: int
    busy: float


@dataclass(frozen=True)
class CoverageMeasured(Fact):
    """Of ``stations`` connected vehicles under way, ``covered`` were heard by a roadside unit within the second."""

    stations: int
    covered: int


@dataclass(frozen=True)
class LatencyCounted(Fact):
    """Since the last count, ``count`` messages took at most ``upper_ms`` and more than the bound below (10 % less).

    ``way``: cam (vehicle to roadside), denm (warning to vehicle), exchange (perceive → cloud → cabinet).
    """

    way: str
    upper_ms: float
    count: int


@dataclass(frozen=True)
class ExchangeMeasured(Fact):
    """Since the last count, ``orders`` went perceive → cloud → cabinet in time or late, one a junction.

    ``over_budget``: took more than ``budget_ms``; ``left_aside``: came too old, overtaken by a newer one or made in an
    outdated belief, so that the cabinet did not obey; ``exchange_lost``: messages and orders that never came.
    """

    budget_ms: float
    orders: int
    over_budget: int
    left_aside: int
    exchange_lost: int


@dataclass(frozen=True)
class SpeedAdvised(Fact):
    """A connected vehicle got another advisory speed from a roadside unit (-1: none any more).

    ``why``: glosa, merge or hazard; ``obeyed``: whether its driver takes advice.
    """

    vehicle: int
    junction: int
    speed_m_s: float
    why: str
    obeyed: bool


@dataclass(frozen=True)
class HazardAppeared(Fact):
    """A person, or a vehicle that stands where nobody queues, came to be on a road near a junction of grade L3."""

    hazard: int
    what: str
    road: int
    pos_m: float


@dataclass(frozen=True)
class HazardPerceived(Fact):
    """Perception: a roadside unit saw a hazard ``late_s`` after it appeared."""

    hazard: int
    junction: int
    late_s: int


@dataclass(frozen=True)
class HazardWarned(Fact):
    """Perception: a vehicle heard a warning of what it could not see, ``latency_ms`` after the unit saw it."""

    hazard: int
    vehicle: int
    junction: int
    latency_ms: float


@dataclass(frozen=True)
class HazardMet(Fact):
    """A vehicle came to know of a hazard ahead: by warning or, failing that, by sight.

    ``needs_m_s2``: deceleration needed from then on to stop short of it (99: too late).
    """

    hazard: int
    vehicle: int
    warned: bool
    needs_m_s2: float


@dataclass(frozen=True)
class TripDriven(Fact):
    """A vehicle arrived that was watched second by second.

    ``standstills``: times it came to stand; ``stood_s``: how long in all; ``fuel_g``: a proxy of energy (docs/v2x.md);
    ``connected``: had a V2X radio.
    """

    vehicle: int
    standstills: int
    stood_s: int
    fuel_g: float
    distance_m: float
    connected: bool


@dataclass(frozen=True)
class PlanTaken(Fact):
    """A cabinet took plan ``serial`` of the cloud platform."""

    junction: int
    serial: int


@dataclass(frozen=True)
class PictureTaken(Fact):
    """Perception: the cloud platform's picture: junctions by state, vehicles shown, mean age of what is known."""

    live: int
    stale: int
    out_of_reach: int
    tracks: int
    track_age_s: float
