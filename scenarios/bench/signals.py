"""Signal control on real networks: mean travel time under a policy, seed by seed.

The truth is plain SUMO with the signals, perception and control of the twin around it; perception is imperfect, by
grade. Mean travel time is SUMO's own, over all vehicles, those still under way included; run as the data's README says
(``--end 7200 --time-to-teleport -1``).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.bench.jinan import data_folder
from twin.control.junctions.actuated import Actuated
from twin.control.junctions.fixed import Fixed
from twin.control.junctions.green_wave import GreenWave
from twin.control.junctions.max_pressure import MaxPressure, SteadyMaxPressure
from twin.control.junctions.platoons import Platoons
from twin.control.junctions.ports import PlanPolicy, SignalPolicy
from twin.control.junctions.signal_control import SignalControl
from twin.control.junctions.webster import WebsterByHour

#: policies by name; "plan": no control at all, the network's own programs
POLICIES: Mapping[str, Callable[[], SignalPolicy | None]] = {
    "plan": lambda: None,
    "fixed": Fixed,
    "actuated": Actuated,
    "max-pressure": MaxPressure,
    "steady-max-pressure": SteadyMaxPressure,
    "platoons": Platoons,
    "webster": lambda: None,
    "green-wave": lambda: None,
}
PLANNERS: Mapping[str, Callable[[], PlanPolicy]] = {"webster": WebsterByHour, "green-wave": GreenWave}
PLAN_EVERY_S = 900


@dataclass(frozen=True)
class Case:
    """A network and its demand: SUMO's options, and how long to run."""

    net: Path
    options: tuple[str, ...]
    end_s: int


@dataclass(frozen=True)
class Outcome:
    """What one run came to.

    ``travel_s``: mean over vehicles that entered; ``entry_s``: mean wait to enter; ``in_system_h``: hours that vehicles
    spent under way or waiting to enter; ``decision_us``: per junction and decision.
    """

    policy: str
    seed: int
    travel_s: float
    entry_s: float
    in_system_h: float
    vehicles: int
    arrived: int
    decision_us: float
    wall_s: float


def jinan(folder: Path, demand: Path | None = None) -> Case:
    """Return the real demand of Jinan 3 × 4 (or another ``demand`` on its grid)."""
    routes = demand or folder / "jinan_real.rou.xml"
    return Case(folder / "jinan_real.net.xml", ("-r", str(routes), "--time-to-teleport", "-1"), 7200)


def bologna(folder: Path) -> Case:
    """Return Bologna acosta (``folder`` holds ``run.sumocfg``) with its own demand."""
    net = folder / "acosta_buslanes.net.xml"
    more = ",".join(str(folder / f"acosta_{n}.add.xml") for n in ("vtypes", "bus_stops", "tls"))
    routes = ",".join(str(folder / f"acosta{n}.rou.xml") for n in ("", "_busses"))
    return Case(net, ("-r", routes, "-a", more), 5400)


def drive(case: Case, policy: str, seed: int, options: Sequence[str] = (), grade: str = "L2") -> Outcome:
    """Run one case in this process (SUMO must not run here already)."""
    import libsumo

    from twin.dice import Dice
    from twin.world.junctions.perception import LanePerception
    from twin.world.junctions.read_map import read_map
    from twin.world.junctions.signals import Signals

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "statistic.xml"
        args = ["sumo", "-n", str(case.net), *case.options, "--seed", str(seed), "--end", str(case.end_s)]
        args += ["--no-step-log", "--no-warnings", "--duration-log.statistics", "--statistic-output", str(out)]
        libsumo.start([*args, "--tripinfo-output.write-unfinished", *options])
        try:
            roads = {edge: i for i, edge in enumerate(libsumo.edge.getIDList())}
            net = read_map(libsumo, case.net, roads, 0, grade=grade)
            signals = Signals(libsumo, net, 0)
            perception = LanePerception(libsumo, net, Dice(seed).stream("junctions.perception"))
            planner = PLANNERS[policy]() if policy in PLANNERS else None
            control = SignalControl(POLICIES[policy](), planner, plan_every_s=PLAN_EVERY_S)
            control.decide(0, [net.told])
            deciding, seconds, present, arrived = 0.0, 0, 0, 0
            for t in range(case.end_s):
                if policy != "plan":
                    messages = [signals.tell(t), perception.look(t)]
                    at = time.perf_counter()
                    commands = control.decide(t, messages)
                    deciding += time.perf_counter() - at
                    signals.carry_out(t, commands)
                signals.step(t)
                libsumo.simulationStep()
                seconds += 1
                present += libsumo.vehicle.getIDCount() + len(libsumo.simulation.getPendingVehicles())
                arrived += libsumo.simulation.getArrivedNumber()
                if t % 60 == 0 and libsumo.simulation.getMinExpectedNumber() == 0:
                    break
        finally:
            libsumo.close()
        said = out.read_text(encoding="utf-8")

    def figure(name: str) -> float:
        found = re.search(rf'<vehicleTripStatistics[^>]* {name}="([-\d.]+)"', said)
        assert found is not None
        return float(found[1])

    return Outcome(
        policy, seed, figure("duration"), figure("departDelay"), present / 3600.0, int(figure("count")), arrived,
        1e6 * deciding / max(seconds, 1) / len(net.tls), time.perf_counter() - began,
    )  # fmt: skip


def adaptive_mean_s(policy: str = "platoons", seeds: Sequence[int] = (1, 2, 3, 4, 5)) -> tuple[float | None, str]:
    """Return the mean travel time on jinan_3x4 over ``seeds``, each in a process of its own, and a note."""
    folder = data_folder()
    if folder is None:
        return None, f"not measured: {Path('..') / 'shared' / 'data' / 'jinan_3x4'} is not there"
    means = []
    for seed in seeds:
        command = [sys.executable, "-m", "scenarios.bench.signals", "jinan", policy, str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
        means.append(float(done.stdout.rsplit("travel ", 1)[1].split()[0]))
    return sum(means) / len(means), f"{policy}: " + ", ".join(f"{m:.1f}" for m in means) + " s"


def main(where: str, policy: str, seed: str = "1", *options: str) -> None:
    """Print one line: ``jinan|bologna POLICY SEED [DEMAND.rou.xml] [SUMO option …]``."""
    folder = data_folder()
    if folder is None:
        raise SystemExit("the data folder ../shared/data is not there")
    demand = next((Path(o) for o in options if o.endswith(".rou.xml")), None)
    options = tuple(o for o in options if not o.endswith(".rou.xml"))
    case = jinan(folder, demand) if where == "jinan" else bologna(folder.parent / "bologna_acosta" / "acosta")
    o = drive(case, policy, int(seed), options)
    print(
        f"{where} {o.policy} seed {o.seed} travel {o.travel_s:.1f} s, entry {o.entry_s:.1f} s,"
        f" in system {o.in_system_h:.1f} h, {o.arrived} of {o.vehicles} arrived,"
        f" decision {o.decision_us:.0f} us, wall {o.wall_s:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
