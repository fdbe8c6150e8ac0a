"""Habits: what people learn from being late. Leave earlier; if that does not help, take another mode.

The state is three small arrays; a day's lateness is folded in at the end of the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.people.settings import PeopleSettings

Ints = npt.NDArray[Any]  # whole numbers


@dataclass
class Habits:
    """One row per person: ``shift_s`` more margin before due times; ``late_days`` in a row by the same mode;
    ``mode`` that replaces the choice on the way to work or school (-1: none).
    """  # noqa: D205

    shift_s: npt.NDArray[np.float32]
    late_days: npt.NDArray[np.int8]
    mode: npt.NDArray[np.int8]

    @classmethod
    def of(cls, people: int) -> Habits:
        """Return the habits of people who were never late."""
        return cls(
            np.zeros(people, dtype=np.float32), np.zeros(people, dtype=np.int8), np.full(people, -1, dtype=np.int8)
        )

    def learn(
        self, rows: Ints, late_s: npt.NDArray[np.number], on_time: Ints, settings: PeopleSettings
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Fold a day in: people ``rows`` were late by ``late_s``; ``on_time`` had a due time and kept it.

        Returns, per late person, whether they leave earlier from now on, and whether they have had enough and
        look for another mode (the caller finds it: see ``PeopleModel.end_day``).
        """
        before = self.shift_s[rows].copy()
        more = np.minimum(before + settings.learning * np.asarray(late_s), settings.shift_most_s)
        self.shift_s[rows] = more
        self.late_days[rows] = np.minimum(self.late_days[rows] + 1, 100)
        # who keeps arriving in time slowly forgets
        self.late_days[on_time] = 0
        self.shift_s[on_time] *= 0.9
        enough = (self.late_days[rows] >= settings.late_days_to_switch) & (np.asarray(late_s) > 0)
        return self.shift_s[rows] > before, enough
