"""The sheet of one comparison, from ``result.json`` and the run folders beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geo.city import City
from geo.errors import CityError
from scenarios.stats.rare import at_most
from twin.cities import built_folder
from twin.errors import ScenarioError
from twin.run_folder import versions
from twin.scenario import Scenario, clock_text
from twin.scenario.words import difference
from viz.report_html import Child, Markup, tag
from viz.report_map import difference_map
from viz.report_parts import calibrated, decimals, facts, not_modelled, number, ranges
from viz.report_svg import MARK, intervals, pairs
from viz.report_text import reason, trip_line, words
from viz.report_why import more_or_fewer, trips, when

MAP_PAIRS = 20  # at most so many pairs go into the map of differences


def comparison(folder: Path, result: Mapping[str, Any], variant: Mapping[str, Any], lang: str) -> Markup:
    """Return the section of one variant against the base."""
    return _Sheet(folder, result, variant, lang).section()


class _Sheet:
    def __init__(self, folder: Path, result: Mapping[str, Any], variant: Mapping[str, Any], lang: str) -> None:
        self.folder, self.result, self.variant, self.lang = folder, result, variant, lang
        self.zh = lang == "zh"
        self.word = words(lang)
        self.base_data: dict[str, Any] = result["base"]["scenario"]
        self.data: dict[str, Any] = variant["scenario"]
        self.answers = [a for a in variant["answers"] if a.get("summary")]
        self.city = self._city()
        self.scenarios = self._scenarios()

    def _scenarios(self) -> tuple[Scenario, Scenario] | None:
        try:
            return Scenario.from_resolved(self.base_data), Scenario.from_resolved(self.data)
        except (ScenarioError, KeyError, TypeError):
            return None

    def _city(self) -> City | None:
        try:
            found = built_folder(Scenario.from_resolved(self.base_data).city)
            return City.load(found) if found is not None else None
        except (ScenarioError, CityError, KeyError, TypeError, OSError):
            return None

    def section(self) -> Markup:
        """Return all of it; page 1 ends after the facts."""
        w = self.word
        question = (self.data.get("question_zh") if self.zh else "") or self.data.get("question") or ""
        parts: list[Child] = [
            tag(
                "div",
                tag("p", f"{w['comparison']}: {self.result['base']['name']} → {self.variant['name']}", class_="kicker"),
                tag("h1", question or f"{self.result['base']['name']} → {self.variant['name']}"),
                *self._lead(),
                *self._warnings(),
                self._facts(),
                class_="first",
            ),
            *self._table(),
            *self._guards(),
            *self._charts(),
            *self._map(),
            *self._why(),
            *self._rare(),
            *self._changed(),
        ]
        return tag("section", *parts)

    # -- page 1 ------------------------------------------------------------------------------------------

    def _title(self, a: Mapping[str, Any]) -> str:
        return str(a["title_zh"] if self.zh else a["title"])

    def _numbers(self, a: Mapping[str, Any]) -> dict[str, Any]:
        s = a["summary"]
        digits = decimals(None if s["low"] is None else s["high"] - s["low"])
        return {
            "by": number(s["difference"], digits, sign=True),
            "low": number(s["low"], digits, sign=True),
            "high": number(s["high"], digits, sign=True),
            "unit": a["unit"],
            "n": s["n"],
            "digits": digits,
        }

    def _lead(self) -> list[Markup]:
        w = self.word
        if not self.answers:
            return [tag("p", w["no_answer"], class_="lead")]
        if self.variant["same"]:
            return [tag("p", w["same"], class_="lead")]
        decided = [a for a in self.answers if a["verdict"] in ("better", "worse", "different")]
        first = self.answers[0] if not decided else decided[0]
        n = self._numbers(first)
        if decided:
            d = first["summary"]["difference"]
            size = number(abs(d), n["digits"])
            lead = w["answer"].format(
                title=self._title(first),
                change=w["higher"] if d > 0 else w["lower"],
                verdict=w[first["verdict"]],
                **{**n, "by": size},
            )
        else:
            lead = w["cannot"].format(
                title=self._title(first), base=self.result["base"]["name"], variant=self.variant["name"], **n
            )
        out = [tag("p", lead.replace(" .", "."), class_="lead")]
        if len(self.answers) > 1:
            count = {v: sum(a["verdict"] == v for a in self.answers) for v in ("better", "worse")}
            rest = len(self.answers) - sum(count.values())
            out.append(tag("p", w["others"].format(n=len(self.answers), rest=rest, **count)))
        return out

    def _warnings(self) -> list[Markup]:
        w, v = self.word, self.variant
        out = []
        if not v["complete"]:
            out.append(w["incomplete"].format(n=v["pairs"], all=max(v["plan"]["looks"])))
        if not v["plan"]["before_first_run"]:
            out.append(w["plan_after"])
        names = {"base": self.result["base"]["name"], "variant": v["name"]}
        out += [
            f"{w['failed']}: " + w["failed_line"].format(name=names[f["scenario"]], seed=f["seed"], said=f["said"])
            for f in v["failed"]
        ]
        return [tag("p", text, class_="warn") for text in out]

    def _facts(self) -> Markup:
        w, v = self.word, self.variant
        plan = v["plan"]
        most = max(plan["looks"])
        n = w["early"] if v["complete"] and v["pairs"] < most else w["n_of"]
        seeds = ranges(int(s) for s in v["digests"])
        without = sorted({s for a in v["answers"] if a.get("summary") for s in a["without"]})
        if without:
            seeds += f" ({w['no_pair'].format(seeds=ranges(without))})"
        looks = w["one_look"] if len(plan["looks"]) == 1 else w["looks"].format(n=", ".join(map(str, plan["looks"])))
        if plan["until"]:
            looks = w["until"].format(x=plan["until"])
        said = w["plan_says"].format(kpis=len(plan["asked"]), looks=looks)
        before = w["plan_before"] if plan["before_first_run"] else ""
        start = clock_text(int(_seconds(self.base_data.get("start", 0))))
        warm_s = int(plan["warm_up_s"])
        warm = (w["warm_up_cut"] if warm_s else w["warm_up_none"]).format(minutes=warm_s / 60, start=start)
        schematic = bool(self.city is not None and self.city.schematic)
        rows: list[tuple[str, Child]] = [
            (w["pairs_of_runs"], n.format(n=v["pairs"], all=most)),
            (w["seeds"], seeds),
            (w["not_modelled"], not_modelled([self.base_data, self.data], schematic, w, self.lang)),
            (w["calibrated"], calibrated(self.data, w)),
            (w["warm_up"], warm),
            *self._branched(),
            *self._unfinished(),
            (w["plan"], "; ".join(x for x in (said, before, plan["digest"]) if x)),
            (w["digest"], self.result["digest"]),
            (w["versions"], ", ".join(f"{k} {x}" for k, x in versions().items() if k in ("qibu-twin", "eclipse-sumo"))),
        ]
        return facts(rows)

    def _branched(self) -> list[tuple[str, Child]]:
        at = str(self.result["base"].get("key", "")).partition("@")[2]
        if not at.isdecimal():
            return []
        day, of_day = divmod(int(at), 86_400)
        return [(self.word["branch"], self.word["branched"].format(at=clock_text(of_day), day=day + 1))]

    def _unfinished(self) -> list[tuple[str, Child]]:
        said = [
            f"{self._title(u)}: {number(u['base'], 1)} → {number(u['variant'], 1)} {u['unit']}"
            for u in self.variant.get("unfinished", [])
        ]
        return [(self.word["unfinished"], "; ".join(said))] if said else []

    # -- tables ------------------------------------------------------------------------------------------

    def _table(self) -> list[Markup]:
        w = self.word
        if not self.answers:
            return []
        names = ("indicator", "base", "variant", "difference", "pairs", "pairing", "more", "verdict")
        body = []
        for a in self.answers:
            s, n = a["summary"], self._numbers(a)
            unit = f" ({a['unit']})" if a["unit"] else ""
            gain = "–" if s["variance_ratio"] is None else f"×{s['variance_ratio']:.2g}"
            if s["correlation"] is not None:
                gain += f", r {s['correlation']:.2f}".replace("-", "−")
            missing = f" (−{len(a['without'])})" if a["without"] else ""
            why = [tag("br"), tag("span", reason(a["why"], self.lang), class_="small")] if a["why"] else []
            verdict = tag("span", f"{MARK[a['verdict']]} {w[a['verdict']]}", class_=a["verdict"])
            body.append(
                tag(
                    "tr",
                    tag("td", self._title(a) + unit),
                    tag("td", number(s["base"], n["digits"])),
                    tag("td", number(s["variant"], n["digits"])),
                    tag("td", n["by"], tag("br"), tag("span", f"[{n['low']}, {n['high']}]", class_="interval")),
                    tag("td", f"{s['n']}{missing}"),
                    tag("td", gain),
                    tag("td", "–" if a["more"] is None else f"{a['more']:,}"),
                    tag("td", verdict, *why),
                )
            )
        looks = w["looks_note"] if len(self.variant["plan"]["looks"]) > 1 else ""
        note = w["pairing_note"].format(x=self.result["advice_percent"], looks=looks)
        head = tag("thead", tag("tr", *(tag("th", w[name]) for name in names)))
        return [tag("h2", w["comparison"]), tag("table", head, tag("tbody", *body)), tag("p", note, class_="small")]

    def _guards(self) -> list[Markup]:
        w = self.word
        rows = self.variant["guardrails"]
        out: list[Markup] = []
        if rows:
            state = {True: "safe", False: "unsafe", None: "unsure"}[self.variant["safe"]]
            out.append(tag("h2", f"{w['guards']}: {w[state]}"))
            body = []
            for g in rows:
                bounds = g["guardrail"]
                said = {True: w["passes"], False: w["fails"], None: w["unsure"]}[bounds["passed"]]
                cells = (
                    self._title(g),
                    number(bounds["worst"], 3),
                    f"{bounds['margin']:.3g}",
                    f"{said} {g['why']}".strip(),
                )
                body.append(tag("tr", *(tag("td", c) for c in cells)))
            names = (w["indicator"], w["worst"], w["margin"], w["verdict"])
            out.append(tag("table", tag("thead", tag("tr", *(tag("th", n) for n in names))), tag("tbody", *body)))
        names_all = [self.result["base"]["name"], *(v["name"] for v in self.result["variants"])]
        for kpi, best in self.result.get("best", {}).items():
            survivors = ", ".join(names_all[i] for i in best["survivors"])
            out.append(tag("p", f"{w['best'].format(kpi=kpi)}: {w['best_line'].format(names=survivors, n=best['n'])}"))
        return out

    # -- charts ------------------------------------------------------------------------------------------

    def _charts(self) -> list[Markup]:
        w = self.word
        rows = []
        for a in self.answers:
            s = a["summary"]
            if s["base"] and s["low"] is not None:
                low, mid, high = (100 * s[k] / abs(s["base"]) for k in ("low", "difference", "high"))
                rows.append({"title": self._title(a), "low": low, "mid": mid, "high": high, "verdict": a["verdict"]})
        out: list[Markup] = []
        if rows:
            chart = intervals(rows, "%", w["intervals"])
            out.append(tag("figure", chart, tag("figcaption", w["intervals"])))
        first = next((a for a in self.answers if a["verdict"] in ("better", "worse", "different")), None)
        first = first or (self.answers[0] if self.answers else None)
        if first is not None and len(first["pairs"]) > 1:
            said = w["pairs_chart"].format(title=self._title(first))
            names = (self.result["base"]["name"], self.variant["name"])
            out.append(tag("figure", pairs(first["pairs"], names, first["unit"], said), tag("figcaption", said)))
        return out

    def _folders(self) -> list[tuple[int, Path, Path]]:
        """Return (seed, base's run folder, variant's), for pairs that are both finished."""
        sides = (str(self.result["base"]["folder"]), str(self.variant["folder"]))
        if any(Path(name).name != name for name in sides):  # a name may not lead out of the folder
            return []
        out = []
        for seed, digests in self.variant["digests"].items():
            if None not in digests:
                a, b = (self.folder / "runs" / name / f"{int(seed):04d}" for name in sides)
                if (a / "events.parquet").is_file() and (b / "events.parquet").is_file():
                    out.append((int(seed), a, b))
        return out

    def _map(self) -> list[Markup]:
        there = self._folders()[:MAP_PAIRS]
        if self.city is None or not there:
            return []
        return difference_map([(a, b) for _, a, b in there], self.city, self.word, str(self.variant["folder"]))

    # -- why ---------------------------------------------------------------------------------------------

    def _why(self) -> list[Markup]:
        w = self.word
        there = self._folders()
        if not there or self.variant["same"]:
            return []
        seed, a, b = there[0]
        changed, moved, both = trips(a, b)
        parts = [tag("h2", w["why"]), tag("p", w["why_pair"].format(seed=seed, changed=moved, both=both))]
        names = (self.result["base"]["name"], self.variant["name"])
        rows = [
            tag(
                "tr",
                tag("td", trip_line(t.resident, t.trip, t.mode, t.purpose, self.lang)),
                tag("td", when(t.set_out_s)),
                tag("td", f"{t.base_s / 60:.1f} min"),
                tag("td", f"{t.variant_s / 60:.1f} min"),
                tag("td", f"{(t.variant_s - t.base_s) / 60:+.1f} min".replace("-", "−")),
            )
            for t in changed
        ]
        if rows:
            head = tag("tr", *(tag("th", x) for x in (w["trip"], w["set_out"], *names, "Δ")))
            parts.append(tag("table", tag("thead", head), tag("tbody", *rows)))
        kinds = more_or_fewer(a, b)
        if kinds:
            head = tag("tr", *(tag("th", x) for x in (w["fact"], *names, "Δ")))
            body = [
                tag(
                    "tr",
                    tag("td", k),
                    tag("td", f"{x:,}"),
                    tag("td", f"{y:,}"),
                    tag("td", f"{y - x:+,}".replace("-", "−")),
                )
                for k, x, y in kinds
            ]
            parts += [tag("h3", w["facts"]), tag("table", tag("thead", head), tag("tbody", *body))]
        return parts

    def _rare(self) -> list[Markup]:
        w = self.word
        said = []
        for a in self.answers:
            if a["better"] != "lower":
                continue
            for k, name in ((1, self.result["base"]["name"]), (2, self.variant["name"])):
                if a["pairs"] and all(p[k] == 0 for p in a["pairs"]):
                    n = len(a["pairs"])
                    said.append(w["rare_line"].format(title=self._title(a), n=n, name=name, p=100 * at_most(n)))
        return [tag("h2", w["rare"]), tag("ul", *(tag("li", x) for x in said))] if said else []

    # -- what changed ------------------------------------------------------------------------------------

    def _changed(self) -> list[Markup]:
        w = self.word
        sentences: list[str] = []
        if self.scenarios is not None:
            sentences = difference(*self.scenarios, self.lang)
        data = changes(self.base_data, self.data)
        if not data:
            return [tag("h2", w["changed"]), tag("p", w["nothing_changed"])]
        parts = [tag("h2", w["changed"])]
        if sentences:
            parts.append(tag("ul", *(tag("li", s) for s in sentences)))
        return [*parts, tag("h3", w["yaml"]), tag("pre", as_yaml(data))]


WORDS_ONLY = ("name", "title", "title_zh", "question", "question_zh")


def changes(base: Mapping[str, Any], variant: Mapping[str, Any], top: bool = True) -> dict[str, Any]:
    """Return the keys of a variant that differ from the base, mappings key by key; names and titles aside."""
    out: dict[str, Any] = {}
    for key in variant:
        if top and key in WORDS_ONLY:
            continue
        a, b = base.get(key), variant[key]
        if a == b:
            continue
        out[key] = changes(a, b, top=False) if isinstance(a, dict) and isinstance(b, dict) else b
    return out


def as_yaml(data: Any) -> str:
    """Return plain data as YAML text, as a scenario would write it."""
    import io

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue().rstrip()


def _seconds(value: Any) -> int:
    """Return a time of day as seconds: "06:30" or 23400."""
    if isinstance(value, str) and ":" in value:
        hours, minutes = value.split(":")[:2]
        return 3600 * int(hours) + 60 * int(minutes)
    return int(value or 0)
