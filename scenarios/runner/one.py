"""One run into its folder: simulate, indicators, and last the word that it is finished."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scenarios.runner.store import clear, write_done
from twin.run_folder import prepare
from twin.scenario import Scenario

Progress = Callable[[int, int, int, str], None]


def run_one(job: dict[str, Any], progress: Progress | None = None, scenario: Scenario | None = None) -> dict[str, Any]:
    """Run what :meth:`scenarios.runner.store.Job.as_data` says; return the content of ``done.json``.

    ``scenario``: the job's own, where it cannot be made from data (a controller without a name).
    """
    from scenarios import kpis
    from twin.simulation import run

    s = scenario if scenario is not None else Scenario.from_resolved(job["scenario"], "the job's scenario")
    recorded = bool(job["record"]) and s.traffic.fcd_period_s > 0
    if not recorded:
        s = unrecorded(s)
    folder = Path(job["folder"])
    clear(folder)
    prepare(folder)
    done = run(s, int(job["seed"]), folder, progress=progress)
    where = done.dir or folder
    text = json.dumps(kpis.summary(done.log), ensure_ascii=False, indent=1, allow_nan=False)
    (where / "kpis.json").write_text(text + "\n", encoding="utf-8")
    return write_done(folder, job, done, recorded=bool(job["record"]))


def unrecorded(s: Scenario) -> Scenario:
    """Return the scenario without positions of vehicles; it changes no fact."""
    return s.model_copy(update={"traffic": s.traffic.model_copy(update={"fcd_period_s": 0})})
