"""The city brain on the map: streams and accounts, and a real browser that opens an hour of ``drowning`` offline."""

from __future__ import annotations

import numpy as np
import pytest

from geo.city import City
from scenarios.incident_account import PARTS, accounts
from scenarios.incident_views import command
from tests.viz.conftest import Opened, silent
from twin.cities import city_folder
from twin.domain.city_brain import SEVERITIES, THEMES
from twin.domain.incidents import DEPARTMENTS, LEVELS, RESPONDER_KINDS, STATES
from twin.events import AlertDropped, AlertRaised, HazardBegan, IncidentAssigned, IncidentCreated, SensorFailed
from twin.log import Facts
from twin.scenario import load_scenario
from twin.simulation import Simulation, carry_through
from viz import city_brain
from viz import map as viz_map
from viz.geometry import Frame
from viz.incidents import META, STATE_SHAPES, alert_row
from viz.pack import unpack, unwide, unzigzag
from viz.text import texts
from viz.text_brain import BRAIN_TEXT

START_S = 50_400


@pytest.fixture(scope="module")
def brain_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brain")
    given = [
        {"kind": "hazard", "at": at, "what": "drowning", "place": place}
        for at, place in (("14:05", "凤栖湖"), ("15:20", "大桥湖"))
    ]
    changed = {"people.share": "0.02", "start": '"14:00"', "end": '"15:40"'}
    ready = load_scenario("drowning", changed, overrides={"interventions": given})
    place = city_folder(ready)
    (folder / "journal").mkdir()
    carry_through(Simulation(ready, City.load(place), place, 1, folder))
    return folder


@pytest.fixture(scope="module")
def brain_page(brain_run):
    return viz_map.build(brain_run)


@pytest.fixture(scope="module")
def tables(brain_run):
    facts = city_brain.facts_of(brain_run / "events.parquet")
    city = viz_map._open(brain_run).city
    meta, streams = unpack(city_brain.container(facts, brain_run, city, Frame.of(city), START_S, 56_400))

    def column(table, key):
        values = unzigzag(unwide(streams[f"{table}.{key}"]))
        return np.cumsum(values) if meta["tables"][table][key] else values

    return meta, column


def test_the_page_is_given_what_the_facts_tell(brain_run, tables) -> None:
    meta, column = tables
    log = Facts.read(brain_run)
    for table, kind in (("hazards", HazardBegan), ("alerts", AlertRaised), ("dropped", AlertDropped),
                        ("incidents", IncidentCreated), ("tickets", IncidentAssigned)):  # fmt: skip
        frame = log.frame(kind)
        assert len(frame) > 0, kind
        assert sorted(column(table, "t").tolist()) == sorted((frame["t_s"] - START_S).tolist()), table
    assert len(column("channels", "kind")) == 19_000
    assert (column("outages", "down") == 1).sum() == len(log.frame(SensorFailed))
    words = meta["words"]
    known = {words[w] for w in column("incidents", "name")}
    assert known == set(log.frame(IncidentCreated)["incident"])


def test_parts_tile_the_time_of_every_incident(brain_run, tables) -> None:
    _, column = tables
    owner, seconds = column("parts", "incident"), column("parts", "until") - column("parts", "from")
    whole = column("incidents", "ended") - column("incidents", "began")
    assert (seconds > 0).all()
    assert np.bincount(owner, seconds, len(whole)).tolist() == whole.tolist()
    told = accounts(Facts.read(brain_run))
    assert whole.tolist() == [a.total_s for a in told]
    travel = [sum(seconds[(owner == i) & (column("parts", "part") == PARTS.index("travel"))]) for i in range(len(told))]
    assert travel == [a.seconds("travel") for a in told]
    assert max(travel) > 60


def test_a_run_without_a_city_brain_has_none(run_dir, page_file) -> None:
    assert city_brain.facts_of(run_dir / "events.parquet") is None
    page = page_file.read_text(encoding="utf-8")
    assert "makeBrain(app, tools) {" not in page  # nor its script
    assert 'id="data-brain"' not in page


