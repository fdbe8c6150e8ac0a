"""``map.html``: a run on a map, one file, from disk, without a network.

:func:`build` reads a run folder and the city it names, and nothing else. The way there: samples (``fcd.py``) → ways
on roads (``trips.py``) → streams (``encode.py``); roads' state (``state.py``), charts (``series.py``), trips of the
residents (``tasks.py``), happenings (``happenings.py``) and fleets (``fleet.py``) from the facts; the city
(``geometry.py``, ``labels.py``); all into one page (``page.py``).
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from geo.city import City
from geo.errors import CityError
from twin.domain.ids import VEHICLE_KINDS
from twin.log import Facts
from twin.world.people.ports import MODES, PURPOSES
from viz import (
    city_brain,
    community,
    encode,
    fcd,
    fleet,
    geometry,
    junctions,
    layers,
    offices,
    page,
    series,
    sites,
    tasks,
    trips,
)
from viz.errors import MapError
from viz.fleet_happenings import fleet_happenings
from viz.fleet_series import fleet_series
from viz.happenings import happenings
from viz.labels import STYLES, labels
from viz.pack import pack, varint, zigzag
from viz.state import STEP_S, road_state, state_streams, traversals
from viz.text import LANGS, texts
from viz.text_brain import BRAIN_TEXT
from viz.text_community import COMMUNITY_TEXT
from viz.text_offices import OFFICES_TEXT, SITES_TEXT
from viz.units import is_fleet, with_ends

WARN_MB = 50.0
_GOAL_MB = 7.8
_CITY_MB = 0.6
FORMAT = 1


@dataclass(frozen=True)
class _Run:
    folder: Path
    stamp: dict[str, Any]
    city: City
    facts: Facts
    begin_s: int
    end_s: int


def build(run_dir: Path, out: Path | None = None, lang: str = "en") -> Path:
    """Write the map of a run and return its path (default: ``map.html`` in the run folder).

    Raises :class:`MapError` when the folder is no run or a file in it cannot be read, and :class:`CityError`
    when its city cannot. Warns when the page is larger than 50 MB; before that it is thinned out, and the page says so.
    """
    if lang not in LANGS:
        raise MapError(f"lang: '{lang}' is not known; allowed: {', '.join(LANGS)}")
    run = _open(Path(run_dir))
    target = Path(out) if out is not None else run.folder / "map.html"
    samples = fcd.read(run.folder / "fcd.parquet", run.city)
    length = run.city.roads["length_m"].to_numpy(np.float64)
    told = fleet.facts_of(run.folder / "events.parquet")
    units = fleet.read(told, run.end_s) if told is not None else None
    if units is not None:
        samples = with_ends(samples, run.facts, units.units, length)
    pieces = trips.ways(samples, _plans(run), run.city)
    begin = min(run.begin_s, int(np.floor(pieces.t_s.min()))) if len(pieces) else run.begin_s
    end = max(run.end_s, int(np.ceil(pieces.t_s.max()))) if len(pieces) else run.end_s
    state = road_state(pieces, length, begin, end)
    task_meta, task_parts = tasks.task_streams(run.facts, begin)
    state_text = pack({"steps": int(state.entered.shape[0])}, {**state_streams(state), **task_parts})
    extra = {"units": fleet.container(units, begin, lang)} if units is not None else {}
    crossings = junctions.facts_of(run.folder / "events.parquet")
    if crossings is not None:
        extra["junctions"] = junctions.container(crossings, run.city, geometry.Frame.of(run.city), begin)
    systems = _systems(run, begin, end)
    extra |= {name: system.text for name, system in systems.items()}
    used = len(page.bundle()[0]) + len(state_text) + sum(len(part) for part in extra.values())
    room = _GOAL_MB * 1e6 - used - _CITY_MB * 1e6
    vehicles, thinning = _vehicles(pieces, length, begin, room)
    frame = geometry.Frame.of(run.city)
    city_meta, city_parts = geometry.city_streams(run.city, frame)
    label_meta, label_parts = _labels(run.city, frame, lang)
    charts = series.all_series(run.facts, state, begin, end)
    if units is not None:
        charts += fleet_series(units, begin, end)
    kpis = _json(run.folder / "kpis.json").get("kpis", []) if (run.folder / "kpis.json").is_file() else []
    about = {
        **_about(run, lang),
        "format": FORMAT,
        "begin_s": begin,
        "end_s": end,
        "open_s": _first_lively_s(state.entered, STEP_S),
        "step_s": STEP_S,
        "period_s": samples.period_s,
        "tolerance_m": trips.TOLERANCE_M,
        "slack_s": thinning.slack_s,
        "thinning": {"one_in": thinning.one_in, "all": thinning.vehicles, "shown": thinning.shown},
        "happenings": happenings(run.facts, end) + (fleet_happenings(told, end, lang) if told else []),
        "series": [s.plain() for s in charts],
        "kpis": [_kpi(k, lang) for k in kpis if isinstance(k, dict)],
        "specs": layers.specs(),
        "palette": layers.PALETTE,
        "road_width": layers.ROAD_WIDTH,
        "icons": layers.ICONS,
        **_drawn(units, systems, signals=crossings is not None),
        "label_styles": STYLES,
        "label": label_meta,
        "text": texts(lang, *(system.words for system in systems.values())),
        "kinds": list(VEHICLE_KINDS),
        "modes": list(MODES),
        "purposes": list(PURPOSES),
        "task": task_meta,
    }
    text = page.page(
        f"{about['title']} · {about['city_title']}",
        lang,
        {
            "city": pack({"city": city_meta, "about": about}, {**city_parts, **label_parts}),
            "trips": pack(*vehicles),
            "state": state_text,
            **extra,
        },
    )
    try:
        target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise MapError(f"{target}: cannot be written ({error.strerror})") from None
    size = len(text) / 1e6
    if size > WARN_MB:
        warnings.warn(f"{target} is {size:.0f} MB; browsers may open it slowly", stacklevel=2)
    return target


def time_on_roads(run_dir: Path) -> tuple[trips.Floats, trips.Floats]:
    """Return seconds spent and metres driven on each road of a recorded run; without unmanned units, slow by trade."""
    run = _open(run_dir)
    length = run.city.roads["length_m"].to_numpy(np.float64)
    pieces = trips.ways(fcd.read(run.folder / "fcd.parquet", run.city), _plans(run), run.city)
    pieces = pieces.take(~is_fleet(pieces.vehicle))
    if not len(pieces):
        return np.zeros(length.size), np.zeros(length.size)
    enter, leave, metres = traversals(pieces, length)
    road = pieces.roads.astype(np.int64)
    seconds, driven = np.zeros(length.size), np.zeros(length.size)
    np.add.at(seconds, road, leave - enter)
    np.add.at(driven, road, metres)
    return seconds, driven


@dataclass(frozen=True)
class _System:
    """What a system of the city adds to the page: a part of it, switches, words, and what its badges look like."""

    text: str
    switches: dict[str, tuple[tuple[str, ...], bool]]
    words: dict[str, tuple[str, str]]
    look: dict[str, Any]


def _systems(run: _Run, begin_s: int, end_s: int) -> dict[str, _System]:
    """Return what the systems that are in the run add to the page; nothing for a run of traffic alone."""
    out: dict[str, _System] = {}
    file, frame = run.folder / "events.parquet", geometry.Frame.of(run.city)
    watched = city_brain.facts_of(file)
    if watched is not None:
        text = city_brain.container(watched, run.folder, run.city, frame, begin_s, end_s)
        out["brain"] = _System(text, city_brain.SWITCHES, BRAIN_TEXT, city_brain.look())
    served = offices.facts_of(file)
    if served is not None:
        scenario = run.stamp.get("scenario")
        services = scenario.get("services") if isinstance(scenario, dict) else None
        hall = str(services.get("hall") or "") if isinstance(services, dict) else ""
        text = offices.container(served, run.city, frame, begin_s, hall)
        out["offices"] = _System(text, offices.SWITCHES, OFFICES_TEXT, offices.look())
    built = sites.facts_of(file)
    if built is not None:
        out["sites"] = _System(
            sites.container(built, run.city, frame, begin_s), sites.SWITCHES, SITES_TEXT, {"on": True}
        )
    platform = community.facts_of(file)
    if platform is not None:
        text = community.container(platform, run.city, frame, begin_s)
        out["community"] = _System(text, community.SWITCHES, COMMUNITY_TEXT, community.look())
    return out


def _drawn(units: fleet.Fleet | None, systems: dict[str, _System], *, signals: bool) -> dict[str, Any]:
    """Return the switches of the page, and what units of fleets and the badges of systems look like."""
    more: dict[str, Any] = {k: v for system in systems.values() for k, v in system.switches.items()}
    more |= junctions.SWITCHES if signals else {}
    badges = {name: system.look for name, system in systems.items()}
    if units is None:
        return {"switches": layers.SWITCHES | more, **badges}
    return {
        "switches": layers.switches(units.present, places=True, swept=units.sweeps) | more,
        "unit_shapes": layers.UNIT_SHAPES,
        "role_icons": layers.ROLE_ICONS,
        **badges,
    }


def _json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MapError(f"{file}: missing; '{file.parent}' is not a run folder") from None
    except ValueError as error:
        raise MapError(f"{file}: not readable as JSON ({error})") from None
    if not isinstance(value, dict):
        raise MapError(f"{file}: expected an object, found {type(value).__name__}")
    return value


def _open(folder: Path) -> _Run:
    stamp = _json(folder / "stamp.json")
    missing = [k for k in ("city_dir", "start_s", "end_s") if k not in stamp]
    if missing:
        raise MapError(f"{folder / 'stamp.json'}: lacks {', '.join(missing)}")
    if not (folder / "events.parquet").is_file():
        raise MapError(f"{folder / 'events.parquet'}: missing; '{folder}' is not a complete run folder")
    where = Path(str(stamp["city_dir"]))
    try:
        city = City.load(where if where.is_absolute() else folder / where)
    except CityError as error:
        raise CityError(f"{folder / 'stamp.json'}: its city cannot be read: {error}") from None
    begin, end = int(stamp["start_s"]), int(stamp["end_s"])
    if end <= begin:
        raise MapError(f"{folder / 'stamp.json'}: end_s ({end}) must be after start_s ({begin})")
    return _Run(folder, stamp, city, Facts.read(folder), begin, end)


def _plans(run: _Run) -> trips.Plans:
    """Planned routes, with the seconds at which vehicles entered and left the roads by the facts."""
    file = run.folder / "routes.parquet"
    if not file.is_file():
        return trips.Plans.none()
    table = pq.read_table(file, columns=["vehicle", "roads"])
    lists = table["roads"].combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.chunk(0) if lists.num_chunks else pa.array([], pa.list_(pa.int32()))
    vehicle = table["vehicle"].to_numpy().astype(np.int64)
    roads = lists.flatten().to_numpy(zero_copy_only=False).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lists.value_lengths().fill_null(0).to_numpy())]).astype(np.int64)
    n_roads = len(run.city.roads)
    if roads.size and (roads.min() < 0 or roads.max() >= n_roads):
        raise MapError(f"{file}: names road {roads.max()}, the city has 0..{n_roads - 1}; was the city built anew?")
    order = np.argsort(vehicle, kind="stable")
    order = order[np.concatenate([vehicle[order][1:] != vehicle[order][:-1], [True]])] if len(order) else order
    counts = np.diff(offsets)[order]
    at = np.repeat(offsets[:-1][order], counts) + trips.within(counts)
    vehicle = vehicle[order]
    entered, ended = (_when(run.facts, fact, vehicle) for fact in ("VehicleEntered", "VehicleArrived"))
    # units set out and stop in the middle of roads: their samples hold both ends already
    legs = is_fleet(vehicle)
    entered[legs] = ended[legs] = -1
    return trips.Plans(vehicle, trips.offsets_of(counts), roads[at], entered, ended)


def _when(facts: Facts, fact: str, vehicle: trips.Ints) -> trips.Ints:
    table = facts.table(fact, ["t_s", "vehicle"])
    out = np.full(len(vehicle), -1, dtype=np.int64)
    who = table["vehicle"].to_numpy(zero_copy_only=False).astype(np.int64)
    if len(vehicle) and len(who):
        at = np.minimum(np.searchsorted(vehicle, who), len(vehicle) - 1)
        hit = vehicle[at] == who
        out[at[hit]] = table["t_s"].to_numpy()[hit]
    return out


def _first_lively_s(entered: npt.NDArray[np.integer], step_s: int) -> int:
    """Return where the page opens, in seconds after its begin: the first moment with half of the busiest traffic.

    A run begins with empty roads; whoever opens the page should see the city alive.
    """
    total = entered.sum(axis=1)
    if total.size == 0 or total[0] >= 0.5 * total.max():
        return 0
    return int(np.argmax(total >= 0.5 * total.max())) * step_s


def _vehicles(
    pieces: trips.Pieces, length_m: trips.Floats, begin_s: int, room: float
) -> tuple[tuple[dict[str, Any], dict[str, bytes]], encode.Thinning]:
    """Encode the trips into about ``room`` bytes of page.

    Precision of moving vehicles gives way first (by up to about a second of driving); vehicles are left out only
    when the page would be too large for browsers.
    """
    number = len(np.unique(pieces.vehicle))
    for slack in trips.SLACKS_S:
        whole = trips.simplified(pieces, trips.TOLERANCE_M, slack)
        if encode.packed_bytes(whole) <= room:
            break
    one_in, shown = 1, whole
    while encode.packed_bytes(shown) > 0.8 * WARN_MB * 1e6 and one_in < 64:
        one_in *= 2
        shown = encode.thin(whole, one_in)
    thinning = encode.Thinning(one_in, slack, number, len(np.unique(shown.vehicle)))
    return encode.encode(shown, length_m, begin_s, 2.0 if slack >= 0.6 else 1.0), thinning


def _labels(city: City, frame: geometry.Frame, lang: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    found = labels(city, frame, lang)
    styles = list(STYLES)
    unit = geometry.UNIT_DEG
    streams = {
        "label.x": varint(zigzag(np.array([round((f.lon - frame.lon) / unit) for f in found], dtype=np.int64))),
        "label.y": varint(zigzag(np.array([round((f.lat - frame.lat) / unit) for f in found], dtype=np.int64))),
        "label.style": varint(np.array([styles.index(f.style) for f in found], dtype=np.int64)),
        "label.angle": varint(zigzag(np.array([round(f.angle) for f in found], dtype=np.int64))),
        "label.zoom2": varint(np.array([round(f.zoom * 2) for f in found], dtype=np.int64)),
    }
    return {"name": [f.name for f in found], "name_en": [f.name_en for f in found], "styles": styles}, streams


def _about(run: _Run, lang: str) -> dict[str, Any]:
    """Return what the page says about the run and the city."""
    origin, stamp = run.city.origin, run.stamp
    title = stamp.get("title_zh") if lang == "zh" and stamp.get("title_zh") else stamp.get("title")
    city_title = origin.title if lang == "zh" else origin.title_en
    return {
        "lang": lang,
        "title": str(title or stamp.get("name") or run.folder.name),
        "city_title": str(city_title or origin.title or origin.name),
        "schematic": bool(origin.schematic),
        "attribution": origin.attribution or origin.source,
        "seed": stamp.get("seed"),
        "digest": str(stamp.get("digest", ""))[:10],
        "ended": stamp.get("ended", ""),
    }


def _kpi(kpi: dict[str, Any], lang: str) -> dict[str, Any]:
    title = kpi.get("title_zh") if lang == "zh" and kpi.get("title_zh") else kpi.get("title")
    return {"title": str(title or kpi.get("name", "")), "unit": str(kpi.get("unit") or ""), "value": kpi.get("value")}
