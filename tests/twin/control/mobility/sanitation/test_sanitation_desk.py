"""The sanitation desk alone: a world of messages, whole shifts, faults, replays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeper_streets import CAPACITY_L, FIRST_UNIT, LENGTH_M, SWEEP_M_S, Streets, permit

from twin.control.mobility.sanitation.desk import LOOK_S, SanitationDesk
from twin.control.mobility.sanitation.policies import Coverage, DirtiestFirst, FixedTour
from twin.control.mobility.sanitation.ports import Round
from twin.control.mobility.stranded import WAIT_S
from twin.domain.mobility import (
    HALTED,
    AssistUnit,
    ChargeUnit,
    DriveTo,
    HaltUnit,
    Instruction,
    PlaceChanged,
    ResumeUnit,
)
from twin.domain.sanitation import DirtReports
from twin.domain.wire import decode, encode

HOUR = 3600
POLICIES = [Coverage, DirtiestFirst, FixedTour]


@pytest.mark.parametrize("policy", POLICIES)
def test_every_road_is_swept_in_a_shift_and_everybody_is_home_and_charged_after_it(policy):
    w = Streets(SanitationDesk(policy), hours=((0, 3 * HOUR),)).run(6 * HOUR)
    assert set(w.swept_roads()) == set(range(w.n))
    assert max(t for t, _, _ in w.what("swept")) < 3 * HOUR
    for u in w.fleet:
        assert u.road == 0
        assert u.leg is None
        assert u.charge >= 0.94
        assert u.hopper < 0.1 * CAPACITY_L


def test_a_shift_of_coverage_takes_little_more_than_its_lower_bound():
    w = Streets(SanitationDesk(Coverage), units=2, fill_l_m=0.001, water_l_m=0.0).run(3 * HOUR)
    first = {}
    for t, _, road in w.what("swept"):
        first.setdefault(road, t)
    # every road needs length / speed; two units share them; getting there and legs that end at ticks come on top
    least_s = w.n * LENGTH_M / SWEEP_M_S / 2
    assert least_s <= max(first.values()) <= 1.15 * least_s


@pytest.mark.parametrize("policy", POLICIES)
def test_the_hopper_never_takes_more_than_it_holds_when_dirt_is_as_expected(policy):
    w = Streets(SanitationDesk(policy), fill_l_m=0.3, hours=((0, 5 * HOUR),))
    w.dirty_l_m[:] = 0.3 * (0.8 * 0.9 + 0.2 * 0.6)  # what a sweep takes of what is expected
    w.sweeps_clean = True
    w.run(5 * HOUR)
    assert len(w.what("serviced")) > 4
    assert max(x for _, _, x in w.what("hopper")) <= CAPACITY_L
    assert min(u.water for u in w.fleet) >= 0


def test_the_battery_is_charged_before_it_is_at_its_reserve():
    w = Streets(SanitationDesk(), units=1, battery_wh=1500.0, hours=((0, 20 * HOUR),))
    low = 1.0
    w.decide()
    while w.now < 8 * HOUR:
        w.step()
        low = min(low, w.fleet[0].charge)
    charges = [c for _, _, out in w.calls for c in out if isinstance(c, ChargeUnit)]
    assert len(charges) >= 2
    assert 0.15 <= low < 0.5
    assert set(w.swept_roads()) == set(range(w.n))


def test_nothing_is_swept_outside_the_hours_and_nobody_drives_without_a_permit():
    w = Streets(SanitationDesk(), units=1, hours=((HOUR, HOUR + 1800), (4 * HOUR, 4 * HOUR + 1800))).run(6 * HOUR)
    times = [t for t, _, _ in w.what("swept")]
    assert any(t < 2 * HOUR for t in times)
    assert any(t > 4 * HOUR for t in times)
    assert all(HOUR <= t <= HOUR + 1800 or 4 * HOUR <= t <= 4 * HOUR + 1800 for t in times)
    none = Streets(SanitationDesk(), permits=False).run(2 * HOUR)
    assert not [c for _, _, out in none.calls for c in out if isinstance(c, DriveTo)]


def test_units_keep_to_the_roads_and_the_speed_of_their_permit():
    w = Streets(SanitationDesk(), permits=False)
    roads = np.asarray([r for r in range(w.n) if r < 30])
    w.tell(permit("permit/1", roads, speed=1.5))
    w.run(2 * HOUR)
    legs = [c for _, _, out in w.calls for c in out if isinstance(c, DriveTo)]
    assert legs
    assert set(np.concatenate([c.roads for c in legs]).tolist()) <= set(roads.tolist())
    assert max(c.speed_m_s for c in legs) <= 1.5
    assert len(set(w.swept_roads())) > 5


def test_a_permit_that_ends_under_way_stops_units_and_a_new_one_lets_them_go_on():
    w = Streets(SanitationDesk(), units=1).run(1800)
    w.withdraw()
    w.step()
    assert [type(c) for c in w.calls[-1][2] if not hasattr(c, "t_s")] == [HaltUnit]
    w.run(1800 + WAIT_S - LOOK_S)
    assert w.fleet[0].state == HALTED
    assert not [t for t in w.what("swept") if t[0] > 1800 + 60]
    w.tell(permit("permit/2", np.arange(w.n), t=w.now))
    w.run(w.now + 3 * HOUR)
    assert set(w.swept_roads()) == set(range(w.n))
    assert w.what("fetched") == []


@pytest.mark.parametrize("silent", [False, True])
def test_a_unit_that_stays_out_when_its_permit_ended_is_fetched_and_works_again_under_a_new_one(silent):
    w = Streets(SanitationDesk(), units=1).run(1800)
    w.fleet[0].silent = silent
    w.withdraw()
    w.run(1800 + 2 * HOUR)
    (fetched,) = w.what("fetched")
    assert WAIT_S <= fetched[0] - 1800 <= WAIT_S + 2 * LOOK_S
    assert w.fleet[0].road == 0
    legs = [t for t, _, out in w.calls for c in out if isinstance(c, DriveTo)]
    assert max(legs) <= 1800, "it is carried, not driven"
    w.fleet[0].silent = False
    w.repair(0)
    w.tell(permit("permit/2", np.arange(w.n), t=w.now))
    w.run(w.now + 3 * HOUR)
    assert set(w.swept_roads()) == set(range(w.n))


def test_a_unit_is_home_before_its_permit_ends():
    w = Streets(SanitationDesk(), units=1, permits=False)
    w.tell(permit("permit/1", np.arange(w.n), valid_until_s=2 * HOUR))
    w.run(3 * HOUR)
    assert not [c for _, _, out in w.calls for c in out if isinstance(c, HaltUnit)]
    assert w.fleet[0].leg is None
    assert w.fleet[0].road == 0
    assert max(t for t, _, _ in w.what("on")) < 2 * HOUR


def test_a_road_that_closes_is_left_out_and_legs_over_it_are_changed():
    w = Streets(SanitationDesk(), units=1).run(600)
    ahead = int(w.fleet[0].leg.roads[-1])
    w.close(ahead)
    w.run(3 * HOUR)  # the world refuses legs into closed roads by itself
    closed_on = [t for t, _, road in w.what("on") if road == ahead and t > 600 + 10]
    assert not closed_on
    assert set(w.swept_roads()) == w.reachable()
    w.close(ahead, closed=False)
    w.run(6 * HOUR)
    assert ahead in w.swept_roads(since=3 * HOUR)


def test_the_roads_of_a_broken_unit_go_to_the_other_and_it_works_again_when_repaired():
    w = Streets(SanitationDesk(), units=2, hours=((0, 4 * HOUR),)).run(600)
    w.breakdown(0)
    w.run(3 * HOUR)
    assert set(w.swept_roads()) == set(range(w.n))
    assert {u for t, u, _ in w.what("swept") if t > 700} == {FIRST_UNIT + 1}
    # what is dirty again is swept by both once the first is back
    w.repair(0)
    roads = np.arange(w.n)
    w.tell(DirtReports(w.now, "dirt/all", roads, np.full(w.n, 50.0), np.full(w.n, 50.0), "cleaner"))
    w.run(4 * HOUR)
    assert {u for t, u, _ in w.what("swept") if t > 3 * HOUR} == {FIRST_UNIT, FIRST_UNIT + 1}


def test_the_roads_of_a_silent_unit_go_to_the_other():
    w = Streets(SanitationDesk(), units=2, hours=((0, 4 * HOUR),)).run(600)
    w.fleet[0].silent = True
    w.run(4 * HOUR)
    told = {x for _, u, x in w.what("swept") if u == FIRST_UNIT + 1}
    assert set(w.swept_roads()) == set(range(w.n))
    # the desk cannot know what the silent one swept after it fell silent
    mute = {x for t, u, x in w.what("swept") if u == FIRST_UNIT and t > 660}
    assert mute <= told


def test_a_stop_of_the_supervision_is_kept_until_it_is_released():
    w = Streets(SanitationDesk(), units=1).run(600)
    w.tell(Instruction(w.now, "i/1", FIRST_UNIT, "stop", 0.0, "speeding"))
    w.fleet[0].state = HALTED
    w.run(600 + HOUR)
    later = [c for t, _, out in w.calls for c in out if t > 600 and hasattr(c, "unit")]
    assert later == []
    w.tell(Instruction(w.now, "i/2", FIRST_UNIT, "release", 0.0, "done"))
    w.step()
    assert any(isinstance(c, ResumeUnit) for c in w.calls[-1][2])


def test_a_unit_that_halted_by_itself_is_asked_to_go_on_and_help_is_sent():
    w = Streets(SanitationDesk(), units=1).run(600)
    u = w.fleet[0]
    u.state = HALTED
    w.report(u, "help", detail="blocked")
    w.report(u, "halted", detail="blocked")
    w.run(600 + 900)
    sent = [c for t, _, out in w.calls for c in out if t > 600]
    assert any(isinstance(c, AssistUnit) for c in sent)
    assert any(isinstance(c, ResumeUnit) for c in sent)
    assert w.swept_roads(since=1200)


def test_a_closed_tip_is_not_driven_to():
    w = Streets(SanitationDesk(), fill_l_m=0.3, units=1, hours=((0, 2 * HOUR),))
    w.tell(PlaceChanged(0, "tip/closed", "tip", "tip", False, 0))
    w.run(2 * HOUR)
    assert not [x for _, _, x in w.what("serviced") if x == "tip"]


def test_a_message_told_twice_has_one_effect_and_the_same_messages_give_the_same_commands():
    w = Streets(SanitationDesk(), hours=((0, HOUR),)).run(HOUR)
    again, double = SanitationDesk(), SanitationDesk()
    for now, messages, commands in w.calls:
        assert [encode(c) for c in again.decide(now, messages)] == [encode(c) for c in commands]
        assert [encode(c) for c in double.decide(now, [*messages, *messages])] == [encode(c) for c in commands]


def test_a_desk_made_anew_from_its_journal_goes_on_as_before():
    whole = Streets(SanitationDesk(DirtiestFirst), hours=((0, HOUR),)).run(HOUR)
    half = Streets(SanitationDesk(DirtiestFirst), hours=((0, HOUR),)).run(1500)
    crashed = SanitationDesk(DirtiestFirst)
    for now, messages, _ in half.calls:
        crashed.decide(now, [decode(encode(m)) for m in messages])
    half.desk = crashed
    half.run(HOUR)
    assert half.log == whole.log


def test_ten_lines_are_a_policy_and_a_wrong_answer_is_named():
    class NearestDue:
        def rounds(self, view):
            left, out = list(view.road[view.due]), []
            for unit, start in zip(view.unit, view.unit_road, strict=True):
                way = [start]
                while left and len(way) <= 10:
                    way.append(left.pop(int(np.argmin(view.transit_s(way[-1], left)[0]))))
                out.append(Round(int(unit), tuple(way[1:])))
            return out

    w = Streets(SanitationDesk(NearestDue()), hours=((0, 4 * HOUR),)).run(4 * HOUR)
    assert set(w.swept_roads()) == set(range(w.n))

    class Twice:
        def rounds(self, view):
            return [Round(int(view.unit[0]), (int(view.road[0]), int(view.road[0])))]

    with pytest.raises(ValueError, match=r"Twice gave road 0 to unit 800001 at 0 s; only roads of the view"):
        Streets(SanitationDesk(Twice)).run(60)

    class Nobody:
        def rounds(self, view):
            return [Round(7, ())]

    with pytest.raises(ValueError, match="Nobody gave unit 7 a round at 0 s; allowed, each once: 800001, 800002"):
        Streets(SanitationDesk(Nobody)).run(60)


def test_the_dirtiest_roads_are_swept_first():
    w = Streets(SanitationDesk(DirtiestFirst), units=1, fill_l_m=0.003, hours=((0, HOUR),))
    dirty = np.asarray([17, 33, 40])
    w.tell(DirtReports(0, "dirt/1", dirty, np.full(3, 200.0), np.full(3, 10.0), "cleaner"))
    w.run(HOUR)
    order = w.swept_roads()
    assert max(order.index(r) for r in dirty.tolist()) <= 6


def test_a_fixed_tour_is_the_same_in_every_shift():
    w = Streets(SanitationDesk(FixedTour), fill_l_m=0.01, units=2, hours=((0, 2 * HOUR), (3 * HOUR, 5 * HOUR)))
    w.run(6 * HOUR)

    def of(unit, since, until):
        return [x for t, u, x in w.what("swept") if u == unit and since <= t < until]

    for unit in (FIRST_UNIT, FIRST_UNIT + 1):
        assert of(unit, 0, 2 * HOUR) == of(unit, 3 * HOUR, 5 * HOUR) != []


troubles = st.lists(
    st.tuples(
        st.integers(1, 90), st.sampled_from(["break", "repair", "mute", "speak", "close", "open", "withdraw", "issue"]),
        st.integers(0, 1), st.integers(1, 47),
    ), max_size=8,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(troubles, st.sampled_from([Coverage, DirtiestFirst]))  # a fixed tour goes only once a shift
def test_whatever_happens_ways_hang_together_keys_are_new_and_all_is_swept_in_the_end(events, policy):
    """The world's own asserts look at every command; at the end, with everybody fit, the desk gets all clean."""
    w = Streets(SanitationDesk(policy), fill_l_m=0.02, hours=((0, 86_400),))
    w.decide()
    for minute, what, k, road in sorted(events):
        w.run(max(minute * 60, w.now))
        u = w.fleet[k]
        if what == "break" and u.state != 6:
            w.breakdown(k)
        elif what == "repair" and u.state == 6:
            w.repair(k)
        elif what in ("mute", "speak"):
            u.silent = what == "mute"
        elif what in ("close", "open"):
            w.close(road, what == "close")
        elif what == "withdraw":
            w.withdraw()
        elif what == "issue":
            w.tell(permit(f"permit/{w.now}/{w.told}", np.arange(w.n), t=w.now))
        w.told += 1
    for road in sorted(w.closed):
        w.close(road, closed=False)
    w.tell(permit("permit/last", np.arange(w.n), t=w.now))
    for k, u in enumerate(w.fleet):
        u.silent = False
        if u.state == 6:
            w.repair(k)
    w.tell(DirtReports(w.now, "last", np.arange(w.n), np.full(w.n, 80.0), np.full(w.n, 80.0), "cleaner"))
    since = w.now
    w.run(since + 5 * HOUR)
    assert set(w.swept_roads(since)) == set(range(w.n))
