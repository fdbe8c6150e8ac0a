"""Whole comparisons on a small city: itself, several variants, looks, plans, resuming; from Python and typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scenarios import compare, kpis, load
from scenarios.runner.store import DONE
from scenarios.stats.plan import Guardrail
from scenarios.study import Question, seeds_for, study
from tests.cities import shared_toy_city
from twin.cli.comparing import compare as command
from twin.cli.comparing import decimals, report
from twin.errors import ScenarioError

KPIS = tuple(kpis.by_name(n) for n in ("vehicles_entered", "vehicle_time_s", "trips"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return shared_toy_city().save(tmp_path_factory.mktemp("study") / "city")


@pytest.fixture(scope="module")
def base(folder):
    return load(
        "weekday",
        city={"folder": str(folder)},
        people={"residents": 300, "companies": 20},
        start="07:00",
        end="07:15",
        traffic={"mode": "free-flow", "fcd_period_s": 0, "background": 0.3},
    )


@pytest.fixture(scope="module")
def rain(base):
    return base.changed(name="rain", weather={"kind": "rain", "rain_mm_h": 30})


@pytest.fixture(scope="module")
def fog(base):
    return base.changed(name="fog", weather={"kind": "fog"})


@pytest.fixture(scope="module")
def both(base, rain, fog, tmp_path_factory):
    out = tmp_path_factory.mktemp("both")
    q = Question(KPIS, seeds_for(6, ""), guardrails=(Guardrail("refused_share", 1.0),))
    return study(base, [rain, fog], q, out, workers=0)


def numbers(compared) -> str:
    return repr([(a.kpi.name, a.summary, a.verdict, a.at_look) for a in compared.reply.answers])


def test_rain_is_slower_and_the_guardrail_is_told(both):
    rain = both.compared[0]
    by = {a.kpi.name: a for a in rain.reply.answers}
    assert by["vehicle_time_s"].verdict == "worse"
    assert by["vehicle_time_s"].summary.variance_ratio < 0.5, "common random numbers pay"
    assert by["vehicles_entered"].summary.difference == 0.0, "the same vehicles come"
    assert rain.reply.safe is True
    assert rain.planned_before
    assert not rain.same


def test_a_scenario_against_itself_differs_by_exactly_nothing_digest_by_digest(base, both):
    q = Question(KPIS, seeds_for(3, ""))
    c = study(base, [base.changed(name="twin")], q, both.out, workers=0).compared[0]
    assert c.same
    assert all(a.summary.difference == 0.0 and a.verdict == "indistinguishable" for a in c.reply.answers)
    assert all(x == y for x, y in c.digests.values())
    folders = {f.parent.parent.name for f in both.out.rglob(DONE)}
    assert sum(name.startswith("weekday-") for name in folders) == 2, "it was run twice, not looked at twice"


def test_a_third_variant_changes_no_number_already_shown(base, rain, both, tmp_path):
    q = Question(KPIS, seeds_for(6, ""), guardrails=(Guardrail("refused_share", 1.0),))
    alone = study(base, [rain], q, tmp_path, workers=0)
    assert numbers(alone.compared[0]) == numbers(both.compared[0])
    assert alone.compared[0].reply.plan.digest == both.compared[0].reply.plan.digest


def test_asking_again_runs_nothing_and_gives_the_same_digest(base, rain, fog, both):
    marks = {f: f.stat().st_mtime_ns for f in both.out.rglob(DONE)}
    q = Question(KPIS, seeds_for(6, ""), guardrails=(Guardrail("refused_share", 1.0),))
    again = study(base, [rain, fog], q, both.out, workers=0)
    assert again.digest == both.digest
    assert {f: f.stat().st_mtime_ns for f in both.out.rglob(DONE)} == marks
    assert all(c.planned_before for c in again.compared)


def test_a_plan_that_is_changed_after_results_were_seen_is_exploratory(base, rain, both):
    q = Question(KPIS[:1], seeds_for(6, ""))
    c = study(base, [rain], q, both.out, workers=0).compared[0]
    assert not c.planned_before
    plans = json.loads((both.out / "plans.json").read_text())
    assert [p["before_first_run"] for p in plans if p["digest"] == c.reply.plan.digest] == [False]


def test_with_looks_a_clear_difference_stops_at_the_first_look(base, rain, both, monkeypatch):
    from scenarios.stats import plan

    monkeypatch.setattr(plan, "LOOKS", (3, 6, 12))
    q = Question((KPIS[1],), seeds_for(24, ""), sequential=True)
    c = study(base, [rain], q, both.out, workers=0).compared[0]
    assert c.reply.plan.looks == (3, 6, 12, 24)
    assert c.reply.done
    assert c.reply.pairs in (3, 6)
    assert c.reply.answers[0].verdict == "worse"
    assert c.reply.answers[0].at_look == c.reply.pairs


def test_a_failed_seed_is_named_and_in_no_mean(base, folder, tmp_path):
    breaks = base.changed(name="breaks", control={"incident_traffic": "tests.scenarios.breaking:BreaksAtOddSeeds"})
    c = study(base, [breaks], Question(KPIS, seeds_for(6, "")), tmp_path, workers=0).compared[0]
    failed = {seed for _, seed in c.failed}
    assert failed
    assert failed < set(range(1, 7))
    a = c.reply.answers[1]
    assert set(a.without) == failed
    assert a.verdict == "inconclusive"
    assert a.why == f"{len(failed)} of 6 pairs are missing"
    assert a.summary.n == 6 - len(failed)


def test_the_warm_up_leaves_out_what_began_in_it(base, rain, both):
    whole = both.compared[0].reply.answers[0].summary
    cut = study(base, [rain], Question(KPIS, seeds_for(2, ""), warm_up_s=300), both.out, workers=0).compared[0]
    vehicles = cut.reply.answers[0].summary
    assert 0 < vehicles.base < whole.base
    assert vehicles.difference == 0.0
    none = study(base, [rain], Question(KPIS, seeds_for(2, ""), warm_up_s=1), both.out, workers=0).compared[0]
    assert none.reply.answers[0].summary.base == pytest.approx(whole.base, rel=0.1)


def test_compare_in_python_keeps_runs_where_asked(base, rain, both):
    marks = len(list(both.out.rglob(DONE)))
    kept = compare(base, rain, KPIS[1], [1, 2, 3], out=both.out)
    here = compare(base, rain, KPIS[1], [1, 2, 3])
    assert kept == here
    assert kept.variance_ratio < 0.5
    assert len(list(both.out.rglob(DONE))) == marks


@pytest.mark.parametrize(("n", "until"), [(0, ""), (12, "±2%")])
def test_bad_numbers_of_seeds_are_one_sentence(n, until):
    with pytest.raises(ScenarioError, match="--seeds: is "):
        seeds_for(n, until)


def test_decimals_show_two_digits_of_the_width():
    assert [decimals(w) for w in (250.0, 25.0, 2.5, 0.25, 0.0)] == [0, 0, 1, 2, 2]


# -- typed ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app():
    import typer

    out = typer.Typer()
    out.command("compare")(command)
    out.command("report")(report)
    return out


@pytest.fixture(scope="module")
def files(folder, tmp_path_factory) -> Path:
    where = tmp_path_factory.mktemp("yaml")
    (where / "calm.yaml").write_text(
        f"city: {{folder: '{folder}'}}\npeople: {{residents: 300, companies: 20}}\nstart: '07:00'\nend: '07:15'\n"
        "traffic: {mode: free-flow, fcd_period_s: 0, background: 0.3}\nextends: weekday\n"
    )
    (where / "wet.yaml").write_text(
        "extends: calm\nquestion: Does <script>alert(`1`)</script> rain matter? javascript:alert(2)\n"
        'title: "</script></title><img src=x onerror=alert(3)>"\nweather: {kind: rain, rain_mm_h: 30}\n'
    )
    return where


@pytest.fixture(scope="module")
def typed(app, files, tmp_path_factory):
    out = tmp_path_factory.mktemp("typed") / "c"
    said = CliRunner().invoke(
        app,
        [
            *("compare", str(files / "calm.yaml"), str(files / "wet.yaml"), "--seeds", "4", "--workers", "2"),
            *("--kpi", "vehicle_time_s", "--kpi", "late_share", "--guardrail", "refused_share=1", "--out", str(out)),
        ],
    )
    assert said.exit_code == 0, said.output
    return out, said.output


def test_the_table_says_interval_runs_and_verdict(typed):
    _, said = typed
    row = next(line for line in said.splitlines() if "of a vehicle" in line)
    assert re.search(r"\+[\d.]+ \[\+[\d.]+, \+[\d.]+\]", row), row
    assert "│ 4 " in row
    assert "worse" in row
    assert "Guardrail refused_share: passes" in said


def test_mistakes_are_one_sentence_and_exit_code_two(app, files):
    calm, wet = str(files / "calm.yaml"), str(files / "wet.yaml")
    for more, part in (
        (["--kpi", "late_shares"], "did you mean 'late_share'"),
        (["--guardrail", "x"], "write it as KPI=MARGIN"),
        (["--smallest", "trips=0"], "a number above 0"),
        (["--until", "2 apples"], "--until: is '2 apples'"),
        (["--cluster", "far.example:8786"], "beyond this machine"),
    ):
        said = CliRunner().invoke(app, ["compare", calm, wet, "--out", str(files / "o"), "--seeds", "40", *more])
        assert said.exit_code == 2, said.output
        assert part in " ".join(said.output.split()), said.output
    same = CliRunner().invoke(app, ["compare", calm, wet, wet, "--out", str(files / "o")])
    assert "two variants are called 'wet'" in same.output


# -- the sheet -----------------------------------------------------------------------------------------


def test_the_sheet_says_everything_page_one_must(typed):
    page = (typed[0] / "report.html").read_text(encoding="utf-8")
    first = page.split('class="first"')[1].split("</dl>")[0]
    for part in (
        "Pairs of runs",
        "4 of 4 planned",
        "1–4",
        "Not modelled",
        "Calibrated",
        "Digest",
        "Unfinished",
        "Warm-up",
    ):
        assert part in first, part
    result = json.loads((typed[0] / "result.json").read_text())
    assert result["digest"] in first
    assert result["variants"][0]["plan"]["digest"] in first
    assert "fixed before the first run" in first
    assert re.search(r"\[\+[\d.]+, \+[\d.]+\]", first), "the interval of the difference"
    assert "What changed" in page
    assert "rain_mm_h: 30" in page


def test_names_from_data_are_inert_and_the_page_asks_for_nothing(typed):
    page = (typed[0] / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "`" not in page
    assert "href=" not in page
    assert "&lt;script&gt;alert(&#96;1&#96;)&lt;/script&gt;" in page
    assert "default-src 'none'; style-src 'sha256-" in page
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:|//|javascript:)", page)


def test_the_sheet_in_chinese_and_of_single_runs(app, typed, tmp_path):
    said = CliRunner().invoke(app, ["report", str(typed[0]), "--lang", "zh", "--out", str(tmp_path / "zh.html")])
    assert said.exit_code == 0, said.output
    page = (tmp_path / "zh.html").read_text(encoding="utf-8")
    assert 'lang="zh-CN"' in page
    assert "改变了什么" in page
    runs = sorted(f.parent for f in typed[0].rglob(DONE))[:2]
    said = CliRunner().invoke(app, ["report", *map(str, runs), "--out", str(tmp_path / "runs.html")])
    assert said.exit_code == 0, said.output
    page = (tmp_path / "runs.html").read_text(encoding="utf-8")
    assert "One run is one draw of chance" in page
    assert all(json.loads((r / "stamp.json").read_text())["digest"] in page for r in runs)


def test_a_folder_that_is_neither_is_one_sentence(app, tmp_path):
    said = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert said.exit_code == 2
    assert "not a run folder" in said.output
    (tmp_path / "result.json").write_text("{}")
    said = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert "is not a result of 'twin compare'" in said.output


@pytest.mark.browser
def test_the_sheet_prints_to_a4_with_nothing_clipped_and_is_silent(typed, browser):
    context = browser.new_context(offline=True, viewport={"width": 794, "height": 1123})  # A4 at 96 dpi
    page = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("console", lambda m: errors.append(m.text))
    page.goto((typed[0] / "report.html").as_uri())
    page.emulate_media(media="print")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    clipped = page.evaluate(
        "[...document.querySelectorAll('td,th,dd,p,pre,h1')].filter(e => e.scrollWidth > e.clientWidth + 1"
        " && getComputedStyle(e).display !== 'inline').map(e => e.textContent.slice(0, 40))"
    )
    context.close()
    assert len(asked) == 1
    assert errors == []
    assert wide <= 0
    assert clipped == []


def test_the_warm_up_leaves_no_end_without_its_beginning(both):
    from scenarios.runner.warm_up import without_warm_up
    from twin.log import Facts

    folder = next(both.out.rglob(DONE)).parent
    facts = Facts.read(folder)
    cut = without_warm_up(facts, 300)
    started = {tuple(r) for r in cut.frame("TripStarted")[["resident", "trip"]].itertuples(index=False)}
    ended = {tuple(r) for r in cut.frame("TripEnded")[["resident", "trip"]].itertuples(index=False)}
    assert started
    assert ended <= started
    entered, arrived = (set(cut.frame(k)["vehicle"]) for k in ("VehicleEntered", "VehicleArrived"))
    assert arrived <= entered
    assert cut.frame("TripStarted")["t_s"].min() >= facts.frame("RunStarted")["t_s"][0] + 300
