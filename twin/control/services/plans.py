"""From the items of an application to the steps of its case, under the levers that are on.

A plan is compiled once for a set of items and kept by the case for life: a new version of an item changes later
cases only (F41). Numbers only, so that a plan is the same whoever compiles it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from twin.control.services.catalogue.items import (
    CARRY,
    CHECK,
    DECIDE,
    ELSEWHERE,
    MAKE,
    REVIEW,
    STEP_KINDS,
    Catalogue,
    Item,
    Step,
)
from twin.control.services.levers import Levers

COUNTER_MIN = 12.0  # at every further counter, without one window (as the first)


@dataclass(frozen=True)
class CoreStep:
    """A step in numbers: ``kind`` (index of STEP_KINDS), ``dept`` (row), ``after`` (bits of steps of the item)."""

    kind: int
    dept: int
    after: int
    work_min: float
    share: float
    wait_days: int


@dataclass(frozen=True)
class Core:
    """An item in numbers, as a desk needs it. ``basic``: number of its basic materials."""

    item: int
    version: int
    dept: int
    legal_days: int
    parallel: bool
    electronic: bool
    basic: int
    steps: tuple[CoreStep, ...]
    materials: tuple[int, ...]


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Return steps with each after those it waits for, else as they stand (there are no circles in a catalogue)."""
    out: list[Step] = []
    names: set[str] = set()
    while len(out) < len(steps):
        ready = next(s for s in steps if s.name not in names and names.issuperset(s.after))
        out.append(ready)
        names.add(ready.name)
    return out


def core(catalogue: Catalogue, item: Item) -> Core:
    """Return an item of a catalogue in numbers."""
    ordered = in_order(item.steps)
    row = {s.name: i for i, s in enumerate(ordered)}
    steps = tuple(
        CoreStep(
            STEP_KINDS.index(s.kind),
            catalogue.dept_row[s.dept],
            sum(1 << row[b] for b in s.after),
            s.work_min,
            s.share,
            s.wait_days,
        )
        for s in ordered
    )
    materials = tuple(catalogue.material_row[m] for m in item.materials)
    basic = sum(catalogue.materials[m].basic for m in materials)
    return Core(
        catalogue.item_row[item.code], item.version, catalogue.dept_row[item.dept], item.legal_days, item.parallel,
        item.electronic, basic, steps, materials,
    )  # fmt: skip


def cores(catalogue: Catalogue) -> dict[int, Core]:
    """Return all items of a catalogue in numbers, by item number."""
    return {i: core(catalogue, item) for i, item in enumerate(catalogue.items)}


@dataclass(frozen=True)
class PlanStep:
    """A step of a case. ``after``: bits of steps of the case; ``item``: item number; ``slot``: its own step number.

    ``place``: which of the application's items it is for. ``circulate_days``: expected working days of circulation
    at a share of 1 of the legal limit. Steps of the case as a whole have ``item`` -1 and a slot of their own.
    """

    kind: int
    dept: int
    after: int
    work_min: float
    circulate_days: float
    wait_days: int
    item: int
    place: int
    slot: int


@dataclass(frozen=True)
class Plan:
    """What a case goes through. ``legal_days``: its limit; ``copies``: basic materials handed in again at counters."""

    items: tuple[int, ...]
    versions: tuple[int, ...]
    dept: int
    steps: tuple[PlanStep, ...]
    legal_days: int
    electronic: bool
    copies: int

    @property
    def everything(self) -> int:
        """All steps, as bits."""
        return (1 << len(self.steps)) - 1


