"""The incident desk alone: levels, dispatch, re-dispatch, merging, verification, clocks; no simulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.twin.control.city_brain.incident_town import (
    TOWN,
    Conduct,
    Play,
    Unit,
    areas,
    grid_map,
    of,
    report,
    roster,
    rules,
    set_up,
    sign,
    targets,
    themes,
    told,
)
from twin.control.city_brain.incidents.desk import IncidentDesk
from twin.control.city_brain.incidents.policies import NearestFree, OptimalAssignment, SeverityFirst
from twin.control.city_brain.incidents.ports import Assignment, DispatchView
from twin.control.mobility.streets import Streets
from twin.domain.incidents import (
    AskLook,
    CloseIncident,
    DispatchResponder,
    EscalateIncident,
    JoinSign,
    LookResult,
    OpenIncident,
    RecallResponder,
    ReopenIncident,
    SetIncident,
    SignChanged,
    StartClock,
    TakeOn,
)
from twin.domain.mobility import TravelTimes


def a_desk(units=TOWN, **changes) -> IncidentDesk:
    desk = IncidentDesk()
    told(desk, 0, *set_up(units, **changes))
    return desk


def number(order: DispatchResponder) -> int:
    return order.unit % 100_000


def to_handled(desk: IncidentDesk, commands, t_s: int = 100):
    """Let whoever was sent say that it is done; return the order and what the desk answers."""
    (order,) = of(commands, DispatchResponder)
    for what in ("accepted", "departed", "arrived"):
        told(desk, t_s, report(order, what, t_s))
    return order, told(desk, t_s + 300, report(order, "handled", t_s + 300))


# -- levels (F1) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theme", "severity", "level", "area"),
    [
        ("straw", "", "grid", "g0"),
        ("other", "", "community", "c0"),
        ("bikes", "", "subdistrict", "s0"),
        ("fire", "", "district", "d"),
        ("straw", "Severe", "subdistrict", "s0"),
        ("straw", "Extreme", "district", "d"),
    ],
)
def test_an_incident_is_created_at_the_level_of_its_theme_and_severity(theme, severity, level, area):
    (opened,) = of(told(a_desk(), 10, sign("1", theme, severity=severity)), OpenIncident)
    assert (opened.level, opened.area) == (level, area)


def test_it_is_handled_there_by_those_of_the_area_and_below():
    commands = told(a_desk(), 10, sign("1", "straw", x_m=250.0))
    (order,) = of(commands, DispatchResponder)
    assert number(order) == 1  # the worker of grid g0, not the nearer staff of another area
    (order,) = of(told(a_desk(), 10, sign("1", "bikes", x_m=240.0)), DispatchResponder)
    assert number(order) == 1  # a subdistrict's incident is dispatched down to whoever is nearest in it


def test_where_nobody_could_do_it_it_goes_up_at_once():
    commands = told(a_desk(), 10, sign("1", "straw", x_m=1250.0))  # grid g2 has no worker, community c2 has
    (raised,) = of(commands, EscalateIncident)
    assert (raised.from_level, raised.level, raised.area) == ("grid", "community", "c2")
    assert number(of(commands, DispatchResponder)[0]) == 4


# -- clocks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("early_s", [0, 1])
def test_a_clock_runs_out_at_its_second_and_not_before(early_s):
    desk = a_desk(units=(TOWN[6],), answer_s=5000)  # a fire engine that says nothing
    (clock,) = of(told(desk, 10, sign("1", "fire")), StartClock)
    assert (clock.phase, clock.due_s) == ("assign", 130)
    raised = of(told(desk, 130 - early_s), EscalateIncident)
    assert len(raised) == 1 - early_s


def test_each_phase_has_its_clock_and_going_up_starts_it_anew():
    desk = a_desk(late_s=5000)
    commands = told(desk, 10, sign("1", "straw"))
    (order,) = of(commands, DispatchResponder)
    (clock,) = of(told(desk, 20, report(order, "accepted", 20)), StartClock)
    assert (clock.phase, clock.due_s) == ("arrive", 620)
    commands = told(desk, 620)
    assert [(e.phase, e.level) for e in of(commands, EscalateIncident)] == [("arrive", "community")]
    assert [(c.phase, c.level, c.due_s) for c in of(commands, StartClock)] == [("arrive", "community", 1220)]
    (clock,) = of(told(desk, 700, report(order, "arrived", 700)), StartClock)
    assert (clock.phase, clock.due_s) == ("handle", 2500)


def test_without_escalation_nothing_goes_up():
    desk = a_desk(units=(TOWN[6],), escalate=False)
    told(desk, 10, sign("1", "straw"))
    assert not of(told(desk, 5000), EscalateIncident)


# -- who goes ---------------------------------------------------------------------------------------------------


def test_the_nearest_by_the_network_times_of_the_moment_goes():
    """A jam on the way of the one who is nearest, and on no road of the other's, sends the other."""
    street_map, places = grid_map(4, 400.0)
    streets = Streets()
    streets.take(street_map)
    goal = 20
    time_s = streets.times_to(goal)
    roads = [r for r in np.argsort(time_s, kind="stable").tolist() if r != goal]
    ways = {r: set(streets.way(r, goal).tolist()[1:-1]) for r in roads}
    apart = (
        (a, b) for a in roads for b in roads if ways[a] and time_s[b] > time_s[a] and not (ways[a] | {a}) & ways[b]
    )
    near, far = next(apart)
    units = [
        Unit(k, "fire+inspect", 3, "d", float(places.x_m[r]), float(places.y_m[r]), speed_m_s=0.0, road=r)
        for k, r in ((1, near), (2, far))
    ]
    spot = sign("1", "fire", x_m=float(places.x_m[goal]), y_m=float(places.y_m[goal]))
    sent = []
    for jam_s in (40.0, 4000.0):
        desk = IncidentDesk()
        jam = np.full(street_map.road.size, 40.0)
        jam[sorted(ways[near])] = jam_s
        told(desk, 0, *set_up(units), street_map, places, TravelTimes(0, "times", jam))
        (order,) = of(told(desk, 10, spot), DispatchResponder)
        sent.append((number(order), order.expected_s))
    assert sent == [(1, round(float(time_s[near]))), (2, round(float(time_s[far])))]


