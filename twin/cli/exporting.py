"""The commands that write a run in the form of other people's software: ``twin export mds | gtfs | …``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from twin.cli.common import plain_errors
from twin.errors import ScenarioError

app = typer.Typer(
    no_args_is_help=True, help="Exports of a run: MDS 2, GTFS, GTFS-Realtime, V2X, XES, OCEL 2.", rich_markup_mode=None
)

T = TypeVar("T")
RunArg = Annotated[Path, typer.Argument(metavar="DIR", help="a run folder", show_default=False)]
DateOption = Annotated[
    str | None,
    typer.Option("--date", help="date of the run's first day, YYYY-MM-DD (default: its weekday in 5-11 January 2026)"),
]
ZoneOption = Annotated[str, typer.Option("--timezone", help="time zone of the city")]
_ZONE = "Asia/Shanghai"


@app.callback()
def export() -> None:
    """Write exports of a run: MDS 2, GTFS, GTFS-Realtime, V2X, XES, OCEL 2."""


@app.command("mds")
@plain_errors
def mds(
    folder: RunArg,
    out: Annotated[Path | None, typer.Option("--out", help="folder to write to (default: DIR/mds)")] = None,
    date: DateOption = None,
    timezone: ZoneOption = _ZONE,
) -> None:
    """Write the delivery robots of a run as Mobility Data Specification 2.0 (mode delivery-robots)."""
    from scenarios.exports import mds as exports

    found = exports.export(folder, date, timezone)
    target = out if out is not None else folder / "mds"
    files = _written(target, partial(exports.write, found, target))
    vehicles, trips = found["vehicles"]["vehicles"], found["trips"]["trips"]
    events = found["events/historical"]["events"]
    typer.echo(f"MDS: {len(vehicles)} vehicles, {len(trips):,} trips, {len(events):,} events in {len(files)} files")
    typer.echo(f"Folder: {target}")


@app.command("gtfs")
@plain_errors
def gtfs(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR|CITY", help="a run folder, a city folder, or qibu", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option("--out", help="file to write (default: DIR/gtfs.zip)")] = None,
    date: DateOption = None,
    timezone: ZoneOption = _ZONE,
) -> None:
    """Write the buses of a run (with its autonomous line), or of a city, as a GTFS feed."""
    from scenarios.exports import gtfs as exports

    source = _city_or_run(folder)
    feed, left_out = exports.export(source, date, timezone)
    target = out if out is not None else (source if source == folder else Path()) / "gtfs.zip"
    file = _written(target, partial(exports.write, feed, target))
    typer.echo(
        f"GTFS: {len(feed['routes'])} routes, {len(feed['trips']):,} trips, {len(feed['stops']):,} stops in {file}"
    )
    for line in left_out:
        typer.echo(f"Left out: line {line}, whose stops cannot be reached in order.")


@app.command("gtfs-rt")
@plain_errors
def gtfs_rt(
    folder: RunArg,
    at: Annotated[str | None, typer.Option("--at", help="time of the run, such as 08:30 (default: its end)")] = None,
    every: Annotated[int, typer.Option("--every", help="a series from --at on: seconds between messages", min=0)] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="folder to write to (default: DIR/gtfs-rt)")] = None,
    form: Annotated[str, typer.Option("--format", help="json, or pb (protobuf; needs the extra gtfs-rt)")] = "json",
    date: DateOption = None,
    timezone: ZoneOption = _ZONE,
) -> None:
    """Write where the buses of a run are and how late, as GTFS-Realtime, at one time or as a series."""
    from scenarios.exports import gtfs_realtime as exports
    from scenarios.exports.gtfs_rows import clock
    from scenarios.exports.run import RunData

    if form not in ("json", "pb"):
        raise ScenarioError(f"--format: is '{form}'; allowed: json or pb")
    run = RunData.open(folder, date, timezone)
    first = run.end_s if at is None else exports.the_second(at)
    moments = range(first, run.end_s + 1, every) if every else [first]
    made = exports.Realtime(run)
    target = out if out is not None else folder / "gtfs-rt"
    files = 0
    for t_s in moments or [first]:
        message = made.message(t_s)
        file = target / f"{clock(t_s).replace(':', '')}.{form}"
        _written(file, partial(exports.write, message, file))
        files += 1
    typer.echo(f"GTFS-Realtime: {files} message{'s' if files > 1 else ''} in {target}")


@app.command("v2x")
@plain_errors
def v2x(
    folder: RunArg,
    junction: Annotated[str, typer.Option("--junction", help="name of a junction with signals")],
    at: Annotated[str, typer.Option("--at", help="time of the run, such as 08:30")],
    out: Annotated[Path | None, typer.Option("--out", help="folder to write to (default: DIR/v2x)")] = None,
    date: DateOption = None,
) -> None:
    """Write MAPEM, SPATEM, CAM and DENM around a junction in one second as UPER (needs the extra v2x)."""
    from scenarios.exports import v2x_run as exports
    from scenarios.exports.gtfs_realtime import the_second
    from scenarios.exports.run import RunData

    messages = exports.export(RunData.open(folder, date), junction, the_second(at))
    target = out if out is not None else folder / "v2x"
    _written(target, partial(exports.write, messages, target))
    cams, denms = (sum(name.startswith(kind) for name in messages) for kind in ("cam", "denm"))
    typer.echo(f"V2X: MAPEM and SPATEM of {junction}, {cams} CAM, {denms} DENM in {target}")


@app.command("xes")
@plain_errors
def xes(
    folder: RunArg,
    out: Annotated[Path | None, typer.Option("--out", help="file to write (default: DIR/cases.xes)")] = None,
    date: DateOption = None,
) -> None:
    """Write the service cases of a run as XES (IEEE 1849-2016), for process mining."""
    from scenarios.exports import xes as exports

    found = exports.export(folder, date)
    file = _written(folder, partial(exports.write, found, out if out is not None else folder / "cases.xes"))
    typer.echo(f"XES: {len(found.cases):,} cases, {len(found.events):,} events in {file}")


@app.command("ocel")
@plain_errors
def ocel(
    folder: RunArg,
    out: Annotated[Path | None, typer.Option("--out", help="file to write (default: DIR/cases.ocel.json)")] = None,
    date: DateOption = None,
) -> None:
    """Write the service cases of a run as OCEL 2.0 (object-centric event log, JSON)."""
    from scenarios.exports import ocel as exports

    found = exports.export(folder, date)
    file = _written(folder, partial(exports.write, found, out if out is not None else folder / "cases.ocel.json"))
    typer.echo(f"OCEL 2.0: {len(found['objects']):,} objects, {len(found['events']):,} events in {file}")


def _city_or_run(folder: Path) -> Path:
    """Return the folder that is meant: a template's name stands for its built city."""
    from twin.cities import TEMPLATES

    if folder.exists() or str(folder) not in TEMPLATES:
        return folder
    from geo import qibu

    return Path(qibu.cached())


def _written(target: Path, write: Callable[[], T]) -> T:
    """Write, or say in a sentence why it cannot be."""
    try:
        return write()
    except OSError as error:
        raise ScenarioError(f"--out {target}: cannot be written ({error.strerror})") from None
