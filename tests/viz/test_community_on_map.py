"""The community platform on the map: the tables, and a real browser that opens two hours of it offline."""

from __future__ import annotations

import json

import numpy as np
import pytest

from geo.city import City
from scenarios import load
from tests.viz.conftest import Opened, silent
from twin.cities import city_folder
from twin.domain.community import ANSWERS, CHANNELS, EARLY_WHYS, POINT_RULES
from twin.events import EarlyOrderOpened, PointsBooked, ReportAnswered, ReportMade, SceneInstalled
from twin.log import Facts
from twin.simulation import Simulation, carry_through
from twin.world.community.scenes import SCENES
from viz import community
from viz import map as viz_map
from viz.geometry import Frame
from viz.pack import unpack, unwide, unzigzag
from viz.text import texts
from viz.text_community import COMMUNITY_TEXT

START_S, END_S = 14 * 3600, 16 * 3600
MOST_MB, MOST_S = 15.0, 3.0  # experience: what a page of a system may weigh and take


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("community")
    ready = load(
        "early_signs",
        people=None,
        traffic={"mode": "free-flow", "background": 0.02},
        start="14:00",
        end="16:00",
        city_brain={"hazards": {"rate": 6}},
        community={"platform": {"registered": 80_000, "abuse": 40}},
    )
    place = city_folder(ready)
    (folder / "journal").mkdir()
    carry_through(Simulation(ready, City.load(place), place, 1, folder))
    return folder


@pytest.fixture(scope="module")
def map_file(run_folder):
    return viz_map.build(run_folder)


@pytest.fixture(scope="module")
def opened(browser, map_file):
    page = Opened(browser, map_file)
    yield page
    page.close()


def panel(page, choice: str, second: int) -> str:
    page.js("app.choose(arg[0]); app.seek(arg[1]); app.refreshChosen(true)", [choice, second])
    return page.page.locator("#chosen").inner_text()


def test_a_run_without_the_platform_has_none(run_dir, page_file) -> None:
    assert community.facts_of(run_dir / "events.parquet") is None
    assert "makeCommunity(app, tools) {" not in page_file.read_text(encoding="utf-8")


def test_words_are_complete() -> None:
    for lang in ("en", "zh"):
        words = texts(lang, COMMUNITY_TEXT)
        needed = [f"report_state_{s}" for s in community.REPORT_STATES] + [f"report_source_{c}" for c in CHANNELS]
        needed += [f"answer_{a.replace(' ', '_')}" for a in ANSWERS] + [f"rule_{r}" for r in POINT_RULES]
        needed += [f"why_{w}" for w in EARLY_WHYS] + [f"order_state_{s}" for s in community.ORDER_STATES]
        needed += [f"grade_{g}" for g in community.GRADES] + [f"scene_{s}" for s in SCENES]
        needed += [f"{p}_{s}" for p in ("layer", "about") for s in community.SWITCHES]
        assert [n for n in needed if not words.get(n)] == []


def test_tables_hold_what_the_log_says(run_folder) -> None:
    log = Facts.read(run_folder)
    city = viz_map._open(run_folder).city
    facts = community.facts_of(run_folder / "events.parquet")
    meta, streams = unpack(community.container(facts, city, Frame.of(city), START_S))

    def column(table, key):
        values = unzigzag(unwide(streams[f"{table}.{key}"]))
        return np.cumsum(values) if meta["tables"][table][key] else values

    made, booked = log.frame(ReportMade), log.frame(PointsBooked)
    assert column("reports", "t").tolist() == (made["t_s"] - START_S).tolist()
    assert column("reports", "nothing").sum() == (made["hazard"] < 0).sum() > 0
    assert column("answers", "t").size == len(log.frame(ReportAnswered))
    assert column("booked", "points").sum() == booked["points"].sum() > 0
    assert column("orders", "t").size == len(log.frame(EarlyOrderOpened)) > 0
    grades = log.frame(SceneInstalled).drop_duplicates("community")["grade"].value_counts().to_dict()
    told = column("communities", "grade")
    assert {g: int((told == k).sum()) for k, g in enumerate(community.GRADES)} == grades
    # points lie where the residents live: the sums of the communities are the sum of all
    where = column("booked", "community")
    assert where.min() >= 0
    homes = city.communities["community"].tolist()
    assert [homes[k] for k in where] == booked.sort_values(
        ["community", "t_s"], key=lambda c: c.map(homes.index) if c.name == "community" else c, kind="stable"
    )["community"].tolist()


@pytest.mark.browser
def test_it_opens_offline_and_within_its_budget(opened, map_file) -> None:
    assert map_file.stat().st_size < MOST_MB * 1e6
    assert opened.js("return app.marks.ready") < 1000 * MOST_S * 4  # four times: the processor draws, others work
    silent(opened, map_file)


