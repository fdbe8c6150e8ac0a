"""Read SUMO route files: vehicles, named routes, trips and flows become one list of routed vehicles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.errors import CityError
from geo.given import GivenDemand
from geo.given_types import BUS_LIKE, choose, seed_of
from geo.network import Network, Routes
from geo.read_xml import read_xml
from geo.sumo_add import Additional

if TYPE_CHECKING:
    from geo.city import City

_DAY_S = 86400.0
_MOVERS = ("vehicle", "trip", "flow")
#: classes that cannot be routed on the turns of cars and buses
_NOT_ROUTED = ("bicycle", "pedestrian", "tram", "rail", "rail_urban", "rail_electric", "rail_fast", "subway", "ship")
_OTHERS = ("person", "personFlow", "container", "containerFlow")
_STOP_COLUMNS = ["vehicle", "road", "pos_m", "duration_s", "until_s", "place"]


@dataclass
class _Mover:
    """One vehicle, trip or flow as it is written."""

    tag: str
    a: dict[str, str]
    where: str
    type: str
    roads: list[int] | None = None
    stops: list[tuple[int, float, int, int, str]] = field(default_factory=list)


def seconds(text: str) -> float:
    """Return the seconds of ``"53.5"``, ``"hh:mm:ss"`` or ``"d:hh:mm:ss"``; anything else is a ValueError."""
    parts = text.split(":")
    if len(parts) not in (1, 3, 4):
        raise ValueError(f"has the time '{text}', expected seconds or hh:mm:ss")
    try:
        numbers = [float(p) for p in parts]
    except ValueError:
        raise ValueError(f"has the time '{text}', expected seconds or hh:mm:ss") from None
    units = (_DAY_S, 3600.0, 60.0, 1.0)[-len(parts) :]
    return sum(n * u for n, u in zip(numbers, units, strict=True))


class _Reader:
    """Collects the movers of route files, in order."""

    def __init__(self, city: City, additional: Additional) -> None:
        self.index, self.additional, self.city = city.road_index, additional, city
        self.length = city.roads["length_m"].to_numpy()
        self.routes: dict[str, list[int]] = {}
        self.route_stops: dict[str, list[tuple[int, float, int, int, str]]] = {}
        self.mixes: dict[str, list[tuple[str, float]]] = {}
        self.movers: list[_Mover] = []
        self.left_out: Counter[str] = Counter()
        self.file = Path()
        self._mover: _Mover | None = None
        self._route: str | None = None
        self._mix: str | None = None
        self._inside_other = 0
        self._routes_only = False
        self._interval: dict[str, str] = {}

    def read_routes(self, file: Path) -> None:
        """Read only the named routes of a file (SUMO allows them in additional files too)."""
        self._routes_only = True
        read_xml(file, None, self.start, self.end)
        self._routes_only = False

    def read(self, file: Path) -> None:
        before = len(self.movers), len(self.routes), len(self.additional.types.types), sum(self.left_out.values())
        self.file = file
        read_xml(file, None, self.start, self.end)
        after = len(self.movers), len(self.routes), len(self.additional.types.types), sum(self.left_out.values())
        if before == after:
            raise CityError(f"{file}: not a SUMO route file (it holds no vehicle, trip, flow, route or type)")

    def start(self, tag: str, a: dict[str, str]) -> None:
        if self._other(tag):
            self._inside_other += 1
            if not self._routes_only:
                self.left_out[f"{tag}s (only vehicles are read)"] += 1
        elif self._inside_other or self.additional.types.start(tag, a):
            return
        elif tag == "interval":
            self._interval = {key: a[key] for key in ("begin", "end") if key in a}
        elif tag in _MOVERS:
            name = a["id"]
            a = {**self._interval, **a} if tag == "flow" else a
            kind = self.additional.types.of(name, a.get("type", "DEFAULT_VEHTYPE"))
            self._mover = _Mover(tag, a, f"{self.file.name}: {tag} '{name}'", kind)
        elif tag == "route":
            self._start_route(a)
        elif tag == "routeDistribution":
            self._mix = a.get("id", "")
            names = a.get("routes", "").split()
            shares = [float(p) for p in a.get("probabilities", "").split()] or [1.0] * len(names)
            self.mixes[self._mix] = list(zip(names, shares, strict=True))
        elif tag == "stop":
            self._stop(a)

    def _other(self, tag: str) -> bool:
        return tag in _OTHERS or (self._routes_only and tag in (*_MOVERS, "calibrator", "rerouter"))

    def _start_route(self, a: dict[str, str]) -> None:
        if self._mover is not None and self._mix is None:
            self._mover.roads = self._edges(a["edges"]) if "edges" in a else list(self._named(a["refId"]))
            return
        if self._mix is not None:
            name = a.get("refId") or a.get("id") or f"{self._mix}#{len(self.mixes[self._mix])}"
            self.mixes[self._mix].append((name, float(a.get("probability", 1.0))))
            if "edges" not in a:
                return
        else:
            name = a["id"]
        self._route = name
        self.routes[name] = self._edges(a["edges"])
        self.route_stops[name] = []

    def _edges(self, text: str) -> list[int]:
        try:
            return [self.index[edge] for edge in text.split()]
        except KeyError as error:
            who = f"of '{self._mover.a['id']}' " if self._mover is not None else ""
            raise ValueError(f"{who}uses the edge {error}, which the network does not have") from None

    def _named(self, name: str) -> list[int]:
        if name not in self.routes:
            raise ValueError(f"names the route '{name}', which is not defined before it")
        return self.routes[name]

    def _stop(self, a: dict[str, str]) -> None:
        spot = self._spot(a)
        if spot is None:
            self.left_out["halts at places that are not bus stops or lanes"] += 1
            return
        until = int(np.ceil(seconds(a["until"]))) if "until" in a else -1
        stop = (*spot[:2], int(np.ceil(seconds(a.get("duration", "0")))), until, spot[2])
        if self._mover is not None:
            self._mover.stops.append(stop)
        elif self._route is not None:
            self.route_stops[self._route].append(stop)

    def _spot(self, a: dict[str, str]) -> tuple[int, float, str] | None:
        """Return road, position and place of a halt; None if it is at something that is not read here."""
        key = a.get("busStop")
        if key is not None:
            if key not in self.additional.stops:
                raise ValueError(f"is at the bus stop '{key}', which no given file defines")
            _, road, pos, _ = self.additional.stops[key]
            return road, pos, f"stop-{key}"
        edge = a.get("edge") or a.get("lane", "").rpartition("_")[0]
        if not edge:
            return None
        if edge not in self.index:
            raise ValueError(f"is on the edge '{edge}', which the network does not have")
        road = self.index[edge]
        end = float(a.get("endPos", self.length[road]))
        return road, float(np.clip(end if end >= 0 else self.length[road] + end, 0.1, self.length[road])), ""

    def end(self, tag: str) -> None:
        if self._other(tag):
            self._inside_other -= 1
        elif self._inside_other:
            return
        elif tag in _MOVERS and self._mover is not None:
            self._finish(self._mover)
            self._mover = None
        elif tag == "route":
            self._route = None
        elif tag == "interval":
            self._interval = {}
        elif tag == "routeDistribution":
            if self._mover is not None and self._mix is not None:
                self._mover.a["route"] = self._mix
            self._mix = None
        else:
            self.additional.types.end(tag)

    def _finish(self, mover: _Mover) -> None:
        name = mover.a.get("route")
        if mover.roads is None and name is not None:
            if name in self.mixes:
                name = choose(self.mixes[name], mover.a["id"])
            mover.roads = list(self._named(name))
            mover.stops = [*self.route_stops[name], *mover.stops]
        if mover.roads is None:
            if "from" not in mover.a or "to" not in mover.a:
                self.left_out[f"{mover.tag}s without edges to start from and go to (zones, junctions)"] += 1
                return
            mover.roads = None
            mover.a["_via"] = " ".join([mover.a["from"], *mover.a.get("via", "").split(), mover.a["to"]])
            self._edges(mover.a["_via"])
        self.movers.append(mover)


def departures(tag: str, a: dict[str, str]) -> npt.NDArray[np.float64]:
    """Return when the vehicles of an element depart, in seconds; empty if it waits for an event.

    A flow with ``period``, ``vehsPerHour`` or only ``number`` is evenly spaced as in SUMO; one with
    ``probability`` or ``period="exp(…)"`` is drawn from a generator seeded by its id.
    """
    if tag != "flow":
        if a["depart"] in ("triggered", "containerTriggered", "split", "begin"):
            return np.zeros(1) if a["depart"] == "begin" else np.empty(0)
        return np.array([seconds(a["depart"])])
    begin = seconds(a.get("begin", "0"))
    number = int(float(a["number"])) if "number" in a else None
    rng = np.random.Generator(np.random.PCG64(seed_of(f"flow {a['id']}")))
    end = seconds(a["end"]) if "end" in a else None
    stop = end if end is not None else max(begin, 0.0) + _DAY_S
    rate = a.get("vehsPerHour") or a.get("perHour")
    period = a.get("period", "")
    if "probability" in a:
        ticks = np.arange(np.ceil(begin), stop)
        out = ticks[rng.random(len(ticks)) < float(a["probability"])]
    elif period.startswith("exp("):
        mean_s = 1 / float(period[4:].rstrip(")"))
        gaps = rng.exponential(mean_s, int((stop - begin) / mean_s * 2 + 50) if number is None else number)
        out = begin + np.cumsum(gaps)
    elif period or rate:
        step = seconds(period) if period else 3600 / max(float(rate or 0), 1e-9)
        if step <= 0:
            raise ValueError(f"'{a['id']}' has the period {step:g}, expected more than 0 s")
        out = begin + step * np.arange(int(np.ceil((stop - begin) / step - 1e-9)) if number is None else number)
    elif number is not None:
        out = begin + (stop - begin) / max(number, 1) * np.arange(number)
    else:
        raise ValueError(f"'{a['id']}' says neither number, period, vehsPerHour nor probability")
    out = out if end is None else out[out < end + (1e-9 if number is not None else 0)]
    return np.asarray(out[: number if number is not None else len(out)], dtype=np.float64)


def read_given(files: Sequence[Path], city: City, additional: Additional | None) -> GivenDemand:
    """Read route files for a city; see :meth:`geo.given.GivenDemand.read`."""
    reader = _Reader(city, additional if additional is not None else Additional())
    for file in reader.additional.files:
        reader.read_routes(file)
    for file in files:
        reader.read(Path(file))
    types = reader.additional.types.types
    _route(reader, types, city)
    movers = [m for m in reader.movers if m.roads is not None]
    if not movers:
        why = "; ".join(f"{n} {what}" for what, n in sorted(reader.left_out.items()))
        raise CityError(
            f"{', '.join(str(f) for f in files)}: no vehicle is left to drive" + (f" ({why})" if why else "")
        )
    ids, owner, depart = [], [], []
    for k, mover in enumerate(movers):
        try:
            times = departures(mover.tag, mover.a)
        except (KeyError, ValueError) as error:
            what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise CityError(f"{mover.where} {what}") from None
        if not len(times):
            reader.left_out["vehicles that wait for an event to depart"] += mover.tag != "flow"
        ids += [f"{mover.a['id']}.{n}" if mover.tag == "flow" else mover.a["id"] for n in range(len(times))]
        owner += [k] * len(times)
        depart += np.ceil(times - 1e-6).astype(np.int64).tolist()
    order = np.argsort(np.asarray(depart, dtype=np.int64), kind="stable")
    who = np.asarray(owner, dtype=np.int64)[order]
    vehicles = pd.DataFrame(
        {
            "vehicle": np.arange(len(order), dtype=np.int64),
            "id": np.asarray(ids, dtype=object)[order],
            "type": [movers[k].type for k in who.tolist()],
            "depart_s": np.asarray(depart, dtype=np.int64)[order],
            "v_class": [str(types[movers[k].type]["vClass"]) for k in who.tolist()],
            "line": [movers[k].a.get("line", "") for k in who.tolist()],
        }
    )
    used = sorted(set(vehicles["type"]))
    return GivenDemand(
        vehicles=vehicles,
        routes=_flat([movers[k].roads or [] for k in who.tolist()]),
        stops=_stops(movers, who, reader.left_out),
        types={name: types[name] for name in used},
        depart_lane=_same(movers, "departLane"),
        depart_speed=_same(movers, "departSpeed"),
        depart_pos=_same(movers, "departPos"),
        notes=tuple(f"left out: {n} {what}" for what, n in sorted(reader.left_out.items()) if n),
    )


def _route(reader: _Reader, types: dict[str, dict[str, Any]], city: City) -> None:
    """Give trips and flows without a route the fastest one; drop routes that no vehicle could drive."""
    groups: dict[str, list[_Mover]] = {"car": [], "bus": []}
    for mover in reader.movers:
        v_class = types[mover.type]["vClass"]
        if mover.roads is not None:
            continue
        if v_class in _NOT_ROUTED:
            reader.left_out[f"trips of class {v_class}, which cannot be routed on roads for cars"] += 1
            continue
        groups["bus" if v_class in BUS_LIKE else "car"].append(mover)
    for allowed, movers in groups.items():
        if not movers:
            continue
        legs = [[reader.index[e] for e in m.a["_via"].split()] for m in movers]
        owner = np.repeat(np.arange(len(legs)), [len(v) - 1 for v in legs])
        found = Network.of(city, allowed).routes([r for v in legs for r in v[:-1]], [r for v in legs for r in v[1:]])
        parts: list[list[int] | None] = [[] for _ in movers]
        for k, m in enumerate(owner.tolist()):
            so_far = parts[m]
            if so_far is None or not len(found[k]):
                parts[m] = None
            else:
                leg = found[k].tolist()
                parts[m] = so_far[:-1] + leg
        for mover, roads in zip(movers, parts, strict=True):
            mover.roads = roads
            if roads is None:
                reader.left_out[f"trips with no route for a {allowed} from their start to their end"] += 1
    _drop_broken(reader, types, city)


def _drop_broken(reader: _Reader, types: dict[str, dict[str, Any]], city: City) -> None:
    """Leave out routes of cars and buses with two roads in a row that no turn joins."""
    n = len(city.roads)
    known = np.unique(city.turns["from_road"].to_numpy(np.int64) * n + city.turns["to_road"].to_numpy(np.int64))
    movers = [m for m in reader.movers if m.roads and types[m.type]["vClass"] not in (*_NOT_ROUTED, "ignoring")]
    if not movers:
        return
    flat = _flat([m.roads or [] for m in movers])
    joins = flat.roads[:-1].astype(np.int64) * n + flat.roads[1:]
    bad = ~np.isin(joins, known)
    bad[flat.offsets[1:-1] - 1] = False  # from one route to the next
    for k in sorted(set((np.searchsorted(flat.offsets, np.flatnonzero(bad), side="right") - 1).tolist())):
        movers[k].roads = None
        reader.left_out["vehicles whose route has two roads in a row that no turn for cars or buses joins"] += 1


def _flat(routes: list[list[int]]) -> Routes:
    offsets = np.concatenate([[0], np.cumsum([len(r) for r in routes])]).astype(np.int64)
    roads = np.array([road for r in routes for road in r], dtype=np.int32)
    return Routes(roads, offsets, np.full(len(routes), np.nan))


def _stops(movers: list[_Mover], who: npt.NDArray[np.int64], left_out: Counter[str]) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for vehicle, k in enumerate(who.tolist()):
        mover = movers[k]
        for stop in mover.stops:
            if stop[0] in (mover.roads or []):
                rows.append((vehicle, *stop))
            else:
                left_out["halts on roads beside the vehicle's route"] += 1
    table = pd.DataFrame(rows, columns=_STOP_COLUMNS)
    kinds = {"vehicle": np.int64, "road": np.int64, "pos_m": np.float64, "duration_s": np.int64, "until_s": np.int64}
    return table.astype({**kinds, "place": object})


def _same(movers: list[_Mover], attribute: str) -> str:
    values = {m.a.get(attribute, "") for m in movers}
    return values.pop() if len(values) == 1 else ""
