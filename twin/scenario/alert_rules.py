"""A city's alerting rules as YAML → the rule book that the engine runs; see ``scenarios/rules/example.yaml``.

Each rule has one condition: ``above``, ``below`` (of the value), ``rise``, ``fall`` (of its change per minute), or
``silent`` (a duration without a usable reading).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from twin.control.city_brain.alerting.rules import (
    GAPS,
    KINDS,
    Confirm,
    Flap,
    Inhibition,
    Join,
    Kind,
    Notice,
    Rule,
    RuleBook,
    Step,
    Unsure,
    problems,
)
from twin.domain.city_brain import SEVERITIES
from twin.errors import ScenarioError
from twin.scenario.mistakes import ScenarioProblems
from twin.scenario.rule_words import Keys, Page
from twin.scenario.yaml_file import Tree, parse_yaml, read_yaml

FILE_KEYS = ("rules", "inhibit", "alerts_a_minute", "clock_ahead", "look_every")
RULE_KEYS = (
    "name", "channels", *KINDS, "clear", "of_last", "for", "clear_for", "stale", "gap", "late", "expire",
    "severity", "text", "labels", "join", "confirm", "unsure", "flap", "notify",
)  # fmt: skip
CONFIRM_KEYS = ("rule", "by", "near_m", "person", "within", "otherwise")
NOTIFY_KEYS = ("to", "group_by", "wait", "interval", "escalate")
PLACES = ("grid", "place")


def shipped_rules() -> dict[str, Path]:
    """Return the shipped sets of rules: name → file. Found by the package's name, as the catalogue is."""
    spec = find_spec("scenarios")
    folders = [Path(f) / "rules" for f in spec.submodule_search_locations or []] if spec else []
    return {f.stem: f for folder in folders for f in sorted(folder.glob("*.yaml")) if not f.stem.endswith("_tests")}


def find_rules(name: str) -> Path:
    """Return the file of a shipped set by name, or of a path. Raises ScenarioError: there is neither."""
    known = shipped_rules()
    if name in known:
        return known[name]
    if name.endswith((".yaml", ".yml")):
        if Path(name).is_file():
            return Path(name)
        raise ScenarioError(f"there is no file {name}")
    raise ScenarioError(f"there are no rules '{name}'; known: {', '.join(known)}, or the path of a .yaml file")


def load_rules(path: Path) -> RuleBook:
    """Read a rules file. Raises ScenarioProblems: one sentence for each mistake."""
    try:
        now = path.stat()
    except (OSError, ValueError):
        return read_book(read_yaml(path))  # which says what is wrong
    return _read(path, now.st_mtime_ns, now.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, mtime_ns: int, size: int) -> RuleBook:  # noqa: ARG001
    """Read a file once as long as it stays as it is: a run looks at its rules several times, a search runs many."""
    return read_book(read_yaml(path))


def parse_rules(text: str, source: str = "rules") -> RuleBook:
    """Read rules from YAML text."""
    return read_book(parse_yaml(text, source))


def read_book(tree: Tree) -> RuleBook:
    """Turn the data of a rules file into a rule book."""
    page = Page(tree)
    top = page.keys((), tree.data, FILE_KEYS, ("rules",))
    if top is None:
        raise ScenarioProblems(page.problems)
    rules = [_rule(k) for k in top.items("rules", RULE_KEYS, ("name", "channels"))]
    inhibitions = [
        Inhibition(k.text("source"), k.texts("targets"), k.texts("equal"))
        for k in top.items("inhibit", ("source", "targets", "equal"), ("source", "targets", "equal"))
    ]
    limit = top.whole("alerts_a_minute", 1, 1_000_000, 600)
    ahead_s = top.seconds("clock_ahead", 60)
    look_s = top.seconds("look_every", 1)
    if "look_every" in top and not 1 <= look_s <= 600:
        page.wrong(("look_every",), top.data["look_every"], "1 s to 10 min")
    if not rules and not page.problems:
        page.say((), "rules is empty; write at least one rule")
    if not page.problems:
        for (part, index, key), text in problems(rules, inhibitions):
            page.say((part, index, key), text)
    if page.problems:
        raise ScenarioProblems(page.problems)
    return RuleBook(tuple(rules), tuple(inhibitions), limit, ahead_s, look_s)


