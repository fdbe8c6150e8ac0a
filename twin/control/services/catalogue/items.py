"""What a service item is: steps, materials, who decides, limit, fee; and the checks that every catalogue passes.

Names follow the national catalogue of government service items 政务服务事项: directory 目录, implementation list
实施清单, guide 办事指南, legal limit 法定时限 in working days, promised limit 承诺时限.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: kinds of step, in the order of their codes; numbers are part of messages, so only append.
#: check: form and completeness, at a window; review: by a department; visit: on site; decide; notice: a statutory
#: wait in calendar days, nobody works; make: the result is made; carry: the applicant brings papers to another
#: counter (never in an item: the office without one window makes it); appeal: a refusal is looked at again; elsewhere:
#: an authority of another place takes part (多地联办; never in an item: a case names its places)
STEP_KINDS = ("check", "review", "visit", "decide", "notice", "make", "carry", "appeal", "elsewhere")
CHECK, REVIEW, VISIT, DECIDE, NOTICE, MAKE, CARRY, APPEAL, ELSEWHERE = range(9)
#: kinds that a catalogue may name
WRITTEN = STEP_KINDS[:6]
TARGETS = ("person", "company")
MOST_STEPS = 12
MOST_PLACES = 4


class CatalogueError(ValueError):
    """Something in a catalogue is wrong, said in one sentence."""


@dataclass(frozen=True)
class Department:
    """One of the departments in the hall."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True)
class Material:
    """Something an applicant hands in.

    ``licence``: issued by an authority, so it can lie in the licence base 电子证照库. ``basic``: every department that
    takes part wants to see it. ``others``: how many people other than the applicant hold it: each of them must have
    it in the base and agree to its being looked up.
    """

    code: str
    name: str
    name_en: str
    licence: bool
    basic: bool = False
    others: int = 0


@dataclass(frozen=True)
class Step:
    """One step of an item.

    ``after``: names of the steps of the same item that come before. ``work_min``: expected minutes of an officer.
    ``share``: its part of the time that the item's papers circulate; ``wait_days``: calendar days of a notice.
    """

    name: str
    kind: str
    dept: str
    after: tuple[str, ...] = ()
    work_min: float = 0.0
    share: float = 0.0
    wait_days: int = 0


@dataclass(frozen=True)
class Item:
    """A service item in one version.

    ``legal_days``/``promised_days``: working days from acceptance to decision. ``parallel``: its reviews may run side
    by side. ``decides``: who decides. ``cross_region``: handled for people elsewhere (F39). ``electronic``: the result
    is an electronic licence. ``weight``: how often it is asked for, relative. ``since``/``reason``: date and reason of
    this version. ``surrendered``: materials whose original is taken back, so that no look-up can stand for it.
    ``places``: authorities of other places that take part (多地联办).
    """

    code: str
    name: str
    dept: str
    kind: str
    target: str
    steps: tuple[Step, ...]
    materials: tuple[str, ...]
    legal_days: int
    promised_days: int
    fee_cny: float
    parallel: bool
    decides: str
    cross_region: bool = False
    electronic: bool = True
    weight: float = 1.0
    version: int = 1
    since: str = "2026-01-01"
    reason: str = "first version"
    generated: bool = True
    surrendered: tuple[str, ...] = ()
    places: int = 0


@dataclass(frozen=True)
class Scene:
    """A theme scene 一件事: one application in place of several.

    ``items``: what an applicant needs without it, in the usual order. ``needs``: pairs (i, j): item i needs the result
    of item j. ``merged``: the items that one application leads to; empty: the same ones. ``merged_needs``: their pairs.
    """

    code: str
    name: str
    target: str
    items: tuple[str, ...]
    needs: tuple[tuple[int, int], ...] = ()
    merged: tuple[str, ...] = ()
    merged_needs: tuple[tuple[int, int], ...] = ()
    weight: float = 1.0
    generated: bool = True


