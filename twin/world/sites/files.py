"""The projects of a city: generated from small tables, or read from its own file; each with a place on the map.

Generated projects are the same for every seed: they are the city's data, not chance. Numbers: shares of the kinds,
investments and contractors are assumed; durations follow Bromilow's time-cost law T = K · C^0.3 (Bromilow 1969) with
K of the table (assumed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.control.construction.earned_value import CURVES
from twin.dice import Stream
from twin.domain.construction import LIBRARIES, PROJECT_KINDS, ProjectFiles
from twin.errors import ScenarioError
from twin.scenario.construction import Construction
from twin.scenario.project_file import ProjectRow, read_projects

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_CITY = 0  # generated projects do not depend on the seed of a run
#: kind → share of the projects, median investment in million CNY, days for that investment
_KINDS = ((0.44, 260.0, 520.0), (0.30, 90.0, 330.0), (0.12, 35.0, 220.0), (0.14, 60.0, 300.0))
_SPREAD, _TIME_COST = 0.7, 0.3
_WHAT = ("建设工程", "道路管网工程", "园林绿化工程", "水利工程")
_CONTRACTORS = tuple(f"施工单位{i:02d}（示意）" for i in range(1, 25))
_BLOCKS = ("construction", "housing", "mixed", "commerce", "office", "industry", "school", "public", "logistics")


@dataclass(frozen=True)
class Sites:
    """Columns, one row per project, in order of number; ``road``/``pos_m``: where lorries come to.

    ``site_m2``: ground that is open at a time; ``contractor``: row of ``contractors``.
    """

    project: Ints
    name: tuple[str, ...]
    kind: Ints
    library: Ints
    community: tuple[str, ...]
    x_m: Floats
    y_m: Floats
    road: Ints
    pos_m: Floats
    investment_cny: Floats
    start_day: Ints
    finish_day: Ints
    contractor: Ints
    contractors: tuple[str, ...]
    curve_c: Floats
    curve_k: Floats
    site_m2: Floats

    def __len__(self) -> int:
        return len(self.project)

    def message(self, t_s: int) -> ProjectFiles:
        """Return the files as the desk is told."""
        return ProjectFiles(
            t_s=t_s,
            key="files",
            project=self.project,
            name=self.name,
            kind=self.kind,
            library=self.library,
            community=self.community,
            x_m=self.x_m,
            y_m=self.y_m,
            investment_cny=self.investment_cny,
            start_day=self.start_day,
            finish_day=self.finish_day,
            contractor=tuple(self.contractors[i] for i in self.contractor.tolist()),
            curve_c=self.curve_c,
            curve_k=self.curve_k,
        )


@dataclass(frozen=True)
class _Spots:
    """Candidates for sites of one kind."""

    x_m: Floats
    y_m: Floats
    road: Ints
    pos_m: Floats


def sites_of(city: City, part: Construction) -> Sites:
    """Return the projects of a scenario. Raises ScenarioError for a file with mistakes, or a city without roads."""
    if part.projects is not None:
        return _given(city, read_projects(part.projects), date.fromisoformat(part.first_date))
    return _generated(city, part)


def _generated(city: City, part: Construction) -> Sites:
    counts = (part.reserve, part.current, part.post)
    project = np.arange(1, sum(counts) + 1, dtype=np.int64)
    library = np.repeat(np.arange(3), counts).astype(np.int64)
    draw = {n: Stream(_CITY, f"sites.files.{n}") for n in ("kind", "money", "phase", "contractor")}
    kind = draw["kind"].choice([k[0] for k in _KINDS], project)
    median, days = (np.asarray([k[i] for k in _KINDS])[kind] for i in (1, 2))
    investment = np.rint(median * np.exp(_SPREAD * draw["money"].normal(project)) * 10) * 1e5
    length = np.maximum(np.rint(days * (investment / (median * 1e6)) ** _TIME_COST), 60).astype(np.int64)
    phase = draw["phase"].uniform(project)
    # reserve: begins within a year and a half; current: anywhere on its way; post: over for up to two years
    start = np.select(
        [library == 0, library == 1], [20 + 520 * phase, -0.95 * phase * length], -(length * 1.1 + 20 + 700 * phase)
    )
    start_day = np.floor(start).astype(np.int64)
    spots = _choose(city, kind)
    names, community = _names(city, spots, kind, project)
    return _whole(
        project, names, kind, library, community, spots, investment, start_day, start_day + length,
        draw["contractor"].integers(0, len(_CONTRACTORS), project), _CONTRACTORS,
    )  # fmt: skip


def _given(city: City, rows: Sequence[ProjectRow], first: date) -> Sites:
    rows = sorted(rows, key=lambda r: r.project)
    x, y = city.to_local(np.array([r.lon for r in rows]), np.array([r.lat for r in rows]))
    road, pos = _nearest(city, x, y)
    contractors = tuple(dict.fromkeys(r.contractor for r in rows))
    spots = _Spots(x, y, road, pos)
    _, community = _names(city, spots, np.zeros(len(rows), np.int64), np.arange(len(rows)))
    return _whole(
        np.array([r.project for r in rows], dtype=np.int64),
        tuple(r.name for r in rows),
        np.array([PROJECT_KINDS.index(r.kind) for r in rows], dtype=np.int64),
        np.array([LIBRARIES.index(r.library) for r in rows], dtype=np.int64),
        community,
        spots,
        np.array([r.investment_cny for r in rows]),
        np.array([(r.start - first).days for r in rows], dtype=np.int64),
        np.array([(r.finish - first).days for r in rows], dtype=np.int64),
        np.array([contractors.index(r.contractor) for r in rows], dtype=np.int64),
        contractors,
    )


def _whole(
    project: Ints,
    name: tuple[str, ...],
    kind: Ints,
    library: Ints,
    community: tuple[str, ...],
    spots: _Spots,
    investment: Floats,
    start_day: Ints,
    finish_day: Ints,
    contractor: Ints,
    contractors: tuple[str, ...],
) -> Sites:
    curve = np.asarray(CURVES)[kind]
    # open ground: 1 m² per 12,000 CNY of building, 4,000 of anything else, at most 4 ha at a time (assumed)
    ground = np.minimum(investment / np.where(kind == 0, 12_000.0, 4_000.0), 40_000.0)
    return Sites(
        project, name, kind, library, community, spots.x_m, spots.y_m, spots.road, spots.pos_m, investment, start_day,
        finish_day, contractor, contractors, curve[:, 0].copy(), curve[:, 1].copy(), ground,
    )  # fmt: skip


# -- where -------------------------------------------------------------------------------------------


def _drivable(city: City) -> npt.NDArray[np.bool_]:
    roads = city.roads
    return np.asarray(roads["main"].to_numpy(bool) & roads["car"].to_numpy(bool))


def _nearest(city: City, x: Floats, y: Floats) -> tuple[Ints, Floats]:
    """Return the nearest drivable road of points, by the middles of roads, and the metres to its middle."""
    from scipy.spatial import cKDTree

    roads = np.flatnonzero(_drivable(city))
    if roads.size == 0:
        raise ScenarioError(f"construction: {city.name} has no road that a lorry could use")
    middle = city.roads.geometry.iloc[roads].interpolate(0.5, normalized=True)
    _, at = cKDTree(np.column_stack([middle.x, middle.y])).query(np.column_stack([x, y]))
    road = roads[np.asarray(at)]
    return road.astype(np.int64), city.roads["length_m"].to_numpy(np.float64)[road] / 2


def _choose(city: City, kind: Ints) -> _Spots:
    """Give every project a spot of its kind, no two the same as long as there are enough."""
    out: list[Any] = [np.zeros(kind.size), np.zeros(kind.size), np.zeros(kind.size, np.int64), np.zeros(kind.size)]
    for k in range(len(PROJECT_KINDS)):
        mine = np.flatnonzero(kind == k)
        if mine.size == 0:
            continue
        spots = _candidates(city, k)
        n = spots.x_m.size
        rank = np.argsort(Stream(_CITY, f"sites.files.spot.{k}").uniform(np.arange(n)), kind="stable")
        if k == 0:  # the city's own building sites come first
            first = int((city.places["kind"] == "construction_site").sum())
            rank = np.concatenate([rank[rank < first], rank[rank >= first]])
        take = rank[np.arange(mine.size) % n]
        for column, values in zip(out, (spots.x_m, spots.y_m, spots.road, spots.pos_m), strict=True):
            column[mine] = values[take]
    return _Spots(out[0], out[1], out[2].astype(np.int64), out[3])


def _candidates(city: City, kind: int) -> _Spots:
    """Return where a project of a kind may lie; any drivable road where the city has no such places."""
    places, points = city.places, None
    if kind == 0:
        blocks = city.blocks[city.blocks["kind"].isin(_BLOCKS)].geometry.representative_point()
        own = places[places["kind"] == "construction_site"].geometry
        points = np.column_stack([np.r_[own.x, blocks.x], np.r_[own.y, blocks.y]])
    elif kind == 2:
        parks = places[places["kind"] == "park"].geometry
        points = np.column_stack([parks.x, parks.y])
    elif kind == 3:
        waters = city.waters.geometry.representative_point()
        points = np.column_stack([waters.x, waters.y])
    if points is None or len(points) == 0:
        roads = np.flatnonzero(_drivable(city))
        if kind == 1:
            main = city.roads["road_class"].isin(("primary", "secondary", "tertiary")).to_numpy(bool)
            roads = roads[main[roads]] if main[roads].any() else roads
        if roads.size == 0:
            raise ScenarioError(f"construction: {city.name} has no road that a lorry could use")
        middle = city.roads.geometry.iloc[roads].interpolate(0.5, normalized=True)
        length: Any = city.roads["length_m"].to_numpy(np.float64)[roads]
        x, y = (np.asarray(c.to_numpy(), dtype=np.float64) for c in (middle.x, middle.y))
        return _Spots(x, y, roads.astype(np.int64), length / 2)
    road, pos = _nearest(city, points[:, 0], points[:, 1])
    return _Spots(points[:, 0], points[:, 1], road, pos)


def _names(city: City, spots: _Spots, kind: Ints, project: Ints) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names and communities by where the sites lie."""
    from scipy.spatial import cKDTree

    centre: Any = city.communities.geometry.representative_point()
    _, at = cKDTree(np.column_stack([centre.x, centre.y])).query(np.column_stack([spots.x_m, spots.y_m]))
    ids, names = city.communities["community"].tolist(), city.communities["name"].tolist()
    rows = [int(i) for i in np.atleast_1d(at)]
    made = tuple(
        f"{names[i]}{_WHAT[k]}{p}（示意）" for i, k, p in zip(rows, kind.tolist(), project.tolist(), strict=True)
    )
    return made, tuple(str(ids[i]) for i in rows)
