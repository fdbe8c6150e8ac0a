"""Whole runs of all fleets under faults, over seeds: whatever goes wrong is accounted for, and the same again."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios import load
from scenarios.permits_kept import permits_are_kept
from scenarios.properties import ALL, broken
from twin.simulation import run

DEPOT = "盖世物流园"
FAULTS = {
    "breakdown": {"kind": "breakdown", "at": "10:40", "until": "11:10", "unit": "robot-2"},
    "bus_breakdown": {"kind": "breakdown", "at": "10:45", "until": "11:20", "unit": "shuttle-1"},
    "charger": {"kind": "charger_fails", "at": "10:20", "until": "11:20", "place": DEPOT},
    "link": {"kind": "link_lost", "at": "10:50", "until": "11:00", "unit": "robot"},
    "bus_link": {"kind": "link_lost", "at": "10:35", "until": "10:45", "unit": "shuttle"},
    "depot": {"kind": "depot_closed", "at": "11:00", "until": "11:30", "place": DEPOT},
    "rain": {"kind": "weather", "at": "10:30", "until": "11:00", "weather": "rain", "rain_mm_h": 40.0},
    "permit": {"kind": "permit_ends", "at": "11:00", "permit": "robot-goods"},
    "bus_permit": {"kind": "permit_ends", "at": "10:50", "permit": "shuttle-passengers"},
    "road": {"kind": "close_road", "at": "10:30", "until": "11:15", "road": "黄河大道", "near": "都市阳台"},
}


class Without:
    """The facts of a run as they would be if nobody had told one kind of violation."""

    def __init__(self, log, violation):
        self.log, self.violation = log, violation

    def frame(self, kind):
        told = self.log.frame(kind)
        return told[told["violation"] != self.violation] if kind == "ViolationBegan" else told


def day(faults: tuple[str, ...], **parts):
    return load(
        "fleets",
        start="10:00",
        end="12:00",
        people={"share": 0.05},
        traffic={"mode": "free-flow", "background": 0.0, "fcd_period_s": 0},
        interventions=[FAULTS[f] for f in faults],
        **{
            "bus": {"adoption": 1.0},
            "delivery": {"units": 5, "orders_per_day": 400, "policy": "nearest_first"},
            **parts,
        },
    )


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10**6),
    faults=st.lists(st.sampled_from(sorted(FAULTS)), min_size=2, max_size=4, unique=True).map(tuple),
    bus=st.sampled_from(["on_demand", "booked_stops", "timetable"]),
)
def test_nothing_and_nobody_is_lost(seed, faults, bus):
    done = run(day(faults, bus={"adoption": 1.0, "policy": bus}), seed)
    log = done.log
    assert broken(log) == {}
    assert len(log.frame("OrderPlaced")) > 10
    assert len(log.frame("BookingMade")) > 5, "there was something to lose"


def narrow(seed):
    """Run a small area, permits that end while nobody hears of it, vehicles that often go astray; nobody watches."""
    permits = [
        {"fleet": "robot", "area": [DEPOT, "清宁社区"], "radius_m": 2500},
        {"fleet": "shuttle", "purpose": "test", "name": "tests"},
        {"fleet": "sweeper", "name": "clean"},
    ]
    happens = [
        {"kind": "link_lost", "at": "10:39", "until": "10:49", "unit": "shuttle"},
        {"kind": "permit_ends", "at": "10:40", "permit": "tests"},
        {"kind": "link_lost", "at": "10:49", "until": "10:59", "unit": "sweeper"},
        {"kind": "permit_ends", "at": "10:50", "permit": "clean"},
    ]
    watched = {"permits": permits, "faults": 1000.0, "desk": None}
    return run(day((), supervision=watched).changed(end="11:15", interventions=happens), seed).log


@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6))
def test_nobody_is_outside_its_permit_without_a_violation_fact(seed):
    log = narrow(seed)
    assert broken(log) == {}
    assert len(log.frame("UnitOnRoad")) > 100, "somebody drove"


def test_without_its_violations_the_same_run_is_not_sound():
    log = narrow(1)
    assert broken(log) == {}
    assert {"out of area", "no permit"} <= set(log.frame("ViolationBegan")["violation"]), "there was something to see"
    assert permits_are_kept(Without(log, "out of area"))
    assert log.frame("UnitBroke")["cause"].tolist().count("fetched: no permit holds") >= 3, "the crew brought them home"
    told = log.frame("ViolationEnded")
    assert (told.loc[told["violation"] == "no permit", "duration_s"] <= 20).all(), "who did not hear is told again"


def test_a_road_outside_the_area_is_noticed_and_a_violation_accounts_for_it():
    from tests.properties.bad_logs import drives_astray

    assert permits_are_kept(drives_astray()) == [
        "robot-1 was on road 7 at 300 s, which no permit allows, and no violation says so"
    ]
    assert permits_are_kept(drives_astray(told=True)) == []


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_property_notices(name):
    """A property that cannot fail proves nothing: each is shown a log in which its subject went wrong."""
    from tests.properties.bad_logs import BAD

    assert ALL[name](BAD[name]()), f"{name} did not notice"


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["nearest_first", "pyvrp"])
def test_the_same_run_twice_is_the_same(policy):
    s = day(("breakdown", "rain"), delivery={"units": 5, "orders_per_day": 400, "policy": policy})
    s = s.changed(end="11:00")
    assert run(s, 3).digest == run(s, 3).digest
