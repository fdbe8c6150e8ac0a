"""The catalogue under change control, and its three faces: directory, implementation list, guide (F41, 三位一体).

One source: all three are made from the same items. A change makes a new version with a date and a reason; old versions
stay readable, and running cases keep theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from twin.control.services.catalogue.items import Catalogue, CatalogueError, Item, check_item

_FIXED = ("code", "version", "since", "reason")


@dataclass(frozen=True)
class Change:
    """One entry of the record of changes."""

    item: str
    version: int
    since: str
    reason: str
    what: tuple[str, ...]


class Book:
    """All versions of all items. Begins with a catalogue; :meth:`change` is the only way to alter it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._versions: dict[str, list[Item]] = {i.code: [i] for i in catalogue.items}
        self.record: list[Change] = []

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue with every item in its newest version."""
        return self._catalogue

    def change(self, code: str, since: str, reason: str, **fields: Any) -> Item:
        """Make a new version of an item, valid from the date ``since`` (ISO). Raises CatalogueError."""
        old = self._catalogue.item(code)
        if not reason.strip():
            raise CatalogueError(f"item '{code}' was changed without a reason; say why in a few words")
        if since < old.since:
            raise CatalogueError(f"item '{code}' cannot change on {since}: version {old.version} is from {old.since}")
        for name in fields:
            if name in _FIXED or name not in Item.__dataclass_fields__:
                known = ", ".join(f for f in Item.__dataclass_fields__ if f not in _FIXED)
                raise CatalogueError(f"item '{code}' has no '{name}' that can change; it has {known}")
        what = tuple(name for name, value in fields.items() if getattr(old, name) != value)
        if not what:
            raise CatalogueError(f"item '{code}' was changed on {since}, but everything is as before")
        new = replace(old, version=old.version + 1, since=since, reason=reason, **fields)
        check_item(new, self._catalogue.dept_row, self._catalogue.material_row)
        items = tuple(new if i.code == code else i for i in self._catalogue.items)
        self._catalogue = replace(self._catalogue, items=items)
        self._versions[code].append(new)
        self.record.append(Change(code, new.version, since, reason, what))
        return new

    def versions(self, code: str) -> tuple[Item, ...]:
        """Return all versions of an item, oldest first. Raises CatalogueError for a code that is none."""
        self._catalogue.item(code)
        return tuple(self._versions[code])

    def as_of(self, code: str, date: str) -> Item:
        """Return the version of an item that held on a date. Raises CatalogueError if there was none yet."""
        held = [i for i in self.versions(code) if i.since <= date]
        if not held:
            raise CatalogueError(
                f"item '{code}' had no version on {date}; the first is from {self.versions(code)[0].since}"
            )
        return held[-1]


# -- three faces of one source -----------------------------------------------------------------------------


def directory(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return the directory 目录: what there is, by department."""
    names = {d.code: d.name for d in catalogue.departments}
    return [
        {"code": i.code, "name": i.name, "department": names[i.dept], "kind": i.kind, "version": i.version}
        for i in catalogue.items
    ]


def implementation(catalogue: Catalogue, code: str) -> dict[str, Any]:
    """Return the implementation list 实施清单 of an item: what officers go by."""
    i = catalogue.item(code)
    return {
        "code": i.code,
        "name": i.name,
        "version": i.version,
        "since": i.since,
        "reason": i.reason,
        "legal_days": i.legal_days,
        "promised_days": i.promised_days,
        "decides": i.decides,
        "parallel": i.parallel,
        "cross_region": i.cross_region,
        "fee_cny": i.fee_cny,
        "steps": [
            {"name": s.name, "kind": s.kind, "department": s.dept, "after": list(s.after), "minutes": s.work_min}
            for s in i.steps
        ],
        "materials": list(i.materials),
    }


def guide(catalogue: Catalogue, code: str) -> str:
    """Return the guide 办事指南 of an item in Chinese: what an applicant reads."""
    i = catalogue.item(code)
    dept = catalogue.departments[catalogue.dept_row[i.dept]].name
    materials = [catalogue.materials[catalogue.material_row[m]] for m in i.materials]
    lines = [
        f"{i.name}（{i.code}，第{i.version}版，{i.since}起）",
        f"办理部门：{dept}；决定：{i.decides}",
        f"办理时限：法定{i.legal_days}个工作日，承诺{i.promised_days}个工作日",
        f"收费：{'不收费' if i.fee_cny == 0 else f'{i.fee_cny:g}元'}",
        "申请材料：",
        *(f"{n}. {m.name}{'（电子证照库可调取的免交）' if m.licence else ''}" for n, m in enumerate(materials, 1)),
        "办理方式：一窗受理" + ("；可跨区域通办" if i.cross_region else ""),
    ]
    return "\n".join(lines)
