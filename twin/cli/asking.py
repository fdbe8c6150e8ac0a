"""``twin ask``: the questions of the catalogue, asked again here and now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from twin.cli.common import INTERRUPTED, LangOption, check_lang, plain_errors


@plain_errors
def ask(
    name: Annotated[str | None, typer.Argument(metavar="[QUESTION]", help="a name; none: list them")] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="number of pairs, seeds 1 to N", min=1, max=1000)] = 8,
    workers: Annotated[int | None, typer.Option("--workers", help="runs at once (default: one a core)", min=1)] = None,
    out: Annotated[Path | None, typer.Option("--out", help="where runs are kept (default: runs/ask-NAME)")] = None,
    lang: LangOption = "en",
) -> None:
    """Ask a question of the catalogue: run its base and variants, compare them, and judge what must hold."""
    from scenarios.questions import question, questions

    check_lang(lang)
    zh = lang == "zh"
    if name is None:
        for q in questions().values():
            typer.echo(f"{q.name:<18} {q.letters}  {q.question_zh if zh else q.question}")
        return
    from scenarios.runner.telling import Show
    from twin.cli.comparing import print_study
    from viz import report as sheets

    asked = question(name)
    folder = out if out is not None else Path("runs") / f"ask-{name}"
    typer.echo(asked.question_zh if zh else asked.question)
    with Show(0) as show:
        answer = asked.study(seeds, folder, workers, show, show.grow)
    print_study(answer.study, lang)
    for line in _scale(asked.scale):
        typer.echo(line)
    for of, lines in answer.waived.items():
        for text in lines:
            typer.echo(f"In {of}, {text}")
    for run, wrong in answer.broken.items():
        typer.echo(f"BROKEN in {run}: {'; '.join(wrong)}")
    if any(c.reply.pairs for c in answer.study.compared):
        typer.echo(f"Report: {sheets.build([folder], lang=lang)}")
    if answer.study.interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(0 if answer.holds else 1)


def _scale(scale: Any) -> list[str]:
    return [f"Scale: {', '.join(f'{k} = {v}' for k, v in scale.items())}"] if scale else []