def test_who_is_silent_is_passed_over_and_another_goes():
    desk = a_desk(answer_s=60)
    (first,) = of(told(desk, 10, sign("1", "fire", x_m=250.0)), DispatchResponder)
    commands = told(desk, 70)
    (second,) = of(commands, DispatchResponder)
    assert {number(first), number(second)} == {7, 8}
    assert of(commands, RecallResponder)[0].ticket == first.key


def test_who_refuses_fails_or_is_late_is_replaced():
    for what, t_s in (("refused", 20), ("failed", 40)):
        desk = a_desk()
        (first,) = of(told(desk, 10, sign("1", "fire", x_m=250.0)), DispatchResponder)
        if what == "failed":
            told(desk, 20, report(first, "accepted", 20))
        (second,) = of(told(desk, t_s, report(first, what, t_s)), DispatchResponder)
        assert second.unit != first.unit
    desk = a_desk(late_factor=2.0, late_s=60)
    (first,) = of(told(desk, 10, sign("1", "fire", x_m=250.0)), DispatchResponder)
    told(desk, 20, report(first, "accepted", 20), report(first, "departed", 20))
    late_s = 10 + 2 * first.expected_s + 60
    assert not of(told(desk, late_s - 2), DispatchResponder)
    (second,) = of(told(desk, late_s + 2), DispatchResponder)
    assert second.unit != first.unit


def test_without_redispatch_it_waits_until_a_clock_takes_it_up():
    desk = a_desk(redispatch=False)
    (first,) = of(told(desk, 10, sign("1", "fire", x_m=250.0)), DispatchResponder)
    assert not of(told(desk, 20, report(first, "refused", 20)), DispatchResponder)
    commands = told(desk, 130)
    assert of(commands, EscalateIncident)
    (second,) = of(commands, DispatchResponder)
    assert second.unit != first.unit


