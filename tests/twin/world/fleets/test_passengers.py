"""Passengers of the buses in truth: asking, promises, walking, waiting, giving up; everybody has one end."""

from __future__ import annotations

import numpy as np
import pytest

from tests.twin.world.fleets.bus_curb import LINE, asked, at_stop, bus_curb, doors, postpone, promise, ride, set_out
from twin.domain.bus import AnswerBooking, BookingCancelled, CancelBooking, ChangePromise
from twin.errors import ControlError
from twin.world.fleets.bookers import DETOUR
from twin.world.fleets.passengers import EARLY_S, NO_LONGER, PATIENCE_S, WALK_M_S

A, B, C = LINE[0][:3]
TWICE = "booking {} was answered a second time at {} s"
UNKNOWN = "{} at {} s names booking 5, which was not made"
STOP = "{} at {} s promises booking {} stop 'moon', which the line has not"
NEVER = "booking {} was promised another time at {} s, but never accepted"


def coming(curb, n: int = 1, **how) -> list[int]:
    """Bookings whose passengers are on their way to the stop."""
    chosen: list[int] = []
    k = n
    while len(chosen) < n:
        for b in asked(curb, k):
            if b in curb.system._passengers.rides and ride(curb, b).state == "asked":
                promise(curb, b, **how)
                chosen += [b] if set_out(curb, [b])[0] else []
        k += 1
    return chosen[:n]


def walk_s(curb, block: int, stop: str) -> int:
    travel, point = curb.context.people.travel, curb.context.city.place(stop)["geometry"]
    away = np.hypot(travel.x_m[block] - point.x, travel.y_m[block] - point.y)
    return round(away * DETOUR / WALK_M_S)


def test_requests_tell_what_is_wished_and_when_it_is():
    curb = bus_curb()
    asked(curb, 40)
    facts = curb.facts()
    made = facts.frame("BookingMade").set_index("booking")
    requests = [m for m in curb.told if type(m).__name__ == "BookingRequest"]
    assert [m.booking for m in requests] == made.index.tolist()
    assert [m.t_s for m in requests] == made["t_s"].tolist()
    travel = curb.context.people.travel
    for m in requests:
        row = made.loc[m.booking]
        assert (m.party, m.wanted_s) == (row["party"], row["wanted_s"])
        assert (m.from_x_m, m.to_y_m) == (travel.x_m[row["origin"]], travel.y_m[row["destination"]])
        assert m.wanted_s > m.t_s


def test_who_is_promised_is_at_the_stop_a_little_before_and_no_sooner_than_on_foot():
    """at stop = max(departure + walk, promised pick-up - EARLY_S), the walk 1.3 straight lines at 1.25 m/s."""
    curb = bus_curb()
    (early,) = coming(curb)
    r = ride(curb, early)
    assert r.at_stop_s == max(curb.now_s + walk_s(curb, r.origin, r.stop), r.pickup_s - EARLY_S)
    (late,) = coming(curb, pickup_s=curb.now_s + 60)
    r = ride(curb, late)
    assert r.at_stop_s == curb.now_s + walk_s(curb, r.origin, r.stop) > r.pickup_s - EARLY_S


def test_a_promise_that_moves_does_not_send_anybody_home():
    """Who waits at the stop waits on there; promised another stop, they walk over from the old one."""
    curb = bus_curb()
    (b,) = coming(curb)
    r = ride(curb, b)
    curb.until(r.at_stop_s + 30)
    p, a = curb.system._passengers, r.stop
    other = B if a != B else C
    assert p.waiting(b, a, curb.now_s)
    before = r.at_stop_s
    postpone(curb, b, r.pickup_s + 300)
    assert r.at_stop_s == before
    assert p.waiting(b, a, curb.now_s)
    postpone(curb, b, r.pickup_s + 600, stop=other)
    one, two = (curb.context.city.place(s)["geometry"] for s in (a, other))
    over = round(one.distance(two) * DETOUR / WALK_M_S)
    assert r.at_stop_s == curb.now_s + over
    assert not p.waiting(b, a, curb.now_s)
    curb.until(r.at_stop_s)
    assert p.waiting(b, other, curb.now_s)


def test_patience_ends_so_long_after_the_promise_and_the_rest_is_walked():
    curb = bus_curb()
    (b,) = coming(curb)
    r = ride(curb, b)
    curb.until(r.pickup_s + PATIENCE_S)
    assert b in curb.system._passengers.rides
    curb.tick(2)
    told = [m for m in curb.told if isinstance(m, BookingCancelled) and m.booking == b]
    assert [(m.reason, m.t_s <= curb.now_s) for m in told] == [("gave up waiting", True)]
    metres = curb.context.people.travel.distance_m([r.origin], [r.destination])[0]
    gave_up_s = r.pickup_s + PATIENCE_S + 10 - (r.pickup_s + PATIENCE_S) % 10
    assert (r.resident, gave_up_s + round(metres / WALK_M_S)) in curb.context.journeys.ended
    assert curb.facts().frame("PassengerMissed").set_index("booking").loc[b, "reason"] == "gave up waiting"


