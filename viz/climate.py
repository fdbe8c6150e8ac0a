"""The business climate on the page: monitoring points, and each finding with its state in find → assign → rectify.

F49. A finding is a matter of the climate desk; what was found but assigned to nobody yet is one without a name. States
follow from marks: found, assigned, escalated, looked at again (still there, or gone), closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from geo.city import City
from twin.events import companies
from twin.log import Facts
from viz.fleet import Tables
from viz.geometry import Frame

SWITCHES: dict[str, tuple[tuple[str, ...], bool]] = {"climate": (("climate",), True)}
#: what a mark says; the page counts on this order
MARKS = ("found", "assigned", "escalated", "still_there", "gone", "closed")
#: shape and colour of a badge by state: a monitoring point, found, assigned, past its limit, under check, closed
BADGES = (
    ("point", "round", [150, 190, 240]), ("found", "diamond", [255, 214, 120]), ("assigned", "square", [255, 176, 72]),
    ("late", "triangle", [255, 92, 92]), ("checked", "hexagon", [180, 170, 255]), ("closed", "round", [96, 214, 150]),
)  # fmt: skip
Word = Callable[[Any], int]


def put(tables: Tables, facts: Facts, city: City, frame: Frame, word: Word, begin_s: int) -> None:
    """Write the tables ``points``, ``findings`` and ``marks``; times are seconds from ``begin_s``."""
    where = _Where(city, frame)
    points = sorted({(str(r["who"]), str(r["place"])) for r in _rows(facts, companies.ClimatePointSet)})
    points.sort(key=lambda p: (len(p[0]), p[0]))
    tables.put("points", "name place x y", [(word(name), *where(place)) for name, place in points])
    findings, marks = _findings(facts, begin_s)
    tables.put(
        "findings",
        "name issue place x y",
        [(word(name), word(issue), *where(place)) for name, issue, place in findings],
    )
    tables.put(
        "marks",
        "finding t what word due real",
        [(k, t, what, word(said), due, real) for k, t, what, said, due, real in marks],
    )


class _Where:
    """Row of a place in the city (−1 for another area) and its position in units of the page."""

    def __init__(self, city: City, frame: Frame) -> None:
        self._row = {str(p): i for i, p in enumerate(city.places["place"].tolist())}
        xy = np.column_stack([city.places.geometry.centroid.x, city.places.geometry.centroid.y])
        self._unit = frame.units(city, xy).tolist() if len(xy) else []
        areas = city.communities
        middle = areas.geometry.representative_point()
        at = np.column_stack([middle.x, middle.y])
        unit = frame.units(city, at).tolist() if len(at) else []
        self._area = dict(zip(map(str, areas["community"].tolist()), unit, strict=True))

    def __call__(self, place: str) -> tuple[int, int, int]:
        row = self._row.get(place, -1)
        x, y = self._unit[row] if row >= 0 else self._area.get(place, (0, 0))
        return row, int(x), int(y)


Mark = tuple[int, int, int, str, int, int]  # finding, t, what, words, due (−1: none), real (0, 1; −1 not known)


def _findings(facts: Facts, begin_s: int) -> tuple[list[tuple[str, str, str]], list[Mark]]:
    """Return the findings (name, issue, place) and their marks, in the order of findings and time."""
    marks: list[Mark] = []
    number: dict[str, int] = {}
    findings: list[tuple[str, str, str]] = []

    def of(name: str) -> int:
        if name not in number:
            number[name] = len(findings)
            issue, _, rest = name.partition("/")
            findings.append((name, issue, rest.rpartition("#")[0]))
        return number[name]

    begun: dict[tuple[str, str], list[tuple[int, int]]] = {}  # (issue, place) → (assigned at, finding)
    for r in _rows(facts, companies.ClimateAssigned):
        k = of(str(r["finding"]))
        t = int(r["t_s"]) - begin_s
        if not any(m[0] == k for m in marks):
            begun.setdefault(findings[k][1:], []).append((t, k))
        marks.append((k, t, MARKS.index("assigned"), str(r["who"]), int(r["due_s"]) - begin_s, -1))
    marks += [
        (of(str(r["finding"])), int(r["t_s"]) - begin_s, MARKS.index("escalated"), str(r["to"]), -1, -1)
        for r in _rows(facts, companies.ClimateEscalated)
    ]
    for r in _rows(facts, companies.ClimateChecked):
        what = MARKS.index("gone" if r["accepted"] else "still_there")
        marks.append((of(str(r["finding"])), int(r["t_s"]) - begin_s, what, "", -1, -1))
    closed: dict[int, int] = {}
    for r in _rows(facts, companies.ClimateClosed):
        k, t = of(str(r["finding"])), int(r["t_s"]) - begin_s
        closed[k] = t
        marks.append((k, t, MARKS.index("closed"), str(r["outcome"]), -1, int(bool(r["real"]))))
    for r in _rows(facts, companies.ClimateIssueFound):
        t, where = int(r["t_s"]) - begin_s, (str(r["what"]), str(r["place"]))
        # the matter it belongs to: the last that was assigned and still open, else the next one, else one of its own
        runs = begun.get(where, [])
        mine = [k for at, k in runs if at <= t <= closed.get(k, 1 << 40)] or [k for at, k in runs if at > t][:1]
        k = mine[-1] if mine else of("/".join(where))
        marks.append((k, t, MARKS.index("found"), str(r["who"]), -1, int(bool(r["real"]))))
    return findings, sorted(marks)


def _rows(facts: Facts, kind: type[Any]) -> list[dict[str, Any]]:
    return list(facts.table(kind).to_pylist())
