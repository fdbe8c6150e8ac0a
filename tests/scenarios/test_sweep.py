"""Sweeps: designs, sensitivity against known functions, and whole sweeps on a small city."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from scenarios import sweep as module
from scenarios.runner.store import DONE
from scenarios.sweep import Parameter, Point, design, parse_parameter
from tests.cities import shared_toy_city
from twin.cli.sweeping import sweep as command
from twin.errors import ScenarioError

# -- designs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("bus.units=1,2,4", ["1", "2", "4"]),
        ("traffic.background=0.5..1.5/3", ["0.5", "1", "1.5"]),
        ("people.residents=10..12/5", ["10", "11", "12"]),
        ("traffic.mode=meso,free-flow", ["meso", "free-flow"]),
    ],
)
def test_parameters_are_read(text, levels):
    assert parse_parameter(text).levels() == levels


@pytest.mark.parametrize("text", ["bus.units", "=1", "x=", "x=1,1", "x=1,,2", "x=2..1", "x=a..b", "x=0..1/1"])
def test_bad_parameters_are_one_sentence(text):
    with pytest.raises(ScenarioError, match="--vary '"):
        parse_parameter(text)


def test_a_grid_is_every_combination():
    rows, _ = design([Parameter("a", ("1", "2")), Parameter("b", ("x", "y", "z"))], "grid", 0)
    assert len(rows) == 6
    assert len({tuple(r.items()) for r in rows}) == 6


@pytest.mark.parametrize(("method", "n", "size"), [("lhs", 7, 7), ("morris", 5, 5 * 3), ("sobol", 8, 8 * 4)])
def test_samples_have_their_sizes_and_are_the_same_every_time(method, n, size):
    parameters = [Parameter("a", (), 0.0, 1.0, 5), Parameter("b", (), 10, 20, 5, whole=True)]
    rows, shares = design(parameters, method, n)
    assert len(rows) == size
    assert rows == design(parameters, method, n)[0]
    assert all(10 <= int(r["b"]) <= 20 for r in rows)
    if method == "lhs":  # one point in each of n slices of every parameter
        assert sorted((shares[:, 0] * n).astype(int).tolist()) == list(range(n))


def test_designs_that_cannot_be_are_one_sentence():
    a = Parameter("a", ("1", "2"))
    for parameters, method, n, said in (
        ([], "grid", 1, "at least one --vary"),
        ([a, a], "grid", 1, "given twice"),
        ([a], "sobol", 6, "power of two"),
        ([a], "morris", 1, "at least 2"),
    ):
        with pytest.raises(ScenarioError, match=said):
            design(parameters, method, n)


def effects(method, n, function):
    parameters = [Parameter(k, (), 0.0, 1.0, 5) for k in "abc"]
    rows, shares = design(parameters, method, n)
    points = [Point(r, "", {"y": (function(*u), 0.0, 1)}, ()) for r, u in zip(rows, shares.tolist(), strict=True)]
    return module._effects(parameters, method, shares, points, "y")


def test_morris_finds_the_slopes_of_a_plane():
    found = effects("morris", 10, lambda a, b, c: 3 * a - 2 * b + 0 * c)
    assert [found[k]["mu_star"] for k in "abc"] == pytest.approx([3, 2, 0], abs=1e-9)
    assert [found[k]["sigma"] for k in "abc"] == pytest.approx([0, 0, 0], abs=1e-9)


def test_sobol_finds_the_shares_of_ishigami():
    # Ishigami & Homma (1990), a = 7, b = 0.1: S1 = 0.3139, 0.4424, 0; ST = 0.5576, 0.4424, 0.2437
    def ishigami(u, v, w):
        x, y, z = (math.pi * (2 * s - 1) for s in (u, v, w))
        return math.sin(x) + 7 * math.sin(y) ** 2 + 0.1 * z**4 * math.sin(x)

    found = effects("sobol", 1024, ishigami)
    assert [found[k]["S1"] for k in "abc"] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.04)
    assert [found[k]["ST"] for k in "abc"] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.04)


def test_ranks_of_a_latin_hypercube_and_a_flat_indicator():
    found = effects("lhs", 50, lambda a, b, c: math.exp(5 * a))
    assert found["a"]["rank_r"] == pytest.approx(1.0)
    assert abs(found["b"]["rank_r"]) < 0.35
    assert effects("morris", 4, lambda *_: 1.0)["a"] == {"mu_star": 0.0, "sigma": 0.0}


def test_a_missing_point_gives_no_sensitivity_instead_of_a_wrong_one():
    parameters = [Parameter("a", (), 0.0, 1.0, 5)]
    rows, shares = design(parameters, "morris", 4)
    points = [Point(r, "", {"y": (float(i), 0.0, 1)} if i else {}, ()) for i, r in enumerate(rows)]
    assert np.isnan(module._effects(parameters, "morris", shares, points, "y")["a"]["mu_star"])


# -- whole sweeps --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    where = tmp_path_factory.mktemp("sweep")
    city = shared_toy_city().save(where / "city")
    (where / "small.yaml").write_text(
        f"extends: weekday\ncity: {{folder: '{city}'}}\npeople: {{residents: 200, companies: 10}}\nstart: '07:00'\n"
        "end: '07:10'\ntraffic: {mode: free-flow, fcd_period_s: 0}\n"
    )
    app = typer.Typer()
    app.command("sweep")(command)
    app.command("other")(lambda: None)
    out = where / "o"
    args = ["sweep", str(where / "small.yaml"), "--vary", "traffic.background=0.2,0.4"]
    args += ["--vary", "weather.rain_mm_h=5,30"]
    args += ["--set", "weather.kind=rain", "--kpi", "vehicles_entered", "--kpi", "vehicle_time_s", "--seeds", "2"]
    args += ["--workers", "2", "--out", str(out)]
    said = CliRunner().invoke(app, args)
    assert said.exit_code == 0, said.output
    return app, args, out, said.output


def test_a_grid_runs_and_says_what_each_value_does(swept):
    _, _, out, said = swept
    data = json.loads((out / "sweep.json").read_text())
    assert len(data["points"]) == 4
    more = data["effects"]["vehicles_entered"]["traffic.background"]
    assert more["0.4"] > 1.5 * more["0.2"]
    rain = data["effects"]["vehicle_time_s"]["weather.rain_mm_h"]
    assert rain["30"] > rain["5"]
    assert len(list(csv.DictReader((out / "table.csv").read_text().splitlines()))) == 4
    assert "traffic.background" in said
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "traffic.background = 0.4" in page
    assert "<script" not in page


def test_asking_again_resumes(swept):
    app, args, out, _ = swept
    marks = {f: f.stat().st_mtime_ns for f in out.rglob(DONE)}
    assert len(marks) == 8
    next(iter(marks)).unlink()
    said = CliRunner().invoke(app, args)
    assert said.exit_code == 0
    after = {f: f.stat().st_mtime_ns for f in out.rglob(DONE)}
    assert after.keys() == marks.keys()
    assert sum(after[f] != marks[f] for f in marks) == 1


def test_bad_values_and_methods_are_one_sentence(swept, tmp_path):
    app, args, _, _ = swept
    for more, part in (
        (["--vary", "weather.kind=hail"], 'Error: --vary weather.kind: weather.kind is "hail"'),
        (["--vary", "traffic.backgroun=1"], "Error: --vary traffic.backgroun: "),
        (["--vary", "a..b=1,2"], "Error: --vary 'a..b': is not a key"),
        (["--vary", "weather.kind=rain", "--set", "weather.rain_mm_h=-1"], "Error: --set weather.rain_mm_h: "),
        (["--vary", "weather.kind=rain", "--traffic", "mezo"], 'Error: --traffic: traffic.mode is "mezo"'),
        (["--sample", "all"], "--sample: is 'all'; allowed: grid, lhs, morris, sobol"),
    ):
        said = CliRunner().invoke(app, [*args[:2], *more, "--out", str(tmp_path / "x")])
        assert said.exit_code == 2, said.output
        assert part in said.output
