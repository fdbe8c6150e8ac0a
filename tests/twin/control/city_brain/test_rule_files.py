"""Rules and their tests as YAML: the shipped example passes, mistakes are one sentence each; alerts as CAP 1.2."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import scenarios
from scenarios.exports.cap import NAMESPACE, documents
from scenarios.rule_tests import load_tests, run_test
from scenarios.rules import load_rules, parse_rules
from tests.twin.control.city_brain.made_alerts import engine, play, rule, series
from twin.cli import app
from twin.control.city_brain.alerting.rules import (
    Confirm,
    Flap,
    Inhibition,
    Join,
    Notice,
    Rule,
    RuleBook,
    Step,
    Unsure,
    from_json,
    to_json,
)
from twin.domain.city_brain import RaiseAlert
from twin.errors import ScenarioError

SHIPPED = Path(scenarios.__file__).parent / "rules"
ASKS = "    confirm: {person: true, within: 60 s}\n"
GOOD = "rules:\n  - name: a\n    channels: kind:level\n    above: 4\n"


def test_every_key_arrives():
    text = """
alerts_a_minute: 7
clock_ahead: 2 min
rules:
  - {name: a, channels: "kind:level & !fault", above: 4, clear: 3.5, of_last: {k: 2, n: 3}, for: 90 s, clear_for: 2 min,
     stale: 1 h, gap: hold, late: 0, expire: 1 d, severity: Extreme, text: 水位, labels: {owner: 水务},
     join: {k: 3, by: grid, within: 60 s}, confirm: {rule: b, near_m: 50, within: 30 s, otherwise: raise},
     flap: {episodes: 3, within: 30 min},
     notify: {to: x, group_by: [grid], wait: 10 s, interval: 1 min, escalate: [{after: 5 min, to: y}]}}
  - {name: b, channels: grid:g1, silent: 10 min}
