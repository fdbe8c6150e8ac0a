"""The bar that long work shows on a terminal: what, how far, and a few words."""

from __future__ import annotations

from typing import IO, Any


def bar(stream: IO[str]) -> Any:
    """Return a bar (rich's Progress) on a terminal's stream, not started; None where the stream is no terminal.

    A task takes ``said=``, the words behind the percentage.
    """
    if not stream.isatty():
        return None
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[said]}"),
        console=Console(file=stream),
        transient=True,
    )
