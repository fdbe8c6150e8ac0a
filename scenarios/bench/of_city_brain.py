"""The promises about the city brain, and how each is measured; :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from scenarios.bench.base import Promise
from twin.control.city_brain.alerting.engine import AlertEngine
from twin.domain.city_brain import Readings
from twin.domain.commands import Command
from twin.domain.messages import Message

CITY_BRAIN: tuple[Promise, ...] = (
    Promise("sensing_day", "sensing and alerting, 19,000 channels, 24 h, one core", "s", 40, 25),
    Promise("sensing_memory", "the same, peak memory of the process", "GB", 1, None),
    Promise("sensing_growth", "the same with 190,000 channels ÷ with 19,000, processor time", "×", 12, 10),
    Promise("alert_batch", "readings → alert decision, 99th percentile of a batch, wall", "ms", 2, 1),
    Promise("city_brain_added", "weekday with the whole city brain − the plain weekday", "s", 60, None),
)

#: nobody lives or drives: what is left is hazards, sensors and alerting
ALONE = (
    "people=null",
    "traffic={mode: free-flow, background: 0.01, fcd_period_s: 0}",
)
TENFOLD = "{channels: 190000, waters: 1600, fire_points: 3200}"
BATCH_HOURS = 3


class Runs(Protocol):
    """What these promises need of the bench."""

    def run(self, name: str, scenario: str, *sets: str) -> dict[str, Any]:
        """Run a scenario once in a process of its own; see the bench."""


class TimedEngine(AlertEngine):
    """The engine, with the time of each call that brings readings written down."""

    seconds: list[float] = []  # noqa: RUF012 (one for all: a run makes its own object)

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Decide, and take the time."""
        began = time.perf_counter()
        out = super().decide(now_s, messages)
        if any(isinstance(m, Readings) for m in messages):
            self.seconds.append(time.perf_counter() - began)
        return out


def batch_seconds(hours: float = BATCH_HOURS, channels: int = 19_000) -> list[float]:
    """Return the wall time of every batch of readings of some hours of the shipped district, s."""
    from geo.city import City
    from scenarios import load
    from twin.cities import city_folder
    from twin.simulation import Simulation

    scenario = load(
        "weekday",
        people=None,
        traffic={"mode": "free-flow", "background": 0.01, "fcd_period_s": 0},
        start="15:00",
        city_brain={"responders": None, "sensors": {"channels": channels}, "alerting": {"desk": TimedEngine}},
    )
    folder = city_folder(scenario)
    simulation = Simulation(scenario, City.load(folder), folder, seed=1)
    TimedEngine.seconds.clear()
    simulation.run_until(scenario.start_s + round(hours * 3600))
    simulation.finish()
    return list(TimedEngine.seconds)


class OfCityBrain:
    """Methods of the bench, one a promise."""

    def sensing_day(self: Runs) -> tuple[float, str]:
        """Wall time of a day of hazards, sensors and alerting alone, with log and journal, start of the process."""
        r = self.run("sensing", "weekday", *ALONE, "city_brain={responders: null}")
        return r["wall_s"], f"{r['facts']:,} facts, {r['memory_gb']:.2f} GB"

    def sensing_memory(self: Runs) -> tuple[float, str]:
        """Peak resident memory of that process."""
        r = self.run("sensing", "weekday", *ALONE, "city_brain={responders: null}")
        return r["memory_gb"], "peak resident set of the process"

    def sensing_growth(self: Runs) -> tuple[float, str]:
        """Wall time with ten times the channels ÷ with those of the facts."""
        one = self.run("sensing", "weekday", *ALONE, "city_brain={responders: null}")
        ten = self.run("sensing10", "weekday", *ALONE, f"city_brain={{responders: null, sensors: {TENFOLD}}}")
        return ten["wall_s"] / one["wall_s"], f"{ten['wall_s']:.1f} s against {one['wall_s']:.1f} s"

    def alert_batch(self) -> tuple[float, str]:
        """99th percentile of the engine's time for a batch of readings.

        The same hours run twice, and the lesser time of each batch counts: what else runs on a machine only adds.
        """
        seconds = np.minimum(batch_seconds(), batch_seconds())
        p99 = 1e3 * float(np.quantile(seconds, 0.99))
        return p99, f"{seconds.size:,} batches, median {1e3 * float(np.median(seconds)):.2f} ms"

    def city_brain_added(self: Runs) -> tuple[float, str]:
        """Wall time of the weekday with everything of the city brain − the same day without."""
        plain, all_of_it = self.run("weekday", "weekday"), self.run("city_brain", "weekday", "city_brain={}")
        return all_of_it["wall_s"] - plain["wall_s"], f"{all_of_it['wall_s']:.1f} s against {plain['wall_s']:.1f} s"
