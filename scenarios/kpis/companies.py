"""Indicators of companies and the services for them; each is defined in docs/metrics.md."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scenarios.kpis.base import Kpi
from scenarios.readings import Memory
from twin import events


def _frame(m: Memory, fact: str) -> pd.DataFrame:
    return pd.DataFrame(m.columns(events.kinds()[fact]))


def _there(m: Memory) -> bool:
    return not _frame(m, "CompaniesCounted").empty


def _count(fact: str) -> object:
    return lambda m: float(_frame(m, fact).shape[0]) if _there(m) else None


def _companies(m: Memory) -> float | None:
    counted = _frame(m, "CompaniesCounted")
    if counted.empty:
        return None
    last = counted.sort_values("t_s").iloc[-1]
    return float(sum(last[stage] for stage in ("founded", "growing", "mature", "leaving")))


def _paid(m: Memory) -> float | None:
    return float(_frame(m, "PaymentReceived")["amount_cny"].sum()) / 1e6 if _there(m) else None


def _paid_companies(m: Memory) -> float | None:
    return float(_frame(m, "PaymentReceived")["company"].nunique()) if _there(m) else None


def _reached(m: Memory) -> float | None:
    """Paid ÷ (paid + without an account or budget at the last matching of each policy), %."""
    matched = _frame(m, "PolicyMatched")
    if matched.empty:
        return None
    last = matched.sort_values("t_s", kind="stable").groupby("policy").last()
    paid, left = float(matched["paid"].sum()), float((last["no_account"] + last["no_budget"]).sum())
    return 100 * paid / (paid + left) if paid + left else None


def _loans(m: Memory) -> float | None:
    loans = _frame(m, "LoanDecided")
    if loans.empty:
        return 0.0 if _there(m) else None
    return float(loans.loc[loans["accepted"].astype(bool), "amount_cny"].sum()) / 1e6


def _visited(m: Memory) -> float | None:
    return float(_frame(m, "ExpertsVisited")["company"].nunique()) if _there(m) else None


def _climate_time(m: Memory) -> float | None:
    """Mean days from assigned to closed."""
    assigned = _frame(m, "ClimateAssigned")
    closed = _frame(m, "ClimateClosed")
    if closed.empty:
        return None
    first = assigned.groupby("finding")["t_s"].min()
    return float((closed.set_index("finding")["t_s"] - first.reindex(closed["finding"])).mean()) / 86_400


def _climate_found(m: Memory) -> float | None:
    arose = _frame(m, "ClimateIssueArose")
    if arose.empty:
        return None
    seen = _frame(m, "ClimateIssueFound")
    seen = seen[seen["real"].astype(bool)] if not seen.empty else seen
    known = set(map(tuple, seen[["what", "place"]].to_numpy().tolist()))
    return 100 * float(np.mean([tuple(r) in known for r in arose[["what", "place"]].to_numpy().tolist()]))


def _k(name: str, title: str, title_zh: str, unit: str, better: str, compute: object) -> Kpi:
    return Kpi(name, title, title_zh, unit, better, compute)  # type: ignore[arg-type]


COMPANIES: tuple[Kpi, ...] = (
    _k("companies", "Companies at the end", "企业数", "", "higher", _companies),
    _k("companies_founded", "Companies founded", "新设企业数", "", "higher", _count("CompanyFounded")),
    _k("companies_closed", "Companies struck off", "注销企业数", "", "lower", _count("CompanyClosed")),
    _k(
        "policy_paid_companies",
        "Companies paid without an application",
        "免申即享企业数",
        "",
        "higher",
        _paid_companies,
    ),
    _k("policy_paid_million", "Paid to them, million CNY", "兑付金额", "million CNY", "higher", _paid),
    _k("policy_reached_share", "Of those who fit, paid", "政策兑付率", "%", "higher", _reached),
    _k("expert_visited", "Companies visited by experts", "走访企业数", "", "higher", _visited),
    _k("loans_million", "Loans granted, million CNY", "贷款金额", "million CNY", "higher", _loans),
    _k(
        "climate_found_share",
        "Troubles of the climate that were found",
        "营商问题发现率",
        "%",
        "higher",
        _climate_found,
    ),
    _k("climate_days", "From assigned to closed, mean", "营商问题办结时长", "d", "lower", _climate_time),
)
COMPANIES_HEADLINE: tuple[Kpi, ...] = (COMPANIES[3], COMPANIES[4])
