"""From values by seed to verdicts: joins, intervals against the formula, corrections, guardrails, advice, plans."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import kpis
from scenarios.stats.answers import reply
from scenarios.stats.guardrails import guard
from scenarios.stats.paired import join, summary
from scenarios.stats.plan import Asked, Guardrail, Plan, looks_up_to, parse_guardrail
from scenarios.stats.precision import Precision, pairs_needed, parse_precision, reached
from scenarios.stats.rare import at_most
from scenarios.stats.sequential import decide, holm, too_skewed
from twin.errors import ScenarioError

LATE, SPEED, TRIPS = kpis.by_name("late_share"), kpis.by_name("car_speed_km_h"), kpis.by_name("trips")


def plan_of(*names: str, n: int, looks: tuple[int, ...] | None = None, **more) -> Plan:
    asked = tuple(Asked(name, kpis.by_name(name).better) for name in names)
    return Plan("?", "a", "b", asked, tuple(range(n)), looks or (n,), **more)


def values(name: str, xs) -> dict[str, dict[int, float | None]]:
    return {name: dict(enumerate(map(float, xs)))}


# -- joining and intervals ---------------------------------------------------------------------------


def test_pairs_are_joined_by_seed_never_by_order():
    base = {1: 10.0, 2: 20.0, 3: 30.0}
    variant = {3: 31.0, 1: 11.0, 2: 21.0}
    j = join(base, variant)
    assert j.differences.tolist() == [1.0, 1.0, 1.0]
    assert summary(j).correlation == pytest.approx(1.0)


def test_a_seed_without_a_value_is_named_and_in_no_mean():
    j = join({1: 10.0, 2: None, 3: 30.0}, {1: 11.0, 2: 5.0}, [1, 2, 3, 4])
    assert (j.seeds, j.left_out) == ((1,), (2, 3, 4))


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=30))
def test_the_gain_of_pairing_is_an_identity(pairs):
    a, b = (dict(enumerate(x)) for x in zip(*pairs, strict=True))
    s = summary(join(a, b))
    va, vb = np.var(list(a.values()), ddof=1), np.var(list(b.values()), ddof=1)
    assert s.low <= s.difference <= s.high
    if va > 1 and vb > 1:
        # var(b − a) = var a + var b − 2 r sd a sd b
        assert s.spread**2 == pytest.approx(va + vb - 2 * s.correlation * math.sqrt(va * vb), rel=1e-6, abs=1e-3)
        assert s.variance_ratio == pytest.approx(s.spread**2 / (va + vb), rel=1e-6, abs=1e-9)


def test_a_scenario_against_itself_differs_by_exactly_zero():
    x = np.sqrt(np.arange(1, 21))
    r = reply(plan_of("late_share", n=20), [LATE], values("late_share", x), values("late_share", x), range(20))
    a = r.answers[0]
    assert (a.summary.difference, a.summary.low, a.summary.high) == (0.0, 0.0, 0.0)
    assert a.verdict == "indistinguishable"


# -- verdicts ----------------------------------------------------------------------------------------


def noisy(n: int, shift: float, sd: float = 1.0):
    x = np.linspace(-1.7, 1.7, n) * sd  # symmetric: no skew
    return 50 + np.cos(np.arange(n)), x + shift


@pytest.mark.parametrize(
    ("name", "shift", "verdict"),
    [
        ("late_share", -2.0, "better"),
        ("late_share", 2.0, "worse"),
        ("car_speed_km_h", 2.0, "better"),
        ("trips", 2.0, "different"),
        ("late_share", 0.05, "indistinguishable"),
    ],
)
def test_verdicts_know_which_way_is_better(name, shift, verdict):
    base, d = noisy(20, shift)
    r = reply(plan_of(name, n=20), [kpis.by_name(name)], values(name, base), values(name, base + d), range(20))
    assert r.answers[0].verdict == verdict


def test_no_verdict_before_the_planned_number_of_pairs():
    base, d = noisy(20, -3.0)
    ran = range(6)
    r = reply(plan_of("late_share", n=20), [LATE], values("late_share", base), values("late_share", base + d), ran)
    assert (r.answers[0].verdict, r.answers[0].why) == ("inconclusive", "6 of 20 planned pairs have run")
    assert not r.done


def test_with_looks_a_clear_effect_stops_early_and_the_interval_is_that_of_the_look():
    base, d = noisy(20, -3.0)
    plan = plan_of("late_share", n=80, looks=(20, 40, 80))
    r = reply(plan, [LATE], values("late_share", base), values("late_share", base + d), range(20))
    a = r.answers[0]
    assert r.done
    assert (a.verdict, a.at_look) == ("better", 20)
    from scipy.stats import t

    half = t.ppf(1 - 0.05 / 3 / 2, 19) * np.std(d, ddof=1) / math.sqrt(20)  # valid at every look
    assert a.summary.high - a.summary.difference == pytest.approx(half)


def test_missing_pairs_are_named_and_too_many_make_it_inconclusive():
    base, d = noisy(20, -3.0)
    b, v = values("late_share", base), values("late_share", base + d)
    del v["late_share"][4]
    one = reply(plan_of("late_share", n=20), [LATE], b, v, range(20)).answers[0]
    assert (one.verdict, one.without) == ("better", (4,))
    for seed in (5, 6):
        v["late_share"][seed] = None
    three = reply(plan_of("late_share", n=20), [LATE], b, v, range(20)).answers[0]
    assert (three.verdict, three.why) == ("inconclusive", "3 of 20 pairs are missing")


def test_several_indicators_are_corrected_and_it_says_so():
    n = 20
    base, d = noisy(n, 0.55)  # alone: p about 0.02
    names = [k.name for k in kpis.HEADLINE[:6]]
    b = {name: values(name, base)[name] for name in names}
    v = {name: values(name, base + (d if name == names[0] else d - 0.55))[name] for name in names}
    alone = reply(plan_of(names[0], n=n), [kpis.by_name(names[0])], b, v, range(n)).answers[0]
    among = reply(plan_of(*names, n=n), [kpis.by_name(x) for x in names], b, v, range(n)).answers[0]
    assert alone.verdict != "indistinguishable"
    assert among.verdict == "indistinguishable"
    assert "corrected" in among.why
    assert among.summary == alone.summary


def test_holm_is_the_step_down():
    # Holm (1979): p = 0.01, 0.02, 0.03, 0.04 at 5 %: 0.01 ≤ 0.0125, but 0.02 > 0.0167: only the first
    assert holm(np.array([[0.04, 0.01, 0.03, 0.02]]), 0.05).tolist() == [[False, True, False, False]]
    assert holm(np.array([[0.01, 0.012, 0.02, 0.04]]), 0.05).all()


def test_strong_skew_in_a_small_sample_is_inconclusive():
    d = np.array([0.1] * 18 + [5.0, 9.0]) + 0.5
    base = np.cos(np.arange(20))
    r = reply(
        plan_of("late_share", n=20), [LATE], values("late_share", base), values("late_share", base + d), range(20)
    )
    assert (r.answers[0].verdict, r.answers[0].why) == (
        "inconclusive",
        "the differences are too skewed for so few pairs",
    )
    assert bool(too_skewed(np.array(2.0), 20, 0.05))
    assert not bool(too_skewed(np.array(2.0), 320, 0.05))


def test_constant_differences_are_found_and_constant_nothing_is_not():
    assert decide(np.full((1, 20, 1), 3.0), (20,)).direction.tolist() == [[1]]
    assert decide(np.zeros((1, 20, 1)), (20,)).direction.tolist() == [[0]]


# -- guardrails, precision, rare harms ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("better", "shift", "margin", "passed"),
    [
        ("lower", 0.0, 0.5, True),
        ("lower", 0.3, 0.5, False),  # 0.3 + 1.729 · 1.04 / √20 = 0.70
        ("higher", 0.3, 0.5, True),
        ("higher", -0.3, 0.5, False),
        ("neither", -0.3, 0.5, False),
        ("lower", -3.0, 0.0, True),
    ],
)
def test_a_guardrail_is_non_inferiority(better, shift, margin, passed):
    _, d = noisy(20, shift)
    g = guard(d, better, margin)
    assert g.passed is passed
    from scipy.stats import t

    if better == "lower":
        assert g.worst == pytest.approx(shift + t.ppf(0.95, 19) * np.std(d, ddof=1) / math.sqrt(20))


def test_all_guardrails_must_pass():
    base, d = noisy(20, 0.0)
    names = ("late_share", "refused_share")
    plan = plan_of("car_speed_km_h", n=20, guardrails=(Guardrail(names[0], 1.0), Guardrail(names[1], 0.1)))
    all_kpis = [SPEED, *(kpis.by_name(x) for x in names)]
    b = {k.name: values("x", base)["x"] for k in all_kpis}
    v = {k.name: values("x", base + d)["x"] for k in all_kpis}
    r = reply(plan, all_kpis, b, v, range(20))
    assert [a.guarded.passed for a in r.guards] == [True, False]
    assert r.safe is False


def test_how_many_more_runs_follows_the_formula():
    m = pairs_needed(spread=10.0, n=20, target=1.0)
    from scipy.stats import t

    assert t.ppf(0.975, m - 1) * 10 / math.sqrt(m) <= 1.0 < t.ppf(0.975, m - 2) * 10 / math.sqrt(m - 1)
    assert m == 387


def test_a_precision_run_stops_at_gamma_over_one_plus_gamma_and_not_before_thirty():
    d = np.linspace(-1, 1, 30)
    base = 100 + d
    half = summary(join(dict(enumerate(base)), dict(enumerate(base + d)))).half_width
    gamma = half / 100
    assert reached(base, d, Precision(percent=100 * gamma * 1.01 / (1 - gamma * 1.01))).done
    assert not reached(base, d, Precision(percent=100 * gamma)).done  # γ itself is not enough: γ / (1 + γ) is asked
    assert not reached(base[:29], d[:29], Precision(percent=50)).done
    assert reached(d, d, Precision(percent=50)).near_zero
    assert reached(d, d, Precision(absolute=1.0)).done


@pytest.mark.parametrize("text", ["±2%", "2 %", "+-2%"])
def test_precision_is_read(text):
    assert parse_precision(text) == Precision(percent=2.0)


@pytest.mark.parametrize("text", ["", "two", "0%", "-1", "100%", "nan", "inf"])
def test_a_bad_precision_is_one_sentence(text):
    with pytest.raises(ScenarioError, match="--until: is "):
        parse_precision(text)


def test_nothing_in_n_means_at_most_three_over_n():
    assert at_most(100) == pytest.approx(3 / 100, rel=0.02)
    assert at_most(20) == 1 - 0.05 ** (1 / 20)
    assert at_most(0) == 1.0


# -- plans -------------------------------------------------------------------------------------------


def test_the_plan_s_hash_holds_everything_that_was_fixed():
    plan = plan_of("late_share", n=20)
    changed = [
        plan_of("car_speed_km_h", n=20),
        plan_of("late_share", n=21),
        plan_of("late_share", n=20, looks=(10, 20)),
        plan_of("late_share", n=20, until="±2%"),
        plan_of("late_share", n=20, guardrails=(Guardrail("trips", 1.0),)),
        plan_of("late_share", n=20, warm_up_s=900),
    ]
    assert len({p.digest for p in (plan, *changed)}) == len(changed) + 1
    assert plan.digest == plan_of("late_share", n=20).digest


def test_looks_double_and_end_with_all():
    assert looks_up_to(320, True) == (20, 40, 80, 160, 320)
    assert looks_up_to(100, True) == (20, 40, 80, 100)
    assert looks_up_to(100, False) == (100,)


def test_guardrails_are_read_and_mistakes_are_one_sentence():
    assert parse_guardrail("late_share=2%", ["late_share"]) == Guardrail("late_share", 2.0, True)
    for text, said in (("late_share", "write it as"), ("late_share=-1", "write it as"), ("lates=1", "no indicator")):
        with pytest.raises(ScenarioError, match=said):
            parse_guardrail(text, ["late_share"])
