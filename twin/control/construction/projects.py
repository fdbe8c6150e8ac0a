"""The desk's book: one file per project 一项目一档, the three libraries, and the rules it works by (F13-F15)."""

from __future__ import annotations

import numpy as np

from twin.domain.construction import LIBRARIES, ProjectFiles, SupervisionRules
from twin.domain.messages import Floats, Ints

RESERVE, CURRENT, POST = range(len(LIBRARIES))
_NUMBERS = ("kind", "library", "start_day", "finish_day")
_MEASURES = ("x_m", "y_m", "investment_cny", "curve_c", "curve_k")


class Book:
    """Columns over all files; a project's row never changes."""

    def __init__(self) -> None:
        self._row: dict[int, int] = {}
        self.project: Ints = np.zeros(0, dtype=np.int64)
        self.name: list[str] = []
        self.ints: dict[str, Ints] = {n: np.zeros(0, dtype=np.int64) for n in _NUMBERS}
        self.floats: dict[str, Floats] = {n: np.zeros(0) for n in _MEASURES}
        self.first_day = 0
        self.assess_at_s = 20 * 3600
        self.hold_days = 7
        self.rectify_s: tuple[int, ...] = (7 * 86_400, 3 * 86_400, 86_400, 4 * 3600)
        self.recheck_s = 86_400
        self.escalate_to: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.name)

    def known(self, project: int) -> bool:
        """Say whether there is a file."""
        return project in self._row

    def row(self, project: int) -> int:
        """Return the row of a project; KeyError if there is no file."""
        return self._row[project]

    def rows(self, projects: Ints) -> tuple[Ints, Ints]:
        """Return (positions in ``projects`` that have a file, their rows); others are passed over."""
        row = self._row
        found = [(i, row[p]) for i, p in enumerate(projects.tolist()) if p in row]
        both = np.asarray(found, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def file(self, m: ProjectFiles) -> None:
        """Take files in; one that is there is replaced."""
        for i, project in enumerate(m.project.tolist()):
            if project in self._row:
                row = self._row[project]
                self.name[row] = m.name[i]
                for n in _NUMBERS:
                    self.ints[n][row] = getattr(m, n)[i]
                for n in _MEASURES:
                    self.floats[n][row] = getattr(m, n)[i]
        new = np.asarray([i for i, p in enumerate(m.project.tolist()) if p not in self._row], dtype=np.int64)
        for i in new.tolist():
            self._row[int(m.project[i])] = len(self.name)
            self.name.append(m.name[i])
        self.project = np.concatenate([self.project, m.project[new]])
        for n in _NUMBERS:
            self.ints[n] = np.concatenate([self.ints[n], getattr(m, n)[new]])
        for n in _MEASURES:
            self.floats[n] = np.concatenate([self.floats[n], getattr(m, n)[new]])

    def rule(self, m: SupervisionRules) -> None:
        """Take the rules in."""
        self.first_day, self.assess_at_s, self.hold_days = m.first_day, m.assess_at_s, m.hold_days
        self.rectify_s, self.recheck_s = tuple(m.rectify_s.tolist()), m.recheck_s
        self.escalate_to = m.escalate_to
