"""Cases as OCEL 2.0 (object-centric event log, JSON): cases, matters, items, officers, offices and how they meet.

After "OCEL (Object-Centric Event Log) 2.0 Specification" (Berti et al., 2024), the JSON exchange format.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from scenarios.exports.case_log import CaseEvent, CaseLog, midnight_of, read
from twin.log import Facts

_TYPES = {str: "string", int: "integer", float: "float", bool: "boolean"}
TYPES = ("string", "time", "integer", "float", "boolean")
_CASE = {"handed_in": "integer", "reused": "integer", "items": "integer", "item_version": "integer"}


def export(folder: Path, date: str | None = None) -> dict[str, Any]:
    """Return the document of a run folder. ScenarioError: there are no cases."""
    return document(read(Facts.read(folder), midnight_of(folder, date)))


def document(log: CaseLog) -> dict[str, Any]:
    """Return the OCEL 2.0 document of cases."""
    objects: dict[str, dict[str, Any]] = {}

    def add(kind: str, name: Any, **attributes: Any) -> str:
        number = f"{kind}-{name}"
        if number not in objects:
            objects[number] = {
                "id": number,
                "type": kind,
                "attributes": [
                    {"name": k, "time": "1970-01-01T00:00:00Z", "value": str(v)} for k, v in attributes.items()
                ],
                "relationships": [],
            }
        return number

    links: dict[int, list[tuple[str, str]]] = {}
    for case, about in log.cases.items():
        own = add("case", case, **{k: about[k] for k in _CASE})
        links[case] = [
            (own, "case"),
            (add("matter", about["matter_no"]), "matter"),
            (add("item", about["item"]), "first item"),
            (add("office", about["office"]), "filed at"),
        ]
        objects[own]["relationships"] = [{"objectId": o, "qualifier": q} for o, q in links[case][1:]]
    events: list[dict[str, Any]] = []
    kinds: dict[str, dict[str, str]] = {}
    for event in log.events:
        kind = _kind(event)
        attributes = dict(event.details)
        kinds.setdefault(kind, {}).update({k: _TYPES[type(v)] for k, v in attributes.items()})
        related = list(links[event.case]) if event.activity == "apply" else [links[event.case][0]]
        if event.officer >= 0:
            related.append((add("officer", event.officer), "done by"))
        events.append(
            {
                "id": f"event-{event.order}",
                "type": kind,
                "time": log.time(event.t_s),
                "attributes": [{"name": k, "value": _text(v)} for k, v in attributes.items()],
                "relationships": [{"objectId": o, "qualifier": q} for o, q in related],
            }
        )
    return {
        "objectTypes": [
            {"name": "case", "attributes": [{"name": k, "type": t} for k, t in _CASE.items()]},
            *({"name": n, "attributes": []} for n in ("matter", "item", "office", "officer")),
        ],
        "eventTypes": [
            {"name": n, "attributes": [{"name": k, "type": t} for k, t in sorted(a.items())]}
            for n, a in sorted(kinds.items())
        ],
        "objects": [objects[o] for o in sorted(objects)],
        "events": sorted(events, key=lambda e: (e["time"], int(e["id"][6:]))),
    }


def _kind(event: CaseEvent) -> str:
    return f"begin {event.activity}" if event.lifecycle == "start" else event.activity


def _text(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)


def write(found: dict[str, Any], file: Path) -> Path:
    """Write the document; OSError where that cannot be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    return file


def problems(found: Any, most: int = 20) -> list[str]:
    """Return what is not as OCEL 2.0 wants it, at most ``most`` sentences; nothing if all is well."""
    if not isinstance(found, dict) or set(found) != {"objectTypes", "eventTypes", "objects", "events"}:
        return ["the document must have objectTypes, eventTypes, objects and events, and nothing else"]
    out: list[str] = []
    declared: dict[str, dict[str, dict[str, str]]] = {}
    for part in ("objectTypes", "eventTypes"):
        declared[part] = {}
        for kind in found[part]:
            declared[part][kind["name"]] = {a["name"]: a["type"] for a in kind["attributes"]}
            wrong = [a["type"] for a in kind["attributes"] if a["type"] not in TYPES]
            out += [f"{part}: {kind['name']} has an attribute of type {t!r}" for t in wrong]
    known = {o["id"] for o in found["objects"]}
    if len(known) < len(found["objects"]):
        out.append("two objects have one id")
    if len({e["id"] for e in found["events"]}) < len(found["events"]):
        out.append("two events have one id")
    for part, kinds in (("objects", "objectTypes"), ("events", "eventTypes")):
        for row in found[part]:
            out += _row_problems(row, part, declared[kinds], known)
            if len(out) >= most:
                return out[:most]
    return out[:most]


def _row_problems(row: dict[str, Any], part: str, kinds: dict[str, dict[str, str]], known: set[str]) -> list[str]:
    where = f"{part[:-1]} {row.get('id')!r}"
    if row.get("type") not in kinds:
        return [f"{where} is of the type {row.get('type')!r}, which is not declared"]
    out = []
    for a in row.get("attributes", []):
        if a["name"] not in kinds[row["type"]]:
            out.append(f"{where} has the attribute {a['name']!r}, which its type does not declare")
        if part == "objects" and not _is_time(a.get("time")):
            out.append(f"{where}: its attribute {a['name']!r} has no time")
    if part == "events" and not _is_time(row.get("time")):
        out.append(f"{where} has no time")
    if part == "events" and not row.get("relationships"):
        out.append(f"{where} belongs to no object")
    return out + [
        f"{where} refers to {r.get('objectId')!r}, which is not there, or without a qualifier"
        for r in row.get("relationships", [])
        if r.get("objectId") not in known or not isinstance(r.get("qualifier"), str)
    ]


def _is_time(text: Any) -> bool:
    try:
        return dt.datetime.fromisoformat(str(text).replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False
