"""The sheet of single runs: what was run, its indicators, and the reminder that one run is one draw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError
from twin.scenario import Scenario, clock_text
from twin.scenario.words import describe
from viz.report_html import Markup, tag
from viz.report_parts import calibrated, decimals, facts, not_modelled, number
from viz.report_text import words

DAY_S = 86_400


def runs(stamps: Sequence[tuple[Path, Mapping[str, Any]]], lang: str) -> Markup:
    """Return the section of one or several run folders."""
    word = words(lang)
    zh = lang == "zh"
    first = stamps[0][1]
    title = (first.get("title_zh") if zh else first.get("title")) or first.get("name", "")
    scenario = first.get("scenario", {})
    question = (scenario.get("question_zh") if zh else scenario.get("question")) or first.get("question", "")
    rows: list[tuple[str, Any]] = [(word["question"], question)] if question else []
    for folder, stamp in stamps:
        end = int(stamp["end_s"])
        when = f"{clock_text(int(stamp['start_s']) % DAY_S)}–{clock_text(end % DAY_S or DAY_S)}"
        rows.append(
            (
                f"{word['run']} {folder.name}",
                f"{stamp['name']}, {word['seeds']} {stamp['seed']}, {when}, {word['digest']} {stamp['digest']}"
                + (f" – {word['interrupted']}" if stamp.get("ended") == "interrupted" else ""),
            )
        )
    city = first.get("city", {})
    rows += [
        (
            word["not_modelled"],
            not_modelled([s.get("scenario", {}) for _, s in stamps], bool(city.get("schematic")), word, lang),
        ),
        (word["calibrated"], calibrated(scenario, word)),
        (word["versions"], ", ".join(f"{k} {v}" for k, v in first.get("versions", {}).items())),
    ]
    parts = [
        tag("p", word["run"] if len(stamps) == 1 else word["runs"], class_="kicker"),
        tag("h1", title),
        tag("p", word["one_run"], class_="lead"),
        facts(rows),
        tag("h2", word["of_runs"].format(n=len(stamps))),
        _table([(folder.name, _kpis(folder)) for folder, _ in stamps], word, zh),
    ]
    said = _described(scenario, lang)
    if said:
        parts += [tag("h2", word["happens"]), tag("ul", *(tag("li", line) for line in said))]
    return tag("section", *parts)


def _kpis(folder: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads((folder / "kpis.json").read_text(encoding="utf-8"))["kpis"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _table(columns: list[tuple[str, list[dict[str, Any]]]], word: Mapping[str, str], zh: bool) -> Markup:
    by_name = [{row["name"]: row for row in rows} for _, rows in columns]
    names = list(dict.fromkeys(row["name"] for _, rows in columns for row in rows if row["value"] is not None))
    head = tag("tr", tag("th", word["indicator"]), *(tag("th", name) for name, _ in columns))
    body = []
    for name in names:
        row = next(c[name] for c in by_name if name in c)
        title = row["title_zh"] if zh else row["title"]
        unit = f" ({row['unit']})" if row["unit"] else ""
        values = [c.get(name, {}).get("value") for c in by_name]
        digits = decimals(max(abs(v) for v in values if v is not None) / 10 or None)
        body.append(tag("tr", tag("td", f"{title}{unit}"), *(tag("td", number(v, digits)) for v in values)))
    return tag("table", tag("thead", head), tag("tbody", *body))


def _described(scenario: Mapping[str, Any], lang: str) -> list[str]:
    try:
        return describe(Scenario.from_resolved(scenario), lang)
    except (ScenarioError, KeyError, TypeError):
        return []
