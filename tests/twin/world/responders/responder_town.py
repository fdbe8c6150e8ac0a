"""Runs of the city brain in the toy city for tests: hazards put at given seconds and places, told to the desk."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from geo.city import City
from scenarios import load
from tests.cities import shared_toy_city
from twin.clock import Phase
from twin.domain.incidents import Sign
from twin.simulation import Run, Simulation
from twin.world.city_brain.hazards import Beginning, hazard_number
from twin.world.city_brain.kinds import KINDS

START_S = 12 * 3600
MIX = ("fire", "bather", "garbage", "lift", "manhole", "fire_lane", "straw")
NO_FAILINGS = {"failings": {"factor": 0}}


@cache
def folder() -> Path:
    """Return the toy city as a folder."""
    return shared_toy_city().save(Path(mkdtemp(prefix="responders-")) / "city")


@cache
def city() -> City:
    """Return the toy city as saved (do not write to it)."""
    return City.load(folder())


def simulation(
    seed: int = 1, hours: float = 2.0, mode: str = "free-flow", out: Path | None = None, sensors: Any = None,
    interventions: Any = (), **responders: Any,
) -> Simulation:  # fmt: skip
    """Return a simulation with nothing happening by itself: no traffic, no births of hazards, no sensors."""
    minutes = int(hours * 60)
    s = load(
        "weekday",
        city={"folder": str(folder())},
        people={"residents": 50, "companies": 5},
        start="12:00",
        end=f"{12 + minutes // 60:02d}:{minutes % 60:02d}",
        traffic={"mode": mode, "background": 0},
        interventions=list(interventions),
        city_brain={
            "hazards": {"rate": 0},
            "sensors": sensors,
            "responders": {"looks": {"calls": 0}, **responders},
        },
    )
    return Simulation(s, city(), folder(), seed, out)


def put(
    sim: Simulation, kind: str, t_s: int, x_m: float, y_m: float, site: int, told: bool = True, there: bool = True,
    source: str = "report", size: float = 1.0,
) -> None:  # fmt: skip
    """Let a hazard begin (``there``), and somebody tell the desk a minute later (``told``)."""
    hazards: Any = sim.systems["city_brain"].hazards  # type: ignore[attr-defined]
    theme = KINDS[kind].theme
    if there:
        new = Beginning(hazard_number(theme, site, 0), kind, x_m, y_m, size=size)
        sim.clock.at(t_s, Phase.WORLD, lambda: hazards.begin(t_s, new))
    if told:
        at_s = t_s + 60
        sign = Sign(at_s, f"sign/{site}", source, str(site), theme, t_s, x_m, y_m, "", "", KINDS[kind].severity, "")

        def tell() -> None:
            sim._post("incidents", sign)
            sim._call_controllers()

        sim.clock.at(at_s, Phase.PERCEIVE, tell)


def mixed(sim: Simulation, count: int, seed: int = 5, hours: float = 1.0) -> None:
    """Put hazards of many kinds at random seconds and places."""
    draw = np.random.default_rng(seed)
    for i in range(count):
        t_s = START_S + int(draw.integers(60, int(hours * 3600)))
        x_m, y_m = draw.uniform(0, 900, 2).tolist()
        put(sim, MIX[i % len(MIX)], t_s, x_m, y_m, i)


def finish(sim: Simulation) -> Run:
    """Run to the end."""
    sim.run_until(sim.end_s)
    return sim.finish()


def counts(run: Run) -> dict[str, int]:
    """Return the number of facts by kind."""
    return dict(run.log.sql("select fact, count(*) from events group by 1").itertuples(index=False))
