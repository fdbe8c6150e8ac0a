"""The commands that simulate nothing: ``list``, ``describe``, ``validate``, ``diff``, ``map``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.common import LangOption, ScenarioArg, SetOption, check_lang, fail, parse_sets, plain_errors
from twin.errors import ScenarioError

if TYPE_CHECKING:
    from twin.scenario import Scenario
    from twin.scenario.words import Translate

WRONG = 1


@plain_errors
def list_(lang: LangOption = "en") -> None:
    """List the scenarios that are shipped."""
    from twin.scenario import catalogue, load_scenario

    check_lang(lang)
    known = catalogue()
    width = max(len(name) for name in known)
    for name in known:
        s = load_scenario(name, files=False)
        typer.echo(f"{name:<{width}}  {s.title_zh if lang == 'zh' and s.title_zh else s.title}")


@plain_errors
def describe(name: ScenarioArg, set_: SetOption = None, lang: LangOption = "en") -> None:
    """Say what a scenario is for, what happens in it, and every key with its value."""
    from twin.scenario import load_scenario
    from twin.scenario.words import describe as in_words
    from twin.scenario.words import key_table

    check_lang(lang)
    s = load_scenario(name, parse_sets(set_), files=False)
    for line in in_words(s, lang, _translator(s, lang)):
        typer.echo(line)
    typer.echo("")
    for line in key_table(s):
        typer.echo(line)


@plain_errors
def validate(
    scenario: ScenarioArg,
    set_: SetOption = None,
    no_city: Annotated[bool, typer.Option("--no-city", help="do not check names against the city")] = False,
) -> None:
    """Check a scenario as 'run' does, within two seconds and without simulating; exit code 1 lists every mistake."""
    from twin.cities import built_folder
    from twin.scenario import load_scenario
    from twin.scenario.check import CityNames, check_against_city, check_control, needs_city

    try:
        s = load_scenario(scenario, parse_sets(set_))
        folder = built_folder(s.city) if needs_city(s) and not no_city else None
    except ScenarioError as error:
        fail(error, WRONG)
    problems = _problems(check_control, s)
    if folder is not None:
        problems += _problems(check_against_city, s, CityNames.read(folder))
    for sentence in problems:
        typer.echo(f"Error: {sentence}", err=True)
    if problems:
        raise typer.Exit(WRONG)
    typer.echo(f"{s.name}: all right.")
    if folder is None and needs_city(s):
        why = "not asked for" if no_city else "the city is not built yet; 'twin run' builds it"
        typer.echo(f"Names of roads and places were not checked ({why}).")


def _problems(check: Callable[..., None], *what: object) -> list[str]:
    """Return the sentences of a check that fails, none of one that does not."""
    try:
        check(*what)
    except ScenarioError as error:
        return list(getattr(error, "problems", [str(error)]))
    return []


@plain_errors
def diff(base: ScenarioArg, variant: ScenarioArg, lang: LangOption = "en") -> None:
    """Say in sentences what a variant changes, and nothing else."""
    from twin.scenario import load_scenario
    from twin.scenario.words import difference

    check_lang(lang)
    a, b = load_scenario(base, files=False), load_scenario(variant, files=False)
    sentences = difference(a, b, lang, _translator(b, lang))
    for sentence in sentences:
        typer.echo(sentence)
    if not sentences:
        typer.echo("两个方案相同。" if lang == "zh" else "The two scenarios are the same.")


@plain_errors
def map_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a run folder", show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", help="the page (default: DIR/map.html)")] = None,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="open it in the browser")] = False,
    lang: LangOption = "en",
) -> None:
    """Make the map of a run: one file that opens from disk, without a network."""
    from twin.cli.running import open_page
    from twin.run_folder import read_stamp
    from viz import map as maps

    check_lang(lang)
    read_stamp(folder)
    page = maps.build(folder, out, lang=lang)
    typer.echo(f"Map: {page}")
    if open_:
        open_page(page)


def _translator(s: Scenario, lang: str) -> Translate:
    """Return what turns names of the scenario's city into ``lang``, where the city is built; else as written."""
    from twin.cities import built_folder
    from twin.scenario.check import CityNames

    try:
        folder = built_folder(s.city)
        return CityNames.read(folder).translator(lang) if folder is not None else str
    except ScenarioError:
        return str
