"""Where results lie and when one counts: ``OUT/runs/NAME-KEY/SEED/`` with the run folder's files and ``done.json``.

``done.json`` is written last and at once, and names the size of every file: a half-written run has none, a run whose
files were cut off does not fit it, and neither counts as finished.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.kpis.base import Kpi
from scenarios.runner.identity import kpi_digest, scenario_key
from scenarios.runner.warm_up import without_warm_up
from twin.errors import ScenarioError
from twin.log import Facts
from twin.scenario import Scenario

FORMAT = 1
DONE = "done.json"
#: errors of the operating system that mean: nothing more can be written here
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


class DiskError(ScenarioError):
    """Results cannot be written; what is finished is kept."""


@dataclass(frozen=True)
class Job:
    """One run that is wanted: a scenario, its key, a seed, and whether vehicles' positions are recorded."""

    scenario: Scenario
    key: str
    seed: int
    record: bool = False

    @classmethod
    def of(cls, scenario: Scenario, seed: int, record: bool = False, key: str | None = None) -> Job:
        """Make a job; ``key``: as computed before (it takes a moment)."""
        return cls(scenario, key or scenario_key(scenario), int(seed), record)

    @property
    def id(self) -> tuple[str, int]:
        """Key and seed."""
        return self.key, self.seed

    def folder(self, out: Path) -> Path:
        """Return where its run folder is."""
        return out / "runs" / folder_name(self.scenario.name, self.key) / f"{self.seed:04d}"

    def as_data(self, out: Path) -> dict[str, Any]:
        """Return what a worker needs, as JSON-able data."""
        return {
            "scenario": self.scenario.resolved(),
            "key": self.key,
            "seed": self.seed,
            "record": self.record,
            "folder": str(self.folder(out).absolute()),
        }


@dataclass(frozen=True)
class Result:
    """A finished run: its folder, the digest of its log, and how long it took."""

    folder: Path
    digest: str
    wall_s: float


def folder_name(name: str, key: str) -> str:
    """Return the folder of a scenario's runs; a key may end with what tells a repetition apart, such as "-2"."""
    return f"{name}-{key[:8]}{key[16:]}"


def finished(job: Job, out: Path) -> Result | None:
    """Return the finished run of a job, or None: not there, half-written, of other code, or not ended."""
    folder = job.folder(out)
    try:
        done = json.loads((folder / DONE).read_text(encoding="utf-8"))
        whole = (
            done["format"] == FORMAT
            and done["key"] == job.key
            and done["seed"] == job.seed
            and done["ended"] == "finished"
            and (done["recorded"] or not job.record)
            and all((folder / name).stat().st_size == size for name, size in done["files"].items())
        )
        return Result(folder, str(done["digest"]), float(done["wall_s"])) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_done(folder: Path, job: dict[str, Any], run: Any, recorded: bool) -> dict[str, Any]:
    """Declare a run finished."""
    files = {f.name: f.stat().st_size for f in sorted(folder.iterdir()) if f.is_file() and f.name != DONE}
    done = {
        "format": FORMAT,
        "key": job["key"],
        "seed": job["seed"],
        "ended": run.ended,
        "digest": run.digest,
        "wall_s": round(run.wall_s, 3),
        "recorded": recorded,
        "kpi_code": kpi_digest(),
        "files": files,
    }
    part = folder / ".done.part"
    with part.open("w", encoding="utf-8") as stream:
        json.dump(done, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(folder / DONE)
    return done


def clear(folder: Path) -> None:
    """Remove what a run that did not finish left."""
    shutil.rmtree(folder, ignore_errors=True)


def values(folder: Path, kpis: list[Kpi], warm_up_s: int = 0) -> dict[str, float | None]:
    """Return indicators of a finished run: as written, or computed anew where they are not or are outdated."""
    known: dict[str, float | None] = {}
    if warm_up_s == 0:
        try:
            done = json.loads((folder / DONE).read_text(encoding="utf-8"))
            if done["kpi_code"] == kpi_digest():
                rows = json.loads((folder / "kpis.json").read_text(encoding="utf-8"))["kpis"]
                known = {row["name"]: row["value"] for row in rows}
        except (OSError, ValueError, KeyError, TypeError):
            known = {}
    from scenarios import kpis as shipped

    ours = {id(k) for k in shipped.ALL}
    missing = [k for k in kpis if k.name not in known or id(k) not in ours]
    out = {k.name: known[k.name] for k in kpis if k not in missing}
    if missing:
        from scenarios.readings import Memory

        facts = Facts.read(folder)
        memory = Memory(without_warm_up(facts, warm_up_s) if warm_up_s else facts)
        out |= {k.name: k(memory) for k in missing}
    return out


def prepare_out(out: Path) -> Path:
    """Make the folder of results; ScenarioError in one sentence when it cannot be written."""
    if out.exists() and not out.is_dir():
        raise ScenarioError(f"--out {out}: is a file; give a folder")
    try:
        (out / "runs").mkdir(parents=True, exist_ok=True)
        probe = out / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise DiskError(f"--out {out}: cannot be written ({os.strerror(error.errno or 0)})") from None
    return out
