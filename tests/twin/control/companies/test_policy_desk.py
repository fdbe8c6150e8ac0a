"""The policy desk alone: nobody twice, never more than there is, money in = money out + balance, only when open."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.companies.made_companies import DAY_S, calendar, policy, records
from twin.control.companies.calendar import Calendar
from twin.control.companies.policies import PolicyDesk
from twin.domain.commands import WakeAt
from twin.domain.companies import BankTold, BudgetAdded, CompaniesLeft, PayCompanies, RefusePolicy, ReportMatching
from twin.domain.wire import decode, encode

NINE = 9 * 3600
ROWS = (({"jobs": ">= 10"}, "300"), ({"jobs": ">= 5"}, "100"))


def pays(commands) -> list[PayCompanies]:
    return [c for c in commands if isinstance(c, PayCompanies)]


def test_who_fits_is_paid_at_the_opening_and_told_why() -> None:
    d = PolicyDesk()
    assert not pays(d.decide(0, [records([12, 6, 2]), policy(ROWS, 1e4), calendar()]))
    (pay,) = pays(d.decide(NINE, []))
    assert pay.company.tolist() == [0, 1]
    assert pay.amount_cny.tolist() == [300.0, 100.0]
    assert pay.because[0] == "rule 1 of p: jobs = 12 (>= 10); amount 300"
    assert not pays(d.decide(NINE + DAY_S, []))  # nobody twice


def test_without_an_account_and_without_budget_nobody_is_paid_and_both_are_counted() -> None:
    d = PolicyDesk()
    d.decide(0, [records([12, 12, 12], account=[0, 1, 1]), policy(ROWS, 500), calendar()])
    out = d.decide(NINE, [])
    (report,) = [c for c in out if isinstance(c, ReportMatching)]
    assert (report.fit, report.paid, report.no_account, report.no_budget) == (3, 1, 1, 1)
    out = d.decide(NINE + DAY_S, [BudgetAdded(NINE + DAY_S, "more", "p", 1000.0)])
    assert pays(out)[0].company.tolist() == [2]


def test_what_the_bank_could_not_pay_is_tried_again_under_a_new_key() -> None:
    d = PolicyDesk()
    d.decide(0, [records([12]), policy(ROWS, 300), calendar()])
    (first,) = pays(d.decide(NINE, []))
    d.decide(NINE + 60, [BankTold(NINE + 60, "b1", first.key, first.company, np.array([0]))])
    (second,) = pays(d.decide(NINE + DAY_S, []))
    assert second.key != first.key
    assert second.company.tolist() == [0]


def test_a_policy_with_a_missing_field_is_refused_in_a_sentence_and_the_others_pay() -> None:
    d = PolicyDesk()
    wrong = policy((({"patents": "> 1"}, "5"),), 100, name="q")
    out = d.decide(0, [records([12]), wrong, policy(ROWS, 300), calendar()])
    (refused,) = [c for c in out if isinstance(c, RefusePolicy)]
    assert refused.reason == "policy q: reads the field 'patents'; companies have jobs, account, industry"
    assert pays(d.decide(NINE, []))


def test_what_is_not_direct_is_only_matched() -> None:
    d = PolicyDesk()
    d.decide(0, [records([12]), policy(ROWS, 300, direct=False), calendar()])
    out = d.decide(NINE, [])
    assert not pays(out)
    assert [c.fit for c in out if isinstance(c, ReportMatching)] == [1]


def test_who_left_is_not_paid() -> None:
    d = PolicyDesk()
    d.decide(0, [records([12, 12]), policy(ROWS, 1e4), calendar(), CompaniesLeft(0, "left", np.array([0]))])
    assert pays(d.decide(NINE, []))[0].company.tolist() == [1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=12),
    st.floats(0, 3000),
    st.sampled_from([0, 3]),
    st.integers(0, 6),
    st.lists(st.tuples(st.integers(0, 2**12), st.booleans(), st.integers(0, 30)), min_size=5, max_size=14),
)
def test_money_in_is_money_out_plus_balance(jobs, budget, period, weekday, days) -> None:
    d = PolicyDesk()
    d.decide(0, [records(jobs), policy(ROWS, budget, period_days=period), calendar(weekday)])
    wake, out_fen, last, unpaid = None, 0, {}, []
    opens = Calendar(weekday=weekday)
    for day, (answers, twice, change) in enumerate(days):
        for second in (0, NINE, NINE + 7200):
            t = day * DAY_S + second
            messages = [records([change] * len(jobs), key=f"r{t}", t_s=t)] if second == 0 and change > 20 else []
            if second > NINE:
                for pay in unpaid:
                    paid = np.array([(answers >> i) & 1 for i in range(pay.company.size)])
                    told = BankTold(t, f"bank/{pay.key}", pay.key, pay.company, paid)
                    messages += [told, told] if twice else [told]
                    out_fen += sum(round(a * 100) for a, p in zip(pay.amount_cny, paid, strict=True) if p)
                    for c, p in zip(pay.company.tolist(), paid.tolist(), strict=True):
                        if not p:
                            last.pop(c)
                unpaid = []
            commands = d.decide(t, messages)
            for pay in pays(commands):
                assert opens.open(t)
                for c in pay.company.tolist():
                    assert c not in last or (period and day - last[c] >= period)
                    last[c] = day
                unpaid.append(pay)
            wake = [c.t_s for c in commands if isinstance(c, WakeAt)] or wake
        ledger = d.account("p")
        waiting = sum(round(float(a) * 100) for pay in unpaid for a in pay.amount_cny)
        assert ledger.balance >= 0
        assert ledger.received == out_fen
        assert ledger.budget == ledger.received + waiting + ledger.balance == round(budget * 100)
    assert all(opens.open(t) for t in wake or [])


def test_the_desk_is_a_fold() -> None:
    def say() -> str:
        d, out = PolicyDesk(), []
        messages = [records([12, 6, 2]), policy(ROWS, 350), calendar()]
        out += d.decide(0, [decode(encode(m)) for m in messages])
        for day in range(4):
            out += d.decide(day * DAY_S + NINE, [])
        return json.dumps([encode(c) for c in out])

    assert say() == say()


@given(st.integers(0, 40 * DAY_S), st.integers(0, 6), st.integers(1, 200_000))
def test_the_calendar_counts_open_time_only(t: int, weekday: int, seconds: int) -> None:
    c = Calendar(weekday=weekday)
    opens = c.next_open_s(t)
    assert c.open(opens)
    assert opens >= t
    done = c.after(t, seconds)
    by_hand = sum(
        max(0, min(done, k * DAY_S + c.shut_s) - max(t, k * DAY_S + c.open_s)) for k in range(90) if c.works(k)
    )
    assert by_hand == seconds