inhibit: [{source: b, targets: [a], equal: [grid]}]
"""
    a = Rule(
        "a", "kind:level & !fault", "above", 4.0, 3.5, 2, 3, 90, 120, 3600, "hold", 0, 86400, "Extreme", "水位",
        (("owner", "水务"),), Join(3, 60, "grid"), Confirm(30, "b", "", 50.0, False, "raise"), Flap(3, 1800),
        Notice("x", ("grid",), 10, 60, (Step(300, "y"),)),
    )  # fmt: skip
    b = Rule("b", "grid:g1", "silent", stale_s=600)
    assert parse_rules(text) == RuleBook((a, b), (Inhibition("b", ("a",), ("grid",)),), 7, 120)


def test_a_weaker_condition_takes_from_its_rule_what_it_does_not_say():
    rest = "    clear: 3\n    of_last: {k: 2, n: 3}\n    confirm: {person: true, within: 60 s, otherwise: raise}\n"
    (r,) = parse_rules(GOOD + rest + "    unsure: {of_last: {k: 1, n: 3}}\n").rules
    assert r.unsure == Unsure(4.0, 3.0, 1, 3, Confirm(60, person=True)), "unconfirmed it is dropped"
    own = "    unsure: {above: 3.5, clear: 2, confirm: {person: true, within: 5 min}}\n"
    (r,) = parse_rules(GOOD + rest + own).rules
    assert r.unsure == Unsure(3.5, 2.0, 2, 3, Confirm(300, person=True))
    assert from_json(to_json(RuleBook((r,)))).rules == (r,), "as the message carries it"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rules: []", "rules, line 1: rules is empty; write at least one rule"),
        ("- a", "rules, line 1: the file is the list"),
        (GOOD + "    abvoe: 4\n", "rules, line 5: unknown key \"abvoe\" in rules[0]; did you mean 'above'?"),
        (GOOD + "    below: 4\n", "rules, line 2: rule 'a' has above and below; exactly one of above, below"),
        (GOOD + "    for: 90\n", "rules, line 5: rules[0].for is 90; allowed: a number of s, min, h or d"),
        (GOOD + "    severity: High\n", 'rules, line 5: rules[0].severity is "High"; allowed: Minor, Moderate, Severe'),
        (GOOD + "    clear: 5\n", "rules, line 5: rule 'a': clear is 5; allowed: at most 4"),
        (GOOD + "    gap: ok\n", 'rules, line 5: rules[0].gap is "ok"; allowed: hold, unknown, reset'),
        (GOOD + "    of_last: {k: 3, n: 2}\n", "rules, line 5: rule 'a': k is 3 and n is 2; allowed: 1 ≤ k ≤ n"),
        (GOOD + "    join: {k: 2, within: 60 s}\n", "rules, line 5: join needs one of 'by: grid'"),
        (GOOD + "    confirm: {within: 60 s}\n", "rules, line 5: rule 'a': confirm names neither a rule nor a person"),
        (GOOD + "    unsure: {above: 3}\n", "line 5: rule 'a': unsure needs 'confirm:', here or in the rule itself"),
        (GOOD + ASKS + "    unsure: {above: 5}\n", "line 6: rule 'a': unsure has the level 5; allowed: at most 4"),
        (GOOD + ASKS + "    unsure: {above: 3}\n", "line 6: rule 'a': unsure is clear at 4; allowed: at most 3"),
        (GOOD + ASKS + "    unsure: {of_last: {k: 2, n: 3}}\n", "line 6: rule 'a': unsure asks for 2 of the last 3;"),
        (GOOD + ASKS + "    unsure: {}\n", "line 6: rule 'a': unsure is the rule's own condition; give it"),
        (GOOD + ASKS + "    unsure: {below: 3}\n", 'rules, line 6: unknown key "below" in rules[0].unsure'),
        (GOOD + ASKS + "    join: {k: 2, by: grid, within: 60 s}\n    unsure: {of_last: {k: 1, n: 2}}\n",
         "line 7: rule 'a': unsure has no meaning where join wants 2 channels"),
        (GOOD + "    unsure: {above: 3, clear: 3, confirm: {within: 9 s}}\n", "confirm names neither a rule nor"),
        (GOOD + "    notify: {to: x, group_by: [grd]}\n", "rules, line 5: rule 'a': group_by has 'grd'; allowed: "),
        (GOOD + "inhibit: [{source: a, targets: [b], equal: [grid]}]\n", "line 5: inhibition: there is no rule 'b'"),
        (GOOD + "inhibit: [{source: a, targets: [a], equal: [x]}]\n", "alerts of 'a' have no label 'x'"),
        (GOOD.replace("kind:level", '"kind:level & & x"'), "line 3: rule 'a': query 'kind:level & & x', character 14"),
        (GOOD.replace("4", "!!python/object:os.system 4"), "the tag"),
        (GOOD.replace("4", ".nan"), "rules, line 4: rules[0].above is nan; allowed: a number"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_its_place(text, sentence):
    with pytest.raises(ScenarioError) as caught:
        parse_rules(text)
    said = str(caught.value).splitlines()
    assert any(sentence in s for s in said), said
    assert len(said) <= 2


def test_two_mistakes_are_two_sentences():
    with pytest.raises(ScenarioError) as caught:
        parse_rules(GOOD + "    for: soon\n    severity: High\n")
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("name", ["example", "standard"])
def test_the_shipped_rules_pass_their_tests(name):
    tests = load_tests(SHIPPED / f"{name}_tests.yaml")
    assert {t.name: run_test(tests, t) for t in tests.tests} == {t.name: [] for t in tests.tests}
    assert tests.book == load_rules(SHIPPED / f"{name}.yaml")


def test_the_command_tells_what_differs_and_ends_with_one(tmp_path):
    (tmp_path / "r.yaml").write_text(GOOD, encoding="utf-8")
    tests = """
rules: r.yaml
channels: [{name: l1, kind: level, grid: g1, period: 60 s}]
tests:
  - {name: wrong, until: 3 min, series: {l1: 1 5}, alerts: [{rule: a, raised: 60 s}], notifications: []}
  - {name: right, until: 3 min, series: {l1: 1 5}, alerts: [{rule: a, raised: 130 s, open: true}]}
