"""Read big XML files as a stream, safely: plain or gzip, no entities, a fault is one sentence with file and line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO
from xml.parsers import expat

from geo.errors import CityError

OnStart = Callable[[str, dict[str, str]], None]
OnEnd = Callable[[str], None]
_CHUNK = 1 << 18
#: packings that are not read, by the first bytes of the file
_PACKED = {b"BZh": "bzip2", b"PK\x03\x04": "zip", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR"}


def read_xml(file: Path, root: str | tuple[str, ...] | None, on_start: OnStart, on_end: OnEnd | None = None) -> None:
    """Call ``on_start(tag, attributes)`` and ``on_end(tag)`` for every element of ``file``, in order.

    ``root``: the allowed name(s) of the outermost element (None: any). A KeyError (an attribute that is not
    there) or ValueError (whose text says what is wrong) in a callback becomes a :class:`CityError` naming file,
    line and element; so do a missing file, broken XML, a cut-off gzip and any declared entity.
    """
    roots = (root,) if isinstance(root, str) else root
    parser = expat.ParserCreate()
    opened = False

    def blame(tag: str, error: Exception) -> CityError:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        return CityError(f"{file}, line {parser.CurrentLineNumber}: <{tag}> {what}")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal opened
        if not opened:
            opened = True
            if roots is not None and tag not in roots:
                expected = " or ".join(f"<{name}>" for name in roots)
                raise CityError(f"{file}: the file begins with <{tag}>, expected {expected}")
        try:
            on_start(tag, attributes)
        except (KeyError, ValueError) as error:
            raise blame(tag, error) from None

    def end(tag: str) -> None:
        try:
            if on_end is not None:
                on_end(tag)
        except (KeyError, ValueError) as error:
            raise blame(tag, error) from None

    def no_entity(name: str, *_: object) -> None:
        raise CityError(f"{file}, line {parser.CurrentLineNumber}: declares the entity '{name}'; entities are refused")

    parser.StartElementHandler = start
    if on_end is not None:
        parser.EndElementHandler = end
    parser.EntityDeclHandler = no_entity
    try:
        with open_plain_or_gzip(file) as stream:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise CityError(f"{file}, line {error.lineno}: broken XML ({reason})") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise CityError(f"{file}: the gzip file is cut off or damaged; fetch it again") from None


def open_plain_or_gzip(file: Path) -> IO[bytes]:
    """Open ``file`` for reading bytes, unpacking gzip by its first bytes, not by its name."""
    try:
        with file.open("rb") as probe:
            head = probe.read(6)
        zipped = head[:2] == b"\x1f\x8b"
        for magic, name in _PACKED.items():
            if head.startswith(magic):
                raise CityError(f"{file}: is packed with {name}; unpack it, or pack it with gzip")
        return gzip.open(file, "rb") if zipped else file.open("rb")  # type: ignore[return-value]
    except FileNotFoundError:
        raise CityError(f"{file}: no such file") from None
    except IsADirectoryError:
        raise CityError(f"{file}: is a folder, expected a file") from None
    except OSError as error:
        raise CityError(f"{file}: cannot be opened ({error.strerror})") from None
