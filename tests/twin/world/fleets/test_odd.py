"""Operating conditions of the buses: who drives when it rains, halts, what the cameras miss – against their rates."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.cities import shared_toy_city
from tests.twin.world.fleets.curb import CurbUnits, curb_town, make_curb
from tests.twin.world.fleets.doubles import Stage, close_all, far_road, stage
from twin.dice import Dice
from twin.domain.mobility import DRIVING, HALTED, MANUAL, PARKED
from twin.log import Log
from twin.world.fleets.models import MODELS
from twin.world.fleets.odd import MISS_FACTOR, MOMENT_S, NOTICED, RAIN_MISS, REACTION_S, STUCK_S, OperatingDomain
from twin.world.fleets.ports import TICK_S
from twin.world.weather import Weather, visibility_m

LIMIT = 16.0


@pytest.fixture(autouse=True)
def _close():
    yield
    close_all()


@dataclass
class Drive:
    """A bus of the toy city that drives to and fro, with its operating conditions."""

    stage: Stage
    weather: Weather
    odd: OperatingDomain

    @property
    def now_s(self) -> int:
        return self.stage.now_s

    @property
    def state(self) -> int:
        return int(self.stage.units.state[0])

    def run(self, seconds: int, go: bool = True) -> list[int]:
        """Let time pass; return the bus's state at each tick. ``go``: it sets out again wherever it comes to stand."""
        s, states = self.stage, []
        until = s.now_s + seconds
        while s.now_s < until:
            s.now_s += TICK_S
            s.gate.take(s.traffic.advance(s.now_s))
            s.units.tick(s.now_s)
            s.energy.tick(s.now_s, TICK_S)
            self.odd.tick(s.now_s)
            s.units.forget_passed()
            s.reports += [(s.now_s, r) for _, r in s.units.take_reports(s.now_s)]
            if go and self.state == PARKED:
                s.drive(0, far_road(s.city, int(s.units.road[0])))
            states.append(self.state)
        return states

    def rain(self, mm_h: float, kind: str = "rain") -> None:
        self.weather.change(self.now_s, kind if mm_h or kind == "fog" else "clear", mm_h)

    def facts(self):
        self.odd.finish(self.now_s)
        return self.stage.facts()


def drive(stops: bool = False, miss_rate: float = 0.0, seed: int = 1) -> Drive:
    s = stage(shared_toy_city(), "free-flow", model=MODELS["minibus"], fleet="shuttle", seed=seed)
    weather = Weather(s.log, "clear", 0.0)
    context = SimpleNamespace(units=s.units, city=s.city, log=s.log, dice=Dice(seed + 100), weather=weather)
    odd = OperatingDomain(
        context, "shuttle", LIMIT, 150.0, miss_rate, stops, lambda: visibility_m(weather.kind, weather.rain_mm_h)
    )
    made = Drive(s, weather, odd)
    s.drive(0, far_road(s.city, int(s.units.road[0])))
    return made


def test_the_driver_takes_over_in_heavy_rain_and_gives_back_when_it_stops():
    d = drive()
    assert set(d.run(60)) == {DRIVING}
    d.rain(LIMIT)  # at the limit: inside
    assert MANUAL not in d.run(60)
    d.rain(LIMIT + 0.1)
    begun_s = d.now_s + TICK_S
    states = d.run(900)  # several legs: halts in between do not end it
    assert set(states) <= {MANUAL, DRIVING}
    assert states.count(DRIVING) <= states.count(MANUAL) / 4  # in the tick of setting out only
    d.rain(0.0)
    over_s = d.now_s + TICK_S
    assert MANUAL not in d.run(120)
    facts = d.facts()
    began, ended = facts.frame("TakeOverBegan"), facts.frame("TakeOverEnded")
    assert began[["t_s", "cause"]].values.tolist() == [[begun_s, "rain"]]
    assert ended[["t_s", "cause", "duration_s"]].values.tolist() == [[over_s, "rain", over_s - begun_s]]
    assert len(facts.frame("UnitArrived")) > 3


