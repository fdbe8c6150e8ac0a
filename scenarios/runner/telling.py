"""What a set of runs tells while it works, and how it is shown: k of N, time left, repeated warnings folded."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Literal, Self

from scenarios.runner.store import Job
from twin.bar import bar

PLAIN_SILENCE_S = 20.0


@dataclass(frozen=True)
class Told:
    """Something that happened to a run. ``share``: how much of it is done."""

    what: Literal["known", "began", "went_on", "finished", "failed", "warned"]
    job: Job | None
    share: float = 0.0
    said: str = ""
    trace: str = ""


Tell = Callable[[Told], None]


def silent(_: Told) -> None:
    """Tell nobody."""


class Show:
    """Shows runs on stderr: a bar on a terminal, plain lines elsewhere. Use as a context."""

    def __init__(self, total: int, stream: IO[str] | None = None) -> None:
        self.total = total
        self.done = 0
        self.failed: list[tuple[str, int, str]] = []
        self.warnings: Counter[str] = Counter()
        self._known = 0
        self._shares: dict[tuple[str, int], float] = {}
        self._began = time.monotonic()
        self._said_at = self._began
        self._stream = stream or sys.stderr
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bar = bar(self._stream)
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("runs", total=max(1, self.total), said="starting")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        for text, n in self.warnings.most_common(8):
            times = f" (×{n})" if n > 1 else ""
            self._stream.write(f"Warning: {text}{times}\n")

    def grow(self, total: int) -> None:
        """Say that there are more runs than was known."""
        self.total = total

    def __call__(self, told: Told) -> None:
        """Take note and show it."""
        job = told.job
        if told.what == "known":
            self.done += 1
            self._known += 1
        elif told.what == "warned":
            if told.said:
                self.warnings[folded(told.said)] += 1
        elif job is not None and told.what in ("began", "went_on"):
            self._shares[job.id] = told.share
        elif job is not None:
            self._shares.pop(job.id, None)
            self.done += 1
            if told.what == "failed":
                self.failed.append((job.scenario.name, job.seed, told.said))
        self._show(told)

    def status(self) -> str:
        """Return such as "3 of 10 runs, 2:10 left"."""
        part = self.done + sum(self._shares.values())
        fresh = part - self._known
        spent = time.monotonic() - self._began
        text = f"{self.done} of {self.total} runs"
        if self.failed:
            text += f", {len(self.failed)} failed"
        if fresh > 0.05 and self.done < self.total:
            left = round(spent * (self.total - part) / fresh)
            text += f", {left // 60}:{left % 60:02d} left"
        return text

    def _show(self, told: Told) -> None:
        part = self.done + sum(self._shares.values())
        if self._bar is not None:
            self._bar.update(self._task, completed=part, total=max(1, self.total), said=self.status())
            return
        now = time.monotonic()
        if told.what in ("finished", "failed") or now - self._said_at >= PLAIN_SILENCE_S:
            self._said_at = now
            name = f"{told.job.scenario.name}, seed {told.job.seed}: {told.what}" if told.job else ""
            if told.what == "failed":
                name += f" ({told.said})"
            self._stream.write(f"{self.status()}  {name}\n".replace("went_on", "under way"))


def folded(text: str) -> str:
    """Return a warning without what differs from one to the next: numbers and quoted names."""
    return re.sub(r"'[^']*'|(?<![A-Za-z])-?\d[\d.,:]*", "…", text)[:300]
