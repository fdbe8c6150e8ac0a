"""What is shown while a run runs: simulated time, speed against real time, time left. It changes nothing."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

import typer

from twin.bar import bar
from twin.scenario import DAY_S, clock_text

PLAIN_EVERY = 0.1  # on a pipe, one line per tenth of the run …
PLAIN_SILENCE_S = 20.0  # … but at least every so many seconds


class Progress:
    """Called with (now_s, start_s, end_s, note); a bar on a terminal, plain lines elsewhere."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = time.monotonic()
        self._said_at = self._began
        self._said_share = 0.0
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bar = bar(sys.stderr)
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=1.0, said="starting")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, now_s: int, start_s: int, end_s: int, note: str = "") -> None:
        """Show where the run is; ``note`` adds a word such as "planning the day"."""
        share = (now_s - start_s) / max(1, end_s - start_s)
        now = time.monotonic()
        if now_s <= start_s:  # also where a second part begins, such as a zoom after its district
            self._began = now  # the speed is that of simulating, without what comes before
            self._said_share = 0.0
        said = status(now_s, start_s, end_s, now - self._began)
        if self._bar is not None:
            self._bar.update(self._task, completed=share, said=f"{said}  {note}".rstrip())
        elif (
            share >= self._said_share + PLAIN_EVERY
            or now - self._said_at >= PLAIN_SILENCE_S
            or share >= 1.0 > self._said_share
        ):
            self._said_share, self._said_at = share, now
            typer.echo(f"{share:4.0%}  {said}  {note}".rstrip(), err=True)


def status(now_s: int, start_s: int, end_s: int, wall_s: float) -> str:
    """Return such as "07:12  412× real time  0:21 left" (with the day's number on later days)."""
    day, of_day = divmod(now_s, DAY_S)
    minute = of_day - of_day % 60
    when = clock_text(minute) if day == 0 else f"day {day + 1} {clock_text(minute)}"
    done_s = now_s - start_s
    if wall_s <= 0 or done_s <= 0:
        return when
    left_s = round((end_s - now_s) * wall_s / done_s)
    return f"{when}  {done_s / wall_s:,.0f}× real time  {left_s // 60}:{left_s % 60:02d} left"
