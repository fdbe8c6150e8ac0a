"""The community platform in the shipped district: reports, points, complaints, scenes, early signs, bad input."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import shapely

from geo.city import City
from scenarios import load
from scenarios.incident_properties import no_sign_is_lost
from scenarios.kpis.community import COMMUNITY, problems
from scenarios.readings import Memory
from twin.cities import city_folder
from twin.control.community.apps import APPS
from twin.errors import ScenarioError
from twin.events import (
    ComplaintDue,
    ComplaintMade,
    EarlyOrderOpened,
    FaultEnded,
    PointsBooked,
    ReportAnswered,
    ReportForwarded,
    ReportMade,
    SceneInstalled,
)
from twin.hosts import read_journal
from twin.run_folder import prepare
from twin.simulation import Run, Simulation
from twin.world.community.hearts import FADE_S, MOST, Hearts
from twin.world.community.life_circle import REACH_M, life_circle
from twin.world.community.months import run_month
from twin.world.responders.repeating import Repeating

FEW = ["garbage", "bikes", "fire_lane", "ebike"]  # others cost time
KPI = {k.name: k for k in COMMUNITY}


@cache
def folder() -> Path:
    return Path(city_folder(load("weekday")))


@cache
def city() -> City:
    return City.load(folder())


def scenario(community: dict[str, Any] | None, rate: float = 6, end: str = "17:00", **hazards: Any) -> Any:
    return load(
        "weekday",
        people=None,
        traffic={"mode": "free-flow", "background": 0.01, "fcd_period_s": 0},
        start="14:00",
        end=end,
        city_brain={"sensors": None, "hazards": {"rate": rate, **hazards}, "responders": {"looks": {"calls": 0}}},
        **({"community": community} if community is not None else {}),
    )


def run(community: dict[str, Any], seed: int = 1, out: Path | None = None, **more: Any) -> Run:
    sim = Simulation(scenario(community, **more), city(), folder(), seed, out)
    sim.run_until(sim.end_s)
    return sim.finish()


@cache
def busy() -> Run:
    return run({"platform": {"registered": 60_000, "wrong_place": 0.1}})


@cache
def days(effect: float = 1.0) -> Any:
    platform = {"registered": 40_000, "uses_month": 1.0}
    return run_month(scenario({"points": {"effect": effect}, "platform": platform}, rate=3, themes=FEW), city(), 1, 3)


def test_reports_are_answered_and_become_incidents() -> None:
    log = busy().log
    made, answered = log.frame(ReportMade), log.frame(ReportAnswered)
    assert set(made["source"]) == {"snap", "hotline", "device"}
    assert (made["hazard"] < 0).any(), "some are about nothing"
    assert made["error_m"].max() > 200, "some point somewhere else"
    assert {"accepted", "duplicate", "said to be fixed", "not found"} <= set(answered["answer"])
    sources = set(log.sql("select distinct source from events where fact = 'IncidentCreated'")["source"])
    assert {"report", "call", "patrol", "early sign"} <= sources
    assert KPI["points_paid"](log) > 0
    assert KPI["points_paid_twice"](log) == 0
    booked = log.frame(PointsBooked)
    assert booked.groupby("account")["points"].sum().min() >= 0


@pytest.mark.parametrize("again", [True, False])
def test_reports_and_early_signs_reach_the_incident_desk_though_messages_are_lost(
    again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once, then one effect; where nobody tells again (planted), the property says what was lost."""
    if not again:
        monkeypatch.setattr(Repeating, "_wait", lambda *_: None)
    lossy = {"kind": "fault", "what": "messages_lost", "desk": "incidents", "share": 0.3, "at": "14:00"}
    s = scenario({"platform": {"registered": 60_000}}, end="16:00").changed(interventions=[{**lossy, "until": "15:30"}])
    sim = Simulation(s, city(), folder(), 1, None)
    sim.run_until(sim.end_s)
    log = sim.finish().log
    assert log.frame(FaultEnded)["fired"].sum() > 50
    assert len(log.frame(ReportForwarded)) > 20
    assert len(log.frame(EarlyOrderOpened)) > 5
    assert bool(no_sign_is_lost(log)) is not again


def test_complaints_come_when_they_are_due_and_not_where_somebody_was_before() -> None:
    log = busy().log
    due = log.frame(ComplaintDue).set_index("hazard")["due_s"]
    made = log.frame(ComplaintMade).groupby("hazard")["t_s"].min()
    found = problems(Memory(log))
    complained = {h for h, (_, _, what) in found.items() if what == "complained"}
    assert len(complained) > 10
    assert complained <= set(made.index)
    assert all(made[h] == due[h] for h in complained)
    assert not {h for h, (_, _, what) in found.items() if what == "before"} & {
        h for h in made.index if made[h] <= due[h]
    }


def test_early_signs_bring_something_and_stay_within_their_budget() -> None:
    """Over two days, the same hazards and patience with and without them."""
    s = scenario({"platform": {"registered": 60_000}, "early": {"useless_a_day": 20.0}}, rate=5, themes=FEW)
    none = scenario({"platform": {"registered": 60_000}, "early": None}, rate=5, themes=FEW)
    n = 2
    with_them, without = run_month(s, city(), 1, n), run_month(none, city(), 1, n)
    before = KPI["before_complaint_share"]
    assert before(with_them) > before(without)
    assert KPI["early_useless_day"](with_them) <= 1.3 * 20 * (n + 0.5) / n
    assert KPI["early_orders_day"](without) == 0
    same = [set(problems(Memory(log))) for log in (with_them, without)]
    assert len(same[0] & same[1]) > 0.9 * len(same[1])


