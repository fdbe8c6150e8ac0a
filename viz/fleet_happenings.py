"""What happened to the fleets: breakdowns, lost links, halts, take-overs, shut depots, permits, violations.

Violations come twice: in truth, and as the supervision platform found them (with its case).
"""

from __future__ import annotations

from typing import Any

from twin.domain.ids import unit_label
from twin.log import Facts
from viz.text_fleets import said
from viz.units import rows

#: kind → (fact that begins it, facts that end it, fields that must agree, field with the cause)
_LASTING: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], str]] = {
    "broken": ("UnitBroke", ("UnitRepaired",), ("unit",), "cause"),
    "link": ("LinkLost", ("LinkRestored",), ("unit",), "cause"),
    "halt": ("UnitHalted", ("UnitResumed", "UnitBroke"), ("unit",), "cause"),
    "takeover": ("TakeOverBegan", ("TakeOverEnded",), ("unit",), "cause"),
    "violation": ("ViolationBegan", ("ViolationEnded",), ("unit", "violation"), "cause"),
    "found": ("ViolationFound", ("CaseClosed",), ("unit", "case"), ""),
    "depot": ("DepotShut", ("DepotOpened",), ("place",), "cause"),
    "permit": ("PermitEnded", ("PermitGranted",), ("permit",), "reason"),
}
#: violations that are over at once
MOMENTS = ("red light", "harsh braking")
_MOMENT_S = 120  # how long a moment is shown
#: more than this no time line can show; the first to go are those of the kinds told last
MOST = 10_000
_RANK = ("depot", "charger", "permit", "broken", "violation", "found", "takeover", "link", "halt")


def fleet_happenings(facts: Facts, end_s: int, lang: str) -> list[dict[str, Any]]:
    """Return happenings by their beginning, like :func:`viz.happenings.happenings`; ``unit`` is a unit's name."""
    ends: dict[str, dict[tuple[Any, ...], list[int]]] = {}
    out = []
    for kind, (begin, closers, keys, cause) in _LASTING.items():
        over = ends.setdefault(kind, {})
        for fact in closers:
            for r in rows(facts, fact):
                over.setdefault(tuple(r[k] for k in keys), []).append(int(r["t_s"]))
        for times in over.values():
            times.sort()
        for r in rows(facts, begin):
            t = int(r["t_s"])
            # what ended in the second in which it began was another of its kind, unless it lasted no time at all
            moment = kind == "violation" and r["violation"] in MOMENTS
            over_s = min((x for x in over.get(tuple(r[k] for k in keys), ()) if x > t), default=None)
            item = _item(kind, r, said(str(r[cause]), lang) if cause else "", lang)
            item["t1"] = t + _MOMENT_S if moment else over_s
            out.append(item)
    out += _chargers(facts, lang)
    out = sorted((h for h in out if h["t0"] <= end_s), key=lambda h: (_RANK.index(h["kind"]), h["t0"]))[:MOST]
    out.sort(key=lambda h: (h["t0"], h["kind"], h["unit"], h["place"]))
    return [{k: v for k, v in h.items() if v not in (None, "", [])} for h in out]


def _item(kind: str, r: dict[str, Any], cause: str, lang: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "t0": int(r["t_s"]),
        "t1": None,
        "cause": cause,
        "unit": unit_label(int(r["unit"])) if "unit" in r else "",
        "place": r.get("place") or "",
        "what": said(str(r.get("violation") or ""), lang) or str(r.get("permit") or ""),
        "case": str(r.get("case") or ""),
        "since": int(r["since_s"]) if "since_s" in r else None,
    }


def _chargers(facts: Facts, lang: str) -> list[dict[str, Any]]:
    """Chargers of a place that fail, until the next time their number changes."""
    last: dict[str, dict[str, Any]] = {}
    out = []
    for r in rows(facts, "ChargerFailed"):
        before = last.pop(r["place"], None)
        if before is not None:
            before["t1"] = int(r["t_s"])
        if before is not None and int(r["chargers"]) >= before["value"]:
            continue  # repaired
        last[r["place"]] = _item("charger", r, said(str(r["cause"]), lang), lang) | {"value": int(r["chargers"])}
        out.append(last[r["place"]])
    return out
