"""Indicators of the community platform and of early signs; each is defined in docs/metrics.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from scenarios.kpis.base import Better, Kpi
from scenarios.readings import Memory
from twin import events

MONTH_S = 30 * 86_400
Columns = dict[str, npt.NDArray[Any]]


def _there(m: Memory) -> bool:
    return m.columns(events.ResidentsRegistered)["t_s"].size > 0


def _share(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole else None


def _counted(count: Callable[[Memory], float]) -> Callable[[Memory], float | None]:
    """Return the count, None where the platform is off."""
    return lambda m: float(count(m)) if _there(m) else None


def _snaps(m: Memory) -> Columns:
    made = m.columns(events.ReportMade)
    mask = made["source"] == "snap"
    return {name: column[mask] for name, column in made.items()}


def _span_s(m: Memory) -> float:
    started = m.columns(events.ResidentsRegistered)["t_s"]
    return float(m.end_s() - started[0]) if started.size else 0.0


def _active(m: Memory) -> float:
    """Accounts that did something in the last 30 days of the run."""
    since_s = m.end_s() - MONTH_S
    who = [_snaps(m), m.columns(events.PlatformUsed), m.columns(events.ReporterLooked)]
    return float(np.unique(np.concatenate([c["account"][c["t_s"] >= since_s] for c in who])).size)


def _reporters(m: Memory) -> float:
    snaps = _snaps(m)
    return float(np.unique(snaps["account"][snaps["t_s"] >= m.end_s() - MONTH_S]).size)


def _duplicates(m: Memory) -> float | None:
    answered = m.columns(events.ReportAnswered)
    twice = np.unique(answered["report"][answered["answer"] == "duplicate"])
    return _share(np.isin(_snaps(m)["report"], twice).sum(), _snaps(m)["report"].size)


def _false(m: Memory) -> float | None:
    return _share(float((_snaps(m)["hazard"] < 0).sum()), _snaps(m)["report"].size)


def _answer_times(m: Memory) -> npt.NDArray[np.float64]:
    """Seconds from a snap to its first answer."""
    answered = m.columns(events.ReportAnswered)
    first: dict[str, int] = {}
    for report, t_s in zip(answered["report"].tolist(), answered["t_s"].tolist(), strict=True):
        first.setdefault(report, t_s)
    snaps = _snaps(m)
    return np.asarray(
        [first[r] - t for r, t in zip(snaps["report"].tolist(), snaps["t_s"].tolist(), strict=True) if r in first],
        dtype=np.float64,
    )


def _answer_min(m: Memory) -> float | None:
    times = _answer_times(m)
    return float(times.mean()) / 60 if times.size else None


def _unanswered(m: Memory) -> float | None:
    n = _snaps(m)["report"].size
    return _share(n - _answer_times(m).size, n)


def _not_fixed(m: Memory) -> float | None:
    solved = m.columns(events.ReporterLooked)["solved"].astype(bool)
    return _share(float((~solved).sum()), solved.size)


def _paid(m: Memory) -> float:
    points = m.columns(events.PointsBooked)["points"]
    return float(points[points > 0].sum())


def _twice(m: Memory) -> float:
    booked = m.columns(events.PointsBooked)
    keys = list(zip(booked["ref"].tolist(), booked["point_rule"].tolist(), strict=True))
    return float(len(keys) - len(set(keys)))


def _life_circle(m: Memory) -> float | None:
    told = m.columns(events.LifeCircleMeasured)
    share = told["share_near"][told["kind"] == "all"]
    return 100.0 * float(share[-1]) if share.size else None


# -- early signs -----------------------------------------------------------------------------------------


def problems(m: Memory) -> dict[int, tuple[str, int, str]]:
    """Return hazards that somebody will complain of within the run: theme, second, and what became of each.

    "before": handled, or somebody was at it, by then; "complained": not so. Those that ended by themselves are none.
    """
    due = m.columns(events.ComplaintDue)
    ended, contained = m.columns(events.HazardEnded), m.columns(events.HazardContained)
    end_of = {h: (t, o) for h, t, o in zip(ended["hazard"], ended["t_s"], ended["outcome"], strict=True)}
    held: dict[int, int] = {}
    for hazard, t_s in zip(contained["hazard"].tolist(), contained["t_s"].tolist(), strict=True):
        held.setdefault(hazard, t_s)
    out: dict[int, tuple[str, int, str]] = {}
    for hazard, theme, due_s in zip(due["hazard"].tolist(), due["theme"].tolist(), due["due_s"].tolist(), strict=True):
        if due_s > m.end_s():
            continue
        over_s, how = end_of.get(hazard, (due_s + 1, ""))
        if held.get(hazard, due_s + 1) <= due_s or (over_s <= due_s and how == "handled"):
            out[hazard] = (theme, due_s, "before")
        elif over_s > due_s:
            out[hazard] = (theme, due_s, "complained")
    return out


def _before(m: Memory) -> float | None:
    found = problems(m)
    return _share(sum(what == "before" for _, _, what in found.values()), len(found))


def _a_day(kind: type[events.Fact]) -> Callable[[Memory], float | None]:
    def of(m: Memory) -> float | None:
        return m.columns(kind)["t_s"].size * 86_400 / _span_s(m) if _span_s(m) else None

    return of


def useless_orders(m: Memory) -> npt.NDArray[np.bool_]:
    """Return for each early order whether it was for nothing.

    Those who went found nothing, or all that was there was known already; of an order that is still open it counts
    what was there when it was opened.
    """
    opened, ended = m.columns(events.EarlyOrderOpened), m.columns(events.EarlyOrderEnded)
    outcome = dict(zip(ended["order_ref"].tolist(), ended["outcome"].tolist(), strict=True))
    nothing = np.asarray(
        [
            outcome[ref] in ("nothing there", "false alarm") if ref in outcome else hazard < 0
            for ref, hazard in zip(opened["order_ref"].tolist(), opened["hazard"].tolist(), strict=True)
        ],
        dtype=bool,
    )
    found: npt.NDArray[np.bool_] = nothing | opened["redundant"].astype(bool)
    return found


def _useless(m: Memory) -> float | None:
    found = useless_orders(m)
    return _share(float(found.sum()), found.size)


def _useless_a_day(m: Memory) -> float | None:
    return float(useless_orders(m).sum()) * 86_400 / _span_s(m) if _span_s(m) else None


def _leads(m: Memory) -> npt.NDArray[np.float64]:
    """Seconds from the first early order about a problem to the moment its complaint was due; negative: too late."""
    orders, due = m.columns(events.EarlyOrderOpened), problems(m)
    first: dict[int, int] = {}
    for hazard, t_s in zip(orders["hazard"].tolist(), orders["t_s"].tolist(), strict=True):
        if hazard in due:
            first.setdefault(hazard, t_s)
    return np.asarray([due[h][1] - t_s for h, t_s in first.items()], dtype=np.float64)


def _lead_min(m: Memory) -> float | None:
    leads = _leads(m)
    return float(np.median(leads)) / 60 if leads.size else None


def _found_early(m: Memory) -> float | None:
    return _share(float((_leads(m) > 0).sum()), len(problems(m)))


def _k(
    name: str, title: str, title_zh: str, unit: str, better: Better, compute: Callable[[Memory], float | None]
) -> Kpi:
    return Kpi(name, title, title_zh, unit, better, compute)


COMMUNITY: tuple[Kpi, ...] = (
    _k(
        "registered",
        "Residents with an account",
        "注册居民",
        "",
        "higher",
        _counted(lambda m: m.columns(events.ResidentsRegistered)["accounts"][0]),
    ),
    _k("active_users", "Accounts active in the last 30 days", "月活跃用户", "", "higher", _counted(_active)),
    _k("active_reporters", "Accounts that reported, 30 days", "月上报用户", "", "higher", _counted(_reporters)),
    _k(
        "snap_reports", "Reports by residents", "随手拍上报数", "", "neither", _counted(lambda m: _snaps(m)["t_s"].size)
    ),
    _k("snap_duplicate_share", "of them told before", "重复上报率", "%", "neither", _duplicates),
    _k("snap_false_share", "of them about nothing", "虚假上报率", "%", "lower", _false),
    _k("snap_answer_min", "From report to first answer, mean", "上报首次答复时长", "min", "lower", _answer_min),
    _k("snap_unanswered_share", "Reports without an answer", "未答复率", "%", "lower", _unanswered),
    _k("snap_not_fixed_share", "Said to be fixed and seen not to be", "反馈未解决率", "%", "lower", _not_fixed),
    _k("points_paid", "Neighbour points paid", "发放邻里积分", "", "neither", _counted(_paid)),
    _k("points_paid_twice", "Entries paid twice", "重复发放积分", "", "lower", _counted(_twice)),
    _k("life_circle_share", "Residents with all within 15 minutes", "15分钟生活圈覆盖率", "%", "higher", _life_circle),
    _k("complaints_day", "Complaints a day", "日均投诉", "per day", "lower", _a_day(events.ComplaintMade)),
    _k("before_complaint_share", "Problems handled before a complaint", "未诉先办率", "%", "higher", _before),
    _k("early_orders_day", "Early orders a day", "日均预警工单", "per day", "neither", _a_day(events.EarlyOrderOpened)),
    _k("early_useless_share", "of them for nothing", "无效预警率", "%", "lower", _useless),
    _k("early_useless_day", "Early orders for nothing a day", "日均无效预警", "per day", "lower", _useless_a_day),
    _k("early_found_share", "Problems with an early order in time", "预警覆盖率", "%", "higher", _found_early),
    _k("early_lead_min", "Early order before the complaint, median", "预警提前量", "min", "higher", _lead_min),
)
COMMUNITY_HEADLINE: tuple[Kpi, ...] = (COMMUNITY[1], COMMUNITY[13], COMMUNITY[16])
