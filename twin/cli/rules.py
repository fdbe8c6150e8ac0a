"""``twin rules``: a city's alerting rules, checked and tested by the city itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.common import plain_errors

app = typer.Typer(no_args_is_help=True, help="Alerting rules: check a file, run its tests.", rich_markup_mode=None)

_DIFFERENT = 1


@app.callback()
def rules() -> None:
    """Check and test alerting rules."""


@app.command("check")
@plain_errors
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a rules file (.yaml)", show_default=False)],
) -> None:
    """Read a rules file and say what it holds, or what is wrong with it."""
    from scenarios.rules import load_rules

    book = load_rules(file)
    typer.echo(f"{file}: {len(book.rules)} rules, {len(book.inhibitions)} inhibitions")
    for rule in book.rules:
        typer.echo(f"  {rule.name:24s} {rule.severity:9s} {rule.query}")


@app.command("test")
@plain_errors
def test(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a file of rule tests (.yaml)", show_default=False)],
) -> None:
    """Run a city's tests of its rules; exit 1 when one fails."""
    from scenarios.rule_tests import load_tests, run_test

    tests = load_tests(file)
    failed = 0
    for one in tests.tests:
        differences = run_test(tests, one)
        failed += bool(differences)
        typer.echo(f"{'FAIL' if differences else 'ok  '}  {one.name}")
        for sentence in differences:
            typer.echo(f"      {sentence}")
    typer.echo(f"{len(tests.tests) - failed} of {len(tests.tests)} tests passed")
    if failed:
        raise typer.Exit(_DIFFERENT)
