"""Fleets, and what happens to them, in sentences: part of :mod:`twin.scenario.words`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twin.scenario.interventions import Breakdown, ChargerFails, FleetIntervention, LostLink, PermitEnds
from twin.scenario.model import Scenario
from twin.scenario.parts import Part, clock_text
from twin.scenario.systems import SYSTEMS

_FLEETS = {
    "bus": ("autonomous buses", "无人驾驶公交"),
    "delivery": ("parcel delivery", "末端配送"),
    "sanitation": ("sanitation robots", "无人环卫车"),
    "supervision": ("safety supervision", "安全监管平台"),
    **SYSTEMS,
}
_UNITS = {"shuttle": "无人公交", "robot": "无人物流车", "sweeper": "无人环卫车", "courier": "快递员"}


def fleets(s: Scenario, lang: str) -> list[str]:
    """Return a sentence for every fleet that is on."""
    return [_fleet(name, part, lang) for name in _FLEETS if (part := getattr(s, name)) is not None]


def fleet_sentence(v: FleetIntervention, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:
    """Return what happens to a fleet, in English and Chinese."""
    if isinstance(v, Breakdown):
        at = clock_text(v.at)
        fit = "" if v.minutes is None else f" and is fit again after {v.minutes} min"
        fit_zh = "" if v.minutes is None else f"，{v.minutes}分钟后修复"
        return f"{first_up(v.unit)} breaks down at {at}{fit}.", f"{at}{_unit_zh(v.unit)}发生故障{fit_zh}。"
    if isinstance(v, LostLink):
        return f"{first_up(v.unit)} has no radio link {when}.", f"{when}{_unit_zh(v.unit)}通信中断。"
    if isinstance(v, PermitEnds):
        at = clock_text(v.at)
        return f"The permit {v.permit} is withdrawn at {at}.", f"{at}撤销许可{v.permit}。"
    place = name_of(v.place)
    if isinstance(v, ChargerFails):
        return (
            f"{v.left or 'None'} of the chargers at {place} work{'s' if v.left == 1 else ''} {when}.",
            f"{when}{place}仅有{v.left}个充电桩可用。",
        )
    return f"The depot {place} is closed {when}.", f"{when}{place}场站关闭。"


def _unit_zh(unit: str) -> str:
    fleet, _, number = unit.partition("-")
    return _UNITS.get(fleet, fleet) + (f"{number}号" if number else "")


def _fleet(name: str, part: Part, lang: str) -> str:
    """Return a fleet that is on in one sentence."""
    what = _FLEETS[name][lang == "zh"]
    if not hasattr(part, "policy"):
        return f"{what}投入运行。" if lang == "zh" else f"{first_up(what)}: on."
    units, policy = getattr(part, "units", None), plain("policy", part.policy)
    if getattr(part, "by", "") == "couriers":
        units = f"{part.trikes} + {part.vans}"  # type: ignore[attr-defined]
    if lang == "zh":
        return f"{what}投入运行" + (f"：{units}辆" if units is not None else "") + f"，策略{policy}。"
    return f"{first_up(what)}: " + (f"{units} vehicles, " if units is not None else "") + f"policy {policy}."


def fleet_changes(base: Scenario, variant: Scenario, lang: str) -> list[str]:
    """Return a sentence for everything that differs between the fleets of two scenarios."""
    zh = lang == "zh"
    out = []
    for name, words in _FLEETS.items():
        a, b = getattr(base, name), getattr(variant, name)
        what = words[zh]
        if a == b:
            continue
        if b is None:
            out.append(f"{what}停用。" if zh else f"No {what} any more.")
        elif a is None:
            out.append(_fleet(name, b, lang))
        else:
            for key in type(b).model_fields:
                old, new = getattr(a, key), getattr(b, key)
                if old != new:
                    old, new = plain(key, old), plain(key, new)
                    out.append(
                        f"{what}：{key}由{old}改为{new}。"
                        if zh
                        else f"{first_up(what)}: {key} is {new} instead of {old}."
                    )
    return out


def first_up(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def plain(name: str, value: Any) -> str:
    """Return the value of a key as it is written."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(str(v) for v in value)}]"
    if name in ("start", "end", "shift_start", "shift_end") and isinstance(value, int):
        return clock_text(value)
    if callable(value):
        return f"{value.__module__}:{value.__qualname__}"
    return str(value)
