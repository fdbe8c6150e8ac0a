"""Fleets in a real browser: a unit moves and stands, is found and read, and tells why it was late."""

from __future__ import annotations

import pytest

from tests.viz.conftest import Opened, silent
from tests.viz.fleet_sample import Ground
from viz import map as viz_map

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(browser, fleet_page_file):
    page = Opened(browser, fleet_page_file)
    yield page
    page.close()


@pytest.fixture
def fleets(opened):
    opened.js(
        """
        app.play(false); app.setOver(false); app.choose(null); app.following = false;
        for (const [id, [, on]] of Object.entries(app.about.switches)) app.on[id] = on;
        app.panels.switches(); app.camera = app.whole(); app.seek(0);
        """
    )
    opened.errors.clear()
    return opened


def pick(page, words):
    page.page.locator("#find-box").fill(words)
    page.page.keyboard.press("Enter")
    return page.page.locator("#chosen")


def at(page, second):
    page.js("app.seek(arg); app.refreshChosen(true)", second)
    return page.page.locator("#chosen").inner_text()


def test_opens_silently(fleets, fleet_page_file):
    fleets.js("app.seek(400)")
    fleets.page.wait_for_timeout(400)
    assert fleets.js("return app.view.unitSpots.length") == 4
    silent(fleets, fleet_page_file)


def test_a_unit_is_where_the_facts_say(fleets, fleet_dir):
    ground = Ground.of(viz_map._open(fleet_dir).city)
    look = 'return arg.map((t) => { const s = app.locateUnit("robot-1", t); return [s.state, s.road, s.pos]; });'
    got = fleets.js(look, [10, 260, 299.9, 330, 439.9, 460, 1399])
    assert [g[0] for g in got] == ["parked", "driving", "driving", "halted", "driving", "serving", "serving"]
    want = [
        (ground.home, 20.0), (ground.home, 20.0), (ground.there[1], 5.0), (ground.there[1], 5.0), (ground.away, 30.0),
        (ground.away, 30.0), (ground.away, 30.0),
    ]  # fmt: skip
    assert [g[1] for g in got] == [road for road, _ in want]
    assert [g[2] for g in got] == pytest.approx([pos for _, pos in want], abs=6.0)  # the page's tolerance


def test_find_a_robot_and_read_it(fleets, fleet_page_file):
    panel = pick(fleets, "robot-1")
    assert fleets.js("return [app.chosen.id, app.following]") == ["robot-1", True]
    words = at(fleets, 330)
    for wanted in ("robot-1", "Delivery robot", "halted: rain", "20 / 4", "order-101", "order-102"):
        assert wanted in words, wanted
    words = at(fleets, 430)  # 170 s under way, 100 s expected, halted for 60 s
    account = panel.locator(".account").inner_text()
    assert "1 min 10 s late so far" in words
    for wanted in ("halted: rain", "1 min 00 s", "slower drive", "10 s", "1 min 10 s"):
        assert wanted in account, wanted
    words = at(fleets, 600)
    assert "serving" in words
    account = panel.locator(".account").inner_text()
    for wanted in ("halted: rain", "1 min 00 s", "slower drive", "20 s", "lateness", "1 min 20 s"):
        assert wanted in account, wanted
    assert "order-101" in words
    assert panel.locator("canvas").count() >= 1  # battery
    fleets.js("document.querySelector('#chosen details:last-of-type').open = true")
    assert "hand-over failed · order-101 · nobody there" in panel.inner_text()
    assert panel.locator(".event.later").count() > 3
    silent(fleets, fleet_page_file)


def test_the_day_is_a_list_of_links_to_moments(fleets):
    panel = pick(fleets, "robot-1")
    fleets.js("document.querySelector('#chosen details:last-of-type').open = true")
    panel.locator("details:last-of-type .when", has_text="06:35:00").first.click()
    assert fleets.js("return app.now") == 300
    assert "halted" in at(fleets, 300)


def test_an_order_tells_why_it_was_late(fleets, fleet_page_file):
    panel = pick(fleets, "order-101")
    words = at(fleets, 1500)
    assert "delivered" in words
    account = panel.locator(".account")
    seconds = [seconds_of(row) for row in account.locator(".part:not(.sum) > b").all_inner_texts()]
    *spent, allowed = seconds
    assert sum(spent) == 1340
    assert sum(spent) - allowed == 400
    for wanted in ("waiting for a dock", "waiting for the recipient: nobody there", "halted: rain", "6 min 40 s"):
        assert wanted in account.inner_text(), wanted
    account.locator(".when").nth(2).click()
    assert fleets.js("return app.now") == 130  # each part leads to its moment
    fleets.js("app.refreshChosen(true)")
    assert "waiting for a unit" in panel.inner_text()
    # dragged back: it is not delivered yet
    assert not any("Delivered" in fact for fact in panel.locator(".fact").all_inner_texts())
    assert panel.locator(".account .part:not(.later)").count() == 0
    silent(fleets, fleet_page_file)


