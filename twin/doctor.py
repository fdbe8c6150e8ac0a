"""Checks of the installation: each says what it found and, where something is wrong, what to do."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

NEEDED: tuple[str, ...] = (
    "eclipse-sumo",
    "libsumo",
    "sumolib",
    "simpy",
    "mesa",
    "geopandas",
    "shapely",
    "pyproj",
    "numpy",
)
NEEDED += ("scipy", "pandas", "pyarrow", "duckdb", "pydantic", "ruamel.yaml", "typer", "rich", "pydeck")
SUMO_VERSION = "1.28"
PYARROW_MAJOR = "23"
MEMORY_GB = 4.0
DISK_GB = 2.0
REINSTALL = "install the project again in a fresh environment: python -m venv .venv && .venv/bin/pip install -e ."


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. ``optional``: the twin runs without it."""

    name: str
    ok: bool
    said: str
    advice: str = ""
    optional: bool = False


def checks() -> Iterator[Check]:
    """Yield the checks one by one, in the order in which one would put things right."""
    makers: list[Callable[[], Check]] = [
        python,
        packages,
        pyarrow_version,
        sumo_runs,
        libsumo_loads,
        projections,
        cache,
        disk,
        memory,
        cores,
        browser,
    ]
    for make in makers:
        try:
            yield make()
        except Exception as error:  # a check that itself fails is a finding, not a crash
            yield Check(make.__name__.replace("_", " "), False, f"{type(error).__name__}: {error}", REINSTALL)


def python() -> Check:
    """Check that everything is built for this version of Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info[:2] < (3, 13)
    return Check("Python", ok, version, "use Python 3.11 or 3.12")


def packages() -> Check:
    """Check that all packages are there."""
    missing, found = [], []
    for name in NEEDED:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", False, f"missing: {', '.join(missing)}", REINSTALL)
    return Check("packages", True, ", ".join(found))


def pyarrow_version() -> Check:
    """Check that pyarrow is the one libsumo is built on; with another it warns at import and cannot write positions."""
    version = importlib.metadata.version("pyarrow")
    ok = version.split(".")[0] == PYARROW_MAJOR
    return Check("pyarrow", ok, version, f"libsumo is built on pyarrow {PYARROW_MAJOR}: pip install 'pyarrow==23.*'")


def sumo_runs() -> Check:
    """Check that the SUMO program starts and is the version the twin was made with."""
    import sumo

    binary = Path(sumo.SUMO_HOME) / "bin" / ("sumo.exe" if os.name == "nt" else "sumo")
    if not binary.is_file():
        return Check("SUMO", False, f"{binary} is not there", "pip install --force-reinstall 'eclipse-sumo==1.28.*'")
    done = subprocess.run([str(binary), "--version"], capture_output=True, text=True, timeout=30, check=False)
    first = (done.stdout or done.stderr).strip().splitlines()[:1] or ["it said nothing"]
    if done.returncode != 0:
        return Check("SUMO", False, f"does not start: {first[0]}", _sumo_advice(done.stderr))
    version = first[0].rsplit(" ", 1)[-1]
    ok = version.startswith(SUMO_VERSION)
    return Check("SUMO", ok, f"{version} in {sumo.SUMO_HOME}", f"pip install 'eclipse-sumo=={SUMO_VERSION}.*'")


def _sumo_advice(said: str) -> str:
    if "shared libraries" in said:
        library = said.partition("shared libraries:")[2].partition(":")[0].strip()
        return f"a system library is missing ({library}); install the package of your system that holds it"
    return "pip install --force-reinstall 'eclipse-sumo==1.28.*'"


def libsumo_loads() -> Check:
    """Check that libsumo loads beside pyarrow, in a process of its own, because a clash would end this one."""
    code = "import pyarrow, libsumo; print(libsumo.getVersion()[1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return Check("libsumo", False, f"does not load: {last}", "pip install --force-reinstall 'libsumo==1.28.*'")
    said = done.stdout.strip().splitlines()
    ok = len(said) == 1
    return Check(
        "libsumo", ok, said[-1], "libsumo warns at import; its pyarrow must be 23.*: pip install 'pyarrow==23.*'"
    )


def projections() -> Check:
    """Check that the tables of map projections are there and give the right place."""
    import sumo
    from pyproj import Transformer

    file = Path(sumo.SUMO_HOME) / "data" / "proj" / "proj.db"
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32650", always_xy=True).transform(117.0, 36.8)
    if abs(x - 500_000) > 0.01 or not 4_072_000 < y < 4_074_000:
        return Check("projections", False, f"117 E, 36.8 N came out at {x:.0f}, {y:.0f}", REINSTALL)
    said = "pyproj and SUMO's own" if file.is_file() else f"pyproj only; {file} is not there"
    return Check("projections", file.is_file(), said, "pip install --force-reinstall 'eclipse-sumo==1.28.*'")


def cache() -> Check:
    """Check that built cities can be kept."""
    from twin.cities import cache_dir

    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return Check("cache", False, f"{folder} cannot be written ({why})", "set XDG_CACHE_HOME to a folder that can")
    return Check("cache", True, str(folder))


def disk() -> Check:
    """Check that there is room for runs."""
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    ok = free_gb >= DISK_GB
    return Check(
        "disk", ok, f"{free_gb:,.1f} GB free here", f"a day's run wants up to {DISK_GB:g} GB: free some space", True
    )


def memory() -> Check:
    """Check that there is memory for the whole district."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return Check("memory", True, "not known on this system", optional=True)
    gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    advice = f"a day of 235,000 residents wants {MEMORY_GB:g} GB; run a part: --set people.share=0.2"
    return Check("memory", gb >= MEMORY_GB * 0.95, f"{gb:,.1f} GB", advice, optional=True)


def cores() -> Check:
    """Say how many cores there are."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return Check("cores", True, f"{n} (a run uses one)")


def browser() -> Check:
    """Look for a browser to show the map in."""
    import webbrowser

    try:
        found = webbrowser.get().__class__.__name__
    except webbrowser.Error:
        found = ""
    names = ("chromium", "chromium-browser", "google-chrome", "firefox", "msedge")
    program = next((shutil.which(n) for n in names if shutil.which(n)), None)
    said = program or found or "none found"
    advice = "map.html opens in any current browser, also on another computer; use 'twin demo --no-open' here"
    return Check("browser", bool(program or found), said, advice, optional=True)
