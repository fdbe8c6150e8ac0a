"""What units really break, against a second look at where they were, how fast and when."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_fleet import TOP, make_toy, west

from tests.cities import shared_toy_city
from twin.domain.ids import unit_number
from twin.domain.mobility import Instruction
from twin.domain.supervision import CloseCase, ReleaseUnit, ReportViolation, SlowUnit, StopUnit, WarnUnit
from twin.errors import ControlError
from twin.scenario.supervision import Permit, Supervision, Telemetry
from twin.world.fleets import lapses

T = 36_000
PERFECT = Telemetry.perfect()


def edges(mask):
    return tuple(shared_toy_city().roads["edge"].to_numpy()[np.flatnonzero(mask)].tolist())


def robots(faults=0.0, **permit):
    values = {"fleet": "robot", "area": edges(west(shared_toy_city())), "speed_km_h": TOP * 3.6} | permit
    return Supervision(permits=(Permit.model_validate(values),), faults=faults, telemetry=PERFECT)


def violations(facts):
    return facts.frame("ViolationBegan")


def test_units_without_faults_and_with_good_desks_break_nothing():
    facts = make_toy(n=10, supervision=robots()).run(3600).facts()
    assert violations(facts).empty
    assert facts.frame("ViolationEnded").empty


@settings(deadline=None, max_examples=8)
@given(st.integers(1, 10_000), st.floats(20, 300))
def test_nobody_is_outside_its_permit_without_a_violation_fact(seed, faults):
    """The property of the issue: every second on a road that is not permitted lies in an open violation."""
    toy = make_toy(n=6, seed=seed, supervision=robots(faults=faults))
    allowed = west(toy.units.city)
    outside = []

    def look(toy):
        for row in range(len(toy.units)):
            unit = int(toy.units.number[row])
            outside.extend((unit, t) for road, t in toy.units.passed(row) if not allowed[road])
            if not allowed[toy.units.road[row]]:
                outside.append((unit, toy.now_s))

    facts = toy.run(2400, look).facts()
    began = violations(facts)
    began = began[began["violation"] == "out of area"]
    ended = facts.frame("ViolationEnded")
    ended = ended[ended["violation"] == "out of area"]
    assert set(began["cause"]) <= {lapses.LOST_ITSELF}
    spans = {u: [(t, 1 << 40) for t in began["t_s"][began["unit"] == u]] for u in set(began["unit"])}
    for u, d, t in zip(ended["unit"], ended["duration_s"], ended["t_s"], strict=True):
        spans[u] = [(a, t) if a == t - d else (a, b) for a, b in spans[u]]
    for unit, t in outside:
        assert any(a <= t <= b for a, b in spans.get(unit, [])), f"unit {unit} at {t}"
    assert {u for u, _ in outside} == set(began["unit"]), "and nobody is accused who was not there"


def test_a_desk_that_sends_a_unit_outside_is_the_cause():
    toy = make_toy(n=3, supervision=robots())
    allowed = west(toy.units.city)
    toy.units._home = np.ones_like(allowed)  # the desk does not know the permit
    toy.run(1800)
    facts = toy.facts()
    began = violations(facts)
    assert len(began)
    assert set(began["cause"]) == {"desk"}
    assert set(began["violation"]) == {"out of area"}
    assert not allowed[began["road"]].any()


def test_driving_on_after_the_hours_is_a_violation_from_the_first_tick():
    toy = make_toy(n=4, supervision=robots(start="06:00", end="10:10"))
    facts = toy.run(1200).facts()
    began = violations(facts)
    assert began["violation"].tolist() == ["out of hours"] * 4
    assert set(began["t_s"]) == {T + 600}
    assert set(began["cause"]) == {"desk"}


def test_carrying_passengers_before_the_tests_are_done():
    permit = Permit(fleet="shuttle", area=edges(west(shared_toy_city())), speed_km_h=TOP * 3.6)
    setting = Supervision(permits=(permit,), faults=0.0, telemetry=PERFECT)
    toy = make_toy(n=3, supervision=setting, fleet="shuttle", tests=(0.0, 999.0))
    toy.units.load[1] = 4
    facts = toy.run(600).facts()
    assert violations(facts)[["unit", "violation"]].to_numpy().tolist() == [[unit_number("shuttle", 2), "no permit"]]
    # a kilometre later the test is over: what was driven counts
    later = make_toy(n=1, supervision=setting, fleet="shuttle", tests=(0.0, 999.0))
    later.units.load[0] = 4
    facts = later.run(2 * 3600).facts()
    ended = facts.frame("ViolationEnded")
    assert ended["violation"].tolist() == ["no permit"]
    assert later.units.odometer_m[0] > 1000


def test_software_that_drives_too_fast_does_so_in_traffic_and_is_seen():
    toy = make_toy(n=8, supervision=robots(faults=200.0))
    fast = []

    def look(toy):
        fast.append(toy.units.top.copy())

    facts = toy.run(3600, look).facts()
    began = violations(facts)
    speeding = began[began["violation"] == "speeding"]
    assert len(speeding) > 3
    assert set(speeding["cause"]) == {lapses.SOFTWARE}
    low, high = lapses.TOO_FAST
    top = np.asarray(fast)
    assert set(np.unique(top[top <= TOP])) == {TOP}
    assert top.max() <= high * TOP
    assert top[top > TOP].min() >= low * TOP
    # units that never drove faster are not accused
    quick = {int(u) for u in toy.units.number[(top > TOP).any(axis=0)]}
    assert set(speeding["unit"]) <= quick


def test_faults_come_at_the_documented_rate():
    """Distance between faults is exponential: N over L km is Poisson with mean L / km · faults; 4 sigma."""
    faults = 100.0
    toy = make_toy(n=20, supervision=robots(faults=faults))
    facts = toy.run(2 * 3600).facts()
    km = float(toy.units.odometer_m.sum()) / 1000
    expected = km / lapses.BRAKE_KM * faults
    found = int((violations(facts)["violation"] == "harsh braking").sum())
    assert abs(found - expected) < 4 * np.sqrt(expected)
    expected = km / lapses.TOO_FAST_KM * faults
    assert abs(int(toy.platform.conduct._lapses._count["fast"].sum()) - expected) < 4 * np.sqrt(expected)


def test_red_lights_at_signals_and_more_in_fog():
    def reds(weather):
        toy = make_toy(n=20, supervision=robots(faults=300.0), weather=weather)
        conduct = toy.platform.conduct
        facts = toy.run(3600).facts()
        return int((violations(facts)["violation"] == "red light").sum()), int(conduct._lapses._passages.sum())

    clear, passages = reds("clear")
    fog, passages_fog = reds("fog")
    p = lapses.RED_MISSED * lapses.RED_SHARE * 300.0
    assert passages > 200
    assert abs(clear - passages * p) < 4 * np.sqrt(passages * p) + 1
    assert abs(fog - passages_fog * p * lapses.WEATHER["fog"]) < 4 * np.sqrt(passages_fog * p * lapses.WEATHER["fog"])
    assert fog > clear


def test_one_more_unit_changes_nobody_elses_faults():
    def story(n):
        facts = make_toy(n=n, seed=3, supervision=robots(faults=150.0)).run(1800).facts()
        began = violations(facts)
        return began[began["unit"] <= unit_number("robot", 6)].sort_values(["t_s", "unit", "violation"]).to_numpy()

    six, seven = story(6), story(7)
    assert len(six) > 5
    assert np.array_equal(six, seven)


def test_silence_begins_a_minute_after_the_link_is_lost_and_only_for_units_that_were_out():
    toy = make_toy(n=3, supervision=robots())
    toy.units.halt(2, "parked", T)
    toy.units.state[2] = 0
    toy.units.halts[2].add("parked")
    toy.outages = {T + 200: [(0, False), (2, False)], T + 230: [(1, False)], T + 260: [(1, True)],
                   T + 500: [(0, True)]}  # fmt: skip
    toy.run(150)
    toy.units.state[2] = 0
    facts = toy.run(700).facts()
    began = violations(facts)
    assert began[["t_s", "unit", "violation"]].to_numpy().tolist() == [[T + 260, unit_number("robot", 1), "silence"]]
    assert facts.frame("ViolationEnded")["duration_s"].tolist() == [240]


# -- orders of the platform -----------------------------------------------------------------------------


def test_orders_reach_the_unit_and_its_desk():
    toy = make_toy(n=2, supervision=robots())
    p, unit = toy.platform, int(toy.units.number[0])
    assert p.carry_out(WarnUnit("1", unit, "speeding", "c"), T)
    assert p.carry_out(SlowUnit("2", unit, 3.0, "c"), T)
    assert toy.units.top[0] == 3.0
    toy.units.limit(0, -1)  # its desk lifts the limit: the platform's stands
    toy.run(10)
    assert toy.units.top[0] == 3.0
    assert p.carry_out(StopUnit("3", unit, "speeding", "c"), T)
    assert toy.units.halts[0] == {"platform"}
    assert p.carry_out(ReleaseUnit("4", unit, "c"), T)
    assert p.carry_out(SlowUnit("5", unit, -1.0, "c"), T)
    assert toy.units.top[0] == TOP
    assert p.carry_out(CloseCase("6", unit, "c", "kept the rules again"), T)
    said = [(m.what, m.speed_m_s) for m in toy.told["delivery"] if isinstance(m, Instruction)]
    assert said == [("warn", -1.0), ("slow", 3.0), ("stop", 0.0), ("release", -1.0), ("slow", -1.0)]
    facts = toy.facts()
    for kind in ("UnitWarned", "UnitSlowed", "UnitStoppedByPlatform", "CaseClosed"):
        assert len(facts.frame(kind)) == (2 if kind == "UnitSlowed" else 1)


def test_an_order_does_not_get_through_without_a_link_but_the_desk_hears_of_it():
    toy = make_toy(n=1, supervision=robots())
    toy.units.linked[0] = False
    unit = int(toy.units.number[0])
    toy.platform.carry_out(StopUnit("1", unit, "speeding", "c"), T)
    toy.platform.carry_out(SlowUnit("2", unit, 3.0, "c"), T)
    assert toy.units.halts[0] == set()
    assert toy.units.top[0] == TOP
    assert [m.what for m in toy.told["delivery"] if isinstance(m, Instruction)] == ["stop", "slow"]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            WarnUnit("k", 5, "speeding", "c"),
            "sent WarnUnit at 36000 s for unit 5, which there is not; units are",
        ),
        (
            ReportViolation("k", unit_number("robot", 1), "rudeness", 1, "c"),
            "with violation 'rudeness'; allowed:",
        ),
        (SlowUnit("k", unit_number("robot", 1), -3.0, "c"), "with -3.0 m/s; above 0, or -1 to lift the limit"),
    ],
)
def test_a_bad_order_is_one_clear_sentence(command, text):
    with pytest.raises(ControlError, match=text) as error:
        make_toy(n=1).platform.carry_out(command, T)
    assert "\n" not in str(error.value)
