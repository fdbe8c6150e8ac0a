"""The signals of any SUMO network: read as phases, shown second by second as SUMO itself would."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo.errors import CityError
from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.layout import Layout
from twin.control.junctions.safety import Monitor
from twin.control.junctions.signal_control import SignalControl
from twin.dice import Stream
from twin.domain.junctions import ShowPhases
from twin.domain.wire import decode, encode
from twin.errors import ControlError
from twin.world.junctions.crossings import KEPT, crossings_of, read_crossings
from twin.world.junctions.edge_perception import EdgePerception
from twin.world.junctions.perception import LanePerception, Sense
from twin.world.junctions.programs import Step, read_program
from twin.world.junctions.read_map import SignalNet, read_map
from twin.world.junctions.signals import Signals

DATA = Path(__file__).parents[4].parent / "shared" / "data"
JINAN = DATA / "jinan_3x4" / "jinan_real.net.xml"
BOLOGNA = DATA / "bologna_acosta" / "acosta" / "acosta_buslanes.net.xml"
HERSFELD = DATA / "bad_hersfeld" / "osm" / "osm_edited.net.xml.gz"


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Network and routes of a small grid with signals and crossings for walkers."""
    import sumo

    folder = tmp_path_factory.mktemp("signals")
    net, routes = folder / "grid.net.xml", folder / "grid.rou.xml"
    run = [
        str(Path(sumo.SUMO_HOME) / "bin" / "netgenerate"),
        "--grid",
        "--grid.number",
        "2",
        "--grid.attach-length",
        "250",
    ]
    run += ["--grid.length", "250", "--default.lanenumber", "2", "--default-junction-type", "traffic_light"]
    run += ["--sidewalks.guess", "--crossings.guess", "-o", str(net)]
    subprocess.run(run, check=True, capture_output=True, env={"SUMO_HOME": sumo.SUMO_HOME})
    trips = [
        f'<trip id="{i}" depart="{2 * i}" from="{a}" to="{b}"/>'
        for i in range(300)
        for a, b in [[("left0A0", "B0right0"), ("bottom1B0", "B1top1"), ("top0A1", "A0bottom0")][i % 3]]
    ]
    routes.write_text("<routes>" + "".join(trips) + "</routes>", encoding="utf-8")
    return net, routes


@contextmanager
def started(net: Path, *options: str) -> Iterator[tuple[Any, SignalNet]]:
    import libsumo

    libsumo.start(["sumo", "-n", str(net), "--no-warnings", "--no-step-log", "--duration-log.disable", *options])
    try:
        roads = {edge: i for i, edge in enumerate(libsumo.edge.getIDList())}
        yield libsumo, read_map(libsumo, net, roads, 0)
    finally:
        libsumo.close()


