"""``twin check``: properties of a scenario over seeds, under faults; and ``twin falsify``: the search for a failure."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.common import INTERRUPTED, ScenarioArg, SetOption, parse_sets, plain_errors
from twin.errors import ScenarioError

if TYPE_CHECKING:
    from scenarios.checks.model import Outcome, Property
    from scenarios.checks.run import Report

PropertiesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--properties",
        metavar="FILE|NAME|MODULE:NAME",
        help="what must hold: a YAML file, a shipped set, or Python; may be repeated (default: all shipped)",
    ),
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="runs at the same time (default: one a core)", min=1)
]


@plain_errors
def check(
    scenario: ScenarioArg,
    seeds: Annotated[int, typer.Option("--seeds", help="how many seeds, from 1", min=1, max=10_000)] = 5,
    seed: Annotated[int | None, typer.Option("--seed", help="one seed only", min=0)] = None,
    properties: PropertiesOption = None,
    faults: Annotated[
        str | None, typer.Option("--faults", help="run the fault matrix too: all, or kinds with commas between them")
    ] = None,
    set_: SetOption = None,
    hours: Annotated[float | None, typer.Option("--hours", help="only the first hours")] = None,
    workers: WorkersOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="where runs are kept (default: runs/check-NAME)")] = None,
) -> None:
    """Run a scenario under several seeds and judge what must hold; exit code 1 and a command that replays it if not."""
    from scenarios.checks.run import check as carry_out
    from scenarios.runner.telling import Show
    from twin.cli.running import load_ready

    ready = load_ready(scenario, parse_sets(set_), hours)
    demanded = wanted(properties)
    numbers = [seed] if seed is not None else list(range(1, seeds + 1))
    if faults is not None:
        from twin.cli.matrix import matrix

        raise typer.Exit(matrix(ready, numbers, demanded, faults, workers, out))
    with Show(len(numbers)) as show:
        report = carry_out(ready, numbers, demanded, out, workers, show)
    again = ["twin", "run", scenario]
    for text in set_ or ():
        again += ["--set", text]
    if hours is not None:
        again += ["--hours", f"{hours:g}"]
    for line in told(report, again):
        typer.echo(line)
    if report.interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(0 if report.holds else 1)


def wanted(specs: list[str] | None) -> list[Property]:
    """Return the properties that ``--properties`` names, or all shipped ones."""
    from scenarios.checks.files import find_properties
    from scenarios.checks.run import shipped

    if not specs:
        return shipped()
    found = [p for spec in specs for p in find_properties(spec)]
    names = [p.name for p in found]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise ScenarioError(f"--properties: two properties are called '{twice}'")
    return found


def told(report: Report, again: list[str]) -> list[str]:
    """Return the report as lines: every property, then what is broken first and how to see it."""
    done = len(report.folders)
    seeds = f"{done} seed{'s' if done != 1 else ''}"
    lines = [f"{report.scenario.name}: {len(report.judged)} properties on {seeds}"]
    width = max((len(j.demand.name) for j in report.judged), default=0)
    lines += [f"  {j.demand.name:<{width}}  {_verdict(j)}" for j in report.judged]
    lines += [f"Seed {seed} did not end: {said}" for seed, said in report.failed.items()]
    if report.interrupted:
        lines.append(f"Interrupted: {done} of {report.asked} runs are finished; the same command goes on from there.")
    for j in report.judged:
        if j.violated:
            lines += ["", *_counterexample(j.demand.name, j.broken[0], j.by_seed[j.broken[0]], again)]
    return lines


def _verdict(judged: Any) -> str:
    if judged.waived:
        from scenarios.checks.waivers import told as waiver

        return waiver(judged)
    worst = judged.worst
    margin = f", margin {worst[1].robustness:.4g}{_unit(worst[1].unit)}" if worst is not None else ""
    undecided = sum(o.undecided for o in judged.by_seed.values())
    cut = f", {undecided:,} cut off by the end or unknown" if undecided else ""
    if judged.broken:
        return f"BROKEN under seed{'s' if len(judged.broken) > 1 else ''} {', '.join(map(str, judged.broken))}{margin}"
    if not judged.judged:
        return "nothing to judge"
    return f"holds ({judged.judged:,} case{'s' if judged.judged != 1 else ''}{margin}{cut})"


def _unit(unit: str) -> str:
    return unit if unit.startswith("/") else f" {unit}" if unit else ""


def _counterexample(name: str, seed: int, found: Outcome, again: list[str]) -> list[str]:
    lines = [f"BROKEN: {name}"]
    lines += [f"  seed {seed}: {v.what}" for v in found.violations[:3]]
    command = shlex.join([*again, "--seed", str(seed), "--out", f"runs/counterexample-{seed}"])
    lines.append(f"  see it: {command}")
    first = found.first
    if first is not None and first.t_s >= 0:
        where = f"#t={first.t_s}" + (f"&id={first.things[0]}" if first.things else "")
        lines.append(f"          then open runs/counterexample-{seed}/map.html{where}")
    return lines


def _many(settings: int) -> str:
    return f"{settings} setting{'s' if settings != 1 else ''}"


@plain_errors
def falsify(
    scenario: ScenarioArg,
    vary: Annotated[
        list[str], typer.Option("--vary", metavar="KEY=LOW..HIGH", help="what may be changed; may be repeated")
    ],
    properties: PropertiesOption = None,
    runs: Annotated[int, typer.Option("--runs", help="settings that are tried at most", min=1, max=100_000)] = 40,
    seeds: Annotated[int, typer.Option("--seeds", help="how many seeds each is run under", min=1, max=1000)] = 1,
    set_: SetOption = None,
    hours: Annotated[float | None, typer.Option("--hours", help="only the first hours")] = None,
    workers: WorkersOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="where runs are kept (default: runs/falsify-NAME)")] = None,
) -> None:
    """Search parameters for a setting that breaks a property, and shrink it; exit code 1 if there is one."""
    from scenarios import falsify as search
    from scenarios.checks.waivers import reasons
    from scenarios.runner.telling import Show
    from twin.cli.running import load_ready

    ready = load_ready(scenario, parse_sets(set_), hours)
    ranges = [search.read_range(text) for text in vary]
    data = ready.resolved()
    base = {r.key: search.get(data, r.key) for r in ranges}
    search.check_ranges(ranges, ready)
    demanded = wanted(properties)
    waived = reasons(ready, demanded)
    for p in demanded:
        if p.name in waived:
            typer.echo(f"Not searched: {p.name} (waived: {waived[p.name]})")
    demanded = [p for p in demanded if p.name not in waived]
    folder = out if out is not None else Path("runs") / f"falsify-{ready.name}"
    at_once = workers if workers is not None else os.cpu_count() or 1
    with Show((runs + len(ranges) * (1 + search.SHRINK_STEPS)) * seeds) as show:
        judge = search.objective(ready, list(range(1, seeds + 1)), demanded, folder, workers, show)
        found = search.search(ranges, base, judge, runs, at_once=max(1, at_once // seeds))
        if found.robustness < 0:
            found = search.shrink(found, ranges, base, judge)
    if found.robustness >= 0:
        values = ", ".join(f"{k} = {v}" for k, v in found.values.items()) or "the scenario as it is"
        typer.echo(f"Nothing was broken in {_many(found.tried)}; nearest was {values} (margin {found.robustness:.3g}).")
        return
    file = folder / "counterexample.yaml"
    extends = scenario
    if set_ or hours is not None or scenario.endswith((".yaml", ".yml")):
        extends = "base.yaml"  # what the search began with, as it stood
        (folder / extends).write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
    search.write(found, ready, extends, file)
    typer.echo(f"A property is broken after {_many(found.tried)} by:")
    for key, value in found.values.items():
        typer.echo(f"  {key}: {value}   (base: {base[key]})")
    if not found.values:
        typer.echo("  nothing: the scenario as it is")
    for key in found.free:
        typer.echo(f"  {key} does not matter")
    named = "".join(f" --properties {shlex.quote(p)}" for p in properties or ())
    typer.echo(f"see it: twin check {file} --seeds {seeds}{named}")
    raise typer.Exit(1)
