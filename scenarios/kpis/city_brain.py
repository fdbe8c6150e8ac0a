"""Indicators of the city brain – hazards, sensors, alerts against the truth; each is defined in docs/metrics.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.kpis.base import Kpi
from scenarios.readings import Memory
from twin import events
from twin.domain.city_brain import THEMES
from twin.log import Facts

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAY_S = 86_400
#: an alert counts as true, too, when a hazard of its theme begins within so many seconds and metres of it
EARLY_S, EARLY_M = 1800, 1000.0
#: alerts that say that something is unusual, or that a device is silent, and not that something happens
ASIDE = ("device", "")
UNUSUAL = "anomaly"


@dataclass(frozen=True)
class ThemeScore:
    """Alerts of one theme against the truth; ``precision``/``recall``/``delay_s`` are nan where there is nothing.

    ``hazards`` that began, of which ``in_view`` were in reach of a channel and ``alerted`` led to an alert;
    ``alerts`` raised, of which ``true`` were about a hazard; ``delay_s``: median from beginning to first alert.
    """

    theme: str
    hazards: int
    in_view: int
    alerted: int
    alerts: int
    true: int
    delay_s: float

    @property
    def precision(self) -> float:
        """Return the share of alerts that were about something."""
        return self.true / self.alerts if self.alerts else float("nan")

    @property
    def recall(self) -> float:
        """Return the share of hazards that were alerted."""
        return self.alerted / self.hazards if self.hazards else float("nan")

    @property
    def coverage(self) -> float:
        """Return the share of hazards that a channel could see or feel."""
        return self.in_view / self.hazards if self.hazards else float("nan")


@dataclass(frozen=True)
class _Scores:
    """The tables joined: one entry per hazard, one per alert."""

    hazard: Ints
    began_s: Ints
    theme: npt.NDArray[np.object_]
    in_view: Bools
    alerted_s: npt.NDArray[np.float64]
    alert_theme: npt.NDArray[np.object_]
    alert_true: Bools
    days: float

    @property
    def delay_s(self) -> npt.NDArray[np.float64]:
        """Seconds from beginning to first alert, nan where there was none; never below 0."""
        return np.maximum(self.alerted_s - self.began_s, 0.0)


def _join(memory: Memory) -> _Scores | None:
    began = memory.columns(events.HazardBegan)
    if not began["t_s"].size and not memory.columns(events.ChannelsPlaced)["t_s"].size:
        return None
    raised = memory.columns(events.AlertRaised)
    keep = ~np.isin(raised["theme"], ASIDE) & (raised["alert_rule"] != UNUSUAL)
    raised = {k: v[keep] for k, v in raised.items()}
    view = memory.columns(events.HazardInView)
    seen = set(view["hazard"][view["channels"] > 0].tolist())
    order = np.argsort(began["hazard"], kind="stable")
    number = began["hazard"][order].astype(np.int64)
    t_s, theme = began["t_s"][order].astype(np.int64), began["theme"][order]
    true = raised["hazard"] >= 0
    covered = memory.columns(events.AlertCovered)
    about = [*raised["hazard"][true].tolist(), *covered["hazard"].tolist()]
    at_s = [*raised["t_s"][true].tolist(), *covered["t_s"].tolist()]
    for i in np.flatnonzero(~true).tolist():
        soon = (theme == raised["theme"][i]) & (t_s >= raised["t_s"][i]) & (t_s <= raised["t_s"][i] + EARLY_S)
        metres = np.hypot(began["x_m"][order] - raised["x_m"][i], began["y_m"][order] - raised["y_m"][i])
        near = np.flatnonzero(soon & (metres <= EARLY_M))
        if near.size:
            true[i] = True
            about.append(int(number[near[np.argmin(t_s[near])]]))
            at_s.append(int(raised["t_s"][i]))
    first = np.full(number.size, np.nan)
    for n, at in zip(about, at_s, strict=True):
        k = int(np.searchsorted(number, n))
        if k < number.size and number[k] == n and not first[k] <= at:
            first[k] = at
    start = memory.columns(events.RunStarted)["t_s"]
    days = max(memory.end_s() - int(start[0]) if start.size else memory.end_s(), 1) / DAY_S
    in_view = np.asarray([n in seen for n in number.tolist()], dtype=bool)
    return _Scores(number, t_s, theme, in_view, first, raised["theme"], np.asarray(true, dtype=bool), days)


def theme_scores(log: Facts | Memory) -> list[ThemeScore]:
    """Return precision, recall and delay of every theme of which there were hazards or alerts."""
    s = _join(log if isinstance(log, Memory) else Memory(log))
    out: list[ThemeScore] = []
    for theme in THEMES if s is not None else ():
        assert s is not None
        mine, said = s.theme == theme, s.alert_theme == theme
        if not mine.any() and not said.any():
            continue
        delay = s.delay_s[mine]
        found = ~np.isnan(delay)
        out.append(
            ThemeScore(
                theme,
                int(mine.sum()),
                int((mine & s.in_view).sum()),
                int(found.sum()),
                int(said.sum()),
                int((said & s.alert_true).sum()),
                float(np.median(delay[found])) if found.any() else float("nan"),
            )
        )
    return out


# -- indicators ------------------------------------------------------------------------------------------


def _hazards(memory: Memory) -> float | None:
    s = _join(memory)
    return None if s is None else float(s.hazard.size)


def _coverage(memory: Memory) -> float | None:
    s = _join(memory)
    return None if s is None or not s.hazard.size else 100.0 * float(s.in_view.mean())


def _recall(memory: Memory) -> float | None:
    s = _join(memory)
    return None if s is None or not s.hazard.size else 100.0 * float(np.mean(~np.isnan(s.alerted_s)))


def _recall_in_view(memory: Memory) -> float | None:
    s = _join(memory)
    return None if s is None or not s.in_view.any() else 100.0 * float(np.mean(~np.isnan(s.alerted_s[s.in_view])))


def _precision(memory: Memory) -> float | None:
    s = _join(memory)
    return None if s is None or not s.alert_true.size else 100.0 * float(s.alert_true.mean())


def _false_alarms(memory: Memory) -> float | None:
    s = _join(memory)
    return None if s is None else float((~s.alert_true).sum()) / s.days


def _delay(memory: Memory, share: float, theme: str = "") -> float | None:
    s = _join(memory)
    if s is None:
        return None
    delay = s.delay_s[~np.isnan(s.alerted_s) & ((s.theme == theme) if theme else True)]
    return float(np.quantile(delay, share)) / 60.0 if delay.size else None


def _theme_recall(memory: Memory, theme: str) -> float | None:
    s = _join(memory)
    if s is None or not (s.theme == theme).any():
        return None
    return 100.0 * float(np.mean(~np.isnan(s.alerted_s[s.theme == theme])))


def _theme_false(memory: Memory, theme: str) -> float | None:
    s = _join(memory)
    return None if s is None else float((~s.alert_true & (s.alert_theme == theme)).sum()) / s.days


def _harmed(memory: Memory, what: str) -> float | None:
    if _join(memory) is None:
        return None
    harmed = memory.columns(events.HazardHarmed)
    return float(harmed["people"][harmed["what"] == what].sum())


def _burnt(memory: Memory) -> float | None:
    if _join(memory) is None:
        return None
    area = 0.0
    for kind in (events.HazardEnded, events.HazardOpen):
        rows = memory.columns(kind)
        area += float(rows["amount"][rows["theme"] == "fire"].sum())
    return area


def _lost(memory: Memory) -> float | None:
    sent = memory.columns(events.ReadingsSent)
    made = float(sent["readings"].sum())
    return 100.0 * float(sent["lost"].sum()) / made if made else None


def _silent(memory: Memory) -> float | None:
    s = _join(memory)
    if s is None:
        return None
    return float((memory.columns(events.AlertRaised)["theme"] == "device").sum()) / s.days


CITY_BRAIN: tuple[Kpi, ...] = (
    Kpi("hazards", "Hazards that began", "发生的隐患与险情", "", "neither", _hazards),
    Kpi("hazard_coverage", "Hazards in reach of a sensor", "感知覆盖率", "%", "higher", _coverage),
    Kpi("alert_recall", "Hazards that led to an alert", "预警查全率", "%", "higher", _recall),
    Kpi("alert_recall_in_view", "The same, of those in reach", "覆盖内查全率", "%", "higher", _recall_in_view),
    Kpi("alert_precision", "Alerts that were about something", "预警查准率", "%", "higher", _precision),
    Kpi("false_alarms_day", "False alarms a day", "每日误报数", "per day", "lower", _false_alarms),
    Kpi("alert_delay_min", "From beginning to alert, median", "预警时延中位数", "min", "lower",
        lambda m: _delay(m, 0.5)),
    Kpi(
        "alert_delay_p95_min", "The same, 95th percentile", "预警时延95分位", "min", "lower", lambda m: _delay(m, 0.95)
    ),
    Kpi("water_recall", "People in water that led to an alert", "溺水预警查全率", "%", "higher",
        lambda m: _theme_recall(m, "water")),
    Kpi("water_false_day", "False alarms about water a day", "溺水每日误报", "per day", "lower",
        lambda m: _theme_false(m, "water")),
    Kpi("water_delay_min", "From being in the water to the alert, median", "溺水预警时延", "min", "lower",
        lambda m: _delay(m, 0.5, "water")),
    Kpi("fire_recall", "Fires that led to an alert", "火情预警查全率", "%", "higher",
        lambda m: _theme_recall(m, "fire")),
    Kpi("fire_false_day", "False alarms about fire a day", "火情每日误报", "per day", "lower",
        lambda m: _theme_false(m, "fire")),
    Kpi("fire_delay_min", "From ignition to the alert, median", "火情预警时延", "min", "lower",
        lambda m: _delay(m, 0.5, "fire")),
    Kpi("drowned", "People drowned", "溺亡人数", "", "lower", lambda m: _harmed(m, "drowned")),
    Kpi("injured", "People injured", "受伤人数", "", "lower", lambda m: _harmed(m, "injured")),
    Kpi("burnt_m2", "Area burnt", "过火面积", "m²", "lower", _burnt),
    Kpi("readings_lost_share", "Readings lost on the way", "数据丢失率", "%", "lower", _lost),
    Kpi("silent_alerts_day", "Alerts about silent devices a day", "每日设备失联告警", "per day", "lower", _silent),
)  # fmt: skip
CITY_BRAIN_HEADLINE: tuple[Kpi, ...] = CITY_BRAIN[2:7]
