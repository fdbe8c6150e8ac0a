"""The signals of a run: cabinets at the roadside, central control, perception and links between them (F19, F20).

Second by second SUMO shows what the cabinets say: the traffic simulator calls back before its steps, and only when
something ends. Every ``interval_s`` junctions tell their state (SPAT) and what they perceive, central control answers
with phases, and its orders go back over the same links. In quiet hours only every second look is taken.

Vehicles that may have priority are measured all the time (:mod:`twin.world.junctions.passages`), and ask where the
scenario lets them (:mod:`twin.world.junctions.asking`). What signals showed and what roads towards them cost goes into
the log every quarter of an hour.

Hooks for others: ``links`` carries all messages, ``net`` and ``signals`` are the truth of the signals, ``asking`` knows
the vehicles with on-board units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.clock import Phase
from twin.control.ports import Controller
from twin.domain.commands import Command
from twin.domain.junctions import (
    CENTRAL,
    EMERGENCY,
    GRADES,
    PUBLIC_TRANSPORT,
    SetPlans,
    ShowPhases,
    SignalRules,
    SignalStatus,
)
from twin.domain.messages import Message
from twin.errors import ScenarioError
from twin.events import JunctionGraded, SignalLinkChanged, SignalsChecked, SignalsFellBack, SignalsTaken
from twin.hosts import Host, find_factory
from twin.scenario.interventions import SystemIntervention
from twin.scenario.junctions import INTERVAL_S, POLICIES, Junctions
from twin.scenario.mistakes import did_you_mean, show_value
from twin.world.junctions.asking import KIND_OF, Asking
from twin.world.junctions.counts import CountPerception
from twin.world.junctions.crossings import crossings_of
from twin.world.junctions.delays import LOOK_S, ApproachDelays
from twin.world.junctions.exchange import ExchangeLinks
from twin.world.junctions.grades import grades_of
from twin.world.junctions.links import Links
from twin.world.junctions.passages import MEASURE_S, Passages
from twin.world.junctions.perception import LanePerception
from twin.world.junctions.read_map import read_map
from twin.world.junctions.record import PERIOD_S, Record
from twin.world.junctions.signals import Signals
from twin.world.junctions.stays import MesoStays
from twin.world.junctions.v2x import V2x
from twin.world.ports import Action, RunContext
from twin.world.traffic.ports import Flow, HasSignals, NewVehicles

Ints = npt.NDArray[np.int64]

DESK = "signals"
COMPARE_S, COMPARE_PARTS = 47, 8  # what SUMO shows is read back so often, at every eighth junction in turn
QUIET = 0.25  # vehicles perceived per junction, below which only every second look is taken; assumed
#: where nobody decides but by plan, junctions are looked at for so long after somebody asked for priority
AFTER_S = 300
ALL = "all"


class JunctionSystem:
    """See the module's text. ScenarioError where traffic has no signals, or a name is wrong."""

    def __init__(self, context: RunContext) -> None:
        part = context.scenario.junctions
        assert part is not None
        traffic: Any = context.traffic
        if not isinstance(traffic, HasSignals):
            raise ScenarioError(
                f"{context.scenario.name}: junctions needs signals, which {context.mode} traffic has not"
            )
        self.context, self.part = context, part
        now, net_file, live = context.start_s, context.city.net_file, traffic.live
        crossings = crossings_of(net_file)
        grades = grades_of(part, context.city, crossings)
        self.net = read_map(live, net_file, context.city.road_index, now, grades, crossings=crossings)
        if not self.net.tls:
            raise ScenarioError(f"{context.scenario.name}: junctions needs signals, but {context.city.name} has none")
        self.signals = Signals(live, self.net, now)
        n = len(self.net.tls)
        dice = context.dice
        self.interval_s = part.interval_s or INTERVAL_S[context.mode]
        draws = dice.stream("junctions.perception")
        self.perception: CountPerception | LanePerception
        if context.mode == "meso":
            self.perception = CountPerception(live, self.net, draws, every_s=self.interval_s)
        else:
            self.perception = LanePerception(live, self.net, draws)
        self._kill_detectors(part.faults.detectors_dead)
        self.links: Links | ExchangeLinks = Links(
            context.clock, dice.stream("junctions.links"), self.signals.cabinets, part.faults.message_loss,
            part.faults.latency_s,
        )  # fmt: skip
        self._delays = ApproachDelays(live, self.net, traffic.look_s if context.mode == "meso" else LOOK_S)
        self._record = Record(context.log, self.signals.cabinets, self._delays, now)
        roads = context.city.roads
        length_m, speed_m_s = roads["length_m"].to_numpy(np.float64), roads["speed_m_s"].to_numpy(np.float64)
        stays = MesoStays(live.vehicle, traffic.roads_of) if context.mode == "meso" else None
        self.asking = Asking(
            self.net.told, context.traffic, context.log, context.gate.way, length_m, speed_m_s,
            frozenset(KIND_OF[k] for k in part.priority), stays,
        )  # fmt: skip
        self._passages = Passages(
            self.asking.junction_at, context.traffic, context.log, context.gate.way, length_m, speed_m_s,
            self.asking.granted, stays,
        )  # fmt: skip
        self._decides = _policy(part) is not None
        # who does not know single vehicles needs not know what traffic tells, but once in a while
        self._in_passing = context.mode == "meso" and not part.priority and part.v2x is None
        desk = context.host(DESK, desk_factory(part))
        desk.needs_flow = not self._in_passing
        self._hosts = {DESK: desk}
        self.v2x = V2x(context, self.net, self.signals, part.v2x, self._order) if part.v2x is not None else None
        if self.v2x is not None:
            self.links = self.v2x.links or self.links
            self._hosts.update(self.v2x.hosts)
        self._was = self.signals.cabinets.mode(now)
        self._wake_until_s = -1
        self._asked_until_s = np.full(n, -1, dtype=np.int64)
        self._skip, self._part = False, 0
        self._compare_s, self._look_s = now + COMPARE_S, now + LOOK_S
        traffic.before_step = self._before_step
        if context.mode == "meso":
            traffic.looked, self._look_s = self._delays.look, context.end_s

    @property
    def hosts(self) -> Mapping[str, Host]:
        """See the Protocol."""
        return self._hosts

    # -- the beginning and the end -------------------------------------------------------------------------

    def begin(self, now_s: int) -> None:
        """See the Protocol."""
        told, part, step = self.net.told, self.part, self.interval_s
        self.context.log.add(
            JunctionGraded, t_s=np.full(len(told.junction), now_s),
            junction=np.arange(len(told.junction), dtype=np.int64), name=np.array(told.junction, dtype=object),
            grade=np.array([GRADES[g] for g in told.grade.tolist()], dtype=object), x_m=told.x_m, y_m=told.y_m,
        )  # fmt: skip
        late_s = part.faults.latency_s
        roles = {EMERGENCY if k == "emergency" else PUBLIC_TRANSPORT for k in part.priority}
        rules = SignalRules(
            now_s, "signals/rules", step, 3 * step + 2 + 2 * late_s, 3 * step + 2 + late_s,
            part.plan_every_s, np.array(sorted(roles), dtype=np.int64), part.extend_s, part.again_s,
        )  # fmt: skip
        self.context.post(DESK, rules)
        self.context.post(DESK, told)
        clock = self.context.clock
        if self.v2x is not None:
            self.v2x.begin(now_s)
        measure_s = MEASURE_S[self.context.mode]
        clock.every(measure_s, Phase.PERCEIVE, lambda: self._passages.look(clock.now_s), now_s + (-now_s) % measure_s)
        clock.every(step, Phase.PERCEIVE, self._perceive, now_s + (-now_s) % step, flow=not self._in_passing)
        clock.every(PERIOD_S, Phase.PERCEIVE, self._write, now_s + PERIOD_S - now_s % PERIOD_S)

    def finish(self, end_s: int) -> None:
        """See the Protocol."""
        self._passages.look(end_s)
        self._record.write(end_s)
        if self.v2x is not None:
            self.v2x.finish(end_s)
        signals = self.signals
        signals.until(end_s)
        self.context.log.add(
            SignalsChecked, t_s=end_s, junctions=len(self.net.tls), seconds=signals.seconds_checked,
            turns=signals.turns_checked, refused=signals.cabinets.refused,
        )  # fmt: skip

    def _write(self) -> None:
        self._record.write(self.context.clock.now_s)

    # -- between two instants ------------------------------------------------------------------------------

    def _before_step(self, now_s: int) -> int:
        """Let the signals show what they show from ``now_s`` on; return when they want to be asked again."""
        if now_s >= self._compare_s:
            self._part = (self._part + 1) % COMPARE_PARTS
            self.signals.compare(now_s, self._part, COMPARE_PARTS)
            self._compare_s = now_s + COMPARE_S
        if now_s >= self._look_s:
            self._delays.look()
            self._look_s = now_s + self._delays.period_s
        changes = self.signals.step(now_s)
        if changes:
            self._record.changed(changes)
        return min(self.signals.next_s, self._compare_s, self._look_s)

    # -- perceive and act ------------------------------------------------------------------------------------

    def _perceive(self) -> None:
        now = self.context.clock.now_s
        self._note_modes(now)
        asked = None if self._in_passing else self.asking.look(now)
        if asked is not None and asked.vehicle.size:
            self._wake_until_s = now + AFTER_S
            self._asked_until_s[asked.junction] = now + AFTER_S
            self.links.up(asked, self._arrive)
        elif not self._decides and now > self._wake_until_s:
            return
        if self._skip:
            self._skip = False
            if asked is None:
                return
        up = self.signals.up
        if not self._decides:
            up = up & (self._asked_until_s >= now)
        rows = self.links.readings_of(np.flatnonzero(up).astype(np.int64))
        whole = rows.size == len(self.net.tls)
        if rows.size:
            seen = self.perception.look(now, None if whole else rows)
            self._skip = float(np.nansum(seen.queue) + np.nansum(seen.moving)) < QUIET * len(self.net.tls)
            self._skip &= self.context.mode == "meso"
            self.links.up(seen, self._arrive)
            if self.v2x is not None:
                self.v2x.perceived(seen)
        self.links.up(self.signals.tell(now), self._arrive)
        self.context.wake()

    def _arrive(self, message: Message) -> None:
        """Let a message reach the centre."""
        self.context.post(DESK, message)
        if self.context.clock.now_s > message.t_s:
            self.context.wake()

    def _note_modes(self, now_s: int) -> None:
        if not self._decides:  # plans are no fall, and priority takes junctions in hand only now and then
            return
        mode = self.signals.cabinets.mode(now_s)
        if np.array_equal(mode, self._was):
            return
        changed = np.flatnonzero(mode != self._was)
        back = changed[mode[changed] != CENTRAL]
        taken = changed[mode[changed] == CENTRAL]
        log = self.context.log
        if back.size:
            up = self.signals.up[back]
            reason = np.where(up, "no order", "link lost").astype(object)
            log.add(SignalsFellBack, t_s=np.full(back.size, now_s), junction=back, reason=reason)
        if taken.size:
            log.add(SignalsTaken, t_s=np.full(taken.size, now_s), junction=taken)
        self._was = mode

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:
        """See the Protocol."""
        if self.v2x is not None and who in self.v2x.hosts:
            return self.v2x.carry_out(command, now_s)
        if who != DESK:
            return False
        if isinstance(command, SignalStatus):
            self.asking.answered(command, now_s)
        elif isinstance(command, ShowPhases | SetPlans):
            self.links.down(command, self._order)
        else:
            return False
        return True

    def _order(self, command: Command) -> None:
        """Let an order reach the junctions."""
        changes = self.signals.carry_out(self.context.clock.now_s, [command])
        if changes:
            self._record.changed(changes)

    # -- ears ------------------------------------------------------------------------------------------------

    def vehicles(self, new: NewVehicles) -> None:
        """Take note of vehicles that may have priority."""
        self._passages.vehicles(new)
        self.asking.vehicles(new)

    def took(self, flow: Flow) -> None:
        """Take note of their halts and arrivals."""
        self._passages.took(flow)
        self.asking.took(flow)

    def lost(self, vehicle: int, now_s: int, reason: str) -> None:  # noqa: ARG002  (see SeesLost)
        """Take note that one is gone."""
        self._passages.lost(vehicle)
        self.asking.lost(vehicle)

    # -- what fails --------------------------------------------------------------------------------------------

    def _kill_detectors(self, share: float) -> None:
        if share > 0:
            lanes = np.arange(len(self.net.lane_ids))
            self.perception.dead[self.context.dice.stream("junctions.dead").uniform(lanes) < share] = True

    def intervene(self, item: SystemIntervention, cause: str) -> tuple[Action, Action | None]:
        """See the Protocol."""
        names: tuple[str, ...] = getattr(item, "junctions", ())
        rows = self.rows_of(names, cause)
        if item.kind == "signal_link_lost":
            return lambda: self._cut(rows, up=False), lambda: self._cut(rows, up=True)
        if item.kind == "signal_detectors_fail":
            lanes = np.flatnonzero(np.isin(self.net.told.lane_junction, rows))

            def fail(dead: bool) -> Action:
                return lambda: self.perception.dead.__setitem__(lanes, dead)

            return fail(True), fail(False)
        raise ScenarioError(f"{cause}: junctions does not know the intervention {show_value(item.kind)}")

    def rows_of(self, names: tuple[str, ...], cause: str) -> Ints:
        """Return the rows of junctions by name; "all": all of them. ScenarioError: there is none of that name."""
        if ALL in names:
            return np.arange(len(self.net.tls), dtype=np.int64)
        row = {name: j for j, name in enumerate(self.net.tls)}
        for name in names:
            if name not in row:
                raise ScenarioError(
                    f"{cause}: there is no junction {show_value(name)} with signals in {self.context.city.name}"
                    f"{did_you_mean(name, self.net.tls)}"
                )
        return np.array([row[name] for name in names], dtype=np.int64)

    def _cut(self, rows: Ints, *, up: bool) -> None:
        now = self.context.clock.now_s
        told = self.signals.set_links(now, rows, up)
        self.context.log.add(SignalLinkChanged, t_s=np.full(rows.size, now), junction=rows, up=up)
        self.context.tell(DESK, told)
        if self.v2x is not None:
            self.v2x.cut(rows, up=up)


def desk_factory(part: Junctions) -> Callable[[], Controller]:
    """Return what makes the desk with its policy."""
    desk: Any = find_factory(part.desk) if isinstance(part.desk, str) else part.desk
    policy = _policy(part)
    return lambda: desk(policy()) if policy is not None else desk()


def _policy(part: Junctions) -> Any:
    """Return what makes the policy, or None where junctions keep their plans."""
    spec: Any = part.policy
    if isinstance(spec, str) and ":" not in spec:
        spec = POLICIES[spec]
    return find_factory(spec) if isinstance(spec, str) else spec
