"""The benchmark of the solver call: the same data through both ways in, valued at one objective."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pyvrp.stop import MaxIterations

from scenarios.bench.routing import data_folder, main, read_instance, routing_gap, solve_both
from twin.control.mobility.routing import NO_LIMIT, plan_routes
from twin.control.mobility.routing_check import check_plan
from twin.errors import ScenarioError


def write_instance(path, kind, n=25, seed=0):
    """Write a made-up VRPLIB file of the two kinds in the form of the public ones."""
    rng = np.random.default_rng(seed)
    lines = [f"NAME: {path.stem}", f"TYPE: {kind}", "EDGE_WEIGHT_TYPE: EUC_2D", f"DIMENSION: {n}", "CAPACITY: 60"]
    late = kind == "MTVRPTWR"
    lines += ["VEHICLES: 5", "SERVICE_TIME: 10"] if late else []
    rows = np.arange(1, n + 1)
    xy = rng.integers(0, 100, (n, 2))
    demand = np.where(rows == 1, 0, rng.integers(1, 20, n))
    lines += ["NODE_COORD_SECTION", *(f"{i}\t{x}\t{y}" for i, (x, y) in zip(rows, xy, strict=True))]
    lines += ["DEMAND_SECTION", *(f"{i}\t{d}" for i, d in zip(rows, demand, strict=True))]
    if late:
        release = np.where(rows == 1, 0, rng.integers(0, 400, n))
        window = [(0, 3000) if i == 1 else (r, r + 900) for i, r in zip(rows, release, strict=True)]
        lines += ["TIME_WINDOW_SECTION", *(f"{i}\t{a}\t{b}" for i, (a, b) in zip(rows, window, strict=True))]
        lines += ["RELEASE_TIME_SECTION", *(f"{i}\t{r}" for i, r in zip(rows, release, strict=True))]
        lines += ["VEHICLES_RELOAD_DEPOT_SECTION", *(f"{i}\t1" for i in range(1, 6))]
    path.write_text("\n".join([*lines, "DEPOT_SECTION", "1", "-1", "EOF"]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["CVRP", "MTVRPTWR"])
@pytest.mark.parametrize("seed", range(3))
def test_after_as_many_iterations_our_call_costs_what_plain_pyvrp_does(tmp_path, kind, seed):
    path = write_instance(tmp_path / f"{kind}{seed}.vrp", kind, seed=seed)
    plain, ours = solve_both(path, MaxIterations(150), MaxIterations(150))
    assert plain is not None
    assert plain == ours
    assert solve_both(path, MaxIterations(150), MaxIterations(0))[1] >= plain  # the search does something


def test_our_reader_keeps_windows_releases_and_the_fleet(tmp_path):
    read = read_instance(write_instance(tmp_path / "a.vrp", "MTVRPTWR"))
    assert len(read.tasks) == 24
    assert (read.tasks.latest_s - read.tasks.earliest_s == 9000).all()  # × 10
    assert (read.tasks.release_s == read.tasks.earliest_s).all()
    assert set(read.tasks.service_s.tolist()) == {100}
    assert read.vans.until_s.tolist() == [30_000] * 5
    assert read.vans.max_trips.tolist() == [NO_LIMIT] * 5
    plan = plan_routes(read.tasks, read.vans, read.length, read.length, iterations=50)
    assert check_plan(plan, read.tasks, read.vans, read.length, read.length) == []
    assert len(plan.trip_no) > len(set(plan.van.tolist()))  # somebody reloads


def test_the_gap_is_the_mean_over_the_chosen_files(tmp_path):
    for seed in range(4):
        write_instance(tmp_path / f"x{seed}.vrp", "CVRP", n=12, seed=seed)
    found = routing_gap(tmp_path, seconds=0.05, limit=2)
    assert [r["name"] for r in found["rows"]] == ["x0", "x2"]
    assert found["instances"] == 2
    each = [100 * (r["ours"] - r["plain"]) / r["plain"] for r in found["rows"]]
    assert found["mean_gap_percent"] == pytest.approx(np.mean(each))


def test_the_command_prints_json(tmp_path, capsys):
    write_instance(tmp_path / "x.vrp", "CVRP", n=8)
    assert main(["--seconds", "0.02", "--folder", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["instances"] == 1


def test_unknown_kinds_and_an_empty_folder_are_one_sentence(tmp_path):
    with pytest.raises(ScenarioError, match=r"^bench: no \.vrp file in "):
        routing_gap(tmp_path, 1.0)
    path = write_instance(tmp_path / "x.vrp", "PDVRP")
    with pytest.raises(ScenarioError, match=r"^x\.vrp: type 'PDVRP' with weights 'EUC_2D' is not known$"):
        read_instance(path)


def test_on_the_public_files_our_data_are_pyvrps():
    folder = data_folder()
    if folder is None:
        pytest.skip("../shared/data/routing is not there")
    for path in sorted(folder.rglob("*.vrp"))[::9]:
        plain, ours = solve_both(path, MaxIterations(20), MaxIterations(20))
        assert plain is not None
        assert plain == ours
