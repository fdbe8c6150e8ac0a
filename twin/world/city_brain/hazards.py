"""Hazards in truth: columns, one row each, from the second a hazard begins to the second it ends.

Rows are only appended, so a row is a hazard for the whole run. The number of a hazard (:func:`hazard_number`) is a
function of its theme, site and occurrence: one hazard more changes no other's number or draws. How often hazards begin
is in :mod:`.births`, how they grow and whom they harm in :mod:`.kinds`; this is the account that all others share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.domain.city_brain import THEMES
from twin.events import HazardBegan, HazardContained, HazardEnded, HazardGrew, HazardHarmed, HazardOpen
from twin.scenario.city_brain import HazardRates
from twin.world.city_brain.kinds import KINDS, HazardKind
from twin.world.ports import RunContext

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Objects = npt.NDArray[Any]

ACTIVE, CONTAINED, ENDED = range(3)
STATES = ("active", "contained", "ended")
_THEMES = tuple(THEMES)
_SITES, _TIMES = 10**7, 10**5
TOLD_AT = 1.5  # growth since the last fact at which another is written
NEVER_S = 1 << 60

#: what :attr:`Hazards.listeners` are called with: "began" or "ended", row, second
Listener = Callable[[str, int, int], None]


def hazard_number(theme: str, site: int, occurrence: int) -> int:
    """Return the number of a hazard: theme, site (below 10⁷), occurrence at that site (below 10⁵)."""
    return ((_THEMES.index(theme) + 1) * _SITES + site) * _TIMES + occurrence


@dataclass(frozen=True)
class Beginning:
    """One hazard that begins: where, how large, how fast it grows (a minute), and what becomes of it by itself.

    ``until_s``/``fate``: when and as what it ends if nobody comes; ``harm_s``: when it harms ``harmed`` people.
    """

    number: int
    kind: str
    x_m: float
    y_m: float
    road: int = -1
    place: str = ""
    grid: str = ""
    community: str = ""
    size: float = 1.0
    growth_min: float = 0.0
    most: float = np.inf
    until_s: int = NEVER_S
    fate: str = "expired"
    harm_s: int = NEVER_S
    harmed: int = 0
    site: int = -1
    cause: str = "chance"


class _Column:
    """An array that grows."""

    def __init__(self, dtype: Any) -> None:
        self.data = np.empty(64, dtype=dtype)

    def set(self, row: int, value: Any) -> None:
        if row >= self.data.size:
            self.data = np.concatenate([self.data, np.empty(self.data.size, dtype=self.data.dtype)])
        self.data[row] = value


_COLUMNS: dict[str, Any] = {
    "id": np.int64, "theme": object, "kind": object, "x_m": np.float64, "y_m": np.float64, "road": np.int64,
    "place": object, "grid": object, "community": object, "began_s": np.int64, "size": np.float64, "state": np.int8,
    "severity": object, "ended_s": np.int64, "site": np.int64, "growth_min": np.float64, "most": np.float64,
    "until_s": np.int64, "fate": object, "harm_s": np.int64, "harmed": np.int64, "told": np.float64,
}  # fmt: skip


class Hazards:
    """All hazards of a run. Columns by name (``hazards.x_m[row]``); ``state`` is ACTIVE, CONTAINED or ENDED."""

    def __init__(self, context: RunContext, settings: HazardRates) -> None:
        self.settings = settings
        self.listeners: list[Listener] = []
        #: alert → number of the hazard in its picture, -1 nothing: a crew that is guided by the picture finds it there
        self.pictured: dict[str, int] = {}
        self._log = context.log
        self._columns = {name: _Column(dtype) for name, dtype in _COLUMNS.items()}
        self._n = 0
        self._open: list[int] = []
        self._row_of: dict[int, int] = {}

    def __len__(self) -> int:
        """Return the number of hazards so far."""
        return self._n

    # -- columns -------------------------------------------------------------------------------------------

    def _of(self, name: str) -> Any:
        return self._columns[name].data[: self._n]

    @property
    def id(self) -> Ints:
        """Numbers of hazards."""
        return self._of("id")  # type: ignore[no-any-return]

    @property
    def theme(self) -> Objects:
        """Keys of THEMES."""
        return self._of("theme")  # type: ignore[no-any-return]

    @property
    def kind(self) -> Objects:
        """Kinds: keys of KINDS."""
        return self._of("kind")  # type: ignore[no-any-return]

    @property
    def x_m(self) -> Floats:
        """Where, local metres."""
        return self._of("x_m")  # type: ignore[no-any-return]

    @property
    def y_m(self) -> Floats:
        """Where, local metres."""
        return self._of("y_m")  # type: ignore[no-any-return]

    @property
    def road(self) -> Ints:
        """Road index; -1: at none."""
        return self._of("road")  # type: ignore[no-any-return]

    @property
    def place(self) -> Objects:
        """Name of the place, "" for none."""
        return self._of("place")  # type: ignore[no-any-return]

    @property
    def grid(self) -> Objects:
        """Grid, "" for none."""
        return self._of("grid")  # type: ignore[no-any-return]

    @property
    def community(self) -> Objects:
        """Community, "" for none."""
        return self._of("community")  # type: ignore[no-any-return]

    @property
    def began_s(self) -> Ints:
        """When each began."""
        return self._of("began_s")  # type: ignore[no-any-return]

    @property
    def ended_s(self) -> Ints:
        """When each ended; NEVER_S: not yet."""
        return self._of("ended_s")  # type: ignore[no-any-return]

    @property
    def size(self) -> Floats:
        """Present size in the unit of the kind (the last one of those that ended)."""
        return self._of("size")  # type: ignore[no-any-return]

    @property
    def state(self) -> npt.NDArray[np.int8]:
        """ACTIVE, CONTAINED or ENDED."""
        return self._of("state")  # type: ignore[no-any-return]

    @property
    def severity(self) -> Objects:
        """Severity in the words of CAP 1.2."""
        return self._of("severity")  # type: ignore[no-any-return]

    @property
    def site(self) -> Ints:
        """Row of the site of its theme (see :mod:`.sites`); -1: none."""
        return self._of("site")  # type: ignore[no-any-return]

    def row(self, number: int) -> int:
        """Return the row of a hazard; KeyError: there is none of this number."""
        return self._row_of[number]

    def known(self, number: int) -> bool:
        """Whether a hazard of this number ever began."""
        return number in self._row_of

    # -- who is where ----------------------------------------------------------------------------------------

    def open_rows(self) -> Ints:
        """Return the rows that have not ended, in order of beginning."""
        return np.asarray(self._open, dtype=np.int64)

    def active(self, now_s: int) -> Ints:  # noqa: ARG002 (the account is kept to the present second)
        """Return the rows that have not ended: active and contained ones."""
        return self.open_rows()

    def near(self, x_m: float, y_m: float, radius_m: float) -> Ints:
        """Return the rows not ended within a radius, the nearest first."""
        rows = self.open_rows()
        distance = np.hypot(self.x_m[rows] - x_m, self.y_m[rows] - y_m)
        inside = np.flatnonzero(distance <= radius_m)
        found: Ints = rows[inside[np.lexsort((rows[inside], distance[inside]))]]
        return found

    def all_about(self, theme: str, x_m: float, y_m: float, radius_m: float, now_s: int, ago_s: int = 0) -> list[int]:
        """Return the rows of a theme near a point that are open, or ended at most ``ago_s`` ago; the nearest first."""
        rows = np.flatnonzero((self.ended_s >= now_s - ago_s) & (self.began_s <= now_s))
        rows = rows[self.theme[rows] == theme]
        distance = np.hypot(self.x_m[rows] - x_m, self.y_m[rows] - y_m)
        order = np.lexsort((rows, distance))
        found: list[int] = rows[order][distance[order] <= radius_m].tolist()
        return found

    def about(self, theme: str, x_m: float, y_m: float, radius_m: float, now_s: int, ago_s: int = 0) -> int:
        """Return the first of :meth:`all_about`, or -1."""
        return next(iter(self.all_about(theme, x_m, y_m, radius_m, now_s, ago_s)), -1)

    def needs(self, row: int, now_s: int) -> tuple[tuple[str, ...], float]:  # noqa: ARG002
        """Return the skills that handling needs (all of them) and for how long, s, at the present size."""
        kind = KINDS[self.kind[row]]
        return kind.skills, kind.handling_s(float(self.size[row]))

    # -- the life of a hazard ----------------------------------------------------------------------------------

    def begin(self, now_s: int, new: Beginning) -> int:
        """Let a hazard begin; return its row. One whose number is in use is there already: its row is returned."""
        if new.number in self._row_of:
            return self._row_of[new.number]
        kind: HazardKind = KINDS[new.kind]
        row = self._n
        values = {
            "id": new.number, "theme": kind.theme, "kind": new.kind, "x_m": new.x_m, "y_m": new.y_m, "road": new.road,
            "place": new.place, "grid": new.grid, "community": new.community, "began_s": now_s, "size": new.size,
            "state": ACTIVE, "severity": kind.severity_of(new.size), "ended_s": NEVER_S, "site": new.site,
            "growth_min": new.growth_min, "most": new.most, "until_s": new.until_s, "fate": new.fate,
            "harm_s": new.harm_s, "harmed": new.harmed, "told": new.size,
        }  # fmt: skip
        for name, value in values.items():
            self._columns[name].set(row, value)
        self._n += 1
        self._open.append(row)
        self._row_of[new.number] = row
        self._log.add(
            HazardBegan, t_s=now_s, hazard=new.number, theme=kind.theme, kind=new.kind, x_m=float(new.x_m),
            y_m=float(new.y_m), road=int(new.road), place=new.place, grid=new.grid, community=new.community,
            amount=float(new.size), severity=kind.severity_of(new.size), cause=new.cause,
        )  # fmt: skip
        self._tell("began", row, now_s)
        return row

    def resize(self, row: int, size: float, now_s: int) -> None:
        """Let a hazard that nature drives (water, dust, crowds) have another size."""
        self._columns["size"].data[row] = size
        self._told(np.asarray([row]), now_s)

    def live(self, now_s: int, seconds: int) -> None:
        """Let hazards grow for the last ``seconds``, harm whom they harm, and end by themselves."""
        rows = self.open_rows()
        if not rows.size:
            return
        growing = rows[(self.state[rows] == ACTIVE) & (self._of("growth_min")[rows] > 0)]
        if growing.size:
            self._grow(growing, now_s, seconds)
        for row in rows[self._of("harm_s")[rows] <= now_s].tolist():
            self._harm(row, now_s)
        for row in rows[self._of("until_s")[rows] <= now_s].tolist():
            if self.state[row] == ACTIVE:
                self.end(row, now_s, str(self._of("fate")[row]))

    def _grow(self, rows: Ints, now_s: int, seconds: int) -> None:
        """Linear kinds gain ``growth_min`` a minute; fires spread at it as a speed: area = π (v t)²."""
        size, growth = self._of("size"), self._of("growth_min")
        spreads = np.asarray([KINDS[k].spreads for k in self.kind[rows]], dtype=bool)
        radius = np.sqrt(size[rows] / np.pi) + growth[rows] * seconds / 60.0
        larger = np.where(spreads, np.pi * radius**2, size[rows] + growth[rows] * seconds / 60.0)
        size[rows] = np.minimum(larger, self._of("most")[rows])
        self._told(rows, now_s)

    def _told(self, rows: Ints, now_s: int) -> None:
        size, told = self._of("size"), self._of("told")
        much = rows[size[rows] >= TOLD_AT * told[rows]]
        if much.size:
            told[much] = size[much]
            for row in much.tolist():
                self._columns["severity"].data[row] = KINDS[self.kind[row]].severity_of(float(size[row]))
            self._log.add(
                HazardGrew, t_s=np.full(much.size, now_s), hazard=self.id[much], theme=self.theme[much],
                amount=size[much].copy(),
            )  # fmt: skip

    def _harm(self, row: int, now_s: int) -> None:
        if self.state[row] == ACTIVE and self._of("harmed")[row] > 0:
            self._log.add(
                HazardHarmed, t_s=now_s, hazard=int(self.id[row]), theme=str(self.theme[row]),
                what=KINDS[self.kind[row]].harm, people=int(self._of("harmed")[row]),
            )  # fmt: skip
        self._columns["harm_s"].data[row] = NEVER_S

    def contain(self, row: int, now_s: int, by: str) -> None:
        """Let somebody hold a hazard: it grows no further, harms nobody, and does not end by itself."""
        if self.state[row] != ACTIVE:
            return
        self._columns["state"].data[row] = CONTAINED
        self._columns["harm_s"].data[row] = NEVER_S
        self._log.add(
            HazardContained, t_s=now_s, hazard=int(self.id[row]), theme=str(self.theme[row]), who=by,
            amount=float(self.size[row]),
        )  # fmt: skip

    def end(self, row: int, now_s: int, how: str) -> None:
        """Let a hazard end: handled, or by itself; ending twice is ending once."""
        if self.state[row] == ENDED:
            return
        self._columns["state"].data[row] = ENDED
        self._columns["ended_s"].data[row] = now_s
        self._open.remove(row)
        self._log.add(
            HazardEnded, t_s=now_s, hazard=int(self.id[row]), theme=str(self.theme[row]), outcome=how,
            duration_s=int(now_s - self.began_s[row]), amount=float(self.size[row]),
        )  # fmt: skip
        self._tell("ended", row, now_s)

    def finish(self, end_s: int) -> None:
        """Account for those that are still open."""
        for row in self._open:
            self._log.add(
                HazardOpen, t_s=end_s, hazard=int(self.id[row]), theme=str(self.theme[row]),
                amount=float(self.size[row]),
            )  # fmt: skip

    def _tell(self, what: str, row: int, now_s: int) -> None:
        listeners: Sequence[Listener] = self.listeners
        for listener in listeners:
            listener(what, row, now_s)