def test_at_home_a_take_over_ends():
    d = drive()
    s = d.stage
    d.run(40)
    d.rain(30.0)
    s.drive(0, s.units.home[0].road, s.units.home[0].pos_m)
    d.run(900, go=False)
    assert s.units.at_home(0)
    facts = d.facts()
    arrived = facts.frame("UnitArrived")["t_s"].max()
    assert 0 <= facts.frame("TakeOverEnded")["t_s"].iloc[0] - arrived <= 2 * TICK_S


@pytest.mark.parametrize(
    ("kind", "mm_h", "cause"), [("fog", 0.0, "fog"), ("snow", 17.0, "snow"), ("rain", 17.0, "rain"), ("snow", 0.1, "")]
)
def test_what_is_outside(kind, mm_h, cause):
    d = drive()
    d.weather.change(0, kind, mm_h)
    d.run(60)
    assert d.facts().frame("TakeOverBegan")["cause"].tolist() == ([cause] if cause else [])


def test_outside_it_stops_if_the_scenario_says_so_and_stays_until_the_rain_is_over():
    d = drive(stops=True)
    d.run(60)
    d.rain(30.0)
    states = d.run(600)
    assert states[1:] == [HALTED] * 59  # a minimal-risk stop, no to and fro
    d.rain(0.0)
    d.run(20)
    assert d.state == DRIVING
    facts = d.facts()
    halted, resumed = facts.frame("UnitHalted"), facts.frame("UnitResumed")
    assert halted["cause"].tolist() == ["rain"]
    assert resumed["cause"].tolist() == ["back in its operating conditions"]
    assert resumed["waited_s"].tolist() == [600]
    assert facts.frame("TakeOverBegan").empty


def test_a_lost_link_is_a_take_over_until_it_is_back():
    d = drive()
    d.run(30)
    d.stage.faults.lose_link(0, "test", d.now_s, d.now_s + 10**6)
    assert set(d.run(100)) <= {MANUAL, DRIVING}
    d.stage.units.link(0, True)
    d.run(20)
    facts = d.facts()
    assert facts.frame("TakeOverBegan")["cause"].tolist() == ["lost link"]
    assert facts.frame("TakeOverEnded")["duration_s"].tolist() == [100]


def test_a_break_down_ends_it():
    for stops in (False, True):
        d = drive(stops)
        d.run(30)
        d.rain(30.0)
        d.run(60)
        d.stage.faults.break_down(0, "test", d.now_s)
        d.run(30)
        facts = d.facts()
        assert len(facts.frame("TakeOverEnded")) == len(facts.frame("TakeOverBegan")) == (0 if stops else 1)


def test_what_lasts_at_the_end_is_ended():
    d = drive()
    d.rain(30.0)
    d.run(100)
    facts = d.facts()
    assert facts.frame("TakeOverEnded")["duration_s"].tolist() == [90]


# -- recognition and being stuck, without traffic ------------------------------------------------------------


def still(units: int = 1, miss_rate: float = 0.02, kind: str = "clear", mm_h: float = 0.0, seed: int = 1):
    """Buses that pass what roads they are told to; signals at nodes that say so."""
    curb = make_curb("bus", units=units, seed=seed)
    city = curb_town()
    nodes = sorted(set(city.roads["from_node"]))
    junctions = pd.DataFrame({"node": nodes, "signal": np.arange(len(nodes)) % 2 == 0})
    signal = SimpleNamespace(roads=city.roads, junctions=junctions)
    log = Log()
    weather = Weather(log, kind, mm_h)
    units_ = CurbUnits(curb.units.specs, log)
    units_.state[:] = DRIVING
    context = SimpleNamespace(units=units_, city=signal, log=log, dice=Dice(seed), weather=weather)
    odd = OperatingDomain(context, "shuttle", 1e9, 0.0, miss_rate, False, lambda: 1e9)
    return odd, units_, log


def passages(n: int, **how):
    odd, units, log = still(**how)
    for k in range(n):
        for row in range(len(units)):
            units.pass_(row, [k % 100])
            units.pos_m[row] = k % 7  # it moves
        odd._now.clear()  # the driver gives back at once
        odd.tick(10 * k)
    return log.close(), odd


