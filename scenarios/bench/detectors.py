"""The detectors of the city brain against a rolling 4-sigma rule, on labelled series that others made.

Definitions, the same for both:

- A labelled window counts once, as found, when at least one alert fires inside it (both ends included); precision,
  recall and F1 are over windows, pooled over all series of a folder.
- Alerts outside every window that follow each other within ``CLUSTER`` periods are one false alarm.
- The first part of a series is for learning and is not scored: 15 % of the readings, at most 750 (NAB's probationary
  period, Lavin & Ahmad 2015), or the first 400 rows (SKAB's protocol).
- The baseline alarms at a reading more than 4 standard deviations from the mean of the ``ROLLING`` readings before it
  (of at least 30); with several sensors at any of them.

The period of a series is its median gap. Nothing is fitted: both run with the same defaults on every series.

``python -m scenarios.bench.detectors [--folder DIR] [--sensitivity]`` where DIR holds ``nab*/`` (CSV files with
``timestamp,value`` and ``windows.json``) and ``skab*/`` (CSV files with ``datetime;…;anomaly;changepoint``).
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.control.city_brain.detectors import ChannelDetectors, DetectorSettings
from twin.control.city_brain.detectors_baseline import BaselineSettings
from twin.control.city_brain.detectors_device import DeviceDetectors, DeviceSettings
from twin.errors import ScenarioError

CLUSTER = 72
ROLLING = 288
SIGMAS = 4.0
NAB_LEARNS, NAB_LEARNS_MOST, SKAB_LEARNS = 0.15, 750, 400

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Series:
    """A labelled series: times in seconds, shape (n,); values, shape (n, sensors); windows, inclusive, in seconds."""

    name: str
    t_s: Ints
    values: Floats
    windows: tuple[tuple[int, int], ...]
    scored_from_s: int

    @property
    def period_s(self) -> float:
        """Return the median gap."""
        return max(1.0, float(np.median(np.diff(self.t_s))))


@dataclass(frozen=True)
class Score:
    """Windows found, windows missed, false alarms."""

    found: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.found + other.found, self.missed + other.missed, self.false + other.false)

    @property
    def precision(self) -> float:
        """Found of all that was said; 0 when nothing was said."""
        return self.found / max(1, self.found + self.false)

    @property
    def recall(self) -> float:
        """Found of all there was; 0 when there was nothing."""
        return self.found / max(1, self.found + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.found / max(1, 2 * self.found + self.missed + self.false)


def data_folder() -> Path | None:
    """Return the folder of the labelled series beside the project, or None where it is not there."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "alerts"
    return folder if folder.is_dir() else None


def score(series: Series, fired_s: Ints) -> Score:
    """Score alerts that fired at these times."""
    fired = np.sort(fired_s[fired_s >= series.scored_from_s])
    windows = [w for w in series.windows if w[1] >= series.scored_from_s]
    outside = np.ones(len(fired), bool)
    found = 0
    for first, last in windows:
        inside = (fired >= first) & (fired <= last)
        found += bool(inside.any())
        outside &= ~inside
    alone = fired[outside]
    clusters = int(np.sum(np.diff(alone) > CLUSTER * series.period_s)) + 1 if len(alone) else 0
    return Score(found, len(windows) - found, clusters)


def rolling_sigma(series: Series, window: int = ROLLING) -> Ints:
    """Return when the baseline fires."""
    x = series.values
    out = [
        j
        for j in range(30, len(x))
        if np.any(np.abs(x[j] - x[max(0, j - window) : j].mean(0)) > SIGMAS * x[max(0, j - window) : j].std(0))
    ]
    return series.t_s[out]


def channel_alerts(series: Series, settings: DetectorSettings) -> Ints:
    """Return when the channel detectors fire."""
    detectors = ChannelDetectors(1, series.period_s, settings)
    last_s = int(series.t_s.max()) + settings.lateness_s
    return detectors.update(last_s, np.zeros(len(series.t_s), np.int64), series.t_s, series.values[:, 0]).fired_s


def device_alerts(series: Series, settings: DeviceSettings) -> Ints:
    """Return when the device detectors fire."""
    detectors = DeviceDetectors(1, series.values.shape[1], series.period_s, settings)
    device = np.zeros(1, np.int64)
    parts = [detectors.update(device, series.t_s[j : j + 1], series.values[j : j + 1]) for j in range(len(series.t_s))]
    return np.concatenate([p.fired_s for p in parts])


def read_nab(folder: Path) -> Iterator[Series]:
    """Read the series of a folder in NAB's form; raises ScenarioError where it is not."""
    labels = folder / "windows.json"
    if not labels.is_file():
        raise ScenarioError(f"bench: {folder} has no windows.json")
    for name, windows in sorted(json.loads(labels.read_text(encoding="utf-8")).items()):
        rows = _rows(folder / Path(name).name, ",")
        t_s = np.array([_seconds(r["timestamp"]) for r in rows])
        values = np.array([[float(r["value"])] for r in rows])
        learns = min(int(NAB_LEARNS * len(rows)), NAB_LEARNS_MOST)
        bounds = tuple((_seconds(a), _seconds(b)) for a, b in windows)
        yield Series(Path(name).stem, t_s, values, bounds, int(t_s[learns]))