@pytest.mark.browser
def test_layers_follow_their_switches_and_the_moment(opened, map_file) -> None:
    drawn = """
        app.seek(arg); app.camera = app.whole(); app.refresh();
        return new Promise((done) => setTimeout(() => {
          const n = {};
          for (const s of app.view.communitySpots()) { const k = s.id.split("-")[0]; n[k] = (n[k] || 0) + 1; }
          done(n);
        }, 500));
    """
    opened.js(
        "for (const k of ['reports', 'orders', 'grades']) app.setLayer('community_' + k, true); app.setOver(false)"
    )
    late = opened.js(drawn, 6600)
    assert late["community"] == 304
    assert late["report"] > 10
    assert late["early"] > 0
    early = opened.js(drawn, 600)
    assert early.get("report", 0) < late["report"], "dragged back, reports un-happen"
    opened.js("app.setOver(true)")
    assert opened.js(drawn, 6600)["report"] > late["report"], "what is closed is shown when it is asked for"
    opened.js("app.setOver(false); app.setLayer('community_reports', false)")
    assert "report" not in opened.js(drawn, 6600)
    opened.js("app.setLayer('community_reports', true)")
    legend = opened.page.locator("#legend").inner_text()
    for words in ("Residents", "told before", "about nothing", "benchmark", "for nothing"):
        assert words in legend or words in opened.page.locator("body").inner_text(), words
    silent(opened, map_file)


@pytest.mark.browser
def test_clicking_a_report_tells_its_answers(opened, run_folder, map_file) -> None:
    log = Facts.read(run_folder)
    made = log.frame(ReportMade)
    answers = log.frame(ReportAnswered)
    twice = answers[answers["answer"] == "duplicate"].iloc[0]
    row = made.index[made["report"] == twice["report"]][0]
    first = made.index[made["report"] == twice["original"]][0]
    spot = opened.js(
        """
        const [i, t] = arg;
        app.choose(null); app.setLayer('community_grades', false); app.setLayer('brain_hazards', false);
        app.setLayer('brain_incidents', false); app.setLayer('brain_responders', false); app.setOver(true); app.seek(t);
        const at = app.find.spotOf(app.find.choiceOf('report-' + i), t);
        app.fly({ zoom: 16, longitude: app.city.centre[0] + at[0], latitude: app.city.centre[1] + at[1] }, 0);
        return new Promise((done) => setTimeout(() => {
          done(app.view.viewport().project([app.city.centre[0] + at[0], app.city.centre[1] + at[1]]));
        }, 900));
        """,
        [int(row), int(twice["t_s"] - START_S + 5)],
    )
    opened.page.mouse.click(*spot[:2])
    assert opened.js("return app.chosen && app.chosen.kind") == "report"
    words = panel(opened, f"report-{row}", int(twice["t_s"] - START_S + 5))
    assert "told before" in words
    assert f"report-{first}" in words
    assert f"report-{row}" in panel(opened, f"report-{first}", END_S - START_S - 1)
    false = made.index[(made["hazard"] < 0) & (made["source"] == "snap")][0]
    assert "false report" in panel(opened, f"report-{false}", END_S - START_S - 1)
    assert opened.js("return app.find.choiceOf(arg).row", str(made["report"][row])) == row
    opened.js("app.setOver(false); app.setLayer('brain_incidents', true); app.setLayer('brain_hazards', true)")
    silent(opened, map_file)


@pytest.mark.browser
def test_the_ledger_of_a_community_adds_up_at_every_moment(opened, run_folder, map_file) -> None:
    log = Facts.read(run_folder)
    booked = log.frame(PointsBooked)
    city = viz_map._open(run_folder).city
    of = booked["community"].value_counts().index[0]
    row = city.communities["community"].tolist().index(of)
    for second in (1800, 5400, 7199):
        mine = booked[(booked["community"] == of) & (booked["t_s"] <= START_S + second)]["points"]
        panel(opened, f"community-{row}", second)
        got = [
            int(opened.page.locator(f"#chosen [data-{k}]").get_attribute(f"data-{k}"))
            for k in ("earned", "spent", "balance")
        ]
        assert got == [mine[mine > 0].sum(), -mine[mine < 0].sum(), mine.sum()]
    panel(opened, "platform-0", 7199)
    assert int(opened.page.locator("#chosen [data-balance]").get_attribute("data-balance")) == booked["points"].sum()
    order = log.frame(EarlyOrderOpened).iloc[0]
    words = panel(opened, "early-0", int(order["t_s"] - START_S + 1))
    assert f"{round(100 * order['chance'])} %" in words
    assert "open" in words
    silent(opened, map_file)


@pytest.mark.browser
def test_it_speaks_chinese(browser, run_folder, tmp_path) -> None:
    file = viz_map.build(run_folder, tmp_path / "zh.html", "zh")
    page = Opened(browser, file, "#t=15:50:00&id=platform-0")
    try:
        page.wait("document.querySelector('#chosen').innerText.includes('邻里积分')")
        legend = page.page.locator("#legend").inner_text()
        for words in ("随手拍", "标杆型", "未诉先办"):
            assert words in legend or words in page.page.locator("body").inner_text(), words
        silent(page, file)
    finally:
        page.close()
    assert json.loads(json.dumps(COMMUNITY_TEXT["grade_benchmark"][1])) == "标杆型"
