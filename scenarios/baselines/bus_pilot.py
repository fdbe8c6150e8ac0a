"""Autonomous buses on demand against a plain timetable and SUMO's taxi dispatch, in the same scenario, over seeds.

``python -m scenarios.baselines.bus_pilot --seeds 20`` prints one row per seed and way of running, then the paired
differences with their 95 % intervals. All three serve the same bookings in the same traffic. Compared are the minutes
from the wish to set out to boarding (walk included, so that waiting at home counts as waiting), the ride against the
direct ride, and the share of the bookings served, without which the other two say little.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geo.city import City
from scenarios import kpis, load
from scenarios.baselines.sumo_taxi import taxi_rides
from scenarios.experiment import Comparison
from scenarios.kpis.base import Kpi
from twin.log import Facts
from twin.run_folder import prepare, read_stamp
from twin.scenario import Scenario
from twin.simulation import run

MEASURES: tuple[Kpi, ...] = (kpis.shuttle_wish_min, kpis.shuttle_detour, kpis.shuttle_served_share)
WAYS = ("on_demand", "timetable", "sumo_taxi")


@dataclass(frozen=True)
class Outcome:
    """One way of running under one seed: bookings, and the values of ``MEASURES`` (nan: nobody was served)."""

    way: str
    seed: int
    bookings: int
    values: tuple[float, float, float]


def pilot() -> Scenario:
    """Return the scenario: a morning of ``l4_bus``, a tenth of the people, ten times as many of them booking."""
    return load(
        "l4_bus",
        start="07:00",
        end="09:30",
        people={"share": 0.1},
        traffic={"background": 0.1, "fcd_period_s": 0},
        bus={"adoption": 0.2},
        supervision=None,
    )


def outcomes(scenario: Scenario, seed: int) -> list[Outcome]:
    """Run the scenario in the three ways under a seed."""
    out = []
    with tempfile.TemporaryDirectory(prefix="twin-pilot-") as work:
        for way in ("on_demand", "timetable"):
            folder = prepare(Path(work) / way)
            done = run(scenario.changed(bus={"policy": way}), seed, folder)
            out.append(Outcome(way, seed, len(done.log.frame("BookingMade")), _values(done.log)))
        stamp = read_stamp(Path(work) / "on_demand")
        rides = taxi_rides(Path(work) / "on_demand", City.load(stamp["city_dir"]), stamp).frame
        made = Facts.read(Path(work) / "on_demand").frame("BookingMade").set_index("booking")["wanted_s"]
        served = rides[rides["served"]]
        wish = (served["ready_s"] + served["wait_s"] - served["booking"].map(made)).mean() / 60
        detour = served["ride_s"].sum() / served["direct_s"].sum() if len(served) else math.nan
        values = (float(wish), float(detour), 100 * len(served) / max(len(made), 1))
        out.append(Outcome("sumo_taxi", seed, len(made), values))
    return out


def _values(log: Facts) -> tuple[float, float, float]:
    wish, detour, served = (math.nan if (v := k(log)) is None else v for k in MEASURES)
    return wish, detour, served


def compare_ways(rows: Sequence[Outcome]) -> list[tuple[str, Comparison]]:
    """Return, for each baseline and measure, the baseline against on demand, paired by seed."""
    by = {(r.way, r.seed): r.values for r in rows}
    seeds = sorted({r.seed for r in rows})
    out = []
    for base in WAYS[1:]:
        for k, kpi in enumerate(MEASURES):
            pairs = [(s, by[base, s][k], by["on_demand", s][k]) for s in seeds]
            sound = tuple(p for p in pairs if np.isfinite(p[1]) and np.isfinite(p[2]))
            if sound:
                left_out = tuple(s for s, a, b in pairs if not (np.isfinite(a) and np.isfinite(b)))
                out.append((base, Comparison(kpi, sound, left_out)))
    return out


def main(arguments: Iterable[str] | None = None) -> None:
    """Run the pilot over seeds and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args(None if arguments is None else list(arguments))
    rows: list[Outcome] = []
    scenario = pilot()
    for seed in range(1, given.seeds + 1):
        for r in outcomes(scenario, seed):
            rows.append(r)
            wish, detour, served = r.values
            print(
                f"seed {seed:2d} {r.way:10s} {r.bookings:4d} bookings, served {served:5.1f} %, "
                f"from wish to boarding {wish:5.1f} min, ride ÷ direct {detour:4.2f}",
                flush=True,
            )
    for base, comparison in compare_ways(rows):
        print(f"against {base}: {comparison}")


if __name__ == "__main__":
    main()
