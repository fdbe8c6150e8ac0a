"""What a C++ library says on the terminal, caught in a file instead.

SUMO writes warnings and errors straight to file descriptor 2. They must neither reach the user's terminal nor
get lost: its meso model names a teleported vehicle nowhere else while it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SUMO = ("Warning:", "Error:", "Quitting", "Loading", "***")


class Captured:
    """The lines that went to descriptor 2 while :meth:`catching`; lines that are not SUMO's are passed on."""

    def __init__(self, file: Path) -> None:
        self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self._read_to = 0
        self._said: list[str] = []

    @contextmanager
    def catching(self, *, out: bool = False) -> Iterator[None]:
        """Turn descriptor 2 (and 1, if ``out``) to the file for a while."""
        targets = (1, 2) if out else (2,)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        kept = [os.dup(fd) for fd in targets]
        for fd in targets:
            os.dup2(self._fd, fd)
        try:
            yield
        finally:
            for fd, old in zip(targets, kept, strict=True):
                os.dup2(old, fd)
                os.close(old)

    def new_lines(self) -> list[str]:
        """Return SUMO's lines since the last call; what other threads wrote meanwhile goes to the real stderr."""
        size = os.fstat(self._fd).st_size
        if size == self._read_to:
            return []
        text = os.pread(self._fd, size - self._read_to, self._read_to).decode("utf-8", "replace")
        self._read_to = size
        lines: list[str] = []
        sumo = False
        for line in text.splitlines(keepends=True):
            # SUMO indents the later lines of a message
            sumo = line.startswith(_SUMO) or (sumo and line.startswith(" "))
            if not sumo:
                if sys.stderr is not None:
                    sys.stderr.write(line)
                continue
            lines.append(line.rstrip("\n"))
            if line.startswith("Error:") or (line.startswith(" ") and self._said):
                self._said.append(line.removeprefix("Error:").strip())
        return lines

    def errors(self) -> str:
        """Return all errors SUMO has uttered so far, as one line."""
        return " ".join(dict.fromkeys(self._said))

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
