"""When sweeping is allowed: windows of each day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

DAY_S = 86_400
Ints = npt.NDArray[np.int64]


def window(from_s: Ints, until_s: Ints, now_s: int) -> tuple[int, int] | None:
    """Return begin and end (seconds of the run) of the window that holds now, None if none does.

    Each window is [from_s[i], until_s[i]) of each day, over midnight where from_s > until_s. Of several that hold,
    the one that began first.
    """
    found: list[tuple[int, int]] = []
    day = now_s // DAY_S * DAY_S
    for begin, end in zip(from_s.tolist(), until_s.tolist(), strict=True):
        length = (end - begin) % DAY_S or DAY_S
        starts = (day - DAY_S + begin, day + begin)
        found += [(start, start + length) for start in starts if start <= now_s < start + length]
    return min(found, default=None)


def holds(begin: int, end: int, now_s: int) -> bool:
    """Return whether the window [begin, end) of each day, over midnight where begin > end, holds now."""
    return (now_s - begin) % DAY_S < ((end - begin) % DAY_S or DAY_S)


def next_begin(from_s: Ints, now_s: int) -> int:
    """Return the next second after now at which a window begins."""
    day = now_s // DAY_S * DAY_S
    begins = [start for b in from_s.tolist() for start in (day + b, day + DAY_S + b) if start > now_s]
    return min(begins, default=now_s + DAY_S)
