"""Facts of incidents, which are what the desk knows, and of responders, which are what truly happens (F1, F2, F11).

``incident``: the desk's name (``inc-17``); ``ticket``: one sending of one responder (``unit``, a number of
:func:`twin.domain.ids.unit_number`); ``level`` of :data:`twin.domain.incidents.LEVELS` and ``area`` its name;
``hazard``: number of the true hazard, -1 for none.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.events.base import Fact

# -- the desk ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignTold(Fact):
    """Perception: the incident desk was told a sign by alerting or a caller; ``hazard``: what he saw, -1: not known."""

    source: str
    ref: str
    theme: str
    hazard: int


@dataclass(frozen=True)
class IncidentCreated(Fact):
    """Perception: the desk put an incident on the books, from a sign (``source``/``ref``) that was seen at since_s."""

    incident: str
    theme: str
    severity: str
    level: str
    area: str
    department: str
    x_m: float
    y_m: float
    grid: str
    source: str
    ref: str
    since_s: int


@dataclass(frozen=True)
class IncidentMerged(Fact):
    """Perception: a further sign was taken as one of this incident; ``severity`` of the incident from now on."""

    incident: str
    source: str
    ref: str
    since_s: int
    severity: str


@dataclass(frozen=True)
class IncidentClockStarted(Fact):
    """Perception: a ``phase`` (assign, arrive, handle, close) of an incident must be over by ``due_s``."""

    incident: str
    phase: str
    level: str
    due_s: int


@dataclass(frozen=True)
class IncidentEscalated(Fact):
    """Perception: an incident was taken up to ``level`` of ``area``; ``phase`` was due at ``due_s``."""

    incident: str
    from_level: str
    level: str
    area: str
    phase: str
    due_s: int
    reason: str


@dataclass(frozen=True)
class IncidentAssigned(Fact):
    """Perception: the desk sends a responder, to handle or to verify (``purpose``), expecting it in ``expected_s``."""

    incident: str
    unit: int
    ticket: str
    level: str
    task: str
    expected_s: float


@dataclass(frozen=True)
class IncidentAdvanced(Fact):
    """Perception: the desk takes an incident to be in this ``state`` of STATES; ``who`` and ``cause`` say thanks to."""

    incident: str
    state: str
    who: str
    cause: str


@dataclass(frozen=True)
class IncidentLookAsked(Fact):
    """Perception: the desk asked for a look, to confirm or to verify (``task``)."""

    incident: str
    task: str


@dataclass(frozen=True)
class IncidentLooked(Fact):
    """Perception: ``who`` looked and says ``what`` he saw (there, gone, cannot see); ``hazard``: what was there."""

    incident: str
    who: str
    what: str
    hazard: int


@dataclass(frozen=True)
class IncidentVerified(Fact):
    """Perception: somebody (``who``) other than the handler says that it is fixed, or that nothing is there."""

    incident: str
    who: str
    cause: str


@dataclass(frozen=True)
class IncidentClosed(Fact):
    """Perception: the end of an incident: ``outcome``; ``who`` verified it ("" nobody)."""

    incident: str
    outcome: str
    who: str


@dataclass(frozen=True)
class IncidentReopened(Fact):
    """Perception: an incident that was handled or closed (``state``) is open again."""

    incident: str
    state: str
    cause: str


@dataclass(frozen=True)
class IncidentOpen(Fact):
    """Perception: an incident that was not closed when the run ended, in ``state``."""

    incident: str
    state: str


# -- responders --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ResponderDeployed(Fact):
    """A responder of a ``kind`` is at home in ``area``, at ``x_m``/``y_m``; once at the start."""

    unit: int
    kind: str
    level: str
    area: str
    x_m: float
    y_m: float


@dataclass(frozen=True)
class CallAnswered(Fact):
    """An agent of the call desk took a call or a look after ``waited_s``, and was busy with it for ``duration_s``."""

    ref: str
    waited_s: int
    duration_s: int


@dataclass(frozen=True)
class ResponderAccepted(Fact):
    """A responder took a ticket on and gets ready."""

    unit: int
    incident: str
    ticket: str


@dataclass(frozen=True)
class ResponderRefused(Fact):
    """A responder did not take a ticket, or did not even hear of it (``reason`` "silent")."""

    unit: int
    incident: str
    ticket: str
    reason: str


@dataclass(frozen=True)
class ResponderSetOut(Fact):
    """A responder set out (``vehicle`` 0: on foot or by bike); it should take ``expected_s``."""

    unit: int
    incident: str
    ticket: str
    vehicle: int
    distance_m: float
    expected_s: float


@dataclass(frozen=True)
class ResponderArrived(Fact):
    """A responder came to where it was sent; ``hazard``: what it found there."""

    unit: int
    incident: str
    ticket: str
    hazard: int


@dataclass(frozen=True)
class ResponderFoundNothing(Fact):
    """A responder looked around and found nothing."""

    unit: int
    incident: str
    ticket: str


@dataclass(frozen=True)
class ResponderUnable(Fact):
    """A responder on site lacks a skill that is needed (``reason``)."""

    unit: int
    incident: str
    ticket: str
    hazard: int
    reason: str


@dataclass(frozen=True)
class ResponderHandled(Fact):
    """A responder said it is done; ``solved``: whether the hazard truly is."""

    unit: int
    incident: str
    ticket: str
    hazard: int
    solved: bool
    duration_s: int


@dataclass(frozen=True)
class ResponderChecked(Fact):
    """A responder that was sent to verify said whether it is fixed; ``hazard``: what was truly there."""

    unit: int
    incident: str
    ticket: str
    hazard: int
    solved: bool


@dataclass(frozen=True)
class ResponderFailed(Fact):
    """A responder could not go on with a ticket."""

    unit: int
    incident: str
    ticket: str
    reason: str


@dataclass(frozen=True)
class ResponderRecalled(Fact):
    """A responder was called off a ticket by the desk."""

    unit: int
    incident: str
    ticket: str
    reason: str


@dataclass(frozen=True)
class ResponderFree(Fact):
    """A responder can be sent again; it is at ``x_m``/``y_m`` and on its way home."""

    unit: int
    x_m: float
    y_m: float
