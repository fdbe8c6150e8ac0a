"""A run folder as the exports read it: facts, stamp, city, positions, and a calendar date.

A run knows the weekday of its first day, not its date. Unless one is given, that day is put into the first full week
of 2026: Monday 5 to Sunday 11 January. Local time is that of ``timezone`` (Asia/Shanghai, UTC+8 all year).
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geo.city import City
from twin.errors import ScenarioError
from twin.log import Facts, schema
from twin.run_folder import read_stamp
from twin.scenario.model import WEEKDAYS
from twin.world.traffic.positions import RoadShapes

TIMEZONE = "Asia/Shanghai"
FIRST_MONDAY = dt.date(2026, 1, 5)

_NAMES = uuid.uuid5(uuid.NAMESPACE_DNS, "qibu-twin")

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def the_zone(timezone: str) -> dt.tzinfo:
    """Return a time zone by its IANA name; ScenarioError if there is none of that name."""
    if timezone == TIMEZONE:  # holds on machines without a time zone database too; China has had UTC+8 since 1991
        return dt.timezone(dt.timedelta(hours=8), TIMEZONE)
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise ScenarioError(f"--timezone: '{timezone}' is no time zone; write it like {TIMEZONE}") from None


def the_date(text: str | None, weekday: str | None = None) -> dt.date:
    """Return the date that ``text`` (YYYY-MM-DD) names, or the one of the first week of 2026 with this weekday.

    Raises ScenarioError when it is no date, or falls on another ``weekday`` than that of the run's first day.
    """
    want = WEEKDAYS.index(weekday) if weekday in WEEKDAYS else 0
    if text is None:
        return FIRST_MONDAY + dt.timedelta(days=want)
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        raise ScenarioError(f"--date: '{text}' is no date; write it like 2026-03-02") from None
    if not dt.date(2018, 1, 1) <= date <= dt.date(2100, 1, 1):  # MDS knows no timestamp before 2018
        raise ScenarioError(f"--date: '{text}' is not between 2018-01-01 and 2100-01-01")
    if weekday is not None and date.weekday() != want:
        near = date + dt.timedelta(days=want - date.weekday())
        raise ScenarioError(
            f"--date: {text} is a {WEEKDAYS[date.weekday()]}, but the run's first day is a {weekday}; take {near}"
        )
    return date


def seconds_of(clock: Any, otherwise: int) -> int:
    """Return seconds since midnight of such as "07:00" (the stamp's way) or 25200."""
    if clock is None:
        return otherwise
    if isinstance(clock, (int, float)):
        return int(clock)
    hours, _, rest = str(clock).partition(":")
    minutes, _, seconds = rest.partition(":")
    return int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)


@dataclass(frozen=True)
class Calendar:
    """Turns seconds of the run into moments: ``date`` is its first day, in ``timezone``."""

    date: dt.date
    timezone: str = TIMEZONE

    @cached_property
    def _midnight(self) -> int:
        return int(dt.datetime.combine(self.date, dt.time(), the_zone(self.timezone)).timestamp())

    def unix_s(self, t_s: float) -> int:
        """Seconds since 1970 of a second of the run."""
        return self._midnight + round(t_s)

    def unix_ms(self, t_s: float) -> int:
        """Milliseconds since 1970 of a second of the run."""
        return self._midnight * 1000 + round(t_s * 1000)

    def compact(self, days: int = 0) -> str:
        """Return the date ``days`` after the first day as YYYYMMDD."""
        return (self.date + dt.timedelta(days=days)).strftime("%Y%m%d")


@dataclass(frozen=True)
class RunData:
    """A run folder, opened."""

    folder: Path
    stamp: dict[str, Any]
    facts: Facts
    city: City
    calendar: Calendar

    @classmethod
    def open(cls, folder: str | Path, date: str | None = None, timezone: str = TIMEZONE) -> RunData:
        """Open a run folder. Raises ScenarioError (no run, no such date) or CityError (its city is gone)."""
        path = Path(folder)
        stamp = read_stamp(path)
        the_zone(timezone)
        calendar = Calendar(the_date(date, stamp.get("scenario", {}).get("weekday")), timezone)
        if not (path / "events.parquet").is_file():
            raise ScenarioError(f"{path}: has no events.parquet; run it again")
        facts = Facts.read(path)
        if not set(schema().names) <= set(pq.read_schema(path / "events.parquet").names):
            raise ScenarioError(f"{path}: was written by an older version, which knew fewer facts; run it again")
        return cls(path, stamp, facts, City.load(stamp["city_dir"]), calendar)

    @property
    def scenario(self) -> dict[str, Any]:
        """The scenario as the stamp holds it."""
        found: dict[str, Any] = self.stamp.get("scenario", {})
        return found

    @property
    def start_s(self) -> int:
        """First second of the run, since midnight of its first day."""
        return int(self.stamp["start_s"])

    @property
    def end_s(self) -> int:
        """Last second of the run."""
        return int(self.stamp["end_s"])

    def uuid(self, *what: object) -> str:
        """Return a UUID that follows from the seed and ``what`` alone: the same in every export of this run."""
        return str(uuid.uuid5(_NAMES, "/".join(str(w) for w in (self.stamp.get("seed", 0), *what))))

    # -- where things are ------------------------------------------------------------------------------------

    @cached_property
    def _shapes(self) -> RoadShapes:
        return RoadShapes(self.city)

    def on_road(self, road: Ints, pos_m: Floats) -> tuple[Floats, Floats]:
        """Return longitude and latitude of points along roads."""
        x, y = self._shapes.at(np.asarray(road, dtype=np.int64), np.asarray(pos_m, dtype=np.float64))
        lon, lat = self.city.net_to_wgs84(x, y)
        return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)

    def positions(self, kinds: tuple[int, ...], from_s: float = -np.inf, to_s: float = np.inf) -> Positions:
        """Return where the vehicles of these kinds (numbers of VEHICLE_KINDS) were, from the sampled positions.

        Sorted by time. Empty when the run wrote no positions.
        """
        file = self.folder / "fcd.parquet"
        columns = ["timestep_time", "vehicle_id", "vehicle_x", "vehicle_y", "vehicle_speed"]
        if not file.is_file() or not set(columns) <= set(pq.read_schema(file).names):
            none = np.empty(0)
            return Positions(none, np.empty(0, dtype=np.int64), none, none, none)
        time, name = pc.field("timestep_time"), pc.field("vehicle_id")
        where = (time >= float(from_s)) & (time <= float(to_s)) & pc.is_valid(pc.field("vehicle_x"))
        of_kind = [pc.starts_with(name, str(k)) & (pc.utf8_length(name) == len(str(k)) + 12) for k in kinds]
        table = pq.read_table(file, columns=columns, filters=where & functools.reduce(operator.or_, of_kind))
        ids = pc.cast(table["vehicle_id"], "int64")
        lon, lat = self.city.net_to_wgs84(table["vehicle_x"].to_numpy(), table["vehicle_y"].to_numpy())
        t = table["timestep_time"].to_numpy().astype(np.float64)
        order = np.argsort(t, kind="stable")
        speed = table["vehicle_speed"].to_numpy().astype(np.float64)
        return Positions(t[order], ids.to_numpy().astype(np.int64)[order], lon[order], lat[order], speed[order])


@dataclass(frozen=True)
class Positions:
    """Sampled positions, columns of one length: ``t_s``, vehicle number, degrees, metres per second."""

    t_s: Floats
    vehicle: Ints
    lon: Floats
    lat: Floats
    speed_m_s: Floats
