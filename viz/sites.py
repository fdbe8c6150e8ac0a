"""Construction projects of a run as one container of the page: files, progress in truth and as estimated, warnings.

A run without construction has none: the page is as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from geo.city import City
from twin.events import Fact, construction, kinds
from twin.log import Facts
from viz.fleet import Tables
from viz.geometry import Frame, Names
from viz.offices import rows
from viz.pack import pack

SWITCHES: dict[str, tuple[tuple[str, ...], bool]] = {"sites": (("sites",), True)}
KINDS = ("building", "municipal", "garden", "water")
LIBRARIES = ("reserve", "current", "post")
WARNINGS = ("schedule", "investment", "cost")
ENDS = ("device", "supervisor", "builder")
#: what is told of a site: fact → (word, its own words)
_TOLD: tuple[tuple[type[Fact], str, tuple[str, ...]], ...] = (
    (construction.ProjectFinished, "finished", ()), (construction.SiteWorkStopped, "stopped", ("cause",)),
    (construction.SiteWorkResumed, "resumed", ("cause",)),
    (construction.SiteHazardAppeared, "hazard", ("what", "grade")),
    (construction.SiteHazardGone, "hazard_gone", ("what", "cause")),
    (construction.SiteHazardSeen, "seen", ("what", "end")),
    (construction.SiteAccident, "accident", ("what",)), (construction.SiteCheckOrdered, "check", ()),
    (construction.RectificationOrdered, "rectify", ("grade",)), (construction.HazardRectified, "rectified", ()),
    (construction.HazardRechecked, "rechecked", ()), (construction.HazardEscalated, "escalated", ("to",)),
    (construction.HazardClosed, "case_closed", ("outcome",)),
)  # fmt: skip
TOLD = tuple(what for _, what, _ in _TOLD)
_CNY = 10_000  # money is told in 万元
Word = Callable[[Any], int]


def facts_of(file: Path) -> Facts | None:
    """Return the facts of construction alone, read at once from the log ``file``; None for a run without it."""
    if "curve_c" not in pq.read_schema(file).names or Facts(path=file).table("ProjectFiled", ["t_s"]).num_rows == 0:
        return None
    names = [
        name
        for name, kind in vars(construction).items()
        if isinstance(kind, type) and issubclass(kind, Fact) and kind not in (Fact, construction.EndsJudged)
    ]
    columns = {f for name in names for f in kinds()[name].__dataclass_fields__}  # type: ignore[attr-defined]
    return Facts(table=pq.read_table(file, columns=["t_s", "fact", *sorted(columns)], filters=[("fact", "in", names)]))


def _code(value: str, allowed: tuple[str, ...]) -> int:
    return allowed.index(value) if value in allowed else 0


def _milli(value: float) -> int:
    """Return thousandths; −1 for what is not known."""
    return round(1000 * value) if np.isfinite(value) else -1


def _said(r: dict[str, Any], names: tuple[str, ...]) -> str:
    return " · ".join(str(r[name]) for name in names if r[name])


def container(facts: Facts, city: City, frame: Frame, begin_s: int) -> str:
    """Return the container text of the projects; times are seconds from ``begin_s``, days those of the run."""
    tables, names = Tables(), Names()

    def word(text: Any) -> int:
        return int(names.add([text])[0])

    filed = sorted(rows(facts, construction.ProjectFiled), key=lambda r: int(r["project"]))
    row = {int(r["project"]): i for i, r in enumerate(filed)}
    xy = np.array([[r["x_m"], r["y_m"]] for r in filed], dtype=np.float64).reshape(-1, 2)
    files = [
        (
            int(r["project"]), word(r["name"]), _code(r["kind"], KINDS), _code(r["library"], LIBRARIES),
            word(r["community"]), x, y, round(r["investment_cny"] / _CNY),
            int(r["start_day"]), int(r["finish_day"]), word(r["contractor"]),
            _milli(r["curve_c"]), _milli(r["curve_k"]),
        )
        for r, (x, y) in zip(filed, frame.units(city, xy).tolist(), strict=True)
    ]  # fmt: skip
    fields = "number name kind library community x y investment start finish contractor curve_c curve_k"
    tables.put("projects", fields, files)
    tables.put(
        "moves",
        "project t library",
        sorted(
            (row[r["project"]], r["t_s"] - begin_s, _code(r["library"], LIBRARIES))
            for r in rows(facts, construction.ProjectMoved)
        ),
    )
    tables.put(
        "progress",
        "project t day done planned cost",
        sorted(
            (
                row[r["project"]],
                r["t_s"] - begin_s,
                int(r["day"]),
                _milli(r["progress"]),
                _milli(r["planned"]),
                round(r["cost_cny"] / _CNY),
            )
            for r in rows(facts, construction.SiteProgressed)
        ),
    )
    tables.put(
        "estimates",
        "project t day done spi cpi spi_t forecast",
        sorted(
            (
                row[r["project"]], r["t_s"] - begin_s, int(r["day"]), _milli(r["progress"]), _milli(r["spi"]),
                _milli(r["cpi"]), _milli(r["spi_t"]), int(r["forecast_day"]),
            )
            for r in rows(facts, construction.ProgressEstimated)
        ),
    )  # fmt: skip
    tables.put("warnings", "project t until warning reason", _warnings(facts, row, word, begin_s))
    tables.put(
        "reports",
        "project t day end done",
        sorted(
            (row[r["project"]], r["t_s"] - begin_s, int(r["day"]), _code(r["end"], ENDS), _milli(r["progress"]))
            for r in rows(facts, construction.ProgressReported)
        ),
    )
    told = [
        (
            row[int(r["project"])],
            r["t_s"] - begin_s,
            TOLD.index(what),
            word(_said(r, fields_)),
        )
        for kind, what, fields_ in _TOLD
        for r in rows(facts, kind)
    ]
    tables.put("told", "project t what word", sorted(told))
    supply = [
        (row[int(r["project"])], r["t_s"] - begin_s, round(10 * r["tonnes"]))
        for r in rows(facts, construction.SupplyArrived)
    ]
    tables.put("supply", "project t tonnes", sorted(supply))
    planned = [
        (row[int(r["project"])], r["t_s"] - begin_s, int(r["count"])) for r in rows(facts, construction.SupplyPlanned)
    ]
    tables.put("lorries", "project t count", sorted(planned))
    air = [
        (row[int(r["project"])], r["t_s"] - begin_s, round(r["dust_ug_m3"]), round(r["noise_db"]))
        for r in rows(facts, construction.SiteAirMeasured)
    ]
    tables.put("air", "project t dust noise", sorted(air))
    meta = {
        "tables": tables.meta, "kinds": list(KINDS), "libraries": list(LIBRARIES), "warnings": list(WARNINGS),
        "ends": list(ENDS), "told": list(TOLD), "words": names.texts,
    }  # fmt: skip
    return pack(meta, tables.streams)


def _warnings(facts: Facts, row: dict[int, int], word: Word, begin_s: int) -> list[tuple[int, ...]]:
    """Return (project, from, until or −1, which, reason): until it was cleared, or the same was told anew."""
    open_: dict[tuple[int, str], list[int]] = {}
    out: list[list[int]] = []
    changes = [(r["t_s"], 1, r) for r in rows(facts, construction.ProjectWarned)]
    changes += [(r["t_s"], 0, r) for r in rows(facts, construction.ProjectWarningCleared)]
    for t_s, warned, r in sorted(changes, key=lambda c: c[:2]):
        key = (int(r["project"]), str(r["warning"]))
        before = open_.pop(key, None)
        if before is not None:
            before[2] = t_s - begin_s
        if warned:
            found = [row[key[0]], t_s - begin_s, -1, _code(key[1], WARNINGS), word(r["reason"])]
            out.append(found)
            open_[key] = found
    return sorted(tuple(f) for f in out)
