"""What an indicator is: a named, documented function of the facts of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scenarios.readings import Memory
from twin.log import Facts

Better = Literal["lower", "higher", "neither"]


@dataclass(frozen=True)
class Kpi:
    """An indicator: call it with the facts of a run. ``better``: which direction is an improvement."""

    name: str
    title: str
    title_zh: str
    unit: str
    better: Better
    compute: Callable[[Memory], float | None]

    def __call__(self, log: Facts | Memory) -> float | None:
        """Return the value, or None where the run holds nothing to compute it from."""
        value = self.compute(log if isinstance(log, Memory) else Memory(log))
        return None if value is None or not np.isfinite(value) else float(value)
