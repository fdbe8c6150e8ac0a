"""Being late teaches: leave earlier, then take another mode; both are facts."""

from __future__ import annotations

import numpy as np
from made_up_city import column, live, people

from geo.city import City
from twin.events import HabitChanged
from twin.log import Log
from twin.world.people.habits import Habits
from twin.world.people.model import PeopleModel
from twin.world.people.ports import CAR, PURPOSES, Arrivals
from twin.world.people.settings import PeopleSettings

WORK = PURPOSES.index("work")
DAY = 86_400


def a_day(m: PeopleModel, day: int, late_s: dict[int, int]) -> dict[int, tuple[int, int]]:
    """Live a day in which the cars of ``late_s`` (residents) arrive late by so much, all else far too early.

    Returns when, and by which mode, everybody set out for work first.
    """
    m.plan_day(day, weekend=False)
    out: dict[int, tuple[int, int]] = {}
    for t in range(day * DAY, (day + 1) * DAY, 60):
        d = m.departures(t, t + 60)
        end = np.maximum(d.depart_s + 1, np.where(d.due_s >= 0, np.minimum(d.due_s, d.depart_s + 60), 0))
        for i, who in enumerate(d.resident.tolist()):
            if d.purpose[i] == WORK and who not in out:
                out[who] = (int(d.depart_s[i]) - day * DAY, int(d.mode[i]))
                if who in late_s and d.mode[i] == CAR:
                    end[i] = d.due_s[i] + late_s[who]
        if len(end):
            m.arrived(Arrivals(d.resident, d.trip, end, np.ones(len(end), dtype=bool)))
    m.end_day(day)
    return out


def test_late_people_leave_earlier_then_change_their_mode(city: City) -> None:
    log = Log()
    m = people(city, residents=1_200, log=log, mode_habit=1.0)
    first = a_day(m, 0, {})
    drivers = [r for r, (_, mode) in first.items() if mode == CAR and r < 1_200]
    unlucky = dict.fromkeys(drivers[: len(drivers) // 2], 1500)
    assert len(unlucky) > 20
    second = a_day(m, 1, unlucky)
    third = a_day(m, 2, unlucky)
    fourth = a_day(m, 3, {})
    again = [r for r in unlucky if r in second and r in third and second[r][1] == CAR == third[r][1]]
    assert len(again) > 15
    earlier = np.array([second[r][0] - third[r][0] for r in again])
    # 60 % of the 25 minutes, up to the day's own spread of a few minutes
    assert 600 < np.median(earlier) < 1_200
    lucky = [r for r in drivers if r not in unlucky and r in second and r in third]
    assert abs(np.median([second[r][0] - third[r][0] for r in lucky])) < 120
    # late twice in a row by car: another mode, if they have any other
    told = [r for r in again if r in fourth]
    assert np.mean([fourth[r][1] != CAR for r in told]) > 0.9
    assert np.mean([fourth[r][1] == CAR for r in lucky if r in fourth]) > 0.8
    facts = log.close().frame(HabitChanged)
    # a few are late by themselves: their day was too full
    assert facts["resident"].isin(list(unlucky)).mean() > 0.95
    facts = facts[facts["resident"].isin(list(unlucky))]
    by_day = facts.groupby("t_s")
    assert sorted(by_day.groups) == [2 * DAY - 1, 3 * DAY - 1]
    assert (by_day.get_group(2 * DAY - 1)["shift_s"] == 900).all()
    assert (by_day.get_group(2 * DAY - 1)["late_s"] == 1_500).all()
    switched = by_day.get_group(3 * DAY - 1)
    assert (switched["mode"] != CAR).mean() > 0.8  # some have no other way, some were late but once


def test_a_trip_that_fails_weighs_like_a_lateness(city: City) -> None:
    log = Log()
    m = people(city, residents=300, log=log)
    m.plan_day(0, weekend=False)
    live(m, 0, DAY, refuse=lambda d: d.purpose == WORK)
    m.end_day(0)
    facts = log.close().frame(HabitChanged)
    assert len(facts) > 50
    assert (facts["late_s"] == PeopleSettings().refused_as_late_s).mean() > 0.9


def test_punctual_people_slowly_forget() -> None:
    habits, s = Habits.of(3), PeopleSettings()
    who = np.array([1])
    habits.learn(who, np.array([1_000]), np.array([], dtype=np.int64), s)
    assert habits.shift_s.tolist() == [0, 600, 0]
    habits.learn(np.array([], dtype=np.int64), np.array([]), who, s)
    assert habits.shift_s[1] == np.float32(540)
    assert habits.late_days[1] == 0
    for _ in range(20):
        habits.learn(who, np.array([5_000]), np.array([], dtype=np.int64), s)
    assert habits.shift_s[1] == s.shift_most_s


def test_nobody_late_nothing_changes(city: City) -> None:
    log = Log()
    m = people(city, residents=300, log=log)
    m.plan_day(0, weekend=False)
    parts = live(m, 0, DAY, slower=0.2)
    assert column(parts, "trip").size > 0
    m.end_day(0)
    assert log.close().frame(HabitChanged).empty
    assert (m.habits.mode == -1).all()
