"""Matters: what somebody wants of the office, the applications that makes; :mod:`.truth` draws what is true.

Numbers: ``matter`` as given by whoever makes them (see :mod:`twin.world.offices.demand`); case = matter × 16 + place of
its application among the matter's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.control.services.plans import Plan

CASES = 16  # most applications of a matter
DAY_WORK_S = 7 * 3600  # working seconds of a day


@dataclass(slots=True)
class Matter:
    """What one applicant wants. ``items``: item numbers in order; ``needs``: pairs of places; ``region`` -1: from here.

    ``home``: where the applicant sets out (row of blocks, -1 unknown). The rest is drawn by :class:`.truth.Truth`.
    """

    number: int
    begins_s: int
    target: int
    scene: int
    items: tuple[int, ...]
    needs: tuple[tuple[int, int], ...]
    region: int = -1
    home: int = -1
    on_foot: bool = False  # is on the way to an office already when the run begins
    resident: int = -1
    way_s: int = 0
    digital: bool = True
    errand_s: int = 0
    prepare_s: int = 0
    channel_u: float = 0.5
    cases: list[Application] = field(default_factory=list)
    filed: int = 0
    over: int = 0
    handed_in: int = 0
    visits: int = 0
    contacts: int = 0  # how often somebody who travels would have had to come
    journeys: int = 0  # how often this one did, from another region or to one
    refused: bool = False
    dropped: bool = False


@dataclass(slots=True)
class Application:
    """One case of a matter and all that is true of it.

    ``needs``: applications (places in ``matter.cases``) whose results it needs. Per step of the plan: ``work_s``,
    ``circulate_s``, ``outcomes`` still to come (the last one stays). ``places``: other places (counties) that take
    part; ``brought``: materials handed in; ``flaws``: by step, those that are not in order; ``placed``: step →
    outcome of another place's part. ``office``: where it was filed, -1 not yet.
    """

    number: int
    matter: Matter
    plan: Plan
    needs: tuple[int, ...]
    handed_in: int
    reused: int
    work_s: list[int]
    circulate_s: list[int]
    outcomes: list[list[int]]
    places: tuple[int, ...] = ()
    brought: list[int] = field(default_factory=list)
    flaws: dict[int, list[int]] = field(default_factory=dict)
    office: int = -1
    filed_s: int = -1
    due_s: int = -1
    accepted: bool = False
    state: str = ""
    overdue: bool = False
    closed: bool = False
    asked: dict[int, str] = field(default_factory=dict)
    came: dict[int, str] = field(default_factory=dict)
    ready_s: int = 0
    over: bool = False
    granted: bool = False
    reported: dict[int, int] = field(default_factory=dict)
    placed: dict[int, int] = field(default_factory=dict)
    appeals: bool = False
    withdraws: bool = False
