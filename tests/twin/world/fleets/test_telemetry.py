"""What units send and what becomes of it: shares as documented, draws of their own, nothing without a link."""

from __future__ import annotations

import time

import numpy as np
import pytest
from toy_fleet import TOP, make_toy

from twin.domain.ids import unit_number
from twin.domain.mobility import Telemetry
from twin.scenario.supervision import Supervision
from twin.scenario.supervision import Telemetry as Quality

T = 36_000
COLUMNS = tuple(f for f in Telemetry.__dataclass_fields__ if f not in ("t_s", "key"))


def toy_with(n=10, seed=1, faults=0.0, **quality):
    base = Quality.perfect().model_dump() | quality
    return make_toy(n=n, seed=seed, supervision=Supervision(faults=faults, telemetry=Quality(**base)))


def rows_of(toy, desk="supervision"):
    """All rows that came in, with the second they came: columns."""
    told = [m for m in toy.told[desk] if isinstance(m, Telemetry)]
    out = {name: np.concatenate([getattr(m, name) for m in told]) for name in COLUMNS}
    out["came_s"] = np.concatenate([np.full(m.unit.size, m.t_s) for m in told])
    return out


def test_perfect_telemetry_is_the_truth_at_once():
    toy = toy_with(n=4)
    for _ in range(30):
        toy.step()
        last = toy.told["supervision"][-1]
        assert isinstance(last, Telemetry)
        assert last.unit.tolist() == toy.units.number.tolist()
        assert (last.sent_s == toy.now_s).all()
        for name in ("road", "pos_m", "battery", "load", "state", "odometer_m"):
            assert np.array_equal(getattr(last, name), getattr(toy.units, name))
    assert np.allclose(last.speed_m_s, TOP)
    assert toy.told["delivery"][-1].key == f"telemetry/delivery/{toy.now_s}"
    gathered = toy.facts().frame("TelemetryGathered")
    assert (gathered["units"] == 4).all()
    assert gathered[["lost", "late", "wrong"]].to_numpy().sum() == 0


def test_the_period_is_kept_and_what_was_met_since_is_told():
    toy = toy_with(n=6, faults=400.0, period_s=30)
    facts = toy.run(3600).facts()
    c = rows_of(toy)
    assert set(np.diff(np.unique(c["sent_s"]))) == {30}
    began = facts.frame("ViolationBegan")
    assert c["red_lights"].sum() == (began["violation"] == "red light").sum()
    # every harsh braking is told once, by the first sending after it
    for u, t in began.loc[began["violation"] == "harsh braking", ["unit", "t_s"]].to_numpy().tolist():
        mine = (c["unit"] == u) & (c["sent_s"] >= t)
        assert c["braking_m_s2"][mine][0] > 4.0
    hard = (c["braking_m_s2"] > 4.0).sum()
    assert 0 < hard <= (began["violation"] == "harsh braking").sum()


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_shares_are_what_the_scenario_says(share):
    """Binomial: n trials of probability p lie within 4 sigma of n p."""
    toy = toy_with(n=20, loss=share, late=share, late_mean_s=40.0, wrong=share, beside=share, repeated=share)
    facts = toy.run(3600).facts()
    g = facts.frame("TelemetryGathered")
    sent = int(g["units"].sum() + g["lost"].sum())
    assert sent == 20 * 360

    def near(count, n, p):
        return abs(count - n * p) < 4 * np.sqrt(n * p * (1 - p)) + 1

    assert near(g["lost"].sum(), sent, share)
    assert near(g["late"].sum(), sent * (1 - share), share)
    assert near(g["wrong"].sum(), sent * (1 - share), share)
    c = rows_of(toy)
    pairs = np.unique(np.stack([c["unit"], c["sent_s"]]), axis=1).shape[1]
    assert near(c["unit"].size - pairs, pairs, share), "repeats"
    delay = c["came_s"] - c["sent_s"]
    assert (delay >= 0).all()
    assert delay[delay > 0].mean() > 20


