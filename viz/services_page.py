"""``services.html``: offices and cases of a run on one page – queues, cases by state, departments, the reform.

No script at all: a strict policy, one style sheet named by its hash, nothing asked for; every text is escaped.
The reform comparison is shown where the run folder holds ``reform.json`` (``twin reform --out DIR``), with the levers
that carry each figure; without it the targets of F36 and F37 stand there alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from scenarios.reform import TARGETS_OF_CONVERSION, TARGETS_OF_REFORM, Effects, Row, Target, carriers, save_reform
from twin.control.services.cases import STATES
from twin.control.services.catalogue.tables import departments
from twin.events import services
from twin.log import Facts
from viz.errors import MapError
from viz.offices import rows
from viz.report_html import Markup, join, page, tag
from viz.services_page_text import SERVICES_TEXT
from viz.text import LANGS

__all__ = ["build", "levers_of", "reform_of", "save_reform", "states_at_end"]

_WIDTH, _HEIGHT = 720, 150
_COLOURS = ("#125c94", "#cf6a4f", "#1b7f4b", "#8a5fb0", "#9a7a1c")
_STEPS = 240


def build(run_dir: Path, out: Path | None = None, lang: str = "en") -> Path:
    """Write the page of a run and return its path (default: ``services.html`` in the run folder).

    Raises :class:`MapError` when the folder is no run, or nobody applied for anything in it.
    """
    if lang not in LANGS:
        raise MapError(f"lang: '{lang}' is not known; allowed: {', '.join(LANGS)}")
    folder = Path(run_dir)
    if not (folder / "events.parquet").is_file() or not (folder / "stamp.json").is_file():
        raise MapError(f"{folder}: not a run folder (events.parquet or stamp.json is missing)")
    stamp = json.loads((folder / "stamp.json").read_text(encoding="utf-8"))
    facts = Facts.read(folder)
    if not facts.table("CaseFiled", ["t_s"]).num_rows:
        raise MapError(f"{folder}: no case was filed in this run; switch on 'services' in the scenario")
    word = {key: pair[LANGS.index(lang)] for key, pair in SERVICES_TEXT.items()}
    text = _text(facts, stamp, _reform(reform_of(folder), levers_of(folder), word), word, lang)
    target = Path(out) if out is not None else folder / "services.html"
    try:
        target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise MapError(f"{target}: cannot be written ({error.strerror})") from None
    return target


def reform_of(folder: Path) -> list[Row]:
    """Return the comparison that lies in a run folder; empty where none does. MapError: it cannot be read."""
    file = folder / "reform.json"
    if not file.is_file():
        return []
    try:
        data = json.loads(file.read_text(encoding="utf-8"))["rows"]
        return [
            Row(
                Target(str(r["name"]), str(r["fact"]), float(r["change"]), bool(r["at_least"]), bool(r["fitted"])),
                float(r["value"]), float(r["low"]), float(r["high"]), int(r["seeds"]),
            )
            for r in data
        ]  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise MapError(f"{file}: not a comparison of offices ({error})") from None


def levers_of(folder: Path) -> dict[str, Effects]:
    """Return what the levers do, by fact, where it lies beside the comparison. MapError: it cannot be read."""
    file = folder / "reform.json"
    if not file.is_file():
        return {}
    try:
        data = json.loads(file.read_text(encoding="utf-8")).get("levers") or {}
        return {
            str(fact): {
                str(lever): {
                    str(measure): {k: _three(by[k]) for k in ("without", "alone")} for measure, by in effects.items()
                }
                for lever, effects in of.items()
            }
            for fact, of in data.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MapError(f"{file}: not a comparison of offices ({error})") from None


def _three(values: Sequence[Any]) -> tuple[float, float, float]:
    mean, low, high = values
    return float(mean), float(low), float(high)


def states_at_end(facts: Facts) -> dict[str, int]:
    """Return how many cases are in which state when the run ends, in the order of the states; they sum to all."""
    count = Counter(r["state"] for r in rows(facts, services.CaseConcluded))
    count.update(r["state"] for r in rows(facts, services.CaseOpen))
    return {s: count[s] for s in (*STATES, *sorted(set(count) - set(STATES))) if count[s]}


def _text(facts: Facts, stamp: Mapping[str, Any], reform: Markup, word: Mapping[str, str], lang: str) -> str:
    title = str((stamp.get("title_zh") if lang == "zh" else stamp.get("title")) or stamp.get("name") or "")
    begin, end = int(stamp["start_s"]), int(stamp["end_s"])
    which = f"{word['seed']} {stamp.get('seed')} · {str(stamp.get('digest', ''))[:10]}"
    body = join(
        [
            tag("p", f"{word['kicker']} · {which}", class_="kicker"),
            tag("h1", title),
            tag("p", word["generated"], class_="note"),
            _summary(facts, word),
            _queues(facts, begin, end, word),
            _states(facts, word),
            _work(facts, word, lang),
            reform,
        ]
    )  # fmt: skip
    return page(f"{word['title']} · {title}", lang, body)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _number(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _table(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> Markup:
    head = tag("tr", *(tag("th", h) for h in heads))
    return tag("table", head, *(tag("tr", *(tag("td", v) for v in line)) for line in lines))


def _summary(facts: Facts, word: Mapping[str, str]) -> Markup:
    filed, ended = rows(facts, services.CaseFiled), rows(facts, services.MatterEnded)
    closed = rows(facts, services.CaseConcluded)
    lines = (
        (word["matters"], f"{facts.table('MatterBegan', ['t_s']).num_rows:,} / {len(ended):,}"),
        (word["cases"], f"{len(filed):,} / {len(closed):,}"),
        (word["days"], f"{_number(_mean([r['duration_s'] / 86_400 for r in ended]), 2)} ({word['finished_only']})"),
        (word["materials"], _number(_mean([float(r["handed_in"]) for r in filed]), 2)),
        (word["reused"], _number(_mean([float(r["reused"]) for r in filed]), 2)),
        (word["late"], f"{sum(bool(r['overdue']) for r in closed):,}"),
    )
    return tag("dl", *(join([tag("dt", a), tag("dd", b)]) for a, b in lines), class_="facts")


def _queues(facts: Facts, begin_s: int, end_s: int, word: Mapping[str, str]) -> Markup:
    series: dict[str, list[tuple[int, int, int]]] = {}
    for r in rows(facts, services.OfficeQueue):
        series.setdefault(str(r["office"]), []).append((int(r["t_s"]), int(r["waiting"]), int(r["serving"])))
    visits = Counter(str(r["office"]) for r in rows(facts, services.OfficeVisited))
    filed = Counter(str(r["office"]) for r in rows(facts, services.CaseFiled))
    names = sorted({*series, *visits, *filed}, key=lambda n: (-filed[n], n))
    lines = []
    for name in names:
        found = series.get(name, [])
        busy = sum(
            w * (b - a)
            for (a, w, _), (b, _, _) in pairwise([*found, (end_s, 0, 0)])
        )  # fmt: skip
        most = max((w for _, w, _ in found), default=0)
        shown = word.get("office_" + name, name.replace("point-", word["point"] + " "))
        lines.append((shown, filed[name], visits[name], _number(busy / max(end_s - begin_s, 1), 2), most))
    chart = _lines({n: [(t, w) for t, w, _ in series[n]] for n in names[:5] if n in series}, begin_s, end_s, word)
    heads = [word[k] for k in ("office", "filed", "visits", "mean_waiting", "most_waiting")]
    return join([tag("h2", word["queues"]), chart, _table(heads, lines)])


def _lines(
    series: Mapping[str, Sequence[tuple[int, int]]], begin_s: int, end_s: int, word: Mapping[str, str]
) -> Markup:
    """Return how many waited over the run: the most of each of _STEPS steps, a line for each office."""
    most = max((w for found in series.values() for _, w in found), default=0) or 1
    parts = [tag("line", x1=30, x2=_WIDTH, y1=_HEIGHT, y2=_HEIGHT, class_="axis")]
    parts += [tag("text", most, x=2, y=12), tag("text", 0, x=2, y=_HEIGHT)]
    legend = []
    for (name, found), colour in zip(series.items(), _COLOURS, strict=False):
        width = max((end_s - begin_s) / _STEPS, 1.0)
        held, i, points = 0, 0, []
        for k in range(_STEPS):
            top, until = held, begin_s + (k + 1) * width
            while i < len(found) and found[i][0] < until:
                held = found[i][1]
                top, i = max(top, held), i + 1
            points.append(f"{30 + (k + 0.5) / _STEPS * (_WIDTH - 30):.1f},{_HEIGHT - top / most * (_HEIGHT - 10):.1f}")
        parts.append(tag("polyline", points=" ".join(points), fill="none", stroke=colour, stroke_width=1.3))
        shown = word.get("office_" + name, name.replace("point-", word["point"] + " "))
        legend.append(
            tag(
                "svg",
                tag("rect", width=12, height=12, fill=colour),
                tag("text", shown, x=18, y=11),
                viewbox="0 0 720 14",
            )
        )
    chart = tag("svg", *parts, viewbox=f"0 0 {_WIDTH} {_HEIGHT + 6}", role="img", aria_label=word["queues"])
    return tag("figure", chart, *legend)


def _states(facts: Facts, word: Mapping[str, str]) -> Markup:
    found = states_at_end(facts)
    total = max(sum(found.values()), 1)
    lines = [(word.get("state_" + s, s), f"{n:,}", f"{100 * n / total:.1f} %") for s, n in found.items()]
    return join([tag("h2", word["states"]), _table([word["state"], word["number"], "%"], lines)])


def _work(facts: Facts, word: Mapping[str, str], lang: str) -> Markup:
    names = {d.code: d.name if lang == "zh" else d.name_en for d in departments()}
    waited: dict[str, list[float]] = {}
    for r in rows(facts, services.TaskBegan):
        waited.setdefault(str(r["dept"]), []).append(r["waited_s"] / 3600)
    lines = [
        (names.get(d, d), f"{len(w):,}", _number(_mean(w), 2), _number(max(w), 1))
        for d, w in sorted(waited.items(), key=lambda item: -len(item[1]))
    ]
    heads = [word[k] for k in ("department", "steps", "mean_wait_h", "most_wait_h")]
    return join([tag("h2", word["work"]), _table(heads, lines)])


def _reform(found: Sequence[Row], levers: Mapping[str, Effects], word: Mapping[str, str]) -> Markup:
    by = {(r.target.fact, r.target.name): r for r in found}
    lines = []
    for t in (*TARGETS_OF_REFORM, *TARGETS_OF_CONVERSION):
        r = by.get((t.fact, t.name))
        value = f"{r.value:+.1f} % [{r.low:.1f}, {r.high:.1f}]" if r else "–"
        met = (word["met"] if r.met else word["not_met"]) if r else "–"
        target = ("≤ " if t.at_least else "") + f"{t.change:+.1f} %"
        kind = word["fitted"] if t.fitted else word["predicted"]
        lines.append(
            (f"{t.fact} {word.get('measure_' + t.name, t.name)}", target, value, str(r.seeds) if r else "–", kind, met)
        )
    heads = [word[k] for k in ("measure", "target", "simulated", "seeds", "kind", "verdict")]
    parts = [tag("h2", word["reform"]), _table(heads, lines)]
    if not found:
        parts.append(tag("p", word["no_reform"], class_="note"))
    carried = _carried(found, levers, word)
    if carried:
        parts += [
            tag("h3", word["carriers"]),
            tag("p", word["carriers_note"], class_="note"),
            _table([word[k] for k in ("measure", "lever", "without", "alone")], carried),
        ]
    return join(parts)


def _carried(found: Sequence[Row], levers: Mapping[str, Effects], word: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return measure, lever and its two effects, of the levers that carry each figure."""
    lines: list[tuple[str, ...]] = []
    for r in found:
        effects = {k: by for k, by in levers.get(r.target.fact, {}).items() if r.target.name in by}
        for lever in carriers(effects, r.target.name):
            by = effects[lever][r.target.name]
            shown = (f"{by[k][0]:+.1f} [{by[k][1]:.1f}, {by[k][2]:.1f}]" for k in ("without", "alone"))
            measure = f"{r.target.fact} {word.get('measure_' + r.target.name, r.target.name)}"
            lines.append((measure, word.get("lever_" + lever, lever), *shown))
    return lines
