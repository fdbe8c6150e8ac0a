"""Bus stops and lines that netconvert found in an OpenStreetMap extract."""

from __future__ import annotations

import itertools
from pathlib import Path

from geo.build import Stops, line_table
from geo.net_tables import NetTables
from geo.read_xml import read_xml
from geo.sumo_add import Additional, read_additional, stop_table

#: the files that netconvert writes
STOPS, LINES = "stops.add.xml", "lines.xml"
#: OpenStreetMap has no timetable: from, to, headway by day and in the peak, s
_TIMETABLE_S = (6 * 3600, 22 * 3600, 1800, 1200)


def read_stops(folder: Path, tables: NetTables) -> tuple[Stops, tuple[str, ...]]:
    """Return the stops and lines in netconvert's files, and notes on what is assumed."""
    additional = Additional()
    if "<busStop" in (folder / STOPS).read_text(encoding="utf-8"):
        additional = read_additional([folder / STOPS], tables)
    variants = _variants(folder / LINES, additional) if (folder / LINES).is_file() else {}
    rows = []
    for line in sorted(variants):
        there, back = _both_ways(variants[line], additional)
        for direction, stops in enumerate((there, back)):
            if stops:
                places = [f"stop-{s}" for s in stops]
                rows.append((line, f"Bus {line}", direction, places, *_TIMETABLE_S))
    lines = line_table(rows)
    notes = ("the timetable of the bus lines is assumed: 06:00-22:00, every 30 min, in the peak 20",) if rows else ()
    return Stops(stop_table(additional), lines), notes


def _variants(file: Path, additional: Additional) -> dict[str, list[list[str]]]:
    """Return, by line, the rows of stops that its buses serve; only stops that are on the map."""
    out: dict[str, list[list[str]]] = {}
    stops: list[str] = []

    def start(tag: str, a: dict[str, str]) -> None:
        nonlocal stops
        if tag == "ptLine":
            stops = []
            if a.get("vClass") == "bus":
                out.setdefault(a.get("line") or a["id"], []).append(stops)
        elif tag == "busStop" and a["id"] in additional.stops and (not stops or stops[-1] != a["id"]):
            stops.append(a["id"])

    read_xml(file, None, start)
    kept = {line: [v for v in rows if len(v) >= 2] for line, rows in out.items()}
    return {line: rows for line, rows in kept.items() if rows}


def _both_ways(variants: list[list[str]], additional: Additional) -> tuple[list[str], list[str]]:
    """Return the longest variant, and the one (or nothing) that serves most of its stops in the opposite order."""
    there = max(variants, key=lambda v: (len(v), v))
    place = {additional.stops[s][0]: k for k, s in enumerate(there)}

    def backwards(variant: list[str]) -> int:
        at = [place[n] for n in (additional.stops[s][0] for s in variant) if n in place]
        return sum(1 if b < a else -1 for a, b in itertools.pairwise(at))

    back = max(variants, key=lambda v: (backwards(v), len(v), v))
    return there, back if backwards(back) > 0 else []
