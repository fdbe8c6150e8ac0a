"""The safety supervision platform alone: permits and telemetry in, reports and orders out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from platform_data import DAY_S, R1, R2, SPEED, permit, reading, telemetry, told_map

from twin.control.mobility.supervision.platform import LOOK_S, SafetyPlatform
from twin.control.mobility.supervision.policies import PATIENCE_S, WarnOnly, WarnSlowStop
from twin.control.mobility.supervision.ports import Breach, CaseView, Step
from twin.control.mobility.supervision.rules import KEPT, Tolerances
from twin.domain.commands import WakeAt
from twin.domain.mobility import HALTED, PARKED, SERVING, PermitWithdrawn, Roster
from twin.domain.supervision import CloseCase, ReleaseUnit, ReportViolation, SlowUnit, StopUnit, WarnUnit
from twin.domain.wire import decode, encode
from twin.hosts import Host, Journal

FAST = SPEED * 1.5
T = 36_000


def platform(*permits, **how):
    p = SafetyPlatform(**how)
    p.decide(T - 100, [told_map(), *(permits or (permit(),))])
    return p


def reports(commands):
    return [(c.unit, c.violation, c.since_s) for c in commands if isinstance(c, ReportViolation)]


def orders(commands):
    return [type(c).__name__ for c in commands if not isinstance(c, WakeAt)]


def drive(p, until_s, from_s=T, **row):
    """Send one reading every 10 s; return all commands."""
    out = []
    for t in range(from_s, until_s, 10):
        out += p.decide(t, [telemetry(t, reading(t, **row))])
    return out


# -- finding ------------------------------------------------------------------------------------------


def test_nothing_is_said_of_a_unit_that_keeps_the_rules():
    assert orders(drive(platform(), T + 3600)) == []


@pytest.mark.parametrize(
    ("row", "violation"),
    [
        ({"top": FAST}, "speeding"),
        ({"road": 7}, "out of area"),
        ({"road": 7, "state": HALTED}, "out of area"),
    ],
)
def test_a_lasting_violation_is_found_by_the_second_reading_and_once(row, violation):
    p = platform(policy=WarnOnly())
    out = drive(p, T + 600, **row)
    assert reports(out) == [(R1, violation, T)]
    assert not reports(drive(platform(), T + 10, **row)), "one reading alone is not enough"


def test_the_margin_of_speeding_is_ten_percent_and_half_a_metre_per_second():
    edge = SPEED * 1.10 + 0.5
    assert not reports(drive(platform(), T + 100, top=edge))
    assert reports(drive(platform(), T + 100, top=edge + 0.01))
    # the limit of the road holds where the permit allows more; the neighbours' limit where positions are rough
    fast = platform(permit(speed_m_s=30.0))
    assert not reports(drive(fast, T + 100, top=20.0 * 1.10 + 0.5))
    assert reports(drive(fast, T + 300, from_s=T + 100, top=20.0 * 1.10 + 0.51))


def test_hours_and_the_want_of_a_permit():
    day = {"from_s": 6 * 3600, "until_s": 22 * 3600}
    evening = 22 * 3600
    p = SafetyPlatform(policy=WarnOnly())
    p.decide(evening - 100, [told_map(), permit(**day)])
    out = drive(p, evening + 60, evening - 60)
    assert reports(out) == [(R1, "out of hours", evening)], "from the first reading after the end of the hours"
    assert reports(drive(platform(permit(fleet="shuttle"), policy=WarnOnly()), T + 60)) == [(R1, "no permit", T)]
    p = platform(policy=WarnOnly())
    drive(p, T + 100)
    p.decide(T + 100, [PermitWithdrawn(T + 100, "w", "p", "police")])
    late = reports(p.decide(T + 110, [telemetry(T + 110, reading(T + 80), reading(T + 90, unit=R2))]))
    assert not late, "what was sent while the permit held is judged by what held then"
    assert reports(drive(p, T + 160, T + 120)) == [(R1, "no permit", T + 120)]
    assert not reports(drive(platform(permit(**day)), evening + 100, evening, state=PARKED)), "standing is allowed"


def test_a_unit_that_may_only_test_must_not_carry_anything():
    need = {"min_test_h": 240.0, "min_test_km": 1000.0}
    n, z = 1, np.zeros(1)
    roster = Roster(0, "r", "robot", np.asarray([R1]), np.ones(n, np.int64), z, z, z, z, z, z, ("d",),
                    np.zeros(1, np.int64), z, z + 10.0, z + 50.0)  # fmt: skip
    messages = [roster, permit(**need), permit("p/test", purpose="test")]
    assert not reports(drive(platform(*messages), T + 100, load=0))
    assert reports(drive(platform(*messages, policy=WarnOnly()), T + 100, load=3)) == [(R1, "no permit", T)]
    tested = [messages[1], messages[2]]
    assert not reports(drive(platform(*tested), T + 100, load=3)), "of a unit not registered the permit is believed"


def test_moments_are_found_in_every_reading_however_late_and_once_each():
    p = platform(policy=WarnOnly())
    drive(p, T + 60)
    late = reading(T + 25, red=1, braking=6.0)
    out = p.decide(T + 60, [telemetry(T + 60, reading(T + 60), late)])
    assert reports(out) == [(R1, "red light", T + 25), (R1, "harsh braking", T + 25)]
    out = p.decide(T + 70, [telemetry(T + 70, late, reading(T + 70, red=2, braking=15.0))])
    assert reports(out) == [(R1, "red light", T + 70)] * 2, "a repeat is dropped, and so is what no tyre can do"


def test_a_unit_that_has_not_moved_ran_no_red_light():
    p = platform(policy=WarnOnly())
    p.decide(T, [telemetry(T, reading(T, odometer=500.0))])
    assert not reports(p.decide(T + 10, [telemetry(T + 10, reading(T + 10, red=1, braking=6.0, odometer=500.0))]))
    assert len(reports(p.decide(T + 20, [telemetry(T + 20, reading(T + 20, red=1, braking=6.0, odometer=501.0))]))) == 2


def test_silence_is_found_a_minute_after_the_last_sending_without_a_message():
    p = platform(policy=WarnOnly())
    out = drive(p, T + 100)
    wakes = [c.t_s for c in out if isinstance(c, WakeAt)]
    silent = T + 90 + Tolerances().silence_s + 1
    assert wakes[0] == T + Tolerances().silence_s + 1
    found, t = [], wakes[-1]
    while t <= silent:
        out = p.decide(t, [])
        found += reports(out)
        t = next(c.t_s for c in out if isinstance(c, WakeAt))
    assert found == [(R1, "silence", T + 90)]
    closed = drive(p, silent + 200, silent + 10)
    assert [c.outcome for c in closed if isinstance(c, CloseCase)] == ["heard again"]
    parked = platform()
    parked.decide(T, [telemetry(T, reading(T, state=PARKED))])
    assert not parked.decide(T + 600, []), "nobody waits for a unit that was parked"


def test_a_gap_is_no_recovery_and_late_readings_take_their_place():
    p = platform(policy=WarnOnly())
    assert reports(drive(p, T + 40, top=FAST)) == [(R1, "speeding", T)]
    drive(p, T + 220, T + 200, top=FAST)  # a gap: the same case
    assert not reports(drive(p, T + 260, T + 220, top=FAST))
    q = platform(policy=WarnOnly())
    q.decide(T, [telemetry(T, reading(T))])
    # 10 s and 20 s come after 30 s, in the wrong order
    assert not reports(q.decide(T + 30, [telemetry(T + 30, reading(T + 30))]))
    out = q.decide(T + 40, [telemetry(T + 40, reading(T + 20, top=FAST), reading(T + 10, top=FAST))])
    assert reports(out) == [(R1, "speeding", T + 10)]


# -- the ladder ---------------------------------------------------------------------------------------


def test_speeding_is_warned_of_then_slowed_then_stopped_then_released_and_closed():
    p = platform()
    out = drive(p, T + 400, top=FAST)
    found = T + 10
    patience = PATIENCE_S["speeding"]
    assert orders(out)[:4] == ["ReportViolation", "WarnUnit", "SlowUnit", "StopUnit"]
    assert next(c.speed_m_s for c in out if isinstance(c, SlowUnit)) == pytest.approx(0.6 * SPEED)
    # timed: a wake-up between readings sees it as well
    times = {}
    q = platform()
    for t in range(T, T + 300, 10):
        for c in q.decide(t, [telemetry(t, reading(t, top=FAST))]):
            times.setdefault(type(c).__name__, t)
    assert times["WarnUnit"] == found
    assert times["SlowUnit"] == found + patience
    assert times["StopUnit"] == found + 2 * patience
    out = drive(q, T + 1300, T + 300, state=HALTED, top=0.0)
    assert orders(out) == ["ReleaseUnit", "SlowUnit", "CloseCase"]
    assert next(c.speed_m_s for c in out if isinstance(c, SlowUnit)) == -1.0


def test_a_unit_that_keeps_the_rules_again_is_left_alone():
    p = platform()
    drive(p, T + 30, top=FAST)
    out = drive(p, T + 600, T + 30)
    assert orders(out) == ["CloseCase"]
    assert next(c.outcome for c in out if isinstance(c, CloseCase)) == "kept the rules again"


def test_a_stop_is_ordered_again_while_the_unit_is_seen_driving():
    p = platform()
    out = drive(p, T + 400, road=7)
    stops = [c for c in out if isinstance(c, StopUnit)]
    assert len(stops) > 1, "the order may not have got through"
    assert len({c.key for c in stops}) == len(stops)


def test_a_released_unit_may_drive_back_but_not_for_ever():
    ladder = WarnSlowStop()
    p = platform()
    t = T
    for _ in range(100):
        out = p.decide(t, [telemetry(t, reading(t, road=7, state=HALTED))])
        t += 10
        if any(isinstance(c, ReleaseUnit) for c in out):
            break
    else:
        pytest.fail("never released")
    out = drive(p, t + ladder.return_s - 20, t, road=7)
    assert not any(isinstance(c, StopUnit) for c in out)
    assert any(isinstance(c, StopUnit) for c in drive(p, t + ladder.return_s + 60, t + ladder.return_s - 20, road=7))


def test_who_offends_too_often_is_stopped_for_a_check():
    p = platform()
    out, t = [], T
    for _ in range(WarnSlowStop().often):
        out += p.decide(t, [telemetry(t, reading(t, red=1, state=PARKED))])
        t += 300
        out += p.decide(t, [])  # each one a case of its own
    assert len(reports(out)) == WarnSlowStop().often
    assert sum(isinstance(c, StopUnit) for c in out) == 1
    assert isinstance(p.decide(t + 600, [])[0], ReleaseUnit)


def test_silence_is_warned_of_and_never_stopped():
    p = platform()
    drive(p, T + 10)
    out = [c for t in range(T + 10, T + 3600, LOOK_S) for c in p.decide(t, [])]
    assert orders(out) == ["ReportViolation", "WarnUnit"]


def test_a_policy_in_ten_lines():
    class StopAtOnce:
        def step(self, case: CaseView) -> Step:
            if case.level == "opened":
                return Step("stop")
            return Step("close" if case.quiet_s > 30 else "wait")

    p = platform(policy=StopAtOnce())
    assert orders(drive(p, T + 20, top=FAST)) == ["ReportViolation", "StopUnit"]
    assert orders(drive(p, T + 200, T + 20, state=HALTED, top=0.0)) == ["ReleaseUnit", "CloseCase"]


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (
            Step("arrest"),
            r"the policy said 'arrest' about case/700001/1; allowed: wait, warn, slow, stop",
        ),
        (Step("slow", -3.0), r"the policy slows case/700001/1 to -3.0 m/s; allowed: above 0, finite"),
    ],
)
def test_a_policy_that_breaks_its_contract_is_told_so(step, text):
    class Odd:
        def step(self, case):
            return step

    with pytest.raises(ValueError, match=text):
        drive(platform(policy=Odd()), T + 30, top=FAST)


def test_tolerances_that_make_no_sense_are_refused():
    with pytest.raises(
        ValueError, match="hold is 4, hold_area is 3, window is 3; allowed: 1 <= hold, hold_area <= window"
    ):
        Tolerances(hold=4)
    with pytest.raises(ValueError, match=f"allowed: 1 to {KEPT} readings"):
        Tolerances(clear=0)


def test_the_policies_are_pure():
    view = CaseView(R1, "case/1", T, "warned", T - 70, (Breach("speeding", T - 90, T - 80, True),), 0, 1, 0, 0, 10.0)
    for policy in (WarnSlowStop(), WarnOnly()):
        assert policy.step(view) == policy.step(view)
    assert WarnSlowStop().step(view) == Step("slow", 6.0)


# -- a fold -------------------------------------------------------------------------------------------

rows = st.fixed_dictionaries(
    {
        "road": st.sampled_from([0, 2, 5, 7, 10**6, -1]),
        "top": st.sampled_from([0.0, 8.0, FAST, 60.0]),
        "braking": st.sampled_from([0.0, 5.0, 12.0]),
        "red": st.integers(0, 7),
        "state": st.integers(0, 6),
        "load": st.integers(0, 1),
    }
)
#: per tick: readings, each so many seconds late
ticks = st.lists(st.lists(st.tuples(rows, st.sampled_from([R1, R2]), st.integers(-20, 90)), max_size=4), max_size=15)


def messages_of(ticks):
    calls = [(T - 10, [told_map(), permit(from_s=6 * 3600, until_s=T + 60)])]
    for k, sendings in enumerate(ticks):
        t = T + 10 * k
        made = [reading(t - late, unit=unit, **row) for row, unit, late in sendings]
        calls.append((t, [telemetry(t, *made)] if made else []))
    return calls


def play(calls):
    p = SafetyPlatform()
    return [c for t, messages in calls for c in p.decide(t, messages)]


@settings(deadline=None, max_examples=60)
@given(ticks)
def test_same_messages_same_commands_unique_keys_and_repeats_change_nothing(ticks):
    calls = messages_of(ticks)
    once = play(calls)
    assert play(calls) == once
    assert play([(t, [*m, *m]) for t, m in calls]) == once
    keys = [c.key for c in once]
    assert len(set(keys)) == len(keys)
    assert all(c.t_s > 0 for c in once if isinstance(c, WakeAt))
    assert [decode(encode(c)) for c in once] == once


@settings(deadline=None, max_examples=40)
@given(ticks)
def test_rows_repeated_under_a_new_message_change_nothing(ticks):
    """A network repeats sendings in later batches, under another key: what was known is dropped."""
    calls = messages_of(ticks)
    again = []
    for t, m in calls:
        told = [x for x in m if hasattr(x, "sent_s")]
        copies = [type(x)(**{**x.__dict__, "key": x.key + "/again"}) for x in told]
        again.append((t, [*m, *copies]))
    a, b = play(calls), play(again)
    assert [c for c in a if not isinstance(c, WakeAt)] == [c for c in b if not isinstance(c, WakeAt)]


@settings(deadline=None, max_examples=25)
@given(ticks)
def test_every_case_that_is_opened_is_closed_once_everybody_keeps_the_rules(ticks):
    p = SafetyPlatform()
    out = [c for t, m in messages_of(ticks) for c in p.decide(t, m)]
    end = T + 10 * len(ticks)
    for t in range(end, end + 3000, 30):  # parked units keep every rule
        good = [reading(t, unit=u, state=PARKED, top=0.0, braking=0.0) for u in (R1, R2)]
        out += p.decide(t, [telemetry(t, *good)])
    opened = {c.case for c in out if isinstance(c, ReportViolation)}
    closed = [c.case for c in out if isinstance(c, CloseCase)]
    assert sorted(opened) == sorted(closed)
    stopped = {c.case for c in out if isinstance(c, StopUnit)}
    assert stopped <= {c.case for c in out if isinstance(c, ReleaseUnit)}, "whoever is stopped is let go again"
    last = {c.unit: c.speed_m_s for c in out if isinstance(c, SlowUnit)}
    assert set(last.values()) <= {-1.0}, "every limit is lifted in the end"
    assert {(c.unit, c.case) for c in out if isinstance(c, WarnUnit)} <= {
        (c.unit, c.case) for c in out if isinstance(c, ReportViolation)
    }


def test_a_restart_from_the_journal_goes_on_as_if_nothing_had_happened(tmp_path):
    calls = [(T - 10, [told_map(), permit()])]
    for k in range(40):
        t = T + 10 * k
        made = [reading(t, top=FAST if k < 25 else 8.0), reading(t, unit=R2, road=7 if k > 10 else 0, state=SERVING)]
        calls.append((t, [telemetry(t, *made)]))
    whole = Host("whole", SafetyPlatform)
    broken = Host("broken", SafetyPlatform)
    file = tmp_path / "supervision.jsonl"
    journal = Journal(file)
    for k, (t, messages) in enumerate(calls):
        for host in (whole, broken):
            for m in messages:
                host.tell(m)
        expected = whole.decide(t)
        got = broken.decide(t)
        assert got == expected
        journal.write(t, messages, [])
        if k == 20:
            journal.close()
            again = Host("again", SafetyPlatform)
            again._done = broken._done
            again.restart(file)
            again._done = broken._done
            broken = again
            journal = Journal(tmp_path / "rest.jsonl")
    journal.close()


def test_fifteen_hundred_units_cost_a_few_milliseconds_a_batch():
    import time

    from twin.domain.ids import unit_number

    p = platform(permit(unit=np.empty(0, np.int64)))
    units = [unit_number("robot", k) for k in range(1, 1501)]

    def batch(t):
        return telemetry(t, *(reading(t, unit=u) for u in units))

    made = [batch(T + 10 * k) for k in range(12)]
    p.decide(T, made[:2])
    begin = time.perf_counter()
    for m in made[2:]:
        p.decide(m.t_s, [m])
    assert (time.perf_counter() - begin) / 10 < 0.1
    assert DAY_S
