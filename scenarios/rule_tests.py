"""A city's own tests of its rules: series in, expected alerts and notifications out (``twin rules test FILE``).

The engine of the city runs, second by second; nothing is imitated. Format: ``scenarios/rules/example_tests.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scenarios.rules import load_rules
from twin.control.city_brain.alerting.engine import AlertEngine
from twin.control.city_brain.alerting.rules import RuleBook
from twin.control.city_brain.tags import QueryError, TagForest, parse
from twin.domain.city_brain import (
    ENDINGS,
    Acknowledged,
    AskConfirmation,
    ChannelMap,
    Confirmation,
    Maintenance,
    Notify,
    RaiseAlert,
    Readings,
    ResolveAlert,
)
from twin.domain.commands import Command, WakeAt
from twin.domain.messages import Message
from twin.scenario.mistakes import ScenarioProblems
from twin.scenario.rule_words import Keys, Page
from twin.scenario.yaml_file import read_yaml

_CHANNEL_KEYS = ("name", "kind", "place", "grid", "tags", "period", "unit", "x_m", "y_m")
_TEST_KEYS = ("name", "interval", "until", "series", "events", "alerts", "notifications")
_ALERT_KEYS = ("rule", "labels", "raised", "resolved", "reason", "open")
_NOTE_KEYS = ("at", "to", "raised", "resolved", "level")
_EVENT_KEYS = ("at", "acknowledge", "confirm", "reject", "labels", "by", "maintenance", "until", "rules")
_STEP = re.compile(r"(_|[-+]?[0-9]+(?:\.[0-9]+)?)(?:x([0-9]{1,5}))?\Z")
_DAY_S = 86_400


@dataclass(frozen=True)
class Wanted:
    """One expected alert or notification: its fields that are checked, and how people write it."""

    fields: dict[str, Any]

    def __str__(self) -> str:
        """Return it as words."""
        return ", ".join(f"{k} {_shown(v)}" for k, v in self.fields.items())


@dataclass(frozen=True)
class RuleTest:
    """One test; ``alerts``/``notifications`` None: not checked."""

    name: str
    until_s: int
    rows: tuple[tuple[int, int, float], ...]  # second, channel, value
    events: tuple[tuple[int, str, dict[str, Any]], ...]
    alerts: tuple[Wanted, ...] | None
    notifications: tuple[Wanted, ...] | None


@dataclass(frozen=True)
class RuleTests:
    """A file of tests with its rules and channels."""

    book: RuleBook
    channels: ChannelMap
    tests: tuple[RuleTest, ...]


def load_tests(path: Path) -> RuleTests:
    """Read a file of tests and the rules it names. Raises ScenarioProblems: one sentence for each mistake."""
    page = Page(read_yaml(path))
    keys = ("rules", "channels", "tests")
    top = page.keys((), page.tree.data, keys, keys)
    if top is None or page.problems:
        raise ScenarioProblems(page.problems)
    told = _channels(list(top.items("channels", _CHANNEL_KEYS, ("name", "kind"))))
    tests = tuple(_test(k, told.name) for k in top.items("tests", _TEST_KEYS, ("name", "until", "series")))
    if not tests and not page.problems:
        page.say(("tests",), "tests is empty; write at least one test")
    file = path.parent / top.text("rules", "rules.yaml")
    if page.problems:
        raise ScenarioProblems(page.problems)
    book, forest = load_rules(file), TagForest.of(told)
    for rule in book.rules:
        try:
            forest.select(parse(rule.query))
        except QueryError as error:
            page.problems.append(f"{file}: rule '{rule.name}': {error}, as the channels of {path} have them")
    if page.problems:
        raise ScenarioProblems(page.problems)
    return RuleTests(book, told, tests)


def run_test(tests: RuleTests, test: RuleTest) -> list[str]:
    """Run one test; return one sentence for each difference, none when it passes."""
    engine = AlertEngine(tests.book)
    engine.decide(0, [tests.channels])
    said: dict[int, list[tuple[int, float]]] = {}
    for t_s, channel, value in test.rows:
        said.setdefault(t_s, []).append((channel, value))
    raised: dict[str, dict[str, Any]] = {}
    notes: list[dict[str, Any]] = []
    asked: list[str] = []  # alerts that wait for a person
    for t_s in range(1, test.until_s + 1):
        messages: list[Message] = [_event(t_s, k, e, raised, asked) for k, e in enumerate(test.events) if e[0] == t_s]
        if t_s in said:
            rows = said[t_s]
            at = np.full(len(rows), t_s, dtype=np.int64)
            spoke = np.asarray([c for c, _ in rows], dtype=np.int64)
            told = np.asarray([v for _, v in rows], dtype=np.float64)
            messages.append(Readings(t_s, f"series/{t_s}", spoke, at, at, told, at * 0))
        for command in engine.decide(t_s, messages):
            if isinstance(command, AskConfirmation):
                asked.append(command.alert)
            _note(t_s, command, raised, notes)
    out: list[str] = []
    if test.alerts is not None:
        out += _compare("alert", test.alerts, list(raised.values()))
    if test.notifications is not None:
        out += _compare("notification", test.notifications, notes)
    return out


# -- reading -----------------------------------------------------------------------------------------


def _channels(found: Sequence[Keys]) -> ChannelMap:
    n = len(found)
    tags = [(i, tag) for i, k in enumerate(found) for tag in k.texts("tags")]
    names = tuple(k.text("name") for k in found)
    for i, k in enumerate(found):
        if names[i] in names[:i]:
            k.page.say((*k.path, "name"), f"two channels are called '{names[i]}'")
    return ChannelMap(
        0, "channels", np.arange(n), names, tuple(k.text("kind") for k in found), tuple(k.text("place") for k in found),
        tuple(k.text("grid") for k in found), np.asarray([k.number("x_m") for k in found], dtype=np.float64),
        np.asarray([k.number("y_m") for k in found], dtype=np.float64), tuple(k.text("unit") for k in found),
        np.asarray([k.seconds("period") for k in found], dtype=np.int64),
        np.asarray([i for i, _ in tags], dtype=np.int64), tuple(tag for _, tag in tags),
    )  # fmt: skip


def _test(k: Keys, names: tuple[str, ...]) -> RuleTest:
    interval_s = k.seconds("interval", 60) or 60
    until_s = k.seconds("until")
    if not 0 < until_s <= _DAY_S and "until" in k:
        k.page.wrong((*k.path, "until"), k.data["until"], "1 s to 24 h")
    series = k.inner("series", names)
    rows: list[tuple[int, int, float]] = []
    for name in series.data if series is not None else ():
        if series is not None and name in names:
            rows += _series(series, name, names.index(name), interval_s)
    events = tuple(_read_event(e) for e in k.items("events", _EVENT_KEYS, ("at",)))
    alerts = tuple(_alert(a) for a in k.items("alerts", _ALERT_KEYS, ("rule",))) if "alerts" in k else None
    notes = tuple(_notification(a) for a in k.items("notifications", _NOTE_KEYS)) if "notifications" in k else None
    return RuleTest(k.text("name"), until_s, tuple(rows), events, alerts, notes)


def _series(k: Keys, name: str, channel: int, interval_s: int) -> list[tuple[int, int, float]]:
    rows: list[tuple[int, int, float]] = []
    t_s = 0
    for word in str(k.data[name]).split():
        step = _STEP.match(word)
        if step is None:
            k.page.wrong((*k.path, name), word, "numbers and _, each with x and how often, such as 0.9x3")
            return []
        for _ in range(int(step.group(2) or 1)):
            t_s += interval_s
            if step.group(1) != "_":
                rows.append((t_s, channel, float(step.group(1))))
    return rows


def _read_event(k: Keys) -> tuple[int, str, dict[str, Any]]:
    kinds = [what for what in ("acknowledge", "confirm", "reject", "maintenance") if what in k]
    if len(kinds) != 1:
        k.page.say(k.path, "an event needs exactly one of acknowledge, confirm, reject (a rule), maintenance (a query)")
        return 0, "", {}
    about = {"about": k.text(kinds[0]), "labels": dict(k.pairs("labels")), "by": k.text("by", "test")}
    return k.seconds("at"), kinds[0], {**about, "until_s": k.seconds("until"), "rules": k.texts("rules")}


def _alert(k: Keys) -> Wanted:
    fields: dict[str, Any] = {"rule": k.text("rule")}
    if "labels" in k:
        fields["labels"] = dict(k.pairs("labels"))
    fields |= {f"{key}_s": k.seconds(key) for key in ("raised", "resolved") if key in k}
    if "reason" in k:
        fields["reason"] = k.word("reason", ENDINGS, "")
    if "open" in k:
        fields["open"] = k.truth("open")
    return Wanted(fields)


def _notification(k: Keys) -> Wanted:
    fields: dict[str, Any] = {"at_s": k.seconds("at")} if "at" in k else {}
    if "to" in k:
        fields["to"] = k.text("to")
    return Wanted(
        {**fields, "raised": k.texts("raised"), "resolved": k.texts("resolved"), "level": k.whole("level", 0, 99, 0)}
    )


# -- running -----------------------------------------------------------------------------------------


def _event(
    t_s: int, number: int, event: tuple[int, str, dict[str, Any]], raised: dict[str, Any], asked: Sequence[str]
) -> Message:
    _, what, e = event
    key = f"event/{number}"
    if what == "maintenance":
        return Maintenance(t_s, key, key, t_s, e["until_s"], e["about"], e["rules"], "test")
    alert = next(
        (a["alert"] for a in reversed(raised.values()) if _fits({"rule": e["about"], "labels": e["labels"]}, a)), ""
    )
    if not alert:  # not raised yet: it may wait to be confirmed
        words = [f'{name}="{value}"' for name, value in e["labels"].items()]
        waits = (a for a in reversed(asked) if a.startswith(e["about"] + "{") and all(w in a for w in words))
        alert = next(waits, "")
    if what == "acknowledge":
        return Acknowledged(t_s, key, alert, e["by"])
    return Confirmation(t_s, key, alert, what == "confirm", e["by"])


def _note(t_s: int, command: Command, raised: dict[str, dict[str, Any]], notes: list[dict[str, Any]]) -> None:
    if isinstance(command, WakeAt):
        return
    if isinstance(command, RaiseAlert):
        labels = dict(pair.split("=", 1) for pair in command.labels)
        raised[command.key] = {"alert": command.alert, "rule": command.rule, "labels": labels, "raised_s": t_s}
        raised[command.key]["open"] = True
    elif isinstance(command, ResolveAlert):
        key = f"raise/{command.alert}#{command.episode}"
        raised[key] |= {"resolved_s": t_s, "reason": command.reason, "open": False}
    elif isinstance(command, Notify):
        named = {"raised": tuple(raised[k]["rule"] for k in command.raised)}
        named["resolved"] = tuple(raised[k]["rule"] for k in command.resolved)
        notes.append({"at_s": t_s, "to": command.to, **named, "level": command.level})


def _fits(wanted: dict[str, Any], got: dict[str, Any]) -> bool:
    return all(
        all(got.get(k, {}).get(n) == x for n, x in v.items()) if k == "labels" else got.get(k) == v
        for k, v in wanted.items()
    )


def _compare(what: str, wanted: Sequence[Wanted], got: list[dict[str, Any]]) -> list[str]:
    """Pair what was wanted with what came; the rest of both is a difference each."""
    left = list(got)
    out: list[str] = []
    for w in wanted:
        found = next((g for g in left if _fits(w.fields, g)), None)
        if found is None:
            out.append(f"expected {what}, but it did not come: {w}")
        else:
            left.remove(found)
    return out + [f"{what} came, but was not expected: {_words(g)}" for g in left]


def _words(got: dict[str, Any]) -> str:
    return str(Wanted({k: v for k, v in got.items() if k != "alert"}))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {v}" for k, v in value.items()) + "}"
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, tuple) else str(value)
