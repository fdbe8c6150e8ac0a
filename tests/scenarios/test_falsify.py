"""The search finds what is planted, and shrinking leaves only what is needed, on a model that costs nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import load
from scenarios.falsify import Counterexample, Range, changed, check_ranges, get, read_range, search, shrink, write
from twin.errors import ScenarioError
from twin.scenario import load_scenario

RANGES = [Range("rain", 0.0, 40.0, "float"), Range("demand", 0.5, 2.0, "float"), Range("units", 1, 20, "int")]
BASE = {"rain": 0.0, "demand": 1.0, "units": 10}


def planted(rain_from, units_below):
    """Broken where it rains hard and there are few units; the demand does not matter."""

    def judge(settings):
        return [max((rain_from - s["rain"]) / 40, (s["units"] - units_below) / 20) for s in settings]

    return judge


@given(rain_from=st.floats(5, 35), units_below=st.integers(4, 9), seed=st.integers(0, 5))
def test_a_planted_corner_is_found_and_shrunk(rain_from, units_below, seed):
    judge = planted(rain_from, units_below)
    found = search(RANGES, BASE, judge, runs=400, seed=seed)
    assert found.robustness < 0
    small = shrink(found, RANGES, BASE, judge)
    assert set(small.values) == {"rain", "units"}
    assert small.free == ["demand"]
    assert judge([{**BASE, **small.values}])[0] < 0
    # bisected four times between the base and what was found
    assert small.values["rain"] - rain_from <= (found.values["rain"] - 0.0) / 2**4 + 0.05


def test_how_many_are_judged_at_once_changes_nothing_but_the_number_that_is_run():
    judged: list[int] = []

    def counting(settings):
        judged.append(len(settings))
        return planted(15, 7)(settings)

    found = {}
    for at_once in (1, 3, None):
        judged.clear()
        found[at_once] = search(RANGES, BASE, counting, runs=400, at_once=at_once)
        assert found[at_once].tried <= sum(judged) < found[at_once].tried + (at_once or 8)
    assert found[1] == found[3] == found[None]
    assert found[1].robustness < 0


def test_nothing_is_invented_where_nothing_is_broken():
    found = search(RANGES, BASE, lambda settings: [1.0] * len(settings), runs=30)
    assert found.robustness == 1.0
    assert found.tried <= 31


def test_one_parameter_is_enough():
    one = [Range("rain", 0.0, 40.0, "float")]
    found = search(one, {"rain": 0.0}, lambda settings: [30 - s["rain"] for s in settings], runs=60)
    assert found.robustness < 0


def test_the_base_is_tried_first():
    found = search(RANGES, BASE, lambda settings: [-1.0] * len(settings), runs=30)
    assert (found.tried, found.values) == (1, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weather.rain_mm_h=0..40", Range("weather.rain_mm_h", 0, 40, "int")),
        ("people.share=0.1..0.5", Range("people.share", 0.1, 0.5, "float")),
        ("interventions.0.at=07:00..08:30", Range("interventions.0.at", 25_200, 30_600, "time")),
    ],
)
def test_ranges_are_read(text, expected):
    assert read_range(text) == expected


@pytest.mark.parametrize("text", ["rain", "rain=5", "rain=5..a", "rain=5..5", "rain=07:00..5"])
def test_a_wrong_range_is_one_sentence(text):
    with pytest.raises(ScenarioError, match="--vary"):
        read_range(text)


def test_values_are_put_into_a_scenario():
    base = load("road_closure")
    made = changed(base, {"people.share": 0.5, "interventions.0.at": "07:10"})
    assert made.people.share == 0.5
    assert made.interventions[0].at_s == 7 * 3600 + 600
    with pytest.raises(ScenarioError, match="there is no key 'peopl'; did you mean 'people'"):
        get(base.resolved(), "peopl.share")


def test_a_written_counterexample_loads_and_says_the_same(tmp_path):
    base = load("road_closure")
    found = Counterexample({"people.share": 0.5, "interventions.0.at": "07:10"}, -0.2, ["traffic.background"])
    file = tmp_path / "counterexample.yaml"
    write(found, base, "road_closure", file)
    again = load_scenario(str(file), {})
    want = changed(base, found.values)
    assert again.people == want.people
    assert again.interventions == want.interventions
    assert "# does not matter: traffic.background" in file.read_text()


def test_a_range_of_which_nothing_is_allowed_is_one_sentence():
    base = load("demo")
    check_ranges([Range("traffic.background", -1.0, 1.0, "float")], base)
    with pytest.raises(ScenarioError, match=r"--vary traffic\.background: neither end is allowed: .* a number from 0"):
        check_ranges([Range("traffic.background", -5.0, -1.0, "float")], base)
