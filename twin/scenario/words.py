"""Scenarios in sentences that a councillor can follow, in English and Chinese: ``describe`` and ``diff``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from twin.scenario.fleet_words import fleet_changes, fleet_sentence, fleets, plain
from twin.scenario.interventions import (
    CloseRoad,
    DemandChange,
    Event,
    Fault,
    Intervention,
    Obstacle,
    SpeedLimit,
    SystemIntervention,
    WeatherChange,
)
from twin.scenario.model import Scenario
from twin.scenario.parts import Part, clock_text

#: turns a name of the city into the language asked for
Translate = Callable[[str], str]

_WEATHER = {"clear": ("clear", "晴"), "rain": ("rain", "雨"), "fog": ("fog", "雾"), "snow": ("snow", "雪")}
_WHO = {
    "through": ("through traffic", "过境交通"),
    "freight": ("freight traffic", "货运交通"),
    "residents": ("trips of residents", "居民出行"),
}
_DAYS = {
    "monday": ("a Monday", "星期一"),
    "tuesday": ("a Tuesday", "星期二"),
    "wednesday": ("a Wednesday", "星期三"),
    "thursday": ("a Thursday", "星期四"),
    "friday": ("a Friday", "星期五"),
    "saturday": ("a Saturday", "星期六"),
    "sunday": ("a Sunday", "星期日"),
}
_MODES = {
    "meso": ("with queues (meso)", "中观（排队）"),
    "micro": ("car by car (micro)", "微观（逐车）"),
    "free-flow": ("without anybody in the way (free-flow)", "自由流（互不干扰）"),
}
_SYSTEMS = {"incident_traffic": ("Incident traffic control", "突发事件交通管控")}

#: key → sentence that says the variant's value (b) and the base's (a); every key that can differ is here
CHANGES: dict[str, tuple[str, str]] = {
    "city": ("The city is {b} instead of {a}.", "城市由{a}改为{b}。"),
    "weekday": ("The first day is {b} instead of {a}.", "首日由{a}改为{b}。"),
    "start": ("The run starts at {b} instead of {a}.", "开始时间由{a}改为{b}。"),
    "end": ("The run ends at {b} instead of {a}.", "结束时间由{a}改为{b}。"),
    "days": ("The run covers {b} days instead of {a}.", "模拟天数由{a}天改为{b}天。"),
    "people": ("{b} instead of {a}.", "{a}改为{b}。"),
    "people.residents": ("{b} residents live here instead of {a}.", "居民人数由{a}改为{b}。"),
    "people.companies": ("There are {b} companies instead of {a}.", "企业数量由{a}改为{b}。"),
    "people.share": ("{b} of the residents are simulated instead of {a}.", "模拟的居民比例由{a}改为{b}。"),
    "traffic.mode": ("Traffic is simulated {b} instead of {a}.", "交通模拟方式由{a}改为{b}。"),
    "traffic.time_to_teleport_s": (
        "Stuck vehicles are {b} instead of {a}.",
        "受阻车辆由{a}改为{b}。",
    ),
    "traffic.fcd_period_s": ("Positions of vehicles are {b} instead of {a}.", "车辆位置由{a}改为{b}。"),
    "traffic.route_refresh_s": (
        "Drivers learn new travel times every {b} s instead of every {a} s.",
        "行程时间更新间隔由{a}秒改为{b}秒。",
    ),
    "traffic.background": (
        "Through traffic and freight are {b} of the usual instead of {a}.",
        "过境与货运交通由平时的{a}改为{b}。",
    ),
    "traffic.given": ("{b}", "{b}"),
    "weather": ("The weather at the start is {b} instead of {a}.", "初始天气由{a}改为{b}。"),
    "zoom": ("{b}", "{b}"),
}


def describe(s: Scenario, lang: str = "en", name_of: Translate = str) -> list[str]:
    """Return what a scenario is, when and with whom, and what happens in it; one line each."""
    zh = lang == "zh"
    lines = [f"{s.name}: {(s.title_zh if zh else s.title) or s.name}"]
    question = (s.question_zh if zh else "") or s.question
    if question:
        lines.append(("问题：" if zh else "Question: ") + question)
    days = f", {s.days} days" if s.days > 1 else ""
    days_zh = f"，共{s.days}天" if s.days > 1 else ""
    when = f"{clock_text(s.start)}–{clock_text(s.end)}"
    lines.append(
        f"{_pick(_DAYS[s.weekday], lang)}，{when}{days_zh}；城市：{_city(s, lang)}。"
        if zh
        else f"{_first_up(_pick(_DAYS[s.weekday], lang))}, {when}{days}; city: {_city(s, lang)}."
    )
    lines.append(_value("people", s.people, lang) + ("。" if zh else "."))
    lines.append(
        (
            f"交通：{_pick(_MODES[s.traffic.mode], lang)}；天气："
            if zh
            else f"Traffic {_pick(_MODES[s.traffic.mode], lang)}; weather: "
        )
        + _sky(s.weather.kind, s.weather.rain_mm_h, lang)
        + ("。" if zh else ".")
    )
    if s.zoom is not None:
        lines.append(_zoom(s.zoom, lang, name_of))
    lines += fleets(s, lang)
    lines += [_control(name, lang) for name in _factories(s)]
    lines += [sentence(v, lang, name_of, s.days) for v in s.interventions]
    return lines


def difference(base: Scenario, variant: Scenario, lang: str = "en", name_of: Translate = str) -> list[str]:
    """Return a sentence for everything the variant changes, and nothing else; empty when nothing differs."""
    out = []
    for key, template in CHANGES.items():
        a, b = _get(base, key), _get(variant, key)
        if a == b or _said_above(base, variant, key):
            continue
        if key == "zoom":
            out.append(_zoom_changed(b, lang, name_of))
            continue
        text = _pick(template, lang).format(a=_value(key, a, lang), b=_value(key, b, lang))
        out.append(_first_up(text))
    out += fleet_changes(base, variant, lang)
    out += _control_changes(base, variant, lang)
    days = max(base.days, variant.days)
    before = Counter(sentence(v, lang, name_of, days) for v in base.interventions)
    after = Counter(sentence(v, lang, name_of, days) for v in variant.interventions)
    out += list((after - before).elements())
    gone = "取消：{}" if lang == "zh" else "No longer so: {}"
    out += [gone.format(text) for text in (before - after).elements()]
    return out


def sentence(v: Intervention, lang: str = "en", name_of: Translate = str, days: int = 1) -> str:
    """Return an intervention as one sentence, such as "Huanghe Avenue is closed from 07:15 to 08:30."."""
    when = _when(v, lang, days)
    if isinstance(v, CloseRoad):
        pair = _closure(v, _where(v, lang, name_of), when)
    elif isinstance(v, SpeedLimit):
        where, limit = _where(v, lang, name_of), f"{v.speed_km_h:g}"
        pair = (f"{where} has a limit of {limit} km/h {when}.", f"{when}{where}限速{limit}公里/小时。")
    elif isinstance(v, WeatherChange):
        sky = _sky(v.weather, v.rain_mm_h, lang)
        pair = (f"The weather is {sky} {when}.", f"{when}天气：{sky}。")
    elif isinstance(v, DemandChange):
        who, verb = _pick(_WHO[v.what], lang), "are" if v.what == "residents" else "is"
        pair = (
            f"{_first_up(who)} {verb} {v.factor:.0%} of the usual {when}.",
            f"{when}{who}为平时的{v.factor:.0%}。",
        )
    elif isinstance(v, Event):
        place = name_of(v.place)
        pair = (
            f"An event at {place} draws {v.people:,} people {when}.",
            f"{when}在{place}举办活动，吸引{v.people:,}人。",
        )
    elif isinstance(v, Obstacle):
        where = _where(v, lang, name_of)
        pair = (
            f"Something stands on lane {v.lane} (0 is the rightmost) of {_lower(where)} {when}.",
            f"{when}{where}的第{v.lane}车道有障碍物（0为最右侧）。",
        )
    elif isinstance(v, Fault):
        pair = v.sentence(when)
    elif isinstance(v, SystemIntervention):
        pair = v.sentence(when, name_of)
    else:
        pair = fleet_sentence(v, when, name_of)
    return _pick(pair, lang)


def _closure(v: CloseRoad, where: str, when: str) -> tuple[str, str]:
    if v.lanes == "all":
        return f"{where} is closed {when}.", f"{when}{where}封闭。"
    lanes, one = ", ".join(str(lane) for lane in v.lanes), len(v.lanes) == 1
    return (
        f"{'Lane' if one else 'Lanes'} {lanes} (0 is the rightmost) of {_lower(where)} "
        f"{'is' if one else 'are'} closed {when}.",
        f"{when}{where}的第{lanes}车道封闭（0为最右侧）。",
    )


def key_table(s: Scenario) -> list[str]:
    """Return every key with its value and what it is, as columns."""
    rows: list[tuple[str, str, str]] = []

    def walk(part: Part, prefix: str) -> None:
        for name, info in type(part).model_fields.items():
            value = getattr(part, name)
            if isinstance(value, Part) and name != "city":
                walk(value, f"{prefix}{name}.")
            elif not (
                prefix == "" and name in ("name", "title", "title_zh", "question", "question_zh", "interventions")
            ):
                rows.append((prefix + name, plain(name, value), info.description or ""))

    walk(s, "")
    width = [max(len(row[i]) for row in rows) for i in (0, 1)]
    return [f"{key:<{width[0]}}  {value:<{width[1]}}  {doc}" for key, value, doc in rows]


# -- pieces ------------------------------------------------------------------------------------------


def _pick(pair: tuple[str, str], lang: str) -> str:
    return pair[1] if lang == "zh" else pair[0]


def _city(s: Scenario, lang: str) -> str:
    if s.city.template is None:
        return str(s.city)
    return f"{s.city}（随附的示意区域）" if lang == "zh" else f"{s.city} (the shipped, schematic district)"


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text.startswith(("A ", "The ")) else text


def _get(s: Scenario, key: str) -> Any:
    value: Any = s
    for part in key.split("."):
        value = None if value is None else getattr(value, part)
    return value


def _said_above(base: Scenario, variant: Scenario, key: str) -> bool:
    """Say whether a difference is told by another key: people who come or go, or only the numbers in people."""
    nobody = base.people is None or variant.people is None
    return (key.startswith("people.") and nobody) or (key == "people" and not nobody)


def _value(key: str, value: Any, lang: str) -> str:
    """Return the value of a key in words."""
    in_words: dict[str, Callable[[Any, str], str]] = {
        "people": _people,
        "weekday": lambda v, lang: _pick(_DAYS[v], lang),
        "weather": lambda v, lang: _sky(v.kind, v.rain_mm_h, lang),
        "traffic.mode": lambda v, lang: _pick(_MODES[v], lang),
        "traffic.time_to_teleport_s": _moved_on,
        "traffic.fcd_period_s": _recorded,
        "traffic.given": _given,
    }
    if key in in_words:
        return in_words[key](value, lang)
    if key in ("start", "end"):
        return clock_text(value)
    if key in ("people.share", "traffic.background"):
        return f"{value:.0%}"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _people(value: Any, lang: str) -> str:
    if value is None:
        return "没有居民" if lang == "zh" else "nobody lives here"
    text, few = f"{value.residents:,} residents and {value.companies:,} companies", " ({:.0%} of them simulated)"
    if lang == "zh":
        text, few = f"{value.residents:,}名居民、{value.companies:,}家企业", "（模拟{:.0%}）"
    return text + (few.format(value.share) if value.share < 1 else "")


def _moved_on(value: int, lang: str) -> str:
    if value == -1:
        return "永不移出" if lang == "zh" else "never moved on"
    return f"{value}秒后移出" if lang == "zh" else f"moved on after {value} s"


def _recorded(value: int, lang: str) -> str:
    if value == 0:
        return "不记录" if lang == "zh" else "not recorded"
    return f"每{value}秒记录一次" if lang == "zh" else f"recorded every {value} s"


def _given(value: bool, lang: str) -> str:
    if value:
        return "车辆来自线路文件。" if lang == "zh" else "The vehicles of the route files drive."
    return "不再使用线路文件中的车辆。" if lang == "zh" else "The vehicles of the route files no longer drive."


def _sky(kind: str, mm_h: float, lang: str) -> str:
    word = _pick(_WEATHER[kind], lang)
    return word + (f" {mm_h:g} mm/h" if mm_h > 0 else "")


def _when(v: Intervention, lang: str, days: int) -> str:
    zh = lang == "zh"
    day = (f"第{v.day}天" if zh else f" on day {v.day}") if days > 1 else ""
    at = clock_text(v.at)
    if v.until is None:
        return f"{day}{at}起" if zh else f"from {at} on{day}"
    until = clock_text(v.until)
    return f"{day}{at}至{until}" if zh else f"from {at} to {until}{day}"


def _where(v: CloseRoad | SpeedLimit | Obstacle, lang: str, name_of: Translate) -> str:
    road = name_of(v.road)
    if v.near is None:
        return road
    near, length = name_of(v.near), f"{v.length_m:,.0f}"
    return f"{road}{near}附近{length}米路段" if lang == "zh" else f"A piece of {road} ({length} m at {near})"


def _zoom(z: Any, lang: str, name_of: Translate) -> str:
    centre = name_of(z.place) if z.place is not None else f"{z.lon:g}, {z.lat:g}"
    start = "" if z.start is None else clock_text(z.start)
    end = "" if z.end is None else clock_text(z.end)
    if lang == "zh":
        span = f"，{start or '开始'}至{end or '结束'}" if start or end else ""
        return f"对{centre}周边{z.radius_m:,.0f}米范围做微观放大{span}。"
    span = f" from {start or 'the start'} to {end or 'the end'}" if start or end else ""
    return f"The {z.radius_m:,.0f} m around {centre} are run again car by car{span}."


def _zoom_changed(z: Any, lang: str, name_of: Translate) -> str:
    if z is None:
        return "不再做微观放大。" if lang == "zh" else "No area is run again car by car any more."
    return _zoom(z, lang, name_of)


def _factories(s: Scenario) -> dict[str, str]:
    return {name: plain(name, factory) for name, factory in s.control.factories().items()}


def _control(name: str, lang: str) -> str:
    system = _pick(_SYSTEMS[name], lang)
    return f"{system}投入运行。" if lang == "zh" else f"{system} is at work."


def _control_changes(base: Scenario, variant: Scenario, lang: str) -> list[str]:
    zh = lang == "zh"
    a, b = _factories(base), _factories(variant)
    out = []
    for name in dict.fromkeys([*a, *b]):
        system = _pick(_SYSTEMS[name], lang)
        if name not in b:
            out.append(f"{system}停用。" if zh else f"{system} is switched off.")
        elif name not in a:
            out.append(_control(name, lang))
        elif a[name] != b[name]:
            out.append(f"{system}由{a[name]}改为{b[name]}。" if zh else f"{system} is {b[name]} instead of {a[name]}.")
    return out
