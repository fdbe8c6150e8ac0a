"""What indicators read: the facts of one run as numpy columns, each table read once, and trips with their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin import events
from twin.log import Facts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Memory:
    """The facts of one run with the tables that were asked for kept, so that many indicators read each once."""

    def __init__(self, log: Facts | Memory) -> None:
        self._facts: Facts = log._facts if isinstance(log, Memory) else log
        self._tables: dict[str, dict[str, npt.NDArray[Any]]] = log._tables if isinstance(log, Memory) else {}
        self._trips: Trips | None = log._trips if isinstance(log, Memory) else None

    @property
    def facts(self) -> Facts:
        """The facts themselves."""
        return self._facts

    def columns(self, kind: type[events.Fact]) -> dict[str, npt.NDArray[Any]]:
        """Return the facts of one kind as numpy columns, ``t_s`` first."""
        name = kind.__name__
        if name not in self._tables:
            table = self._facts.table(kind)
            self._tables[name] = {c: _numpy(table[c]) for c in table.column_names}
        return self._tables[name]

    @property
    def trips(self) -> Trips:
        """Every trip that was started, with how it ended."""
        if self._trips is None:
            self._trips = Trips.of(self)
        return self._trips

    def end_s(self) -> int:
        """Return the second at which the run ended (the last fact, should the end itself be missing)."""
        ended = self.columns(events.RunEnded)["t_s"]
        if ended.size:
            return int(ended[-1])
        t_s = _numpy(self._facts.table(None, ["t_s"])["t_s"])
        return int(t_s.max()) if t_s.size else 0


def _numpy(column: Any) -> npt.NDArray[Any]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    return np.asarray(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy())


_MAX_TRIPS = 1000  # trips of a resident in a run; see twin.domain.ids.vehicle_number


@dataclass(frozen=True)
class Trips:
    """Trips as columns: what was started, and the outcome (nan where a trip did not reach its end)."""

    mode: Ints
    started_s: Ints
    due_s: Ints
    distance_m: Floats
    expected_s: Floats
    duration_s: Floats
    refused: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, memory: Memory) -> Trips:
        """Join the beginnings of trips with their ends, by resident and trip number."""
        a = memory.columns(events.TripStarted)
        key = a["resident"] * _MAX_TRIPS + a["trip"]
        order = np.argsort(key, kind="stable")
        key = key[order]
        duration = np.full(key.size, np.nan)
        b = memory.columns(events.TripEnded)
        at, hit = _find(key, b["resident"] * _MAX_TRIPS + b["trip"])
        duration[at[hit]] = b["duration_s"][hit]
        refused = np.zeros(key.size, dtype=bool)
        c = memory.columns(events.TripRefused)
        at, hit = _find(key, c["resident"] * _MAX_TRIPS + c["trip"])
        refused[at[hit]] = True
        return cls(
            a["mode"][order],
            a["t_s"][order].astype(np.int64),
            a["due_s"][order],
            a["distance_m"][order].astype(np.float64),
            a["expected_s"][order].astype(np.float64),
            duration,
            refused,
        )

    @property
    def ended(self) -> npt.NDArray[np.bool_]:
        """True where the trip reached its end."""
        return ~np.isnan(self.duration_s)


def _find(key: Ints, wanted: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    at = np.searchsorted(key, wanted)
    at = np.minimum(at, max(key.size - 1, 0))
    hit = key[at] == wanted if key.size else np.zeros(wanted.size, dtype=bool)
    return at, np.asarray(hit, dtype=bool)
