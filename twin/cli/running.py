"""The commands that simulate: ``run``, ``demo``, ``rerun``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.common import (
    INTERRUPTED,
    LangOption,
    ScenarioArg,
    SetOption,
    check_lang,
    parse_sets,
    plain_errors,
)

if TYPE_CHECKING:
    from twin.scenario import Scenario

SeedOption = Annotated[int, typer.Option("--seed", help="everything drawn by chance follows from it", min=0)]


@plain_errors
def run(
    scenario: ScenarioArg,
    seed: SeedOption = 1,
    set_: SetOption = None,
    hours: Annotated[float | None, typer.Option("--hours", help="only the first hours")] = None,
    traffic: Annotated[str | None, typer.Option("--traffic", help="meso, micro or free-flow")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="run folder (default: runs/NAME-SEED)")] = None,
    map_: Annotated[bool, typer.Option("--map/--no-map", help="write map.html")] = True,
    force: Annotated[bool, typer.Option("--force", help="replace the run that is in the folder")] = False,
    lang: LangOption = "en",
) -> None:
    """Run a scenario and write its run folder: facts, positions, indicators, map."""
    from twin.cli.folders import default_folder
    from twin.run_folder import prepare

    check_lang(lang)
    ready = load_ready(scenario, parse_sets(set_), hours, traffic)
    folder = out if out is not None else default_folder(ready.name, seed)
    prepare(folder, force=force)
    _simulate(ready, seed, folder, with_map=map_, lang=lang)


@plain_errors
def demo(
    open_: Annotated[bool, typer.Option("--open/--no-open", help="open the map in the browser")] = True,
    seed: SeedOption = 1,
    lang: LangOption = "en",
) -> None:
    """Run one morning of the shipped district into runs/demo/ and open its map."""
    from twin.run_folder import prepare

    check_lang(lang)
    folder = Path("runs") / "demo"
    ready = load_ready("demo", {}, None)
    prepare(folder, force=True)
    page = _simulate(ready, seed, folder, with_map=True, lang=lang)
    if open_ and page is not None:
        open_page(page)


@plain_errors
def rerun(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a run folder", show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", help="keep the new run here")] = None,
) -> None:
    """Run a run folder's scenario again and compare: same digest, or which fact differs first (exit code 1)."""
    import tempfile

    from twin.cli.sameness import compare, explain_inputs
    from twin.run_folder import prepare, read_stamp
    from twin.scenario import Scenario

    stamp = read_stamp(folder)
    ready = Scenario.from_resolved(stamp["scenario"], str(folder / "stamp.json"))
    with tempfile.TemporaryDirectory(prefix="twin-rerun-") as work:
        target = prepare(out if out is not None else Path(work) / "run", force=False)
        again = _run(ready, int(stamp["seed"]), target)
        if again.ended == "interrupted":
            typer.echo("Interrupted: nothing was compared.", err=True)
            raise typer.Exit(INTERRUPTED)
        same, said = compare(folder, stamp, target)
        typer.echo(said)
        if not same:
            for line in explain_inputs(stamp, read_stamp(target)):
                typer.echo(line)
            raise typer.Exit(1)


# -- shared ------------------------------------------------------------------------------------------


def load_ready(
    name: str,
    sets: Mapping[str, str],
    hours: float | None,
    traffic: str | None = None,
    varied: Mapping[str, str] | None = None,
) -> Scenario:
    """Load a scenario as a command names it, say what falls away, and check its control code.

    ``varied``: keys set by ``--vary``, which errors then name.
    """
    from twin.scenario import load_scenario
    from twin.scenario.check import check_control

    sources = {key: f"--vary {key}" for key in varied or {}}
    sets = {**sets, **(varied or {})}
    if traffic is not None:
        sets["traffic.mode"], sources["traffic.mode"] = traffic, "--traffic"
    ready = load_scenario(name, sets, sources=sources)
    if hours is not None:
        ready, notes = ready.shortened(hours)
        for note in notes:
            typer.echo(f"{ready.name}: {note}", err=True)
    check_control(ready)
    return ready


def _run(ready: Scenario, seed: int, folder: Path) -> Any:
    """Build the city, check the scenario against it, simulate with a progress bar; return the Run."""
    from twin.cities import city_folder
    from twin.cli.progress import Progress
    from twin.scenario.check import CityNames, check_against_city

    city = city_folder(ready, say=lambda text: typer.echo(f"{text[:1].upper()}{text[1:]} …", err=True))
    check_against_city(ready, CityNames.read(city))
    from twin import simulation

    with Progress(ready.title or ready.name) as progress:
        return simulation.run(ready, seed, folder, progress=progress)


def _simulate(ready: Scenario, seed: int, folder: Path, *, with_map: bool, lang: str) -> Path | None:
    """Run, then write indicators and map; return the map's file if it was asked for."""
    from twin.cli.folders import write_kpis

    done = _run(ready, seed, folder)
    folder = done.dir or folder  # a zoom that is interrupted in its first part ends in the folder of the district
    kpis = write_kpis(folder, done.log)
    page: Path | None = None
    if with_map and not (folder / "fcd.parquet").is_file():
        typer.echo("No map: this run recorded no positions of vehicles.", err=True)
    elif with_map:
        typer.echo("Drawing the map …", err=True)
        from viz import map as maps

        page = maps.build(folder, lang=lang)
    _report(ready, seed, folder, done, kpis, page, lang)
    if done.ended == "interrupted":
        raise typer.Exit(INTERRUPTED)
    return page


def _report(
    ready: Scenario, seed: int, folder: Path, done: Any, kpis: list[dict[str, Any]], page: Path | None, lang: str
) -> None:
    from scenarios.kpis import HEADLINE

    title = (ready.title_zh if lang == "zh" else ready.title) or ready.name
    typer.echo(f"{title} – seed {seed}" + (" – INTERRUPTED" if done.ended == "interrupted" else ""))
    headline = {k.name for k in HEADLINE}
    for item in kpis:
        if item["value"] is not None and item["name"] in headline:
            name = item["title_zh"] if lang == "zh" else item["title"]
            typer.echo(f"  {name}: {_shown(item)}")
    typer.echo(f"Run folder: {folder}")
    if page is not None:
        typer.echo(f"Map: {page}")
    typer.echo(f"Digest: {done.digest}")


def _shown(item: dict[str, Any]) -> str:
    """Return an indicator's value and unit; a moment is shown as a time of day."""
    value, unit = item["value"], item["unit"]
    if item["name"].endswith("_starts_h"):
        return f"{int(value % 24):02d}:{round(value % 1 * 60):02d}"
    number = f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.3g}"
    return f"{number} {unit}".rstrip()


def open_page(page: Path) -> None:
    """Open a page in the browser, or say that there is none."""
    import webbrowser

    try:
        opened = webbrowser.open(page.resolve().as_uri())
    except Exception:
        opened = False
    if not opened:
        typer.echo(f"No browser was found; open {page} yourself.")
