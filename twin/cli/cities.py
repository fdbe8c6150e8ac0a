"""The commands about cities: ``twin city build``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.common import plain_errors

app = typer.Typer(no_args_is_help=True, help="Cities: build one from files of others.", rich_markup_mode=None)


@app.callback()
def city() -> None:
    """Cities: build one from files of others."""


@app.command("build")
@plain_errors
def build(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="folder for the city", show_default=False)],
    osm: Annotated[Path | None, typer.Option("--osm", help="OpenStreetMap extract (.osm, .osm.gz)")] = None,
    sumo: Annotated[Path | None, typer.Option("--sumo", help="SUMO network (.net.xml, .net.xml.gz)")] = None,
    routes: Annotated[list[Path] | None, typer.Option("--routes", help="SUMO route file (with --sumo)")] = None,
    additional: Annotated[
        list[Path] | None, typer.Option("--additional", help="SUMO additional file: stops, polygons (with --sumo)")
    ] = None,
    template: Annotated[str | None, typer.Option("--template", help="qibu: the shipped district")] = None,
    name: Annotated[str | None, typer.Option("--name", help="the city's name")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace the city that is in the folder")] = False,
) -> None:
    """Build a city from an OpenStreetMap extract, a SUMO network, or the shipped district."""
    from twin.cities import build_city, check_source, prepare_city_folder

    check_source(osm, sumo, routes or (), additional or (), template)
    prepare_city_folder(out, force=force)
    build_city(out, osm, sumo, routes or (), additional or (), template, name)
    _describe(out)


def _describe(folder: Path) -> None:
    """Say what was built, and what about it is inferred."""
    from geo.city import City

    city = City.load(folder)
    o = city.origin
    km = float(city.roads["length_m"].sum()) / 1000
    typer.echo(f"{o.title_en or o.title}" + (" (schematic)" if city.schematic else "") + f" in {folder}")
    typer.echo(
        f"  {len(city.roads):,} road edges, {km:,.0f} km; {int(city.junctions['signal'].sum()):,} signals; "
        f"{len(city.places):,} places; {len(city.blocks):,} blocks"
    )
    typer.echo(f"  homes for {city.blocks['residents'].sum():,.0f}: {o.homes_from}")
    typer.echo(f"  jobs {city.blocks['jobs'].sum():,.0f}: {o.jobs_from}")
    for note in o.notes:
        typer.echo(f"  {note}")
