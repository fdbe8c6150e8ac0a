"""Items as a message and back: what a desk is told of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.control.services.plans import Core, CoreStep
from twin.domain.services import ItemsTold


def items_told(items: Sequence[Core], t_s: int, key: str) -> ItemsTold:
    """Return the message that tells items in numbers."""

    def ints(values: list[Any]) -> Any:
        return np.array(values, dtype=np.int64)

    steps = [(row, s) for row, c in enumerate(items) for s in c.steps]
    return ItemsTold(
        t_s=t_s,
        key=key,
        item=ints([c.item for c in items]),
        version=ints([c.version for c in items]),
        dept=ints([c.dept for c in items]),
        legal_days=ints([c.legal_days for c in items]),
        parallel=ints([c.parallel for c in items]),
        electronic=ints([c.electronic for c in items]),
        basic=ints([c.basic for c in items]),
        step_item=ints([row for row, _ in steps]),
        step_kind=ints([s.kind for _, s in steps]),
        step_dept=ints([s.dept for _, s in steps]),
        step_after=ints([s.after for _, s in steps]),
        step_min=np.array([s.work_min for _, s in steps], dtype=np.float64),
        step_share=np.array([s.share for _, s in steps], dtype=np.float64),
        step_wait_days=ints([s.wait_days for _, s in steps]),
        material_item=ints([row for row, c in enumerate(items) for _ in c.materials]),
        material=ints([m for c in items for m in c.materials]),
    )


def cores_of(told: ItemsTold) -> dict[int, Core]:
    """Return the items of a message, by item number."""
    columns = [
        told.step_kind, told.step_dept, told.step_after, told.step_min, told.step_share, told.step_wait_days
    ]  # fmt: skip
    steps: list[list[CoreStep]] = [[] for _ in range(len(told.item))]
    for row, *values in zip(told.step_item.tolist(), *[c.tolist() for c in columns], strict=True):
        steps[row].append(CoreStep(*values))
    materials: list[list[int]] = [[] for _ in range(len(told.item))]
    for row, material in zip(told.material_item.tolist(), told.material.tolist(), strict=True):
        materials[row].append(material)
    out = {}
    for row, item in enumerate(told.item.tolist()):
        out[item] = Core(
            item,
            int(told.version[row]),
            int(told.dept[row]),
            int(told.legal_days[row]),
            bool(told.parallel[row]),
            bool(told.electronic[row]),
            int(told.basic[row]),
            tuple(steps[row]),
            tuple(materials[row]),
        )
    return out
