"""Messages for the desks of companies, told by hand."""

from __future__ import annotations

import json

import numpy as np

from twin.domain.companies import CompanyRecords, OfficeCalendar, PolicyTold
from twin.world.companies.policies import jdm

DAY_S = 86_400


def records(jobs: list[float], account: list[int] | None = None, key: str = "r", t_s: int = 0) -> CompanyRecords:
    n = len(jobs)
    return CompanyRecords(
        t_s=t_s, key=key, company=np.arange(n), number_field=("jobs",), numbers=np.asarray(jobs, dtype=float),
        flag_field=("account",), flags=np.ones(n, np.int64) if account is None else np.asarray(account),
        text_field=("industry",), texts=np.zeros(n, np.int64), text=("aviation",),
    )  # fmt: skip


def policy(rows, budget: float, name: str = "p", period_days: int = 0, direct: bool = True) -> PolicyTold:
    return PolicyTold(0, f"policy/{name}", name, "A policy", json.dumps(jdm(tuple(rows))), budget, period_days, direct)


def calendar(weekday: int = 0) -> OfficeCalendar:
    return OfficeCalendar(0, "calendar", weekday, np.arange(5), 9 * 3600, 17 * 3600, np.zeros(0, np.int64))
