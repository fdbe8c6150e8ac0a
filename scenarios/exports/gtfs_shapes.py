"""GTFS Schedule as compact tables, and the check of a feed against them.

Source: the GTFS Schedule reference (google/transit, ``gtfs/spec/en/reference.md``, revision of 2024 with GTFS-Flex):
files, fields, types, presence, primary and foreign keys, and the conditions that are written out in
:func:`problems`. A file or column that is not in the tables is allowed, as the reference says. Text in a type's
place is an error named by file, line (of the file, header = 1) and field.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from zoneinfo import available_timezones

import numpy as np
import pandas as pd

from twin.errors import ScenarioError

Feed = Mapping[str, pd.DataFrame]


class Column(NamedTuple):
    """A field: type, whether every line needs it, and which ``file.field`` it points at."""

    type: str
    needed: bool = False
    points_at: str = ""


class File(NamedTuple):
    """A file: whether every feed needs it, its primary key, its fields."""

    needed: bool
    key: tuple[str, ...]
    columns: Mapping[str, Column]


_FORMS = {
    "url": r"https?://\S+",
    "date": r"[12]\d{3}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])",
    "time": r"\d{1,3}:[0-5]\d:[0-5]\d",
    "color": r"[0-9A-Fa-f]{6}",
    "language": r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*",
    "count": r"\d+",
    "number": r"\d+(\.\d+)?",
    "degrees": r"-?\d{1,3}(\.\d+)?",
    "flag": r"[01]",
    "enum02": r"[0-2]",
    "enum03": r"[0-3]",
    "enum04": r"[0-4]",
    "route_type": r"([0-7]|1[12]|[1-9]\d{2}|1[0-7]\d{2})",  # with the extended types
    "exception": r"[12]",
}


def _columns(text: str) -> dict[str, Column]:
    """Read "name!:type>file.field" words: ! needed, > points at."""
    out = {}
    for word in text.split():
        name, _, rest = word.partition(":")
        kind, _, target = rest.partition(">")
        out[name.rstrip("!")] = Column(kind, name.endswith("!"), target)
    return out


FILES: Mapping[str, File] = {
    "agency": File(True, ("agency_id",), _columns(
        "agency_id:id agency_name!:text agency_url!:url agency_timezone!:zone agency_lang:language agency_phone:text"
        " agency_fare_url:url agency_email:text")),
    "stops": File(True, ("stop_id",), _columns(
        "stop_id!:id stop_code:text stop_name:text stop_desc:text stop_lat:degrees stop_lon:degrees zone_id:id"
        " stop_url:url location_type:enum04 parent_station:id>stops.stop_id stop_timezone:zone"
        " wheelchair_boarding:enum02 level_id:id platform_code:text")),
    "routes": File(True, ("route_id",), _columns(
        "route_id!:id agency_id:id>agency.agency_id route_short_name:text route_long_name:text route_desc:text"
        " route_type!:route_type route_url:url route_color:color route_text_color:color route_sort_order:count"
        " continuous_pickup:enum03 continuous_drop_off:enum03 network_id:id")),
    "trips": File(True, ("trip_id",), _columns(
        "route_id!:id>routes.route_id service_id!:id trip_id!:id trip_headsign:text trip_short_name:text"
        " direction_id:flag block_id:id shape_id:id>shapes.shape_id wheelchair_accessible:enum02"
        " bikes_allowed:enum02")),
    "stop_times": File(True, ("trip_id", "stop_sequence"), _columns(
        "trip_id!:id>trips.trip_id arrival_time:time departure_time:time stop_id:id>stops.stop_id"
        " location_group_id:id>location_groups.location_group_id location_id:id stop_sequence!:count"
        " stop_headsign:text start_pickup_drop_off_window:time end_pickup_drop_off_window:time pickup_type:enum03"
        " drop_off_type:enum03 continuous_pickup:enum03 continuous_drop_off:enum03 shape_dist_traveled:number"
        " timepoint:flag pickup_booking_rule_id:id>booking_rules.booking_rule_id"
        " drop_off_booking_rule_id:id>booking_rules.booking_rule_id")),
    "calendar": File(False, ("service_id",), _columns(
        "service_id!:id monday!:flag tuesday!:flag wednesday!:flag thursday!:flag friday!:flag saturday!:flag"
        " sunday!:flag start_date!:date end_date!:date")),
    "calendar_dates": File(False, ("service_id", "date"), _columns(
        "service_id!:id date!:date exception_type!:exception")),
    "shapes": File(False, ("shape_id", "shape_pt_sequence"), _columns(
        "shape_id!:id shape_pt_lat!:degrees shape_pt_lon!:degrees shape_pt_sequence!:count"
        " shape_dist_traveled:number")),
    "frequencies": File(False, ("trip_id", "start_time"), _columns(
        "trip_id!:id>trips.trip_id start_time!:time end_time!:time headway_secs!:count exact_times:flag")),
    "feed_info": File(False, (), _columns(
        "feed_publisher_name!:text feed_publisher_url!:url feed_lang!:language default_lang:language"
        " feed_start_date:date feed_end_date:date feed_version:text feed_contact_email:text feed_contact_url:url")),
    "location_groups": File(False, ("location_group_id",), _columns("location_group_id!:id location_group_name:text")),
    "location_group_stops": File(False, ("location_group_id", "stop_id"), _columns(
        "location_group_id!:id>location_groups.location_group_id stop_id!:id>stops.stop_id")),
    "booking_rules": File(False, ("booking_rule_id",), _columns(
        "booking_rule_id!:id booking_type!:enum02 prior_notice_duration_min:count prior_notice_duration_max:count"
        " prior_notice_last_day:count prior_notice_last_time:time prior_notice_start_day:count"
        " prior_notice_start_time:time prior_notice_service_id:id message:text pickup_message:text"
        " drop_off_message:text phone_number:text info_url:url booking_url:url")),
    "translations": File(False, ("table_name", "field_name", "language", "record_id", "record_sub_id", "field_value"),
        _columns("table_name!:text field_name!:text language!:language translation!:text record_id:id"
                 " record_sub_id:id field_value:text")),
}  # fmt: skip


def read(file: str | Path) -> dict[str, pd.DataFrame]:
    """Read a feed (zip) as tables of text; ScenarioError when it is none."""
    out = {}
    try:
        with zipfile.ZipFile(file) as feed:
            for name in feed.namelist():
                stem = Path(name).stem
                if name.endswith(".txt") and stem in FILES:
                    data = io.BytesIO(feed.read(name))
                    table = pd.read_csv(data, dtype=str, keep_default_na=False, encoding="utf-8-sig")
                    out[stem] = table.rename(columns=str.strip)
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ScenarioError(f"{file}: not readable as a GTFS feed ({error})") from None
    return out


def problems(feed: Feed, most: int = 20) -> list[str]:
    """Return what is wrong with a feed, at most ``most`` sentences per rule of a field."""
    out: list[str] = [f"{name}.txt: is missing" for name, file in FILES.items() if file.needed and name not in feed]
    if "calendar" not in feed and "calendar_dates" not in feed:
        out.append("calendar.txt: is missing, and so is calendar_dates.txt")
    for name, table in feed.items():
        if name in FILES:
            out += list(_fields(name, FILES[name], table, feed, most))
    if out:
        return out  # the rules across files rely on the fields
    out += list(_rules(feed, most))
    return out


def _fields(name: str, file: File, table: pd.DataFrame, feed: Feed, most: int) -> Iterator[str]:
    for field, column in file.columns.items():
        if field not in table:
            if column.needed:
                yield f"{name}.txt: has no column {field}"
            continue
        text = table[field].str.strip()
        empty = (text == "").to_numpy()
        if column.needed:
            yield from _lines(name, empty, f"{field} is empty", most)
        bad = ~empty & ~_is(column.type, text)
        yield from _lines(name, bad, f"{field} is not of type {column.type}", most, text)
        if column.points_at:
            target, _, at = column.points_at.partition(".")
            known = feed[target][at] if target in feed and at in feed[target] else pd.Series([], dtype=str)
            lost = ~empty & ~text.isin(set(known.str.strip())).to_numpy()
            yield from _lines(name, lost, f"{field} is not in {target}.txt", most, text)
    key = [k for k in file.key if k in table]
    if key and len(table):
        twice = table.duplicated(key).to_numpy()
        yield from _lines(name, twice, f"{' + '.join(key)} is there twice", most, table[key[0]])
    if name == "agency" and len(table) > 1 and ("agency_id" not in table or (table["agency_id"] == "").any()):
        yield "agency.txt: agency_id is needed where there are several agencies"


def _is(kind: str, text: pd.Series) -> np.ndarray:
    if kind == "zone":
        return text.isin(available_timezones() or set(text)).to_numpy()
    if kind == "degrees":
        value = pd.to_numeric(text, errors="coerce").to_numpy()
        return np.asarray(text.str.fullmatch(_FORMS[kind]).to_numpy(bool) & (np.abs(value) <= 180))
    if kind in _FORMS:
        return np.asarray(text.str.fullmatch(_FORMS[kind]).to_numpy(bool))
    return np.ones(len(text), dtype=bool)


def _lines(name: str, bad: np.ndarray, said: str, most: int, text: pd.Series | None = None) -> Iterator[str]:
    rows = np.flatnonzero(bad)
    for row in rows[:most].tolist():
        value = "" if text is None else f" ('{text.iloc[row]}')"
        yield f"{name}.txt, line {row + 2}: {said}{value}"
    if rows.size > most:
        yield f"{name}.txt: {said} in {rows.size - most} further lines"


def seconds(times: pd.Series) -> np.ndarray:
    """Return HH:MM:SS as seconds; -1 where there is none."""
    part = times.str.strip().str.extract(r"^(\d+):(\d\d):(\d\d)$")
    number = part.apply(pd.to_numeric).to_numpy(np.float64)
    return np.asarray(np.where(np.isnan(number[:, 0]), -1, number @ np.array([3600.0, 60.0, 1.0]))).astype(np.int64)


def _rules(feed: Feed, most: int) -> Iterator[str]:
    """Check the conditions between fields and files."""
    routes, trips, times = feed["routes"], feed["trips"], feed["stop_times"]
    nameless = (_col(routes, "route_short_name") == "") & (_col(routes, "route_long_name") == "")
    yield from _lines("routes", nameless.to_numpy(), "has neither route_short_name nor route_long_name", most)
    services = set(_col(feed.get("calendar"), "service_id")) | set(_col(feed.get("calendar_dates"), "service_id"))
    lost = ~trips["service_id"].isin(services).to_numpy()
    yield from _lines("trips", lost, "service_id is in no calendar", most, trips["service_id"])
    for name, begin, end in (("calendar", "start_date", "end_date"), ("feed_info", "feed_start_date", "feed_end_date")):
        table = feed.get(name)
        if table is not None and {begin, end} <= set(table):
            wrong = (table[end] != "") & (table[end] < table[begin])
            yield from _lines(name, wrong.to_numpy(), f"{end} lies before {begin}", most)
    stops = feed["stops"]
    simple = _col(stops, "location_type").isin(["", "0", "1", "2"])
    for field in ("stop_name", "stop_lat", "stop_lon"):
        yield from _lines("stops", ((_col(stops, field) == "") & simple).to_numpy(), f"{field} is empty", most)
    north = pd.to_numeric(_col(stops, "stop_lat"), errors="coerce").abs().to_numpy() > 90
    yield from _lines("stops", north, "stop_lat is beyond 90 degrees", most)
    yield from _stop_times(times, trips, most)
    if "shapes" in feed:
        yield from _rising(feed["shapes"], "shapes", "shape_id", "shape_pt_sequence", most)
    rules = feed.get("booking_rules")
    if rules is not None:
        short = (rules["booking_type"] == "1") & (_col(rules, "prior_notice_duration_min") == "")
        yield from _lines("booking_rules", short.to_numpy(), "booking_type 1 needs prior_notice_duration_min", most)


def _stop_times(times: pd.DataFrame, trips: pd.DataFrame, most: int) -> Iterator[str]:
    begin, end = (_col(times, f"{k}_pickup_drop_off_window") for k in ("start", "end"))
    flex = ((begin != "") | (end != "")).to_numpy()
    place = sum((_col(times, k) != "").astype(int) for k in ("stop_id", "location_group_id", "location_id"))
    which = "needs exactly one of stop_id, location_group_id, location_id"
    yield from _lines("stop_times", np.asarray(place != 1), which, most)
    at, leave = seconds(_col(times, "arrival_time")), seconds(_col(times, "departure_time"))
    yield from _lines("stop_times", flex & ((at >= 0) | (leave >= 0)), "has a window and a time", most)
    half = flex & ((begin == "") | (end == "")).to_numpy()
    yield from _lines("stop_times", half, "has half a window", most)
    loose = ((_col(times, "location_group_id") != "") | (_col(times, "location_id") != "")).to_numpy()
    yield from _lines("stop_times", loose & ~flex, "a group of stops needs a window", most)
    for kind, forbidden in (("pickup_type", ["", "0", "3"]), ("drop_off_type", ["", "0"])):
        wrong = flex & _col(times, kind).isin(forbidden).to_numpy()
        yield from _lines("stop_times", wrong, f"{kind} must not be 0 (or 3) with a window", most)
    yield from _lines("stop_times", (at >= 0) & (leave >= 0) & (leave < at), "departure_time before arrival_time", most)
    order = np.lexsort((times["stop_sequence"].astype(np.int64), times["trip_id"].to_numpy(str)))
    trip = times["trip_id"].to_numpy(str)[order]
    first = np.concatenate([[True], trip[1:] != trip[:-1]]) if len(trip) else np.zeros(0, bool)
    last = np.concatenate([first[1:], [True]]) if len(trip) else first
    ends = np.zeros(len(trip), dtype=bool)
    ends[order[first | last]] = True
    yield from _lines("stop_times", ends & ~flex & ((at < 0) | (leave < 0)), "first or last stop without a time", most)
    timed = order[(at[order] >= 0) & (leave[order] >= 0)]
    same = times["trip_id"].to_numpy(str)[timed][1:] == times["trip_id"].to_numpy(str)[timed][:-1]
    back = np.zeros(len(trip), dtype=bool)
    back[timed[1:][same & (at[timed][1:] < leave[timed][:-1])]] = True
    yield from _lines("stop_times", back, "arrives before it left the stop before", most, times["trip_id"])
    counts = times["trip_id"].value_counts()
    lonely = trips["trip_id"].map(counts).fillna(0).to_numpy() < 2
    yield from _lines("trips", lonely, "has fewer than two stop times", most, trips["trip_id"])
    if "shape_dist_traveled" in times:
        yield from _rising(times, "stop_times", "trip_id", "stop_sequence", most)


def _rising(table: pd.DataFrame, name: str, key: str, sequence: str, most: int) -> Iterator[str]:
    """Check that shape_dist_traveled does not fall along a shape or trip."""
    if "shape_dist_traveled" not in table:
        return
    way = pd.to_numeric(table["shape_dist_traveled"], errors="coerce").to_numpy()
    order = np.lexsort((table[sequence].astype(np.int64), table[key].to_numpy(str)))
    order = order[~np.isnan(way[order])]
    ids = table[key].to_numpy(str)[order]
    bad = np.zeros(len(table), dtype=bool)
    bad[order[1:][(ids[1:] == ids[:-1]) & (way[order][1:] < way[order][:-1])]] = True
    yield from _lines(name, bad, "shape_dist_traveled falls", most, table[key])


def _col(table: pd.DataFrame | None, name: str) -> pd.Series:
    """Return a column as stripped text, empty where the table has none."""
    if table is None:
        return pd.Series([], dtype=str)
    return table[name].str.strip() if name in table else pd.Series([""] * len(table), index=table.index, dtype=str)
