"""Offices, companies and building projects on the map and on ``services.html``; names from data do nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest

from scenarios.reform import TARGETS_OF_REFORM, Row
from tests.viz.conftest import Opened, silent
from tests.viz.sample import make_run
from twin import events
from twin.domain.companies import CLIMATE_ISSUES
from viz import climate, offices, services_page, sites
from viz import map as viz_map
from viz.errors import MapError
from viz.text import texts
from viz.text_offices import OFFICES_TEXT, SITES_TEXT

EVIL = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>'
START_S = 23_400


def add_facts(log, city) -> None:
    """Two offices and five cases, one company that is paid, a project that is warned of and cleared again."""

    def add(fact, second, /, **values):
        log.add(fact, START_S + second, **values)

    for second, waiting in ((60, 3), (300, 9), (900, 0)):
        add(events.OfficeQueue, second, office="hall", waiting=waiting, serving=2)
    add(events.OfficeQueue, 120, office=EVIL, waiting=1, serving=1)
    for case in range(5):
        add(events.MatterBegan, case, matter_no=case, target="person", scene="", items=1, region=-1)
        add(
            events.CaseFiled, 60 + case, case_no=case, matter_no=case, office="hall" if case else EVIL, item="item-1",
            items=1, item_version=1, handed_in=3, reused=1,
        )  # fmt: skip
    for case in (0, 1, 2, 3):
        add(events.CaseAccepted, 200, case_no=case, due_s=START_S + 700)
        add(events.TaskBegan, 210, case_no=case, step=0, task="review", dept="PS", officer=1, waited_s=100)
    add(events.ApplicantAsked, 250, case_no=1, step=0, why="supplement")
    add(events.ResultGiven, 400, case_no=2, result="granted")
    add(events.ResultGiven, 400, case_no=3, result="granted")
    add(events.CaseConcluded, 500, case_no=3, state="done", duration_s=437, overdue=False)
    add(events.ApplicantAnswered, 800, case_no=1, step=0, why="supplement")
    for case, state in ((0, "reviewing"), (1, "reviewing"), (2, "delivering"), (4, "applied")):
        add(events.CaseOpen, 1790, case_no=case, state=state)
    add(events.CompaniesCounted, 0, day=0, founded=3, growing=4, mature=5, leaving=1, jobs=70.0)
    add(events.CompanyFounded, 100, company=17, industry=EVIL, jobs=3.0, duration_s=60)
    add(events.PaymentReceived, 300, policy="reward", company=17, amount_cny=300_000.0)
    add(events.CompanyClosed, 900, company=17, age_years=2.0, jobs=3.0)
    place = str(city.places["place"].iloc[0])
    add(events.ClimatePointSet, 0, who="point-1", place=place)
    add(events.ClimateIssueFound, 100, what="permits", place=place, who="point-1", real=True)
    finding = f"permits/{place}#1"
    add(events.ClimateAssigned, 200, finding=finding, who=EVIL, due_s=START_S + 600)
    add(events.ClimateIssueFound, 300, what="permits", place=place, who="supervisor-4", real=True)
    add(events.ClimateEscalated, 600, finding=finding, step=1, to="office")
    add(events.ClimateChecked, 900, finding=finding, accepted=False)
    add(events.ClimateAssigned, 901, finding=finding, who=EVIL, due_s=START_S + 1700)
    add(events.ClimateChecked, 1100, finding=finding, accepted=True)
    add(events.ClimateClosed, 1200, finding=finding, outcome="rectified", real=True)
    add(events.ClimateIssueFound, 1300, what="window", place=place, who="supervisor-2", real=False)
    x, y = city.places.geometry.x.iloc[0], city.places.geometry.y.iloc[0]
    for number, library in ((1, "reserve"), (96, "current")):
        add(
            events.ProjectFiled, 0, project=number, name=f"{EVIL}{number}", kind="building", library=library,
            community="c", x_m=x + number, y_m=y, investment_cny=2.0e8, start_day=-100, finish_day=100,
            contractor=EVIL, curve_c=0.0, curve_k=4.0,
        )  # fmt: skip
    add(events.ProgressEstimated, 0, project=96, day=-1, progress=0.3, spi=0.6, cpi=1.0, spi_t=0.7, forecast_day=150)
    add(
        events.ProjectWarned, 10, project=96, warning="schedule", spi=0.6, cpi=1.0, spi_t=0.7, forecast_day=150,
        reason=EVIL,
    )  # fmt: skip
    add(events.ProjectWarningCleared, 1200, project=96, warning="schedule")
    add(events.SiteProgressed, 1700, project=96, day=0, progress=0.31, planned=0.5, cost_cny=6.0e7)


@pytest.fixture(scope="module")
def office_run(city_dir, tmp_path_factory):
    return make_run(city_dir, tmp_path_factory.mktemp("offices") / "run", vehicles=60, hours=0.5, more=add_facts)


@pytest.fixture(scope="module")
def office_page(office_run):
    return viz_map.build(office_run)


@pytest.fixture(scope="module")
def opened(browser, office_page):
    page = Opened(browser, office_page)
    yield page
    page.close()


def panel(page, choice: str, second: int) -> str:
    page.js("app.choose(arg[0]); app.seek(arg[1]); app.refreshChosen(true)", [choice, second])
    return page.page.locator("#chosen").inner_text()


def test_a_run_without_them_has_none(run_dir, page_file) -> None:
    assert offices.facts_of(run_dir / "events.parquet") is None
    assert sites.facts_of(run_dir / "events.parquet") is None
    page = page_file.read_text(encoding="utf-8")
    for script in ("makeOffices(app, tools) {", "makeSites(app, tools) {", "makeJunctionPanel(app, tools) {"):
        assert script not in page


def test_words_are_complete() -> None:
    words = texts("zh", OFFICES_TEXT, SITES_TEXT)
    needed = [f"climate_{state}" for state, _, _ in climate.BADGES] + [f"issue_{i}" for i in CLIMATE_ISSUES]
    needed += [f"case_{g}" for g in offices.GROUPS] + [f"company_{t}" for t in offices.TOLD]
    needed += [f"site_{t}" for t in sites.TOLD] + [f"warning_{w}" for w in sites.WARNINGS]
    needed += [f"project_{k}" for k in sites.KINDS] + [f"library_{v}" for v in sites.LIBRARIES]
    assert [n for n in needed if not words.get(n)] == []


@pytest.mark.browser
def test_queues_and_cases_of_a_moment(opened, office_page) -> None:
    assert "People waiting" in panel(opened, "office-0", 350)
    waiting = [(panel(opened, "office-0", t), opened.page.locator("[data-waiting]").inner_text())[1]
               for t in (30, 100, 350, 1000)]  # fmt: skip
    assert waiting == ["0", "3", "9", "0"]

    def groups(second: int) -> list[int]:
        panel(opened, "services-0", second)
        return [int(v) for v in opened.page.locator("[data-group]").all_inner_texts()]

    assert groups(10) == [0, 0, 0, 0, 0]
    assert groups(100) == [5, 0, 0, 0, 0]
    assert groups(300) == [1, 3, 1, 0, 0]
    assert groups(450) == [1, 1, 1, 2, 0]
    assert groups(600) == [1, 1, 1, 1, 1]
    assert groups(1000) == [1, 2, 0, 1, 1]
    assert "Open past their limit\n▲ 2" in panel(opened, "services-0", 1000)
    assert groups(300) == [1, 3, 1, 0, 0]  # dragged back, it un-happened
    silent(opened, office_page)


@pytest.mark.browser
def test_the_file_of_a_project(opened, office_page) -> None:
    words = panel(opened, "project-96", 600)
    for wanted in ("behind schedule", "200 million CNY", "30.0 %", "0.60 · 1.00 · 0.70", "50 days"):
        assert wanted in words, wanted
    assert "Progress, in truth" not in words  # not known before the evening
    assert opened.page.locator("#chosen .warning").count() == 1
    words = panel(opened, "project-96", 1750)
    assert "31.0 %" in words
    assert opened.page.locator("#chosen .warning").count() == 0
    # the plan's curve is that of the desk
    from twin.control.construction.earned_value import s_curve

    days = np.array([-100.0, -20.0, 0.0, 55.0, 100.0])
    want = s_curve((days + 100.0) / 200.0, np.float64(0.0), np.float64(4.0))
    got = opened.js("return arg.map((d) => app.sites.planned(app.sites.byNumber.get(96), d))", days.tolist())
    assert got == pytest.approx(want.tolist())
    assert "Behind schedule\n1" in panel(opened, "sites-0", 600)
    silent(opened, office_page)


@pytest.mark.browser
def test_findings_of_the_business_climate_by_state(opened, office_page) -> None:
    def state(second: int) -> str | None:
        panel(opened, "finding-0", second)
        found = opened.page.locator("[data-climate]")
        return found.inner_text() if found.count() else None

    states = [state(t) for t in (50, 150, 250, 650, 950, 1150, 1250, 250)]
    want = [None, "found", "assigned", "past its limit", "assigned", "looked at again: gone", "closed", "assigned"]
    assert states == want  # the last: dragged back, it un-happened
    words = panel(opened, "finding-0", 1250)
    for said in ("Permits take too long", "monitoring point 1", "citizen supervisor 4", "It was so".lower(), "office"):
        assert said in words, said
    assert "it was not so" in panel(opened, "finding-1", 1400)
    assert "Permits take too long" in panel(opened, "monitor-0", 400)
    panel(opened, "climate-0", 1400)
    counts = opened.page.locator("[data-climate-count]").all_inner_texts()
    assert counts == ["1", "0", "0", "0", "1"]  # found, assigned, late, checked, closed
    where = [opened.js("return app.find.spotOf(app.find.choiceOf(arg), 400)", k) for k in ("finding-0", "monitor-0")]
    assert where[0] == where[1]
    silent(opened, office_page)


@pytest.mark.browser
def test_names_from_data_are_only_text(opened, office_page) -> None:
    for choice in ("project-96", "sites-0", "company-17", "companies-0", "services-0", "office-1", "finding-0"):
        words = panel(opened, choice, 950)
        assert EVIL.lower()[:20] in words.lower(), choice
    assert opened.js("return window.hacked") is None
    assert opened.page.locator("#chosen img").count() == 0
    silent(opened, office_page)


def test_services_page_tells_the_cases_and_does_nothing(office_run, tmp_path) -> None:
    text = services_page.build(office_run, tmp_path / "s.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert "default-src 'none'" in text
    assert not re.search(r'(?:href|src)="(?!#)', text)
    assert "No comparison lies in this run folder" in text
    for row in ("<td>reviewing</td><td>2</td><td>40.0 %</td>", "<td>done</td><td>1</td>", "<td>hall</td><td>4</td>"):
        assert row in text, row
    zh = services_page.build(office_run, tmp_path / "zh.html", "zh").read_text(encoding="utf-8")
    assert "结束时各状态办件" in zh


def test_services_page_shows_a_reform(office_run, tmp_path) -> None:
    file = office_run / "reform.json"
    found = [Row(TARGETS_OF_REFORM[0], -53.2, -55.0, -51.4, 10), Row(TARGETS_OF_REFORM[1], -30.0, -31.0, -29.0, 10)]
    services_page.save_reform(found, file)
    try:
        assert services_page.reform_of(office_run) == found
        text = services_page.build(office_run, tmp_path / "s.html").read_text(encoding="utf-8")
        assert "-53.2 % [-55.0, -51.4]</td><td>10</td><td>fitted</td><td>met" in text
        assert "-30.0 % [-31.0, -29.0]</td><td>10</td><td>fitted</td><td>not met" in text
        file.write_text("{}", encoding="utf-8")
        with pytest.raises(MapError, match=r"reform.json: not a comparison of offices"):
            services_page.build(office_run, tmp_path / "s.html")
    finally:
        file.unlink()


def test_services_page_of_a_run_without_cases_is_refused(run_dir, tmp_path) -> None:
    with pytest.raises(MapError, match="no case was filed in this run"):
        services_page.build(run_dir, tmp_path / "s.html")
    with pytest.raises(MapError, match="not a run folder"):
        services_page.build(tmp_path)
