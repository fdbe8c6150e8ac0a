"""Planted bugs: an engine, or its host, with one of them is caught by the check that names it; the true one is not."""

from __future__ import annotations

import itertools

import pytest

from tests.twin.control.city_brain.made_alerts import (
    channel_map,
    merge,
    notified,
    play,
    raised,
    resolved,
    rule,
    series,
)
from twin.control.city_brain.alerting import cases, desk
from twin.control.city_brain.alerting.engine import AlertEngine
from twin.control.city_brain.alerting.notices import Notices
from twin.control.city_brain.alerting.rules import Inhibition, Notice, RuleBook, Step
from twin.control.city_brain.alerting.slots import CLEARING, FIRING, Slots
from twin.domain.city_brain import Notify
from twin.hosts import Host, Journal, read_journal

HIGH = 'high{channel="c0",grid="g1",kind="level",place="大桥"}'


def made(*rules, inhibitions=()):
    control = AlertEngine(RuleBook(rules, inhibitions))
    control.decide(0, [channel_map()])
    return control


# -- the checks: each fails for its bug ------------------------------------------------------------------


def check_holding_time(tmp_path):
    assert raised(play(made(rule(hold_s=60)), series(0, [5, 5, 5]), 300)) == [(120, HIGH, 1)]


def check_identity(tmp_path):
    out = raised(play(made(rule()), series(0, [5, 1, 5]), 300))
    assert len({alert for _, alert, _ in out}) == 1
    assert len(out) == 2


def check_gap(tmp_path):
    assert resolved(play(made(rule()), series(0, [5]), 2000)) == []


def check_journal(tmp_path):
    """Killed at every write of the journal: what the world saw must be in the journal."""
    for killed in range(1, 8):
        file = tmp_path / f"{killed}.jsonl"
        seen, host = [], Host("alerts", lambda: AlertEngine(RuleBook((rule(),))), file)
        host.seen = seen
        host._journal.left = killed
        host.tell(channel_map())
        try:
            for t in range(300):
                for m in series(0, [5, 1, 5, 1]).get(t, []):
                    host.tell(m)
                if host.due(t):
                    seen += [c.key for c in host.decide(t)[1]]
        except KilledError:
            pass
        host.close()
        written = {c.key for _, _, commands in read_journal(file) for c in commands}
        assert set(seen) <= written
    assert seen


def check_inhibition_after_restart(tmp_path):
    file = tmp_path / "journal.jsonl"
    flood = rule("flood", query="grid:g1", level=4.5, clear=4.5)
    book = RuleBook((rule(), flood), (Inhibition("flood", ("high",), ("grid",)),))
    host = Host("alerts", lambda: AlertEngine(book), file)
    host.tell(channel_map())
    told = []
    post = merge(series(0, [5, 5, 5]), series(1, [1, 1, 4.2]))
    for t in range(200):
        for m in post.get(t, []):
            host.tell(m)
        if host.due(t):
            told += [k for c in host.decide(t)[1] if isinstance(c, Notify) for k in c.raised]
        if t == 150:
            host.restart(file)
    host.close()
    assert [k for k in told if "flood" in k]
    assert not [k for k in told if "high" in k]


def check_retry(tmp_path):
    """The same post to an engine made anew, as after a crash before the journal: effects are had once, by key."""
    notice = Notice(escalate=(Step(60, "chief"),))
    first, again = (play(made(rule(notice=notice)), series(0, [5, 5, 5]), 200) for _ in range(2))
    effects = {c.key for _, c in [*notified(first), *notified(again)]}
    assert len(notified(first)) == 2
    assert len(effects) == 2


# -- the bugs --------------------------------------------------------------------------------------------


class KilledError(Exception):
    pass


@pytest.fixture(autouse=True)
def _a_journal_that_can_be_killed(monkeypatch):
    write = Journal.write

    def killed(self, now_s, messages, commands):
        if hasattr(self, "left"):
            self.left -= 1
            if self.left == 0:
                raise KilledError
        write(self, now_s, messages, commands)

    monkeypatch.setattr(Journal, "write", killed)


def later(m):
    m.setattr(Slots, "_ripe", staticmethod(lambda due_s, until_s: until_s > due_s))


def time_in_identity(m):
    fired = desk.Desk.fired

    def with_time(self, t_s, r, channel, since_s, value):
        m.setattr(desk, "identity", lambda name, labels: cases.identity(name, [*labels, ("t", str(t_s))]))
        return fired(self, t_s, r, channel, since_s, value)

    m.setattr(desk.Desk, "fired", with_time)


def gap_resolves(m):
    silence = Slots._silence

    def ended(self, slot, t):
        out = silence(self, slot, t)
        firing = slot[self.state[slot] == FIRING]
        self.state[firing] = CLEARING
        self._set_due(firing, t[: len(firing)])
        return out

    m.setattr(Slots, "_silence", ended)


def sent_before_journalled(m):
    check = Host._check

    def sends(self, now_s, answer):
        commands = check(self, now_s, answer)
        if hasattr(self, "seen"):
            self.seen += [c.key for c in commands]
        return commands

    m.setattr(Host, "_check", sends)


def inhibition_lost(m):
    restart = Host.restart

    def forgets(self, journal):
        restart(self, journal)
        self._controller.desk.notices._sources.clear()

    m.setattr(Host, "restart", forgets)


def retry_without_key(m):
    serial = itertools.count()
    letter = Notices._letter

    def fresh(self, *given):
        old = letter(self, *given)
        return Notify(**{**vars(old), "key": f"notify/{next(serial)}"})

    m.setattr(Notices, "_letter", fresh)


BUGS = [
    (later, check_holding_time),
    (time_in_identity, check_identity),
    (gap_resolves, check_gap),
    (sent_before_journalled, check_journal),
    (inhibition_lost, check_inhibition_after_restart),
    (retry_without_key, check_retry),
]


@pytest.mark.parametrize("check", [check for _, check in BUGS])
def test_the_true_engine_passes(check, tmp_path):
    check(tmp_path)


@pytest.mark.parametrize(("bug", "check"), BUGS)
def test_the_planted_bug_is_caught(bug, check, tmp_path, monkeypatch):
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        check(tmp_path)
