"""Messages for a construction desk that is tested alone: a few projects, told by hand."""

from __future__ import annotations

import numpy as np

from twin.domain.construction import ENDS, ProgressTold, ProjectFiles, QuantitiesMeasured, SupervisionRules

DAY_S = 86_400
DAYS = 200  # planned duration of every project
BUDGET = 1e8


def files(count: int = 3, library: int = 1, start: int = 0) -> ProjectFiles:
    n = count
    ones = np.ones(n)
    return ProjectFiles(
        t_s=0, key="files", project=np.arange(1, n + 1), name=tuple(f"P{i + 1}" for i in range(n)),
        kind=np.zeros(n, np.int64), library=np.full(n, library), community=("c",) * n, x_m=ones, y_m=ones,
        investment_cny=BUDGET * ones, start_day=np.full(n, start), finish_day=np.full(n, start + DAYS),
        contractor=("B",) * n, curve_c=0.0 * ones, curve_k=5.0 * ones,
    )  # fmt: skip


def rules(hold_days: int = 3, first_day: int = -1) -> SupervisionRules:
    return SupervisionRules(
        t_s=0, key="rules", first_day=first_day, assess_at_s=72_000, hold_days=hold_days,
        rectify_s=np.array([7, 3, 1, 1]) * DAY_S, recheck_s=DAY_S, escalate_to=("street", "district"),
    )  # fmt: skip


def told(day: int, progress: list[float], end: str = "builder", cost: list[float] | None = None) -> ProgressTold:
    project = np.arange(1, len(progress) + 1)
    spent = np.full(len(progress), np.nan) if cost is None else np.asarray(cost)
    return ProgressTold(
        day * DAY_S + 66_600, f"{end}/{day}", ENDS.index(end), day, project, np.asarray(progress), spent
    )


def measured(day: int, progress: list[float], cost: list[float]) -> QuantitiesMeasured:
    project = np.arange(1, len(progress) + 1)
    return QuantitiesMeasured(day * DAY_S + 68_460, f"m/{day}", day, project, np.asarray(progress), np.asarray(cost))
