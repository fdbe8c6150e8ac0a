"""The community platform of a run as one container of the page: reports, points, grades of communities, early orders.

Reports 随手拍 with every answer, those that repeat others or are about nothing, the ledger of neighbour points 邻里积分
by community, what a community is equipped with (基础型、成长型、标杆型), and work orders before a complaint 未诉先办.
A run without the platform has none of this: the page is as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import shapely

from geo.city import City
from twin.domain.city_brain import THEMES
from twin.domain.community import ANSWERS, CHANNELS, EARLY_WHYS, POINT_RULES
from twin.events import Fact, city_brain, community, incidents, kinds
from twin.log import Facts
from viz.fleet import Tables
from viz.geometry import Frame, Names
from viz.pack import pack

SWITCHES: dict[str, tuple[tuple[str, ...], bool]] = {
    "community_reports": (("community_reports",), True),
    "community_orders": (("community_orders",), True),
    "community_grades": (("community_grades",), True),
}
GRADES = ("basic", "growing", "benchmark")
#: state of a report → (shape, colour); its source is the glyph inside, an edge in red: about nothing
REPORT_STATES: dict[str, tuple[str, list[int]]] = {
    "waiting": ("triangle", [255, 214, 92]), "accepted": ("square", [96, 176, 255]),
    "duplicate": ("round", [188, 156, 255]), "fixed": ("circle", [96, 214, 150]),
    "rejected": ("octagon", [168, 174, 186]),
}  # fmt: skip
ORDER_STATES: dict[str, tuple[str, list[int]]] = {
    "open": ("diamond", [92, 236, 224]), "found": ("hexagon", [96, 214, 150]), "useless": ("hollow", [255, 120, 110]),
}  # fmt: skip
GRADE_COLOURS = [[150, 162, 186], [255, 196, 90], [255, 120, 170]]
#: answer → state of a report
STATE_OF = {
    "accepted": "accepted", "duplicate": "duplicate", "rejected": "rejected", "said to be fixed": "fixed",
    "gone": "fixed", "not found": "rejected", "open again": "accepted",
}  # fmt: skip
_FACTS = (
    community.ResidentsRegistered, community.SceneInstalled, community.ReportMade, community.ReportReviewed,
    community.ReportAnswered, community.PointsBooked, community.ReporterLooked, community.EarlyOrderOpened,
    community.EarlyOrderEnded, city_brain.HazardBegan, incidents.IncidentCreated,
    incidents.IncidentMerged,
)  # fmt: skip
Word = Callable[[Any], int]
Units = Callable[[Any, Any], npt.NDArray[np.int64]]
Row = dict[str, Any]


def look() -> dict[str, Any]:
    """Return what badges look like, for the page."""
    return {"reports": REPORT_STATES, "orders": ORDER_STATES, "grades": GRADE_COLOURS}


def facts_of(file: Path) -> Facts | None:
    """Return the facts of the platform alone, read at once from the log ``file``; None for a run without it."""
    if "order_ref" not in pq.read_schema(file).names:
        return None
    if Facts(path=file).table("ResidentsRegistered", ["t_s"]).num_rows == 0:
        return None
    there = set(pq.read_schema(file).names)
    columns = {f for kind in _FACTS for f in kinds()[kind.__name__].__dataclass_fields__} & there  # type: ignore[attr-defined]
    names = [kind.__name__ for kind in _FACTS]
    return Facts(table=pq.read_table(file, columns=["t_s", "fact", *sorted(columns)], filters=[("fact", "in", names)]))


def container(facts: Facts, city: City, frame: Frame, begin_s: int) -> str:
    """Return the container text of the platform; times are seconds from ``begin_s``, −1 for never."""
    tables, names = Tables(), Names()

    def word(text: Any) -> int:
        return int(names.add([text])[0])

    def units(x_m: Any, y_m: Any) -> npt.NDArray[np.int64]:
        xy = np.column_stack([np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)])
        return frame.units(city, xy) if len(xy) else np.zeros((0, 2), dtype=np.int64)

    def rows(kind: type[Fact]) -> list[Row]:
        return list(facts.table(kind).to_pylist())

    hazard = {int(h): i for i, h in enumerate(facts.table("HazardBegan", ["hazard"])["hazard"].to_pylist())}
    told = (*rows(incidents.IncidentMerged), *rows(incidents.IncidentCreated))
    created = {str(r["ref"]): str(r["incident"]) for r in told}
    at = _communities(tables, rows(community.SceneInstalled), city, word, units)
    number = _reports(tables, rows, hazard, created, city, word, units, begin_s)
    _ledger(tables, rows(community.PointsBooked), number, at, begin_s)
    _orders(tables, rows, hazard, created, city, word, units, begin_s)
    accounts = int(facts.table(community.ResidentsRegistered, ["accounts"])["accounts"].to_pylist()[0])
    meta = {
        "tables": tables.meta, "themes": list(THEMES), "theme_names": {k: list(v) for k, v in THEMES.items()},
        "sources": list(CHANNELS), "answers": list(ANSWERS), "states": list(REPORT_STATES), "state_of": STATE_OF,
        "grades": list(GRADES), "rules": list(POINT_RULES), "whys": list(EARLY_WHYS), "accounts": accounts,
        "words": names.texts,
    }  # fmt: skip
    return pack(meta, tables.streams)


def code(value: Any, allowed: tuple[str, ...]) -> int:
    """Return the place of a word in a list, 0 where it is not in it."""
    return allowed.index(value) if value in allowed else 0


def _communities(tables: Tables, scenes: list[Row], city: City, word: Word, units: Units) -> dict[str, int]:
    """Put communities with their grade (−1: not told) and scenes; return id → row."""
    c = city.communities
    at = {str(name): i for i, name in enumerate(c["community"].tolist())}
    grade = {str(r["community"]): code(r["grade"], GRADES) for r in scenes}
    middle = c.geometry.centroid
    spot = units(middle.x, middle.y).tolist()
    columns = (c["name"].tolist(), c["name_en"].tolist(), c["residents"].tolist())
    tables.put(
        "communities",
        "name name_en residents grade x y",
        [
            (word(name), word(name_en or ""), int(residents), grade.get(of, -1), x, y)
            for of, name, name_en, residents, (x, y) in zip(at, *columns, spot, strict=True)
        ],
    )
    out = [
        (at[str(r["community"])], word(r["scene"]), int(r["devices"]), word(r["cause"]))
        for r in scenes
        if str(r["community"]) in at
    ]
    tables.put("scenes", "community scene devices cause", sorted(out))
    return at


def _inside(city: City, found: list[Row]) -> list[int]:
    """Return the row of the community that each place lies in, −1: in none."""
    out = np.full(len(found), -1, dtype=np.int64)
    if found and len(city.communities):
        tree = shapely.STRtree(city.communities.geometry.to_numpy())
        points = shapely.points([r["x_m"] for r in found], [r["y_m"] for r in found])
        who, where = tree.query(points, predicate="within")
        out[who[::-1]] = where[::-1]
    return [int(v) for v in out]


def _reports(
    tables: Tables,
    rows: Callable[[type[Fact]], list[Row]],
    hazard: dict[int, int],
    created: dict[str, str],
    city: City,
    word: Word,
    units: Units,
    begin_s: int,
) -> dict[str, int]:
    """Put reports and what was said of them; return name → row."""
    made = rows(community.ReportMade)
    number = {str(r["report"]): i for i, r in enumerate(made)}
    themes, where = tuple(THEMES), _inside(city, made)
    spot = units([r["x_m"] for r in made], [r["y_m"] for r in made]).tolist()
    tables.put(
        "reports",
        "name source theme x y t account hazard nothing off community incident",
        [
            (
                word(r["report"]), code(r["source"], CHANNELS), code(r["theme"], themes), x, y, r["t_s"] - begin_s,
                int(r["account"]), hazard.get(int(r["hazard"]), -1), int(r["hazard"] < 0), round(r["error_m"]), c,
                word(created.get(str(r["report"]), "")),
            )
            for r, (x, y), c in zip(made, spot, where, strict=True)
        ],
    )  # fmt: skip
    answered: list[tuple[int, int, int, int]] = [
        (
            number[str(r["report"])], r["t_s"] - begin_s, code(r["answer"], ANSWERS),
            number.get(str(r["original"]), -1),
        )
        for r in rows(community.ReportAnswered)
        if str(r["report"]) in number
    ]  # fmt: skip
    tables.put("answers", "report t answer original", sorted(answered, key=lambda a: (a[0], a[1])))
    told = [
        (number[str(r["report"])], r["t_s"] - begin_s, 0, word(r["answer"]))
        for r in rows(community.ReportReviewed)
        if str(r["report"]) in number
    ]
    told += [
        (number[str(r["report"])], r["t_s"] - begin_s, 1, word("fixed" if r["solved"] else "not fixed"))
        for r in rows(community.ReporterLooked)
        if str(r["report"]) in number
    ]
    tables.put("told", "report t what word", sorted(told))
    return number


def _ledger(tables: Tables, booked: list[Row], number: dict[str, int], at: dict[str, int], begin_s: int) -> None:
    """Put the entries of the ledger, by community of the resident (−1: outside)."""
    entries: list[tuple[int, ...]] = [
        (
            at.get(str(r.get("community") or ""), -1), r["t_s"] - begin_s, int(r["points"]),
            code(r["point_rule"], POINT_RULES), int(r["account"]), number.get(str(r["ref"]), -1),
        )
        for r in booked
    ]  # fmt: skip
    tables.put("booked", "community t points rule account report", sorted(entries, key=lambda e: (e[0], e[1])))


def _orders(
    tables: Tables,
    rows: Callable[[type[Fact]], list[Row]],
    hazard: dict[int, int],
    created: dict[str, str],
    city: City,
    word: Word,
    units: Units,
    begin_s: int,
) -> None:
    """Put early orders and their outcome."""
    opened = rows(community.EarlyOrderOpened)
    ended = {str(r["order_ref"]): r for r in rows(community.EarlyOrderEnded)}
    themes, where = tuple(THEMES), _inside(city, opened)
    spot = units([r["x_m"] for r in opened], [r["y_m"] for r in opened]).tolist()
    out = []
    for r, (x, y), c in zip(opened, spot, where, strict=True):
        end = ended.get(str(r["order_ref"]))
        out.append(
            (
                word(r["order_ref"]), code(r["theme"], themes), code(r.get("why"), EARLY_WHYS), x, y,
                r["t_s"] - begin_s, round(1000 * r["chance"]), int(r["signals"]), hazard.get(int(r["hazard"]), -1),
                int(bool(r.get("redundant"))), end["t_s"] - begin_s if end else -1,
                word(end["outcome"] if end else ""), c, word(created.get(str(r["order_ref"]), "")),
            )
        )  # fmt: skip
    tables.put("orders", "name theme why x y t chance signals hazard redundant end outcome community incident", out)
