"""Indicators of services (F34-F42); each is defined in docs/metrics.md."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from scenarios.kpis.base import Kpi
from scenarios.readings import Memory
from twin import events

DAY_S = 86_400
Bools = npt.NDArray[np.bool_]


def _share(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole else None


def _in_person(office: npt.NDArray[np.object_]) -> Bools:
    return np.array([o == "hall" or str(o).startswith("point-") for o in office.tolist()], dtype=bool)


def _count(kind: type[events.Fact]) -> Callable[[Memory], float | None]:
    return lambda m: m.columns(kind)["t_s"].size or None


def _mean_ended(field: str, scale: float = 1.0) -> Callable[[Memory], float | None]:
    def compute(m: Memory) -> float | None:
        values = m.columns(events.MatterEnded)[field]
        return float(values.mean()) * scale if values.size else None

    return compute


def _matters_open(m: Memory) -> float | None:
    return _share(m.columns(events.MatterOpen)["t_s"].size, m.columns(events.MatterBegan)["t_s"].size)


def _waits(m: Memory) -> npt.NDArray[np.float64]:
    """Return the waits at windows of those who came in person, s."""
    began, filed = m.columns(events.TaskBegan), m.columns(events.CaseFiled)
    came = filed["case_no"][_in_person(filed["office"])]
    rows = (began["task"] == "check") & np.isin(began["case_no"], came)
    return np.asarray(began["waited_s"][rows], dtype=np.float64)


def _wait_min(m: Memory) -> float | None:
    w = _waits(m)
    return float(w.mean()) / 60 if w.size else None


def _wait_p95_min(m: Memory) -> float | None:
    w = _waits(m)
    return float(np.quantile(w, 0.95)) / 60 if w.size else None


def _returned(m: Memory) -> float | None:
    asked = m.columns(events.ApplicantAsked)
    cases = np.unique(asked["case_no"][np.isin(asked["why"], ("correct", "supplement"))])
    return _share(cases.size, m.columns(events.CaseFiled)["t_s"].size)


def _remote(m: Memory) -> float | None:
    filed = m.columns(events.CaseFiled)
    return _share(float((~_in_person(filed["office"])).sum()), filed["t_s"].size) if filed["t_s"].size else None


def _overdue(m: Memory) -> float | None:
    """Decided after their limit, or not decided and past it, of all that were accepted."""
    accepted, given = m.columns(events.CaseAccepted), m.columns(events.ResultGiven)
    ended, still = m.columns(events.CaseConcluded), m.columns(events.CaseOpen)["case_no"]
    decided_s = dict(zip(given["case_no"].tolist(), given["t_s"].tolist(), strict=True))
    opened = np.isin(accepted["case_no"], still)
    until = [decided_s.get(case, m.end_s()) for case in accepted["case_no"][opened].tolist()]
    late = int(ended["overdue"].sum()) + int((np.asarray(until) > accepted["due_s"][opened]).sum())
    return _share(late, accepted["t_s"].size)


def _reused(m: Memory) -> float | None:
    filed = m.columns(events.CaseFiled)
    return _share(float(filed["reused"].sum()), float(filed["reused"].sum() + filed["handed_in"].sum()))


def _far_filed(m: Memory) -> float | None:
    """Cases of people in other regions."""
    began, filed = m.columns(events.MatterBegan), m.columns(events.CaseFiled)
    far = began["matter_no"][began["region"] >= 0]
    return float(np.isin(filed["matter_no"], far).sum()) if filed["t_s"].size else None


def _far_counties(m: Memory) -> float | None:
    """Counties they live in, or whose authorities took part."""
    rows = [m.columns(k) for k in (events.FarServed, events.PapersForwarded, events.PlaceAsked)]
    names = {str(c) for r in rows for c in r["county"].tolist()}
    return float(len(names)) if m.columns(events.CaseFiled)["t_s"].size else None


def _far_saved(m: Memory) -> float | None:
    saved = m.columns(events.FarServed)["saved_days"]
    return float(saved.mean()) if saved.size else None


def _joint_days(m: Memory) -> float | None:
    """Days from the question to another place until its answer; of those that answered."""
    asked, decided = m.columns(events.PlaceAsked), m.columns(events.PlaceDecided)
    keys = zip(asked["case_no"].tolist(), asked["step"].tolist(), strict=True)
    since = dict(zip(keys, asked["t_s"].tolist(), strict=True))
    rows = zip(decided["case_no"].tolist(), decided["step"].tolist(), decided["t_s"].tolist(), strict=True)
    took = [t - since[c, s] for c, s, t in rows if (c, s) in since]
    return float(np.mean(took)) / DAY_S if took else None


def _forwarded(m: Memory) -> float | None:
    return float(m.columns(events.PapersForwarded)["t_s"].size) if m.columns(events.CaseFiled)["t_s"].size else None


def _asked(m: Memory) -> float | None:
    return float(m.columns(events.AssistantAsked)["t_s"].size) if m.columns(events.CaseFiled)["t_s"].size else None


def _right_first(m: Memory) -> float | None:
    said = m.columns(events.AssistantAnswered)
    return _share(float(((said["rank"] == 1) & ~said["handed_over"].astype(bool)).sum()), said["t_s"].size)


def _handed_over(m: Memory) -> float | None:
    said = m.columns(events.AssistantAnswered)
    return _share(float(said["handed_over"].astype(bool).sum()), said["t_s"].size)


def _wasted_trips(m: Memory) -> float | None:
    """Visits in person because papers were missing, per 100 cases filed in person."""
    visits, filed = m.columns(events.OfficeVisited), m.columns(events.CaseFiled)
    again = np.isin(visits["why"], ("correct", "supplement")).sum()
    return _share(float(again), float(_in_person(filed["office"]).sum())) if filed["t_s"].size else None


SERVICES: tuple[Kpi, ...] = (
    Kpi("service_matters", "matters that began", "办事需求", "", "neither", _count(events.MatterBegan)),
    Kpi("service_cases", "cases filed", "受理申请件", "", "neither", _count(events.CaseFiled)),
    Kpi("service_matter_days", "days from need to result", "办理时间", "days", "lower",
        _mean_ended("duration_s", 1 / DAY_S)),
    Kpi("service_open_share", "matters still open at the end", "在办比例", "%", "lower", _matters_open),
    Kpi("service_materials", "materials handed in per matter", "申请材料", "", "lower", _mean_ended("handed_in")),
    Kpi("service_applications", "applications per matter", "申请次数", "", "lower", _mean_ended("cases")),
    Kpi("service_visits", "visits per matter", "跑动次数", "", "lower", _mean_ended("visits")),
    Kpi("service_wait_min", "wait at windows", "窗口等候", "min", "lower", _wait_min),
    Kpi("service_wait_p95_min", "95th percentile of the wait at windows", "窗口等候95分位", "min", "lower",
        _wait_p95_min),
    Kpi("service_returned_share", "cases returned for correction", "补正率", "%", "lower", _returned),
    Kpi("service_remote_share", "cases filed without coming", "网办率", "%", "higher", _remote),
    Kpi("service_overdue_share", "cases decided after their limit", "超期率", "%", "lower", _overdue),
    Kpi("service_reused_share", "materials looked up, not handed in", "电子证照复用率", "%", "higher", _reused),
    Kpi("service_wasted_trips", "visits because papers were missing, per 100 filed in person", "补正跑动", "%", "lower",
        _wasted_trips),
    Kpi("service_far_cases", "cases of people in other regions", "异地办件", "", "neither", _far_filed),
    Kpi("service_far_counties", "counties elsewhere that were served or took part", "异地县区数", "", "neither",
        _far_counties),
    Kpi("service_far_saved_days", "days of travelling saved per matter with other regions", "异地办事节省天数", "days",
        "higher", _far_saved),
    Kpi("service_forwarded", "times papers were handed in at a hall elsewhere", "异地代收", "", "neither", _forwarded),
    Kpi("service_joint_days", "until another place has done its part", "多地联办时长", "days", "lower", _joint_days),
    Kpi("assistant_asked", "questions to the assistant before applying", "智能咨询次数", "", "neither", _asked),
    Kpi("assistant_right_first", "of them, the right page came first", "咨询首位准确率", "%", "higher", _right_first),
    Kpi("assistant_handed_over", "of them, handed over to a person", "转人工率", "%", "neither", _handed_over),
)  # fmt: skip
SERVICES_HEADLINE: tuple[Kpi, ...] = tuple(
    k for k in SERVICES if k.name in ("service_matter_days", "service_materials", "service_wait_min")
)
