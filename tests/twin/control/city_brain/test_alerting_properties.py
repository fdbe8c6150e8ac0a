"""Properties over random days with every feature of the rules in use at once."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.city_brain.made_alerts import channel_map, readings, rule
from twin.control.city_brain.alerting.engine import AlertEngine
from twin.control.city_brain.alerting.rules import Confirm, Flap, Inhibition, Join, Notice, RuleBook, Step, Unsure
from twin.domain.city_brain import (
    Acknowledged,
    AskConfirmation,
    Confirmation,
    DropAlert,
    Maintenance,
    Notify,
    RaiseAlert,
    ResolveAlert,
    UpdateAlert,
)
from twin.domain.commands import WakeAt
from twin.domain.wire import decode, encode

STEPS = (Step(40, "chief"), Step(70, "mayor"))
BOOK = RuleBook(
    (
        rule("high", late_s=4, hold_s=20, clear_s=15, stale_s=60, notice=Notice("desk", ("grid",), 7, 50, STEPS)),
        rule("flood", level=4.5, clear=4.5, late_s=4, expire_s=90, severity="Extreme", notice=Notice("desk")),
        rule("both", late_s=4, join=Join(2, 30, by="grid"), gap="reset", stale_s=50),
        rule("near", late_s=2, join=Join(2, 30, near_m=150.0), flap=Flap(1, 100)),
        rule("sure", late_s=4, k=2, n=3, gap="hold", stale_s=60, severity="Severe",
             confirm=Confirm(25, "both", near_m=500.0, person=True, otherwise="raise"), flap=Flap(2, 200),
             unsure=Unsure(3.7, 3.5, 1, 4, Confirm(40, "high", near_m=150.0))),
        rule("asked", late_s=4, confirm=Confirm(25, person=True)),
        rule("doubt", late_s=4, hold_s=20, clear_s=15, join=Join(1, 60, by="grid"),
             unsure=Unsure(4.0, 3.5, 1, 2, Confirm(30, person=True))),
        rule("silent", kind="silent", stale_s=45, severity="Minor"),
    ),
    (Inhibition("flood", ("high",), ("grid",)),),
    raises_per_min=6,
)  # fmt: skip
NAMES = [f'{{channel="c{k}",grid="g{k // 2 + 1}",kind="level",place="大桥"}}' for k in range(4)]

rows = st.tuples(
    st.just("reading"), st.integers(1, 300), st.integers(0, 3), st.sampled_from([1.0, 3.8, 4.2, 5.0, 5.0]),
    st.integers(0, 6),
)  # fmt: skip
words = st.one_of(
    st.tuples(st.just("ack"), st.integers(1, 300), st.sampled_from(["high", "sure"]), st.integers(0, 3)),
    st.tuples(
        st.just("answer"), st.integers(1, 300), st.sampled_from(["asked", "sure", "doubt"]), st.integers(0, 3),
        st.booleans(),
    ),
    st.tuples(st.just("window"), st.integers(1, 200), st.integers(1, 150), st.sampled_from(["grid:g1", "!grid:g1"])),
)  # fmt: skip
days = st.lists(st.one_of(rows, rows, rows, words), max_size=80)
END = 700


def post(day):
    out: dict[int, list] = {}
    for k, (what, t, *rest) in enumerate(day):
        if what == "reading":
            channel, value, delay = rest
            out.setdefault(t + delay, []).append(readings(t + delay, (channel, t, value), key=f"{k}"))
        elif what == "ack":
            out.setdefault(t, []).append(Acknowledged(t, f"{k}", rest[0] + NAMES[rest[1]], "duty"))
        elif what == "answer":
            name = f'{{grid="g{rest[1] // 2 + 1}"}}' if rest[0] == "doubt" else NAMES[rest[1]]
            out.setdefault(t, []).append(Confirmation(t, f"{k}", rest[0] + name, rest[2], "grid worker"))
        else:
            out.setdefault(t, []).append(Maintenance(t, f"{k}", f"w{k}", t, t + rest[0], rest[1], (), "works"))
    return out


def run(day, always):
    """Call the engine each second, or only when there is post or it asked to be woken."""
    engine, given_, out, wakes = AlertEngine(BOOK), post(day), [], {0}
    for t in range(END + 1):
        messages = ([channel_map()] if t == 0 else []) + given_.get(t, [])
        if always or messages or t in wakes or t == END:
            for c in engine.decide(t, messages):
                if isinstance(c, WakeAt):
                    assert c.t_s > t
                    wakes.add(c.t_s)
                else:
                    out.append((t, c))
    return out


@given(days)
@settings(max_examples=40)
def test_woken_is_as_good_as_called_each_second(day):
    """Nothing happens between the seconds the engine asked for, and what happens then happens in its own second."""
    assert [(t, repr(c)) for t, c in run(day, False)] == [(t, repr(c)) for t, c in run(day, True)]


@given(days)
@settings(max_examples=40)
def test_no_episode_is_lost(day):
    out = run(day, False)
    keys = [c.key for _, c in out]
    assert len(set(keys)) == len(keys), "no two commands share a key"
    for _, c in out:
        assert repr(decode(json.loads(json.dumps(encode(c), allow_nan=False)))) == repr(c)
    last: dict[str, tuple[int, str]] = {}
    told: set[str] = set()
    for t, c in out:
        if isinstance(c, RaiseAlert):
            assert c.raised_s == t
            assert c.since_s <= t
            assert c.alert not in last, "one open episode of an alert at a time"
            last[c.alert] = (c.episode, c.key)
        elif isinstance(c, UpdateAlert | ResolveAlert):
            assert (c.episode, c.refers_to) == last[c.alert], "each refers to what was said before it"
            last[c.alert] = (c.episode, c.key)
            if isinstance(c, ResolveAlert):
                del last[c.alert]
        elif isinstance(c, DropAlert):
            assert c.reason
        elif isinstance(c, Notify):
            assert c.raised or c.resolved
            assert not c.refers_to or c.refers_to in told, "what it refers to was sent"
            told.add(c.key)
    per_minute: dict[int, int] = {}
    for t, c in out:
        if isinstance(c, RaiseAlert):
            per_minute[t // 60] = per_minute.get(t // 60, 0) + 1
    assert max(per_minute.values(), default=0) <= BOOK.raises_per_min


@given(days)
@settings(max_examples=25)
def test_every_open_alert_was_told_or_has_a_reason_not_to(day):
    out = run(day, False)
    named = {k for _, c in out if isinstance(c, Notify) for k in c.raised}
    excused: set[str] = set()
    for _, c in out:
        if isinstance(c, UpdateAlert) and c.what in ("inhibited", "flapping"):
            excused.add(c.alert)
    for t, c in out:
        if isinstance(c, RaiseAlert) and t < END - 300:
            assert c.key in named or c.alert in excused


DOUBT = RuleBook(
    (
        rule("doubt", late_s=4, unsure=Unsure(3.7, 3.5, 1, 1, Confirm(30, person=True))),
        rule("other", late_s=4, join=Join(1, 60, by="grid"),
             unsure=Unsure(3.7, 3.5, 1, 2, Confirm(30, "doubt", "grid"))),
    )
)  # fmt: skip
glimpses = st.tuples(
    st.just("reading"), st.integers(1, 300), st.integers(0, 3), st.sampled_from([1.0, 3.8, 3.8]), st.integers(0, 4)
)
answers = st.tuples(st.just("answer"), st.integers(1, 330), st.just("doubt"), st.integers(0, 3), st.booleans())


@given(st.lists(st.one_of(glimpses, glimpses, answers), max_size=60))
@settings(max_examples=60)
def test_what_is_only_unsure_is_raised_by_nobodys_word_but_a_second_ones(day):
    """No reading is above 4, so nothing is sure: each alert has its yes, or another channel of its grid that saw it."""
    engine, given_ = AlertEngine(DOUBT), post(day)
    yes = {(t, "doubt" + NAMES[k]) for what, t, *rest in day if what == "answer" for k in [rest[1]] if rest[2]}
    seen = [(t, k // 2, k) for what, t, *rest in day if what == "reading" and rest[1] > 3.7 for k in [rest[0]]]
    questions, ends = [], []
    for t in range(END + 1):
        for c in engine.decide(t, ([channel_map()] if t == 0 else []) + given_.get(t, [])):
            if isinstance(c, RaiseAlert) and c.rule == "doubt":
                assert (t, c.alert) in yes
            elif isinstance(c, RaiseAlert):
                mine = set(c.channel.tolist())
                grid = min(mine) // 2
                assert any(g == grid and {k} != mine and abs(at - t) <= 30 + 4 + 180 for at, g, k in seen)
            if isinstance(c, AskConfirmation):
                questions.append((c.alert, c.episode))
            if isinstance(c, DropAlert) or (isinstance(c, RaiseAlert) and c.rule == "doubt"):
                ends.append((c.alert, c.episode))
    assert len(set(questions)) == len(questions), "asked once for each episode"
    assert set(questions) <= set(ends), "every question ends in an alert or in a reason"
