"""Indicators of construction; each is defined in docs/metrics.md."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scenarios.kpis.base import Kpi
from scenarios.lag_scores import lag_score
from scenarios.readings import Memory
from twin import events


def _frame(m: Memory, fact: str) -> pd.DataFrame:
    return pd.DataFrame(m.columns(events.kinds()[fact]))


def _count(fact: str) -> object:
    def compute(m: Memory) -> float | None:
        return float(_frame(m, fact).shape[0]) if _frame(m, "ProjectFiled").shape[0] else None

    return compute


def _invested_share(m: Memory) -> float | None:
    """Σ spent ÷ Σ planned over the projects of the last booked day, %."""
    done = _frame(m, "SiteProgressed")
    if done.empty:
        return None
    last = done.sort_values("t_s").groupby("project").last()
    money = _frame(m, "ProjectFiled").set_index("project")["investment_cny"].reindex(last.index)
    planned = float((last["planned"] * money).sum())
    return 100 * float(last["cost_cny"].sum()) / planned if planned > 0 else None


def _spi(m: Memory) -> float | None:
    done = _frame(m, "SiteProgressed")
    if done.empty:
        return None
    last = done.sort_values("t_s").groupby("project").last()
    money = _frame(m, "ProjectFiled").set_index("project")["investment_cny"].reindex(last.index)
    planned = float((last["planned"] * money).sum())
    return float((last["progress"] * money).sum()) / planned if planned > 0 else None


def _lag(which: str) -> object:
    def compute(m: Memory) -> float | None:
        if _frame(m, "ProjectFinished").empty or _frame(m, "SitesAtEnd").empty:
            return None
        score = lag_score(m.facts)
        value = getattr(score, which)
        return None if value is None else value * (100 if which in ("precision", "recall") else 1)

    return compute


def _closed_in_time(m: Memory) -> float | None:
    """Cases closed before their first deadline ÷ cases whose deadline is past or that are closed, %."""
    ordered = _frame(m, "RectificationOrdered")
    if ordered.empty:
        return None
    due = ordered.groupby("case")["due_s"].first()
    closed = _frame(m, "HazardClosed").groupby("case")["t_s"].last().reindex(due.index)
    counted = closed.notna() | (due < m.end_s())
    return 100 * float(((closed <= due) & counted).sum()) / float(counted.sum()) if counted.any() else None


def _found_share(m: Memory) -> float | None:
    there = _frame(m, "SiteHazardAppeared")
    if there.empty:
        return None
    seen = _frame(m, "SiteHazardSeen")
    seen = seen[seen["real"].astype(bool)] if not seen.empty else seen
    keys = ["project", "what", "spot"]
    known = set(map(tuple, seen[keys].to_numpy().tolist()))
    return 100 * float(np.mean([tuple(row) in known for row in there[keys].to_numpy().tolist()]))


def _wrongly_closed(m: Memory) -> float | None:
    closed = _frame(m, "HazardClosed")
    return None if closed.empty else 100 * float(1 - closed["real"].astype(bool).mean())


def _end_error(column: str) -> object:
    def compute(m: Memory) -> float | None:
        judged = _frame(m, "EndsJudged")
        values = judged[column].dropna() if not judged.empty else judged
        return None if len(values) == 0 else 100 * float(np.sqrt(np.mean(np.square(values))))

    return compute


def _k(name: str, title: str, title_zh: str, unit: str, better: str, compute: object) -> Kpi:
    return Kpi(name, title, title_zh, unit, better, compute)  # type: ignore[arg-type]


CONSTRUCTION: tuple[Kpi, ...] = (
    _k("site_lorries", "Lorries that brought material", "到场材料车次", "", "neither", _count("SupplyArrived")),
    _k("sites_spi", "Value built ÷ value planned", "进度绩效指数", "", "higher", _spi),
    _k("sites_invested_share", "Money spent ÷ money planned", "投资完成率", "%", "neither", _invested_share),
    _k("projects_warned", "Warnings of projects", "项目预警数", "", "neither", _count("ProjectWarned")),
    _k("lag_precision", "Warned projects that were late", "滞后预警准确率", "%", "higher", _lag("precision")),
    _k("lag_recall", "Late projects that were warned of", "滞后预警召回率", "%", "higher", _lag("recall")),
    _k("lag_lead_days", "From warning to planned day, median", "滞后预警提前量", "d", "higher", _lag("lead_days")),
    _k("site_hazards", "Hazards that appeared", "隐患数", "", "lower", _count("SiteHazardAppeared")),
    _k("site_hazards_found", "Hazards that somebody saw", "隐患发现率", "%", "higher", _found_share),
    _k("site_hazards_in_time", "Cases closed in time", "隐患按期销号率", "%", "higher", _closed_in_time),
    _k("site_hazards_wrongly_closed", "Closed while still there", "误销号率", "%", "lower", _wrongly_closed),
    _k("site_accidents", "Accidents", "事故数", "", "lower", _count("SiteAccident")),
    _k("device_error", "Progress told by devices, RMS error", "设备端误差", "pp", "lower", _end_error("device_error")),
    _k("supervisor_error", "… by supervisors", "监管端误差", "pp", "lower", _end_error("supervisor_error")),
    _k("builder_error", "… by builders", "施工端误差", "pp", "lower", _end_error("builder_error")),
    _k("desk_error", "Progress estimated by the desk, RMS error", "融合误差", "pp", "lower", _end_error("desk_error")),
)
CONSTRUCTION_HEADLINE: tuple[Kpi, ...] = CONSTRUCTION[:1]