class Restless:
    """Changes every junction as often as it may, to another phase each time."""

    def wish(self, view):
        layout, first = view.layout, view.layout.first_phase[:-1]
        step = 1 + (view.since_s // 3 + np.arange(layout.n_junctions)) % np.maximum(layout.phases - 1, 1)
        wish = first + (view.phase - first + step) % layout.phases
        return view.or_stay(np.where(layout.change_time(view.phase, wish) >= 0, wish, view.phase))


def as_sumo_shows_it(net: Path, seconds: int) -> int:
    """Let cabinets and SUMO's own programs run side by side; return the number of junctions."""
    with started(net) as (sumo, read):
        layout = Layout.of(read.told)
        cabinets, monitor = Cabinets(layout, 0), Monitor(layout)
        for t in range(seconds):
            cabinets.step(t)
            monitor.look(t, cabinets.states)
            sumo.simulationStep()
            shown = [sumo.trafficlight.getRedYellowGreenState(name) for name in read.tls]
            assert cabinets.states == shown, t
        return layout.n_junctions


def test_own_programs_are_shown_as_sumo_does(grid):
    assert as_sumo_shows_it(grid[0], 300) == 4


@pytest.mark.parametrize(("net", "signals"), [(JINAN, 12), (BOLOGNA, 7)])
def test_own_programs_of_real_networks_too(net, signals):
    if not net.is_file():
        pytest.skip(f"needs {net.parent} beside the project")
    assert as_sumo_shows_it(net, 300) == signals


@pytest.mark.parametrize("net", [JINAN, BOLOGNA, HERSFELD, None])
def test_any_order_of_phases_is_safe(net, grid):
    net = net or grid[0]
    if not net.is_file():
        pytest.skip(f"needs {net.parent} beside the project")
    with started(net) as (sumo, read):
        signals, control = Signals(sumo, read, 0), SignalControl(Restless())
        control.decide(0, [read.told])
        blank = LanePerception(sumo, read)
        seen = set()
        for t in range(160):
            commands = control.decide(t, [signals.tell(t), blank.look(t)])
            signals.carry_out(t, commands)
            signals.step(t)
            seen.update(signals.cabinets.stages.phase.tolist())
        assert signals.seconds_checked == 160
        assert len(seen) > 0.6 * signals.layout.n_phases


def test_a_network_that_is_not_there_or_has_no_signals():
    with pytest.raises(CityError, match="nowhere"):
        read_crossings(Path("nowhere.net.xml"))


def test_what_a_network_says_is_kept_beside_it_as_it_was_read(grid: tuple[Path, Path], tmp_path: Path) -> None:
    net = tmp_path / "net.net.xml"
    net.write_bytes(grid[0].read_bytes())
    read = read_crossings(net)
    assert read.links
    assert crossings_of(net) == read
    assert (tmp_path / KEPT).is_file()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("twin.world.junctions.crossings.read_crossings", lambda _: pytest.fail("it is kept"))
        assert crossings_of(net) == read
    (tmp_path / KEPT).write_text('{"of": [', encoding="utf-8")  # cut off
    assert crossings_of(net) == read
    net.write_text("<net/>", encoding="utf-8")  # another network
    assert not crossings_of(net).links
    assert read_program([Step("GG", 30, 30, 30), Step("yy", 3, 3, 3)], 0, set(), set(), {}) is None


def test_the_map_survives_the_wire(grid):
    with started(grid[0]) as (_, read):
        back = decode(encode(read.told))
        assert encode(back) == encode(read.told)
        told = read.told
        assert told.group_walk.any()
        assert ((told.conflict_clear_s > 0) | (told.conflict_yields > 0)).mean() > 0.5
        assert set(told.lane_length_m.tolist()) != {0.0}


def test_walkers_clearance_is_kept_when_phases_come_out_of_order():
    # walkers (group 1) cross group 0: 12 m at 1.2 m/s are 10 s; the program never goes from walkers to 0 directly
    steps = [
        Step(s, d, d, d)
        for s, d in (("Grr", 20), ("yrr", 3), ("rrG", 20), ("rry", 3), ("rGr", 15), ("rrr", 12), ("rrG", 9), ("rry", 3))
    ]
    foes = {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)}
    program = read_program(steps, 0, foes, set(), {1: 12.0})
    assert program is not None
    walk, cars = program.states.index("rGr"), program.states.index("Grr")
    assert sum(s for _, s in program.changes[walk, cars]) >= 10
    assert all("y" not in state[1] for steps in program.changes.values() for state, _ in steps)


def test_an_unsafe_order_is_refused_by_the_adapter(grid):
    with started(grid[0]) as (sumo, read):
        signals = Signals(sumo, read, 0)
        stages = signals.cabinets.stages
        every = np.arange(4)
        signals.carry_out(0, [ShowPhases("a", every, stages.phase.copy(), 50)])
        signals.step(0)
        with pytest.raises(ControlError, match=r"at 1 s: junction '\w+' was asked to end phase"):
            signals.carry_out(1, [ShowPhases("b", every, signals.layout.next_in_order(stages.phase), 50)])


def test_orders_do_not_reach_a_cabinet_without_link(grid):
    with started(grid[0]) as (sumo, read):
        signals = Signals(sumo, read, 0)
        told = signals.set_links(0, np.array([2]), up=False)
        assert (told.junction.tolist(), told.up.tolist()) == ([2], [0])
        signals.carry_out(0, [ShowPhases("a", np.arange(4), signals.cabinets.stages.phase.copy(), 50)])
        assert signals.cabinets.mode(0).tolist() == [1, 1, 0, 1]
        assert signals.tell(0).junction.tolist() == [0, 1, 3]


# -- perception -------------------------------------------------------------------------------------------