def test_shapes_and_words_are_complete() -> None:
    look = city_brain.look()
    shapes = [(shape, glyph) for shape, glyph, _ in look["themes"].values()]
    assert set(look["themes"]) == set(THEMES)
    assert len(set(shapes)) == len(THEMES)
    assert len(set(STATE_SHAPES.values())) == len(STATES)
    assert set(STATE_SHAPES) == set(STATES)
    words = texts("en", BRAIN_TEXT)
    assert all(en and zh for key, (en, zh) in BRAIN_TEXT.items() if not key.startswith("unit_"))

    def key(word: str) -> str:
        return word.replace(" ", "_").replace("-", "_")

    needed = [f"part_{key(p)}" for p in PARTS] + [f"story_{key(s)}" for s in META["story"] if s != "advanced"]
    needed += [f"inc_{key(s)}" for s in STATES] + [f"dept_{key(d)}" for d in DEPARTMENTS]
    needed += [f"level_{v}" for v in LEVELS] + [f"severity_{s}" for s in SEVERITIES]
    needed += [f"kind_{key(k)}" for k in RESPONDER_KINDS] + [f"layer_{s}" for s in city_brain.SWITCHES]
    assert [n for n in needed if n not in words] == []


def test_a_sign_names_the_alert_that_it_came_from() -> None:
    alerts = {('gas{place="b1"}', 2): 7}
    assert alert_row('raise/gas{place="b1"}#2', alerts) == 7
    assert alert_row("report/17", alerts) == -1
    assert alert_row("", alerts) == -1


def test_the_page_is_small(brain_page) -> None:
    assert brain_page.stat().st_size < 15e6


@pytest.fixture(scope="module")
def opened(browser, brain_page):
    page = Opened(browser, brain_page)
    yield page
    page.close()


@pytest.mark.browser
def test_opens_silently_and_switches_layers(opened, brain_page) -> None:
    opened.js("app.seek(4900)")
    opened.page.wait_for_timeout(500)
    drawn = "return Object.fromEntries(Object.entries(app.view.brainSpots).map(([k, v]) => [k, v.length]))"
    first = opened.js(drawn)
    assert first["brain_hazards"] > 0
    assert first["brain_alerts"] > 0
    assert first["brain_incidents"] > 0
    assert first["brain_responders"] > 0
    assert first["brain_dropped"] == 0  # suppressed ones only when asked for
    for name in ("brain_dropped", "brain_channels"):
        opened.page.locator(f"#switch-{name}").set_checked(True, force=True)
    opened.page.locator("#switch-brain_hazards").set_checked(False, force=True)
    opened.page.wait_for_timeout(600)
    second = opened.js(drawn)
    assert second["brain_dropped"] > 0
    assert second["brain_hazards"] == 0
    legend = opened.page.locator("#legend").inner_text()
    assert "Bars inside: the level" in legend
    # what is over is shown when it is asked for
    opened.js("app.setLayer('brain_hazards', true); app.setLayer('brain_channels', false); app.setOver(true)")
    opened.page.wait_for_timeout(400)
    over = opened.js(drawn)
    assert over["brain_incidents"] > first["brain_incidents"]
    opened.js("app.setOver(false); app.setLayer('brain_dropped', false)")
    silent(opened, brain_page)


@pytest.mark.browser
def test_the_screens_show_what_the_command_centre_sees(opened, brain_run) -> None:
    log = Facts.read(brain_run)
    for second in (600, 3000, 4900, 5900):
        want = command(log, START_S + second)
        got = opened.js(
            "const v = app.tackle.view(-1, arg); return [v.open, v.overdue, v.byLevel, v.created, v.closed,"
            " v.createdHour - v.closedHour,"
            " v.cases.map((c) => [app.brain.words[app.brain.incidents.name[c.i]], c.state])]",
            second,
        )
        total = want.total
        assert got[:2] == [total.open, total.overdue], second
        assert got[2] == [total.by_level[level] for level in LEVELS]
        assert got[3:6] == [total.created, total.closed, total.trend]
        assert got[6] == [[c.incident, c.state] for c in want.cases]
        by_department = opened.js(
            "return app.brain.meta.departments.map((_, k) => app.tackle.view(k, arg).open)", second
        )
        assert by_department == [v.open for v in want.departments]


