"""The junctions of a run as one container of the page: phases, delay and queue by approach, priority, channel, control.

A run without signals under control has none: the page is as it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import shapely

from geo.city import City
from twin.events import Fact, kinds, v2x
from twin.events import junctions as signals
from twin.log import Facts
from viz.fleet import Tables
from viz.geometry import Frame, Names
from viz.pack import pack

GRADES = ("L0", "L1", "L2", "L3")
ANSWERS = ("asked", "granted")
RUN_BY = ("plan", "central", "lost")

#: switches of the page for these layers: id → (layers it shows, on at first)
SWITCHES: dict[str, tuple[tuple[str, ...], bool]] = {
    "junction_states": (("junction_states",), True),
    "junction_delay": (("junction_delay",), False),
    "junction_queue": (("junction_queue",), True),
    "junction_priority": (("junction_priority",), True),
    "junction_coverage": (("junction_coverage",), False),
}
#: colours of phases in their order; the page goes round
PHASE_COLOURS = [[96, 226, 140], [92, 170, 255], [255, 206, 92], [226, 120, 255], [255, 140, 110], [120, 230, 230]]
_FACTS = (
    signals.JunctionGraded, signals.PhasesShown, signals.ApproachDelayed, signals.PriorityAsked,
    signals.PriorityAnswered, signals.SignalsFellBack, signals.SignalsTaken, v2x.ChannelMeasured,
)  # fmt: skip
Ints = npt.NDArray[np.int64]


def facts_of(file: Path) -> Facts | None:
    """Return the facts of junctions alone, read at once from the log ``file``; None where nobody ran the signals.

    Logs from before there were junctions have not even the columns.
    """
    if "grade" not in pq.read_schema(file).names or Facts(path=file).table("JunctionGraded", ["t_s"]).num_rows == 0:
        return None
    names = [kind.__name__ for kind in _FACTS]
    columns = {f for name in names for f in kinds()[name].__dataclass_fields__}  # type: ignore[attr-defined]
    return Facts(table=pq.read_table(file, columns=["t_s", "fact", *sorted(columns)], filters=[("fact", "in", names)]))


def _columns(facts: Facts, kind: type[Fact], *names: str) -> list[Any]:
    table = facts.table(kind, ["t_s", *names])
    return [table[name].to_numpy(zero_copy_only=False) for name in ("t_s", *names)]


def container(facts: Facts, city: City, frame: Frame, begin_s: int) -> str:
    """Return the container text of the junctions; times are seconds from ``begin_s``."""
    tables, words = Tables(), Names()
    _, row, name, grade, x, y = _columns(facts, signals.JunctionGraded, "junction", "name", "grade", "x_m", "y_m")
    order = np.argsort(row)
    xy = np.column_stack([x[order], y[order]]).astype(np.float64) - np.asarray(city.net_offset)
    unit = frame.units(city, xy)
    drawn = _drawn_rows(city, [str(n) for n in name[order]], xy)
    marks = words.add([str(n) for n in name[order]])
    code = [GRADES.index(g) if g in GRADES else 0 for g in grade[order]]
    tables.put("junctions", "name grade signal x y", list(zip(marks, code, drawn, unit[:, 0], unit[:, 1], strict=True)))
    tables.put("greens", "junction t phase", _greens(facts, begin_s))
    tables.put("delays", "junction t road late passed queue", _delays(facts, begin_s))
    tables.put("priority", "t junction what vehicle", _priority(facts, begin_s))
    t, junction, stations, sent, heard, busy = _columns(
        facts, v2x.ChannelMeasured, "junction", "stations", "sent", "heard", "busy"
    )
    rows = zip(junction, t - begin_s, stations, sent, heard, np.rint(1000 * busy.astype(float)), strict=True)
    tables.put("channel", "junction t stations sent heard busy", sorted(tuple(int(v) for v in r) for r in rows))
    tables.put("runs", "junction t by", _runs(facts, begin_s))
    meta = {"tables": tables.meta, "grades": list(GRADES), "run_by": list(RUN_BY), "colours": PHASE_COLOURS}
    return pack({**meta, "words": words.texts}, tables.streams)


def _drawn_rows(city: City, names: list[str], xy: npt.NDArray[np.float64]) -> list[int]:
    """Return for each junction the signal on the page that stands for it: of its name, or the nearest (-1: none)."""
    table = city.junctions[city.junctions["signal"].to_numpy(bool)]
    at = {node: i for i, node in enumerate(table["node"].tolist())}
    points = shapely.get_coordinates(shapely.centroid(table.geometry.to_numpy())).reshape(-1, 2)
    out = []
    for name, (x, y) in zip(names, xy.tolist(), strict=True):
        row = at.get(name, -1)
        if row < 0 and len(points):
            row = int(np.argmin(np.hypot(points[:, 0] - x, points[:, 1] - y)))
        out.append(row)
    return out


def _greens(facts: Facts, begin_s: int) -> list[tuple[int, int, int]]:
    """Return (junction, second, phase) of every green that began, by junction and time."""
    t, junction, period, shown = _columns(facts, signals.PhasesShown, "junction", "period_s", "shown")
    out = []
    for at, j, length, line in zip(t.tolist(), junction.tolist(), period.tolist(), shown.tolist(), strict=True):
        for word in line.split():
            phase, _, second = word.partition("@")
            out.append((int(j), int(at - length) + int(second) - begin_s, int(phase)))
    return sorted(out)


def _delays(facts: Facts, begin_s: int) -> list[tuple[int, ...]]:
    """Return (junction, end of the period, road, seconds lost per vehicle × 10, vehicles, mean queue × 100).

    Vehicle-seconds lost per second are vehicles: the mean number that is held up, a vehicle at half its free speed as
    half a one (Little 1961, L = λW, with W the time lost).
    """
    t, junction, road, period, lost, passed = _columns(
        facts, signals.ApproachDelayed, "junction", "road", "period_s", "delay_veh_s", "passed_veh"
    )
    queue = np.rint(100 * lost.astype(float) / np.maximum(period.astype(float), 1.0))
    each = np.rint(10 * lost.astype(float) / np.maximum(passed.astype(float), 1.0))
    rows = zip(junction, t - begin_s, road, each, np.rint(passed.astype(float)), queue, strict=True)
    return sorted(tuple(int(v) for v in row) for row in rows)


def _priority(facts: Facts, begin_s: int) -> list[tuple[int, ...]]:
    asked = _columns(facts, signals.PriorityAsked, "junction", "vehicle")
    answered = _columns(facts, signals.PriorityAnswered, "junction", "vehicle", "answer")
    granted = answered[3] == "granted" if len(answered[3]) else np.zeros(0, dtype=bool)
    rows = [(t - begin_s, j, 0, v) for t, j, v in zip(*(c.tolist() for c in asked), strict=True)]
    rows += [(t - begin_s, j, 1, v) for t, j, v in zip(*(c[granted].tolist() for c in answered[:3]), strict=True)]
    return sorted((int(t), int(j), int(w), int(v)) for t, j, w, v in rows)


def _runs(facts: Facts, begin_s: int) -> list[tuple[int, ...]]:
    """Return (junction, second, index into RUN_BY) of every change of who runs a junction."""
    back = _columns(facts, signals.SignalsFellBack, "junction", "reason")
    taken = _columns(facts, signals.SignalsTaken, "junction")
    rows = [
        (j, t - begin_s, 2 if why == "link lost" else 0) for t, j, why in zip(*(c.tolist() for c in back), strict=True)
    ]
    rows += [(j, t - begin_s, 1) for t, j in zip(*(c.tolist() for c in taken), strict=True)]
    return sorted((int(j), int(t), int(by)) for j, t, by in rows)
