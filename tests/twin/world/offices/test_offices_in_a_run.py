"""Offices in a run of a city: residents and companies apply and travel, and every matter is accounted for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

from geo import qibu
from geo.city import City
from scenarios import load
from scenarios.kpis import by_name
from twin.errors import ScenarioError
from twin.scenario.check import check_against_city
from twin.simulation import Run, Simulation
from twin.world.people.model import PeopleModel
from twin.world.people.plans import PLANNED_TRIPS
from twin.world.people.ports import PURPOSES
from twin.world.people.settings import TRIPS_A_DAY


def scenario(**changes):
    fields = {
        "people": {"residents": 2_000, "companies": 100}, "traffic": {"mode": "free-flow", "background": 0.0},
        "start": "08:00", "end": "18:00", "services": {"per_1000_residents": 60.0, "per_1000_companies": 200.0},
    }  # fmt: skip
    return load("weekday", **{**fields, **changes})


@cache
def city() -> City:
    return City.load(qibu.cached())


def simulate(s, seed: int = 1, out: Path | None = None) -> Run:
    simulation = Simulation(s, city(), qibu.cached(), seed, out)
    simulation.run_until(simulation.end_s)
    return simulation.finish()


@cache
def day() -> Run:
    out = Path(mkdtemp(prefix="offices-"))
    (out / "journal").mkdir()
    return simulate(scenario(), out=out)


def test_people_apply_through_all_channels_and_are_accounted_for() -> None:
    log = day().log
    filed = log.table("CaseFiled").to_pydict()
    offices = set(filed["office"])
    assert {"hall", "mobile", "cloud"} <= offices
    assert any(o.startswith("point-") for o in offices)
    ended = log.table("CaseConcluded").num_rows + log.table("CaseOpen").num_rows
    assert ended == len(filed["case_no"]) > 50
    assert log.table("MatterEnded").num_rows + log.table("MatterOpen").num_rows == log.table("MatterBegan").num_rows
    assert by_name("service_cases")(log) == len(filed["case_no"])
    for name in ("service_matter_days", "service_wait_min", "service_remote_share", "service_returned_share"):
        assert by_name(name)(log) is not None


def test_ways_to_the_hall_take_the_time_of_the_roads() -> None:
    visits = day().log.table("OfficeVisited").to_pydict()
    way = np.array(visits["way_s"])[np.array(visits["office"]) == "hall"]
    assert 60 < np.median(way) < 3_600


def test_the_desk_is_a_fold_of_the_journal_of_the_run() -> None:
    from twin.control.services.desk import ServiceDesk
    from twin.domain.wire import encode
    from twin.hosts import read_journal

    again = ServiceDesk()
    calls = 0
    for now_s, messages, commands in read_journal(day().dir / "journal" / "services.jsonl"):
        assert [encode(c) for c in again.decide(now_s, messages)] == [encode(c) for c in commands]
        calls += 1
    assert calls > 100


def test_the_assistant_is_asked_in_the_run_and_replays_its_journal() -> None:
    from twin.control.services.assistant.desk import AssistantDesk
    from twin.domain.wire import encode
    from twin.hosts import read_journal

    log = day().log
    asked = log.table("AssistantAsked").num_rows
    assert asked == log.table("AssistantAnswered").num_rows > 20
    assert by_name("assistant_right_first")(log) > 60.0
    again, answers = AssistantDesk(), 0
    for now_s, messages, commands in read_journal(day().dir / "journal" / "assistant.jsonl"):
        assert [encode(c) for c in again.decide(now_s, messages)] == [encode(c) for c in commands]
        answers += len(commands)
    assert answers == asked


def test_people_of_other_regions_are_served_in_the_run() -> None:
    log = day().log
    assert by_name("service_far_cases")(log) > 0
    assert log.table("FarServed").num_rows + log.table("MatterOpen").num_rows > 0


def test_what_the_offices_need_is_not_there() -> None:
    with pytest.raises(ScenarioError, match=r"services\.hall is .* has no such place"):
        check_against_city(scenario(services={"hall": "政务服务大听"}), city())
    with pytest.raises(ScenarioError, match=r"services\.policy is .*allowed: earliest_due"):
        scenario(services={"policy": "earliest"})
    with pytest.raises(ScenarioError, match=r"services\.catalogue cannot be used: nowhere\.yaml"):
        check_against_city(scenario(services={"catalogue": "nowhere.yaml"}), city())
    with pytest.raises(ScenarioError, match="one_window twice"):
        scenario(services={"levers": ["one_window", "one_window"]})


def test_a_system_that_is_down_and_officers_who_are_away_hold_work_up() -> None:
    trouble = [
        {"kind": "office_system_down", "at": "09:00", "until": "12:00"},
        {"kind": "officers_away", "at": "13:00", "until": "17:00", "department": "MR", "share": 1.0},
    ]
    log = simulate(scenario(interventions=trouble, end="17:30")).log
    began = np.array(log.table("TaskBegan").to_pydict()["t_s"])
    assert not ((began >= 9 * 3600) & (began < 12 * 3600)).any()
    assert (began >= 12 * 3600).any()
    late = log.table("TaskBegan").to_pydict()
    assert not any(
        d == "MR" and t > 13 * 3600 and k == "review"
        for d, t, k in zip(late["dept"], late["t_s"], late["task"], strict=True)
    )


def test_where_the_people_model_takes_trips_on_residents_make_them(monkeypatch) -> None:
    """The hook the offices look for: who is free is sent on the way, and files where and when it arrives."""
    sent: list[tuple[int, int, int]] = []

    def visit(self, resident, block, arrive_s, stay_s):
        sent.extend((int(r), block, int(t)) for r, t in zip(resident, arrive_s, strict=True))
        return np.ones(len(resident), dtype=bool)

    monkeypatch.setattr(PeopleModel, "visit", visit, raising=False)

    def whereabouts(model):
        where = np.full(model.population.residents, -1)
        for r, block, _ in sent:
            where[r] = block
        return where

    monkeypatch.setattr(PeopleModel, "whereabouts", whereabouts)
    log = simulate(scenario(end="12:00")).log
    assert sent
    filed = {r["case_no"] // 16 // 1000 for r in log.table("CaseFiled").to_pylist() if r["office"] == "hall"}
    assert {r for r, _, _ in sent} & filed


def test_errands_are_real_trips_and_leave_everybody_else_alone() -> None:
    """Free flow: others' trips are the same, trip by trip, as in a run without services."""
    with_offices, without = day().log, simulate(scenario(services=None)).log

    def trips(log, fact: str, who: set[int], inside: bool) -> list[tuple[object, ...]]:
        rows = [r for r in log.table(fact).to_pylist() if (r["resident"] in who) == inside]
        # metres are sums whose last digit depends on who is asked about with them
        return sorted(
            tuple((k, round(v, 3) if isinstance(v, float) else v) for k, v in sorted(r.items())) for r in rows
        )

    errand = PURPOSES.index("errand")
    extra = [r for r in with_offices.table("TripStarted").to_pylist() if r["trip"] % TRIPS_A_DAY >= PLANNED_TRIPS]
    assert len(extra) > 20
    assert {r["purpose"] for r in extra} == {errand, PURPOSES.index("home")}
    who = {r["resident"] for r in extra}
    for fact in ("TripStarted", "TripEnded"):
        assert trips(with_offices, fact, who, False) == trips(without, fact, who, False)
    ended = {(r["resident"], r["trip"]) for r in with_offices.table("TripEnded").to_pylist()}
    out = [(r["resident"], r["trip"]) for r in extra if r["purpose"] == errand]
    assert len(ended & set(out)) > 0.9 * len(out)
    filed = with_offices.table("CaseFiled").to_pylist()
    visited = {r["case_no"] // 16 // 1000 for r in filed if r["office"] not in ("mobile", "cloud")}
    assert len({r for r, _ in out} & visited) > 0.5 * len(out)
