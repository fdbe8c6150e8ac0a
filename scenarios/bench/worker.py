"""One run in a process of its own, so that its wall time and memory are its own; prints one line of JSON."""

from __future__ import annotations

import time

_BEGAN = time.perf_counter()

import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402


def main(spec: str) -> None:
    """Run what ``spec`` (JSON: scenario, sets, out; brief: nothing is counted afterwards) says."""
    from twin.run_folder import prepare
    from twin.scenario import load_scenario
    from twin.simulation import run

    wanted = json.loads(spec)
    scenario = load_scenario(wanted["scenario"], wanted["sets"])
    solver = time_the_solver() if scenario.delivery is not None else [0.0]
    out = prepare(Path(wanted["out"]))
    result = run(scenario, seed=1, out=out)
    wall = time.perf_counter() - _BEGAN
    cpu = time.process_time()
    if wanted.get("brief"):
        print(json.dumps({"wall_s": wall, "cpu_s": cpu}))
        return
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    counts = dict(result.log.sql("select fact, count(*) as n from events group by fact").itertuples(index=False))
    stamp = json.loads((out / "stamp.json").read_text(encoding="utf-8"))

    def n(fact: str) -> int:
        return int(counts.get(fact, 0))

    entered = result.log.sql("select count(distinct vehicle) as n from events where fact = 'VehicleEntered'")["n"][0]
    waiting = result.log.sql(
        "select count(*) as n from events where fact = 'VehicleUnderWay' and vehicle not in"
        " (select vehicle from events where fact = 'VehicleEntered')"
    )["n"][0]
    print(
        json.dumps(
            {
                "wall_s": wall,
                "cpu_s": cpu,
                "memory_gb": memory,
                "solver_s": solver[0],
                "residents": scenario.people.simulated if scenario.people else 0,
                "vehicles": int(entered) + int(waiting),
                "facts": sum(map(int, counts.values())),
                "teleports": n("VehicleTeleported"),
                "vehicles_lost": int(entered)
                + int(waiting)
                - n("VehicleArrived")
                - n("VehicleRemoved")
                - n("VehicleUnderWay"),
                "trips": n("TripStarted"),
                "trips_lost": n("TripStarted") - n("TripEnded") - n("TripRefused") - n("TripUnderWay"),
                "city_dir": stamp["city_dir"],
                "digest": result.digest,
            }
        )
    )


def time_the_solver() -> list[float]:
    """Return a list whose one number grows by the seconds that the desks' routing solver takes."""
    import importlib

    rolling: Any = importlib.import_module("twin.control.mobility.delivery.rolling")
    spent, plan_parts = [0.0], rolling.plan_parts

    def timed(*args: Any, **more: Any) -> Any:
        began = time.perf_counter()
        try:
            return plan_parts(*args, **more)
        finally:
            spent[0] += time.perf_counter() - began

    rolling.plan_parts = timed
    return spent


if __name__ == "__main__":
    main(sys.argv[1])
