"""A small city for the tests of alerting: channels, readings, an outside world that has each effect once."""

from __future__ import annotations

import numpy as np

from twin.control.city_brain.alerting.engine import AlertEngine
from twin.control.city_brain.alerting.rules import Rule, RuleBook
from twin.domain.city_brain import ChannelMap, Notify, RaiseAlert, Readings, ResolveAlert
from twin.domain.commands import WakeAt


def channel_map(n=4, period=60, grids=("g1", "g1", "g2", "g2"), kinds=("level",), x=None):
    return ChannelMap(
        0, "map", np.arange(n), tuple(f"c{k}" for k in range(n)), tuple(kinds[k % len(kinds)] for k in range(n)),
        tuple("大桥" for _ in range(n)), tuple(grids[k % len(grids)] for k in range(n)),
        np.asarray(x if x is not None else [100.0 * k for k in range(n)]), np.zeros(n), ("m",) * n, np.full(n, period),
        np.arange(n), tuple("theme:water" for _ in range(n)),
    )  # fmt: skip


def readings(now, *rows, key=None):
    """Rows are (channel, time, value) or (channel, time, value, quality)."""
    ch, t, v, q = zip(*[(*r, 0)[:4] for r in rows], strict=True)
    return Readings(
        now, key or f"r/{now}/{rows!r}", np.asarray(ch, np.int64), np.asarray(t, np.int64), np.asarray(t, np.int64),
        np.asarray(v, np.float64), np.asarray(q, np.int64),
    )  # fmt: skip


def rule(name="high", **changes):
    given = {
        "query": "kind:level", "kind": "above", "level": 4.0, "clear": 3.5, "late_s": 0, "stale_s": 180, **changes
    }  # fmt: skip
    return Rule(name, **given)


def engine(*rules, told=None, cls=AlertEngine, **book):
    made = cls(RuleBook(rules, **book))
    made.decide(0, [told or channel_map()])
    return made


def play(control, post, until, start=1):
    """Call the engine each second with the post of that second; return (second, command) without wakes."""
    out = []
    for t in range(start, until + 1):
        out += [(t, c) for c in control.decide(t, post.get(t, [])) if not isinstance(c, WakeAt)]
    return out


def series(channel, values, period=60, start=60):
    """Post: one reading each period, made and received in the same second; None: missed."""
    return {
        start + k * period: [readings(start + k * period, (channel, start + k * period, v))]
        for k, v in enumerate(values)
        if v is not None
    }


def merge(*posts):
    out = {}
    for p in posts:
        for t, messages in p.items():
            out.setdefault(t, []).extend(messages)
    return out


def of(out, *kinds):
    return [(t, c) for t, c in out if isinstance(c, kinds)]


def raised(out):
    return [(t, c.alert, c.episode) for t, c in of(out, RaiseAlert)]


def resolved(out):
    return [(t, c.alert, c.episode, c.reason) for t, c in of(out, ResolveAlert)]


def notified(out):
    return [(t, c) for t, c in of(out, Notify)]
