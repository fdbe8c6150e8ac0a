"""Pieces that sheets of comparisons and of runs share: numbers, lists of facts, what is not modelled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from viz.report_html import Child, Markup, join, tag

SYSTEMS = {
    "people": ("residents", "居民"),
    "bus": ("autonomous buses", "自动驾驶公交"),
    "delivery": ("delivery", "配送"),
    "sanitation": ("sanitation", "环卫"),
    "supervision": ("supervision of unmanned vehicles", "无人车监管"),
    "junctions": ("signal control and V2X", "信号控制与车路协同"),
    "city_brain": ("hazards and responders", "城市大脑与应急"),
    "community": ("residents' reports", "居民上报"),
    "services": ("service hall", "政务服务"),
    "companies": ("companies and policies", "企业与政策"),
    "construction": ("construction sites", "工程建设"),
}


def facts(rows: Iterable[tuple[str, Child]]) -> Markup:
    """Return a list of names and what is said of them."""
    return tag("dl", *(join([tag("dt", name), tag("dd", said)]) for name, said in rows), class_="facts")


def number(value: float | None, digits: int, sign: bool = False) -> str:
    """Return a number with thousands separated; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    return text.replace("-", "−")


def decimals(width: float | None) -> int:
    """Return the decimals of a number whose interval is so wide: two significant digits of the width."""
    if width is None or not (0 < width < math.inf):
        return 2
    return max(0, min(6, 1 - math.floor(math.log10(width))))


def ranges(seeds: Iterable[int]) -> str:
    """Return seeds as text: 1–20, 23."""
    out: list[list[int]] = []
    for s in sorted(seeds):
        if out and s == out[-1][1] + 1:
            out[-1][1] = s
        else:
            out.append([s, s])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in out)


def not_modelled(scenarios: Iterable[Mapping[str, Any]], schematic: bool, word: Mapping[str, str], lang: str) -> str:
    """Return what these scenarios leave out."""
    both = list(scenarios)
    off = [names[lang == "zh"] for key, names in SYSTEMS.items() if all(s.get(key) is None for s in both)]
    out = [word["schematic"]] if schematic else []
    out += [word["off"].format(names=("、" if lang == "zh" else ", ").join(off))] if off else []
    modes = {s.get("traffic", {}).get("mode") for s in both}
    out += [word[m] for m in ("meso", "free-flow") if m in modes]
    if any(s.get("people") is not None for s in both):
        out.append(word["walkers"])
    return ("；" if lang == "zh" else "; ").join(out)


def calibrated(scenario: Mapping[str, Any], word: Mapping[str, str]) -> str:
    """Return what a scenario says it was calibrated to."""
    said = scenario.get("calibration")
    return str(said) if said else word["not_calibrated"]
