"""Signals in a run: every policy is safe every second, fixed is SUMO's own plan, faults degrade towards it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenarios import kpis
from tests.cities import city_of_grid
from twin.domain.junctions import ShowPhases, SignalStates
from twin.errors import ControlError, ScenarioError
from twin.events import (
    ApproachDelayed,
    JunctionGraded,
    PhasesShown,
    RunEnded,
    SignalLinkChanged,
    SignalsChecked,
    SignalsFellBack,
    SignalsTaken,
    VehicleArrived,
)
from twin.hosts import read_journal
from twin.run_folder import prepare
from twin.scenario import Scenario, load_scenario
from twin.scenario.junctions import POLICIES
from twin.simulation import Run, Simulation, carry_through
from twin.world.junctions.system import JunctionSystem

TLS = "B1,A1,C1,B0,B2"
POLICY_NAMES = [name for name in POLICIES if name != "fixed"]
MODES = ("micro", "meso")


def scenario(
    folder: Path, junctions: dict[str, Any] | None, mode: str = "micro", minutes: int = 6, load: float = 4.0, more=()
) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "signals", "city": str(folder), "start": "08:00", "end": f"08:{minutes:02d}", "people": None,
            "traffic": {"mode": mode, "background": load, "fcd_period_s": 0},
            "junctions": junctions, "interventions": list(more),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return city_of_grid(3, 300, TLS).save(tmp_path_factory.mktemp("junctions") / "city")


def simulate(
    folder: Path, junctions: dict[str, Any] | None, out: Path | None = None, seed: int = 1, **more: Any
) -> Run:
    s = scenario(folder, junctions, **more)
    return carry_through(Simulation(s, city_of_grid(3, 300, TLS), folder, seed, out))


def arrivals(run: Run) -> list[tuple[int, int]]:
    rows = run.log.frame(VehicleArrived)
    return sorted(zip(rows["vehicle"].tolist(), rows["duration_s"].tolist(), strict=True))


def delay_s(run: Run) -> float:
    value = kpis.by_name("signal_delay")(run.log)
    assert value is not None
    return value


@pytest.mark.parametrize("mode", ["micro", "meso"])
def test_fixed_is_exactly_what_sumo_shows_by_itself(folder: Path, mode: str) -> None:
    off = simulate(folder, None, mode=mode, minutes=5)
    fixed = simulate(folder, {"policy": "fixed"}, mode=mode, minutes=5)
    assert arrivals(off) == arrivals(fixed)
    assert len(arrivals(off)) > 20


@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_every_policy_is_seen_safe_every_second(folder: Path, policy: str) -> None:
    for mode in MODES:
        run = simulate(folder, {"policy": policy, "plan_every_s": 300}, mode=mode, minutes=6)
        seen = run.log.frame(SignalsChecked).iloc[0]
        assert (seen["junctions"], seen["seconds"], seen["refused"]) == (5, 360, 0)
        assert seen["turns"] > 30


def test_what_was_shown_is_in_the_log(folder: Path) -> None:
    run = simulate(folder, {"policy": "adaptive", "grade": "L2", "grades": [{"grade": "L0", "junctions": ["A1"]}]})
    graded = run.log.frame(JunctionGraded)
    assert dict(zip(graded["name"], graded["grade"], strict=True)) == {"A1": "L0"} | dict.fromkeys(
        ("B0", "B1", "B2", "C1"), "L2"
    )
    shown = run.log.frame(PhasesShown)
    assert set(shown["junction"]) == set(range(5))
    for row in shown.itertuples():
        seconds = [int(item.split("@")[1]) for item in row.shown.split()]
        assert seconds == sorted(seconds)
        assert seconds[0] >= 0
        assert seconds[-1] < row.period_s
    # what is green at the start is told, too: the own plan at 08:00, as in the network's programs
    assert (shown.groupby("junction")["shown"].first().str.split("@").str[1].str.split().str[0].astype(int) < 10).all()
    a1 = int(graded["junction"][graded["name"] == "A1"].iloc[0])
    assert a1 not in set(run.log.frame(SignalsTaken)["junction"])  # nothing is perceived there: it keeps its plan
    delays = run.log.frame(ApproachDelayed)
    assert (delays["delay_veh_s"] >= 0).all()
    # Little: vehicles arrive once at each approach they pass; most trips of the grid pass one to three signals
    passed = delays["passed_veh"].sum()
    assert 0.7 <= passed / len(arrivals(run)) <= 4


def test_a_green_that_never_ends_is_in_the_log(folder: Path) -> None:
    """Whoever holds what he finds gives no other green to tell of."""
    run = simulate(folder, {"policy": "adaptive", "desk": lambda _: _Idle()}, load=0.01, minutes=3)
    shown = run.log.frame(PhasesShown)
    assert sorted(shown["junction"]) == list(range(5))


class _Idle:
    """Central control that holds every junction in the green it finds."""

    def decide(self, now_s: int, messages: Any) -> list[ShowPhases]:
        states = [m for m in messages if isinstance(m, SignalStates)]
        return [ShowPhases(f"signals/show/{now_s}", m.junction, m.to_phase, now_s + 5) for m in states]


# -- faults -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fixed(folder: Path) -> float:
    return np.mean([delay_s(simulate(folder, {"policy": "fixed"}, seed=s)) for s in (1,)])


def faulty(folder: Path, **faults: float) -> float:
    runs = [simulate(folder, {"policy": "adaptive", "faults": faults}, seed=s) for s in (1,)]
    for run in runs:  # never below safety
        assert run.log.frame(RunEnded)["reason"].tolist() == ["finished"]
        assert run.log.frame(SignalsChecked)["seconds"].tolist() == [360]
    return float(np.mean([delay_s(run) for run in runs]))


def test_lost_messages_degrade_smoothly_to_the_plan(folder: Path, fixed: float) -> None:
    delays = [faulty(folder, message_loss=loss) for loss in (0.0, 0.5, 0.9)]
    assert delays[0] < 0.8 * fixed  # the test has power
    assert all(d <= 1.1 * fixed for d in delays)
    assert delays[0] <= 1.1 * min(delays)
    everything = simulate(folder, {"policy": "adaptive", "faults": {"message_loss": 1.0}})
    assert arrivals(everything) == arrivals(simulate(folder, {"policy": "fixed"}))


def test_latency_degrades_smoothly(folder: Path, fixed: float) -> None:
    delays = [faulty(folder, latency_s=s) for s in (0, 2, 5)]
    assert delays[0] < 0.8 * fixed
    assert all(d <= 1.1 * fixed for d in delays)


def test_dead_detectors_degrade_smoothly_to_the_plan(folder: Path, fixed: float) -> None:
    delays = [faulty(folder, detectors_dead=share) for share in (0.0, 0.5)]
    assert delays[0] < 0.8 * fixed
    assert delays[1] <= 1.15 * fixed
    blind = simulate(folder, {"policy": "adaptive", "faults": {"detectors_dead": 1.0}})
    assert arrivals(blind) == arrivals(simulate(folder, {"policy": "fixed"}))


def test_a_lost_link_is_a_fall_back_and_a_return_for_its_junction_alone(folder: Path) -> None:
    cut = {"kind": "signal_link_lost", "at": "08:04", "until": "08:07", "junctions": ["B1"]}
    run = simulate(folder, {"policy": "adaptive"}, more=[cut], minutes=8)
    graded = run.log.frame(JunctionGraded)
    b1 = int(graded["junction"][graded["name"] == "B1"].iloc[0])
    back, taken = run.log.frame(SignalsFellBack), run.log.frame(SignalsTaken)
    assert back[["junction", "reason"]].values.tolist() == [[b1, "link lost"]]
    at = 8 * 3600 + 4 * 60
    assert at <= back["t_s"].iloc[0] <= at + 6  # an order holds 3 × 1 + 2 s
    again = taken[taken["junction"] == b1]["t_s"].tolist()
    assert len(again) == 2
    assert at + 180 <= again[1] <= at + 183
    assert run.log.frame(SignalLinkChanged)["up"].tolist() == [False, True]
    assert run.log.frame(SignalsChecked)["seconds"].tolist() == [480]


def test_detectors_that_fail_for_a_while_come_back(folder: Path) -> None:
    dead = {"kind": "signal_detectors_fail", "at": "08:01", "until": "08:02", "junctions": ["all"]}
    run = simulate(folder, {"policy": "adaptive"}, more=[dead], minutes=3)
    assert set(run.log.frame(SignalsFellBack)["junction"]) == set(range(5))
    assert len(run.log.frame(SignalsTaken)) == 10


# -- the journal ------------------------------------------------------------------------------------------


def test_decisions_can_be_replayed_from_the_journal(folder: Path, tmp_path: Path) -> None:
    out = prepare(tmp_path / "run")
    junctions = {"policy": "adaptive", "grade": "L3", "priority": ["bus"]}
    run = simulate(folder, junctions, out=out, minutes=3)
    assert run.digest == simulate(folder, junctions, minutes=3).digest  # the journal changes nothing
    from twin.control.junctions.platoons import Platoons
    from twin.control.junctions.signal_control import SignalControl
    from twin.domain.wire import encode

    desk, calls = SignalControl(Platoons()), 0
    for now_s, messages, commands in read_journal(out / "journal" / "signals.jsonl"):
        assert [encode(c) for c in desk.decide(now_s, messages)] == [encode(c) for c in commands]
        calls += len(commands)
    assert calls > 180


# -- what is refused ----------------------------------------------------------------------------------------


class Careless:
    """Wants the next phase at once, minimum green or not."""

    def wish(self, view):
        return view.layout.next_in_order(view.to)


def test_a_policy_that_breaks_safety_ends_the_run_with_junction_and_second(folder: Path) -> None:
    with pytest.raises(ControlError, match=r"signals at 288\d\d s: junction '\w+' was asked"):
        simulate(folder, {"policy": f"{__name__}:Careless"}, minutes=5)


@pytest.mark.parametrize(
    ("junctions", "words"),
    [
        ({"policy": "adaptve"}, r"junctions.policy is .?adaptve.?; allowed: fixed, .*adaptive"),
        ({"grades": [{"grade": "L3"}]}, r"junctions.grades\[?.?0\]? names no junctions"),
        ({"interval_s": 0}, "interval_s"),
    ],
)
def test_bad_keys_are_one_sentence(folder: Path, junctions: dict[str, Any], words: str) -> None:
    with pytest.raises((ScenarioError, ValueError), match=words):
        scenario(folder, junctions)


def test_names_that_are_not_there_are_named(folder: Path) -> None:
    with pytest.raises(ScenarioError, match=r"grades\[0\].junctions has .*B9.*no such signal"):
        simulate(folder, {"grades": [{"grade": "L3", "junctions": ["B9"]}]})
    cut = {"kind": "signal_link_lost", "at": "08:01", "until": "08:02", "junctions": ["B9"]}
    with pytest.raises(ScenarioError, match=r"no junction .*B9"):
        simulate(folder, {}, more=[cut])


def test_free_flow_has_no_signals(folder: Path) -> None:
    with pytest.raises(ValueError, match="junctions needs signals, which free-flow traffic has not"):
        scenario(folder, {}, mode="free-flow")


def test_a_city_without_signals_is_named(tmp_path: Path) -> None:
    city = city_of_grid(2, 200)
    folder = city.save(tmp_path / "bare")
    with pytest.raises(ScenarioError, match="junctions needs signals, but grid has none"):
        Simulation(scenario(folder, {}), city, folder, 1)


# -- real networks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["fixed", "adaptive"])
def test_jinan_runs_with_its_own_programs(policy: str) -> None:
    data = Path(__file__).parents[4].parent / "shared" / "data" / "jinan_3x4"
    if not data.is_dir():
        pytest.skip("the shared data folder with jinan_3x4 is not beside the project")
    from geo.city import City
    from twin.cities import city_folder

    s = load_scenario("jinan_3x4").changed(end="00:04", junctions={"policy": policy}, traffic={"fcd_period_s": 0})
    folder = city_folder(s)
    run = carry_through(Simulation(s, City.load(folder), folder, 1))
    seen = run.log.frame(SignalsChecked).iloc[0]
    assert (seen["junctions"], seen["seconds"]) == (12, 240)


def test_the_system_is_one_of_the_run(folder: Path) -> None:
    s = scenario(folder, {}, minutes=2)
    simulation = Simulation(s, city_of_grid(3, 300, TLS), folder, 1)
    try:
        system = simulation.systems["junctions"]
        assert isinstance(system, JunctionSystem)
        assert "signals" in system.hosts
    finally:
        simulation.close()
