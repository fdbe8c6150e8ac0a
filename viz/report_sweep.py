"""The sheet of a sweep, from ``sweep.json``: which parameter matters, and every point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viz.report_html import Markup, tag
from viz.report_parts import decimals, facts, number
from viz.report_svg import WIDTH

_TEXT = {
    "sweep": ("Sweep", "参数扫描"),
    "grid": ("grid: every combination", "网格：全部组合"),
    "lhs": ("Latin hypercube", "拉丁超立方抽样"),
    "morris": ("Morris: elementary effects", "Morris 基本效应法"),
    "sobol": ("Sobol: shares of the variance", "Sobol 方差分解"),
    "method": ("Design", "设计"),
    "parameters": ("Parameters", "参数"),
    "points": ("Points", "点数"),
    "seeds": ("Seeds a point", "每点种子数"),
    "missing": (
        "{n} points are missing (failed or not run yet): indicators without all points have no sensitivity. "
        "The same command goes on from here.",
        "缺少 {n} 个点（失败或尚未运行）：数据不全的指标不计算敏感性。再次运行同一命令即可继续。",
    ),
    "matters": ("Which parameter matters", "哪个参数重要"),
    "note_morris": (
        "μ*: mean size of the effect of moving a parameter through its range, in the indicator's unit; σ: how much the "
        "effect depends on the other parameters, or is not linear.",
        "μ*：参数在其范围内变动的平均效应（以指标单位计）；σ：效应对其他参数的依赖或非线性程度。",
    ),
    "note_sobol": (
        "S1: share of the indicator's variance by the parameter alone; ST: with all its interactions. Sampled: with "
        "few points a share can come out below 0 or above 1.",
        "S1：参数单独解释的方差占比；ST：含全部交互。点数少时估计值可能小于 0 或大于 1。",
    ),
    "note_lhs": ("r: rank correlation of the parameter with the indicator.", "r：参数与指标的秩相关系数。"),
    "note_grid": ("Mean of the indicator at each value of the parameter.", "参数各取值下指标的均值。"),
    "all": ("Every point", "全部点"),
    "more": ("… and {n} more in table.csv", "……其余 {n} 行见 table.csv"),
}
MAIN = {"morris": "mu_star", "sobol": "ST", "lhs": "rank_r"}
SHOWN = 60


def sheet(data: Mapping[str, Any], lang: str) -> Markup:
    """Return the section."""
    w = {k: v[lang == "zh"] for k, v in _TEXT.items()}
    kpis = [k for k in data["kpis"] if any(k["name"] in p["values"] for p in data["points"])]
    parts = [
        tag("p", w["sweep"], class_="kicker"),
        tag("h1", f"{w['sweep']}: {', '.join(data['parameters'])}"),
        facts(
            [
                (w["method"], w[data["method"]]),
                (w["points"], len(data["points"])),
                (w["seeds"], len(data["seeds"])),
            ]
        ),
    ]
    if data["missing"]:
        parts.append(tag("p", w["missing"].format(n=data["missing"]), class_="warn"))
    parts += [tag("h2", w["matters"]), tag("p", w[f"note_{data['method']}"], class_="small")]
    for k in kpis:
        effects = data["effects"][k["name"]]
        title = (k["title_zh"] if lang == "zh" else k["title"]) + (f" ({k['unit']})" if k["unit"] else "")
        parts.append(tag("h3", title))
        parts.append(_effects(effects, data["method"]))
    parts += [tag("h2", w["all"]), _points(data, kpis, lang)]
    if len(data["points"]) > SHOWN:
        parts.append(tag("p", w["more"].format(n=len(data["points"]) - SHOWN), class_="small"))
    return tag("section", *parts)


def _effects(effects: Mapping[str, Mapping[str, float | None]], method: str) -> Markup:
    if method == "grid":
        rows = [
            tag("tr", tag("td", f"{p} = {level}"), tag("td", number(v, _digits(by.values()))))
            for p, by in effects.items()
            for level, v in by.items()
        ]
        return tag("table", tag("tbody", *rows))
    main = MAIN[method]
    reach = max((abs(by.get(main) or 0.0) for by in effects.values()), default=0.0) or 1.0
    ordered = sorted(effects.items(), key=lambda row: -abs(row[1].get(main) or 0.0))
    bars = []
    for i, (name, by) in enumerate(ordered):
        y, value = 16 + 22 * i, by.get(main)
        width = round(abs(value or 0.0) / reach * 260, 1)
        bars.append(tag("text", name[:40], x=0, y=y + 4))
        bars.append(tag("rect", x=250, y=y - 6, width=max(width, 0.5), height=12, class_="dot"))
        said = ", ".join(f"{m} {number(v, _digits([value]))}" for m, v in by.items() if not m.endswith("_conf"))
        spread = by.get(f"{main}_conf")
        said += f" (±{number(spread, _digits([value]))})" if spread is not None else ""
        bars.append(tag("text", said, x=258 + width, y=y + 4, class_="pale"))
    height = 10 + 22 * len(ordered)
    return tag("figure", tag("svg", *bars, viewbox=f"0 0 {WIDTH} {height}", role="img", aria_label=main))


def _digits(values: Any) -> int:
    there = [abs(v) for v in values if v]
    return decimals(max(there) / 10) if there else 2


def _points(data: Mapping[str, Any], kpis: list[Mapping[str, Any]], lang: str) -> Markup:
    names = data["parameters"]
    titles = [k["title_zh"] if lang == "zh" else k["title"] for k in kpis[:6]]
    head = tag("tr", *(tag("th", n) for n in [*names, *titles]))
    digits = {k["name"]: _digits([p["values"].get(k["name"], [0])[0] for p in data["points"]]) for k in kpis}
    body = []
    for p in data["points"][:SHOWN]:
        cells = [tag("td", p["sets"][n]) for n in names]
        for k in kpis[:6]:
            value = p["values"].get(k["name"])
            cells.append(tag("td", number(value[0] if value else None, digits[k["name"]])))
        body.append(tag("tr", *cells))
    return tag("table", tag("thead", head), tag("tbody", *body))