def test_who_lacks_a_skill_is_followed_by_somebody_who_has_it_from_above():
    desk = a_desk()
    (first,) = of(told(desk, 10, sign("1", "straw")), DispatchResponder)
    told(desk, 20, report(first, "accepted", 20))
    told(desk, 100, report(first, "arrived", 100))
    commands = told(desk, 160, report(first, "cannot", 160, "fire"))
    assert of(commands, EscalateIncident)[-1].level == "district"
    assert number(of(commands, DispatchResponder)[0]) == 7


def view(severity, waiting, travel):
    n, m = np.shape(travel)
    return DispatchView(
        100, tuple(f"inc-{k}" for k in range(n)), ("handle",) * n, np.array(severity), np.array(waiting),
        np.arange(1, m + 1), np.array(travel, dtype=float),
    )  # fmt: skip


def test_policies_differ_as_they_should():
    # task 0: minor and old, task 1: extreme and new; unit 1 is near both, unit 2 can only do task 0
    case = view([0, 3], [500, 1], [[10, 60], [20, np.inf]])
    assert list(NearestFree().assign(case)) == [Assignment(0, 1)]
    assert list(SeverityFirst().assign(case)) == [Assignment(1, 1), Assignment(0, 2)]
    assert sorted(OptimalAssignment().assign(case), key=lambda a: a.row) == [Assignment(0, 2), Assignment(1, 1)]


def test_the_optimal_assignment_is_the_best_of_all():
    """Against all permutations: Σ weight × travel is least."""
    from itertools import permutations

    from twin.control.city_brain.incidents.policies import WEIGHTS

    draw = np.random.default_rng(3)
    for _ in range(20):
        travel, severity = draw.uniform(10, 900, (4, 5)), draw.integers(0, 4, 4)
        chosen = OptimalAssignment().assign(view(severity, np.zeros(4), travel))
        cost = sum(WEIGHTS[severity[a.row]] * travel[a.row, a.unit - 1] for a in chosen)
        best = min(sum(WEIGHTS[severity[r]] * travel[r, c] for r, c in enumerate(p)) for p in permutations(range(5), 4))
        assert cost == pytest.approx(best)


def test_a_policy_that_breaks_its_contract_is_told_who_what_when():
    class Wild:
        def assign(self, _):
            return [Assignment(0, 77)]

    desk = IncidentDesk(Wild())
    told(desk, 0, *set_up())
    with pytest.raises(ValueError, match=r"Wild sent unit 77 to task 0 at 10 s; allowed: tasks 0 to 0"):
        told(desk, 10, sign("1"))


# -- merging ----------------------------------------------------------------------------------------------------


def test_signs_of_one_truth_become_one_incident():
    desk = a_desk()
    told(desk, 10, sign("1", "straw", x_m=250.0))
    commands = told(desk, 60, sign("2", "straw", x_m=300.0, t_s=60, source="alert"))
    assert not of(commands, OpenIncident)
    assert of(commands, JoinSign)[0].incident == "inc-1"


@pytest.mark.parametrize(
    "other",
    [
        sign("2", "straw", x_m=380.0, t_s=60),  # 130 m off, 100 is allowed
        sign("2", "bikes", x_m=250.0, t_s=60),  # another theme
        sign("2", "straw", x_m=250.0, t_s=60, seen_s=-5000),  # long before
    ],
)
def test_signs_far_off_in_space_time_or_theme_do_not(other):
    desk = a_desk()
    told(desk, 10, sign("1", "straw", x_m=250.0))
    assert len(of(told(desk, 60, other), OpenIncident)) == 1


def test_without_merging_every_sign_is_an_incident():
    desk = a_desk(merge=False)
    told(desk, 10, sign("1"))
    assert len(of(told(desk, 60, sign("2")), OpenIncident)) == 1


def test_a_worse_sign_makes_the_incident_worse_and_takes_it_up():
    desk = a_desk()
    told(desk, 10, sign("1", "straw"))
    commands = told(desk, 30, sign("2", "straw", severity="Extreme", t_s=30))
    assert of(commands, JoinSign)[0].severity == "Extreme"
    assert of(commands, EscalateIncident)[-1].level == "district"


