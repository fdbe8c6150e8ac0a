"""From what a scenario calls its city to a city folder, built once and kept in the user's cache.

A built city is keyed by the content of its files and of the code that reads them, never by a name or a date,
so a changed extract or a new version makes a new city and an old one is found again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twin.errors import ScenarioError

if TYPE_CHECKING:
    from twin.scenario import CitySource, Scenario

Say = Callable[[str], None]
TEMPLATES = ("qibu",)
#: files of a city folder that a new build must not leave behind
CITY_FILES = ("city.json", "given_routes.parquet", "given_stops.parquet", "given_types.json")


def cache_dir() -> Path:
    """Return the user's cache folder for the twin (``XDG_CACHE_HOME`` or ~/.cache); it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "qibu-twin"


def city_folder(scenario: Scenario, say: Say | None = None) -> Path:
    """Return the folder of a scenario's city, building the city first if need be.

    ``say`` is told in a few words what is being built. Raises CityError for a city that cannot be built and
    ScenarioError for a cache that cannot be written.
    """
    source = scenario.city
    tell = say or (lambda _: None)
    if source.folder is not None:
        return Path(source.folder)
    if source.template is not None:
        from geo import qibu

        if built_folder(source) is None:
            tell("building the city (once)")
        return Path(qibu.cached())
    if (found := built_folder(source)) is not None:
        return found
    tell(f"building the city from {Path(source.osm or source.sumo or '').name} (once)")
    return _build_cached(source)


def built_folder(source: CitySource) -> Path | None:
    """Return the folder of a city that is already built, or None; builds nothing."""
    if source.folder is not None:
        folder = Path(source.folder)
    elif source.template is not None:
        from geo import qibu

        folder = Path(qibu.cache_folder())
    else:
        folder = _folder_of(source)
    return folder if (folder / "city.json").is_file() else None


def build_city(
    out: Path,
    osm: Path | None = None,
    sumo: Path | None = None,
    routes: Sequence[Path] = (),
    additional: Sequence[Path] = (),
    template: str | None = None,
    name: str | None = None,
) -> Path:
    """Build a city from exactly one source into ``out`` and return it. Raises CityError in one sentence."""
    check_source(osm, sumo, routes, additional, template)
    if template is not None:
        from geo import qibu

        qibu.build(out)
    else:
        from geo.build import build_city as build

        build(out, net=sumo, osm=osm, routes=list(routes), additional=list(additional), name=name)
    return out


def check_source(
    osm: Path | None,
    sumo: Path | None,
    routes: Sequence[Path] = (),
    additional: Sequence[Path] = (),
    template: str | None = None,
) -> None:
    """Raise ScenarioError unless there is exactly one source of a city and its files are there."""
    if sum(given is not None for given in (osm, sumo, template)) != 1:
        raise ScenarioError("give exactly one source of the city: --osm FILE, --sumo NET or --template qibu")
    if template is not None and template not in TEMPLATES:
        raise ScenarioError(f"--template: is '{template}'; allowed: {', '.join(TEMPLATES)}")
    if sumo is None and (routes or additional):
        raise ScenarioError(f"{'--routes' if routes else '--additional'}: goes with --sumo NET only")
    options = {"--osm": [osm], "--sumo": [sumo], "--routes": routes, "--additional": additional}
    for option, files in options.items():
        for file in files:
            if file is not None and not file.is_file():
                raise ScenarioError(f"{option}: {file}: {'is a folder' if file.is_dir() else 'there is no such file'}")


def prepare_city_folder(out: Path, *, force: bool) -> None:
    """Make a folder for a city. Raises ScenarioError when it holds something (unless ``force`` and a city)."""
    try:
        if out.exists() and not out.is_dir():
            raise ScenarioError(f"{out}: is a file; give a folder for the city")
        if out.is_dir() and any(out.iterdir()):
            is_city = (out / "city.json").is_file()
            if not is_city:
                raise ScenarioError(f"{out}: is not empty and holds no city; give another folder")
            if not force:
                raise ScenarioError(f"{out}: already holds a city; give another folder, or --force to replace it")
            for file in CITY_FILES:
                (out / file).unlink(missing_ok=True)
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ScenarioError(f"{out}: cannot be written ({(error.strerror or str(error)).lower()})") from None


# -- the cache ---------------------------------------------------------------------------------------


def _files(source: CitySource) -> list[Path]:
    named = [source.osm, source.sumo, *source.routes, *source.additional]
    return [Path(f) for f in named if f is not None]


def _folder_of(source: CitySource) -> Path:
    """Return the cache folder of files: their content, and that of the code that reads them, is the key."""
    import geo

    h = hashlib.blake2b(repr(source.name).encode(), digest_size=8)
    for file in _files(source):
        try:
            with file.open("rb") as stream:
                h.update(hashlib.file_digest(stream, "blake2b").digest())
        except OSError as error:
            raise ScenarioError(f"{file}: cannot be read ({(error.strerror or str(error)).lower()})") from None
    code = Path(geo.__file__).parent
    for file in sorted(code.glob("*.py")):
        h.update(file.read_bytes())
    stem = Path(source.osm or source.sumo or "").name.split(".")[0]
    return cache_dir() / "cities" / f"{stem}-{h.hexdigest()}"


def _build_cached(source: CitySource) -> Path:
    final = _folder_of(source)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
    except OSError as error:
        raise ScenarioError(
            f"{final.parent}: cannot be written ({(error.strerror or str(error)).lower()}); "
            "point XDG_CACHE_HOME at a folder that can"
        ) from None
    try:
        build_city(
            work,
            Path(source.osm) if source.osm else None,
            Path(source.sumo) if source.sumo else None,
            [Path(r) for r in source.routes],
            [Path(a) for a in source.additional],
            name=source.name,
        )
        try:
            work.rename(final)
        except OSError:
            if not (final / "city.json").is_file():  # somebody else finished the same city first: theirs is as good
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return final
