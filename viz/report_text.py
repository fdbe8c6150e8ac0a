"""Every word of the report, in English and Chinese."""

from __future__ import annotations

import re

from viz.text import texts

_TEXT: dict[str, tuple[str, str]] = {
    "better": ("better", "更好"),
    "worse": ("worse", "更差"),
    "different": ("different", "不同"),
    "indistinguishable": ("cannot tell apart", "无法区分"),
    "inconclusive": ("inconclusive", "不能下结论"),
    "report": ("Report", "报告"),
    "comparison": ("Comparison", "方案比较"),
    "question": ("Question", "问题"),
    "base": ("Base", "基准"),
    "variant": ("Variant", "方案"),
    "pairs_of_runs": ("Pairs of runs", "成对运行数"),
    "n_of": ("{n} of {all} planned", "计划 {all} 对，完成 {n} 对"),
    "early": ("{n}; the plan let it stop there (largest number: {all})", "{n} 对；按计划在此提前结束（上限 {all} 对）"),
    "incomplete": (
        "Not complete: {n} of {all} planned pairs have run. The same command goes on from here.",
        "尚未完成：计划 {all} 对，已完成 {n} 对。再次运行同一命令即可继续。",
    ),
    "seeds": ("Seeds", "随机种子"),
    "no_pair": ("some indicators without a pair: {seeds}", "部分指标缺对：{seeds}"),
    "failed": ("Failed runs", "失败的运行"),
    "failed_line": ("{name}, seed {seed}: {said}", "{name}，种子 {seed}：{said}"),
    "calibrated": ("Calibrated", "标定"),
    "not_calibrated": (
        "No. Parameters come from the stated facts and sources or are assumed; no counts were used to fit them.",
        "否。参数来自所列事实与文献，或为假定；未用实测数据标定。",
    ),
    "not_modelled": ("Not modelled", "未模拟"),
    "off": ("switched off in these scenarios: {names}", "这些方案中未启用：{names}"),
    "walkers": (
        "people on foot and on e-bikes go straight lines × 1.3 and disturb no car",
        "步行与电动自行车按直线距离×1.3 计时，不影响机动车",
    ),
    "meso": ("single vehicles within a queue (mesoscopic traffic)", "排队中的单车行为（中观交通）"),
    "free-flow": ("queues and signals (free-flow traffic, for quick looks)", "排队与信号（自由流交通，仅供快速试算）"),
    "schematic": (
        "the real streets: the city is schematic, its streets, people and traffic are generated",
        "真实街道：城市为示意，街道、人口与交通由程序生成",
    ),
    "warm_up": ("Warm-up", "预热"),
    "warm_up_none": (
        "Runs begin at {start} as the scenario says, in both alike; nothing is cut off.",
        "两个方案都从 {start} 开始，未去除任何时段。",
    ),
    "warm_up_cut": (
        "What began in the first {minutes:g} minutes (from {start}) is left out, in both alike.",
        "两个方案都去除了开始于前 {minutes:g} 分钟（自 {start} 起）的事项。",
    ),
    "branch": ("Branch", "分叉"),
    "branched": (
        "Each pair has one past, up to {at} of day {day}, and two futures; indicators are those of the whole run.",
        "每一对运行在第 {day} 天 {at} 之前共有同一过去，其后为两个未来；指标为全程。",
    ),
    "unfinished": ("Unfinished at the end", "结束时未完成"),
    "plan": ("Plan", "计划"),
    "plan_before": ("fixed before the first run", "在首次运行之前确定"),
    "plan_after": (
        "The plan was changed after runs were there: this is exploratory, it confirms nothing.",
        "计划在已有运行之后被改动：仅供探索，不作确认。",
    ),
    "plan_says": (
        "{kpis} indicators, {looks}, 5 % false claims over all of them (Holm)",
        "{kpis} 项指标，{looks}，总体误报率 5 %（Holm）",
    ),
    "one_look": ("one look at the end", "仅在结束时判断一次"),
    "looks": ("looks at {n} pairs", "在 {n} 对时判断"),
    "until": ("until the interval is {x} wide on each side", "直到区间半宽为 {x}"),
    "digest": ("Digest", "摘要"),
    "versions": ("Made with", "软件版本"),
    "same": (
        "Every pair of runs is identical, digest by digest: the two do the same.",
        "每一对运行逐位相同：两者完全一致。",
    ),
    "answer": (
        "{title}: {change} {by} [{low}, {high}] {unit} over {n} pairs – {verdict}.",
        "{title}：{change} {by} {unit} [{low}, {high}]（{n} 对）——{verdict}。",
    ),
    "higher": ("higher by", "升高"),
    "lower": ("lower by", "降低"),
    "cannot": (
        "Whether {variant} differs from {base} in “{title}” cannot be told from {n} pairs: "
        "{by} [{low}, {high}] {unit}.",
        "{n} 对运行无法判断“{variant}”与“{base}”在“{title}”上是否不同：{by} {unit} [{low}, {high}]。",
    ),
    "no_answer": ("No pair of runs gave an indicator a value.", "没有任何一对运行给出指标值。"),
    "others": (
        "Of {n} indicators {better} better, {worse} worse, {rest} cannot be told or decided.",
        "共 {n} 项指标：{better} 项更好，{worse} 项更差，{rest} 项无法区分或不能下结论。",
    ),
    "guards": ("Guardrails", "护栏指标"),
    "safe": ("all pass", "全部通过"),
    "unsafe": ("not all pass", "未全部通过"),
    "unsure": ("cannot be told", "无法判断"),
    "passes": ("passes", "通过"),
    "fails": ("fails", "未通过"),
    "margin": ("margin", "容限"),
    "worst": ("95 % bound", "95 % 界"),
    "indicator": ("Indicator", "指标"),
    "difference": ("Difference [95 % interval]", "差值 [95 % 区间]"),
    "pairs": ("Pairs", "对数"),
    "pairing": ("Pairing", "配对收益"),
    "more": ("More runs", "还需对数"),
    "verdict": ("Verdict", "结论"),
    "pairing_note": (
        "Pairing: variance of the paired difference against independent seeds (below 1 pairing helped), and r, the "
        "correlation over seeds. More runs: further pairs for ±{x:g} % of the base's mean. The interval is that of the "
        "difference{looks}; verdicts are corrected for all indicators of the plan.",
        "配对收益：配对差值方差与独立种子方差之比（小于 1 表示配对有益），r 为种子间相关系数。还需对数：达到基准均值 "
        "±{x:g} % 所需的更多对数。区间为差值的区间{looks}；结论已对计划内全部指标作校正。",
    ),
    "looks_note": (", valid at every look", "，在每次判断时均有效"),
    "intervals": ("Differences in percent of the base's mean, with their intervals", "差值占基准均值的百分比及其区间"),
    "pairs_chart": ("Every pair of runs: {title}", "每一对运行：{title}"),
    "map": ("Where traffic differs", "交通变化的位置"),
    "map_vehicles": ("Vehicles", "车辆数"),
    "map_speed": ("Speed", "车速"),
    "map_delay": ("Delay", "延误"),
    "map_vehicles_more": ("more vehicles", "车辆增加"),
    "map_vehicles_less": ("fewer vehicles", "车辆减少"),
    "map_speed_more": ("faster", "更快"),
    "map_speed_less": ("slower", "更慢"),
    "map_delay_more": ("more delay", "延误增加"),
    "map_delay_less": ("less delay", "延误减少"),
    "unit_vehicles": ("vehicles a run", "辆/次运行"),
    "unit_speed": ("km/h", "km/h"),
    "unit_delay": ("vehicle minutes a run", "车·分钟/次运行"),
    "map_pale": ("not clearly different", "差异不明显"),
    "map_unknown": ("not known", "无数据"),
    "map_vehicles_note": (
        "Vehicles by road, mean difference of {n} pairs: {more} roads with more, {fewer} with fewer. {clear} {what}",
        "各道路车辆数之差（{n} 对均值）：{more} 条增加、{fewer} 条减少。{clear}{what}",
    ),
    "map_speed_note": (
        "Mean speed by road (metres driven by time spent), mean difference of {n} pairs{source}: "
        "{more} roads faster, {fewer} slower. {clear} {what}",
        "各道路平均车速之差（行驶里程除以时间，{n} 对均值{source}）：{more} 条更快、{fewer} 条更慢。{clear}{what}",
    ),
    "map_delay_note": (
        "Time on the road beyond that at its limit, all vehicles together, mean difference of {n} pairs{source}: "
        "{more} roads with more, {fewer} with less. {clear} {what}",
        "各道路上超出限速行驶时间的总和之差（{n} 对均值{source}）：{more} 条增加、{fewer} 条减少。{clear}{what}",
    ),
    "map_recorded": (" with recorded positions", "，取自记录的位置"),
    "map_detected": (
        ", at the {roads} roads with a detector (with --record 3 or more: all roads)",
        "，仅限有检测器的 {roads} 条道路（加 --record 3 或更多可得全部道路）",
    ),
    "map_clear": (
        "Coloured where a t test over the pairs, road by road, has p < 0.003.",
        "仅对逐路 t 检验 p < 0.003 的道路着色。",
    ),
    "map_few": (
        "Too few pairs for a test: coloured from {least:g} {unit}.",
        "对数太少，不作检验：差异达到 {least:g} {unit} 即着色。",
    ),
    "map_schematic": ("Generated, schematic streets.", "街道为程序生成的示意图。"),
    "map_nothing": ("No road's traffic differs clearly.", "没有道路的交通有明显差异。"),
    "why": ("Examples that show why", "说明原因的例子"),
    "why_pair": (
        "From one pair, seed {seed}; an example, not evidence. {changed:,} of {both:,} trips took another time.",
        "取自一对运行（种子 {seed}），仅为示例，不作依据。{both:,} 次出行中 {changed:,} 次用时不同。",
    ),
    "facts": ("What happened more or less often", "发生次数的变化"),
    "fact": ("Fact", "事件"),
    "trip": ("Trip", "出行"),
    "trip_line": ("resident {who}, trip {trip}, {mode}, {purpose}", "居民 {who} 第 {trip} 次出行，{mode}，{purpose}"),
    "set_out": ("set out", "出发"),
    "rare": ("Never happened", "从未发生"),
    "rare_line": (
        "{title}: 0 in {n} runs of {name}; with 95 % confidence it happens in at most {p:.1f} % of such runs.",
        "{title}：{name} 的 {n} 次运行中为 0；以 95 % 置信度，发生率不超过 {p:.1f} %。",
    ),
    "changed": ("What changed", "改变了什么"),
    "nothing_changed": ("Nothing: the two scenarios are the same.", "没有改变：两个方案相同。"),
    "yaml": ("As YAML, the variant over the base", "以 YAML 表示的差异"),
    "best": ("May be the best in {kpi}", "{kpi} 的可能最优"),
    "best_line": (
        "{names} – with 95 % confidence the best is among them (Kim–Nelson, after {n} pairs)",
        "{names}——最优者以 95 % 置信度在其中（Kim–Nelson，{n} 对之后）",
    ),
    "run": ("Run", "运行"),
    "runs": ("Runs", "运行"),
    "when": ("Time", "时段"),
    "ended": ("Ended", "结束"),
    "interrupted": ("INTERRUPTED: the run ended before its time", "已中断：运行提前结束"),
    "one_run": (
        "One run is one draw of chance: it shows what can happen, not what is to be expected. For an answer with an "
        "interval, compare over seeds (twin compare).",
        "单次运行只是一次随机抽样：说明可能发生什么，而非预期结果。需要带区间的结论，请用多种子比较（twin compare）。",
    ),
    "value": ("Value", "数值"),
    "happens": ("What happens in it", "情景内容"),
    "of_runs": ("Indicators of {n} runs", "{n} 次运行的指标"),
}


def words(lang: str) -> dict[str, str]:
    """Return all texts in one language."""
    return {k: v[1 if lang == "zh" else 0] for k, v in _TEXT.items()}


_REASONS = (
    (r"(\d+) of (\d+) pairs are missing", r"\2 对中缺 \1 对"),
    (r"one pair tells nothing", "仅一对运行，无法判断"),
    (r"(\d+) of (\d+) planned pairs have run", r"计划 \2 对，仅完成 \1 对"),
    (r"the differences are too skewed for so few pairs", "差值过偏，对数太少"),
)


def reason(why: str, lang: str) -> str:
    """Return why a verdict is open, in ``lang``; what is not known stays as it is."""
    if lang == "zh":
        for pattern, said in _REASONS:
            if re.fullmatch(pattern, why):
                return re.sub(pattern, said, why)
    return why


def trip_line(who: int, trip: int, mode: str, purpose: str, lang: str) -> str:
    """Return a trip in words: whose, which, by what, what for."""
    said = texts(lang)
    by, what_for = said.get(f"mode_{mode}", mode), said.get(f"purpose_{purpose}", purpose)
    return words(lang)["trip_line"].format(who=who, trip=trip, mode=by, purpose=what_for)