def looked(grid, sense: Sense, seconds: int = 120, seed: int = 1, more: str = ""):
    """What perception tells each second, and how many vehicles truly stand and drive on the approach lanes."""
    net, routes = grid
    out, truth = [], []
    with started(net, "-r", str(routes), *(["--scale", more] if more else [])) as (sumo, read):
        eyes = LanePerception(sumo, read, Stream(seed, "junctions.perception"), (sense,) * 4)
        for t in range(seconds):
            sumo.simulationStep()
            reading = eyes.look(t)
            out.append(reading)
            near = [
                sumo.lane.getLength(lane) - sumo.vehicle.getLanePosition(v) <= sense.range_m
                for lane in read.lane_ids
                for v in sumo.lane.getLastStepVehicleIDs(lane)
            ]
            truth.append(sum(near))
    return out, np.array(truth)


def total(readings) -> np.ndarray:
    return np.array([np.nansum(r.queue) + np.nansum(r.moving) for r in readings])


def test_perfect_eyes_see_all_in_range_and_nothing_else(grid):
    for range_m in (40.0, 150.0):
        seen, truth = looked(grid, Sense(range_m, 0.0, 0.0, True))
        assert total(seen).tolist() == truth.tolist()
        assert truth.max() > 3
        assert all((r.object_eta_s >= 0).all() and r.object_lane.size == r.moving.sum() for r in seen)


def test_misses_and_false_vehicles_come_at_their_rates(grid):
    perfect, _ = looked(grid, Sense(150.0, 0.0, 0.0, True), 300)
    missing, _ = looked(grid, Sense(150.0, 0.3, 0.0, True), 300)
    n = total(perfect).sum()
    # misses last 5 s, so a standard deviation of about sqrt(5 · 0.3 · 0.7 / n)
    assert 1 - total(missing).sum() / n == pytest.approx(0.3, abs=4 * np.sqrt(5 * 0.21 / n))
    ghosts, _ = looked(grid, Sense(150.0, 0.0, 0.1, True), 300)
    lanes = 4 * 4 * 2
    more = (total(ghosts) - total(perfect)).mean() / lanes
    assert more == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / (lanes * 60)))


def test_passed_counts_everybody_once(grid):
    seen, _ = looked(grid, Sense(150.0, 0.0, 0.0, True), 400)
    passed = np.nansum([np.nansum(r.passed) for r in seen])
    with started(grid[0], "-r", str(grid[1])) as (sumo, read):
        edges, before, truth = sorted(set(read.lane_edges)), {}, 0
        for _ in range(400):
            sumo.simulationStep()
            now = {v: e for e in edges for v in sumo.edge.getLastStepVehicleIDs(e)}
            truth += sum(now.get(v) != e for v, e in before.items())
            before = now
    assert passed == truth > 50


def test_another_seed_is_another_sight_and_the_same_seed_the_same(grid):
    a, b, c = (looked(grid, Sense(150.0, 0.3, 0.05, True), 60, seed=s)[0] for s in (1, 1, 2))
    assert [encode(r) for r in a] == [encode(r) for r in b]
    assert [encode(r) for r in a] != [encode(r) for r in c]


# -- meso ---------------------------------------------------------------------------------------------------

MESO = (
    "--mesosim",
    "--meso-junction-control",
    "--meso-interpolate-pos",
    "--meso-edgelength",
    "300",
    "--time-to-teleport",
    "-1",
)


def test_in_meso_signals_hold_and_release_traffic_and_are_perceived(grid):
    net, routes = grid

    def arrived(green: bool) -> int:
        with started(net, "-r", str(routes), *MESO) as (sumo, read):
            count = 0
            for _ in range(400):
                for name in read.tls:
                    width = len(sumo.trafficlight.getRedYellowGreenState(name))
                    sumo.trafficlight.setRedYellowGreenState(name, ("G" if green else "r") * width)
                sumo.simulationStep()
                count += sumo.simulation.getArrivedNumber()
            return count

    assert arrived(green=False) == 0
    assert arrived(green=True) > 100


def test_edges_are_perceived_in_meso_as_they_are(grid):
    net, routes = grid
    with started(net, "-r", str(routes), *MESO) as (sumo, read):
        eyes = EdgePerception(sumo, read, None, (Sense(1e4, 0.0, 0.0, True),) * 4)
        passed = truth = 0
        edges, before = sorted(set(read.lane_edges)), {}
        for t in range(300):
            sumo.simulationStep()
            reading = eyes.look(t)
            now = {v: e for e in edges for v in sumo.edge.getLastStepVehicleIDs(e)}
            assert reading.queue.sum() + reading.moving.sum() == len(now)
            # who goes from one signal's road to the next one's has passed, too, but is in sight all the time
            passed += reading.passed.sum()
            truth += len(before.keys() - now.keys())
            before = now
        assert passed == truth > 50
