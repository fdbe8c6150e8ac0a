"""XES and OCEL 2: what is written is what happened, and has the shape that others read."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from functools import cache
from xml.etree import ElementTree

import pytest

from scenarios.exports import case_log, ocel, xes
from tests.cities import DATA
from twin.errors import ScenarioError
from twin.log import Log
from twin.world.offices.months import Months, run

MIDNIGHT = dt.datetime(2026, 1, 5, tzinfo=case_log.ZONE)


@cache
def ran():
    return run(Months(matters=40), 1)


@cache
def cases() -> case_log.CaseLog:
    return case_log.read(ran().log, MIDNIGHT)


def test_every_case_is_a_trace_in_the_order_of_time() -> None:
    root = ElementTree.fromstring("".join(xes.lines(cases())))
    assert xes.problems(root) == []
    traces = root.findall(f"{{{xes.NAMESPACE}}}trace")
    assert len(traces) == ran().log.table("CaseFiled").num_rows
    for trace in traces:
        times, names = [], []
        for event in trace.findall(f"{{{xes.NAMESPACE}}}event"):
            values = {a.get("key"): a.get("value") for a in event}
            times.append(dt.datetime.fromisoformat(values["time:timestamp"]))
            names.append(values["concept:name"])
        assert times == sorted(times)
        assert names[0] in ("apply", "hand in elsewhere")
        assert names[-1] == "close"
    tasks = ran().log.table("TaskBegan").num_rows
    assert sum(e.lifecycle == "start" for e in cases().events) == tasks


def test_objects_meet_in_events() -> None:
    found = json.loads(json.dumps(ocel.document(cases())))
    assert ocel.problems(found) == []
    kinds = {o["type"] for o in found["objects"]}
    assert kinds == {"case", "matter", "item", "office", "officer"}
    assert sum(o["type"] == "case" for o in found["objects"]) == ran().log.table("CaseFiled").num_rows
    assert len(found["events"]) == len(cases().events)


def test_what_is_broken_is_found() -> None:
    found = ocel.document(cases())
    found["events"][0] = {**found["events"][0], "type": "unheard of"}
    found["events"][1] = {**found["events"][1], "relationships": [{"objectId": "nobody", "qualifier": "x"}]}
    found["events"][2] = {**found["events"][2], "time": "soon"}
    said = " ".join(ocel.problems(found))
    assert "not declared" in said
    assert "'nobody'" in said
    assert "has no time" in said
    assert ocel.problems({"events": []})
    bad = ElementTree.fromstring(
        '<log xes.version="1"><trace><event><date key="time:timestamp" value="soon"/><int key="a" value="x"/>'
        '<int key="a" value="1"/></event></trace></log>'
    )
    assert len(xes.problems(bad)) == 3


def test_real_logs_have_the_shape_that_is_checked() -> None:
    file = DATA / "process_logs" / "helpdesk.xes.gz"
    if not file.exists():
        pytest.skip(f"no real log: {file.parent} is not there")
    with gzip.open(file) as text:
        root = ElementTree.parse(text).getroot()
    assert xes.problems(root) == []


def test_a_name_from_data_is_inert() -> None:
    log = case_log.CaseLog(
        {1: {"item": '"/><script>', "office": "a\x00b"}},
        [case_log.CaseEvent(1, 0, 0, "<b>", "complete", -1)],
        MIDNIGHT,
    )
    root = ElementTree.fromstring("".join(xes.lines(log)))
    assert xes.problems(root) == []
    assert root.find(f".//{{{xes.NAMESPACE}}}script") is None


def test_a_run_without_cases_says_so() -> None:
    with pytest.raises(ScenarioError, match="holds no service cases"):
        case_log.read(Log().close(), MIDNIGHT)
