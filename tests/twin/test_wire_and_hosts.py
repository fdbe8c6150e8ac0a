"""Messages on the wire, the controller contract, journals, restart."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.domain.commands import AvoidRoad, SetSpeedLimit, WakeAt
from twin.domain.messages import ClosureReport, DetectorReadings, RoadMap
from twin.domain.wire import decode, encode
from twin.errors import ControlError, ScenarioError
from twin.hosts import Host, _line, find_factory, read_journal

floats = st.floats(allow_nan=True, allow_infinity=False, width=64)
rows = st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 99), floats, st.floats(0, 1)), max_size=20)


@given(t=st.integers(0, 10**6), rows=rows)
def test_readings_survive_json(t, rows):
    cols = list(zip(*rows, strict=True)) or [(), (), (), ()]
    sent = DetectorReadings(
        t, f"k/{t}", 300, np.asarray(cols[0], int), np.asarray(cols[1], int), np.asarray(cols[2], float),
        np.asarray(cols[3], float),
    )  # fmt: skip
    back = decode(json.loads(json.dumps(encode(sent), allow_nan=False)))
    assert (back.t_s, back.key, back.period_s) == (t, f"k/{t}", 300)
    assert back.road.tolist() == list(cols[0])
    assert np.array_equal(back.speed_m_s, np.asarray(cols[2], float), equal_nan=True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"type": "os.system"}, "unknown type 'os.system'"),
        ({"type": "WakeAt", "key": "a"}, "fields missing or unknown: t_s"),
        ({"type": "WakeAt", "key": "a", "t_s": "soon"}, "WakeAt.t_s: expected int, got 'soon'"),
        ({"type": "WakeAt", "key": "a", "t_s": True}, "WakeAt.t_s: expected int"),
    ],
)
def test_a_foreign_line_is_refused_in_words(data, words):
    with pytest.raises(ValueError, match=words):
        decode(data)


class Echo:
    """Answers every report with advice, and asks to be woken 10 s later."""

    def __init__(self):
        self.count = 0

    def decide(self, now_s, messages):
        self.count += len(messages)
        return [AvoidRoad(f"a/{m.key}", m.road, now_s + 60, "closed") for m in messages] + [
            WakeAt(f"w/{now_s}", now_s + 10)
        ]


def _report(t, road, key=None):
    return ClosureReport(t, key or f"r/{t}/{road}", road, True, "police")


def test_host_delivers_wakes_and_lets_each_key_have_one_effect(tmp_path):
    host = Host("echo", Echo, tmp_path / "echo.jsonl")
    host.tell(_report(5, 1, "same"))
    assert host.due(5)
    assert [c.road for c in host.decide(5)[1]] == [1]
    assert not host.due(14)
    assert host.due(15)
    host.tell(_report(15, 1, "same"))
    assert host.decide(15) == (1, []), "the same key has no second effect"
    host.close()
    calls = list(read_journal(tmp_path / "echo.jsonl"))
    assert [c[0] for c in calls] == [5, 15]


def test_restart_from_the_journal_leaves_the_controller_where_it_was(tmp_path):
    file = tmp_path / "echo.jsonl"
    host = Host("echo", Echo, file)
    for t in (5, 6, 9):
        host.tell(_report(t, t))
        host.decide(t)
    wake = host.next_wake_s()
    host.restart(file)
    assert host.next_wake_s() == wake
    assert host._controller.count == 3
    host.tell(_report(9, 9))
    assert host.decide(12)[1] == [], "what went out before the crash does not go out again"
    host.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, r"'bad' answered NoneType at 7 s"),
        (["stop"], r"'bad' answered 'stop' at 7 s; only commands"),
        ([WakeAt("w", 7)], r"asked at 7 s to be woken at 7 s; only later seconds"),
    ],
)
def test_a_broken_contract_names_who_what_and_when(answer, words):
    class Bad:
        def decide(self, now_s, messages):
            return answer

    with pytest.raises(ControlError, match=words):
        Host("bad", Bad).decide(7)


def test_an_exception_in_a_controller_is_a_control_error():
    class Bad:
        def decide(self, now_s, messages):
            raise ZeroDivisionError("oops")

    with pytest.raises(ControlError, match="'bad' failed at 7 s: ZeroDivisionError: oops"):
        Host("bad", Bad).decide(7)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nonsense", "must look like"),
        ("no.such.module:X", "cannot import"),
        ("twin.errors:Nothing", "nothing callable"),
    ],
)
def test_a_factory_that_is_not_there_is_one_sentence(spec, words):
    with pytest.raises(ScenarioError, match=words):
        find_factory(spec)


def test_a_torn_journal_line_is_named(tmp_path):
    file = tmp_path / "j.jsonl"
    file.write_text('{"now_s": 1, "messages": [], "commands": []}\n{"now_s": 2, "mess', encoding="utf-8")
    with pytest.raises(ScenarioError, match="line 2 is not a journal line"):
        list(read_journal(file))


def test_nan_is_null_on_the_wire():
    m = RoadMap(
        0, "m", np.asarray([1]), np.asarray([math.nan]), np.asarray([1.0]), np.asarray([1]), *[np.empty(0, int)] * 2
    )
    assert encode(m)["length_m"] == [None]
    assert encode(SetSpeedLimit("k", 3, 8.0)) == {"type": "SetSpeedLimit", "key": "k", "road": 3, "speed_m_s": 8.0}


@pytest.mark.parametrize("odd", [1.5, math.nan, math.inf, -math.inf])
def test_a_journal_line_says_what_the_wire_says(odd):
    """Whoever writes it, orjson or Python: infinity stays infinity, columns may be strided, numbers may be long."""
    told = RoadMap(
        0, "m", np.arange(4)[::2], np.asarray([odd, 2.0]), np.asarray([0.1, 1e-7]), np.asarray([1, 2**62]),
        *[np.empty(0, int)] * 2,
    )  # fmt: skip
    for wake in (WakeAt("w", 60), WakeAt("w", 2**70)):
        line = _line(0, [told], [wake])
        assert line.endswith(b"\n")
        said = json.loads(line)
        wanted = json.loads(json.dumps({"now_s": 0, "messages": [encode(told)], "commands": [encode(wake)]}))
        assert said == wanted
