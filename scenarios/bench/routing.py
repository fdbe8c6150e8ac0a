"""The delivery desk's solver call against plain PyVRP, on the same instances for the same wall time.

Instances are VRPLIB files: CVRP (Uchoa et al., 2017, *EJOR* 257(3)) and multi-trip with time windows and release
times (MTVRPTWR; Yang, 2023, 2024). *Plain* is ``pyvrp.read`` and ``pyvrp.solve`` with their defaults. *Ours* reads
the file itself into columns and calls ``plan_routes``. Both answers are valued by PyVRP on the data that
``pyvrp.read`` made, so at one objective: the distance, in whole units for CVRP, in tenths for MTVRPTWR (the
convention of PyVRP's list of best known solutions: × 10, truncated). After the same number of iterations the two are
equal to the unit (a test holds it), so a gap at the same wall time comes from the load of the machine alone: ± 1 % on
one instance of a busy one, so that the mean needs a dozen instances.

``python -m scenarios.bench.routing --seconds 10 --limit 6``
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvrp
from numpy.typing import NDArray
from pyvrp.stop import MaxRuntime, StoppingCriterion

from twin.control.mobility.routing import NO_LIMIT, Plan, Tasks, Vans, plan_routes
from twin.errors import ScenarioError

ROUNDING = {"CVRP": "round", "MTVRPTWR": "dimacs"}
SEED = 1


@dataclass(frozen=True)
class Instance:
    """An instance as columns; place 0 is the depot and task i is at place i + 1."""

    kind: str
    tasks: Tasks
    vans: Vans
    length: NDArray[np.int64]


def data_folder() -> Path | None:
    """Return the folder of the routing files beside the project, or None where it is not there."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "routing"
    return folder if folder.is_dir() else None


def read_instance(path: Path) -> Instance:
    """Read a VRPLIB file of type CVRP or MTVRPTWR with Euclidean distances into columns."""
    head, table = _sections(path)
    kind, n = head.get("TYPE", ""), int(head.get("DIMENSION", "0"))
    if kind not in ROUNDING or head.get("EDGE_WEIGHT_TYPE") != "EUC_2D":
        raise ScenarioError(f"{path.name}: type {kind!r} with weights {head.get('EDGE_WEIGHT_TYPE')!r} is not known")
    scale = 10 if kind == "MTVRPTWR" else 1
    xy = table["NODE_COORD"][:, 1:]
    exact = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(axis=2))
    length = (exact * scale if scale > 1 else np.round(exact)).astype(np.int64)
    columns: dict[str, Any] = {"demand": _whole(table["DEMAND"][1:, 1] * scale)}
    vehicles = int(head.get("VEHICLES", n - 1))  # an unlimited fleet: one per task is always enough
    fleet: dict[str, Any] = {"capacity": round(float(head["CAPACITY"]) * scale), "max_trips": 1}
    if kind == "MTVRPTWR":
        window = _whole(table["TIME_WINDOW"][:, 1:] * scale)
        columns |= {
            "earliest_s": window[1:, 0],
            "latest_s": window[1:, 1],
            "service_s": int(head["SERVICE_TIME"]) * scale,
        }
        columns["release_s"] = _whole(table["RELEASE_TIME"][1:, 1] * scale)
        fleet |= {"from_s": window[0, 0], "until_s": window[0, 1], "max_trips": NO_LIMIT}
    return Instance(kind, Tasks.of(np.arange(1, n), **columns), Vans.of(vehicles, 0, **fleet), length)


def _whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return values.astype(np.int64)


def _sections(path: Path) -> tuple[dict[str, str], dict[str, NDArray[np.float64]]]:
    head: dict[str, str] = {}
    rows: dict[str, list[list[float]]] = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text == "EOF":
            break
        if ":" in text:
            key, value = text.split(":", 1)
            head[key.strip()] = value.strip()
        elif text.endswith("_SECTION"):
            section = text.removesuffix("_SECTION")
        elif text:
            rows.setdefault(section, []).append([float(v) for v in text.split()])
    return head, {k: np.asarray(v) for k, v in rows.items() if len({len(r) for r in v}) == 1}


def value(plan: Plan, vans: Vans, data: pyvrp.ProblemData) -> int | None:
    """Return the distance of a plan on PyVRP's own data, or None when it is not a feasible plan there."""
    routes = []
    for v in range(len(vans)):
        trips = plan.trips_of(v)
        if not trips:
            continue
        stops = [pyvrp.Activity(pyvrp.ActivityType.CLIENT, i) for i in trips[0]]
        for trip in trips[1:]:
            stops.append(pyvrp.Activity(pyvrp.ActivityType.DEPOT, 0))
            stops += [pyvrp.Activity(pyvrp.ActivityType.CLIENT, i) for i in trip]
        routes.append(pyvrp.Route(data, stops, 0))
    solution = pyvrp.Solution(data, routes)
    return int(solution.distance()) if solution.is_feasible() else None


def solve_both(
    path: Path, plain_stop: StoppingCriterion, our_stop: StoppingCriterion, plain_first: bool = False
) -> tuple[int | None, int | None]:
    """Return the values of the plain and of our answer to one instance; None: no feasible answer."""
    ours = read_instance(path)
    data = pyvrp.read(path, round_func=ROUNDING[ours.kind])
    plain = pyvrp.solve(data, plain_stop, seed=SEED, display=False) if plain_first else None
    plan = plan_routes(ours.tasks, ours.vans, ours.length, ours.length, seed=SEED, stop=our_stop)
    plain = plain or pyvrp.solve(data, plain_stop, seed=SEED, display=False)
    return (plain.best.distance() if plain.is_feasible() else None), value(plan, ours.vans, data)


def routing_gap(folder: Path, seconds: float, limit: int | None = None) -> dict[str, Any]:
    """Return the mean gap (%) of our cost over plain PyVRP's, with the gap of each instance.

    ``limit``: only so many instances, spread evenly over the sorted files. An instance for which plain PyVRP finds no
    answer is not counted in the mean, but named; one for which only we find none counts as 100 %.
    """
    files = sorted(folder.rglob("*.vrp"))
    if not files:
        raise ScenarioError(f"bench: no .vrp file in {folder}")
    if limit is not None and limit < len(files):
        files = [files[i * len(files) // limit] for i in range(limit)]
    rows: list[dict[str, Any]] = []
    for i, path in enumerate(files):  # by turns, so that a machine that gets busier favours neither
        plain, ours = solve_both(path, MaxRuntime(seconds), MaxRuntime(seconds), plain_first=i % 2 == 1)
        gap = None if plain is None else 100.0 if ours is None else 100 * (ours - plain) / plain
        rows.append({"name": path.stem, "plain": plain, "ours": ours, "gap_percent": gap})
    gaps = [r["gap_percent"] for r in rows if r["gap_percent"] is not None]
    return {
        "mean_gap_percent": float(np.mean(gaps)) if gaps else None,
        "worst_gap_percent": max(gaps, default=None),
        "instances": len(gaps),
        "without_plain_answer": [r["name"] for r in rows if r["plain"] is None],
        "seconds": seconds,
        "rows": rows,
    }


def main(arguments: list[str]) -> int:
    """Print the gaps as JSON."""
    import argparse

    parser = argparse.ArgumentParser(prog="scenarios.bench.routing", description="gap to plain PyVRP")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args(arguments)
    folder = given.folder or data_folder()
    if folder is None:
        print(f"not measured: {Path('..') / 'shared' / 'data' / 'routing'} is not there", file=sys.stderr)
        return 1
    print(json.dumps(routing_gap(folder, given.seconds, given.limit), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
