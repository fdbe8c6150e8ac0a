"""The commands about the program itself: ``doctor`` and ``bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.common import plain_errors


@plain_errors
def doctor() -> None:
    """Check the installation, and say for each thing that is wrong what to do (exit code 1)."""
    from twin.doctor import checks

    bad = 0
    for check in checks():
        typer.echo(f"{'ok  ' if check.ok else 'note' if check.optional else 'BAD '}  {check.name}: {check.said}")
        if not check.ok:
            typer.echo(f"        → {check.advice}")
            bad += not check.optional
    if bad:
        typer.echo(f"{bad} thing{'s' if bad > 1 else ''} to put right.")
        raise typer.Exit(1)
    typer.echo("All is well: try 'twin demo'.")


@plain_errors
def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", show_default=False)] = None,
    json_: Annotated[Path | None, typer.Option("--json", help="write the rows here as JSON")] = None,
) -> None:
    """Measure what this project promises: one row per promise."""
    from scenarios.bench import main

    raise typer.Exit(main(list(names or ()), json_))
