"""The hierarchy as the desk knows it: which grid, community, subdistrict a place belongs to, and who is above whom."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.domain.incidents import DISTRICT, GRID, LEVELS, Areas

Ints = npt.NDArray[np.int64]


class Hierarchy:
    """Rows of :class:`Areas`; ``above[row, level]``: the area of ``level`` that a row lies in, -1 if it is above."""

    def __init__(self, told: Areas) -> None:
        self.level, self.name = told.level, told.name
        self._x_m, self._y_m = told.x_m, told.y_m
        self.above: Ints = np.full((told.level.size, len(LEVELS)), -1, dtype=np.int64)
        for row in np.argsort(-told.level, kind="stable").tolist():  # the district first
            parent = int(told.parent[row])
            if parent >= 0:
                self.above[row] = self.above[parent]
            self.above[row, told.level[row]] = row
        named = zip(told.level.tolist(), told.name, strict=True)
        self._row = {(level, name): row for row, (level, name) in enumerate(named)}
        self._lowest: Ints = np.flatnonzero(told.level == told.level.min(initial=DISTRICT))

    def row(self, level: int, name: str) -> int:
        """Return the row of an area; -1 if there is none of that name."""
        return self._row.get((level, name), -1)

    def chain(self, grid: str, x_m: float, y_m: float) -> Ints:
        """Return the rows of all levels that a place lies in: of the grid named, else of the nearest one."""
        row = self.row(GRID, grid)
        if row < 0:
            far = np.hypot(self._x_m[self._lowest] - x_m, self._y_m[self._lowest] - y_m)
            row = int(self._lowest[int(np.argmin(np.nan_to_num(far, nan=np.inf)))])
        chain: Ints = self.above[row]
        return chain