def test_its_sources_hear_that_somebody_comes():
    desk = a_desk()
    (order,) = of(told(desk, 10, sign("1", source="alert")), DispatchResponder)
    commands = told(desk, 20, report(order, "accepted", 20))
    assert [(c.source, c.ref) for c in of(commands, TakeOn)] == [("alert", "1")]
    assert [(c.source, c.ref) for c in of(told(desk, 30, sign("2")), TakeOn)] == [("report", "2")]


# -- verification (F2, F11) -----------------------------------------------------------------------------------------


def test_closed_is_not_fixed_somebody_else_must_look():
    desk = a_desk()
    _, commands = to_handled(desk, told(desk, 10, sign("1")))
    assert not of(commands, CloseIncident)
    (ask,) = of(commands, AskLook)
    commands = told(desk, 450, LookResult(450, "l", "inc-1", ask.key, "gone", "operator-1"))
    assert [c.state for c in of(commands, SetIncident)] == ["verified"]
    assert [(c.outcome, c.by) for c in of(commands, CloseIncident)] == [("handled", "operator-1")]


def test_the_handlers_own_word_verifies_nothing():
    desk = a_desk()
    order, commands = to_handled(desk, told(desk, 10, sign("1")))
    (ask,) = of(commands, AskLook)
    commands = told(desk, 450, LookResult(450, "l", "inc-1", ask.key, "gone", f"responder-{number(order)}"))
    assert not of(commands, CloseIncident)
    (check,) = of(commands, DispatchResponder)
    assert check.purpose == "verify"
    assert check.unit != order.unit


def test_what_is_still_there_is_open_again_and_handled_again():
    desk = a_desk()
    _, commands = to_handled(desk, told(desk, 10, sign("1")))
    (ask,) = of(commands, AskLook)
    commands = told(desk, 450, LookResult(450, "l", "inc-1", ask.key, "there", "operator-1"))
    assert of(commands, ReopenIncident)[0].was == "handled"
    assert of(commands, DispatchResponder)[0].purpose == "handle"


def test_where_nobody_can_see_another_goes_and_looks():
    desk = a_desk()
    order, commands = to_handled(desk, told(desk, 10, sign("1")))
    (check,) = of(told(desk, 400 + 120), DispatchResponder)  # no answer to the look within look_s
    assert check.purpose == "verify"
    assert check.unit != order.unit
    told(desk, 530, report(check, "accepted", 530))
    commands = told(desk, 700, report(check, "arrived", 700), report(check, "fixed", 700))
    assert of(commands, CloseIncident)[0].by == f"responder-{number(check)}"


def test_a_sensor_that_no_longer_sees_it_verifies_what_was_handled_but_handles_nothing():
    change = SignChanged(30, "c", "alert", "a", "ended", "drowning{cam-1}", "")
    desk = a_desk()
    first = told(desk, 10, sign("a", source="alert"))
    commands = told(desk, 30, change)
    assert not of(commands, CloseIncident)
    (ask,) = of(commands, AskLook)
    told(desk, 50, LookResult(50, "l", "inc-1", ask.key, "cannot see", "operator-1"))
    to_handled(desk, first)
    commands = told(desk, 500, replace(change, key="c2"))
    assert [(c.outcome, c.by) for c in of(commands, CloseIncident)] == [("handled", "drowning{cam-1}")]


def test_what_comes_back_is_opened_again_within_its_time():
    for after_s, opened in ((1000, 0), (4000, 1)):
        desk = a_desk(reopen_s=3600)
        _, commands = to_handled(desk, told(desk, 10, sign("1")))
        (ask,) = of(commands, AskLook)
        told(desk, 450, LookResult(450, "l", "inc-1", ask.key, "gone", "operator-1"))
        t_s = 450 + after_s
        commands = told(desk, t_s, sign("2", t_s=t_s))
        assert len(of(commands, OpenIncident)) == opened
        assert len(of(commands, ReopenIncident)) == 1 - opened