@pytest.mark.parametrize(("kind", "mm_h"), [("clear", 0.0), ("rain", 5.0), ("rain", 20.0), ("fog", 0.0), ("snow", 2.0)])
def test_the_miss_rate_rises_with_the_weather(kind, mm_h):
    """Binomial: n passages at rate × (factor of the weather + 0.15 per mm/h)."""
    n, base = 4000, 0.005
    log, odd = passages(n, miss_rate=base, kind=kind, mm_h=mm_h)
    p = base * (MISS_FACTOR[kind] + RAIN_MISS * mm_h)
    assert odd.miss_rate() == pytest.approx(p)
    missed = log.frame("SignalMissed")
    assert len(missed) == pytest.approx(n * p, abs=4 * np.sqrt(n * p * (1 - p)))
    assert set(missed["what"]) == {"signal", "marking"}


def test_worse_weather_misses_all_that_better_weather_misses():
    clear, fog = (set(passages(1500, kind=k)[0].frame("SignalMissed")["t_s"]) for k in ("clear", "fog"))
    assert clear < fog
    assert MISS_FACTOR["clear"] < MISS_FACTOR["rain"] < MISS_FACTOR["fog"] < MISS_FACTOR["snow"]


def test_most_misses_are_noticed_and_then_the_driver_acts():
    """NOTICED of them; reactions are log-normal, so their logarithms normal."""
    n = 4000
    log, _ = passages(n, miss_rate=1.0)
    missed, began = log.frame("SignalMissed"), log.frame("TakeOverBegan")
    assert len(missed) == n
    assert missed["noticed"].mean() == pytest.approx(NOTICED, abs=4 * np.sqrt(NOTICED * (1 - NOTICED) / n))
    assert began["t_s"].tolist() == missed.loc[missed["noticed"].astype(bool), "t_s"].tolist()
    assert set(began["cause"]) == {"missed signal", "lost marking"}
    mean, sd = REACTION_S
    seconds = np.log(began["reaction_s"].to_numpy())
    assert seconds.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(seconds.size))
    assert seconds.std() == pytest.approx(sd, rel=4 / np.sqrt(2 * seconds.size))
    assert np.median(began["reaction_s"]) == pytest.approx(np.exp(mean), rel=0.05)


def test_another_bus_changes_nothing_of_what_the_first_misses():
    alone, beside = (passages(800, miss_rate=0.1, units=n)[0].frame("SignalMissed") for n in (1, 3))
    first = beside[beside["unit"] == alone["unit"].iloc[0]]
    assert first["t_s"].tolist() == alone["t_s"].tolist()
    assert len(beside) > 2 * len(alone)


def test_a_missed_signal_is_a_short_take_over_and_nothing_is_missed_meanwhile():
    odd, units, log = still(miss_rate=1.0)
    for k in range(9):
        units.pass_(0, [0])
        odd.tick(10 * k)
        if k == 0:
            assert units.state[0] == MANUAL
    facts = log.close()
    assert facts.frame("TakeOverEnded")["duration_s"].tolist() == [MOMENT_S, MOMENT_S]
    assert facts.frame("TakeOverBegan")["t_s"].tolist() == [0, 40, 80]
    assert facts.frame("SignalMissed")["t_s"].tolist() == [0, 40, 80]


def test_a_bus_that_does_not_move_on_its_way_is_blocked_one_at_a_stop_is_not():
    odd, units, log = still(miss_rate=0.0)
    t = 0
    for state, n in ((DRIVING, STUCK_S // 10), (PARKED, 60), (DRIVING, STUCK_S // 10), (DRIVING, 2)):
        units.state[0] = state
        for _ in range(n):
            t += 10
            odd.tick(t)
    units.pos_m[0] += 5.0
    odd.tick(t + 10)
    facts = log.close()
    assert facts.frame("TakeOverBegan")[["t_s", "cause"]].values.tolist() == [[t - 10, "blocked lane"]]
    assert facts.frame("TakeOverEnded")["t_s"].tolist() == [t + 10]