def compile_plan(items: Sequence[Core], needs: Sequence[tuple[int, int]], levers: Levers, places: int = 0) -> Plan:
    """Return the plan of an application for ``items``; ``needs``: pairs (i, j), item i needs the result of item j.

    There is one check for all, and one making of results; items run side by side, as separate applications would.
    Without ``parallel_review`` the steps of an item run in one row. Without ``one_window`` the applicant carries the
    papers to each further department, which has a counter of its own. The legal limit is that of the longest chain.
    ``places``: other places that take part; they are asked together, beside the reviews (in a row before them without
    ``parallel_review``), and no decision comes before their answers. Without ``remote`` nobody asks them: the applicant
    brings their papers.
    """
    out: list[PlanStep] = []
    first = items[0]
    checks = [s for c in items for s in c.steps if s.kind == CHECK]
    if checks:
        minutes = max(s.work_min for s in checks)  # one form, every paper looked at once (assumed)
        out.append(PlanStep(CHECK, first.dept, 0, minutes, 0.0, 0, -1, 0, 0))
    intake = asked = (1 << len(out)) - 1
    for k in range(places if levers.remote else 0):
        after = intake if levers.parallel_review else (1 << len(out)) - 1
        out.append(PlanStep(ELSEWHERE, first.dept, after, 0.0, 0.0, 0, -1, 0, 96 + k))
        asked |= 1 << (len(out) - 1)
    ends: list[int] = []  # bits of the last steps of each item
    copies = 0
    counters = {first.dept}
    for place, c in enumerate(items):
        before = intake if levers.parallel_review else asked
        for i, j in needs:
            if i == place:
                before |= ends[j]
        end, copied = _append(out, c, place, before, levers, counters)
        copies += copied
        ends.append(end)
    if asked != intake:
        out = [replace(s, after=s.after | asked) if s.kind == DECIDE else s for s in out]
    if any(s.kind == MAKE for c in items for s in c.steps):
        minutes = max(s.work_min for c in items for s in c.steps if s.kind == MAKE)
        out.append(PlanStep(MAKE, first.dept, (1 << len(out)) - 1, minutes, 0.0, 0, -1, 0, 1))
    return Plan(
        items=tuple(c.item for c in items),
        versions=tuple(c.version for c in items),
        dept=first.dept,
        steps=tuple(out),
        legal_days=_limit(items, needs),
        electronic=all(c.electronic for c in items),
        copies=copies,
    )


def _append(
    out: list[PlanStep], c: Core, place: int, before: int, levers: Levers, counters: set[int]
) -> tuple[int, int]:
    """Append the steps of one item; return the bits of its last ones and the copies handed in at counters."""
    side_by_side = levers.parallel_review and c.parallel
    bit: dict[int, int] = {}
    last, counter, copies, ended = before, 0, 0, 0
    for slot, s in enumerate(c.steps):
        if s.kind in (CHECK, MAKE):
            bit[slot] = 0
            continue
        after = before if side_by_side else last
        if side_by_side:
            for i in range(len(c.steps)):
                if s.after >> i & 1:
                    after |= bit[i]
        if s.kind == REVIEW and not levers.one_window and s.dept not in counters:
            counters.add(s.dept)
            copies += c.basic
            # to the next counter after the one before it
            out.append(PlanStep(CARRY, s.dept, after | counter, 0.0, 0.0, 0, -1, place, 32 + s.dept))
            out.append(PlanStep(CHECK, s.dept, 1 << (len(out) - 1), COUNTER_MIN, 0.0, 0, -1, place, 64 + s.dept))
            counter = after = 1 << (len(out) - 1)
        days = c.legal_days * s.share if s.kind in (REVIEW, DECIDE) else 0.0
        out.append(PlanStep(s.kind, s.dept, after, s.work_min, days, s.wait_days, c.item, place, slot))
        bit[slot] = last = 1 << (len(out) - 1)
        ended = (ended & ~after) | last
    return (ended or before), copies


def _limit(items: Sequence[Core], needs: Sequence[tuple[int, int]]) -> int:
    """Return the legal limit in working days along the longest chain of items."""
    until = [c.legal_days for c in items]
    for i, j in sorted(needs):
        until[i] = max(until[i], until[j] + items[i].legal_days)
    return max(until)


class Plans:
    """Compiles plans and keeps them; what is asked for twice is the same plan."""

    def __init__(self, table: Mapping[int, Core], levers: Levers) -> None:
        self._table, self._levers = table, levers
        self._kept: dict[tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...], int], Plan] = {}

    def of(self, items: Sequence[int], needs: Sequence[tuple[int, int]] = (), places: int = 0) -> Plan:
        """Return the plan of an application for item numbers in their present versions. KeyError: unknown item."""
        key = (tuple((i, self._table[i].version) for i in items), tuple(needs), places)
        plan = self._kept.get(key)
        if plan is None:
            plan = self._kept[key] = compile_plan([self._table[i] for i in items], needs, self._levers, places)
        return plan
