"""A tour: home → (stop) → main place → (stop) → home. The common form of everything people do in a day.

Activities produce tours, mode choice gives each a mode, plans cut them into trips. A night worker's tour has
only one half on a day: out in the evening, back the next morning.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]  # whole numbers
Bools = npt.NDArray[Any]

_DEFAULTS: dict[str, Any] = {
    "due_s": -1,
    "pre": -1,
    "pre_due_s": -1,
    "post": -1,
    "post_purpose": 0,
    "post_stay_s": 0,
    "out": True,
    "back": True,
    "main": False,
    "mode": -1,
}


@dataclass
class Tours:
    """Columns, one row per tour; times are seconds of the day (may exceed 86,400).

    ``row``: person · ``purpose``/``place``: of the main stop · ``arrive_s``: wanted arrival there · ``due_s``: the
    same if it is a fixed time, else -1 · ``leave_s``: leaving the main stop · ``pre`` (a child's school on the
    way, due ``pre_due_s``), ``post`` (a stop on the way home for ``post_stay_s``): location codes, -1 none ·
    ``out``/``back``: which halves there are · ``main``: the person's work or school · ``mode``: -1 undecided.
    """

    row: Ints
    purpose: Ints
    place: Ints
    arrive_s: Ints
    leave_s: Ints
    due_s: Ints
    pre: Ints
    pre_due_s: Ints
    post: Ints
    post_purpose: Ints
    post_stay_s: Ints
    out: Bools
    back: Bools
    main: Bools
    mode: Ints

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def make(cls, row: npt.NDArray[np.integer], **columns: Any) -> Tours:
        """Make tours of the persons ``row``; a missing column takes its default, a single value holds for all."""
        n = len(row)
        values: dict[str, Any] = {"row": np.asarray(row, dtype=np.int64)}
        for f in fields(cls):
            if f.name == "row":
                continue
            value = columns[f.name] if f.name in columns else _DEFAULTS[f.name]
            dtype = np.bool_ if f.name in ("out", "back", "main") else np.int64
            values[f.name] = np.array(np.broadcast_to(np.asarray(value), n), dtype=dtype)
        return cls(**values)

    def take(self, rows: npt.NDArray[Any]) -> Tours:
        """Return some of the tours, in the given order."""
        return Tours(*(getattr(self, f.name)[rows] for f in fields(self)))


def join(parts: list[Tours]) -> Tours:
    """Return all tours ordered by person, then by time."""
    columns = [np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Tours)]
    whole = Tours(*columns)
    return whole.take(np.lexsort((whole.arrive_s, whole.row)))
