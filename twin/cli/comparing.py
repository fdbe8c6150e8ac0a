"""``twin compare`` and ``twin report``: is B better than A, how sure is that, and the sheet that says so."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.common import INTERRUPTED, LangOption, SetOption, check_lang, parse_sets, plain_errors
from twin.errors import ScenarioError

if TYPE_CHECKING:
    from scenarios.kpis.base import Kpi
    from scenarios.study import Study
    from twin.scenario import Scenario

WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="runs at once (default: one a core, as memory allows)", min=1)
]
ClusterOption = Annotated[
    str | None, typer.Option("--cluster", metavar="ADDRESS", help="a Dask scheduler, in place of local workers")
]
WORDS = {
    "en": {
        "better": "better",
        "worse": "worse",
        "different": "different",
        "indistinguishable": "cannot tell apart",
        "inconclusive": "inconclusive",
        "columns": ("indicator", "base", "variant", "difference [95 % interval]", "pairs", "pairing", "verdict"),
        "more": "pairs still needed for ±{x}: {n}",
        "passes": "passes",
        "fails": "fails",
        "unknown": "cannot be told",
        "guard": "Guardrail {kpi}: {state} (worst {worst}, margin {margin})",
        "failed": "Failed: {name}, seed {seed}: {said}",
        "same": "Every pair of runs is identical, digest by digest.",
        "stopped": "INTERRUPTED: {n} of {all} pairs have run. The same command goes on from here.",
        "explore": "The plan was changed after runs were there: exploratory, not confirmed.",
        "best": "May be best in {kpi} (95 %, after {n} pairs): {names}",
    },
    "zh": {
        "better": "更好",
        "worse": "更差",
        "different": "不同",
        "indistinguishable": "无法区分",
        "inconclusive": "不能下结论",
        "columns": ("指标", "基准", "方案", "差值 [95 % 区间]", "对数", "配对", "结论"),
        "more": "达到 ±{x} 还需 {n} 对",
        "passes": "通过",
        "fails": "未通过",
        "unknown": "无法判断",
        "guard": "护栏指标 {kpi}：{state}（最坏 {worst}，容限 {margin}）",
        "failed": "失败：{name}，种子 {seed}：{said}",
        "same": "每一对运行都逐位相同。",
        "stopped": "已中断：{all} 对中完成了 {n} 对。再次运行同一命令即可继续。",
        "explore": "计划在已有运行结果之后被改动：仅供探索，不作确认。",
        "best": "{kpi} 的可能最优方案（95 %，{n} 对之后）：{names}",
    },
}


@plain_errors
def compare(
    base: Annotated[str, typer.Argument(metavar="BASE", help="a name of 'twin list', or a .yaml file")],
    variants: Annotated[list[str], typer.Argument(metavar="VARIANT...", help="what to compare with it")],
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="number of pairs, seeds 1 to N (default 20)", min=1)
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    kpi: Annotated[list[str] | None, typer.Option("--kpi", help="indicator, may be given several times")] = None,
    smallest: Annotated[
        list[str] | None, typer.Option("--smallest", metavar="KPI=X", help="smallest effect that matters, in its unit")
    ] = None,
    guardrail: Annotated[
        list[str] | None, typer.Option("--guardrail", metavar="KPI=M", help="may get worse by M (or M%) at most")
    ] = None,
    sequential: Annotated[
        bool, typer.Option("--sequential", help="look at 20, 40, 80 … pairs, stop when all is decided")
    ] = False,
    until: Annotated[
        str, typer.Option("--until", metavar="±X%", help="run until the interval is this narrow (±2%, or ±0.5)")
    ] = "",
    warm_up: Annotated[float, typer.Option("--warm-up", help="minutes at the start that do not count", min=0)] = 0.0,
    precision: Annotated[float, typer.Option("--precision", help="advise the runs needed for ±X %", min=0.01)] = 2.0,
    set_: SetOption = None,
    hours: Annotated[float | None, typer.Option("--hours", help="only the first hours")] = None,
    traffic: Annotated[str | None, typer.Option("--traffic", help="meso, micro or free-flow")] = None,
    record: Annotated[int, typer.Option("--record", help="record positions for the first so many seeds", min=0)] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="folder (default: runs/compare-BASE-…)")] = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="write report.html")] = True,
    lang: LangOption = "en",
) -> None:
    """Run variants under the same seeds as a base, and say what is better, worse, or cannot be told apart."""
    from scenarios.runner.telling import Show
    from scenarios.study import Question, seeds_for, study
    from twin.cli.running import load_ready

    check_lang(lang)
    ready = [load_ready(name, parse_sets(set_), hours, traffic) for name in (base, *variants)]
    _check_names(ready)
    shortest_s = min(s.end_s - s.start_s for s in ready)
    if 60 * warm_up >= shortest_s:
        raise ScenarioError(f"--warm-up: is {warm_up:g}; allowed: less than the {shortest_s / 60:g} minutes of the run")
    question = Question(
        kpis=kpis_named(kpi),
        seeds=seeds_for(seeds, until),
        guardrails=_guardrails(guardrail),
        smallest=_smallest(smallest, kpi),
        sequential=sequential,
        until=until,
        warm_up_s=round(60 * warm_up),
        advice_percent=precision,
    )
    folder = out if out is not None else _default_folder(ready)
    with Show(0) as show:
        done = study(ready[0], ready[1:], question, folder, workers, cluster, show, show.grow, record)
    print_study(done, lang)
    if report and any(c.reply.pairs for c in done.compared):
        from viz import report as sheets

        typer.echo(f"Report: {sheets.build([folder], lang=lang)}")
    typer.echo(f"Folder: {folder}\nDigest: {done.digest}")
    if done.interrupted:
        raise typer.Exit(INTERRUPTED)


@plain_errors
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="a comparison, or run folders")],
    out: Annotated[Path | None, typer.Option("--out", help="the page (default: DIR/report.html)")] = None,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="open it in the browser")] = False,
    lang: LangOption = "en",
) -> None:
    """Put a comparison, or single runs, on one sheet: one file that prints to A4 and needs no network."""
    from twin.cli.running import open_page
    from viz import report as sheets

    check_lang(lang)
    page = sheets.build(folders, out, lang)
    typer.echo(f"Report: {page}")
    for folder in folders:
        if (folder / "events.parquet").is_file() and _has_cases(folder):
            from viz import services_page

            typer.echo(f"Services: {services_page.build(folder, lang=lang)}")
    if open_:
        open_page(page)


def _has_cases(folder: Path) -> bool:
    from twin.log import Facts

    return bool(Facts.read(folder).table("CaseFiled", ["t_s"]).num_rows)


# -- input -----------------------------------------------------------------------------------------------


def _check_names(ready: list[Scenario]) -> None:
    """Variants are told apart by name; one that is the base itself is fine (a test of the machinery)."""
    names = [s.name for s in ready[1:]]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise ScenarioError(f"two variants are called '{twice}'; give one of them another 'name:'")


def kpis_named(names: list[str] | None) -> tuple[Kpi, ...]:
    """Return the indicators asked for; by default the headline ones in which a direction is better."""
    from scenarios import kpis

    if not names:
        return tuple(k for k in kpis.HEADLINE if k.better != "neither")
    return tuple(_kpi(n) for n in dict.fromkeys(names))


def _kpi(name: str) -> Kpi:
    from scenarios import kpis
    from twin.scenario.mistakes import did_you_mean

    try:
        return kpis.by_name(name)
    except KeyError:
        near = did_you_mean(name, [k.name for k in kpis.ALL])
        raise ScenarioError(f"--kpi: there is no indicator '{name}'; see docs/metrics.md{near}") from None


def _guardrails(texts: list[str] | None) -> tuple[Any, ...]:
    from scenarios import kpis
    from scenarios.stats.plan import parse_guardrail

    return tuple(parse_guardrail(t, [k.name for k in kpis.ALL]) for t in texts or ())


def _smallest(texts: list[str] | None, asked: list[str] | None) -> dict[str, float]:
    out: dict[str, float] = {}
    for text in texts or ():
        name, _, amount = text.partition("=")
        _kpi(name.strip())
        if asked and name.strip() not in asked:
            raise ScenarioError(f"--smallest '{text}': '{name.strip()}' is not among the indicators asked for")
        try:
            out[name.strip()] = float(amount)
        except ValueError:
            out[name.strip()] = -1.0
        if not 0 < out[name.strip()] < float("inf"):
            raise ScenarioError(f"--smallest '{text}': write it as KPI=X with a number above 0")
    return out


def _default_folder(ready: list[Scenario]) -> Path:
    """Return a folder that the same question finds again, so that asking twice resumes."""
    return Path("runs") / ("compare-" + "-".join(dict.fromkeys(s.name for s in ready)))[:120]


# -- output ----------------------------------------------------------------------------------------------


def print_study(done: Study, lang: str) -> None:
    """Print the answers of a study as a table a variant."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    word: dict[str, Any] = WORDS[lang]
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    for c in done.compared:
        console.print(Text(f"{done.base.name} → {c.scenario.name}", style="bold"))
        table = Table(*word["columns"])
        for a in c.reply.answers:
            if a.summary is None:
                continue
            s = a.summary
            digits = decimals(s.high - s.low if s.n > 1 else abs(s.base))
            interval = f"[{s.low:+,.{digits}f}, {s.high:+,.{digits}f}]" if s.n > 1 else "–"
            verdict = word[a.verdict] + (f" ({a.why})" if a.why else "")
            if a.more and a.verdict in ("indistinguishable", "inconclusive"):
                verdict += "; " + word["more"].format(n=f"{a.more:,}", x=f"{a.more_for:.3g} {a.kpi.unit}".rstrip())
            table.add_row(
                Text(f"{a.kpi.title_zh if lang == 'zh' else a.kpi.title}" + (f" ({a.kpi.unit})" if a.kpi.unit else "")),
                f"{s.base:,.{digits}f}",
                f"{s.variant:,.{digits}f}",
                Text(f"{s.difference:+,.{digits}f} {interval}"),
                str(s.n) + (f" (−{len(a.without)})" if a.without else ""),
                "–" if s.variance_ratio is None else f"×{s.variance_ratio:.2g}",
                Text(verdict),
            )
        console.print(table)
        for g in c.reply.guards:
            if g.guarded is not None:
                state = {True: "passes", False: "fails", None: "unknown"}[g.guarded.passed]
                bounds = {"worst": f"{g.guarded.worst:.3g}", "margin": f"{g.guarded.margin:.3g}"}
                console.print(word["guard"].format(kpi=g.kpi.name, state=word[state], **bounds))
        for (key, seed), said in c.failed.items():
            name = c.scenario.name if key == c.key else done.base.name
            console.print(Text(word["failed"].format(name=name, seed=seed, said=said)))
        if c.same:
            console.print(word["same"])
        if not c.planned_before:
            console.print(word["explore"])
        if done.interrupted:
            console.print(word["stopped"].format(n=c.reply.pairs, all=max(c.reply.plan.looks)))
    names = [done.base.name, *(c.scenario.name for c in done.compared)]
    for kpi, selection in done.best.items():
        survivors = ", ".join(names[i] for i in selection.survivors)
        console.print(word["best"].format(kpi=kpi, n=selection.n, names=survivors))


def decimals(width: float) -> int:
    """Return how many decimals a number needs whose interval is so wide: two significant digits of the width."""
    import math

    if not (0 < width < math.inf):
        return 2
    return max(0, min(6, 1 - math.floor(math.log10(width))))
