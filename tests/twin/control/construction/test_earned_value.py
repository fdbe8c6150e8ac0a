"""Earned value against its formulas; the desk's warnings, told by hand, without any world."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.construction.made_projects import BUDGET, DAY_S, DAYS, files, measured, rules, told
from twin.control.construction.desk import ConstructionDesk
from twin.control.construction.earned_value import CURVES, inverse_s_curve, rises, s_curve
from twin.control.construction.policies import PRIOR_MEAN, BehindPlan, EarnedSchedule
from twin.control.construction.ports import EarnedValueView
from twin.domain.construction import ClearProjectWarning, EstimateProgress, JudgeEnds, WarnProject
from twin.domain.wire import decode, encode


def curve(day: float, pace: float = 1.0) -> float:
    return float(s_curve(np.array([pace * (day + 1) / DAYS]), np.array([0.0]), np.array([5.0]))[0])


def test_the_s_curve_is_hudsons_formula() -> None:
    x, c, k = 0.3, 0.1, 4.2
    by_hand = x + c * x**2 - c * x - (6 * x**3 - 9 * x**2 + 3 * x) / k
    assert float(s_curve(np.array([x]), np.array([c]), np.array([k]))[0]) == pytest.approx(by_hand, abs=1e-12)
    assert all(rises(c, k) for c, k in CURVES)
    assert not rises(0.0, 1.0)


@given(st.floats(0.0, 1.0), st.sampled_from(CURVES))
def test_the_inverse_of_the_curve_is_its_inverse(x: float, ck: tuple[float, float]) -> None:
    c, k = np.array([ck[0]]), np.array([ck[1]])
    y = s_curve(np.array([x]), c, k)
    assert s_curve(inverse_s_curve(y, c, k), c, k)[0] == pytest.approx(y[0], abs=1e-7)


def view(elapsed: float, earned_days: float) -> EarnedValueView:
    one = np.ones(1)
    return EarnedValueView(
        day=int(elapsed) - 1, project=np.array([1]), kind=np.array([0]), elapsed_days=elapsed * one,
        planned_days=DAYS * one, budget_cny=one, planned_cny=0.5 * one, earned_cny=0.44 * one, actual_cny=one,
        earned_days=earned_days * one, spread=0 * one, warned=np.array([False]),
    )  # fmt: skip


def test_with_much_evidence_the_forecast_is_planned_days_over_spi_t() -> None:
    # Lipke: forecast duration = PD / SPI(t); after most of the time the prior hardly counts
    policy = EarnedSchedule()
    forecast = policy.look(view(190, 152)).forecast_day[0] + 1
    lipke = DAYS / (152 / 190)
    assert forecast == pytest.approx(lipke, rel=0.03)
    first = policy.look(view(1, 0.2)).forecast_day[0]  # one bad day: Lipke says five times as long, this a fifth
    assert DAYS / PRIOR_MEAN < first < 1.2 * DAYS


def test_the_plain_rule_is_ev_below_nine_tenths_of_pv() -> None:
    assert BehindPlan().look(view(100, 90)).late[0]  # 0.44 < 0.9 * 0.5
    assert not BehindPlan(share=0.13).look(view(100, 90)).late[0]


def run(pace: list[float], days: int, hold_days: int = 3, policy: object = None) -> list:
    """Let a desk hear of projects that go on at a pace, for some days; return all it says."""
    desk, out = ConstructionDesk(policy), []
    out += desk.decide(0, [files(len(pace)), rules(hold_days)])
    for day in range(days):
        progress = [curve(day, p) for p in pace]
        cost = [BUDGET * v for v in progress]
        out += desk.decide(day * DAY_S + 66_600, [told(day, progress, cost=cost)])
        if day % 30 == 29:
            out += desk.decide(day * DAY_S + 68_460, [measured(day, progress, cost)])
        out += desk.decide(day * DAY_S + 72_000, [])
    return out


def test_who_is_on_plan_is_never_warned_of_and_who_creeps_is_in_time() -> None:
    out = run([1.0, 0.7], 120)
    warned = [c for c in out if isinstance(c, WarnProject) and c.warning == "schedule"]
    assert [c.project for c in warned] == [2]
    assert warned[0].forecast_day > DAYS * 1.1
    last = [c for c in out if isinstance(c, EstimateProgress)][-1]
    assert last.spi[0] == pytest.approx(1.0, abs=0.02)
    assert last.cpi[0] == pytest.approx(1.0, abs=0.02)
    assert last.spi_t[1] == pytest.approx(0.7, abs=0.03)


def test_a_warning_needs_its_days_in_a_row() -> None:
    class OddDays:
        def look(self, v):
            from twin.control.construction.ports import Outlook

            return Outlook(np.full(v.project.size, -1), np.full(v.project.size, v.day % 2 == 1))

    assert not [c for c in run([1.0], 30, hold_days=2, policy=OddDays()) if isinstance(c, WarnProject)]
    assert [c for c in run([1.0], 30, hold_days=1, policy=OddDays()) if isinstance(c, ClearProjectWarning)]


def test_the_desk_is_a_fold_and_messages_told_twice_count_once() -> None:
    def say(twice: bool) -> list:
        desk, out = ConstructionDesk(), []
        for day in range(-1, 40):
            if day < 0:
                messages = [files(2), rules()]
            else:
                p = [curve(day), curve(day, 0.6)]
                messages = [told(day, p, cost=[BUDGET * v for v in p])]
                messages += [measured(day, p, [BUDGET * v for v in p])] if day == 20 else []
            again = [decode(encode(m)) for m in messages]
            out += desk.decide(max(day, 0) * DAY_S + 66_600 * (day >= 0), messages + (again if twice else []))
            out += desk.decide(max(day, 0) * DAY_S + 72_000, [])
        return [json.dumps(encode(c)) for c in out]

    once = say(False)
    assert once == say(True) == say(False)
    commands = [json.loads(c) for c in once]
    keys = [c["key"] for c in commands if c["type"] != "WakeAt"]
    assert len(keys) == len(set(keys))
    assert {"JudgeEnds", "WarnProject", "EstimateProgress"} <= {c["type"] for c in commands}


def test_nobody_is_warned_of_before_anything_was_told() -> None:
    desk = ConstructionDesk()
    out = desk.decide(0, [files(3, start=-100), rules(first_day=-1)])
    out += desk.decide(72_000, [])
    assert not [c for c in out if isinstance(c, WarnProject | EstimateProgress)]


@settings(max_examples=10, deadline=None)
@given(st.floats(0.02, 0.15), st.floats(0.4, 0.9))
def test_an_end_that_always_paints_it_rosy_is_corrected(bias: float, pace: float) -> None:
    desk, judged = ConstructionDesk(), []
    desk.decide(0, [files(30), rules()])
    for day in range(120):
        truth = [curve(day, pace + 0.005 * i) for i in range(30)]
        rosy = [min(v + bias, 1.0) for v in truth]
        desk.decide(day * DAY_S + 66_600, [told(day, rosy)])
        if day % 30 == 29:
            out = desk.decide(day * DAY_S + 68_460, [measured(day, truth, [BUDGET * v for v in truth])])
            judged += [c for c in out if isinstance(c, JudgeEnds)]
    last = judged[-1]
    assert np.abs(last.builder_error).mean() > 0.8 * min(bias, 0.1)
    assert np.abs(last.desk_error).mean() < 0.5 * np.abs(last.builder_error).mean()
