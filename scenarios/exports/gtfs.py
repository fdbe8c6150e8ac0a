"""The buses of a city, or of a run, as a GTFS Schedule feed.

*Public lines*: every run that the twin lets drive (:class:`twin.world.traffic.bus_lines.BusLines`) is a trip, so
frequencies.txt is not needed. The twin's timetable gives departures at the first stop only; times further on are the
way at free flow × ``SLACK`` and 20 s at each stop, and say so with ``timepoint`` 0.

*The autonomous line* of a run (F22) is another agency, since it is booked in an app:

- policies ``timetable`` and ``booked_stops`` drive the runs of a timetable: plain stop_times with ``pickup_type`` and
  ``drop_off_type`` 2 (must be arranged) and a booking rule, because the times are what passengers are promised;
- ``on_demand`` and policies of one's own have no times at stops; plain stop_times would promise what nobody keeps.
  There GTFS-Flex says what is true: any stop of a location group to any other, within the hours of service, booked
  in real time (booking_type 0).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.city import City
from scenarios.exports.gtfs_rows import DAILY, HOME_URL, agency, clock, route
from scenarios.exports.gtfs_shapes import Feed, problems
from scenarios.exports.run import TIMEZONE, Calendar, Floats, Ints, RunData, the_date, the_zone
from scenarios.exports.shuttle import ShuttleLine
from twin.errors import ScenarioError
from twin.world.fleets.bus import SLACK
from twin.world.traffic.bus_lines import DWELL_S, BusLine, BusLines

AGENCY = "public"
VALID_DAYS = 365
_COUNT = "{:03d}"


def trip_id(line: str, direction: int, run: int) -> str:
    """Return the id of the ``run``-th run (from 0) of a direction of a line."""
    return f"{line}-{direction}-{_COUNT.format(run)}"


@dataclass(frozen=True)
class Way:
    """A line's way and timetable: metres and planned seconds from the first departure, per stop.

    ``arrive_s``/``leave_s`` per stop; ``stop_m`` along the drawn way; ``points``: its shape (local metres, along).
    """

    arrive_s: Ints
    leave_s: Ints
    stop_m: Floats
    x_m: Floats
    y_m: Floats
    along_m: Floats

    @classmethod
    def of(cls, city: City, line: BusLine) -> Way:
        """Work out the way of a line."""
        roads = np.asarray(line.roads, dtype=np.int64)
        lines = city.roads.geometry.to_numpy()[roads]
        length = city.roads["length_m"].to_numpy(np.float64)[roads]
        speed = city.roads["speed_m_s"].to_numpy(np.float64)[roads]
        drawn = shapely.length(lines)
        begin_m = np.concatenate([[0.0], np.cumsum(drawn)])[:-1]
        begin_s = np.concatenate([[0.0], np.cumsum(length / speed)])[:-1]
        at = _visits(roads, line.stop_roads, line.stop_pos_m)
        pos = np.minimum(line.stop_pos_m, length[at])
        stop_m = begin_m[at] + pos * drawn[at] / np.maximum(length[at], 0.1)
        free_s = begin_s[at] + pos / speed[at]
        n = np.arange(at.size)
        arrive = np.rint((free_s - free_s[0]) * SLACK + DWELL_S * np.maximum(n - 1, 0)).astype(np.int64)
        leave = arrive + np.where((n > 0) & (n < n[-1]), DWELL_S, 0)
        xy, of_line = shapely.get_coordinates(lines, return_index=True)
        step = np.concatenate([[0.0], np.hypot(*np.diff(xy, axis=0).T)])
        step[np.concatenate([[True], np.diff(of_line) > 0])] = 0.0  # drawn roads meet at junctions, nearly
        keep = np.concatenate([[True], np.any(np.diff(xy, axis=0) != 0, axis=1)])
        along = np.cumsum(step)
        return cls(arrive, leave, np.maximum.accumulate(stop_m), xy[keep, 0], xy[keep, 1], along[keep])


def _visits(roads: Ints, stop_roads: Ints, stop_pos_m: Floats) -> Ints:
    """Return where on its way (index into ``roads``) a bus comes to each of its stops, in order."""
    out, at, pos = [], 0, -1.0
    for road, pos_m in zip(stop_roads.tolist(), stop_pos_m.tolist(), strict=True):
        if roads[at] != road or pos_m < pos:
            at += 1 + int(np.flatnonzero(roads[at + 1 :] == road)[0])
        out.append(at)
        pos = pos_m
    return np.asarray(out, dtype=np.int64)


class Timetables:
    """The public lines of a city as the feed and the realtime feed know them."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.lines = BusLines(city)
        table = city.bus_lines
        self.direction = {line.row: int(table["direction"].iloc[line.row]) for line in self.lines.lines}
        self.name = {line.line: str(table["name"].iloc[line.row]) for line in self.lines.lines}
        self.ways = {line.row: Way.of(city, line) for line in self.lines.lines}
        self.place = city.places["place"].to_numpy()

    def trip_id(self, row: int, run: int) -> str:
        """Return the id of a run of a row of ``city.bus_lines``."""
        return trip_id(self.lines.by_row[row].line, self.direction[row], run)


