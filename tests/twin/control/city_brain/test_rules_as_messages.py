"""Rules as a message, the shipped rules and their tests, statistical detectors as a desk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scenarios
from scenarios.rule_tests import load_tests, run_test
from scenarios.rules import find_rules, load_rules
from tests.twin.control.city_brain.made_alerts import channel_map, engine, play, raised, readings, rule, series
from twin.control.city_brain.alerting.engine import AlertEngine
from twin.control.city_brain.alerting.rules import (
    Confirm,
    Flap,
    Inhibition,
    Join,
    Notice,
    RuleBook,
    Step,
    from_json,
    to_json,
)
from twin.control.city_brain.anomalies import AnomalyDesk
from twin.domain.city_brain import THEMES, AlertRules, ChannelMap, RaiseAlert, Readings, ResolveAlert
from twin.domain.commands import WakeAt
from twin.domain.wire import decode, encode
from twin.errors import ScenarioError
from twin.world.sensors.channel_kinds import CHANNEL_KINDS

SHIPPED = Path(scenarios.__file__).parent / "rules"


def test_a_rule_book_survives_as_json():
    full = rule(
        "a", join=Join(1, 60, "grid"), confirm=Confirm(30, "b", "", 50.0, True, "raise"), flap=Flap(3, 1800),
        labels=(("theme", "water"),), notice=Notice("x", ("grid",), 10, 60, (Step(300, "y"),)),
    )  # fmt: skip
    book = RuleBook((full, rule("b")), (Inhibition("b", ("a",), ("grid",)),), 7, 120, 10)
    assert from_json(to_json(book)) == book
    standard = load_rules(find_rules("standard"))
    assert from_json(to_json(standard)) == standard


def test_an_engine_without_arguments_learns_its_rules_and_does_as_one_that_was_made_with_them():
    made = engine(rule())
    told = AlertEngine()
    message = decode(encode(AlertRules(0, "rules", to_json(made.book))))
    told.decide(0, [message, channel_map()])
    post = series(0, [5, 1, 5])
    assert raised(play(told, post, 300)) == raised(play(made, post, 300)) != []


def test_looking_every_ten_seconds_changes_when_it_is_told_and_not_what():
    post = {t: [readings(t, (0, t - 3, 5.0))] for t in (63, 123)} | {183: [readings(183, (0, 180, 1.0))]}
    often, seldom = (engine(rule(late_s=10), look_s=n) for n in (1, 10))

    def awake(control):
        """Call the engine only with post or when it asked for it."""
        wakes, out, t = set(), [], 0
        while t < 600:
            t += 1
            if t in post or t in wakes:
                for c in control.decide(t, post.get(t, [])):
                    (wakes.add(c.t_s) if isinstance(c, WakeAt) else out.append((t, c)))
        return out, wakes

    told, wakes = awake(seldom)
    exact, _ = awake(often)
    strip = lambda out: [(c.key, getattr(c, "since_s", 0)) for _, c in out]  # noqa: E731
    assert strip(told) == strip(exact) != []
    assert all(t % 10 == 0 for t in wakes)
    assert all(0 <= a - b < 10 for (a, _), (b, _) in zip(told, exact, strict=True))


@pytest.mark.parametrize("name", ["example", "standard"])
def test_shipped_rules_pass_their_own_tests(name):
    tests = load_tests(SHIPPED / f"{name}_tests.yaml")
    assert {t.name: run_test(tests, t) for t in tests.tests} == {t.name: [] for t in tests.tests}


def test_every_theme_has_a_shipped_rule_and_every_device_one_for_its_silence():
    book = load_rules(find_rules("standard"))
    assert set(THEMES) <= {dict(r.labels).get("theme") for r in book.rules}
    silent = " ".join(r.query for r in book.rules if r.kind == "silent")
    assert {k.kind for k in CHANNEL_KINDS} == {k for k in {k.kind for k in CHANNEL_KINDS} if f"kind:{k}" in silent}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("standrad", "there are no rules 'standrad'; known: example, standard, or the path of a .yaml file"),
        ("mine.yaml", "there is no file mine.yaml"),
    ],
)
def test_rules_that_are_not_there_are_told_in_a_sentence(name, words):
    with pytest.raises(ScenarioError, match=words):
        find_rules(name)


# -- statistical detectors as a desk ---------------------------------------------------------------------


def lamps(n: int = 3) -> ChannelMap:
    told = channel_map(n, period=300, kinds=("lamp",))
    return ChannelMap(**{**told.__dict__, "tag": ("theme:road",) * n})


def fed(level, days: float = 3.0):
    """Three lamps read every five minutes; ``level(channel, t)`` on top of noise; commands with their second."""
    desk = AnomalyDesk()
    desk.decide(0, [lamps()])
    rng = np.random.default_rng(3)
    out = []
    for t in range(300, int(days * 86_400), 300):
        value = 100.0 + rng.normal(size=3) + [level(c, t) for c in range(3)]
        one = Readings(t, f"r/{t}", np.arange(3), np.full(3, t), np.full(3, t), value, np.zeros(3, np.int64))
        out += [(t, c) for c in desk.decide(t, [one, one])]  # everything comes twice
    return out


def test_a_shift_is_one_anomaly_that_ends_when_it_is_over():
    began, over = 2 * 86_400, 2 * 86_400 + 6 * 3600
    out = fed(lambda c, t: 12.0 if c == 1 and began <= t < over else 0.0)
    about = [(t, c) for t, c in out if isinstance(c, RaiseAlert) and "c1" in c.alert and began <= t < over]
    assert len(about) == 1
    t, first = about[0]
    assert t - began <= 3600
    assert (first.rule, first.severity, first.channel.tolist()) == ("anomaly", "Minor", [1])
    assert "theme=road" in first.labels
    ends = [(t, c) for t, c in out if isinstance(c, ResolveAlert) and c.refers_to == first.key]
    assert len(ends) == 1
    assert ends[0][0] >= over - 3600


def test_quiet_channels_alarm_at_no_more_than_the_stated_rate():
    out = fed(lambda c, t: 0.0)
    # 3 channels × 3 days at one in thirty days: 0.3 expected; 4 would come once in 10⁵ times (Poisson)
    assert sum(isinstance(c, RaiseAlert) for _, c in out) < 4