def seconds_of(words):
    sign = -1 if words.startswith("−") else 1
    numbers = words.strip("−").replace("min", " ").replace("s", " ").split()
    return sign * (int(numbers[0]) * 60 + int(numbers[1]) if "min" in words else int(numbers[0]))


def test_a_booking_tells_why_it_was_late(fleets):
    panel = pick(fleets, "booking-7")
    words = at(fleets, 600)
    assert "served" in words
    spent = [seconds_of(row) for row in panel.locator(".account .part:not(.sum) > b").all_inner_texts()]
    assert sum(spent[:-1]) - spent[-1] == 50
    assert "shuttle-1" in at(fleets, 300)


def test_layer_switches(fleets):
    fleets.js("app.seek(400)")
    for name, left in (("robot", 2), ("shuttle", 1), ("sweeper", 0)):
        fleets.page.locator(f"#switch-fleet_{name}").set_checked(False, force=True)
        fleets.page.wait_for_timeout(200)
        assert fleets.js("return app.view.unitSpots.length") == left, name
    for name in ("fleet_places", "swept"):
        fleets.page.locator(f"#switch-{name}").set_checked(True, force=True)
    fleets.js("app.seek(950)")
    fleets.page.wait_for_timeout(300)
    assert "Swept so far today" in fleets.page.locator("#legend").inner_text()
    assert fleets.errors == []


def test_happenings_of_fleets_come_and_go(fleets):
    now = fleets.page.locator("#happening li")

    def words(second):
        fleets.js("app.seek(arg)", second)
        return " | ".join(now.all_inner_texts())

    assert "Halted robot-1 (rain)" in words(330)
    both = words(560)
    assert "Violation (truth) robot-2 speeding" in both
    assert "Violation found robot-2 speeding" in both
    assert "Halted" not in both
    assert "Violation found" in words(650)
    assert "Violation (truth)" not in words(650)
    assert "Depot closed" in words(950)
    assert "Breakdown robot-2 (wear)" in words(950)
    assert words(100) == ""
    fleets.page.locator("#switch-over").check(force=True)
    assert "Halted" in words(560)
    fleets.js("app.setOver(false); app.setLayer('fleet_robot', false)")
    assert "robot" not in words(330)
    fleets.js("app.setLayer('fleet_robot', true); app.seek(560)")
    case = fleets.js("return app.happenings.find((h) => h.kind === 'found').index")
    fleets.js("app.choose('happening-' + arg)", case)
    assert "case/700002/1" in fleets.page.locator("#chosen").inner_text()


def test_pointing_at_a_unit_names_it(fleets):
    spot = fleets.js(
        """
        app.seek(600);
        const s = app.locateUnit("robot-1", 600);
        app.fly({ zoom: 16, longitude: app.city.centre[0] + s.x, latitude: app.city.centre[1] + s.y }, 0);
        return new Promise((done) => setTimeout(() => {
          const d = app.view.unitSpots.find((s) => s.unit.id === "robot-1");
          done(app.view.viewport().project([app.city.centre[0] + d.x, app.city.centre[1] + d.y]));
        }, 600));
        """
    )
    fleets.page.mouse.click(spot[0], spot[1])
    assert fleets.js("return app.chosen && app.chosen.id") == "robot-1"


def test_a_link_restores_a_unit(fleets, open_page, fleet_page_file):
    other = open_page(fleet_page_file, "#t=06:35:30&id=robot-1&follow=1")
    assert "halted: rain" in other.page.locator("#chosen").inner_text()
    assert other.js("return app.following") is True


def test_chinese_fleets(open_page, fleet_dir, tmp_path):
    file = viz_map.build(fleet_dir, tmp_path / "zh.html", lang="zh")
    page = open_page(file)
    page.js("app.choose('robot-1'); app.seek(600); app.refreshChosen(true)")
    words = page.page.locator("body").inner_text()
    for wanted in ("配送机器人", "为何晚点", "靠边停车: 雨", "行驶偏慢", "车辆状态", "环卫机器人"):
        assert wanted in words, wanted
    silent(page, file)
