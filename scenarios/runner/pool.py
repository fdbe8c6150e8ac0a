"""Runs in local processes: a worker has one run at a time; one that dies loses its run only, and is replaced."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from scenarios.runner.store import DiskError, Job, clear, finished
from scenarios.runner.telling import Tell, Told

ATTEMPTS = 2  # a run whose worker died is tried once more
RUNS_PER_WORKER = 8  # then a fresh process: what leaks in C++ libraries cannot add up
MEMORY_PER_RUN_KB = 3_000_000  # assumed, for the number of workers by default; a day of the shipped district takes less


def usual_workers(jobs: int) -> int:
    """Return how many workers there are by default: one a core, as far as memory reaches."""
    free_kb = MEMORY_PER_RUN_KB * (os.cpu_count() or 1)
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free_kb = int(line.split()[1])
    except (OSError, ValueError):
        pass
    return max(1, min(jobs, os.cpu_count() or 1, free_kb // MEMORY_PER_RUN_KB))


def environment() -> dict[str, str]:
    """Return the environment of a worker: it finds the same modules, and keeps to one core."""
    paths = [p or os.getcwd() for p in sys.path]
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}
    return {**os.environ, **one, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUNBUFFERED": "1"}


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    job: Job | None = None
    runs: int = 0
    rest: dict[int, bytes] = field(default_factory=dict)

    def pipes(self) -> list[IO[bytes]]:
        return [p for p in (self.process.stdout, self.process.stderr) if p is not None]


class Pool:
    """Local workers. Use it once: :meth:`run`."""

    def __init__(self, out: Path, workers: int, tell: Tell) -> None:
        self._out, self._tell = out, tell
        self._size = workers
        self._workers: list[_Worker] = []
        self._select = selectors.DefaultSelector()
        self._tries: dict[tuple[str, int], int] = {}
        self.failed: dict[tuple[str, int], str] = {}

    def run(self, jobs: Sequence[Job], cancelled: Callable[[], bool] = lambda: False) -> None:
        """Run all jobs in their order. Raises DiskError when nothing more can be written; Ctrl-C goes through."""
        self._waiting = list(jobs)
        self._next_first = list(reversed(self._waiting))
        self._left = len(jobs)
        try:
            for _ in range(min(self._size, len(jobs))):
                self._start()
            while self._left and not cancelled():
                for key, _ in self._select.select(timeout=1.0):
                    self._hear(key.data, key.fileobj)
        finally:
            self._end()

    # -- workers -------------------------------------------------------------------------------------

    def _start(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "scenarios.runner.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            start_new_session=True,
        )
        worker = _Worker(process)
        self._workers.append(worker)
        for pipe in worker.pipes():
            os.set_blocking(pipe.fileno(), False)
            self._select.register(pipe, selectors.EVENT_READ, worker)
        self._give(worker)

    def _give(self, worker: _Worker) -> None:
        """Give a worker its next job, or let it go when there is none."""
        worker.job = self._next_first.pop() if self._next_first else None
        stdin = worker.process.stdin
        assert stdin is not None
        if worker.job is None:
            with _Quiet():
                stdin.close()
            return
        worker.runs += 1
        self._tell(Told("began", worker.job))
        try:
            stdin.write((json.dumps(worker.job.as_data(self._out), ensure_ascii=False) + "\n").encode())
            stdin.flush()
        except OSError:
            pass  # it died: its pipe says so, too

    def _hear(self, worker: _Worker, pipe: Any) -> None:
        if pipe.closed:  # its process was found dead in this very look
            return
        data = os.read(pipe.fileno(), 65536)
        if not data:
            self._select.unregister(pipe)
            if pipe is worker.process.stdout:
                self._gone(worker)
            return
        *lines, worker.rest[pipe.fileno()] = (worker.rest.get(pipe.fileno(), b"") + data).split(b"\n")
        for line in lines:
            if pipe is worker.process.stderr:
                self._tell(Told("warned", worker.job, said=line.decode("utf-8", "replace").strip()))
            else:
                self._said(worker, json.loads(line))

    def _said(self, worker: _Worker, what: dict[str, Any]) -> None:
        job = worker.job
        if job is None or "ready" in what:
            return
        if "at" in what:
            self._tell(Told("went_on", job, share=float(what["at"])))
        elif "done" in what:
            self._settle(worker, Told("finished", job, share=1.0))
        elif "failed" in what:
            if what["failed"]["kind"] == "disk":
                clear(job.folder(self._out))
                raise DiskError(f"--out {self._out}: cannot be written any more ({what['failed']['said']})")
            self.failed[job.id] = what["failed"]["said"]
            clear(job.folder(self._out))
            self._settle(
                worker, Told("failed", job, said=what["failed"]["said"], trace=what["failed"].get("trace", ""))
            )

    def _settle(self, worker: _Worker, told: Told) -> None:
        self._left -= 1
        self._tell(told)
        if worker.runs >= RUNS_PER_WORKER and self._next_first and worker.process.stdin is not None:
            worker.job = None
            with _Quiet():
                worker.process.stdin.close()  # it ends; a fresh one takes over
            self._start()
        else:
            self._give(worker)

    def _gone(self, worker: _Worker) -> None:
        code = worker.process.wait()
        self._workers.remove(worker)
        for pipe in worker.pipes():
            if pipe.fileno() in self._select.get_map():
                self._select.unregister(pipe)
            pipe.close()
        if worker.process.stdin is not None:
            with _Quiet():  # what it did not take any more is still to be flushed
                worker.process.stdin.close()
        job = worker.job
        if job is None:
            return
        if finished(job, self._out) is not None:  # it died after its last word was on the disk
            self._left -= 1
            self._tell(Told("finished", job, share=1.0))
        else:
            how = f"its process was ended by signal {-code}" if code < 0 else f"its process ended with code {code}"
            clear(job.folder(self._out))
            self._tries[job.id] = self._tries.get(job.id, 0) + 1
            if self._tries[job.id] < ATTEMPTS:
                self._tell(Told("warned", job, said=f"a run begins again: {how}"))
                self._next_first.append(job)
            else:
                self.failed[job.id] = how
                self._left -= 1
                self._tell(Told("failed", job, said=how))
        if self._next_first:
            self._start()

    def _end(self) -> None:
        for worker in self._workers:
            if worker.job is not None:
                with _Quiet():
                    os.killpg(worker.process.pid, signal.SIGKILL)  # also what it started
        for worker in self._workers:
            for pipe in (worker.process.stdin, *worker.pipes()):
                if pipe is not None:
                    with _Quiet():
                        pipe.close()
        until = time.monotonic() + 5
        for worker in self._workers:
            try:
                worker.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                with _Quiet():
                    os.killpg(worker.process.pid, signal.SIGKILL)
                worker.process.wait()
        self._workers = []
        self._select.close()

    @property
    def process_ids(self) -> list[int]:
        """The workers' process ids (for tests that kill one)."""
        return [w.process.pid for w in self._workers]


class _Quiet:
    """Lets errors of the operating system pass."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, OSError)
