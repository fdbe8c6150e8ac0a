"""Junctions on the map: what the page is given, and what a real browser shows of a signal that is chosen."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from geo.city import City
from tests.cities import city_of_grid
from tests.viz.conftest import Opened, silent
from twin import run_folder
from twin.domain.junctions import ShowPhases, SignalStates
from twin.events import ApproachDelayed, PhasesShown
from twin.log import Facts
from twin.scenario import Scenario
from twin.simulation import Simulation, carry_through
from viz import junctions
from viz import map as viz_map
from viz.geometry import Frame
from viz.pack import unpack, unwide, unzigzag


@pytest.fixture(scope="module")
def crossing_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossings")
    city = city_of_grid(3, 300, "B1")
    place = city.save(folder / "city")
    out = folder / "run"
    (out / "journal").mkdir(parents=True)
    s = Scenario.model_validate(
        {
            "name": "crossings", "city": str(place), "start": "08:00", "end": "08:20", "people": None,
            "traffic": {"mode": "micro", "background": 3.0, "fcd_period_s": 10},
            "junctions": {"policy": "adaptive", "grade": "L3", "v2x": {"penetration": 0.5}},
        }
    )  # fmt: skip
    carry_through(Simulation(s, City.load(place), place, 1, out))
    assert run_folder.read_stamp(out)["ended"] == "finished"
    return out


@pytest.fixture(scope="module")
def crossing_page(crossing_run):
    return viz_map.build(crossing_run)


def pixel(png: bytes, x: int, y: int) -> tuple[int, ...]:
    """Return red, green and blue of a pixel of a screenshot."""
    image = pytest.importorskip("PIL.Image")
    return image.open(io.BytesIO(png)).convert("RGB").getpixel((x, y))


def column(meta, streams, table, key):
    values = unzigzag(unwide(streams[f"{table}.{key}"]))
    return np.cumsum(values) if meta["tables"][table][key] else values


def test_the_page_is_given_what_the_facts_tell(crossing_run) -> None:
    facts = junctions.facts_of(crossing_run / "events.parquet")
    assert facts is not None
    city = city_of_grid(3, 300, "B1")
    meta, streams = unpack(junctions.container(facts, city, Frame.of(city), 28_800))
    log = Facts.read(crossing_run)
    shown = log.frame(PhasesShown)
    assert column(meta, streams, "greens", "t").size == sum(len(s.split()) for s in shown["shown"])
    first = re.match(r"(\d+)@(\d+)", shown["shown"].iloc[0])
    begin = int(shown["t_s"].iloc[0] - shown["period_s"].iloc[0]) - 28_800
    assert column(meta, streams, "greens", "t")[0] == begin + int(first[2])
    assert column(meta, streams, "greens", "phase")[0] == int(first[1])
    delayed = log.frame(ApproachDelayed)
    assert column(meta, streams, "delays", "passed").sum() == np.rint(delayed["passed_veh"]).sum()
    # vehicle-seconds lost per second of the period are vehicles held up
    keys = np.column_stack([column(meta, streams, "delays", c) for c in ("junction", "t", "road")]).tolist()
    assert len(keys) == len(delayed)
    queue = dict(zip(map(tuple, keys), column(meta, streams, "delays", "queue"), strict=True))
    for row in delayed.itertuples():
        mean = row.delay_veh_s / row.period_s
        assert queue[row.junction, row.t_s - 28_800, row.road] == pytest.approx(100 * mean, abs=0.5)
    assert max(queue.values()) > 0
    assert column(meta, streams, "junctions", "signal").tolist() == [0]
    assert meta["words"][column(meta, streams, "junctions", "name")[0]] == "B1"


def test_a_run_without_signals_under_control_has_none(run_dir) -> None:
    assert junctions.facts_of(run_dir / "events.parquet") is None


@pytest.mark.browser
def test_a_chosen_signal_tells_its_phases_and_delays(browser, crossing_page) -> None:
    page = Opened(browser, crossing_page)
    try:
        page.js("app.seek(600); app.setLayer('junction_delay', true); app.setLayer('junction_coverage', true);")
        page.js("app.choose('signal-0', true);")
        page.page.wait_for_timeout(900)
        text = page.page.locator("#chosen").inner_text()
        assert "B1" in text
        assert "L3" in text
        assert "central control" in text
        assert page.page.locator("#chosen .strip [data-phase]").count() >= 3
        assert "s/veh" in text
        delayed = Facts.read(crossing_page.parent).frame(ApproachDelayed)
        now = delayed[(delayed["t_s"] == 28_800 + 900) & (delayed["junction"] == 0)]
        means = [f"{v:.2f}" for v in sorted(np.rint(100 * now["delay_veh_s"] / now["period_s"]) / 100)]
        told = re.findall(r"queue, mean vehicles\s+(\d+\.\d\d)", text, re.IGNORECASE)
        assert sorted(told, key=float) == means
        # a bar along every approach where somebody is held up, as wide as the queue is long
        bars = page.js(
            "const f = app.junctions, c = app.city; return f.bars(f.queued(600), 60).map(({ pixels, points: p }) => {"
            " let m = 0; for (let k = 1; k < p.length; k++)"
            " m += Math.hypot((p[k][0] - p[k - 1][0]) * c.mPerLon, (p[k][1] - p[k - 1][1]) * c.mPerLat);"
            " return [pixels, m]; });"
        )
        waits = [float(m) for m in means if float(m) > 0]
        assert len(waits) > 1
        assert sorted(b[0] for b in bars) == pytest.approx([min(24, 2 + 2 * m) for m in waits])
        assert [b[1] for b in bars] == pytest.approx([60] * len(waits), abs=0.5)
        # the strip says what the facts say
        shown = page.js(
            "const f = app.junctions; const k = f.phaseAt(0, 600); return [f.greens.phase[k], f.greens.t[k]];"
        )
        log = Facts.read(crossing_page.parent).frame(PhasesShown)
        greens = [
            (int(t - p) + int(w.partition("@")[2]) - 28_800, int(w.partition("@")[0]))
            for t, p, line in zip(log["t_s"], log["period_s"], log["shown"], strict=True)
            for w in line.split()
        ]
        assert (shown[1], shown[0]) == max(g for g in greens if g[0] <= 600)
        # its dot has the colour of that phase, also after the moment was changed
        for second in (600, 700):
            page.js(f"app.seek({second}); app.camera = {{...app.camera, zoom: 15}}; app.setLayer('vehicles', false);")
            page.page.wait_for_timeout(700)
            colour = page.js(
                "return app.junctions.colour(app.junctions.greens.phase[app.junctions.phaseAt(0, app.now)]);"
            )
            spot = page.js(
                "const v = app.view.viewport(); return v.project([app.city.centre[0] + app.junctions.spot(0)[0],"
                " app.city.centre[1] + app.junctions.spot(0)[1]]);"
            )
            seen = pixel(page.page.screenshot(), round(spot[0]), round(spot[1]))
            assert np.abs(np.array(seen) - colour).max() < 40, (second, seen, colour)
        # and is picked where it is drawn
        size = page.page.viewport_size
        picked = page.js(
            "const v = app.view.viewport(); const [x, y] = v.project([app.city.centre[0] + app.junctions.spot(0)[0],"
            " app.city.centre[1] + app.junctions.spot(0)[1]]); return app.pick(x, y, true);"
        )
        assert size
        assert picked.startswith(("signal-", "car-", "through-", "freight-"))
        silent(page, crossing_page)
    finally:
        page.close()


@pytest.mark.browser
def test_it_speaks_chinese(browser, crossing_run, tmp_path) -> None:
    file = viz_map.build(crossing_run, tmp_path / "zh.html", "zh")
    page = Opened(browser, file, "#id=signal-0")
    try:
        page.wait("document.querySelector('#chosen').innerText.includes('各进口道延误')")
        silent(page, file)
    finally:
        page.close()


class Idle:
    """Central control that holds every junction in the green it finds."""

    def decide(self, now_s: int, messages) -> list[ShowPhases]:
        states = [m for m in messages if isinstance(m, SignalStates)]
        return [ShowPhases(f"signals/show/{now_s}", m.junction, m.to_phase, now_s + 5) for m in states]


@pytest.mark.browser
def test_a_green_that_never_ends_fills_its_strip(browser, tmp_path) -> None:
    city = city_of_grid(3, 300, "B1")
    out = run_folder.prepare(tmp_path / "run")
    place = city.save(tmp_path / "city")
    s = Scenario.model_validate(
        {
            "name": "idle", "city": str(place), "start": "08:00", "end": "08:10", "people": None,
            "traffic": {"mode": "micro", "background": 1.0, "fcd_period_s": 10},
            "junctions": {"policy": "adaptive", "desk": lambda *_: Idle()},
        }
    )  # fmt: skip
    carry_through(Simulation(s, City.load(place), place, 1, out))
    page = Opened(browser, viz_map.build(out))
    try:
        page.js("app.seek(300); app.choose('signal-0', true);")
        page.page.wait_for_timeout(500)
        parts = page.page.locator("#chosen .strip [data-phase]")
        assert parts.count() == 1
        assert "green since 08:00:00" in page.page.locator("#chosen").inner_text()
        box, strip = parts.bounding_box(), page.page.locator("#chosen .strip").bounding_box()
        assert box["width"] == pytest.approx(strip["width"], abs=3)  # five minutes either way
    finally:
        page.close()
