"""Keep the built district in the user's cache; knows where it is without importing what builds it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from geo.errors import CityError

HERE = Path(__file__).parent
READERS = ("city.py", "network.py", "net_tables.py", "sumo_net.py", "read_xml.py")


def cache_folder() -> Path:
    """Return where :func:`cached` keeps the district that these sources build; it may not be there yet."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qibu-twin" / "cities"
    return root / f"qibu-{sources_key()}"


def cached() -> Path:
    """Return the folder of the built district in the user's cache; build it there when it is absent.

    Raises :class:`geo.errors.CityError` when the cache cannot be written.
    """
    folder = cache_folder()
    if (folder / "city.json").is_file():
        return folder
    root = folder.parent
    try:
        root.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".qibu-", dir=root))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise CityError(f"{root}: cannot be written ({why}); point XDG_CACHE_HOME at a folder that can") from None
    try:
        from geo.qibu.assemble import SOURCES_KEY, build

        # sources edited since the code was loaded must not label what the older code builds
        folder = folder.with_name(f"qibu-{SOURCES_KEY}")
        build(new)
        try:
            new.rename(folder)
        except OSError:  # somebody else was quicker
            if not (folder / "city.json").is_file():
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder


def sources_key() -> str:
    """Hash of everything that the built city depends on: this package's sources and tables, the readers, SUMO."""
    h = hashlib.blake2b(digest_size=8)
    sources = [*HERE.glob("*.py"), *HERE.glob("*.csv"), *HERE.glob("*.json")]
    sources += [HERE.parent / name for name in READERS]
    for file in sorted(sources):
        h.update(file.name.encode() + b"\0" + file.read_bytes())
    for package in ("eclipse-sumo", "shapely", "numpy", "scipy"):
        h.update(f"{package}={version(package)}".encode())
    return h.hexdigest()