def read_skab(folder: Path) -> Iterator[Series]:
    """Read the series of a folder in SKAB's form; raises ScenarioError where it is not."""
    for path in sorted(folder.glob("*.csv")):
        rows = _rows(path, ";")
        if "anomaly" not in rows[0]:
            raise ScenarioError(f"bench: {path.name} has no column 'anomaly'")
        sensors = [k for k in rows[0] if k not in ("datetime", "anomaly", "changepoint")]
        t_s = np.array([_seconds(r["datetime"]) for r in rows])
        bad = np.array([float(r["anomaly"]) > 0 for r in rows])
        edges = np.flatnonzero(np.diff(np.r_[False, bad, False]))
        windows = tuple((int(t_s[a]), int(t_s[b - 1])) for a, b in edges.reshape(-1, 2))
        values = np.array([[float(r[k]) for k in sensors] for r in rows])
        yield Series(path.stem, t_s, values, windows, int(t_s[min(SKAB_LEARNS, len(t_s) - 1)]))


def _rows(path: Path, delimiter: str) -> list[dict[str, str]]:
    if not path.is_file():
        raise ScenarioError(f"bench: {path} is not there")
    with path.open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter=delimiter))
    if len(rows) < 2:
        raise ScenarioError(f"bench: {path.name} has fewer than two rows")
    return rows


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Comparison:
    """Scores per series, ours and the baseline's."""

    ours: dict[str, Score]
    baseline: dict[str, Score]

    def gain(self) -> float:
        """Return F1 of ours − F1 of the baseline, pooled."""
        return total(self.ours).f1 - total(self.baseline).f1


def total(scores: dict[str, Score]) -> Score:
    """Return the sum over series."""
    return sum(scores.values(), Score())


def compare_nab(folder: Path, settings: DetectorSettings | None = None) -> Comparison:
    """Compare on every NAB series below ``folder`` (its ``nab*`` folders)."""
    series = [s for part in sorted(folder.glob("nab*")) for s in read_nab(part)]
    ours = {s.name: score(s, channel_alerts(s, settings or DetectorSettings())) for s in series}
    return Comparison(ours, {s.name: score(s, rolling_sigma(s)) for s in series})


def compare_skab(folder: Path, settings: DeviceSettings | None = None) -> Comparison:
    """Compare on every SKAB series below ``folder`` (its ``skab*`` folders)."""
    series = {f"{part.name}/{s.name}": s for part in sorted(folder.glob("skab*")) for s in read_skab(part)}
    ours = {k: score(s, device_alerts(s, settings or DeviceSettings())) for k, s in series.items()}
    return Comparison(ours, {k: score(s, rolling_sigma(s)) for k, s in series.items()})


def sensitivity(folder: Path) -> dict[str, dict[str, float]]:
    """Return F1 with each default halved and doubled, one at a time."""
    out: dict[str, dict[str, float]] = {}
    nab, skab, base = DetectorSettings(), DeviceSettings(), BaselineSettings()
    for factor in (0.5, 2.0):
        for name in ("false_alarms_a_day", "warm_up", "clear_s", "refractory_s"):
            new = _scaled(nab, name, factor)
            out.setdefault(f"nab {name}", {})[f"x{factor:g}"] = total(compare_nab(folder, new).ours).f1
        for name in ("memory_s", "occurrences", "shrink"):
            new = replace(nab, baseline=_scaled(base, name, factor))
            out.setdefault(f"nab baseline.{name}", {})[f"x{factor:g}"] = total(compare_nab(folder, new).ours).f1
        for name in ("false_alarms_a_day", "warm_up", "clear", "refractory", "memory"):
            device = _scaled(skab, name, factor)
            out.setdefault(f"skab {name}", {})[f"x{factor:g}"] = total(compare_skab(folder, device).ours).f1
    return out


def _scaled(settings: Any, name: str, factor: float) -> Any:
    old = getattr(settings, name)
    return replace(settings, **{name: type(old)(old * factor)})


def main(arguments: list[str]) -> int:
    """Print the comparison as JSON."""
    folder = Path(arguments[arguments.index("--folder") + 1]) if "--folder" in arguments[:-1] else data_folder()
    if folder is None or not folder.is_dir():
        print("bench: the labelled series are not there; name their folder with --folder DIR", file=sys.stderr)
        return 1
    if "--sensitivity" in arguments:
        print(json.dumps(sensitivity(folder), indent=1))
        return 0
    for name, comparison in (("nab", compare_nab(folder)), ("skab", compare_skab(folder))):
        for who, scores in (("ours", comparison.ours), ("rolling 4 sigma", comparison.baseline)):
            s = total(scores)
            row = {"set": name, "rule": who} | {f.name: getattr(s, f.name) for f in fields(s)}
            row |= {k: round(v, 3) for k, v in (("precision", s.precision), ("recall", s.recall), ("f1", s.f1))}
            rest = [total({k: v for k, v in scores.items() if k != left}).f1 for left in scores]
            row["f1_without_one_series"] = [round(min(rest), 3), round(max(rest), 3)] if len(rest) > 1 else None
            row["series"] = {k: [v.found, v.missed, v.false] for k, v in scores.items()}
            print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
