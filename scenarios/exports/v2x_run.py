"""The V2X messages of a run: MAPEM, SPATEM, CAM and DENM as they are on the air at one junction in one second.

What a roadside unit sends is built from the run folder alone: the map of lanes from the network file of its city, the
map of phases from the journal of the desk ``signals``, what was green from the facts. Times in a SPATEM are those the
controller itself can tell: exact under a plan, a guess of low confidence under central control
(:mod:`twin.control.junctions.spat`); a run does not look into its own future. :func:`export` returns UPER (extra
``v2x``); every object has just the digits that the bits hold, so that it comes back from them the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from geo.read_xml import read_xml
from scenarios.exports.run import Floats, Ints, RunData
from scenarios.exports.v2x_uper import CONFIDENCE, Cam, Denm, encode_cam, encode_denm, encode_mapem, encode_spatem
from twin import events
from twin.control.junctions.layout import GREENS, Layout
from twin.control.junctions.plans import Plans
from twin.control.junctions.spat import Lit, group_times
from twin.domain.ids import VEHICLE_KINDS
from twin.domain.junctions import CENTRAL, PLAN, SetPlans, SignalMap
from twin.domain.v2x import CAUSE_CODES, OBJECT_KINDS, Mapem, Spatem
from twin.errors import ScenarioError
from twin.hosts import read_journal
from twin.scenario.mistakes import did_you_mean
from twin.world.junctions.crossings import read_crossings

MAP_M = 200.0  # of a lane, from the stop line; one node of 327 m at most fits (node-XY6)
NODES = 63  # most points of a lane
APPROACHES = 15  # ApproachID is 0 … 15
FRESH_S = 60.0  # a sampled position older than this tells nothing of now
VALID_S = 5  # of a DENM, which is repeated while the hazard is there; assumed
CAR_M, BUS_M = 5.0, 12.0
#: milliseconds from 1970 to the ITS epoch of ETSI TS 102 894-2 (2004-01-01 UTC), and leap seconds since then
ITS_EPOCH_MS, LEAP_S = 1_072_915_200_000, 5


@dataclass(frozen=True)
class _Cabinets:
    """What the journal tells: the map, and plans given later (second, command)."""

    layout: Layout
    given: list[tuple[int, SetPlans]]


class Broadcasts:
    """What the roadside units of a run send. ScenarioError: nobody ran the signals, or the journal is not there."""

    def __init__(self, run: RunData) -> None:
        self.run = run
        graded = run.facts.frame(events.JunctionGraded)
        if graded.empty:
            raise ScenarioError(
                f"{run.folder}: the run says nothing of junctions: its scenario needs the key 'junctions'"
            )
        self.names: tuple[str, ...] = tuple(graded.sort_values("junction")["name"])

    def row(self, junction: str) -> int:
        """Return the row of a junction by name; ScenarioError: there is none of that name."""
        if junction not in self.names:
            some = ", ".join(self.names[:5])
            raise ScenarioError(
                f"--junction: there is no junction '{junction}' with signals; there are {some} …"
                f"{did_you_mean(junction, self.names)}"
            )
        return self.names.index(junction)

    # -- MAPEM -----------------------------------------------------------------------------------------

    @cached_property
    def _net(self) -> tuple[Mapping[str, Floats], Mapping[str, tuple[float, float]], list[tuple[str, int, str, str]]]:
        """Return shapes of lanes, places of nodes, and (signal, place, from lane, to lane) of the network file."""
        shapes: dict[str, Floats] = {}

        def start(tag: str, a: dict[str, str]) -> None:
            if tag == "lane" and "shape" in a:
                shapes[a["id"]] = np.array([[float(v) for v in p.split(",")[:2]] for p in a["shape"].split()])

        read_xml(self.run.city.net_file, "net", start)
        crossings = read_crossings(self.run.city.net_file)
        ways = [
            (k.tls, k.group, f"{k.from_edge}_{k.from_lane}", f"{k.to_edge}_{k.to_lane}")
            for k in crossings.links if not k.walk
        ]  # fmt: skip
        return shapes, crossings.place, ways

    def mapem(self, junction: str) -> Mapem:
        """Return the map of a junction: its lanes in and out, and which signal group leads from where to where."""
        row = self.row(junction)
        shapes, place, all_ways = self._net
        ways = sorted((group, a, b) for tls, group, a, b in all_ways if tls == junction)
        into, out = sorted({a for _, a, _ in ways}), sorted({b for _, _, b in ways})
        number = {lane: i + 1 for i, lane in enumerate(into + out)}
        edges = sorted({lane.rpartition("_")[0] for lane in into}), sorted({lane.rpartition("_")[0] for lane in out})
        if len(number) > 255 or max(map(len, edges)) > APPROACHES:
            raise ScenarioError(f"junction '{junction}' has more lanes or approaches than a MAPEM holds")
        stops = np.array([shapes[lane][-1] for lane in into])
        at = np.array(place[junction]) if junction in place else stops.mean(axis=0)
        nodes = [(number[lane], *p) for lane in into for p in _from_line(shapes[lane][::-1], at)]
        nodes += [(number[lane], *p) for lane in out for p in _from_line(shapes[lane], at)]
        lon, lat = self.run.city.net_to_wgs84(at[:1], at[1:])
        table = np.array(nodes)
        side = [edges[lane not in into].index(lane.rpartition("_")[0]) + 1 for lane in number]
        return Mapem(
            self.run.start_s, f"mapem/{row + 1}", row + 1, junction, 1, round(float(lon[0]), 7),
            round(float(lat[0]), 7), np.array(list(number.values())), np.array(side),
            np.array([int(lane in into) for lane in number]), table[:, 0].astype(np.int64), table[:, 1], table[:, 2],
            *(np.array(c, dtype=np.int64) for c in
              zip(*sorted((number[a], number[b], group + 1) for group, a, b in ways), strict=True)),
        )  # fmt: skip

    # -- SPATEM ----------------------------------------------------------------------------------------

    @cached_property
    def _cabinets(self) -> _Cabinets:
        file = self.run.folder / "journal" / "signals.jsonl"
        if not file.is_file():
            raise ScenarioError(f"{self.run.folder}: has no journal of the desk signals, which holds the map of phases")
        told: SignalMap | None = None
        given: list[tuple[int, SetPlans]] = []
        for now_s, messages, commands in read_journal(file):
            told = told or next((m for m in messages if isinstance(m, SignalMap)), None)
            given += [(now_s, c) for c in commands if isinstance(c, SetPlans)]
        if told is None:
            raise ScenarioError(f"{file}: holds no SignalMap")
        return _Cabinets(Layout.of(told), given)

    @cached_property
    def _lit(self) -> Lit:
        return Lit.of(self._cabinets.layout)

    @cached_property
    def _greens(self) -> list[list[tuple[int, int]]]:
        """Return of each junction (second, phase row) of every green, in order."""
        first = self._cabinets.layout.first_phase
        out: list[list[tuple[int, int]]] = [[] for _ in self.names]
        shown = self.run.facts.frame(events.PhasesShown)
        for t, j, period, line in zip(shown["t_s"], shown["junction"], shown["period_s"], shown["shown"], strict=True):
            for word in line.split():
                phase, _, second = word.partition("@")
                out[int(j)].append((int(t - period) + int(second), int(first[int(j)]) + int(phase)))
        for greens in out:
            greens.sort()
        return out

    def _plans(self, t_s: int) -> Plans:
        layout = self._cabinets.layout
        plans = Plans.own(layout)
        green, offset = plans.green_s.copy(), plans.offset_s.copy()
        for given_s, command in self._cabinets.given:
            if given_s <= t_s:
                green[command.phase], offset[command.junction] = command.green_s, command.offset_s
        return Plans.of(layout, green, offset)

    def _stages(self, t_s: int) -> tuple[Ints, Ints, Ints]:
        """Return (phase, to, since_s) of every junction at ``t_s``, as its cabinet had it."""
        layout = self._cabinets.layout
        phase, to, since = (np.zeros(len(self.names), dtype=np.int64) for _ in range(3))
        for j, greens in enumerate(self._greens):
            k = max(int(np.searchsorted([t for t, _ in greens], t_s, side="right")) - 1, 0)
            since[j], phase[j] = greens[k] if greens else (self.run.start_s, int(layout.first_phase[j]))
            to[j] = phase[j]
            if k + 1 < len(greens):
                green_s, following = greens[k + 1]
                begin = green_s - int(layout.change_s[phase[j], following - int(layout.first_phase[j])])
                if begin <= t_s:
                    to[j], since[j] = following, begin
        return phase, to, since

    def _modes(self, t_s: int) -> Ints:
        mode = np.full(len(self.names), PLAN, dtype=np.int64)
        changes = [(t, j, CENTRAL) for t, j in self._who(events.SignalsTaken, t_s)]
        changes += [(t, j, PLAN) for t, j in self._who(events.SignalsFellBack, t_s)]
        for _, j, by in sorted(changes):
            mode[j] = by
        return mode

    def _who(self, kind: type[events.Fact], t_s: int) -> list[tuple[int, int]]:
        rows = self.run.facts.frame(kind)
        rows = rows[rows["t_s"] <= t_s]
        return list(zip(rows["t_s"].astype(int), rows["junction"].astype(int), strict=True))

    def spatem(self, junction: str, t_s: int) -> Spatem:
        """Return what a junction shows in second ``t_s``, and until when; a group is a place in the state, plus 1."""
        j = self.row(junction)
        layout = self._cabinets.layout
        told, plans = layout.told, self._plans(t_s)
        phase, to, since = self._stages(t_s)
        times = group_times(layout, plans, self._lit, phase, to, since, self._modes(t_s), t_s)
        mine = np.flatnonzero(told.group_junction == j)
        mine = mine[np.argsort(told.group_place[mine], kind="stable")]
        coming = _coming(layout, int(phase[j]), int(to[j]), int(since[j]), t_s)
        state = coming[0][1]
        letters, ends = "", np.full((3, mine.size), math.nan)
        for i, g in enumerate(mine.tolist()):
            letter = state[int(told.group_place[g])]
            letters += letter
            green = letter in GREENS
            if not green and letter != "r":  # yellow, red and yellow: for as long as the change says
                until = next((t for t, s in coming if s[int(told.group_place[g])] != letter), math.nan)
                ends[:, i] = until
                continue
            ends[2, i] = t_s + (times.to_s[g] if green else times.from_s[g])
            if times.confidence[g] == 1.0:
                ends[:2, i] = ends[2, i]
            elif green and phase[j] == to[j]:
                ends[0, i] = max(int(since[j]) + int(told.phase_min_s[phase[j]]), t_s)
        marks = np.where(np.isfinite(ends), 1000.0 * ends, math.nan)
        level = np.minimum(np.searchsorted(CONFIDENCE, 100.0 * times.confidence[mine]), len(CONFIDENCE) - 1)
        return Spatem(
            t_s, f"spatem/{j + 1}", j + 1, junction, 1, 1000 * t_s, told.group_place[mine] + 1, letters, marks[0],
            marks[1], marks[2], np.array(CONFIDENCE)[level] / 100, np.full(mine.size, math.nan),
        )  # fmt: skip

    # -- CAM and DENM ----------------------------------------------------------------------------------

    def cams(self, t_s: int) -> list[Cam]:
        """Return the last CAM up to ``t_s`` of each connected vehicle whose position was sampled within a minute."""
        connected = self.run.facts.frame(events.VehicleConnected)["vehicle"].to_numpy(np.int64)
        seen = self.run.positions(tuple(VEHICLE_KINDS.values()), t_s - FRESH_S, t_s)
        rows = np.flatnonzero(np.isin(seen.vehicle, connected))
        out = []
        for vehicle in np.unique(seen.vehicle[rows]).tolist():
            mine = rows[seen.vehicle[rows] == vehicle]
            last, before = int(mine[-1]), int(mine[-2] if mine.size > 1 else mine[-1])
            if seen.t_s[last] < seen.t_s.max():  # it has arrived
                continue
            lat, lon = float(seen.lat[last]), float(seen.lon[last])
            east = (lon - float(seen.lon[before])) * math.cos(math.radians(lat))
            heading = math.degrees(math.atan2(east, lat - float(seen.lat[before]))) % 360.0
            bus = vehicle // 10**12 == VEHICLE_KINDS["bus"]
            out.append(Cam(
                vehicle % 2**32, int(1000 * seen.t_s[last]) % 65536, round(lat, 7), round(lon, 7),
                round(float(seen.speed_m_s[last]), 2), round(heading, 1) % 360.0, BUS_M if bus else CAR_M,
            ))  # fmt: skip
        return out

    def denms(self, junction: str, t_s: int) -> list[Denm]:
        """Return the notifications that the unit of a junction sends at ``t_s``: what it warned of just now."""
        row = self.row(junction)
        warned, there = self.run.facts.frame(events.HazardWarned), self.run.facts.frame(events.HazardAppeared)
        now = warned[(warned["junction"] == row) & (warned["t_s"] <= t_s) & (warned["t_s"] > t_s - VALID_S)]
        out = []
        for hazard, first in now.groupby("hazard")["t_s"].min().items():
            what = there[there["hazard"] == hazard].iloc[0]
            lon, lat = self.run.on_road(np.array([int(what["road"])]), np.array([float(what["pos_m"])]))
            detected = self.run.calendar.unix_ms(int(first)) - ITS_EPOCH_MS + 1000 * LEAP_S
            code = CAUSE_CODES[OBJECT_KINDS.index(str(what["what"]))]
            station, sequence = (-1 - row) % 2**32, int(hazard) % 65536
            out.append(
                Denm(station, sequence, detected, round(float(lat[0]), 7), round(float(lon[0]), 7), code, VALID_S)
            )
        return out


def _from_line(points: Floats, at: Floats) -> list[tuple[float, float]]:
    """Return the first ``MAP_M`` of a lane from its end at the junction, as offsets from ``at``, whole centimetres."""
    out, left = [points[0]], MAP_M
    for a, b in pairwise(points):
        far = float(np.hypot(*(b - a)))
        out.append(a + (b - a) * min(left / far, 1.0) if far > 0 else b)
        left -= far
        if left <= 0 or len(out) == NODES:
            break
    return [(round(float(x), 2), round(float(y), 2)) for x, y in np.array(out) - at]


def _coming(layout: Layout, phase: int, to: int, since_s: int, t_s: int) -> list[tuple[int, str]]:
    """Return (second, state) of what is shown at ``t_s`` and, in a change, of all that follows in it."""
    states = layout.told.phase_state
    if phase == to:
        return [(since_s, states[phase])]
    out, at = [], since_s
    for state, seconds in layout.steps[phase, to]:
        if at + seconds > t_s:
            out.append((at, state))
        at += seconds
    return [*out, (at, states[to])]


def export(run: RunData, junction: str, t_s: int) -> dict[str, bytes]:
    """Return the messages around ``junction`` in second ``t_s`` as UPER, by file name; CAMs of the whole district."""
    made = Broadcasts(run)
    if not run.start_s <= t_s <= run.end_s:
        first, last, asked = (f"{t // 3600:02}:{t // 60 % 60:02}:{t % 60:02}" for t in (run.start_s, run.end_s, t_s))
        raise ScenarioError(f"--at: {asked} is not in the run, which lasts from {first} to {last}")
    out = {"mapem.uper": encode_mapem(made.mapem(junction)), "spatem.uper": encode_spatem(made.spatem(junction, t_s))}
    out |= {f"cam-{i}.uper": encode_cam(cam) for i, cam in enumerate(made.cams(t_s))}
    return out | {f"denm-{i}.uper": encode_denm(denm) for i, denm in enumerate(made.denms(junction, t_s))}


def write(messages: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write each message to a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in messages.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in messages]
