"""Paired comparison: the interval against the formula by hand, verdicts, and a real pair of runs."""

from __future__ import annotations

import math

import pytest

from scenarios import compare, kpis, load
from scenarios.experiment import Comparison
from twin.errors import ScenarioError

PAIRS = ((1, 10.0, 12.0), (2, 11.0, 12.0), (3, 9.0, 12.0))  # differences 2, 1, 3


def test_the_interval_is_students_t_of_the_pairs() -> None:
    c = Comparison(kpis.delivery_within_hour, PAIRS)
    half = 4.302652729911275 * 1.0 / math.sqrt(3)  # t(0.975; 2) · s / √n with s = 1
    assert c.difference == pytest.approx(2.0)
    assert c.ci95 == (pytest.approx(2 - half), pytest.approx(2 + half))
    assert c.verdict == "indistinguishable"  # 2 ± 2.48
    assert "over 3 pairs: indistinguishable" in str(c)


@pytest.mark.parametrize(
    ("kpi", "verdict"),
    [(kpis.delivery_within_hour, "better"), (kpis.parcel_time_min, "worse"), (kpis.parcels_ordered, "different")],
)
def test_the_verdict_knows_which_way_is_better(kpi: kpis.Kpi, verdict: str) -> None:
    pairs = tuple((k, 10.0, 12.0 + 0.01 * k) for k in range(5))
    assert Comparison(kpi, pairs).verdict == verdict


def test_one_pair_tells_nothing() -> None:
    c = Comparison(kpis.delivery_within_hour, PAIRS[:1])
    assert c.ci95 == (-math.inf, math.inf)
    assert c.verdict == "inconclusive"


def test_a_scenario_against_itself_differs_by_exactly_nothing() -> None:
    s = load("demo", start="06:30", end="06:45", people={"share": 0.02}, traffic={"mode": "free-flow"})
    c = compare(s, s, kpis.trips, [1, 2])
    assert (c.difference, c.ci95, c.verdict) == (0.0, (0.0, 0.0), "indistinguishable")


def test_an_indicator_without_values_is_one_sentence() -> None:
    s = load("demo", start="06:30", end="06:31", people={"share": 0.01}, traffic={"mode": "free-flow"})
    with pytest.raises(ScenarioError, match="delivery_within_hour: neither of the scenarios demo and demo"):
        compare(s, s, kpis.delivery_within_hour, [1])
