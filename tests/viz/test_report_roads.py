"""The map of differences: what a road's change is, from positions and from detectors, and the switch of the page."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student

from geo.city import City
from scenarios import kpis, load
from scenarios.study import Question, study
from tests.cities import shared_toy_city
from viz import report, report_roads
from viz.report_roads import changes, vehicles_by_road
from viz.report_text import reason, trip_line


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Two recorded pairs: calm, and a road closed with rain on top."""
    where = tmp_path_factory.mktemp("roads")
    city = shared_toy_city().save(where / "city")
    base = load(
        "weekday",
        city={"folder": str(city)},
        people={"residents": 300, "companies": 20},
        start="07:00",
        end="07:20",
        traffic={"mode": "free-flow", "fcd_period_s": 5, "background": 0.5},
    )
    shut = {"kind": "close_road", "at": "07:05", "road": "B1C1"}
    wet = base.changed(name="wet", weather={"kind": "rain", "rain_mm_h": 40}, interventions=[shut])
    out = where / "o"
    study(base, [wet], Question((kpis.by_name("vehicle_time_s"),), (1, 2)), out, workers=0, record=2)
    a, b = (sorted(out.glob(f"runs/{name}-*/*")) for name in ("weekday", "wet"))
    return City.load(city), list(zip(a, b, strict=True)), out


def without_positions(pairs, to: Path):
    out = []
    for k, pair in enumerate(pairs):
        both = tuple(to / f"{k}-{side}" for side in "ab")
        for folder, copy in zip(pair, both, strict=True):
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("fcd.parquet"))
        out.append(both)
    return out


def test_rain_is_slower_by_positions_and_by_detectors(compared, tmp_path):
    city, pairs, _ = compared
    limit = 3.6 * city.roads["speed_m_s"].to_numpy(float)
    for found, recorded in ((changes(pairs, city), True), (changes(without_positions(pairs, tmp_path), city), False)):
        speed, delay = found["speed"], found["delay"]
        assert (speed.recorded, speed.pairs) == (recorded, 2)
        assert (speed.difference[speed.clear] < 0).mean() > 0.9
        assert np.median(speed.difference[speed.known] / limit[speed.known]) < -0.03
        assert delay.difference[delay.known].sum() > 0
        assert (speed.difference[~speed.known] == 0).all()
    assert changes(pairs, city)["speed"].known.sum() > speed.known.sum(), "detectors are on some roads only"


def test_free_flow_takes_the_time_at_the_limit(compared):
    """Nobody holds anybody up: space-mean speed near the limit times the drivers' own factor, hardly any delay."""
    city, pairs, _ = compared
    speed, delay = report_roads._recorded(pairs[0][0], city)
    limit = 3.6 * city.roads["speed_m_s"].to_numpy(float)
    used = vehicles_by_road(pairs[0][0], len(city.roads)) >= 10
    ratio = speed[used] / limit[used]
    assert 0.8 < np.median(ratio) < 1.2
    late_s = 60 * delay[used].sum() / vehicles_by_road(pairs[0][0], len(city.roads))[used].sum()
    assert late_s < 0.5 * (city.roads["length_m"].to_numpy(float)[used] / (limit[used] / 3.6)).mean()


@pytest.mark.parametrize("n", [3, 5, 20])
def test_a_road_is_clear_below_three_sigma_of_students_t(n):
    rng = np.random.default_rng(n)
    d = rng.normal(0.0, 1.0, (n, 40_000))
    share = report_roads._change(d, False).clear.mean()
    assert share == pytest.approx(0.0027, rel=0.35), "false claims on roads where nothing differs"
    shifted = report_roads._change(d + 2 * student.ppf(0.99865, n - 1) / np.sqrt(n), False).clear.mean()
    assert shifted > 0.6


def test_a_road_that_one_run_does_not_know_is_unknown():
    found = report_roads._change(np.array([[1.0, np.nan, 0.0], [3.0, 1.0, 0.0]]), True)
    assert found.known.tolist() == [True, False, True]
    assert found.difference.tolist() == [2.0, 0.0, 0.0]
    assert found.clear.tolist() == [True, False, False]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_says_unit_pairs_and_source(compared, lang, tmp_path):
    page = report.build([compared[2]], tmp_path / "r.html", lang).read_text(encoding="utf-8")
    assert page.count('type="radio"') == 3
    for part in {
        "en": ("km/h", "vehicle minutes a run", "mean difference of 2 pairs with recorded positions", "Too few pairs"),
        "zh": ("km/h", "车·分钟/次运行", "2 对均值，取自记录的位置", "对数太少"),
    }[lang]:
        assert part in page, part
    assert "<script" not in page


@pytest.mark.browser
def test_the_switch_shows_one_map_and_paper_all(compared, browser):
    context = browser.new_context(offline=True, viewport={"width": 794, "height": 1123})
    page = context.new_page()
    page.goto(report.build([compared[2]]).as_uri())

    def shown() -> list[bool]:
        return [page.locator(f".pane.{name}").is_visible() for name in ("vehicles", "speed", "delay")]

    assert sum(shown()) == 1
    page.locator('.maps label[for$="-speed"]').click()
    assert shown() == [False, True, False]
    page.keyboard.press("ArrowRight")
    assert shown() == [False, False, True], "the keyboard works as well"
    page.emulate_media(media="print")
    assert shown() == [True, True, True]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    context.close()
    assert wide <= 0


@pytest.mark.parametrize(
    ("why", "zh"),
    [
        ("1 of 2 pairs are missing", "2 对中缺 1 对"),
        ("3 of 20 planned pairs have run", "计划 20 对，仅完成 3 对"),
        ("something new", "something new"),
    ],
)
def test_the_sheet_says_in_both_languages_why_a_verdict_is_open(why, zh):
    assert reason(why, "en") == why
    assert reason(why, "zh") == zh


def test_the_sheet_says_a_trip_in_both_languages():
    assert trip_line(7, 0, "bus", "school", "en") == "resident 7, trip 0, by bus, to school"
    assert trip_line(7, 0, "bus", "school", "zh") == "居民 7 第 0 次出行，公交，上学"
