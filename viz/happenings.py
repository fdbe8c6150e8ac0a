"""What happened to the city as a whole: closures, limits, weather, demand, events – ticks on the time line.

Each happening has a beginning and, once it is over, an end; the page shows what holds at its present moment, so
dragging back makes things un-happen.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.log import Facts

_SLACK_S = 120
_MOST = 2000  # more than this no time line can show


def happenings(facts: Facts, end_s: int) -> list[dict[str, Any]]:
    """Return happenings by their beginning: kind, t0, t1 (None: never ended), roads, place, cause, value."""
    out = [
        *_pairs(facts, "RoadClosed", "RoadReopened", "closed", ("road",)),
        *_pairs(facts, "LaneClosed", "LaneReopened", "lane_closed", ("road", "lane")),
        *_limits(facts),
        *_weather(facts),
        *_once(facts, "DemandChanged", "demand"),
        *_once(facts, "EventHeld", "event"),
        *_once(facts, "AdviceFollowed", "advice"),
    ]
    out.sort(key=lambda h: (h["t0"], h["kind"], str(h.get("cause", "")), h["roads"]))
    return [{k: v for k, v in h.items() if v not in (None, "", [])} for h in _merge(out)[:_MOST] if h["t0"] <= end_s]


def _rows(facts: Facts, fact: str) -> list[dict[str, Any]]:
    return list(facts.table(fact).to_pylist())


def _item(kind: str, t0: int, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "t0": int(t0), "t1": None, "roads": [], "cause": "", **more}


def _pairs(facts: Facts, begin: str, end: str, kind: str, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    ends: dict[Any, list[int]] = {}
    for row in _rows(facts, end):
        ends.setdefault(tuple(row[k] for k in keys), []).append(int(row["t_s"]))
    out = []
    for row in _rows(facts, begin):
        later = [t for t in ends.get(tuple(row[k] for k in keys), []) if t >= row["t_s"]]
        out.append(_item(kind, row["t_s"], t1=min(later, default=None), roads=[int(row["road"])], cause=row["cause"]))
    return out


def _limits(facts: Facts) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    last: dict[int, dict[str, Any]] = {}
    for row in _rows(facts, "SpeedLimitSet"):
        road, t = int(row["road"]), int(row["t_s"])
        if road in last:
            last.pop(road)["t1"] = t
        if row["speed_m_s"] >= 0:
            limit = float(np.round(row["speed_m_s"] * 3.6, 1))
            last[road] = _item("speed_limit", t, roads=[road], cause=row["cause"], value=limit)
            out.append(last[road])
    return out


def _weather(facts: Facts) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for row in _rows(facts, "WeatherChanged"):
        if out:
            out[-1]["t1"] = int(row["t_s"])
        out.append(_item("weather", row["t_s"], what=row["weather"], value=row["rain_mm_h"]))
    return [h for h in out if h["what"] != "clear"]


def _once(facts: Facts, fact: str, kind: str) -> list[dict[str, Any]]:
    out = []
    for row in _rows(facts, fact):
        if fact == "AdviceFollowed" and not row["people"]:
            continue  # said again to nobody
        item = _item(kind, row["t_s"], cause=row.get("cause") or "", what=row.get("kind") or "")
        if row.get("road") is not None and fact == "AdviceFollowed":
            item["roads"] = [int(row["road"])]
            item["value"] = row["followed"]
        if fact == "EventHeld":
            item |= {"place": row["place"], "value": row["people"]}
        if fact == "DemandChanged":
            item["value"] = row["factor"]
        out.append(item)
    return out


def _merge(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make one happening of the same thing on several roads (a long road is many; a controller speaks road by road)."""
    out: list[dict[str, Any]] = []
    last: dict[Any, dict[str, Any]] = {}
    for item in items:
        limit = item["value"] if item["kind"] == "speed_limit" else None
        key = (item["kind"], item["cause"], item.get("what"), item.get("place"), limit)
        before = last.get(key)
        if before is None or not item["roads"] or not _together(before, item):
            last[key] = item
            out.append(item)
            continue
        before["roads"].extend(r for r in item["roads"] if r not in before["roads"])
        if item["t1"] is not None:
            before["t1"] = max(before["t1"], item["t1"])
        if item["kind"] == "advice":
            before["value"] += item["value"]
    return out


def _together(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two happenings began, and ended, at about the same time; closures must agree to the second."""
    slack = 0 if b["kind"] in ("closed", "lane_closed") else _SLACK_S
    if b["t0"] - a["t0"] > slack or (a["t1"] is None) != (b["t1"] is None):
        return False
    return a["t1"] is None or abs(a["t1"] - b["t1"]) <= 4 * slack