def build(city: City, calendar: Calendar, shuttle: ShuttleLine | None = None) -> dict[str, pd.DataFrame]:
    """Return a checked feed as tables of text. ScenarioError when there is no bus line at all."""
    tables = Timetables(city)
    if not tables.lines.lines and shuttle is None:
        raise ScenarioError(f"{city.name}: has no bus lines to export")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _ORDER}
    used = _public(rows, tables, calendar) if tables.lines.lines else []
    if shuttle is not None:
        used += list(shuttle.place)
        shuttle.add_to(rows, calendar.timezone)
    _stops(rows, city, list(dict.fromkeys(used)))
    first, last = calendar.compact(), calendar.compact(VALID_DAYS - 1)
    days = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), 1)
    rows["calendar"].append({"service_id": DAILY, **days, "start_date": first, "end_date": last})
    rows["feed_info"].append(
        {
            "feed_publisher_name": f"qibu-twin: {city.origin.title_en or city.origin.title}",
            "feed_publisher_url": HOME_URL,
            "feed_lang": "zh" if calendar.timezone == TIMEZONE else "mul",
            "feed_start_date": first,
            "feed_end_date": last,
            "feed_version": f"{city.name} {first}",
        }
    )
    feed = {name: _table(found) for name, found in rows.items() if found}
    wrong = problems(feed)
    if wrong:
        raise AssertionError("the GTFS export breaks the specification: " + "; ".join(wrong[:5]))
    return feed


def export(
    folder: str | Path, date: str | None = None, timezone: str = TIMEZONE
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return the feed of a run folder or a city folder, and the lines that are left out of it.

    Raises ScenarioError (neither a run nor a city, no bus lines, no such date) or CityError.
    """
    path = Path(folder)
    if (path / "stamp.json").is_file():
        run = RunData.open(path, date, timezone)
        city, calendar, shuttle = run.city, run.calendar, ShuttleLine.of(run)
    elif (path / "city.json").is_file():
        the_zone(timezone)
        city, calendar, shuttle = City.load(path), Calendar(the_date(date), timezone), None
    else:
        raise ScenarioError(f"{path}: is neither a run folder (stamp.json) nor a city folder (city.json)")
    return build(city, calendar, shuttle), BusLines(city).left_out


def write(feed: Feed, file: str | Path) -> Path:
    """Write a feed as a zip whose bytes follow from its content alone; return the file."""
    out = Path(file)
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, table in feed.items():
            text = io.StringIO()
            table.to_csv(text, index=False, lineterminator="\r\n")
            info = zipfile.ZipInfo(f"{name}.txt", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(info, text.getvalue().encode("utf-8"))
    return out


# -- the files -----------------------------------------------------------------------------------------------

_ORDER = (
    "agency", "stops", "routes", "trips", "stop_times", "calendar", "shapes", "location_groups",
    "location_group_stops", "booking_rules", "feed_info", "translations",
)  # fmt: skip


def _public(rows: dict[str, list[dict[str, Any]]], tables: Timetables, calendar: Calendar) -> list[str]:
    """Add the public lines; return the ids of their stops."""
    city, used = tables.city, []
    rows["agency"].append(agency(AGENCY, f"{city.origin.title_en or city.name}: public buses", calendar.timezone))
    for name, title in tables.name.items():
        rows["routes"].append(route(name, AGENCY, name, title))
    for line in tables.lines.lines:
        way, direction = tables.ways[line.row], tables.direction[line.row]
        ids = tables.place[list(line.stops)].tolist()
        used += ids
        shape = f"{line.line}-{direction}"
        lon, lat = city.to_wgs84(way.x_m, way.y_m)
        rows["shapes"] += [
            {
                "shape_id": shape,
                "shape_pt_lat": f"{b:.6f}",
                "shape_pt_lon": f"{a:.6f}",
                "shape_pt_sequence": k,
                "shape_dist_traveled": f"{m:.1f}",
            }
            for k, (a, b, m) in enumerate(zip(lon.tolist(), lat.tolist(), way.along_m.tolist(), strict=True))
        ]
        head = str(city.places["name"].iloc[line.stops[-1]])
        offsets = list(zip(ids, way.arrive_s.tolist(), way.leave_s.tolist(), way.stop_m.tolist(), strict=True))
        for run, depart_s in enumerate(line.departures_s.tolist()):
            trip = tables.trip_id(line.row, run)
            rows["trips"].append(
                {
                    "route_id": line.line,
                    "service_id": DAILY,
                    "trip_id": trip,
                    "trip_headsign": head,
                    "direction_id": direction,
                    "shape_id": shape,
                }
            )
            rows["stop_times"] += [
                {
                    "trip_id": trip,
                    "arrival_time": clock(depart_s + arrive),
                    "departure_time": clock(depart_s + leave),
                    "stop_id": stop,
                    "stop_sequence": k,
                    "shape_dist_traveled": f"{along:.1f}",
                    "timepoint": int(k == 0),
                }
                for k, (stop, arrive, leave, along) in enumerate(offsets)
            ]
    return used


def _stops(rows: dict[str, list[dict[str, Any]]], city: City, ids: Sequence[str]) -> None:
    """Add the stops, and their English names as translations."""
    places = city.places.set_index("place").loc[list(ids)]
    lon, lat = city.to_wgs84(places.geometry.x.to_numpy(), places.geometry.y.to_numpy())
    for i, (identity, name, name_en) in enumerate(zip(ids, places["name"], places["name_en"], strict=True)):
        rows["stops"].append(
            {
                "stop_id": identity,
                "stop_name": name or identity,
                "stop_lat": f"{lat[i]:.6f}",
                "stop_lon": f"{lon[i]:.6f}",
            }
        )
        if name_en and name_en != name:
            about = {"table_name": "stops", "field_name": "stop_name", "language": "en"}
            rows["translations"].append({**about, "translation": name_en, "record_id": identity})


def _table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame([{field: str(value) for field, value in row.items()} for row in rows]).fillna("")
