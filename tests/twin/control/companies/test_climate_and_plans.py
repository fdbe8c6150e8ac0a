"""The climate desk and the plans desk, alone."""

from __future__ import annotations

import numpy as np

from tests.twin.control.companies.made_companies import DAY_S, calendar
from twin.control.companies.calendar import Calendar
from twin.control.companies.climate import ESCALATE_TO, ClimateDesk
from twin.control.companies.plans import PLAN, PlansDesk
from twin.domain.commands import WakeAt
from twin.domain.companies import (
    COMPANY_STAGES,
    THEMES,
    AssignClimate,
    CheckClimate,
    ClimateAnswerTold,
    ClimateCheckTold,
    ClimateIssueTold,
    CloseClimate,
    CompanyRecords,
    EscalateClimate,
    LoanAnswered,
    LoanRepaid,
    LoanWished,
    MakePlans,
    OfferLoan,
    SendExperts,
    StationsTold,
)

TEN = 10 * 3600


def real(commands: list) -> list:
    return [c for c in commands if not isinstance(c, WakeAt)]


def test_find_assign_rectify_look_again_close() -> None:
    d = ClimateDesk()
    d.decide(0, [calendar()])
    (order,) = real(d.decide(TEN, [ClimateIssueTold(TEN, "a", 1, "hall", "point-1")]))
    assert isinstance(order, AssignClimate)
    assert Calendar().open(order.due_s - 1)
    assert not real(d.decide(TEN + 1, [ClimateIssueTold(TEN, "b", 1, "hall", "supervisor-2")]))  # the same matter
    (look,) = real(d.decide(TEN + 60, [ClimateAnswerTold(TEN + 60, "c", order.matter)]))
    assert isinstance(look, CheckClimate)
    (again,) = real(d.decide(TEN + 120, [ClimateCheckTold(TEN + 120, "d", order.matter, False)]))
    assert isinstance(again, AssignClimate)
    assert again.key != order.key
    d.decide(TEN + 180, [ClimateAnswerTold(TEN + 180, "e", order.matter)])
    (close,) = real(d.decide(TEN + 240, [ClimateCheckTold(TEN + 240, "f", order.matter, True)]))
    assert isinstance(close, CloseClimate)


def test_nothing_is_decided_outside_the_calendar() -> None:
    d = ClimateDesk()
    saturday = 5 * DAY_S + TEN
    out = d.decide(saturday, [calendar(), ClimateIssueTold(saturday, "a", 0, "hall", "point-1")])
    assert not real(out)
    (wake,) = [c.t_s for c in out if isinstance(c, WakeAt)]
    assert wake == 7 * DAY_S + 9 * 3600  # Monday at the opening
    assert isinstance(real(d.decide(wake, []))[0], AssignClimate)


def test_an_overdue_matter_goes_up_in_office_hours() -> None:
    d, t, said = ClimateDesk(), TEN, []
    wakes = [
        c.t_s for c in d.decide(t, [calendar(), ClimateIssueTold(t, "a", 0, "hall", "p")]) if isinstance(c, WakeAt)
    ]
    for _ in range(12):
        later = [w for w in wakes if w > t]
        if not later:
            break
        t = min(later)
        commands = d.decide(t, [])
        wakes += [c.t_s for c in commands if isinstance(c, WakeAt)]
        said += [(t, c.to) for c in commands if isinstance(c, EscalateClimate)]
    assert [to for _, to in said] == list(ESCALATE_TO)
    assert all(Calendar().open(t) for t, _ in said)


def firms(n: int, industry: str = "aviation", key: str = "r") -> CompanyRecords:
    texts = np.concatenate([np.zeros(n, np.int64), 1 + np.arange(n) % 4])
    return CompanyRecords(
        t_s=0, key=key, company=np.arange(n), number_field=("x_m", "y_m"),
        numbers=np.concatenate([np.where(np.arange(n) % 2, 1000.0, 0.0), np.zeros(n)]), flag_field=(),
        flags=np.zeros(0, np.int64), text_field=("industry", "stage"), texts=texts, text=(industry, *COMPANY_STAGES),
    )  # fmt: skip


