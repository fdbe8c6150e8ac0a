"""The command line: ``twin run``, ``twin demo`` and the others. Nothing heavy is imported before it is needed.

Each group of commands has its own file; this one names them and turns the twin's errors into one sentence on
stderr and exit code 2. A mistake of the program itself still shows its traceback.
"""

from __future__ import annotations

import os
import sys

import typer

from twin.cli import (
    about,
    asking,
    assistant,
    branching,
    checking,
    cities,
    comparing,
    exporting,
    look,
    money,
    reforming,
    replaying,
    rules,
    running,
    sweeping,
)

app = typer.Typer(
    name="twin",
    help="A city's rehearsal room: run a day of the district, with its real control code, and look at it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("demo")(running.demo)
app.command("run")(running.run)
app.command("rerun")(running.rerun)
app.command("map")(look.map_)
app.command("list")(look.list_)
app.command("describe")(look.describe)
app.command("validate")(look.validate)
app.command("diff")(look.diff)
app.add_typer(cities.app, name="city")
app.add_typer(exporting.app, name="export")
app.add_typer(rules.app, name="rules")
app.command("costs")(money.costs)
app.command("reform")(reforming.reform)
app.command("ask-service")(assistant.ask_service)
app.command("compare")(comparing.compare)
app.command("branch")(branching.branch)
app.command("sweep")(sweeping.sweep)
app.command("report")(comparing.report)
app.command("doctor")(about.doctor)
app.command("bench")(about.bench)
app.command("ask")(asking.ask)
app.command("check")(checking.check)
app.command("falsify")(checking.falsify)
app.command("replay")(replaying.replay)
app.command("serve")(replaying.serve)


def main() -> None:
    """Run the command line; the entry point ``twin``."""
    try:
        app()
    except BrokenPipeError:  # the reader of our output went away, as in 'twin list | head'
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


__all__ = ["app", "main"]
