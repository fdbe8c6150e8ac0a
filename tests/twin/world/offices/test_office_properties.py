"""What holds whatever happens in the offices: nothing lost, one task at a time, nobody works outside the hours."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.control.services.catalogue.generate import generated
from twin.control.services.desk import ServiceDesk
from twin.control.services.levers import BEFORE, LEVERS, TODAY, Levers
from twin.control.services.policies import FirstCome, ShortestFirst
from twin.domain.services import ApplicantCame, CasesFiled, ResultTaken, TasksDone, TaskStopped, TasksWorked
from twin.errors import ControlError
from twin.events import CaseConcluded, CaseFiled, CaseOpen, MatterBegan, MatterEnded, MatterOpen, TaskBegan, TaskEnded
from twin.world.offices.months import Months, run
from twin.world.offices.people import plenty, staff
from twin.world.offices.settings import Behaviour, Demand, Offices

TROUBLE = Behaviour(away_per_year=60.0, outages_per_year=60.0, flaw=0.15, refuse=0.1, appeal=0.5)
BUSY = Demand(per_day=60.0)
FEW = Offices(windows=14, reviewers=1, online=2)


def accounted(ran, cases_open: int | None = None) -> None:
    """Every case and matter that began either ended or is said to be open; none does twice."""
    log = ran.log
    filed = log.table(CaseFiled).to_pydict()["case_no"]
    ended = log.table(CaseConcluded).to_pydict()["case_no"] + log.table(CaseOpen).to_pydict()["case_no"]
    assert sorted(filed) == sorted(ended)
    began = log.table(MatterBegan).to_pydict()["matter_no"]
    over = log.table(MatterEnded).to_pydict()["matter_no"] + log.table(MatterOpen).to_pydict()["matter_no"]
    assert sorted(began) == sorted(over)
    if cases_open is not None:
        assert log.table(CaseOpen).num_rows == cases_open


def one_at_a_time_within_hours(ran, people) -> None:
    """No officer has two tasks at once, begins outside the calendar, or works more seconds than it is open."""
    calendar = {o: people.calendars[c] for o, c in zip(people.officer, people.calendar, strict=True)}
    began = {(r["case_no"], r["step"], r["officer"]): [] for r in ran.log.table(TaskBegan).to_pylist()}
    for r in ran.log.table(TaskBegan).to_pylist():
        assert calendar[r["officer"]].open(r["t_s"])
        began[r["case_no"], r["step"], r["officer"]].append(r["t_s"])
    spans: dict[int, list[tuple[int, int]]] = {}
    for r in ran.log.table(TaskEnded).to_pylist():
        start = began[r["case_no"], r["step"], r["officer"]].pop(0)
        spans.setdefault(r["officer"], []).append((start, r["t_s"]))
        assert r["worked_s"] == calendar[r["officer"]].between(start, r["t_s"])
    for rows in spans.values():
        rows.sort()
        assert all(a[1] <= b[0] for a, b in pairwise(rows))


@given(
    st.integers(1, 10_000),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.sampled_from([ServiceDesk, lambda: ServiceDesk(FirstCome()), lambda: ServiceDesk(ShortestFirst())]),
)
@settings(max_examples=8, deadline=None)
def test_nothing_is_lost_and_nobody_works_two_tasks_or_overtime(seed, on, desk) -> None:
    levers = Levers(*on)
    people = staff(generated(), FEW, levers, 0)
    m = Months(levers=levers, matters=60, behaviour=TROUBLE, demand=BUSY, offices=FEW)
    ran = run(m, seed, desk=desk, people=people)
    accounted(ran, cases_open=0)
    one_at_a_time_within_hours(ran, people)


def test_a_run_that_is_cut_off_accounts_for_what_is_open() -> None:
    ran = run(Months(matters=300, days=4))
    accounted(ran)
    assert ran.log.table(CaseOpen).num_rows > 0


REPORTS = (TasksWorked, TasksDone, TaskStopped, ApplicantCame, ResultTaken)


@pytest.mark.parametrize("every", [7, 3])
def test_messages_that_are_lost_lose_no_case(every: int) -> None:
    """Every k-th report of officers and applicants never comes: the desk asks, and each case ends all the same."""
    told = lost = 0

    def through(message):
        nonlocal told, lost
        if isinstance(message, REPORTS) and not message.key.startswith("again/"):
            told += 1
            if told % every == 0:
                lost += 1
                return None
        return message

    ran = run(Months(matters=60, ask_days=3, behaviour=replace(Behaviour(), circulate=0.05)), 5, through=through)
    assert lost > 30
    accounted(ran, cases_open=0)


def test_messages_that_come_twice_change_nothing() -> None:
    once = run(Months(matters=40), 2)

    def desk():
        inner = ServiceDesk()

        class Twice:
            def decide(self, now_s, messages):
                return inner.decide(now_s, [m for message in messages for m in (message, message)])

        return Twice()

    assert run(Months(matters=40), 2, desk=desk).digest == once.digest


def test_the_same_seed_gives_the_same_log_and_another_one_another() -> None:
    assert run(Months(matters=50), 1).digest == run(Months(matters=50), 1).digest
    assert run(Months(matters=50), 1).digest != run(Months(matters=50), 2).digest


def test_more_matters_change_nothing_of_the_draws_of_the_others() -> None:
    """Matter k has the same need and the same papers whoever comes after it."""
    few, many = (run(Months(matters=n, levers=BEFORE), 1).log for n in (40, 80))
    kept = {r["case_no"]: (r["item"], r["handed_in"]) for r in many.table(CaseFiled).to_pylist()}
    for r in few.table(CaseFiled).to_pylist():
        assert kept.get(r["case_no"]) == (r["item"], r["handed_in"])


def test_an_overworked_officer_is_refused() -> None:
    class Careless:
        """Gives everything to everybody, again and again."""

        def __init__(self):
            self.desk = ServiceDesk()

        def decide(self, now_s, messages):
            out = list(self.desk.decide(now_s, messages))
            for m in messages:
                if isinstance(m, CasesFiled):
                    from twin.domain.services import BeginTask

                    out += [BeginTask(f"x/{m.key}/{k}", m.case[0], 0, 1000) for k in range(2)]
            return out

    with pytest.raises(ControlError, match=r"an officer has one task at a time|outside working hours"):
        run(Months(matters=20), desk=Careless)


# -- levers, case by case --------------------------------------------------------------------------------

#: applicants who are not refused, do not give up, and get paper without the post: see docs/services.md for why
STEADY = replace(Behaviour(), refuse=0.0, withdraw=0.0, away_per_year=0.0, outages_per_year=0.0)


def durations(levers: Levers, seed: int, behaviour: Behaviour) -> dict[int, int]:
    people = plenty(generated(), 15, 12)
    m = Months(levers=levers, matters=12, behaviour=behaviour, demand=Demand(per_day=30, scene=0.5), learn=False)
    ran = run(m, seed, people=people)
    ended = ran.log.table(MatterEnded).to_pydict()
    waits = ran.log.table(TaskBegan).to_pylist()
    assert all(r["waited_s"] == 0 or not _open_before(people, r) for r in waits if r["task"] == "check")
    return dict(zip(ended["matter_no"], ended["duration_s"], strict=True))


def _open_before(people, row) -> bool:
    """Whether the office was open during the whole wait: then somebody waited for somebody."""
    c = people.calendars[0]
    return c.between(row["t_s"] - row["waited_s"], row["t_s"]) > 0


@given(
    st.integers(1, 10_000),
    st.sampled_from(LEVERS),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
@settings(max_examples=8, deadline=None)
def test_a_lever_never_makes_a_matter_longer_where_nobody_queues(seed, lever, on) -> None:
    """Same draws, officers enough: with the lever every single matter ends no later than without it."""
    without = Levers(*on).but(**{lever: False})
    behaviour = replace(STEADY, flaw=0.0, post_days=0.0) if lever == "scenes" else STEADY
    before, after = (durations(without.but(**{lever: v}), seed, behaviour) for v in (False, True))
    assert before.keys() == after.keys()
    longer = {k: (before[k], after[k]) for k in before if after[k] > before[k]}
    assert not longer


def test_all_levers_together_help_nearly_everybody() -> None:
    before, after = (durations(v, 4, STEADY) for v in (BEFORE, TODAY))
    faster = np.mean([after[k] < before[k] for k in before])
    assert faster > 0.9
