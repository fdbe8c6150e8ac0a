"""What answers and rewards do to people: how ready each is to come back, which fades (F31).

The readiness of an account is exp(s): s moves by ``MOVES`` with every answer, by points, and by what he saw himself, is
kept within ± ``MOST``, and fades with a time constant of ``FADE_S`` (reinforcement and forgetting; figures assumed).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FADE_S = 21 * 86_400.0
MOST = 1.5
PER_POINT = 0.02
MOVES = {
    "accepted": 0.05,
    "duplicate": -0.02,
    "rejected": -0.4,
    "not found": -0.3,
    "gone": 0.0,
    "said to be fixed": 0.15,
    "open again": 0.1,
    "not fixed": -0.3,
    "no answer": -0.3,
    "voucher": 0.3,
}

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Hearts:
    """The readiness of all accounts, by row; ``effect`` scales all moves."""

    def __init__(self, members: int, effect: float) -> None:
        self._effect = effect
        self._s = np.zeros(members)
        self._at_s = np.zeros(members)

    def move(self, row: int, by: float, now_s: int) -> None:
        """Let one account be moved."""
        faded = self._s[row] * np.exp(-(now_s - self._at_s[row]) / FADE_S)
        self._s[row] = np.clip(faded + self._effect * by, -MOST, MOST)
        self._at_s[row] = now_s

    def answered(self, row: int, answer: str, now_s: int) -> None:
        """Let an answer move one account."""
        self.move(row, MOVES.get(answer, 0.0), now_s)

    def ready(self, now_s: int, rows: Ints | None = None) -> Floats:
        """Return exp(s) of accounts now: 1 as at first, above 1 readier."""
        s, at = (self._s, self._at_s) if rows is None else (self._s[rows], self._at_s[rows])
        return np.asarray(np.exp(s * np.exp(-(now_s - at) / FADE_S)), dtype=np.float64)
