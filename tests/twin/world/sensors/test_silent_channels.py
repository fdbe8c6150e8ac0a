"""Channels that fall silent for more than one reason: they fail once, and are restored when the last reason is over."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.checks.run import shipped
from scenarios.readings import Memory
from tests.twin.world.city_brain.brain_town import city
from twin.dice import Dice
from twin.events import RunEnded, SensorFailed, SensorRestored
from twin.log import Log
from twin.scenario.city_brain import Sensors
from twin.world.city_brain.sites import Places
from twin.world.sensors.channels import place_channels
from twin.world.sensors.faults import Faults

HOUR_S = 3600
ONCE = "a device that is silent does not fall silent again"


@cache
def channels():
    return place_channels(Places(city()), Sensors(channels=2000))


def test_an_intervention_during_an_outage_is_one_silence():
    """As a run had it: an outage from 13:46 to 17:01, and an intervention that silences the same one from 14 to 17."""
    log = Log(None)
    faults = Faults(channels(), Dice(1), log, 0.0)
    faults._down_s[141], faults._up_s[141] = 49_560, 61_260
    row = np.array([141, 142])
    told = []
    for now_s, do in ((49_560, None), (50_400, True), (61_200, False), (61_260, None)):
        if do is not None:
            faults.force(row, do, now_s)
        faults.step(now_s)
        told.append(faults.down[row].tolist())
    assert told == [[True, False], [True, True], [True, False], [False, False]]
    log.add(RunEnded, t_s=70_000, reason="finished")
    facts = log.close()
    failed, back = facts.frame(SensorFailed), facts.frame(SensorRestored)
    seen = list(zip(failed["t_s"], failed["channel"], failed["reason"], strict=True))
    assert seen == [(49_560, 141, "outage"), (50_400, 142, "intervention")]
    assert list(zip(back["t_s"], back["channel"], strict=True)) == [(61_200, 142), (61_260, 141)]
    assert next(p for p in shipped() if p.name == ONCE).check(Memory(facts)).holds


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    spells=st.lists(st.tuples(st.integers(0, 170), st.integers(1, 60), st.integers(0, 3)), max_size=6),
)
def test_what_is_silent_does_not_fall_silent_again(seed, spells):
    """Outages 200 times as often as assumed, interventions that overlap them and each other."""
    log = Log(None)
    faults = Faults(channels(), Dice(seed), log, 200.0)
    forced = {}
    for minute, lasts, which in spells:
        rows = np.arange(which * 100, which * 100 + 150)
        forced.setdefault(minute, []).append((rows, True))
        forced.setdefault(minute + lasts, []).append((rows, False))
    for minute in range(180):
        if minute % 60 == 0:
            faults.hour(minute // 60)
        for rows, on in forced.get(minute, []):
            faults.force(rows, on, 60 * minute)
        faults.step(60 * minute)
        assert np.array_equal(faults.down, faults._failed | (faults._forced > 0))
    log.add(RunEnded, t_s=3 * HOUR_S, reason="finished")
    facts = log.close()
    found = next(p for p in shipped() if p.name == ONCE).check(Memory(facts))
    assert found.checked > 100
    assert found.holds, found.first
    silent = len(facts.frame(SensorFailed)) - len(facts.frame(SensorRestored))
    assert silent == int(faults.down.sum()), "every silence has its end, or goes on"
