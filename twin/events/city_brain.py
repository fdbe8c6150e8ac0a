"""Facts of hazards, sensing and alerts (F5-F12).

``hazard`` is the number of a hazard (see ``twin.world.city_brain.hazards``), ``theme`` a key of
``twin.domain.city_brain.THEMES``, ``severity`` a word of CAP 1.2, ``channel`` a number from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact


@dataclass(frozen=True)
class HazardBegan(Fact):
    """A hazard began. ``road`` -1, ``place``/``grid``/``community`` "": none; ``amount`` in the kind's unit."""

    hazard: int
    theme: str
    kind: str
    x_m: float
    y_m: float
    road: int
    place: str
    grid: str
    community: str
    amount: float
    severity: str
    cause: str


@dataclass(frozen=True)
class CauseBegan(Fact):
    """Truth: something began that brings ``hits`` hazards to neighbouring sites; ``cause`` of CAUSES."""

    cause: str
    theme: str
    x_m: float
    y_m: float
    place: str
    community: str
    hits: int


@dataclass(frozen=True)
class HazardGrew(Fact):
    """A hazard became at least half as large again since it was last told of."""

    hazard: int
    theme: str
    amount: float


@dataclass(frozen=True)
class HazardContained(Fact):
    """Somebody who came holds a hazard: it grows no further and harms nobody more. ``who``: by whom."""

    hazard: int
    theme: str
    who: str
    amount: float


@dataclass(frozen=True)
class HazardHarmed(Fact):
    """A hazard harmed ``people``; ``what``: such as drowned or injured."""

    hazard: int
    theme: str
    what: str
    people: int


@dataclass(frozen=True)
class HazardEnded(Fact):
    """A hazard ended; ``outcome``: handled, or what became of it by itself (got out, drowned, burnt out, expired …)."""

    hazard: int
    theme: str
    outcome: str
    duration_s: int
    amount: float


@dataclass(frozen=True)
class HazardOpen(Fact):
    """A hazard was still there when the run ended."""

    hazard: int
    theme: str
    amount: float


@dataclass(frozen=True)
class ChannelsPlaced(Fact):
    """So many channels of a kind were placed; ``reach_m``: how far one sees (0: only what it is fixed to)."""

    kind: str
    channels: int
    period_s: int
    reach_m: float


@dataclass(frozen=True)
class SensorFailed(Fact):
    """A channel fell silent; ``reason``: outage, battery, or the intervention."""

    channel: int
    reason: str


@dataclass(frozen=True)
class SensorRestored(Fact):
    """A channel works again."""

    channel: int


@dataclass(frozen=True)
class HazardInView(Fact):
    """A hazard came to be within what ``channels`` channels can see or feel (0: nothing watches that spot)."""

    hazard: int
    theme: str
    channels: int


@dataclass(frozen=True)
class HazardSensed(Fact):
    """Perception: the first reading that a hazard caused was made, by ``channel``."""

    hazard: int
    theme: str
    channel: int


@dataclass(frozen=True)
class ReadingsSent(Fact):
    """Perception: readings since the last such fact: made, lost on the way, arrived twice, made by no hazard."""

    readings: int
    lost: int
    repeated: int
    false_sightings: int


@dataclass(frozen=True)
class AlertRaised(Fact):
    """Perception: an episode of an alert began. ``hazard``: what it is truly about, -1 nothing; nobody knows that."""

    alert: str
    episode: int
    alert_rule: str
    theme: str
    severity: str
    since_s: int
    channel: int
    x_m: float
    y_m: float
    hazard: int


@dataclass(frozen=True)
class AlertCovered(Fact):
    """An open alert is truly about a hazard; one alert can be about several. Nobody in the city knows it."""

    alert: str
    episode: int
    theme: str
    hazard: int


@dataclass(frozen=True)
class AlertUpdated(Fact):
    """Perception: an open episode changed; see ``UPDATES`` of twin.domain.city_brain."""

    alert: str
    episode: int
    what: str


@dataclass(frozen=True)
class AlertResolved(Fact):
    """Perception: an episode ended; see ``ENDINGS`` of twin.domain.city_brain."""

    alert: str
    episode: int
    reason: str


@dataclass(frozen=True)
class AlertDropped(Fact):
    """Perception: an episode was not raised, where its channels are. ``hazard``: what it was about, -1 nothing."""

    alert: str
    episode: int
    alert_rule: str
    theme: str
    severity: str
    reason: str
    x_m: float
    y_m: float
    hazard: int


@dataclass(frozen=True)
class ReadingsDropped(Fact):
    """Perception: alerting could not use ``readings`` as sent, for a reason."""

    reason: str
    readings: int


@dataclass(frozen=True)
class AlertNotified(Fact):
    """Perception: somebody was told of a group of episodes; ``step`` 0, or that of escalation."""

    to: str
    area: str
    severity: str
    step: int
    raised: int
    resolved: int


@dataclass(frozen=True)
class ConfirmationAsked(Fact):
    """Perception: a person was asked whether an alert is true."""

    alert: str
    episode: int


@dataclass(frozen=True)
class ConfirmationGiven(Fact):
    """Perception: a person answered. ``hazard``: what it is truly about, -1 nothing."""

    alert: str
    confirmed: bool
    who: str
    hazard: int


@dataclass(frozen=True)
class ChannelsMuted(Fact):
    """A maintenance window was told: ``channels`` of ``query`` raise no alert until ``until_s``."""

    query: str
    channels: int
    until_s: int
    cause: str
