"""``twin sweep``: grids, samples and sensitivity over a scenario's parameters."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.common import INTERRUPTED, LangOption, ScenarioArg, SetOption, check_lang, parse_sets, plain_errors
from twin.cli.comparing import ClusterOption, WorkersOption
from twin.errors import ScenarioError

if TYPE_CHECKING:
    from scenarios.kpis.base import Kpi
    from scenarios.sweep import Swept
    from twin.scenario import Scenario


@plain_errors
def sweep(
    scenario: ScenarioArg,
    vary: Annotated[
        list[str] | None, typer.Option("--vary", metavar="KEY=…", help="values a,b,c or a range lo..hi; several times")
    ] = None,
    sample: Annotated[str, typer.Option("--sample", help="grid, lhs, morris or sobol")] = "grid",
    n: Annotated[int, typer.Option("--n", help="points (lhs), trajectories (morris), base points (sobol)")] = 8,
    seeds: Annotated[int, typer.Option("--seeds", help="seeds at every point, 1 to N", min=1)] = 1,
    kpi: Annotated[list[str] | None, typer.Option("--kpi", help="indicator, may be given several times")] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    set_: SetOption = None,
    hours: Annotated[float | None, typer.Option("--hours", help="only the first hours")] = None,
    traffic: Annotated[str | None, typer.Option("--traffic", help="meso, micro or free-flow")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="folder (default: runs/sweep-NAME)")] = None,
    lang: LangOption = "en",
) -> None:
    """Run a scenario at many values of its keys, and say which of them matters; asking again goes on."""
    from scenarios.runner.telling import Show
    from scenarios.sweep import METHODS, parse_parameter
    from scenarios.sweep import sweep as carry_out
    from twin.cli.comparing import kpis_named
    from twin.cli.running import load_ready
    from viz import report as sheets

    check_lang(lang)
    method = next((m for m in METHODS if m == sample), None)
    if method is None:
        raise ScenarioError(f"--sample: is '{sample}'; allowed: {', '.join(METHODS)}")
    parameters = [parse_parameter(text) for text in vary or ()]
    fixed = parse_sets(set_)

    def make(sets: Mapping[str, str]) -> Scenario:
        return load_ready(scenario, fixed, hours, traffic, sets)

    name = make({p.key: p.at(0.0) for p in parameters}).name
    folder = out if out is not None else Path("runs") / f"sweep-{name}"
    asked = kpis_named(kpi)
    with Show(0) as show:
        done = carry_out(
            make, parameters, asked, folder, method, n, range(1, seeds + 1), workers, cluster, show, show.grow
        )
    _print(done, asked, lang)
    typer.echo(f"Table: {folder / 'table.csv'}\nReport: {sheets.build([folder], lang=lang)}")
    if done.interrupted:
        raise typer.Exit(INTERRUPTED)


def _print(done: Swept, asked: tuple[Kpi, ...], lang: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    for k in asked:
        if not any(k.name in p.values for p in done.points):
            continue
        effects = done.effects[k.name]
        title = (k.title_zh if lang == "zh" else k.title) + (f" ({k.unit})" if k.unit else "")
        table = Table("", *dict.fromkeys(m for by in effects.values() for m in by), title=title, title_justify="left")
        columns = list(dict.fromkeys(m for by in effects.values() for m in by))
        for name, by in effects.items():
            table.add_row(Text(name), *(f"{by[m]:,.4g}" if m in by else "" for m in columns))
        console.print(table)
    if done.missing:
        console.print(f"{done.missing} of {len(done.points)} points are missing; the same command goes on from here.")
    for p in done.points:
        for seed, said in p.failed:
            what = ", ".join(f"{k}={v}" for k, v in p.sets.items())
            console.print(Text(f"Failed: {what}, seed {seed}: {said}"))