def test_who_never_sets_out_is_missed_without_walking():
    curb = bus_curb()
    (b,) = asked(curb, 1)
    promise(curb, b)
    curb.until(ride(curb, b).pickup_s + PATIENCE_S + 20)
    assert curb.context.journeys.ended == []
    assert curb.facts().frame("PassengerMissed").set_index("booking").loc[b, "reason"] == "came late"


def test_who_sets_out_without_an_answer_goes_another_way_and_says_so():
    curb = bus_curb()
    b, c = asked(curb, 2)
    assert not set_out(curb, [b]).any()
    assert not set_out(curb, [c], origin=119).any()
    curb.tick()
    assert [(m.booking, m.reason) for m in curb.told if isinstance(m, BookingCancelled)] == [
        (b, "left without an answer"), (c, "left without an answer"),
    ]  # fmt: skip
    promise(curb, b)  # too late: no effect
    facts = curb.facts()
    assert facts.frame("BookingAnswered").empty
    assert set(facts.frame("BookingWithdrawn")["who"]) == {"resident"}


def test_who_is_elsewhere_when_the_trip_begins_does_not_come():
    curb = bus_curb()
    (b,) = asked(curb, 1)
    promise(curb, b)
    assert not set_out(curb, [b], origin=ride(curb, b).origin + 1).any()
    curb.tick()
    assert [m.reason for m in curb.told if isinstance(m, BookingCancelled)] == ["is elsewhere"]
    assert curb.facts().frame("PassengerMissed")["reason"].tolist()[0] == "is elsewhere"


def test_some_do_not_come_without_a_word():
    """A draw of resident and trip, p = NO_LONGER; others who book change nothing."""
    curb = bus_curb()
    all_ = asked(curb, 600)
    taken = []
    for b in all_:
        promise(curb, b, pickup_s=curb.now_s + 3000)
        taken.append(bool(set_out(curb, [b])[0]))
    n = len(all_)
    assert n - sum(taken) == pytest.approx(n * NO_LONGER, abs=4 * np.sqrt(n * NO_LONGER * (1 - NO_LONGER)))
    alone = bus_curb()
    asked(alone, 600)
    for b, came in list(zip(all_, taken, strict=True))[::7]:
        promise(alone, b, pickup_s=curb.now_s + 3000)
        assert set_out(alone, [b])[0] == came
    assert not [m for m in curb.told if isinstance(m, BookingCancelled)]


def test_the_desk_may_take_back_what_it_promised_but_nobody_out_of_the_bus():
    curb = bus_curb()
    (b,) = coming(curb, pickup_s=curb.now_s + 600)
    (c,) = coming(curb, pickup_s=curb.now_s + 600)
    curb.do(CancelBooking("k", b, "no bus"))
    assert b not in curb.system._passengers.rides
    assert [r for r, _ in curb.context.journeys.ended] == [b // 1024]
    curb.until(ride(curb, c).at_stop_s)
    at_stop(curb, ride(curb, c).stop)
    doors(curb, ride(curb, c).stop, [c])
    curb.tick(5)
    curb.do(CancelBooking("k2", c, "no bus"))
    postpone(curb, c, curb.now_s + 99)
    assert ride(curb, c).state == "aboard"
    made = curb.facts().frame("BookingAnswered")
    assert (made["booking"] == c).sum() == 1


def test_what_breaks_the_contract_is_one_sentence():
    curb = bus_curb()
    b, c, d = asked(curb, 3)
    promise(curb, b)
    promise(curb, d)
    t = curb.now_s
    for command, said in (
        (AnswerBooking("k", b, True, A, B, t, t, 0, ""), TWICE.format(b, t)),
        (AnswerBooking("k", b, False, "", "", t, t, 0, ""), TWICE.format(b, t)),
        (AnswerBooking("k", 5, True, A, B, t, t, 0, ""), UNKNOWN.format("AnswerBooking", t)),
        (CancelBooking("k", 5, ""), UNKNOWN.format("CancelBooking", t)),
        (AnswerBooking("k", c, True, A, "moon", t, t, 0, ""), STOP.format("AnswerBooking", t, c)),
        (ChangePromise("k", c, A, B, t, t, 0, ""), NEVER.format(c, t)),
        (ChangePromise("k", b, "moon", B, t, t, 0, ""), STOP.format("ChangePromise", t, b)),
    ):
        before = dict(curb.system._passengers.rides), str(ride(curb, b)), str(ride(curb, c))
        with pytest.raises(ControlError) as error:
            curb.system.carry_out(command, t)
        assert str(error.value) == said
        assert (dict(curb.system._passengers.rides), str(ride(curb, b)), str(ride(curb, c))) == before
    curb.do(CancelBooking("k", d, "x"))
    curb.do(CancelBooking("k", d, "x"))  # it has ended meanwhile: no effect
    assert (curb.facts().frame("BookingWithdrawn")["booking"] == d).sum() == 1


def test_a_trip_is_booked_once_even_if_it_is_left_over_from_yesterday():
    curb = bus_curb()
    first = asked(curb, 20)
    for b in first:
        curb.do(AnswerBooking(f"a/{b}", b, False, "", "", -1, -1, 0, "full"))
    p = curb.system._passengers
    p.plan_day(curb.now_s - 1200)  # the same trips are in the plan again
    curb.tick(60)
    made = curb.facts().frame("BookingMade")["booking"]
    assert made.is_unique
    assert set(first) <= set(made)