def test_the_same_seed_is_the_same_run_and_more_accounts_change_nobody() -> None:
    a, b = run({}, end="14:40"), run({}, end="14:40")
    assert a.digest == b.digest
    more = run({"platform": {"registered": 10_100}}, end="14:40")
    use = "select account, t_s, app from events where fact = 'PlatformUsed' order by 1, 2"
    few, many = (set(map(tuple, r.log.sql(use).to_numpy().tolist())) for r in (a, more))
    assert few <= many


def test_the_desks_replay_from_their_journals(tmp_path: Path) -> None:
    from twin.control.city_brain.early.desk import EarlySigns
    from twin.control.community.desk import CommunityDesk

    out = prepare(tmp_path / "run")
    run({"platform": {"registered": 60_000}}, out=out, end="14:40")
    for name, make in (("community", CommunityDesk), ("early_signs", EarlySigns)):
        desk, calls = make(), list(read_journal(out / "journal" / f"{name}.jsonl"))
        assert len(calls) > 3
        assert [list(desk.decide(now_s, told)) for now_s, told, _ in calls] == [list(c) for _, _, c in calls]


def test_scenes_by_grade_and_a_copy() -> None:
    plain = run({}, end="14:05").log.frame(SceneInstalled)
    assert set(plain["grade"]) == {"basic", "growing", "benchmark"}
    assert plain.groupby("grade")["scene"].nunique().to_dict() == {"basic": 1, "benchmark": 8, "growing": 4}
    copied = run(
        {"benchmark": ["清宁社区"], "copy": [{"scene": "thrown", "from": "清宁社区", "to": "鹊华社区"}]}, end="14:05"
    ).log.frame(SceneInstalled)
    there = copied[copied["cause"] == "copy from 清宁社区"]
    assert there["scene"].tolist() == ["thrown"]
    assert (there["devices"] >= 1).all()
    assert set(copied[copied["grade"] == "benchmark"]["community"]) == {"cuizhai-09"}


@pytest.mark.parametrize(
    ("community", "sentence"),
    [
        ({"benchmark": ["无此社区"]}, r"community.benchmark\[0\] is 无此社区; qibu has no such community"),
        (
            {"copy": [{"scene": "gas", "from": "鹊华社区", "to": "无此"}]},
            r"community.copy\[0\].to is 无此; qibu has no such community",
        ),
        (
            {"copy": [{"scene": "gas", "from": "坡东村", "to": "坡西村"}]},
            r"community.copy\[0\].scene is gas; 坡东村 \(growing\) has no such scene, but manhole, fire_lane",
        ),
    ],
)
def test_a_community_or_scene_that_is_not_there(community: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        Simulation(scenario(community), city(), folder(), 1)


@pytest.mark.parametrize(
    ("community", "sentence"),
    [
        ({"platform": {"policy": "clerk"}}, 'community.platform.policy is "clerk"; allowed: clerk_first, forward_all'),
        ({"early": {"policy": "x"}}, 'community.early.policy is "x"; allowed: poisson_surge, k_of_n'),
        ({"copy": [{"scene": "gas", "from": "a", "to": "a"}]}, r"community.copy\[0\].to is a, from where the scene"),
        ({"scenes": False, "copy": [{"scene": "gas", "from": "a", "to": "b"}]}, "community.copy copies scenes, but"),
        ({"platform": {"registered": -1}}, "community.platform.registered is -1; allowed: a whole number"),
    ],
)
def test_bad_input_is_one_sentence(community: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        scenario(community)


def test_without_a_city_brain_there_is_nothing_to_report() -> None:
    with pytest.raises(ScenarioError, match="community is on, but nothing happens that could be reported"):
        load("weekday", community={})


def test_active_users_come_out_of_the_mechanism() -> None:
    """More people do something than report, and answers and rewards change who comes again."""
    log = days()
    assert KPI["active_users"](log) > KPI["active_reporters"](log) > 100
    uses = "select count(*) n from events where fact = 'PlatformUsed'"
    assert log.sql(uses)["n"][0] != days(0.0).sql(uses)["n"][0]


def test_readiness_fades_with_its_time_constant_and_is_bounded() -> None:
    hearts = Hearts(2, 1.0)
    hearts.move(0, 0.5, 0)
    assert hearts.ready(0).tolist() == pytest.approx([np.exp(0.5), 1.0])
    assert float(hearts.ready(int(FADE_S))[0]) == pytest.approx(np.exp(0.5 / np.e))
    for _ in range(100):
        hearts.answered(1, "rejected", 0)
    assert float(hearts.ready(0)[1]) == pytest.approx(np.exp(-MOST))
    still = Hearts(1, 0.0)
    still.move(0, 1.0, 0)
    assert float(still.ready(0)[0]) == 1.0


def test_the_life_circle_counts_residents_within_reach() -> None:
    import geopandas as gpd

    blocks = gpd.GeoDataFrame(
        {"residents": [30, 70]}, geometry=[shapely.box(-1, -1, 1, 1), shapely.box(4999, -1, 5001, 1)]
    )
    kinds = ["market", "school", "clinic", "service_hall", "park", "bus_stop"]
    near = [shapely.Point(0.9 * REACH_M, 0)] * 6
    places = gpd.GeoDataFrame({"kind": kinds}, geometry=near)
    places.loc[0, "geometry"] = shapely.Point(5000, 0)
    found = life_circle(SimpleNamespace(blocks=blocks, places=places))  # type: ignore[arg-type]
    assert found["park"] == pytest.approx(0.3)
    assert found["shopping"] == pytest.approx(0.7)
    assert found["all"] == 0.0


def test_there_are_43_apps() -> None:
    assert len(APPS) == 43
    assert len({a.name for a in APPS}) == 43
    assert {t for a in APPS for t in a.feeds} == {*load("weekday", city_brain={}).city_brain.hazards.themes}