"""
    (tmp_path / "t.yaml").write_text(tests, encoding="utf-8")
    done = CliRunner().invoke(app, ["rules", "test", str(tmp_path / "t.yaml")])
    assert done.exit_code == 1
    assert "FAIL  wrong\n      expected alert, but it did not come: rule a, raised_s 60" in done.stdout
    assert "alert came, but was not expected: rule a" in done.stdout
    assert "notification came, but was not expected: at_s 130, to duty desk" in done.stdout
    assert "ok    right\n1 of 2 tests passed" in done.stdout


def test_a_bad_file_of_tests_ends_with_two_and_no_traceback(tmp_path):
    (tmp_path / "r.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "t.yaml").write_text(
        "rules: r.yaml\nchannels: [{name: l1, kind: level}]\n"
        "tests: [{name: a, until: 3 min, series: {l2: 1, l1: 1 y 2}}]\n", encoding="utf-8",
    )  # fmt: skip
    done = CliRunner().invoke(app, ["rules", "test", str(tmp_path / "t.yaml")])
    assert done.exit_code == 2
    assert 'unknown key "l2" in tests[0].series; allowed: l1' in done.stderr
    assert 'tests[0].series.l1 is "y"; allowed: numbers and _' in done.stderr
    assert CliRunner().invoke(app, ["rules", "check", str(tmp_path / "none.yaml")]).exit_code == 2


@pytest.mark.parametrize(
    ("rules", "tests", "sentence"),
    [
        (GOOD.replace("kind:level", "theem:x"), "rules: r.yaml", "there is no tree 'theem'; trees: kind, place"),
        (GOOD, "rules: [r.yaml]", "line 1: rules is the list"),
        (GOOD, "rules: none.yaml", "none.yaml: there is no such file"),
    ],
)
def test_rules_that_do_not_fit_their_tests(tmp_path, rules, tests, sentence):
    (tmp_path / "r.yaml").write_text(rules, encoding="utf-8")
    rest = "\nchannels: [{name: l1, kind: level}]\ntests: [{name: a, until: 3 min, series: {l1: 1}}]\n"
    (tmp_path / "t.yaml").write_text(tests + rest, encoding="utf-8")
    done = CliRunner().invoke(app, ["rules", "test", str(tmp_path / "t.yaml")])
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


# -- CAP 1.2 ---------------------------------------------------------------------------------------------

CAP_ORDER = [
    "identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses", "code", "note",
    "references", "incidents", "info",
]  # fmt: skip
INFO_ORDER = [
    "language", "category", "event", "responseType", "urgency", "severity", "certainty", "audience", "eventCode",
    "effective", "onset", "expires", "senderName", "headline", "description", "instruction", "web", "contact",
    "parameter", "resource", "area",
]  # fmt: skip


def names(element):
    return [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]


def test_alerts_as_cap_say_exercise_in_chinese_and_refer_to_what_they_change():
    said = play(engine(rule(text="水位超警 <script>&", severity="Severe")), series(0, [5, None, None, None, 5, 1]), 400)
    found = [ElementTree.fromstring(d) for d in documents(said, datetime(2026, 1, 5))]
    get = lambda e, path: e.findtext("/".join(f"{{{NAMESPACE}}}{p}" for p in path.split("/")))  # noqa: E731
    assert [get(e, "msgType") for e in found] == ["Alert", "Update", "Update", "Cancel"]
    assert {get(e, "status") for e in found} == {"Exercise"}
    assert {get(e, "info/language") for e in found} == {"zh-CN"}
    assert get(found[0], "sent") == "2026-01-05T00:01:00+08:00"
    assert get(found[0], "info/event") == "水位超警 <script>&"
    assert get(found[0], "info/area/areaDesc") == "大桥"
    for before, after in itertools.pairwise(found):
        assert get(after, "references") == ",".join(get(before, k) for k in ("sender", "identifier", "sent"))
    for e in found:
        assert not set(" ,<&") & set(get(e, "identifier"))
        assert names(e) == sorted(names(e), key=CAP_ORDER.index), "the order of the schema"
        info = e.find(f"{{{NAMESPACE}}}info")
        assert names(info) == sorted(names(info), key=INFO_ORDER.index)


def test_cap_places_an_alert_by_its_city():
    class Flat:
        def to_wgs84(self, x, y):
            return np.float64(117.0 + x / 1e5), np.float64(36.8 + y / 1e5)

    said = [c for c in play(engine(rule()), series(1, [5]), 60) if isinstance(c[1], RaiseAlert)]
    (text,) = documents(said, datetime(2026, 1, 5), Flat())
    assert "<circle>36.800000,117.001000 0.1</circle>" in text


def test_an_update_of_nothing_is_refused():
    said = play(engine(rule()), series(0, [5, 1]), 200)
    with pytest.raises(ValueError, match="which was never raised"):
        documents(said[1:], datetime(2026, 1, 5))
