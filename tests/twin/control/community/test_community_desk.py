"""The community desk and its ledger, alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.control.community.desk import CommunityDesk
from twin.control.community.ledger import Ledger
from twin.control.community.ports import ClerkFirst, ForwardAll, ReportView
from twin.domain.community import (
    AnswerReport,
    AskReview,
    BookPoints,
    ForwardReport,
    PointTable,
    RedeemWish,
    ReporterSays,
    ReviewDone,
    ServiceList,
    ServiceRequest,
    SignOutcome,
)
from twin.domain.wire import decode, encode


def ints(*values: int) -> np.ndarray:
    return np.asarray(values, dtype=np.int64)


SERVICES = ServiceList(0, "services", ("100", "101"), ("garbage", "fire"), ints(0, 1), np.asarray([100.0, 300.0]),
                       ints(3600, 3600))  # fmt: skip
POINTS = PointTable(0, "points", ("true", "again", "checked", "redeemed"), ints(10, 2, 3, 0), 2, 15)


def report(name: str, account: int = 1, x_m: float = 0.0, t_s: int = 0, code: str = "100", channel: str = "snap"):
    return ServiceRequest(
        t_s, f"request/{name}", name, channel, account, 0, code, 36.8, 117.0, x_m, 0.0, t_s, t_s, "", "media"
    )


def desk(**kw) -> CommunityDesk:
    d = CommunityDesk(**kw)
    d.decide(0, [SERVICES, POINTS])
    return d


def of(kind: type, commands: list) -> list:
    return [c for c in commands if isinstance(c, kind)]


def test_one_truth_is_one_sign_and_everybody_is_answered_and_paid_once() -> None:
    d = desk()
    assert [c.report for c in of(AskReview, d.decide(1, [report("a"), report("b", 2, 40.0)]))] == ["a"]
    out = d.decide(2, [ReviewDone(2, "r", "a", "valid")])
    assert [(c.ref, c.source, c.theme) for c in of(ForwardReport, out)] == [("a", "report", "garbage")]
    out = d.decide(3, [SignOutcome(3, "o", "a", "handled"), SignOutcome(3, "o", "a", "handled")])
    assert [(c.report, c.status, c.answer) for c in of(AnswerReport, out)] == [
        ("a", "closed", "said to be fixed"),
        ("b", "closed", "said to be fixed"),
    ]
    assert [(c.account, c.rule, c.points) for c in of(BookPoints, out)] == [(1, "true", 10), (2, "again", 2)]
    assert of(BookPoints, d.decide(4, [SignOutcome(4, "o2", "a", "handled")])) == []


def test_urgent_reports_and_complaints_need_no_clerk() -> None:
    d = desk()
    out = d.decide(1, [report("f", code="101"), report("h", -1, 5000.0, channel="hotline")])
    assert [(c.report, c.source) for c in of(ForwardReport, out)] == [("f", "report"), ("h", "call")]
    assert of(AskReview, out) == []


def test_closed_is_not_fixed() -> None:
    d = desk()
    d.decide(1, [report("a"), ReviewDone(1, "r", "a", "valid")])
    d.decide(2, [SignOutcome(2, "o", "a", "handled")])
    out = d.decide(3, [ReporterSays(3, "says", "a", 1, False)])
    assert [c.ref for c in of(ForwardReport, out)] == ["a/2"], "a new sign, which the incident desk does not know"
    assert [(c.status, c.answer) for c in of(AnswerReport, out)] == [("open", "open again")]
    again = d.decide(4, [SignOutcome(4, "o2", "a/2", "handled")])
    assert [c.answer for c in of(AnswerReport, again)] == ["said to be fixed"]
    assert of(BookPoints, again) == [], "the same report is not paid twice"


def test_a_rejected_report_leaves_its_place_to_the_next_that_says_so() -> None:
    d = desk()
    d.decide(1, [report("a"), report("b", 2), report("c", 3)])
    out = d.decide(2, [ReviewDone(2, "r", "a", "unclear")])
    assert [c.answer for c in of(AnswerReport, out)] == ["rejected"]
    assert [c.report for c in of(AskReview, out)] == ["b"]
    d.decide(3, [ReviewDone(3, "r2", "b", "valid")])
    out = d.decide(4, [SignOutcome(4, "o", "b", "handled")])
    assert {c.report for c in of(AnswerReport, out)} == {"b", "c"}


def test_who_told_of_nothing_three_times_is_looked_at_first() -> None:
    view = ReportView("snap", "fire", True, True, 0, 1, 0)
    assert ClerkFirst().triage(view) == "forward"
    assert ClerkFirst().triage(ReportView("snap", "fire", True, True, 3, 1, 3)) == "review"
    assert ForwardAll().triage(ReportView("snap", "garbage", False, False, 9, 99, 99)) == "forward"
    d = desk()
    for k in range(3):
        d.decide(k, [report(f"f{k}", t_s=4000 * k, code="101"), SignOutcome(k, f"o{k}", f"f{k}", "nothing there")])
    out = d.decide(9, [report("f9", t_s=20_000, code="101")])
    assert of(ForwardReport, out) == []
    assert len(of(AskReview, out)) == 1


def test_an_unknown_service_is_answered() -> None:
    out = desk().decide(1, [report("x", code="999")])
    assert [(c.status, c.answer, c.status_notes) for c in of(AnswerReport, out)] == [
        ("closed", "rejected", "there is no service '999'")
    ]


def test_vouchers_cost_points_that_somebody_has() -> None:
    d = desk()
    assert of(BookPoints, d.decide(1, [RedeemWish(1, "w1", 1, "w1")])) == []
    for k in range(2):
        d.decide(2, [report(f"a{k}", x_m=1000.0 * k), ReviewDone(2, f"r{k}", f"a{k}", "valid")])
        d.decide(3, [SignOutcome(3, f"o{k}", f"a{k}", "handled")])
    out = of(BookPoints, d.decide(4, [RedeemWish(4, "w2", 1, "w2")]))
    assert [(c.points, c.balance) for c in out] == [(-15, 5)]


def test_messages_and_commands_go_over_the_wire() -> None:
    d = desk()
    out = d.decide(1, [report("a")])
    assert [decode(encode(c)) for c in out] == out
    assert decode(encode(report("a"))) == report("a")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.integers(0, 6), st.sampled_from(["true", "again", "redeemed"]), st.integers(-20, 20)
        ),
        max_size=60,
    )
)
@settings(max_examples=60, deadline=None)
def test_the_ledger_pays_nothing_twice_and_nobody_overdraws(bookings) -> None:
    ledger = Ledger()
    for account, reason, rule, points in bookings:
        before = ledger.entries
        ledger.book(account, str(reason), rule, points)
        assert ledger.entries[: len(before)] == before, "entries are only appended"
    keys = Counter((e.reason, e.rule) for e in ledger.entries)
    assert max(keys.values(), default=0) <= 1
    for account in range(6):
        own = [e.points for e in ledger.entries if e.account == account]
        assert ledger.balance(account) == sum(own)
        assert all(sum(own[: k + 1]) >= 0 for k in range(len(own)))


@st.composite
def posts(draw):
    """Reports of three spots, their reviews and outcomes, in any order, some twice."""
    n = draw(st.integers(1, 7))
    out = []
    for k in range(n):
        spot = draw(st.integers(0, 2))
        out.append(report(f"r{k}", k % 3, 1000.0 * spot, t_s=k))
        verdict = draw(st.sampled_from(["valid", "unclear"]))
        out.append(ReviewDone(k, f"review/r{k}", f"r{k}", verdict))
        out.append(SignOutcome(k, f"outcome/r{k}", f"r{k}", draw(st.sampled_from(["handled", "nothing there"]))))
    out = draw(st.permutations(out))
    return [*out, *draw(st.lists(st.sampled_from(out), max_size=5))]


@given(posts())
@settings(max_examples=80, deadline=None)
def test_nothing_is_lost_or_paid_twice_in_any_order(messages) -> None:
    d, out = desk(), []
    for k, m in enumerate(messages):
        out += d.decide(k, [m])
    assert len({c.key for c in out}) == len(out), "each command has a key of its own"
    answered = {c.report for c in of(AnswerReport, out)} | {c.report for c in of(AskReview, out)}
    assert answered == {m.service_request_id for m in messages if isinstance(m, ServiceRequest)}
    # every report was reviewed and every sign settled: nothing is left open
    assert {case.state for case in d.book.all.values()} == {"ended"}
    paid = Counter((c.reason, c.rule) for c in of(BookPoints, out))
    assert max(paid.values(), default=0) <= 1
    twin = desk()
    replayed = [c for k, m in enumerate(messages) for c in twin.decide(k, [m])]
    assert replayed == out
