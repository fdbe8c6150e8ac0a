"""Bus priority over seeds: the same morning with and without, pair by pair; and what a decision takes.

``python -m scenarios.bench.bus_priority [SEEDS [SCENARIO]]`` prints a line per pair and the means with 95 % intervals.
SCENARIO: ``demo`` (06:30–09:30, everybody; the promise), or ``bus_priority`` (an hour, a fifth of the people). In the
demo all junctions are of grade L3 on their own plans; the fleets that do not ask for priority (delivery, sanitation,
supervision) and the positions for the map are left out.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Delays per passage in s, one row a seed: without priority, with it."""

    bus: Floats
    cross: Floats
    everybody: Floats

    @property
    def bus_percent(self) -> float:
        """Mean change of the buses' delay."""
        return _percent(self.bus)[0]

    @property
    def cross_percent(self) -> float:
        """Mean change of the delay of those who cross."""
        return _percent(self.cross)[0]

    def note(self, which: str) -> str:
        """Return means and the 95 % interval of the change."""
        table: Floats = getattr(self, which)
        mean, half = _percent(table)
        without, with_it = table.mean(axis=0)
        return f"{without:.1f} s → {with_it:.1f} s, {mean:+.1f} % ± {half:.1f} %, {len(table)} seeds"


def _percent(table: Floats) -> tuple[float, float]:
    """Return the change in percent of the mean without, and half its 95 % interval (paired t)."""
    from scipy.stats import t as student

    change = 100 * (table[:, 1] - table[:, 0]) / table[:, 0].mean()
    n = change.size
    half = float(student.ppf(0.975, n - 1) * change.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return float(change.mean()), half


def one(seed: int, *, priority: bool, scenario: str = "demo") -> tuple[float, float, float]:
    """Return the delay of buses, of those who cross, and of all approaches, of one run."""
    from scenarios import kpis, load
    from twin.simulation import run

    junctions: dict[str, Any] = {"priority": ("bus", "shuttle") if priority else ()}
    more: dict[str, Any] = {}
    if scenario == "demo":
        junctions |= {"policy": "fixed", "grade": "L3", "interval_s": 5}
        more = {"traffic": {"fcd_period_s": 0}, "delivery": None, "sanitation": None, "supervision": None}
    log = run(load(scenario, junctions=junctions, **more), seed=seed).log
    bus, cross, everybody = (kpis.by_name(n)(log) for n in ("bus_signal_delay", "cross_delay", "signal_delay"))
    assert bus is not None
    assert cross is not None
    assert everybody is not None
    return bus, cross, everybody


@cache
def measured(seeds: int = 20, scenario: str = "demo") -> Measured:
    """Run the pairs (about 60 s of processor time each)."""
    rows = []
    for seed in range(1, seeds + 1):
        rows.append([one(seed, priority=asks, scenario=scenario) for asks in (False, True)])
        print(
            f"seed {seed}:",
            " → ".join("bus {:.2f}, cross {:.2f}, all {:.2f} s".format(*r) for r in rows[-1]),
            flush=True,
        )
    table = np.array(rows)
    return Measured(table[:, :, 0], table[:, :, 1], table[:, :, 2])


def decision_us() -> tuple[float, str]:
    """Return the mean processor time per junction of a decision in an hour of the district, and a note."""
    from scenarios import load
    from twin.control.junctions.platoons import Platoons
    from twin.control.junctions.signal_control import SignalControl
    from twin.simulation import run

    spent: list[float] = []

    class Timed(SignalControl):
        def decide(self, now_s: int, messages: Any) -> Any:
            began = time.process_time()
            out = super().decide(now_s, messages)
            spent.append(time.process_time() - began)
            return out

    scenario = load("weekday", start="07:00", end="08:00", junctions={"desk": lambda _: Timed(Platoons())})
    n = run(scenario, seed=1).log.frame("JunctionGraded").shape[0]
    mean = float(np.mean(spent))
    return 1e6 * mean / n, f"{len(spent)} decisions of {n} junctions, {1e3 * mean:.2f} ms each"


def main(seeds: str = "20", scenario: str = "demo") -> None:
    """Print the changes."""
    m = measured(int(seeds), scenario)
    print("bus  ", m.note("bus"))
    print("cross", m.note("cross"))
    print("all  ", m.note("everybody"))


if __name__ == "__main__":
    main(*sys.argv[1:])