def test_without_verification_it_is_closed_on_the_handlers_word():
    desk = a_desk(verify=False)
    _, commands = to_handled(desk, told(desk, 10, sign("1")))
    assert [c.by for c in of(commands, CloseIncident)] == [""]


# -- confirmation (F10) ---------------------------------------------------------------------------------------------


def test_a_machine_is_looked_after_before_anybody_is_sent():
    desk = a_desk(confirm=True)
    commands = told(desk, 10, sign("1", source="alert"))
    assert not of(commands, DispatchResponder)
    (ask,) = of(commands, AskLook)
    commands = told(desk, 40, LookResult(40, "l", "inc-1", ask.key, "there", "operator-1"))
    assert len(of(commands, DispatchResponder)) == 1


def test_a_false_alarm_ends_with_the_look_and_calls_back_whoever_is_on_the_way():
    desk = a_desk(confirm=True)
    commands = told(desk, 10, sign("1", "fire", source="alert"))
    (order,), (ask,) = of(commands, DispatchResponder), of(commands, AskLook)  # severe: both at once
    commands = told(desk, 40, LookResult(40, "l", "inc-1", ask.key, "gone", "operator-1"))
    assert of(commands, RecallResponder)[0].ticket == order.key
    assert of(commands, CloseIncident)[0].outcome == "false alarm"


def test_no_answer_means_that_somebody_goes_and_people_are_believed():
    desk = a_desk(confirm=True)
    told(desk, 10, sign("1", source="alert"))
    assert len(of(told(desk, 130), DispatchResponder)) == 1
    assert len(of(told(a_desk(confirm=True), 10, sign("1", source="report")), DispatchResponder)) == 1


def test_two_who_see_the_same_need_no_look():
    desk = a_desk(confirm=True)
    told(desk, 10, sign("1", source="alert"))
    assert len(of(told(desk, 20, sign("2", source="report", t_s=20)), DispatchResponder)) == 1


# -- the post -------------------------------------------------------------------------------------------------------


def test_the_same_again_has_no_effect():
    desk = a_desk()
    first = told(desk, 10, sign("1"))
    assert told(desk, 11, sign("1")) == []
    assert not of(told(desk, 12, replace(sign("1"), key="another key")), OpenIncident)
    (order,) = of(first, DispatchResponder)
    accepted = report(order, "accepted", 20)
    told(desk, 20, accepted)
    assert told(desk, 21, accepted) == []


def test_reports_in_any_order_lead_to_the_same_state():
    from itertools import permutations

    for order_of in permutations(("accepted", "departed", "arrived", "handled")):
        desk = a_desk()
        (order,) = of(told(desk, 10, sign("1")), DispatchResponder)
        for k, what in enumerate(order_of):
            told(desk, 20 + k, report(order, what, 20 + k))
        assert desk.incidents[0].state == 4, order_of  # handled


def test_a_change_before_its_sign_meets_it_and_signs_before_the_city_are_kept():
    desk = IncidentDesk()
    assert told(desk, 0, sign("1", "fire", source="alert"), areas(), themes()) == []
    assert told(desk, 1, SignChanged(1, "c", "alert", "1", "rejected", "operator-2", "")) == []
    commands = told(desk, 5, targets(), rules(), roster(TOWN))
    assert len(of(commands, OpenIncident)) == 1
    assert [(c.outcome, c.by) for c in of(commands, CloseIncident)] == [("false alarm", "operator-2")]


def test_a_whole_case_in_a_good_world_takes_one_of_each():
    play = Play()
    play.mail(10, sign("1", "fire"))
    play.run(4000)
    assert [c.outcome for _, c in play.commands(CloseIncident)] == ["handled"]
    assert len(play.commands(DispatchResponder)) == 1
    assert not play.commands(EscalateIncident)
    assert play.unsound(4000) == []


def test_botched_work_is_found_out():
    play = Play(seed=1, conduct=Conduct(botch=0.7))
    for k in range(6):
        play.mail(10 + 900 * k, sign(str(k), "fire", x_m=100.0 + 300 * k))
    play.run(40_000)
    assert play.commands(ReopenIncident)
    assert len(play.commands(CloseIncident)) >= 6
    assert not any(play.true_until.values())
