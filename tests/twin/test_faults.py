"""Faults of messages, controllers and clocks: each strikes as often as it says, heals, and is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import load
from scenarios.checks.matrix import STRENGTH, cells, kinds, window, with_faults
from twin import simulation
from twin.clock import Clock
from twin.dice import Dice
from twin.domain.commands import AvoidRoad, WakeAt
from twin.domain.incidents import CloseIncident
from twin.domain.messages import ClosureReport
from twin.errors import AdapterError, ScenarioError
from twin.faults import Faults, Link, _Active
from twin.hosts import Host
from twin.log import Log
from twin.scenario.interventions import Fault

END_S = 2000


class Recorder:
    """Notes what it is told and when by its own clock."""

    made: list[Recorder] = []  # noqa: RUF012

    def __init__(self):
        self.told: list[tuple[int, str]] = []
        Recorder.made.append(self)

    def decide(self, now_s, messages):
        self.told += [(now_s, m.key) for m in messages]
        return [AvoidRoad(f"a/{now_s}/{m.key}", m.road, now_s + 60, "closed") for m in messages]


def report(t):
    return ClosureReport(t, f"c/{t}", 7, True, "road user")


class Bench:
    """A host with a message every 10 s, and faults."""

    def __init__(self, *faults, seed=1, journal=None):
        self.clock, self.log = Clock(0), Log(None)
        self.host = Host("x", Recorder, journal)
        self.effects: list[tuple[int, str]] = []
        self.faults = Faults(self.clock, self.log, Dice(seed), {"x": self.host}, self.decide, lambda: None)
        for k, fault in enumerate(faults):
            self.faults.schedule(k, fault, fault.at_s, END_S)
        from twin.clock import Phase

        self.clock.every(10, Phase.PERCEIVE, self.tell, 10)
        while (t := self.clock.next_s()) is not None and t < END_S:
            self.clock.run_instant()
        self.faults.finish()
        self.host.close()
        self.facts = self.log.close()

    def tell(self):
        self.host.tell(report(self.clock.now_s))
        self.decide()

    def decide(self):
        if self.host.due(self.clock.now_s):
            _, commands = self.host.decide(self.clock.now_s)
            self.effects += [(self.clock.now_s, c.key) for c in commands if not isinstance(c, WakeAt)]

    @property
    def told(self):
        return Recorder.made[-1].told

    @property
    def fired(self):
        return int(self.facts.frame("FaultEnded")["fired"].sum())


def fault(what, at=100, until=1100, **more):
    clock = lambda s: f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}"  # noqa: E731
    return Fault.model_validate({"kind": "fault", "what": what, "at": clock(at), "until": clock(until), **more})


SENT = {f"c/{t}" for t in range(10, END_S, 10)}


@given(share=st.floats(0.05, 1.0), seed=st.integers(0, 50))
def test_lost_messages_are_counted_and_nothing_else_is_lost(share, seed):
    bench = Bench(fault("messages_lost", share=share), seed=seed)
    came = {key for _, key in bench.told}
    assert len(SENT - came) == bench.fired
    assert all(100 <= int(key[2:]) < 1100 for key in SENT - came)
    n, p = 100, share
    assert abs(bench.fired - n * p) <= 5 * np.sqrt(n * p * (1 - p)) + 1e-9


def test_a_share_of_one_loses_everything_until_it_heals():
    bench = Bench(fault("messages_lost", share=1.0))
    assert {int(k[2:]) for _, k in bench.told} == {t for t in range(10, END_S, 10) if not 100 <= t < 1100}


def test_repeated_messages_have_one_effect_per_key():
    bench = Bench(fault("messages_twice", share=1.0, copies=99))  # a storm of 100
    assert len(bench.told) == len(SENT) + 100 * 99
    assert len({k for _, k in bench.effects}) == len(bench.effects) == len(SENT)


def test_late_messages_come_late_and_all_come():
    bench = Bench(fault("messages_late", seconds=60))
    delay = [t - int(k[2:]) for t, k in bench.told if 100 <= int(k[2:]) < 1100]
    assert {k for _, k in bench.told} == SENT
    assert 40 < np.mean(delay) < 80  # 100 exponential draws of mean 60: standard error 6


def test_shuffled_messages_change_their_order_and_none_is_lost():
    bench = Bench(fault("messages_shuffled", share=0.5))
    keys = [int(k[2:]) for _, k in bench.told]
    assert sorted(keys) == sorted(int(k[2:]) for k in SENT)
    assert keys != sorted(keys)


def test_messages_wait_for_a_controller_that_is_down():
    bench = Bench(fault("controller_down"))
    assert {k for _, k in bench.told} == SENT
    assert [t for t, k in bench.told if 100 <= int(k[2:]) < 1100] == [1100] * 100


def test_a_wrong_clock_is_the_controllers_only():
    bench = Bench(fault("controller_clock", seconds=300))
    assert {t - int(k[2:]) for t, k in bench.told if 100 <= int(k[2:]) < 1100} == {300}
    assert {t - int(k[2:]) for t, k in bench.told if not 100 <= int(k[2:]) < 1100} == {0}


def test_lost_commands_have_no_effect():
    bench = Bench(fault("commands_lost", share=1.0))
    assert len(bench.effects) == len(SENT) - 100
    assert bench.fired == 100


def test_what_a_desk_writes_into_its_own_books_is_not_lost():
    link = Link(Host("x", Recorder), 0, Clock(0), Dice(1).stream("faults.messages"), lambda: None)
    link.active.append(_Active(fault("commands_lost", share=1.0), "interventions[0]", 0))
    assert not link.obeyed(AvoidRoad("a", 7, 60, "closed"))
    assert link.obeyed(CloseIncident("c", "inc-1", "handled", "somebody"))
    assert link.active[0].fired == 1


def test_a_restart_replays_the_journal():
    bench = Bench(Fault.model_validate({"kind": "fault", "what": "controller_restarts", "at": "00:10"}))
    before, after = Recorder.made[-2:]
    assert after.told[: len(before.told)] == before.told
    assert {k for _, k in after.told} == SENT
    assert len({k for _, k in bench.effects}) == len(bench.effects) == len(SENT)  # nothing has its effect twice


def test_the_traffic_simulator_may_end():
    with pytest.raises(AdapterError, match=r"the traffic simulator is gone at 100 s \(interventions\[0\]\)"):
        Bench(fault("traffic_gone"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"what": "messages_lost"}, "messages_lost needs 'share'"),
        ({"what": "messages_late", "seconds": -5}, "needs 'seconds' above 0"),
        ({"what": "controller_down", "share": 0.5}, "controller_down has no 'share'"),
    ],
)
def test_a_fault_is_measured_by_what_it_is(more, said):
    with pytest.raises(ValueError, match=said):
        Fault.model_validate({"kind": "fault", "at": "00:01", **more})


def test_an_unknown_desk_is_told():
    with pytest.raises(ScenarioError, match=r'interventions\[0\].desk is "y", but this run has no such desk; it has x'):
        Bench(fault("messages_lost", share=0.1, desk="y"))


# -- in a run, and the matrix ----------------------------------------------------------------------------


def small(**changes):
    return load("road_closure", people={"residents": 300}, traffic={"mode": "free-flow"}, end="07:30", **changes)


def test_faults_of_a_desk_that_is_not_hit_change_nothing():
    plain = simulation.run(small(), 1)
    item = {"kind": "fault", "what": "messages_lost", "desk": "incident_traffic", "share": 1.0, "at": "06:31"}
    there = [v.model_dump(mode="json", by_alias=True) for v in small().interventions]
    deaf = simulation.run(small(interventions=[*there, item]), 1)
    again = simulation.run(small(interventions=[*there, item]), 1)
    assert deaf.digest == again.digest != plain.digest
    assert deaf.log.frame("FaultEnded")["fired"].tolist()[0] > 0
    for kind in ("TripStarted", "RoadClosed", "DetectorRead"):
        assert deaf.log.frame(kind)["t_s"].tolist() == plain.log.frame(kind)["t_s"].tolist()


def test_cells_are_singles_pairs_and_sampled_threes():
    of = list(STRENGTH)
    made = cells(of, triples=6)
    n = len(of)
    assert len(made) == n + n * (n - 1) // 2 + 6 == len(set(made))
    assert made == cells(of, triples=6)


def test_faults_lie_within_the_run_and_leave_time_to_heal():
    s = load("demo")
    begin_s, end_s = window(s)
    assert s.start_s < begin_s < end_s < s.end_s
    added = with_faults(s, ("messages_lost", "controller_restarts")).interventions
    assert [v.what for v in added if v.kind == "fault"] == ["messages_lost", "controller_restarts"]


def test_unknown_kinds_of_fault_are_told():
    with pytest.raises(ScenarioError, match="did you mean 'messages_lost'"):
        kinds("message_lost")
