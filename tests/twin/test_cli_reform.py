"""``twin reform`` and ``python -m scenarios.reform``: a tiny study told, written and shown; exports of its cases."""

from __future__ import annotations

import json
import re
from functools import cache

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from scenarios import reform
from scenarios.reform import Row, Study, Target, carriers, told_study
from twin.cli import app
from twin.run_folder import FORMAT
from twin.world.offices.months import Months, run
from viz import services_page


@pytest.fixture(scope="module", autouse=True)
def tiny():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reform, "MATTERS", 40)
        patch.setattr(reform, "CONVERSIONS", 4)
        patch.setattr(reform, "study", cache(reform.study))
        yield


@pytest.fixture
def folder(tmp_path):
    log = run(Months(matters=20), 1).log
    pq.write_table(log.table(), tmp_path / "events.parquet")
    stamp = {"format": FORMAT, "name": "tiny", "start_s": 0, "end_s": 86_400, "seed": 1, "scenario": {}}
    (tmp_path / "stamp.json").write_text(json.dumps(stamp), encoding="utf-8")
    return tmp_path


def ask(*words: object):
    return CliRunner().invoke(app, [*map(str, words)])


def test_a_comparison_is_told_written_and_shown(folder):
    said = ask("reform", "--seeds", 1, "--out", folder)
    assert said.exit_code == 0, said.output
    done = reform.study(1)
    for line in told_study(done):
        assert line in said.output
    assert services_page.reform_of(folder) == list(done.rows)
    assert [(r.target.fact, r.target.name) for r in done.rows] == [
        ("F36", "time"), ("F36", "materials"), ("F37", "steps"), ("F37", "materials"), ("F37", "time"),
    ]  # fmt: skip
    assert services_page.levers_of(folder) == done.levers
    text = (folder / "services.html").read_text(encoding="utf-8")
    steps = done.rows[2]
    assert f"{steps.value:+.1f} % [{steps.low:.1f}, {steps.high:.1f}]" in text
    without = done.levers["F37"]["scenes"]["steps"]["without"]
    assert f"<td>F37 steps</td><td>one thing (scenes)</td><td>{without[0]:+.1f} [" in text
    assert "<td>F37 steps</td><td>remote channels</td>" not in text or "remote" in carriers(done.levers["F37"], "steps")


def test_the_module_writes_the_same_file(folder, capsys):
    file = folder / "reform.json"
    assert reform.main(["--seeds", "1", "--json", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == told_study(reform.study(1))
    assert services_page.reform_of(folder) == list(reform.study(1).rows)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--seeds", "0"], "--seeds: is 0; allowed: a whole number from 1 to 100"),
        (["--json", "nowhere/reform.json"], "--json: there is no folder nowhere"),
        (["--json", "x.json", "--sensitivity"], "goes with the comparison"),
    ],
)
def test_bad_arguments_of_the_module_are_one_sentence(args, said, capsys):
    with pytest.raises(SystemExit) as ended:
        reform.main(args)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_bad_input_is_one_sentence(tmp_path):
    none = ask("reform", "--out", tmp_path)
    assert none.exit_code == 2
    assert "not a run folder" in none.output
    many = ask("reform", "--seeds", 101)
    assert many.exit_code == 2
    assert "seeds: is 101; allowed: a whole number from 1 to 100" in many.output


def test_a_lever_carries_what_is_lost_without_it_or_what_it_brings_alone():
    def effect(without: float, alone: float) -> dict[str, dict[str, tuple[float, float, float]]]:
        return {"time": {"without": (without,) * 3, "alone": (alone,) * 3}}

    effects = {
        "precheck": effect(0.4, -0.9), "one_window": effect(0.0, -9.0), "remote": effect(25.0, -3.0),
        "scenes": effect(2.0, 0.0),
    }  # fmt: skip
    assert carriers(effects, "time") == ["remote", "scenes", "one_window"]
    row = Row(Target("time", "F36", -54.1, at_least=False, fitted=True), -54.0, -55.0, -53.0, 2)
    assert [line.split()[0] for line in told_study(Study((row,), {"F36": effects}))[1:]] == carriers(effects, "time")


def test_a_broken_comparison_is_named(folder):
    for broken in ({"levers": []}, {"levers": {"F36": {"scenes": {"time": {"alone": [1, 2, 3]}}}}}):
        (folder / "reform.json").write_text(json.dumps({"rows": [], **broken}), encoding="utf-8")
        if broken["levers"]:
            with pytest.raises(services_page.MapError, match=r"reform.json: not a comparison of offices"):
                services_page.build(folder)
        else:
            assert services_page.levers_of(folder) == {}


@pytest.mark.parametrize(("form", "file"), [("xes", "cases.xes"), ("ocel", "cases.ocel.json")])
def test_the_cases_of_a_run_are_exported(folder, form, file):
    from xml.etree import ElementTree

    from scenarios.exports import ocel, xes

    said = ask("export", form, folder)
    assert said.exit_code == 0, said.output
    assert re.search(r"[1-9][\d,]* events in ", said.output)
    if form == "xes":
        assert xes.problems(ElementTree.parse(folder / file).getroot()) == []
    else:
        assert ocel.problems(json.loads((folder / file).read_text(encoding="utf-8"))) == []


def test_a_run_without_cases_is_refused(folder):
    log = run(Months(matters=20), 1, matters=lambda _wants, _dice: []).log
    pq.write_table(log.table(), folder / "events.parquet")
    for words in (("export", "xes", folder), ("export", "ocel", folder), ("reform", "--out", folder)):
        said = ask(*words)
        assert said.exit_code == 2, words
        assert "services" in said.output
