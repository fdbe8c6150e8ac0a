"""The desk of the roadside units (RSU with edge computing) of grade L3: speed advice, warnings, help at merges (F19).

All units are one controller that folds messages: MAP, the cabinets' states and plans (by wire), what it perceives
itself, CAMs it hears. Each unit uses only what it has heard or seen within ``fresh_s``; what is older is not there. The
three functions are policies (:mod:`glosa`, :mod:`warnings`, :mod:`merging`); None switches one off.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.control.junctions.glosa import Glosa, GlosaPolicy, GlosaView
from twin.control.junctions.layout import Floats, Ints, Layout
from twin.control.junctions.merging import MergePolicy, MergeView, OneByOne
from twin.control.junctions.plans import Plans
from twin.control.junctions.spat import GroupTimes, Lit, group_times
from twin.control.junctions.warnings import BlindSpots, HazardPolicy, HazardView, ahead, diagonals, needed_m_s2
from twin.domain.commands import Command
from twin.domain.junctions import ApproachReadings, SignalMap, SignalStates
from twin.domain.messages import Message
from twin.domain.v2x import (
    GLOSA,
    MERGE,
    PERSON,
    STOPPED,
    VEHICLE,
    AdviseSpeeds,
    CamBatch,
    CpmBatch,
    MergeMap,
    PlansRunning,
    RoadsideRules,
    SendDenms,
    Sights,
)

L3 = 3
HOLD_S = 5  # advice that is not renewed runs out, assumed
STANDS_M_S = 5 / 3.6  # below it a vehicle stands (HCM 6)
REMIND_S = 10  # the same warning to the same vehicle at most this often, assumed


class Roadside:
    """See the module's text. State is rebuilt by replaying the messages."""

    def __init__(
        self, glosa: GlosaPolicy | None = None, hazards: HazardPolicy | None = None, merges: MergePolicy | None = None,
        *, fresh_s: int = 2,
    ) -> None:  # fmt: skip
        self._glosa, self._hazards, self._merges, self._fresh_s = glosa, hazards, merges, fresh_s
        self._layout: Layout | None = None
        self._sights = np.empty((2, 0, 2))
        self._merge_map: MergeMap | None = None
        self._cams: CamBatch | None = None
        self._cpms: CpmBatch | None = None
        self._advised: dict[int, tuple[float, int]] = {}  # station → (speed, until)
        self._warned: dict[tuple[int, int], int] = {}  # (hazard, station) → when
        self._looked_s = -1

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold the messages, and advise and warn where something was heard or seen in this call."""
        for message in messages:
            self._take(message)
        layout = self._layout
        if layout is None or now_s <= self._looked_s or not any(isinstance(m, CamBatch | CpmBatch) for m in messages):
            return []
        self._looked_s = now_s
        cams = self._cams
        if cams is not None and (now_s - cams.t_s > self._fresh_s):
            cams = None
        out: list[Command] = []
        if cams is not None:
            out += self._advise(now_s, layout, cams)
            out += self._warn(now_s, cams)
        return out

    def _take(self, message: Message) -> None:
        if isinstance(message, SignalMap):
            if self._layout is None:
                self._begin(Layout.of(message))
        elif isinstance(message, RoadsideRules):
            self._glosa = self._glosa if message.glosa else None
            self._hazards = self._hazards if message.warnings else None
            self._merges = self._merges if message.merging else None
        elif isinstance(message, Sights):
            self._sights = np.stack(
                [np.stack([message.x1_m, message.y1_m], axis=1), np.stack([message.x2_m, message.y2_m], axis=1)]
            )
        elif isinstance(message, MergeMap):
            self._merge_map = message
        elif isinstance(message, CamBatch):
            self._cams = message
        elif isinstance(message, CpmBatch):
            self._cpms = message
        elif self._layout is not None:
            self._take_signals(message)

    def _begin(self, layout: Layout) -> None:
        told = layout.told
        self._layout = layout
        self._plans = Plans.own(layout)
        self._lit = Lit.of(layout)
        n = layout.n_junctions
        self._stage = np.zeros((4, n), dtype=np.int64)
        self._told_s = np.full(n, -(10**9), dtype=np.int64)
        self._queue = np.zeros(layout.n_lanes)
        # (road, road after it) → row of a link; a road with several groups for one turn counts as the first
        road = told.lane_road[np.maximum(told.link_lane, 0)]
        use = np.flatnonzero((told.link_lane >= 0) & (road >= 0))
        self._links = {
            (int(road[i]), int(told.link_to_road[i])): int(i) for i in use[::-1].tolist()
        }  # fmt: skip
        self._coop = told.grade >= L3

    def _take_signals(self, message: Message) -> None:
        assert self._layout is not None
        if isinstance(message, SignalStates):
            self._stage[:, message.junction] = message.phase, message.to_phase, message.since_s, message.mode
            self._told_s[message.junction] = message.t_s
        elif isinstance(message, PlansRunning):
            green, offset = self._plans.green_s.copy(), self._plans.offset_s.copy()
            green[message.phase], offset[message.junction] = message.green_s, message.offset_s
            self._plans = Plans.of(self._layout, green, offset)
        elif isinstance(message, ApproachReadings):
            mine = np.isin(self._layout.told.lane_junction, message.junction)
            self._queue[mine] = 0.0
            self._queue[message.lane] = np.nan_to_num(message.queue)

    # -- advice ----------------------------------------------------------------------------------------

    def _advise(self, now_s: int, layout: Layout, cams: CamBatch) -> list[Command]:
        speed = np.full(cams.station.size, np.inf)
        reason = np.full(cams.station.size, GLOSA, dtype=np.int64)
        if self._glosa is not None:
            speed = self._by_signals(now_s, layout, cams, self._glosa)
        if self._merges is not None and self._merge_map is not None:
            other = self._by_merges(now_s, cams, self._merges, self._merge_map)
            reason[other < speed] = MERGE
            speed = np.minimum(speed, other)
        before = np.array([self._said(s, now_s) for s in cams.station.tolist()])
        # said anew when it changed, or when it would run out
        new = np.isfinite(speed) | np.isfinite(before)
        rows = np.flatnonzero(new)
        until = now_s + HOLD_S
        for i in rows.tolist():
            if np.isfinite(speed[i]):
                self._advised[int(cams.station[i])] = (float(speed[i]), until)
            else:
                self._advised.pop(int(cams.station[i]), None)
        self._advised = {s: v for s, v in self._advised.items() if v[1] > now_s}
        if rows.size == 0:
            return []
        return [
            AdviseSpeeds(f"rsu/advice/{now_s}", cams.station[rows], cams.rsu[rows], speed[rows], reason[rows], until)
        ]

    def _said(self, station: int, now_s: int) -> float:
        speed, until = self._advised.get(station, (np.inf, 0))
        return speed if until >= now_s else np.inf

    def _by_signals(self, now_s: int, layout: Layout, cams: CamBatch, policy: GlosaPolicy) -> Floats:
        told = layout.told
        out = np.full(cams.station.size, np.inf)
        link = np.array(
            [self._links.get(pair, -1) for pair in zip(cams.road.tolist(), cams.to_road.tolist(), strict=True)],
            dtype=np.int64,
        )
        rows = np.flatnonzero(link >= 0)
        junction = told.group_junction[told.link_group[link[rows]]]
        rows = rows[self._coop[junction] & (now_s - self._told_s[junction] <= self._fresh_s)]
        if rows.size == 0:
            return out
        times = self._times(now_s, layout)
        group, lane = told.link_group[link[rows]], told.link_lane[link[rows]]
        age_s = (now_s * 1000 - cams.generated_ms[rows]) / 1000.0
        limit = told.lane_speed_m_s[lane]
        gone = np.maximum(cams.speed_m_s[rows] * age_s, 0.0)
        view = GlosaView(
            now_s=now_s,
            distance_m=np.maximum(told.lane_length_m[lane] - cams.pos_m[rows] - gone, 0.0),
            speed_m_s=cams.speed_m_s[rows],
            limit_m_s=limit,
            green_s=np.stack([times.from_s, times.then_from_s], axis=1)[group],
            red_s=np.stack([times.to_s, times.then_to_s], axis=1)[group],
            confidence=times.confidence[group],
            queue=self._ahead(cams, rows, lane, stands=True),
            moving=self._ahead(cams, rows, lane, stands=False),
        )
        advice = np.asarray(policy.advise(view), dtype=np.float64)
        out[rows] = np.where(advice < limit, advice, np.inf)
        return out

    def _ahead(self, cams: CamBatch, rows: Ints, lane: Ints, *, stands: bool) -> Floats:
        """Return how many vehicles the unit sees before each of ``rows`` on the lane it will use, standing or driving.

        Where it sees none itself, what readings tell of the lane stands for it.
        """
        seen = self._cpms
        if seen is None:
            return self._queue[lane] if stands else np.zeros(rows.size)
        assert self._layout is not None
        told = self._layout.told
        use = (seen.road >= 0) & (seen.kind != PERSON) & ((seen.speed_m_s < STANDS_M_S) == stands)
        key = seen.road[use] * 64 + seen.lane[use]
        order = np.lexsort((seen.pos_m[use], key))
        key, pos = key[order], seen.pos_m[use][order]
        far = 1e5  # longer than any road: one sorted row of numbers for all lanes
        row = key * far + pos
        mine = told.lane_road[lane] * 64 + told.lane_number[lane]
        end = np.searchsorted(row, (mine + 1) * far)
        return np.asarray(end - np.searchsorted(row, mine * far + cams.pos_m[rows] + 0.1, side="right"), dtype=float)

    def _times(self, now_s: int, layout: Layout) -> GroupTimes:
        phase, to, since, mode = self._stage
        return group_times(layout, self._plans, self._lit, phase, to, since, mode, now_s)

    def _by_merges(self, now_s: int, cams: CamBatch, policy: MergePolicy, told: MergeMap) -> Floats:
        out = np.full(cams.station.size, np.inf)
        row_of = {road: i for i, road in enumerate(told.road.tolist())}
        at = np.array([row_of.get(road, -1) for road in cams.road.tolist()], dtype=np.int64)
        rows = np.flatnonzero(at >= 0)
        if rows.size == 0:
            return out
        # those that are seen only take their turn, too
        road, pos, pace = cams.road[rows], cams.pos_m[rows], cams.speed_m_s[rows]
        age_s = (now_s * 1000 - cams.generated_ms[rows]) / 1000.0
        seen = self._cpms
        if seen is not None and now_s - seen.t_s <= self._fresh_s:
            mute = np.isin(seen.road, told.road) & (seen.kind == VEHICLE) & ~np.isin(seen.object, cams.station)
            road, pos = np.concatenate([road, seen.road[mute]]), np.concatenate([pos, seen.pos_m[mute]])
            pace = np.concatenate([pace, seen.speed_m_s[mute]])
            age_s = np.concatenate([age_s, (now_s * 1000 - seen.generated_ms[mute]) / 1000.0])
        m = np.array([row_of[r] for r in road.tolist()], dtype=np.int64)
        view = MergeView(
            told.merge[m], told.road[m], np.maximum(told.length_m[m] - pos - pace * age_s, 0.0), pace,
            told.limit_m_s[m], (np.arange(m.size) < rows.size).astype(np.int64),
        )  # fmt: skip
        out[rows] = policy.advise(view)[: rows.size]
        return out

    # -- warnings --------------------------------------------------------------------------------------

    def _warn(self, now_s: int, cams: CamBatch) -> list[Command]:
        seen = self._cpms
        if self._hazards is None or seen is None or now_s - seen.t_s > self._fresh_s:
            return []
        things = np.flatnonzero(np.isin(seen.kind, (PERSON, STOPPED)))
        if things.size == 0:
            return []
        bodies = np.flatnonzero((seen.kind == VEHICLE) | (seen.kind == STOPPED))
        one, other = diagonals(seen.x_m[bodies], seen.y_m[bodies], seen.heading_deg[bodies], seen.length_m[bodies])
        belongs = {int(o): i for i, o in enumerate(cams.station.tolist())}
        own = np.array([belongs.get(int(o), -1) for o in seen.object[bodies].tolist()], dtype=np.int64)
        place = {int(t): i for i, t in enumerate(things.tolist())}
        own_thing = np.array([place.get(int(b), -1) for b in bodies.tolist()], dtype=np.int64)
        walls = self._sights.shape[1]
        view = HazardView(
            cams.x_m, cams.y_m, cams.heading_deg, cams.speed_m_s,
            seen.x_m[things], seen.y_m[things], seen.heading_deg[things], seen.speed_m_s[things], seen.kind[things],
            np.concatenate([self._sights[0], one]), np.concatenate([self._sights[1], other]),
            np.concatenate([np.full(walls, -1), own, own]), np.concatenate([np.full(walls, -1), own_thing, own_thing]),
        )  # fmt: skip
        vehicle, thing = self._hazards.warn(view)
        # a unit warns of what it sees itself, and those that it hears itself
        mine = seen.rsu[things[thing]] == cams.rsu[vehicle]
        vehicle, thing = vehicle[mine], thing[mine]
        fresh = self._not_lately(now_s, seen.object[things[thing]], cams.station[vehicle])
        vehicle, thing = vehicle[fresh], thing[fresh]
        if vehicle.size == 0:
            return []
        along, _ = ahead(view)
        needs = needed_m_s2(cams.speed_m_s[vehicle], along[vehicle, thing])
        at = things[thing]
        return [
            SendDenms(
                f"rsu/denm/{now_s}", seen.rsu[at], seen.object[at], seen.kind[at], cams.station[vehicle], seen.x_m[at],
                seen.y_m[at], needs, now_s + HOLD_S,
            )
        ]  # fmt: skip

    def _not_lately(self, now_s: int, hazard: Ints, station: Ints) -> Ints:
        """Return the rows of pairs that were not warned within the last seconds, and note them."""
        self._warned = {pair: t for pair, t in self._warned.items() if now_s - t < REMIND_S}
        rows = []
        for i, pair in enumerate(zip(hazard.tolist(), station.tolist(), strict=True)):
            if pair not in self._warned:
                self._warned[pair] = now_s
                rows.append(i)
        return np.array(rows, dtype=np.int64)


def roadside() -> Roadside:
    """Make the desk with all three functions."""
    return Roadside(Glosa(), BlindSpots(), OneByOne())
