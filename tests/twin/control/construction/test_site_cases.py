"""The loop of hazards: grade, check, rectify, re-check, close; deadlines and escalation. The desk alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.construction.made_projects import DAY_S, files, rules
from twin.control.construction.desk import ConstructionDesk
from twin.control.construction.hazards import grade_of
from twin.domain.commands import WakeAt
from twin.domain.construction import (
    ENDS,
    GRADES,
    CloseHazard,
    EscalateHazard,
    HazardTold,
    MoveProject,
    OrderRecheck,
    OrderRectification,
    OrderSiteCheck,
    ProjectStageTold,
    RecheckTold,
    RectificationTold,
)

LARGE = (3.0, 6.0, 10.0)  # 180
MAJOR = (6.0, 6.0, 15.0)  # 540
STEPS = ["tell", "unsee", "done", "pass", "fail", "wait"]


def desk() -> ConstructionDesk:
    d = ConstructionDesk()
    d.decide(0, [files(2), rules()])
    return d


def seen(t_s: int, end: str = "supervisor", scores: tuple = LARGE, project: int = 1, there: bool = True) -> HazardTold:
    return HazardTold(t_s, f"h/{t_s}/{end}/{project}", ENDS.index(end), project, 2, 7, there, *scores)


def real(commands: list) -> list:
    return [c for c in commands if not isinstance(c, WakeAt)]


@pytest.mark.parametrize(
    ("score", "grade"), [(70.0, "low"), (70.1, "general"), (160.1, "larger"), (320.0, "larger"), (320.1, "major")]
)
def test_grades_are_those_of_graham_and_kinney(score: float, grade: str) -> None:
    assert GRADES[grade_of(score, 1.0, 1.0)] == grade


def test_the_loop_closes_only_when_somebody_looked_again() -> None:
    d = desk()
    (order,) = real(d.decide(100, [seen(100)]))
    assert isinstance(order, OrderRectification)
    assert (order.grade, order.stop_work, order.due_s) == ("larger", False, 100 + DAY_S)
    assert not real(d.decide(150, [RecheckTold(150, "r0", order.case, True)]))  # nobody was asked to look yet
    (look,) = real(d.decide(200, [RectificationTold(200, "r1", order.case)]))
    assert isinstance(look, OrderRecheck)
    (again,) = real(d.decide(300, [RecheckTold(300, "r2", order.case, False)]))
    assert isinstance(again, OrderRectification)
    assert again.key != order.key
    d.decide(400, [RectificationTold(400, "r3", order.case)])
    (close,) = real(d.decide(500, [RecheckTold(500, "r4", order.case, True)]))
    assert isinstance(close, CloseHazard)
    assert close.outcome == "rectified"
    (new,) = real(d.decide(600, [seen(600)]))  # the same spot again is another case
    assert new.case != order.case


def test_what_only_a_device_saw_is_looked_at_first_unless_it_is_major() -> None:
    d = desk()
    (check,) = real(d.decide(100, [seen(100, "device")]))
    assert isinstance(check, OrderSiteCheck)
    (close,) = real(d.decide(200, [seen(200, "supervisor", there=False)]))
    assert isinstance(close, CloseHazard)
    assert close.outcome == "not there"
    (stop,) = real(d.decide(300, [seen(300, "device", MAJOR)]))
    assert isinstance(stop, OrderRectification)
    assert stop.stop_work


def test_who_sees_a_greater_risk_is_heard() -> None:
    d = desk()
    first = real(d.decide(100, [seen(100, "builder", (1.0, 3.0, 3.0))]))[0]
    second = real(d.decide(200, [seen(200, "supervisor", MAJOR)]))[0]
    assert (first.grade, second.grade, first.case == second.case) == ("low", "major", True)
    assert not real(d.decide(300, [seen(300, "device", LARGE)]))  # a lesser view changes nothing


def test_overdue_cases_go_up_step_by_step_and_no_further() -> None:
    d, out, t = desk(), [], 100
    wakes = [c.t_s for c in d.decide(t, [seen(t)]) if isinstance(c, WakeAt)]
    while wakes and t < 30 * DAY_S:
        t = min(w for w in wakes if w > t) if any(w > t for w in wakes) else 10**9
        if t == 10**9:
            break
        commands = d.decide(t, [])
        wakes += [c.t_s for c in commands if isinstance(c, WakeAt)]
        out += [c for c in commands if isinstance(c, EscalateHazard)]
    assert [(c.level, c.to) for c in out] == [(1, "street"), (2, "district")]


def test_files_move_forward_only() -> None:
    d = ConstructionDesk()
    d.decide(0, [files(1, library=0), rules()])
    stages = ["approved", "approved", "finished", "accepted", "approved"]
    out = []
    for i, stage in enumerate(stages):
        out += d.decide(i + 1, [ProjectStageTold(i + 1, f"s{i}", 1, stage)])
    assert [c.library for c in out if isinstance(c, MoveProject)] == ["current", "post"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["tell", "unsee", "done", "pass", "fail", "wait"]), st.integers(1, 2)), max_size=40
    )
)
def test_every_case_is_open_or_closed_once(steps: list) -> None:
    d, t, opened, closed = desk(), 0, set(), []
    for i, (what, project) in enumerate(steps):
        t += 40_000
        mine = sorted(c for c in opened - set(closed) if c.startswith(f"{project}/"))
        case = mine[0] if mine else "nowhere"
        message = {
            "tell": seen(t, "device" if i % 2 else "supervisor", project=project),
            "unsee": seen(t, "supervisor", project=project, there=False),
            "done": RectificationTold(t, f"m{i}", case),
            "pass": RecheckTold(t, f"m{i}", case, True),
            "fail": RecheckTold(t, f"m{i}", case, False),
        }.get(what)
        for c in d.decide(t, [message] if message is not None else []):
            if isinstance(c, OrderRectification | OrderSiteCheck):
                opened.add(c.case)
            if isinstance(c, CloseHazard):
                closed.append(c.case)
    assert len(closed) == len(set(closed))
    assert set(closed) <= opened
    assert set(d._hazards.open) == opened - set(closed)