@dataclass(frozen=True)
class Catalogue:
    """Departments, materials, items and scenes, each by code and in order; checked by :func:`check`."""

    departments: tuple[Department, ...]
    materials: tuple[Material, ...]
    items: tuple[Item, ...]
    scenes: tuple[Scene, ...]
    dept_row: Mapping[str, int] = field(init=False, compare=False)
    material_row: Mapping[str, int] = field(init=False, compare=False)
    item_row: Mapping[str, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dept_row", {d.code: i for i, d in enumerate(self.departments)})
        object.__setattr__(self, "material_row", {m.code: i for i, m in enumerate(self.materials)})
        object.__setattr__(self, "item_row", {item.code: i for i, item in enumerate(self.items)})
        check(self)

    def item(self, code: str) -> Item:
        """Return the item of a code. Raises CatalogueError if there is none."""
        row = self.item_row.get(code)
        if row is None:
            raise CatalogueError(f"there is no item '{code}' in this catalogue of {len(self.items):,} items")
        return self.items[row]


def check(catalogue: Catalogue) -> None:
    """Check a catalogue. Raises CatalogueError with one sentence: which item, what, what is allowed."""
    _unique("department", [d.code for d in catalogue.departments])
    _unique("material", [m.code for m in catalogue.materials])
    _unique("item", [i.code for i in catalogue.items])
    _unique("scene", [s.code for s in catalogue.scenes])
    for item in catalogue.items:
        check_item(item, catalogue.dept_row, catalogue.material_row)
    for scene in catalogue.scenes:
        _check_scene(scene, catalogue.item_row)


def _unique(what: str, codes: list[str]) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            raise CatalogueError(f"two {what}s have the code '{code}'")
        seen.add(code)


def _known(where: str, what: str, code: str, known: Iterable[str]) -> None:
    names = list(known)
    if code not in names:
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        raise CatalogueError(f"{where} names the {what} '{code}', which is not in the table; it has {shown}")


def check_item(item: Item, departments: Mapping[str, int], materials: Mapping[str, int]) -> None:
    """Check one item against the tables. Raises CatalogueError."""
    where = f"item '{item.code}'"
    if not item.steps:
        raise CatalogueError(f"{where} has no steps; an item has 1 to {MOST_STEPS}")
    if len(item.steps) > MOST_STEPS:
        raise CatalogueError(f"{where} has {len(item.steps)} steps; an item has 1 to {MOST_STEPS}")
    if item.target not in TARGETS:
        raise CatalogueError(f"{where} is for '{item.target}'; allowed: {', '.join(TARGETS)}")
    if item.legal_days < 0 or not 0 <= item.promised_days <= item.legal_days:
        raise CatalogueError(
            f"{where} promises {item.promised_days} working days of {item.legal_days}; 0 to the legal limit is allowed"
        )
    if not item.fee_cny >= 0 or not item.weight >= 0:
        raise CatalogueError(f"{where} has a negative fee or weight; both are 0 or more")
    if not 0 <= item.places <= MOST_PLACES:
        raise CatalogueError(f"{where} asks {item.places} other places; 0 to {MOST_PLACES} is allowed")
    _known(where, "department", item.dept, departments)
    for material in item.materials:
        _known(where, "material", material, materials)
    for material in item.surrendered:
        _known(where, "surrendered material", material, item.materials)
    _check_steps(item, departments)


def _check_steps(item: Item, departments: Mapping[str, int]) -> None:
    where = f"item '{item.code}'"
    names = [s.name for s in item.steps]
    if len(set(names)) < len(names):
        raise CatalogueError(f"{where} has two steps of one name; names of steps differ")
    for step in item.steps:
        here = f"step '{step.name}' of {where}"
        if step.kind not in WRITTEN:
            raise CatalogueError(f"{here} is of kind '{step.kind}'; allowed: {', '.join(WRITTEN)}")
        _known(here, "department", step.dept, departments)
        for before in step.after:
            _known(here, "step", before, names)
        if not step.work_min >= 0 or not step.share >= 0 or step.wait_days < 0:
            raise CatalogueError(f"{here} has a negative time; minutes, share and days are 0 or more")
    loop = cycle(item.steps)
    if loop:
        raise CatalogueError(f"{where} has steps in a circle: {' → '.join(loop)}")


def cycle(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Return the names of steps that wait for each other in a circle, or nothing."""
    after = {s.name: s.after for s in steps}
    state: dict[str, int] = {}  # 1: being looked at, 2: done
    path: list[str] = []

    def visit(name: str) -> tuple[str, ...]:
        state[name] = 1
        path.append(name)
        for before in after[name]:
            if state.get(before) == 1:
                return (*path[path.index(before) :], before)
            if before not in state and (found := visit(before)):
                return found
        path.pop()
        state[name] = 2
        return ()

    for step in steps:
        if step.name not in state and (found := visit(step.name)):
            return found
    return ()


def _check_scene(scene: Scene, items: Mapping[str, int]) -> None:
    where = f"scene '{scene.code}'"
    if not scene.items:
        raise CatalogueError(f"{where} has no items; a scene merges two or more")
    for code in (*scene.items, *scene.merged):
        _known(where, "item", code, items)
    for pairs, of in ((scene.needs, scene.items), (scene.merged_needs, scene.merged)):
        for i, j in pairs:
            if not 0 <= j < i < len(of):
                raise CatalogueError(f"{where}: item {i} cannot need item {j}; an item needs one that stands before it")
