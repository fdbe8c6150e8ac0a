"""How long the delivery desk takes to decide: ``python -m scenarios.bench.fleets``.

The desk with its rolling routes plays two hours around the lunch peak in the small world of messages
(:mod:`scenarios.bench.deliveries`): 150 robots with the orders of a 5,000-a-day service, and more of both up to 1,500
with 50,000, one depot for every 150. A *decision* is a call in which the desk plans (the others only take the next step
of a unit). Measured: the share of decisions under 1 s of wall time, and how their mean cost (processor time, which
other work on the machine does not change) grows with n, compared with n log n; the world's own time is not counted.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence

import numpy as np

from scenarios.bench.deliveries import HOUR_S, Faults, Setting, World
from twin.control.mobility.delivery.desk import DeliveryDesk
from twin.control.mobility.delivery.policies import CourierRounds, NearestFirst, RollingRoutes
from twin.domain.commands import Command
from twin.domain.messages import Message

ORDERS_A_DAY = 100 / 3  # per robot: 5,000 for 150
PEAK = 0.10  # share of the day's orders that come in each of the two hours (lunch; as in the world's profile)
PLAN_S = 30
POLICIES = {"rolling": RollingRoutes, "nearest": NearestFirst, "couriers": CourierRounds}


def measure(units: int, hours: float = 2.0, policy: str = "rolling", seed: int = 1) -> dict[str, float]:
    """Play the peak with so many units; return wall times of decisions in s, and what was delivered."""
    side = 45  # 7,920 roads: as many as the shipped district
    depots = max(1, round(units / 150))
    setting = Setting(
        units=units, side=side, depots=depots, capacity=600, battery_wh=12_000.0, chargers=40, lockers=60,
        from_s=7 * HOUR_S, until_s=22 * HOUR_S, permit_until_s=22 * HOUR_S, plan_s=PLAN_S, operators=max(1, units // 6),
    )  # fmt: skip
    start_s = 11 * HOUR_S
    world = World(DeliveryDesk(POLICIES[policy]()), setting, Faults(nobody=0.1), seed, start_s)
    wall: list[float] = []
    busy: list[float] = []
    other: list[float] = []

    def timed(now_s: int, messages: list[Message]) -> list[Command]:
        began, worked = time.perf_counter(), time.process_time()
        slot = world.desk._slot  # type: ignore[attr-defined]
        commands = list(world.desk.decide(now_s, messages))
        if world.desk._slot != slot:  # type: ignore[attr-defined]
            wall.append(time.perf_counter() - began)
            busy.append(time.process_time() - worked)
        else:
            other.append(time.process_time() - worked)
        return commands

    world.decide = timed
    an_hour = units * ORDERS_A_DAY * PEAK
    end_s = start_s + round(hours * HOUR_S)
    for t in range(start_s + 60, end_s, 60):
        world.place_orders(t, round(an_hour / 60), pack_s=300, litres=(5, 30))
    world.run(end_s)
    took = np.asarray(wall)
    placed = len(world.where)
    return {
        "units": units,
        "orders_a_day": round(units * ORDERS_A_DAY),
        "decisions": took.size,
        "under_1_s": float((took < 1.0).mean()),
        "cpu_under_1_s": float((np.asarray(busy) < 1.0).mean()),
        "mean_s": float(took.mean()),
        "mean_cpu_s": float(np.mean(busy)),
        "p95_s": float(np.quantile(took, 0.95)),
        "max_s": float(took.max()),
        "step_mean_ms": 1e3 * float(np.mean(other)) if other else 0.0,
        "placed": placed,
        "delivered": len(world.delivered),
        "late": sum(t > world.due_s[o] for o, t in world.delivered.items()),
        "open": placed - len(world.delivered) - len(world.given_up),
        "wrong": len(world.wrong),
    }


def growth(rows: Sequence[dict[str, float]]) -> list[float]:
    """Return, of each size to the first, (cost ÷ cost) ÷ (n log n ÷ n log n): 1 or less is no faster than n log n."""
    first = rows[0]

    def nlogn(n: float) -> float:
        return n * math.log(n)

    return [
        row["mean_cpu_s"] / first["mean_cpu_s"] / (nlogn(row["orders_a_day"]) / nlogn(first["orders_a_day"]))
        for row in rows
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one JSON line per size, and the growth against n log n."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--units", type=int, nargs="+", default=[150, 300, 600, 1500])
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--policy", choices=sorted(POLICIES), default="rolling")
    given = parser.parse_args(arguments)
    rows = []
    for units in given.units:
        rows.append(measure(units, given.hours, given.policy))
        print(json.dumps(rows[-1]), flush=True)
    print(json.dumps({"growth_against_n_log_n": growth(rows)}))


if __name__ == "__main__":
    main()