def _rule(k: Keys) -> Rule:
    kind = _kind(k)
    silent = kind == "silent"
    level = 0.0 if silent else k.number(kind)
    votes = k.inner("of_last", ("k", "n"), ("k", "n"))
    stale_s = k.seconds("silent") if silent else k.seconds("stale")
    for key in ("clear", "stale", "of_last") if silent else ():
        if key in k:
            k.page.say((*k.path, key), f"rule '{k.text('name')}': {key} has no meaning for a rule with silent")
    if silent and stale_s == 0 and "silent" in k:
        k.page.wrong((*k.path, "silent"), k.data["silent"], "at least 1 s")
    clear = k.number("clear", level)
    of_last = (votes.whole("k", 1, 64, 1), votes.whole("n", 1, 64, 1)) if votes else (1, 1)
    confirm = _confirm(k)
    return Rule(
        name=k.text("name"), query=k.text("channels"), kind=kind, level=level, clear=clear,
        k=of_last[0], n=of_last[1], hold_s=k.seconds("for"), clear_s=k.seconds("clear_for"), stale_s=stale_s,
        gap=cast(Any, k.word("gap", GAPS, "unknown")), late_s=k.seconds("late", 10), expire_s=k.seconds("expire"),
        severity=k.word("severity", SEVERITIES, "Moderate"), text=k.text("text"), labels=k.pairs("labels"),
        join=_join(k), confirm=confirm, unsure=_unsure(k, kind, level, clear, of_last, confirm), flap=_flap(k),
        notice=_notice(k),
    )  # fmt: skip


def _kind(k: Keys) -> Kind:
    given = [kind for kind in KINDS if kind in k]
    if len(given) != 1:
        said = f"has {' and '.join(given)}" if given else "has no condition"
        k.page.say(k.path, f"rule '{k.data.get('name')}' {said}; exactly one of {', '.join(KINDS)} is allowed")
    return given[0] if given else "above"


def _spot(k: Keys) -> tuple[str, float]:
    """Return what is near: a shared label, or metres."""
    by, near_m = k.word("by", PLACES, ""), k.number("near_m")
    if ("by" in k) == ("near_m" in k):
        k.page.say(k.path, f"{k.path[-1]} needs one of 'by: grid', 'by: place', 'near_m: 200'")
    elif "near_m" in k and near_m <= 0:
        k.page.wrong((*k.path, "near_m"), k.data["near_m"], "more than 0 metres")
    return by, near_m


def _join(k: Keys) -> Join | None:
    j = k.inner("join", ("k", "within", "by", "near_m"), ("k", "within"))
    return None if j is None else Join(j.whole("k", 1, 1000, 1), j.seconds("within"), *_spot(j))


def _confirm(k: Keys) -> Confirm | None:
    c = k.inner("confirm", CONFIRM_KEYS, ("within",))
    if c is None:
        return None
    by, near_m = _spot(c) if "rule" in c else ("", 0.0)
    otherwise = c.word("otherwise", ("raise", "drop"), "drop")
    return Confirm(c.seconds("within"), c.text("rule"), by, near_m, c.truth("person"), cast(Any, otherwise))


def _unsure(
    k: Keys, kind: Kind, level: float, clear: float, of_last: tuple[int, int], confirm: Confirm | None
) -> Unsure | None:
    """Return the weaker condition of a rule; what it does not say is as in the rule, but unconfirmed it is dropped."""
    u = k.inner("unsure", (kind, "clear", "of_last", "confirm"))
    if u is None:
        return None
    votes = u.inner("of_last", ("k", "n"), ("k", "n"))
    weak = (votes.whole("k", 1, 64, 1), votes.whole("n", 1, 64, 1)) if votes else of_last
    asks = _confirm(u) if "confirm" in u else replace(confirm, otherwise="drop") if confirm is not None else None
    if asks is None:
        if "confirm" not in u:
            k.page.say(u.path, f"rule '{k.text('name')}': unsure needs 'confirm:', here or in the rule itself")
        return None
    return Unsure(u.number(kind, level), u.number("clear", clear), *weak, asks)


def _flap(k: Keys) -> Flap | None:
    f = k.inner("flap", ("episodes", "within"), ("episodes", "within"))
    return None if f is None else Flap(f.whole("episodes", 1, 1000, 1), f.seconds("within"))


def _notice(k: Keys) -> Notice:
    n = k.inner("notify", NOTIFY_KEYS, ("to",))
    if n is None:
        return Notice()
    steps = tuple(Step(s.seconds("after"), s.text("to")) for s in n.items("escalate", ("after", "to"), ("after", "to")))
    return Notice(n.text("to"), n.texts("group_by"), n.seconds("wait"), n.seconds("interval", 300), steps)