def test_late_rows_come_in_a_later_batch_and_none_is_lost_on_the_way():
    toy = toy_with(n=5, late=0.5, late_mean_s=60.0)
    toy.run(1800)
    c = rows_of(toy)
    late = c["came_s"] > c["sent_s"]
    assert 0.3 < late.mean() < 0.6
    old = c["sent_s"] <= toy.now_s - 900
    assert np.unique(np.stack([c["unit"], c["sent_s"]])[:, old], axis=1).shape[1] == 5 * len(set(c["sent_s"][old]))


def test_positions_beside_lie_on_a_neighbouring_road():
    toy = toy_with(n=8, beside=0.5)
    turns = toy.units.city.turns[["from_road", "to_road"]].to_numpy()
    next_to = {(int(a), int(b)) for a, b in turns} | {(int(b), int(a)) for a, b in turns}
    moved = 0
    for _ in range(60):
        toy.step()
        last = toy.told["supervision"][-1]
        for true, said in zip(toy.units.road.tolist(), last.road.tolist(), strict=True):
            moved += true != said
            assert true == said or (true, said) in next_to
    assert abs(moved - 8 * 60 / 2) < 4 * np.sqrt(8 * 60 / 4)


def test_noise_and_clocks():
    toy = toy_with(n=200, speed_noise_m_s=0.5, clock_skew_s=5.0)
    toy.run(100)
    c = rows_of(toy)
    going = c["speed_m_s"] > 0
    assert c["speed_m_s"][going].std() == pytest.approx(0.5, rel=0.15)
    skew = c["sent_s"] - c["came_s"]
    per_unit = [set(skew[c["unit"] == u]) for u in set(c["unit"].tolist())]
    assert all(len(s) == 1 for s in per_unit), "a clock is wrong by the same all day"
    assert np.std([next(iter(s)) for s in per_unit]) == pytest.approx(5.0, rel=0.3)


def test_a_unit_without_a_link_sends_nothing_and_tells_afterwards_what_it_met():
    toy = toy_with(n=2, faults=0.0)
    toy.outages = {T + 100: [(0, False)], T + 400: [(0, True)]}
    toy.run(200)
    toy.platform.conduct.red_lights[0] = 1
    toy.run(400)
    c = rows_of(toy)
    mine = c["unit"] == unit_number("robot", 1)
    assert c["sent_s"][mine].tolist() == [*range(T + 10, T + 100, 10), *range(T + 400, T + 610, 10)]
    assert c["sent_s"][mine & (c["red_lights"] > 0)].tolist() == [T + 400]


def test_couriers_are_heard_by_their_desk_only():
    toy = make_toy(n=2, fleet="courier", supervision=Supervision(faults=100.0))
    toy.run(600)
    assert "supervision" not in toy.told
    assert any(isinstance(m, Telemetry) for m in toy.told["delivery"])
    assert toy.facts().frame("ViolationBegan").empty, "who drives himself needs no such permit"


def test_one_more_unit_and_blocks_of_draws_change_nothing():
    quality = {"loss": 0.2, "late": 0.2, "late_mean_s": 30.0, "wrong": 0.1, "beside": 0.2, "speed_noise_m_s": 0.5}

    def told(n):
        toy = toy_with(n=n, **quality)
        toy.run(1500)
        c = rows_of(toy)
        mine = c["unit"] <= unit_number("robot", 3)
        order = np.lexsort((c["came_s"], c["sent_s"], c["unit"]))
        order = order[mine[order]]
        return [c[name][order] for name in (*COLUMNS, "came_s")]

    for a, b in zip(told(3), told(4), strict=True):
        assert np.array_equal(a, b)


def test_a_day_of_164_units_every_30_s_costs_little():
    toy = toy_with(n=164, period_s=30, loss=0.02, late=0.05, late_mean_s=20.0, wrong=0.01, beside=0.05)
    link, ticks = toy.platform.telemetry, 0
    toy.platform.conduct.motion.speed_m_s[:] = 8.0
    begin = time.process_time()
    for now in range(T, T + 4 * 3600, 10):
        link.tick(now)
        ticks += 1
    assert (time.process_time() - begin) * 6 < 3.0, "24 h in less than 3 s"
    assert ticks == 1440
