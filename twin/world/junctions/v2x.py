"""Connected vehicles, roadside units, the exchange with the cloud and the cloud control platform of a run (F19–F21).

``JunctionSystem`` composes it where the scenario has ``junctions.v2x``: it takes :attr:`V2x.links` for its own and the
desks :attr:`V2x.hosts` beside its own, calls :meth:`V2x.begin` and :meth:`V2x.finish`, hands over what roadside units
perceived (:meth:`V2x.perceived`), commands of these desks (:meth:`V2x.carry_out`) and cut links (:meth:`V2x.cut`).

Each look (every second in micro): who is where → CAMs over the radio channel → roadside units and platform hear → the
desks decide → advice and warnings over the radio → drivers who take advice drive by it. In meso a look once a minute
measures channel, coverage and latencies; nobody is advised there (meso knows no lanes, halts and accelerations).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from twin.clock import Phase
from twin.control.junctions.cloud import serial_of
from twin.domain.commands import Command
from twin.domain.junctions import ApproachReadings, LinkStatus, SetPlans, ShowPhases
from twin.domain.messages import Message
from twin.domain.v2x import (
    ADVICE_REASONS,
    HAZARD,
    VEHICLE,
    AdviseSpeeds,
    CamBatch,
    CpmBatch,
    PlansRunning,
    PlanStates,
    ReportPicture,
    RoadsideRules,
    SendDenms,
)
from twin.events import (
    ChannelMeasured,
    CoverageMeasured,
    ExchangeMeasured,
    HazardPerceived,
    HazardWarned,
    LatencyCounted,
    PictureTaken,
    PlanTaken,
    SpeedAdvised,
    VehicleConnected,
)
from twin.hosts import Host, find_factory
from twin.scenario.v2x import V2xKeys
from twin.world.junctions.channel import RADIOS, Channel
from twin.world.junctions.exchange import Exchange, ExchangeLinks, Latencies, Stage, binned
from twin.world.junctions.hazards import VAN_M, VAN_OF, Hazards, Objects
from twin.world.junctions.perception import GRADE_SENSES
from twin.world.junctions.read_map import SignalNet
from twin.world.junctions.signals import Signals
from twin.world.junctions.stations import Snapshot, Stations
from twin.world.junctions.trip_fuel import TripFuel
from twin.world.junctions.v2x_told import merges, police_plans
from twin.world.ports import RunContext
from twin.world.traffic.positions import RoadShapes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ROADSIDE, CLOUD = "roadside", "cloud"
L1, L3 = 1, 3
WRITE_S = 60
SPAT_HZ, DENM_HZ = 10.0, 10.0  # repetition (ETSI TS 103 301; EN 302 637-3 allows up to 10 Hz)
NO_LIMIT_M_S = 1000.0
HAZARD_M_S = 20.0 / 3.6  # a warned driver goes on at this speed at most, assumed


class V2x:
    """See the module's text. ``order``: what to do with an order of the platform that reaches the cabinets."""

    def __init__(
        self, context: RunContext, net: SignalNet, signals: Signals, keys: V2xKeys, order: Callable[[Command], None]
    ) -> None:
        self._c, self._net, self._signals, self._keys, self._order = context, net, signals, keys, order
        told = net.told
        micro = context.mode == "micro"
        live: Any = context.traffic.live  # type: ignore[attr-defined]
        stream = context.dice.stream
        self._micro = micro
        self._period_s = keys.period_s or (1 if micro else WRITE_S)
        shapes = RoadShapes(context.city)
        self._stations = Stations(
            live, context.traffic, shapes, context.city.road_index, stream("junctions.v2x.connected"),
            stream("junctions.v2x.willing"), penetration=keys.penetration, fleets=keys.fleets,
            compliance=keys.compliance, micro=micro,
        )  # fmt: skip
        self._units = np.flatnonzero(told.grade >= L1).astype(np.int64)  # junctions with a roadside unit
        self._coop = np.flatnonzero(told.grade >= L3).astype(np.int64)
        self.channel = Channel(
            RADIOS[keys.radio], told.x_m[self._units], told.y_m[self._units], stream("junctions.v2x.channel"),
            loss=keys.loss,
        )  # fmt: skip
        self.exchange = self._make_exchange()
        self.links = ExchangeLinks(context.clock, self.exchange) if self.exchange is not None else None
        self._functions = micro and self._coop.size > 0 and bool(keys.functions)
        self._approach = self._approaches()
        self._hazards = (
            Hazards(
                context.log, shapes, self._approach, told.junction, (told.x_m, told.y_m),
                stream("junctions.v2x.persons"), keys.persons_per_hour, keys.setback_m,
            )
            if self._functions
            else None
        )  # fmt: skip
        self._sight = stream("junctions.v2x.sight")
        self._warning_ms = stream("junctions.v2x.warning")
        self._fuel = TripFuel(context.log) if keys.measure and micro else None
        self.hosts: dict[str, Host] = {}
        if self._functions:
            self.hosts[ROADSIDE] = self._host(ROADSIDE, keys.desk)
        if keys.platform is not None:
            self.hosts[CLOUD] = self._host(CLOUD, keys.platform.desk)
        self._next: dict[tuple[int, int], int] = {}  # (vehicle, road) → the road after it
        self._limited: dict[int, tuple[float, int]] = {}  # vehicle → (its top speed by advice, until)
        self._last: tuple[Snapshot, Objects | None] | None = None
        self._perceived: set[int] = set()
        self._began: dict[int, int] = {}
        self._serial = np.full(len(told.junction), -1, dtype=np.int64)
        self._latency: dict[str, list[Floats]] = {"cam": [], "denm": []}
        self._sent = np.zeros(self._units.size, dtype=np.int64)
        self._heard = np.zeros(self._units.size, dtype=np.int64)
        self._covered = (0, 0)

    def _host(self, name: str, spec: Any) -> Host:
        factory = find_factory(spec) if isinstance(spec, str) else spec
        return self._c.host(name, factory) if self._keys.journal else Host(name, factory)

    def _make_exchange(self) -> Exchange | None:
        e, part = self._keys.exchange, self._c.scenario.junctions
        if e is None:
            return None
        assert part is not None
        stages = Latencies(
            Stage(e.perceive_ms, e.perceive_ms * 150 / 80), Stage(e.network_ms, 4 * e.network_ms),
            Stage(e.cloud_ms, 4 * e.cloud_ms), Stage(e.network_ms, 4 * e.network_ms),
            Stage(e.cabinet_ms, 2 * e.cabinet_ms),
        )  # fmt: skip
        dice = self._c.dice
        return Exchange(
            self._signals.cabinets, lambda name: dice.stream(f"junctions.exchange.{name}"), stages,
            loss=1.0 - (1.0 - e.loss) * (1.0 - part.faults.message_loss),
            extra_ms=e.extra_ms + 1000.0 * part.faults.latency_s, most_age_s=2 + part.faults.latency_s,
            budget_ms=e.budget_ms,
        )  # fmt: skip

    def _approaches(self) -> dict[int, tuple[int, float]]:
        """Return road → (junction, length) of the approaches to junctions of grade L3."""
        told = self._net.told
        mine = np.isin(told.lane_junction, self._coop) & (told.lane_road >= 0)
        rows = zip(
            told.lane_road[mine].tolist(), told.lane_junction[mine].tolist(), told.lane_length_m[mine].tolist(),
            strict=True,
        )  # fmt: skip
        return {road: (junction, length) for road, junction, length in rows}

    # -- the beginning and the end -------------------------------------------------------------------------

    def begin(self, now_s: int) -> None:
        """Tell the desks what they know from the start, and put the looks on the clock."""
        told, post = self._net.told, self._c.post
        if self._functions:
            assert self._hazards is not None
            on = self._keys.functions
            post(ROADSIDE, RoadsideRules(
                now_s, "rsu/rules", int("glosa" in on), int("warnings" in on), int("merging" in on)
            ))  # fmt: skip
            post(ROADSIDE, told)
            post(ROADSIDE, self._hazards.walls)
            post(ROADSIDE, merges(self._c.city, self._c.network, told, self._coop, now_s))
        if CLOUD in self.hosts:
            post(CLOUD, told)
            platform = self._keys.platform
            if platform is not None and platform.police:
                post(CLOUD, police_plans(self._c.scenario.name, platform.police, self._signals.layout, now_s))
        clock = self._c.clock
        clock.every(self._period_s, Phase.PERCEIVE, self._look, now_s + self._period_s)
        clock.every(WRITE_S, Phase.OBSERVE, self._write, now_s + WRITE_S)

    def finish(self, end_s: int) -> None:
        """Write what was not written yet."""
        del end_s
        self._write()

    # -- perceive ------------------------------------------------------------------------------------------

    def perceived(self, seen: ApproachReadings) -> None:
        """Hear what the roadside units perceived: their own desk at once, the platform over the link."""
        if ROADSIDE in self.hosts:
            self._c.post(ROADSIDE, seen)
        self._tell_cloud(seen)

    def _tell_cloud(self, message: Message) -> None:
        if CLOUD not in self.hosts:
            return
        if self.links is None:
            self._c.post(CLOUD, message)
        else:
            self.links.up(message, self._arrive)

    def _arrive(self, message: Message) -> None:
        self._c.post(CLOUD, message)
        if self._c.clock.now_s > message.t_s:
            self._c.wake()

    def _look(self) -> None:
        now = self._c.clock.now_s
        approaches = frozenset(self._approach) if self._functions else frozenset()
        seen = self._stations.look(now, everybody=self._fuel is not None, place_on=approaches)
        new = self._stations.take_new()
        if new.size:
            self._c.log.add(VehicleConnected, t_s=np.full(new.size, now), vehicle=new)
        if self._fuel is not None:
            self._fuel.look(now, seen)
        cams = self._hear(now, seen)
        objects = None
        if self._hazards is not None:
            objects = self._hazards.look(now, seen)
            self._hazards.met(now, seen, objects)
        self._last = (seen, objects)
        self._end_advice(now)
        spat = self._signals.tell(now)
        if ROADSIDE in self.hosts:
            for message in (self._signals.cabinets.tell(now), cams, self._see(now, seen, objects)):
                if message is not None:
                    self._c.post(ROADSIDE, message)
        if CLOUD in self.hosts:
            self._tell_cloud(spat)
            if cams is not None:
                up = self._signals.up[cams.rsu]
                self._c.post(CLOUD, cams if up.all() else _rows(cams, up))
        self._c.wake()

    def _hear(self, now: int, seen: Snapshot) -> CamBatch | None:
        """Let connected vehicles send the CAMs of this second; return the last one heard of each."""
        rows = np.flatnonzero(seen.connected & seen.placed)
        x, y, speed = seen.x_m[rows], seen.y_m[rows], seen.speed_m_s[rows]
        rate = self.channel.look(x, y, speed)
        heard = self.channel.send(now, seen.vehicle[rows], x, y, rate)
        got = np.isfinite(heard.delay_ms)
        self._sent += np.bincount(heard.rsu, minlength=self._units.size)
        self._heard += np.bincount(heard.rsu[got], minlength=self._units.size)
        self._latency["cam"].append(heard.delay_ms[got])
        who, first = np.unique(heard.row[got][::-1], return_index=True)  # the last of each
        self._covered = (self._covered[0] + rows.size, self._covered[1] + who.size)
        if who.size == 0:
            return None
        last = np.flatnonzero(got)[::-1][first]
        at = rows[who]
        road = seen.road[at]
        return CamBatch(
            now, f"cam/{now}", seen.vehicle[at], self._units[heard.rsu[last]], np.full(at.size, now * 1000),
            seen.x_m[at], seen.y_m[at], seen.speed_m_s[at], seen.heading_deg[at], seen.length_m[at], road,
            seen.pos_m[at], self._to_roads(seen.vehicle[at], road),
        )  # fmt: skip

    def _to_roads(self, vehicle: Ints, road: Ints) -> Ints:
        """Return the road after the present one of each vehicle's way (asked once per road)."""
        if not self._functions:
            return np.full(vehicle.size, -1, dtype=np.int64)
        out = np.full(vehicle.size, -1, dtype=np.int64)
        new: dict[tuple[int, int], int] = {}
        for i, pair in enumerate(zip(vehicle.tolist(), road.tolist(), strict=True)):
            if pair[1] not in self._approach:
                continue
            found = self._next.get(pair)
            if found is None:
                rest = self._c.traffic.remaining(pair[0])
                found = int(rest[1]) if rest.size > 1 and int(rest[0]) == pair[1] else -1
            new[pair] = out[i] = found
        self._next = new
        return out

    def _see(self, now: int, seen: Snapshot, objects: Objects | None) -> CpmBatch | None:
        """Return what the units of grade L3 perceive: vehicles on their approaches, vans, hazards."""
        if objects is None:
            return None
        sense = GRADE_SENSES[L3]
        told = self._net.told
        on = np.array([self._approach.get(r, (-1, 0.0))[0] for r in seen.road.tolist()], dtype=np.int64)
        rows = np.flatnonzero((on >= 0) & seen.placed)
        thing = np.concatenate(
            [seen.vehicle[rows], objects.hazard[objects.kind != 2], VAN_OF - objects.hazard[objects.kind == 1]]
        )
        people = np.flatnonzero(objects.kind == 1)
        stopped = set(objects.hazard[objects.kind == 2].tolist())
        kind = np.array([2 if v in stopped else VEHICLE for v in seen.vehicle[rows].tolist()], dtype=np.int64)
        junction = np.concatenate([on[rows], objects.junction[people], objects.junction[people]])
        x = np.concatenate([seen.x_m[rows], objects.x_m[people], objects.van_x_m])
        y = np.concatenate([seen.y_m[rows], objects.y_m[people], objects.van_y_m])
        near = np.hypot(x - told.x_m[junction], y - told.y_m[junction]) <= sense.range_m
        near &= self._sight.uniform(thing, now // 5) >= sense.miss  # spells of 5 s, as in perception
        n = people.size
        batch = CpmBatch(
            now, f"cpm/{now}", junction, thing, np.concatenate([kind, np.full(n, 1), np.full(n, VEHICLE)]),
            np.full(thing.size, now * 1000), x, y,
            np.concatenate([seen.speed_m_s[rows], objects.speed_m_s[people], np.zeros(n)]),
            np.concatenate([seen.heading_deg[rows], objects.heading_deg[people], objects.van_heading_deg]),
            np.concatenate([seen.length_m[rows], np.full(n, 0.5), np.full(n, VAN_M)]),
            np.concatenate([seen.road[rows], np.full(2 * n, -1)]),
            np.concatenate([seen.lane[rows], np.full(2 * n, -1)]),
            np.concatenate([seen.pos_m[rows], np.zeros(2 * n)]),
        )  # fmt: skip
        batch = _rows(batch, near)
        self._note_perceived(now, batch, objects)
        return batch

    def _note_perceived(self, now: int, batch: CpmBatch, objects: Objects) -> None:
        for h in objects.hazard.tolist():
            self._began.setdefault(h, now)
        for h, j in zip(
            batch.object[batch.kind != VEHICLE].tolist(), batch.rsu[batch.kind != VEHICLE].tolist(), strict=True
        ):
            if h not in self._perceived:
                self._perceived.add(h)
                self._c.log.add(HazardPerceived, t_s=now, hazard=h, junction=j, late_s=now - self._began[h])

    # -- act -----------------------------------------------------------------------------------------------

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Carry out a command of one of its desks."""
        if isinstance(command, AdviseSpeeds):
            self._advise(now_s, command)
        elif isinstance(command, SendDenms):
            self._warn(now_s, command)
        elif isinstance(command, ReportPicture):
            self._c.log.add(
                PictureTaken, t_s=now_s, live=command.live, stale=command.stale, out_of_reach=command.lost,
                tracks=command.tracks, track_age_s=command.track_age_s,
            )  # fmt: skip
        elif isinstance(command, SetPlans | ShowPhases):
            if self.links is None:
                self._give(command)
            else:
                self.links.down(command, self._give)
        else:
            return False
        return True

    def _give(self, command: Command) -> None:
        """Let an order of the platform reach the cabinets, which tell the plan they have."""
        now = self._c.clock.now_s
        if isinstance(command, SetPlans):
            up = self._signals.up[command.junction]
            if not up.all():
                keep = np.isin(self._net.told.phase_junction[command.phase], command.junction[up])
                command = SetPlans(
                    command.key, command.junction[up], command.offset_s[up], command.phase[keep], command.green_s[keep]
                )
            if command.junction.size == 0:
                return
            self._order(command)
            serial = serial_of(command)
            self._serial[command.junction] = serial
            n = command.junction.size
            self._c.log.add(PlanTaken, t_s=np.full(n, now), junction=command.junction, serial=serial)
            told = PlanStates(now, f"plans/{now}", command.junction, self._serial[command.junction])
            self._tell_cloud(told)
            if ROADSIDE in self.hosts:
                self._c.post(ROADSIDE, PlansRunning(
                    now, f"running/{now}", command.junction, command.offset_s, command.phase, command.green_s
                ))  # fmt: skip
            return
        self._order(command)

    def _where(self, vehicle: Ints) -> tuple[Ints, Ints, Floats]:
        """Return of vehicles of the last look: positions in the columns, their unit (row of units), metres to it."""
        assert self._last is not None
        seen = self._last[0]
        rows = np.clip(np.searchsorted(seen.vehicle, vehicle), 0, max(seen.vehicle.size - 1, 0))
        unit, apart = self.channel.nearest(seen.x_m[rows], seen.y_m[rows])
        return rows, unit, apart

    def _advise(self, now: int, c: AdviseSpeeds) -> None:
        _, unit, apart = self._where(c.station)
        heard = self.channel.first_heard_ms(now, c.station, unit, apart, SPAT_HZ) < 1000.0
        takes = self._stations.willing(c.station)
        for i in np.flatnonzero(heard).tolist():
            vehicle, speed, reason = int(c.station[i]), float(c.speed_m_s[i]), int(c.reason[i])
            before = self._limited.get(vehicle)
            if before is not None and before[0] == HAZARD_M_S and before[1] > now and speed > HAZARD_M_S:
                continue  # a warning is stronger than advice
            self._limit(now, vehicle, int(c.rsu[i]), speed, reason, c.until_s, takes=bool(takes[i]))

    def _limit(
        self, now: int, vehicle: int, junction: int, speed: float, reason: int, until_s: int, *, takes: bool
    ) -> None:
        """Give a driver a top speed (inf: none), where it is another one than before."""
        before = self._limited.get(vehicle)
        if np.isfinite(speed):
            self._limited[vehicle] = (speed, until_s)
        elif before is not None:
            del self._limited[vehicle]
        if (before[0] if before is not None else np.inf) == speed:
            return
        if takes:
            self._c.traffic.set_top_speed(vehicle, speed if np.isfinite(speed) else NO_LIMIT_M_S)
        self._c.log.add(
            SpeedAdvised, t_s=now, vehicle=vehicle, junction=junction,
            speed_m_s=round(speed, 2) if np.isfinite(speed) else -1.0, why=ADVICE_REASONS[reason], obeyed=takes,
        )  # fmt: skip

    def _end_advice(self, now: int) -> None:
        """Let advice run out, also when the vehicle has left the reach of its unit."""
        over = [v for v, (_, until) in self._limited.items() if until <= now]
        if over:
            takes = self._stations.willing(np.array(over, dtype=np.int64))
            for vehicle, willing in zip(over, takes.tolist(), strict=True):
                del self._limited[vehicle]
                if willing:
                    self._c.traffic.set_top_speed(vehicle, NO_LIMIT_M_S)

    def _warn(self, now: int, c: SendDenms) -> None:
        assert self._hazards is not None
        _, unit, apart = self._where(c.station)
        edge = Stage(80.0, 150.0).draw(self._warning_ms.normal(c.station, now))
        ms = edge + self.channel.first_heard_ms(now, c.station, unit, apart, DENM_HZ, clear=True)
        rows = np.flatnonzero(ms < 1000.0)
        if rows.size == 0:
            return
        self._latency["denm"].append(ms[rows])
        self._c.log.add(
            HazardWarned, t_s=np.full(rows.size, now), hazard=c.hazard[rows], vehicle=c.station[rows],
            junction=c.rsu[rows], latency_ms=np.round(ms[rows], 1),
        )  # fmt: skip
        self._hazards.warned(now, c.hazard[rows], c.station[rows], c.needs_m_s2[rows])
        takes = self._stations.willing(c.station[rows])
        for i, willing in zip(rows.tolist(), takes.tolist(), strict=True):
            self._limit(now, int(c.station[i]), int(c.rsu[i]), HAZARD_M_S, HAZARD, c.until_s, takes=willing)

    def cut(self, rows: Ints, *, up: bool) -> None:
        """Hear that data links of junctions are cut or mended."""
        now = self._c.clock.now_s
        if self.exchange is not None:
            self.exchange.up_ok[rows] = up
        if CLOUD in self.hosts:
            status = np.full(rows.size, int(up), dtype=np.int64)
            self._c.tell(CLOUD, LinkStatus(now, f"cloud/links/{now}/{int(up)}", rows, status))
            if up:
                self._tell_cloud(PlanStates(now, f"plans/{now}", rows, self._serial[rows]))

    # -- facts ---------------------------------------------------------------------------------------------

    def _write(self) -> None:
        now, log = self._c.clock.now_s, self._c.log
        if self._units.size:
            log.add(
                ChannelMeasured, t_s=np.full(self._units.size, now), junction=self._units,
                stations=self.channel.stations, sent=self._sent, heard=self._heard, busy=np.round(self.channel.busy, 4),
            )  # fmt: skip
        log.add(CoverageMeasured, t_s=now, stations=self._covered[0], covered=self._covered[1])
        self._covered = (0, 0)
        self._sent, self._heard = np.zeros_like(self._sent), np.zeros_like(self._heard)
        ways = {way: np.concatenate(parts) if parts else np.empty(0) for way, parts in self._latency.items()}
        self._latency = {way: [] for way in self._latency}
        if self.exchange is not None:
            ways["exchange"], count = self.exchange.take_latencies()
            log.add(
                ExchangeMeasured, t_s=now, budget_ms=self.exchange.budget_ms, orders=count.orders,
                over_budget=count.over_budget, left_aside=count.left_aside, exchange_lost=count.lost,
            )  # fmt: skip
        for way, ms in ways.items():
            if ms.size:
                upper, found = binned(ms)
                log.add(LatencyCounted, t_s=np.full(upper.size, now), way=way, upper_ms=upper, count=found)


Columns = TypeVar("Columns", CamBatch, CpmBatch)


def _rows(batch: Columns, keep: npt.NDArray[np.bool_]) -> Columns:
    """Return the rows of a message that is all columns."""
    return replace(batch, **{f.name: getattr(batch, f.name)[keep] for f in fields(batch)[2:]})
