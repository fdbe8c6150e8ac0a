"""Working time: what can be said of it without laying it out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.control.services.calendars import DAY_S, Calendar, Hours, week

H = 3600
OFFICE = week([(9 * H, 12 * H), (13 * H, 17 * H)])


def worked_by_counting(c: Calendar, a: int, b: int, step: int) -> int:
    return sum(step for t in range(a, b, step) if c.open(t))


def test_hours_of_a_week() -> None:
    c = Calendar(OFFICE, first_weekday=0)
    assert not c.open(9 * H - 1)
    assert c.open(9 * H)
    assert not c.open(12 * H)
    assert c.closes(10 * H) == 12 * H
    assert c.next_open(17 * H) == DAY_S + 9 * H
    assert c.next_open(4 * DAY_S + 17 * H) == 7 * DAY_S + 9 * H  # over the weekend
    assert c.add(11 * H, 2 * H) == 14 * H  # over lunch
    assert c.add_days(10 * H, 0) == 17 * H
    assert c.add_days(4 * DAY_S + 10 * H, 1) == 7 * DAY_S + 17 * H


def test_holidays_are_closed() -> None:
    c = Calendar(OFFICE, 0, holidays=(1,))
    assert c.next_open(17 * H) == 2 * DAY_S + 9 * H
    assert c.add_days(0, 1) == 2 * DAY_S + 17 * H


@given(
    st.lists(st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda p: p[0] < p[1]), min_size=1, max_size=1),
    st.integers(0, 6),
    st.integers(0, 40 * 24),
    st.integers(1, 200),
)
@settings(max_examples=60, deadline=None)
def test_adding_is_the_inverse_of_counting(spans, first, from_h, work_h) -> None:
    c = Calendar(week([(a * H, b * H) for a, b in spans]), first)
    t = from_h * H
    end = c.add(t, work_h * H)
    assert c.between(t, end) == work_h * H == worked_by_counting(c, t, end, H)
    assert c.open(end - 1)


@given(st.integers(0, 60 * DAY_S), st.integers(0, 5 * DAY_S), st.integers(0, 200_000), st.integers(0, 100_000))
@settings(max_examples=200, deadline=None)
def test_later_in_is_never_earlier_out(t, later, work, more) -> None:
    c = Calendar(OFFICE, 2, holidays=(3, 4, 10))
    assert c.add(t + later, work) >= c.add(t, work)
    assert c.add(t, work + more) >= c.add(t, work)
    assert c.add(c.add(t, work), more) >= c.add(t, work + more) or more == 0
    assert c.add_days(t + later, 3) >= c.add_days(t, 3)


@pytest.mark.parametrize("hours", [(), (Hours(0, 5, 5),), (Hours(7, 0, 5),), (Hours(0, 0, 10), Hours(0, 5, 20))])
def test_hours_that_are_none(hours) -> None:
    with pytest.raises(ValueError, match=r"calendar needs|hours"):
        Calendar(hours)
