"""``twin branch``: one past, several futures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.common import INTERRUPTED, LangOption, ScenarioArg, SetOption, check_lang, parse_sets, plain_errors
from twin.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.branch import Branched
    from scenarios.kpis.base import Kpi
    from twin.scenario import Scenario


DAY_S = 86_400
WORDS = {
    "en": {
        "indicator": "indicator",
        "one": "One seed is one draw: differences show what can happen. For intervals give --seeds 20.",
        "same": "Identical futures: {names}.",
        "forked": "Forked at {at}: {cpu:.1f} s of processor time, {ratio:.2f} × what {n} runs from the start take "
        "({past:.1f} s of past paid once; futures {futures}).",
        "rerun": "Run from the start, {n} times {past:.1f} s up to {at}: {cpu:.1f} s of processor time "
        "(a fork was not possible here, or not wanted; the result is the same).",
        "forked_seeds": "Forked at {at} under each seed: {cpu:.1f} s of processor time, {ratio:.2f} × what {n} runs "
        "from the start take ({past:.1f} s of pasts, each paid once).",
        "rerun_seeds": "Run from the start, {n} runs: {cpu:.1f} s of processor time (a fork was not possible here, or "
        "not wanted; the result is the same).",
    },
    "zh": {
        "indicator": "指标",
        "one": "单个种子只是一次抽样，仅说明可能发生什么；需要区间请用 --seeds 20。",
        "same": "完全相同的未来：{names}。",
        "forked": "在 {at} 分叉：处理器时间 {cpu:.1f} 秒，为 {n} 次从头运行的 {ratio:.2f} 倍"
        "（过去部分 {past:.1f} 秒只计一次；各未来 {futures}）。",
        "rerun": "从头运行 {n} 次，每次到 {at} 需 {past:.1f} 秒：处理器时间共 {cpu:.1f} 秒"
        "（此处无法或未要求分叉；结果相同）。",
        "forked_seeds": "每个种子均在 {at} 分叉：处理器时间 {cpu:.1f} 秒，为 {n} 次从头运行的 {ratio:.2f} 倍"
        "（各过去部分共 {past:.1f} 秒，只计一次）。",
        "rerun_seeds": "从头运行 {n} 次：处理器时间共 {cpu:.1f} 秒（此处无法或未要求分叉；结果相同）。",
    },
}


@plain_errors
def branch(
    scenario: ScenarioArg,
    at: Annotated[str, typer.Option("--at", metavar="HH:MM", help="time of the branch")],
    with_: Annotated[
        list[str] | None, typer.Option("--with", metavar="VARIANT", help="a future; may be given several times")
    ] = None,
    day: Annotated[int, typer.Option("--day", help="day of the branch, 1 is the first", min=1, max=31)] = 1,
    seed: Annotated[int, typer.Option("--seed", help="everything drawn by chance follows from it", min=0)] = 1,
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="branch under seeds 1 to N, and compare as 'twin compare' does", min=1)
    ] = None,
    kpi: Annotated[list[str] | None, typer.Option("--kpi", help="indicator, may be given several times")] = None,
    workers: Annotated[int, typer.Option("--workers", help="futures that run at once", min=1)] = 1,
    rerun: Annotated[bool, typer.Option("--rerun", help="do not fork: run each from the start")] = False,
    set_: SetOption = None,
    hours: Annotated[float | None, typer.Option("--hours", help="only the first hours")] = None,
    traffic: Annotated[str | None, typer.Option("--traffic", help="meso, micro or free-flow")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="folder (default: runs/branch-NAME-HHMM)")] = None,
    lang: LangOption = "en",
) -> None:
    """Run a scenario up to a time once, and from there as several variants; the scenario itself is the first."""
    from scenarios.branch import branch as carry_out
    from twin.cli.comparing import kpis_named
    from twin.cli.running import load_ready
    from twin.scenario.words import difference

    check_lang(lang)
    at_s = seconds_at(at, day)
    sets = parse_sets(set_)
    base = load_ready(scenario, sets, hours, traffic)
    variants = [base, *(load_ready(name, sets, hours, traffic) for name in with_ or ())]
    folder = out if out is not None else Path("runs") / f"branch-{base.name}-{at.replace(':', '')}"
    for v in variants[1:]:
        for sentence in difference(base, v, lang):
            typer.echo(f"{v.name}: {sentence}")
    fork = False if rerun else None
    if seeds is not None:
        _pairs(base, variants[1:], (at_s, at), seeds, kpi, folder, workers, fork, lang)
        return
    asked = kpis_named(kpi) if kpi else ()
    done = carry_out(base, variants, at_s, folder, seed, workers, fork, say=lambda t: typer.echo(t, err=True))
    _print(done, at, lang, asked)
    typer.echo(f"Folder: {folder}")


def _pairs(
    base: Scenario,
    variants: list[Scenario],
    at: tuple[int, str],
    seeds: int,
    kpi: list[str] | None,
    folder: Path,
    workers: int,
    fork: bool | None,
    lang: str,
) -> None:
    """Branch under several seeds, and print and write what a comparison does."""
    from scenarios.branch_seeds import branch_seeds
    from scenarios.runner.telling import Show
    from scenarios.study import Question
    from twin.cli.comparing import kpis_named, print_study
    from viz import report as sheets

    if not variants:
        raise ScenarioError("--seeds: give at least one --with VARIANT, to be compared with the scenario itself")
    question = Question(kpis=kpis_named(kpi), seeds=tuple(range(1, seeds + 1)))
    with Show(0) as show:
        done, cost = branch_seeds(base, variants, at[0], question, folder, workers, fork, show, show.grow)
    print_study(done, lang)
    if cost.futures:
        word = WORDS[lang]["forked_seeds" if cost.forked else "rerun_seeds"]
        ratio = cost.cpu_s / cost.separate_cpu_s if cost.separate_cpu_s else 1.0
        typer.echo(word.format(at=at[1], n=cost.futures, cpu=cost.cpu_s, past=cost.past_cpu_s, ratio=ratio))
    if any(c.reply.pairs for c in done.compared):
        typer.echo(f"Report: {sheets.build([folder], lang=lang)}")
    typer.echo(f"Folder: {folder}\nDigest: {done.digest}")
    if done.interrupted:
        raise typer.Exit(INTERRUPTED)


def seconds_at(text: str, day: int) -> int:
    """Return the second of "HH:MM" on a day. Raises ScenarioError."""
    hours, colon, minutes = text.strip().partition(":")
    plain = bool(colon) and hours.isdigit() and minutes.isdigit() and len(minutes) == 2
    if not plain or int(hours) > 23 or int(minutes) > 59:
        raise ScenarioError(f"--at: is '{text}'; allowed: a time such as 08:00")
    return (day - 1) * DAY_S + 3600 * int(hours) + 60 * int(minutes)


def _print(done: Branched, at: str, lang: str, asked: Sequence[Kpi] = ()) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from scenarios import kpis

    word = WORDS[lang]
    shown = list(asked or kpis.HEADLINE)
    values = [f.values(shown) for f in done.futures]
    table = Table(word["indicator"], *(f.name for f in done.futures))
    for k in shown:
        row = [v[k.name] for v in values]
        if any(v is not None for v in row):
            title = (k.title_zh if lang == "zh" else k.title) + (f" ({k.unit})" if k.unit else "")
            table.add_row(Text(title), *("–" if v is None else f"{v:,.4g}" for v in row))
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    console.print(table)
    by_digest: dict[str, list[str]] = {}
    for f in done.futures:
        by_digest.setdefault(f.digest, []).append(f.name)
        typer.echo(f"{f.name}: digest {f.digest}")
    for names in by_digest.values():
        if len(names) > 1:
            typer.echo(word["same"].format(names=", ".join(names)))
    typer.echo(word["one"])
    n = len(done.futures)
    futures = ", ".join(f"{f.cpu_s:.1f} s" for f in done.futures)
    ratio = done.cpu_s / done.separate_cpu_s if done.separate_cpu_s else 1.0
    text = word["forked"] if done.forked else word["rerun"]
    typer.echo(text.format(at=at, cpu=done.cpu_s, ratio=ratio, n=n, past=done.past_cpu_s, futures=futures))
