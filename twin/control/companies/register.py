"""The register of companies as columns that decision tables read."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from twin.domain.companies import CompanyRecords
from twin.domain.messages import Ints


class Register:
    """Columns by field name over all companies; a company's row never changes. Fields are those of the first table."""

    def __init__(self) -> None:
        self.company: Ints = np.zeros(0, dtype=np.int64)
        self.there: npt.NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self.columns: dict[str, npt.NDArray[Any]] = {}
        self._row: dict[int, int] = {}

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of what is known of a company."""
        return tuple(self.columns)

    def row(self, company: int) -> int:
        """Return the row of a company; -1: there is none."""
        return self._row.get(company, -1)

    def values(self, row: int) -> dict[str, Any]:
        """Return what is known of one company."""
        return {field: column[row] for field, column in self.columns.items()}

    def take(self, m: CompanyRecords) -> None:
        """Take records in; a company that is there is replaced."""
        n = m.company.size
        text = np.asarray(m.text, dtype=object)
        told: dict[str, npt.NDArray[Any]] = {}
        for i, field in enumerate(m.number_field):
            told[field] = m.numbers[i * n : (i + 1) * n]
        for i, field in enumerate(m.flag_field):
            told[field] = m.flags[i * n : (i + 1) * n] != 0
        for i, field in enumerate(m.text_field):
            told[field] = text[m.texts[i * n : (i + 1) * n]]
        if not self.columns:
            self.columns = {field: column[:0] for field, column in told.items()}
        rows = np.asarray([self._row.get(c, -1) for c in m.company.tolist()], dtype=np.int64)
        old, new = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)
        for c in m.company[new].tolist():
            self._row[c] = len(self._row)
        self.company = np.concatenate([self.company, m.company[new]])
        self.there = np.concatenate([self.there, np.ones(new.size, dtype=bool)])
        for field, column in self.columns.items():
            whole = np.concatenate([column, told[field][new]])
            whole[rows[old]] = told[field][old]
            self.columns[field] = whole

    def leave(self, companies: Ints) -> None:
        """Strike companies off."""
        for c in companies.tolist():
            if c in self._row:
                self.there[self._row[c]] = False
