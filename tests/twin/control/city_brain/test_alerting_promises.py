"""The twelve promises of trusted alerting, one test each (and more where one is not enough)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.control.city_brain.made_alerts import (
    channel_map,
    engine,
    merge,
    notified,
    of,
    play,
    raised,
    readings,
    resolved,
    rule,
    series,
)  # fmt: skip
from twin.control.city_brain.alerting.engine import AlertEngine
from twin.control.city_brain.alerting.rules import Flap, Inhibition, Notice, RuleBook, Step
from twin.domain.city_brain import Acknowledged, DropAlert, DropReadings, UpdateAlert
from twin.domain.commands import WakeAt
from twin.errors import ControlError
from twin.hosts import Host

HIGH = 'high{channel="c0",grid="g1",kind="level",place="大桥"}'


def test_promise_01_identity_is_rule_and_labels():
    out = play(engine(rule()), series(0, [5, 1, 6, 1]), 300)
    assert raised(out) == [(60, HIGH, 1), (180, HIGH, 2)], "two episodes, two values, one alert"
    named = engine(rule(labels=(("owner", "水务"),)))
    assert raised(play(named, series(0, [5]), 60))[0][1] == HIGH.replace('place="', 'owner="水务",place="')
    again = play(engine(rule()), merge(series(0, [5]), series(0, [5])), 60)
    assert len(raised(again)) == 1, "the same set twice is one alert"


@pytest.mark.parametrize("hold", [0, 1, 59, 60, 61, 120, 121])
def test_promise_02_holding_time_fires_at_the_first_second_not_earlier_not_later(hold):
    out = play(engine(rule(hold_s=hold)), series(0, [5] * 5), 360)
    assert raised(out) == [(60 + hold, HIGH, 1)], "first evaluation with now − active ≥ for"


def test_promise_02_what_does_not_hold_long_enough_never_fires():
    assert raised(play(engine(rule(hold_s=61)), series(0, [5, 1, 5, 1, 5, 1]), 500)) == []


@pytest.mark.parametrize("gap", ["hold", "unknown"])
def test_promise_03_a_gap_is_not_a_recovery(gap):
    for clear_s in (0, 120):
        out = play(engine(rule(gap=gap, clear_s=clear_s)), series(0, [5, None, 5, 5]), 2000)
        assert (len(raised(out)), resolved(out)) == (1, []), "one missed reading, and then silence, stop no alert"
    fading = play(engine(rule(gap=gap, clear_s=400)), series(0, [5, 1]), 2000)
    assert resolved(fading) == [], "silence does not complete a recovery either"


def test_promise_03_pending_through_a_gap_by_rule():
    post = series(0, [5, *[None] * 9, 5, 5, 5])  # silent in (60, 660), unknown from 240
    fires = {g: raised(play(engine(rule(hold_s=300, gap=g)), post, 800)) for g in ("hold", "unknown", "reset")}
    assert [t for t, _, _ in fires["hold"]] == [60 + 300], "the last value goes on to count"
    assert [t for t, _, _ in fires["unknown"]] == [660 + 300 - (240 - 60)], "the time unknown does not count"
    assert fires["reset"] == [], "begins again at 660, would fire at 960"
    ended = play(engine(rule(gap="reset")), series(0, [5]), 400)
    assert resolved(ended) == [(240, HIGH, 1, "no data")], "said as what it is, not as recovery"


def test_promise_04_silence_is_unknown_not_healthy_and_can_alert():
    control = engine(rule(), rule("silent", kind="silent", stale_s=200))
    out = play(control, series(0, [5, 5]), 400)
    updates = [(t, c.what) for t, c in of(out, UpdateAlert)]
    assert updates == [(120 + 180, "unknown")]
    assert 0 in control.unknown("high")
    silent = [(t, a) for t, a, _ in raised(out) if a.startswith("silent")]
    assert {a: t for t, a in silent} == {
        HIGH.replace("high", "silent"): 320,
        **{
            f'silent{{channel="c{k}",grid="{g}",kind="level",place="大桥"}}': 200
            for k, g in ((1, "g1"), (2, "g2"), (3, "g2"))
        },
    }  # fmt: skip
    back = play(control, series(0, [5, 5], start=401), 470, start=401)
    assert [c.what for _, c in of(back, UpdateAlert)] == ["known"]
    assert resolved(back) == [(401, HIGH.replace("high", "silent"), 1, "cleared")]


def test_promise_04_a_reading_of_nothing_keeps_no_channel_alive():
    control = engine(rule("silent", kind="silent", stale_s=200))
    post = {t: [readings(t, (0, t, np.nan), (1, t, 3.0, 2), (2, t, 3.0), (3, t, 3.0))] for t in range(60, 400, 60)}
    out = play(control, post, 400)
    assert [a.split('"')[1] for _, a, _ in raised(out)] == ["c0", "c1"]
    assert sum(c.count for _, c in of(out, DropReadings)) == 2 * 6, "each was counted"


def test_promise_05_hysteresis_a_flap_shorter_than_the_hold_is_one_episode():
    control = engine(rule(clear_s=120))
    out = play(control, series(0, [5, 1, 5, 1, 3.8, 1, 1, 1]), 600)
    assert [e for _, _, e in raised(out)] == [1]
    assert resolved(out) == [(360 + 120, HIGH, 1, "cleared")], "clear since 360; 3.8 at 300 is not clear"
    between = play(engine(rule()), series(0, [3.8, 5, 3.8, 3.6, 3.5]), 600)
    assert [t for t, _, _ in raised(between)] == [120], "between clear and level nothing begins"
    assert [t for t, *_ in resolved(between)] == [300], "nor ends"


def test_promise_05_flapping_is_damped_but_recorded():
    control = engine(rule(flap=Flap(2, 3600), notice=Notice(interval_s=0)))
    out = play(control, series(0, [5, 1] * 6), 900)
    assert len(raised(out)) == len(resolved(out)) == 6, "every episode is in the log"
    assert sum(len(n.raised) for _, n in notified(out)) == 3, "two, and the one that was found to be flapping"
    assert [c.what for _, c in of(out, UpdateAlert)] == ["flapping"]


def test_promise_05_a_damped_alert_that_stays_is_told_in_the_end():
    control = engine(rule(flap=Flap(1, 600), notice=Notice(interval_s=0)))
    out = play(control, series(0, [5, 1, 5, 1, *[5] * 20]), 1500)
    key = f"raise/{HIGH}#3"
    assert [t for t, n in notified(out) if key in n.raised] == [300 + 600]


LATE = 30
shuffles = st.lists(st.tuples(st.integers(0, 1), st.integers(0, LATE), st.sampled_from([1.0, 3.8, 5.0])), max_size=40)


@given(shuffles, st.integers(1, 40), st.data())
@settings(max_examples=60)
def test_promise_06_inside_the_watermark_the_outcome_is_the_one_in_order(rows, step, data):
    made = [(ch, 10 + 3 * k, v, delay) for k, (ch, delay, v) in enumerate(rows)]
    rules = (rule(late_s=LATE, hold_s=10, clear_s=10, stale_s=60), rule("rise", kind="rise", late_s=LATE, k=2, n=3))

    def outcome(order, every):
        control, out, end = engine(*rules), [], 10 + 3 * len(made) + 400
        for now in sorted({*range(1, end, every), end, *(r[1] + r[3] for r in order)}):
            come = [r for r in order if r[1] + r[3] == now]
            post = [readings(now, *[r[:3] for r in come])] if come else []
            out += [c for c in control.decide(now, post) if not isinstance(c, WakeAt)]
        return out

    in_order = outcome([(c, t, v, 0) for c, t, v, _ in made], 1)
    late = outcome(data.draw(st.permutations([*made, *made[::3]])), step)
    assert not of([(0, c) for c in late], DropReadings)
    assert [repr(c) for c in late] == [repr(c) for c in in_order]


def test_promise_06_beyond_the_watermark_they_are_counted_never_silent():
    control = engine(rule(late_s=LATE))
    out = play(control, {100: [readings(100, (0, 90, 1.0))], 200: [readings(200, (0, 80, 5.0), (1, 80, 5.0))]}, 300)
    assert [(t, c.reason, c.count, c.channel.tolist()) for t, c in of(out, DropReadings)] == [(200, "late", 2, [0, 1])]
    assert [a.split('"')[1] for _, a, _ in raised(out)] == ["c1"], (
        "the newest of its channel still counts; older news does not"
    )


def test_promise_06_a_clock_that_runs_ahead_is_refused_and_counted():
    out = play(engine(rule()), {60: [readings(60, (0, 60 + 300, 5.0))]}, 500)
    assert [(c.reason, c.count) for _, c in of(out, DropReadings)] == [("future", 1)]
    assert raised(out) == []


def storm():
    """Post with alerts pending, firing, grouped, escalating and inhibited."""
    return merge(
        series(0, [5, 5, 5, 1, 1, 5, 5, 5]), series(1, [1, 5, 5, 5, 5, 5, 5]), series(2, [5, None, None, 5, 5]),
        {250: [Acknowledged(250, "ack", HIGH, "duty")]},
    )  # fmt: skip


def book():
    return RuleBook(
        (
            rule(
                hold_s=90, clear_s=60,
                notice=Notice("desk", ("grid",), 5, 100, (Step(60, "chief"), Step(60, "mayor"))),
            ),
            rule("flood", level=4.5, clear=4.5, notice=Notice("desk", ("grid",))),
        ),
        (Inhibition("flood", ("high",), ("grid",)),),
    )  # fmt: skip


@pytest.mark.parametrize("killed", [1, 60, 149, 150, 151, 155, 211, 250, 400])
def test_promise_07_a_restart_keeps_pending_and_firing_alerts(tmp_path, killed):
    def run(kill):
        host = Host("alerts", lambda: AlertEngine(book()), tmp_path / f"{kill}.jsonl")
        host.tell(channel_map())
        out = []
        for t in range(600):
            for m in storm().get(t, []):
                host.tell(m)
            if host.due(t):
                out += [(t, repr(c)) for c in host.decide(t)[1]]
            if t == kill:
                host.restart(tmp_path / f"{kill}.jsonl")
        host.close()
        return out

    assert run(killed) == run(None)
    assert len(run(None)) > 10


def test_promise_08_inhibition_comes_before_notification():
    flood = rule("flood", level=4.5, clear=4.5, notice=Notice("desk"))
    high = rule("high", notice=Notice("desk"))
    control = engine(high, flood, inhibitions=(Inhibition("flood", ("high",), ("grid",)),))
    out = play(control, merge(series(0, [5, 5, 5, 5]), series(1, [1, 4.2, 4.2, 4.2]), series(2, [1, 4.2])), 240)
    told = [k for _, n in notified(out) for k in n.raised]
    assert len([k for k in told if "flood" in k]) == 1
    assert [k for k in told if "high" in k] == [k for k in told if '"c2"' in k], "only the grid without a flood"
    assert {c.alert.split('"')[1] for _, c in of(out, UpdateAlert) if c.what == "inhibited"} == {"c0", "c1"}


def test_promise_08_what_was_inhibited_is_told_when_its_reason_is_over():
    flood = rule("flood", query="grid:g1", level=4.5, clear=4.5)
    control = engine(rule(), flood, inhibitions=(Inhibition("flood", ("high",), ("grid",)),))
    out = play(control, series(0, [5, 4.2]), 200)
    assert [(t, n.raised) for t, n in notified(out) if f"raise/{HIGH}#1" in n.raised] == [(120, (f"raise/{HIGH}#1",))]


def test_promise_08_a_rule_that_matches_on_missing_labels_is_refused():
    with pytest.raises(ValueError, match="alerts of 'high' have no label 'owner'; allowed: channel, kind"):
        RuleBook((rule(), rule("b")), (Inhibition("high", ("b",), ("owner",)),))
    with pytest.raises(ValueError, match="equal is empty"):
        RuleBook((rule(), rule("b")), (Inhibition("high", ("b",), ()),))
    nowhere = channel_map(grids=("",))
    control = engine(rule(), rule("b"), told=nowhere, inhibitions=(Inhibition("high", ("b",), ("grid",)),))
    out = play(control, series(0, [5]), 60)
    assert len({k for _, n in notified(out) for k in n.raised}) == 2, "two empty labels are not equal"


def test_promise_09_grouping_never_hides_an_episode():
    control = engine(rule(notice=Notice("desk", ("grid",), 10, 600)))
    out = play(control, merge(series(0, [5, 1, 5, 1, 5]), series(1, [1, 5, 1])), 800)
    messages = notified(out)
    assert [t for t, _ in messages] == [70, 670], "one message in ten minutes"
    assert [k[-1] for k in messages[1][1].raised if '"c0"' in k] == ["2", "3"]
    assert [k[-1] for k in messages[1][1].resolved if '"c0"' in k] == ["1", "2"]
    assert [e for _, a, e in raised(out) if a == HIGH] == [1, 2, 3]
    named = [k for _, n in messages for k in n.raised]
    assert sorted(named) == sorted(f"raise/{a}#{e}" for _, a, e in raised(out))


def test_promise_10_every_command_has_a_key_and_told_twice_has_one_effect():
    once, twice = engine(*book().rules), engine(*book().rules)
    a = play(once, storm(), 600)
    b = play(twice, {t: [*m, *m] for t, m in storm().items()}, 600)
    assert [repr(c) for _, c in a] == [repr(c) for _, c in b]
    keys = [c.key for _, c in a]
    assert len(set(keys)) == len(keys)
    retried = {c.key: c for _, c in [*a, *b]}
    assert len(retried) == len(a), "sent twice, each effect once"


def test_promise_11_overload_sheds_the_lowest_severity_first_each_with_its_reason():
    n = 100
    told = channel_map(n, grids=("g1",))
    low, top = rule("low", severity="Minor"), rule("top", severity="Extreme")
    control = engine(low, top, told=told, raises_per_min=120)
    out = play(control, {61: [readings(61, *[(k, 61, 5.0) for k in range(n)])]}, 119)
    assert {c.severity for _, c in of(out, DropAlert)} == {"Minor"}
    up = [a for _, a, _ in raised(out)]
    assert len([a for a in up if a.startswith("top")]) == n, "no extreme alert is lost"
    dropped = [c.alert for _, c in of(out, DropAlert)]
    assert len(up) + len(dropped) == 2 * n
    assert not set(up) & set(dropped)
    assert all("overload: 100 alerts began this minute, 120 are allowed" in c.reason for _, c in of(out, DropAlert))
    later = play(control, {}, 300, start=120)
    assert sorted(a for _, a, _ in raised(later)) == sorted(dropped), "the backlog drains when there is room"


def test_promise_12_nobody_acknowledges_so_it_escalates():
    steps = (Step(100, "subdistrict"), Step(200, "district"))
    control = engine(rule(notice=Notice("community", (), 0, 300, steps)))
    out = play(control, series(0, [5] * 6 + [1]), 450)
    sent = [(t, n.to, n.level) for t, n in notified(out)]
    assert sent[:3] == [(60, "community", 0), (160, "subdistrict", 1), (360, "district", 2)]
    over = {n.to: n for t, n in notified(out) if n.resolved}
    first = {n.to: n for t, n in reversed(notified(out)) if n.raised}
    assert over.keys() == {"community", "subdistrict", "district"}, "all who were told hear that it is over"
    assert all(over[to].refers_to == first[to].key for to in over), "and to which message that belongs"


def test_promise_12_an_acknowledgement_stops_it_and_updates_refer_to_what_they_change():
    control = engine(rule(notice=Notice(escalate=(Step(100, "district"),))))
    post = merge(series(0, [5, 5, 5, 1]), {90: [Acknowledged(90, "ack", HIGH, "duty")]})
    out = play(control, post, 600)
    assert {n.to for _, n in notified(out)} == {"duty desk"}
    chain = [c for _, c in out if c.key.startswith(("raise", "update", "resolve"))]
    assert [c.refers_to for c in chain[1:]] == [c.key for c in chain[:-1]]


def test_a_broken_engine_is_named_by_its_host():
    host = Host("alerts", lambda: AlertEngine(RuleBook((rule(query="theem:x"),))))
    host.tell(channel_map())
    with pytest.raises(ControlError, match=r"controller 'alerts' failed at 0 s: .* there is no tree 'theem'"):
        host.decide(0)