@pytest.mark.browser
def test_clicking_an_incident_tells_where_its_time_went(opened, brain_run, brain_page) -> None:
    told = max((a for a in accounts(Facts.read(brain_run)) if a.closed and a.hazard >= 0), key=lambda a: a.total_s)
    busy = told.created_s - START_S + 30
    spot = opened.js(
        """
        const [name, t] = arg;
        app.choose(null); app.seek(t);
        const i = app.brain.byName.get(name);
        const at = app.find.spotOf(app.find.choiceOf(name), t);
        app.fly({ zoom: 14, longitude: app.city.centre[0] + at[0], latitude: app.city.centre[1] + at[1] }, 0);
        return new Promise((done) => setTimeout(() => {
          const [x, y] = app.view.viewport().project([app.city.centre[0] + at[0], app.city.centre[1] + at[1]]);
          done([x, y - 16]);
        }, 700));
        """,
        [told.incident, busy],
    )
    opened.page.mouse.click(*spot)
    assert opened.js("return app.chosen && app.chosen.id") == told.incident
    panel = opened.page.locator("#chosen")

    def parts() -> tuple[dict[str, int], int]:
        opened.js("app.refreshChosen(true)")
        found = panel.locator(".account [data-part]")
        seconds = {
            found.nth(k).get_attribute("data-part"): int(found.nth(k).get_attribute("data-seconds"))
            for k in range(found.count())
        }
        return seconds, int(panel.locator(".account").get_attribute("data-total"))

    seconds, total = parts()  # so far
    assert sum(seconds.values()) == total == busy + START_S - told.began_s
    assert "travel" not in seconds  # it has not happened yet
    opened.js("app.seek(arg)", told.ended_s - START_S + 1)
    seconds, total = parts()
    assert sum(seconds.values()) == total == told.total_s
    assert seconds == {p: told.seconds(p) for p in PARTS if told.seconds(p) or p == "unexplained"}
    # a part leads to its moment, and there the incident is not closed: what came later un-happened
    panel.locator('[data-part="travel"] .when').click()
    begin = min(s.from_s for s in told.stretches if s.part == "travel") - START_S
    assert opened.js("return app.now") == begin
    assert opened.js("return app.tackle.caseAt(app.brain.byName.get(arg), app.now).open", told.incident)
    assert f"t={(begin + START_S) // 3600}:" in opened.js("return app.address()")
    opened.js("app.seek(arg)", told.created_s - START_S - 1)
    opened.js("app.refreshChosen(true)")
    assert "not yet" in panel.inner_text()
    silent(opened, brain_page)


@pytest.mark.browser
def test_a_responder_drives_and_a_hazard_tells_the_truth(opened, brain_page) -> None:
    ticket = opened.js(
        "const k = app.brain.tickets.vehicle.findIndex((w, k) => app.brain.words[w] && app.brain.tickets.there[k] > 0);"
        " const t = app.brain.tickets; return [t.number[k], t.out[k], t.there[k], app.brain.words[t.vehicle[k]]];"
    )
    number, out, there, vehicle = ticket
    opened.js("app.seek(arg[1]); app.choose('responder-' + arg[0], true); app.refreshChosen(true)", [number, out + 60])
    words = opened.page.locator("#chosen").inner_text()
    assert "on the way" in words
    assert vehicle in words
    where = "return app.tackle.spotOf(arg[0], arg[1])"
    before, after = (opened.js(where, [number, t]) for t in (out + 60, there - 5))
    assert before != after
    opened.js("app.choose('hazard-0', true); app.seek(arg); app.refreshChosen(true)", 400)
    words = opened.page.locator("#chosen").inner_text()
    assert "people in water" in words
    assert "Truth" in words
    silent(opened, brain_page)


@pytest.mark.browser
def test_it_speaks_chinese(browser, brain_run, tmp_path) -> None:
    file = viz_map.build(brain_run, tmp_path / "zh.html", "zh")
    page = Opened(browser, file, "#t=15:20:00&id=view-0")
    try:
        page.wait("document.querySelector('#chosen').innerText.includes('指挥中心')")
        assert "应急" in page.page.locator("#chosen").inner_text()
        silent(page, file)
    finally:
        page.close()
