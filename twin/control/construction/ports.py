"""What can be swapped in construction supervision: when a project is warned of, and how a hazard is graded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.domain.messages import Floats, Ints


@dataclass(frozen=True)
class EarnedValueView:
    """All current projects on a day, as equal-length columns.

    ``elapsed_days`` since the planned start, ``planned_days`` from start to finish; ``planned_cny`` (PV, BCWS),
    ``earned_cny`` (EV, BCWP), ``actual_cny`` (AC, ACWP; nan: not told), ``budget_cny`` (BAC); ``earned_days``: earned
    schedule; ``spread``: standard deviation of the estimated progress; ``warned``: is warned of already.
    """

    day: int
    project: Ints
    kind: Ints
    elapsed_days: Floats
    planned_days: Floats
    budget_cny: Floats
    planned_cny: Floats
    earned_cny: Floats
    actual_cny: Floats
    earned_days: Floats
    spread: Floats
    warned: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outlook:
    """What a policy makes of the view: ``forecast_day`` of finish by project (-1: cannot tell), whether it is late."""

    forecast_day: Ints
    late: npt.NDArray[np.bool_]


class LagPolicy(Protocol):
    """Says which projects will be late.

    Example::

        class Behind:
            def look(self, view):
                late = view.earned_cny < 0.9 * view.planned_cny
                return Outlook(np.full(late.size, -1), late)
    """

    def look(self, view: EarnedValueView) -> Outlook:
        """Return the outlook of all projects of the view, row by row."""
