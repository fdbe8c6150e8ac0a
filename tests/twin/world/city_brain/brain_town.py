"""Runs of the city brain for tests: the shipped district in free flow with next to nobody on the road."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from geo.city import City
from scenarios import load
from twin.cities import city_folder
from twin.scenario import Scenario
from twin.simulation import Run, Simulation

SURE = {"operator_hit": 1.0, "operator_false": 0.0, "detectors": False}


@cache
def folder() -> Path:
    return Path(city_folder(load("weekday")))


@cache
def city() -> City:
    return City.load(folder())


def scenario(start: str = "14:00", end: str = "16:00", **changes: Any) -> Scenario:
    brain = {"responders": None, **changes.pop("city_brain", {})}
    return load(
        "weekday",
        people=None,
        traffic={"mode": "free-flow", "background": 0.01, "fcd_period_s": 0},
        start=start,
        end=end,
        city_brain=brain,
        **changes,
    )


def simulation(seed: int = 1, out: Path | None = None, **changes: Any) -> Simulation:
    return Simulation(scenario(**changes), city(), folder(), seed, out)


def run(seed: int = 1, out: Path | None = None, **changes: Any) -> Run:
    sim = simulation(seed, out, **changes)
    sim.run_until(sim.end_s)
    return sim.finish()
