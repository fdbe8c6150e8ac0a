"""Responders and the incident desk in whole runs: properties under failings, parts switched off, restarts, vehicles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios import incident_account, incident_properties
from scenarios.checks.run import shipped
from scenarios.kpis.incidents import INCIDENTS
from scenarios.readings import Memory
from tests.twin.world.responders.responder_town import NO_FAILINGS, START_S, counts, finish, mixed, put, simulation
from twin.clock import Phase
from twin.control.city_brain.incidents.desk import IncidentDesk
from twin.domain.ids import vehicle_kind
from twin.domain.incidents import DispatchResponder, RecallResponder
from twin.errors import ControlError, ScenarioError
from twin.events import IncidentAssigned, ResponderFree, ResponderRecalled, ResponderRefused, RunEnded
from twin.hosts import read_journal
from twin.log import Log
from twin.run_folder import prepare

KPI = {k.name: k for k in INCIDENTS}


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    factor=st.sampled_from([0.0, 1.0, 5.0]),
    policy=st.sampled_from(["severity_first", "nearest_free", "optimal"]),
    confirm=st.booleans(),
)
def test_incidents_are_sound_over_seeds_and_failings(seed, factor, policy, confirm):
    sim = simulation(seed, failings={"factor": factor}, policy=policy, confirm=confirm)
    mixed(sim, 15, seed)
    run = finish(sim)
    assert incident_properties.broken(run.log) == {}
    for a in incident_account.accounts(run.log):
        assert sum(a.seconds(p) for p in incident_account.PARTS) == a.total_s
        assert a.seconds("unexplained") == 0


@pytest.mark.parametrize("mode", ["meso", "micro"])
def test_a_fire_is_found_put_out_and_verified_in_real_traffic(mode):
    sim = simulation(mode=mode, **NO_FAILINGS)
    put(sim, "fire", START_S + 100, 700.0, 700.0, 1)
    run = finish(sim)
    assert incident_properties.broken(run.log) == {}
    n = counts(run)
    assert n["HazardEnded"] == n["IncidentVerified"] == n["IncidentClosed"] == 1
    entered = run.log.frame("VehicleEntered")
    mine = entered[entered["kind"] == "responder"]
    out = run.log.frame("ResponderSetOut")
    assert set(out["vehicle"]) <= set(mine["vehicle"])
    assert {vehicle_kind(v) for v in mine["vehicle"]} == {"responder"}
    (account,) = incident_account.accounts(run.log)
    arrived = run.log.frame("ResponderArrived")
    assert account.seconds("travel") == int(arrived["t_s"].iloc[0]) - int(out["t_s"].iloc[0])
    assert account.hazard == arrived["hazard"].iloc[0] >= 0


def test_blue_light_is_faster():
    """The same way as severe and as moderate incident: with blue light the engine drives above the limit."""
    travel = []
    for kind in ("fire", "open_fire"):
        sim = simulation(mode="micro", **NO_FAILINGS)
        put(sim, kind, START_S + 100, 850.0, 850.0, 1)
        (account,) = incident_account.accounts(finish(sim).log)
        travel.append(account.seconds("travel"))
    assert 0 < travel[0] < travel[1]


def test_nothing_there_is_found_out():
    sim = simulation(**NO_FAILINGS)
    put(sim, "fire", START_S + 100, 700.0, 700.0, 1, there=False)
    run = finish(sim)
    assert run.log.frame("IncidentClosed")["outcome"].tolist() == ["nothing there"]
    assert KPI["dispatch_false_share"](run.log) == 100.0


@pytest.mark.parametrize(("mode", "look_s"), [("meso", 40), ("free-flow", 40), ("free-flow", 10)])
def test_who_is_called_back_turns_round_where_it_is(mode, look_s):
    """A severe alert is answered at once and looked at meanwhile: nothing is there, so the engine is called back."""
    sim = simulation(mode=mode, looks={"look_s": look_s, "calls": 0}, **NO_FAILINGS)
    sim.systems["city_brain"].responders.centre._wrong = 0.0
    put(sim, "fire", START_S + 100, 1000.0, 1000.0, 1, there=False, source="alert")
    run = finish(sim)
    assert run.log.frame("IncidentClosed")["outcome"].tolist() == ["false alarm"]
    recalled = run.log.frame("ResponderRecalled")
    assert len(recalled) == 1
    free = run.log.frame("ResponderFree")
    home = run.log.frame("ResponderDeployed").set_index("unit").loc[free["unit"].iloc[0]]
    way_m = abs(free["x_m"].iloc[0] - 1000.0) + abs(free["y_m"].iloc[0] - 1000.0)
    assert (len(run.log.frame("ResponderSetOut")) == 1) == (look_s == 40)
    assert 0 < way_m <= abs(home["x_m"] - 1000.0) + abs(home["y_m"] - 1000.0) + 300.0
    assert "ResponderArrived" not in counts(run)
    assert incident_properties.broken(run.log) == {}


def test_nobody_fails_where_failings_are_off_and_many_do_where_they_are_not():
    quiet, wild = simulation(**NO_FAILINGS), simulation(failings={"factor": 8})
    for sim in (quiet, wild):
        mixed(sim, 20)
    calm, storm = counts(finish(quiet)), counts(finish(wild))
    assert "ResponderRefused" not in calm
    assert "ResponderFailed" not in calm
    assert storm["ResponderRefused"] + storm["ResponderFailed"] >= 3
    assert storm["IncidentAssigned"] > calm["IncidentAssigned"]


# -- each part of the loop matters (switched off one by one) ---------------------------------------------


def pair(part: str, count: int = 21, hours: float = 3.0, **changes):
    """The same day with and without a part of the loop."""
    logs = []
    for on in (True, False):
        sim = simulation(hours=hours, **{part: on}, **changes)
        mixed(sim, count)
        logs.append(finish(sim).log)
    return logs


def test_without_verification_botched_work_stays():
    with_it, without = pair("verify", failings={"botch": 0.5, "refuse": 0, "silent": 0})
    assert KPI["incident_not_fixed_share"](with_it) < KPI["incident_not_fixed_share"](without)
    assert incident_properties.incidents_are_verified(with_it) == []
    assert incident_properties.incidents_are_verified(without)


def test_without_redispatch_help_comes_later():
    with_it, without = pair("redispatch", failings={"refuse": 0.25, "silent": 0.25})
    assert KPI["incident_within_30min_share"](with_it) > KPI["incident_within_30min_share"](without)


def test_without_escalation_targets_pass_unnoticed():
    with_it, without = pair("escalate", failings={"silent": 0.6}, redispatch=False)
    assert incident_properties.targets_are_watched(with_it) == []
    assert incident_properties.targets_are_watched(without)
    assert KPI["incidents_closed_share"](with_it) > KPI["incidents_closed_share"](without)


def test_without_merging_two_go_where_one_is_enough():
    logs = []
    for merge in (True, False):
        sim = simulation(merge=merge, **NO_FAILINGS)
        for k in range(4):  # four tell of one fire
            put(sim, "fire", START_S + 100 + 30 * k, 700.0, 700.0, k, there=k == 0)
        logs.append(finish(sim).log)
    assert [len(log.frame("IncidentCreated")) for log in logs] == [1, 4]
    assert KPI["incidents_per_hazard"](logs[0]) == 1.0
    assert len(logs[0].frame("IncidentAssigned")) < len(logs[1].frame("IncidentAssigned"))


def test_without_confirmation_more_go_for_nothing():
    arrivals = []
    for confirm in (True, False):
        sim = simulation(confirm=confirm, **NO_FAILINGS)
        for k in range(8):
            x_m, y_m = 450.0 * (k % 3), 450.0 * (k // 3)
            put(sim, "garbage", START_S + 100 + 200 * k, x_m, y_m, k, there=k % 2 == 0, source="alert")
        run = finish(sim)
        came = run.log.frame("ResponderArrived")
        arrivals.append(int((came["hazard"] < 0).sum()))
    assert arrivals[0] < arrivals[1]


# -- determinism, restart, common random numbers -----------------------------------------------------------------


def test_the_same_seed_gives_the_same_log():
    digests = []
    for seed in (3, 3, 4):
        sim = simulation(seed, hours=1.0)
        mixed(sim, 10, hours=0.5)
        digests.append(finish(sim).digest)
    assert digests[0] == digests[1] != digests[2]


def test_the_desk_restarts_in_the_middle_and_nothing_changes(tmp_path):
    """Crash and replay of the journal at half time: the log is the same to the bit; and the journal replays."""
    digests = []
    for crash in (False, True):
        out = prepare(tmp_path / str(crash))
        sim = simulation(out=out, hours=1.0)
        mixed(sim, 10, hours=0.5)
        sim.run_until(START_S + 1500)
        if crash:
            sim._desk_of["incidents"].restart(out / "journal" / "incidents.jsonl")
        digests.append(finish(sim).digest)
    assert digests[0] == digests[1]
    desk = IncidentDesk()
    for now_s, messages, commands in read_journal(tmp_path / "True" / "journal" / "incidents.jsonl"):
        assert [c.key for c in desk.decide(now_s, messages)] == [c.key for c in commands]


def test_one_fire_engine_more_changes_no_others_number():
    """Common random numbers: units keep their numbers, of which their draws are made, when others are added."""
    rosters = []
    for engines in (1, 2):
        sim = simulation(crews={"fire_engines": engines})
        told = sim.systems["city_brain"].responders._roster
        rosters.append(dict(zip(told.unit.tolist(), zip(told.kind, told.area, strict=True), strict=True)))
        sim.close()
    assert rosters[0].items() < rosters[1].items()


# -- who is called off -----------------------------------------------------------------------------------


def test_who_is_called_off_before_he_answers_stays_at_home():
    """Else he would drive to a ticket that the desk has given up, and be asked for another meanwhile."""
    sim = simulation(hours=0.5, **NO_FAILINGS)
    responders = sim.systems["city_brain"].responders
    unit = int(responders._roster.unit[0])

    def send(k, then):
        key = f"inc-{k}/ticket/1"
        order = DispatchResponder(key, f"inc-{k}", unit, "handle", "fire", 0.0, 0.0, -1, True, 60, "district")
        responders.carry_out("incidents", order, START_S + 100 + k)
        if then:
            off = RecallResponder(f"off-{k}", f"inc-{k}", unit, key, "false alarm")
            responders.carry_out("incidents", off, START_S + 100 + k)

    sim.clock.at(START_S + 101, Phase.PERCEIVE, lambda: (send(1, True), send(2, False)))
    log = finish(sim).log
    assert log.frame("ResponderAccepted")["ticket"].tolist() == ["inc-2/ticket/1"]
    assert log.frame("ResponderArrived")["ticket"].tolist() == ["inc-2/ticket/1"]
    assert log.frame("ResponderRecalled")["ticket"].tolist() == ["inc-1/ticket/1"]
    assert shipped_property("a responder is sent on one ticket at a time").check(Memory(log)).holds
    assert shipped_property("a responder works on one ticket at a time").check(Memory(log)).holds


def test_who_refuses_or_is_called_off_within_a_second_can_be_sent_again():
    """Sent and silent, sent and called off, all in one second (as in a run of drowning): one ticket at a time."""
    said = [
        (0, IncidentAssigned, "a"), (0, ResponderRefused, "a"), (9, IncidentAssigned, "b"),
        (9, ResponderRecalled, "b"), (9, ResponderFree, ""), (20, IncidentAssigned, "c"), (25, ResponderFree, ""),
        (25, IncidentAssigned, "d"),
    ]  # fmt: skip
    wanted = shipped_property("a responder is sent on one ticket at a time")
    assert wanted.check(Memory(told(said))).holds
    assert wanted.check(Memory(told([*said, (30, IncidentAssigned, "e")]))).holds is False
    # one who is called off once does not make room for two
    off = [(9, ResponderRecalled, "b"), (9, ResponderFree, "")]
    twice = [(5, IncidentAssigned, "a"), (6, IncidentAssigned, "b"), *off]
    assert wanted.check(Memory(told(twice))).holds is False


def told(said):
    log = Log(None)
    of = {
        IncidentAssigned: {"level": "grid", "task": "handle", "expected_s": 1.0},
        ResponderRefused: {"reason": "silent"},
        ResponderRecalled: {"reason": "gone"},
    }
    for t_s, kind, ticket in said:
        names = {} if kind is ResponderFree else {"incident": ticket, "ticket": ticket}
        where = {"x_m": 0.0, "y_m": 0.0} if kind is ResponderFree else {}
        log.add(kind, t_s=t_s, unit=1_066_003, **names, **where, **of.get(kind, {}))
    log.add(RunEnded, t_s=60, reason="finished")
    return log.close()


def shipped_property(name):
    return next(p for p in shipped() if p.name == name)


# -- what is not allowed ---------------------------------------------------------------------------------------------


def test_a_ticket_for_a_unit_that_is_none_is_refused():
    sim = simulation()
    order = DispatchResponder("t", "inc-1", 7, "handle", "fire", 0.0, 0.0, -1, True, 60, "district")
    with pytest.raises(ControlError, match="names unit 7, which is no responder"):
        sim.systems["city_brain"].carry_out("incidents", order, START_S)
    sim.close()


def test_a_policy_that_does_not_exist_is_one_sentence():
    with pytest.raises(ScenarioError, match=r"responders.policy is \"severity_frist\"; allowed: severity_first"):
        simulation(policy="severity_frist")


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_call_that_is_lost_on_the_way_is_told_again_until_it_is_on_the_books(share):
    """The network loses messages for half an hour; afterwards every call is in exactly one incident."""
    lost = {
        "kind": "fault",
        "what": "messages_lost",
        "desk": "incidents",
        "share": share,
        "at": "12:05",
        "until": "12:35",
    }
    sim = simulation(hours=3, interventions=[lost], looks={"calls": 10}, **NO_FAILINGS)
    for i in range(8):
        put(sim, "fire", START_S + 420 + 120 * i, 100.0 + 110 * i, 700.0, i, told=False)
    run = finish(sim)
    told = run.log.frame("SignTold")
    assert len(told) >= 6
    assert run.log.frame("FaultEnded")["fired"].iloc[0] > 0
    assert incident_properties.no_sign_is_lost(run.log) == []
    opened = run.log.frame("IncidentCreated")
    if share == 1.0:
        assert opened["t_s"].min() >= START_S + 35 * 60
    assert len(opened) == len(set(opened["incident"])), "told twice, opened once"


def test_targets_are_told_late_while_the_desk_is_slow_and_never_forgotten():
    slow = {
        "kind": "fault",
        "what": "controller_slow",
        "desk": "incidents",
        "seconds": 90,
        "at": "12:05",
        "until": "13:00",
    }
    sim = simulation(hours=2, interventions=[slow], failings={"factor": 5.0})
    mixed(sim, 12, 3, 0.8)
    log = finish(sim).log
    assert incident_properties.targets_are_watched(log) == []
    up = log.frame("IncidentEscalated")
    assert (up["t_s"] > up["due_s"]).any(), "somebody was told late"

    class WithoutFaults:
        """The same facts as if nothing had been wrong with the desk."""

        def frame(self, kind):
            found = log.frame(kind)
            return found.iloc[:0] if kind == "FaultBegan" else found

    assert incident_properties.targets_are_watched(WithoutFaults()) != [], "late is late where nothing excuses it"
