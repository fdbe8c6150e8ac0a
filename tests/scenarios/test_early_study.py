"""Early signs bring something where hazards have common causes and things measure, and the scan nothing where not.

Paired by seed, over a cut-down of ``early_signs``: a day with three times the hazards of five themes, no traffic.
"""

from __future__ import annotations

from functools import cache

import pytest

from scenarios.early_study import MEASURED, RULES, difference, run, scenario

SEEDS, DAYS, BUDGET = (1, 2, 3, 4, 5), 1, 6.0
BUSY = {"themes": ["garbage", "bikes", "fire_lane", "ebike", "dust"], "rate": 3}
SHARE, USELESS = "before_complaint_share", "early_useless_day"


@cache
def got(rule: str, causes: float) -> dict[str, tuple[float, ...]]:
    found = run(rule, BUDGET, causes, SEEDS, DAYS, BUSY)
    return {name: tuple(found[name]) for name in MEASURED}


def test_the_interval_of_the_difference_leaves_out_nothing() -> None:
    """Share handled before the first complaint, with and without: 95 % interval (Student's t) above 0."""
    d = difference(got("scan and readings", 1.0)[SHARE], got("none", 1.0)[SHARE])
    assert d.mean > 0
    assert d.excludes_zero, str(d)
    assert sum(got("none", 1.0)["early_orders_day"]) == 0


def test_it_costs_about_what_it_may() -> None:
    """The budget is of probabilities; what it truly costs is near it: a day and a half of it, and what is learnt."""
    useless = got("scan and readings", 1.0)[USELESS]
    assert sum(useless) / len(useless) <= 1.5 * BUDGET * (DAYS + 0.5) / DAYS
    assert sum(got("scan and readings", 1.0)["early_orders_day"]) > 4 * sum(useless)


def test_where_hazards_come_alone_and_nothing_measures_the_scan_finds_nothing_more() -> None:
    """Control: against the naive rule (every report, first come, first served) the interval holds 0."""
    d = difference(got("scan", 0.0)[SHARE], got("first_come", 0.0)[SHARE])
    assert not d.excludes_zero or d.mean < 0, str(d)


def test_a_difference_needs_pairs() -> None:
    d = difference([3.0, 5.0], [1.0, 1.0])
    # t(0.975; 1) · s / √n with s = √2
    assert d.mean == 3.0
    assert d.half == pytest.approx(12.7062 * 2**0.5 / 2**0.5, rel=1e-4)
    assert not d.excludes_zero
    for ours, theirs in (([1.0], [1.0]), ([1.0, 2.0], [1.0])):
        with pytest.raises(ValueError, match="a paired difference needs two seeds or more of each"):
            difference(ours, theirs)


@pytest.mark.parametrize("rule", list(RULES))
def test_rules_are_what_they_say(rule: str) -> None:
    early = scenario(rule, 3.0, 0.5).community.early
    assert (early is None) == (rule == "none")
    if early is not None:
        assert early.useless_a_day == 3.0
        assert (early.neighbours, early.readings) == (rule.startswith("scan"), rule == "scan and readings")