def stations(banks: list[float], visits: int = 2) -> StationsTold:
    return StationsTold(
        0, "s", ("west", "east"), np.array([0.0, 1000.0]), np.zeros(2), visits, 3,
        tuple(f"b{i}" for i in range(len(banks))), np.asarray(banks),
    )  # fmt: skip


def test_one_plan_per_company_by_its_stage() -> None:
    d = PlansDesk()
    (plan,) = [c for c in d.decide(0, [firms(4)]) if isinstance(c, MakePlans)]
    for company, stage in enumerate(COMPANY_STAGES):
        themes = [THEMES[t] for t in plan.theme[plan.company == company]]
        assert tuple(themes) == PLAN[stage]
    assert not [c for c in d.decide(60, [firms(4, key="again")]) if isinstance(c, MakePlans)]


def test_visits_are_made_on_their_days_to_companies_near_the_station_and_to_nobody_twice() -> None:
    d, visits = PlansDesk(), []
    d.decide(0, [firms(12), stations([]), calendar()])
    for day in range(14):
        for c in d.decide(day * DAY_S + 9 * 3600, []):
            if isinstance(c, SendExperts):
                assert day % 7 in (1, 3)
                assert Calendar().open(c.at_s)
                assert all((k % 2 == 1) == (c.station == "east") for k in c.company.tolist())
                visits += c.company.tolist()
    assert len(visits) == 12  # four visits of three
    assert len(set(visits)) == 12


def test_a_loan_goes_to_the_bank_with_most_left_and_then_to_the_next() -> None:
    d = PlansDesk()
    d.decide(0, [firms(3), stations([50.0, 100.0, 10.0])])
    (first,) = [c for c in d.decide(1, [LoanWished(1, "w", 0, 40.0)]) if isinstance(c, OfferLoan)]
    assert first.bank == "b1"
    (other,) = [c for c in d.decide(2, [LoanWished(2, "w2", 1, 60.0)]) if isinstance(c, OfferLoan)]
    assert other.bank == "b1"  # 60 are left
    assert not [c for c in d.decide(3, [LoanWished(3, "w3", 2, 60.0)]) if isinstance(c, OfferLoan)]  # nobody has 60
    (second,) = [c for c in d.decide(4, [LoanAnswered(4, "a", 0, "b1", False)]) if isinstance(c, OfferLoan)]
    assert second.bank == "b0"
    assert not d.decide(5, [LoanAnswered(5, "a2", 0, "b0", False)])  # the third has only 10


def test_a_company_may_borrow_again_under_a_new_key_and_after_everybody_refused() -> None:
    d = PlansDesk()
    d.decide(0, [firms(3), stations([50.0, 100.0, 10.0])])

    def offers(t, *messages):
        return [c for c in d.decide(t, list(messages)) if isinstance(c, OfferLoan)]

    (first,) = offers(1, LoanWished(1, "w", 0, 40.0))
    offers(2, LoanAnswered(2, "a", 0, first.bank, True))
    (again,) = offers(3, LoanWished(3, "w2", 0, 40.0))
    assert again.key != first.key  # a host carries out each key once
    (next_one,) = offers(4, LoanAnswered(4, "a2", 0, again.bank, False))
    assert not offers(5, LoanAnswered(5, "a3", 0, next_one.bank, False))  # nobody is left to ask
    assert offers(6, LoanWished(6, "w3", 0, 40.0))


def test_what_is_paid_back_can_be_lent_again() -> None:
    d = PlansDesk()
    d.decide(0, [firms(3), stations([50.0])])
    d.decide(1, [LoanWished(1, "w", 0, 50.0)])
    d.decide(2, [LoanAnswered(2, "a", 0, "b0", True)])
    assert not [c for c in d.decide(3, [LoanWished(3, "w2", 1, 30.0)]) if isinstance(c, OfferLoan)]
    d.decide(4, [LoanRepaid(4, "repaid", 0, "b0", 50.0)])
    assert [c for c in d.decide(5, [LoanWished(5, "w3", 1, 30.0)]) if isinstance(c, OfferLoan)]
