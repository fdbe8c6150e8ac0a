"""How people and officers behave: every parameter of the truth around the service office, and where it comes from.

Two are *fitted* to F36 (``reuse_hit`` to the materials, ``circulate`` to the time; see ``scenarios.reform``), all
others are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Behaviour:
    """Truth around the office.

    ``flaw``: share of handed-in materials that are not in order; of these ``late_flaw`` is found by a reviewer, not at
    the check. ``precheck_catches``: share of flaws that rules find before filing. ``reuse_hit``: share of licences
    that lie in the licence base and are valid; ``agrees``: share of the other people whose licence is wanted who agree
    to its being looked up (by phone: as many as are at ease with one). ``circulate``: share of the legal limit for
    which papers circulate (countersigning, opinions, meetings) while nobody works on them; its spread is log-normal
    with ``circulate_sigma``. ``work_sigma``: the same for minutes of work. ``errand_days``: mean working days until an
    applicant can come to an office; ``prepare_days``: mean until something missing is found. ``travel_min``: mean
    minutes to the hall (months of cases without a city). ``refuse``, ``appeal``, ``upheld``: shares of items refused,
    of refusals appealed against, of appeals that succeed. ``withdraw``: share of cases taken back when asked to
    correct. ``post_days``: calendar days of the post. ``far_wait_min``/``far_check_min``: wait and check at a hall
    elsewhere that takes papers in; ``joint_days``: working days of another place's part of a case. ``avoids``: share
    of the flaws that somebody who was told the right list avoids; ``notices``: share of those told of a wrong item
    who notice; ``picks``: share who pick the right one where it is shown second or third; ``hotline_min``: until a
    person has answered who was handed over to, in open hours; ``hotline_right``: share of right answers then.
    ``away_per_year``: unplanned absences of an officer, of ``away_days`` each. ``outages_per_year``: of a department's
    system, of mean ``outage_min``.
    """

    flaw: float = 0.05
    late_flaw: float = 0.25
    precheck_catches: float = 0.6
    reuse_hit: float = 0.354
    agrees: float = 0.65
    circulate: float = 0.408
    circulate_sigma: float = 0.5
    work_sigma: float = 0.4
    errand_days: float = 1.5
    prepare_days: float = 2.0
    travel_min: float = 30.0
    refuse: float = 0.015
    appeal: float = 0.1
    upheld: float = 0.2
    withdraw: float = 0.05
    post_days: float = 2.0
    far_wait_min: float = 15.0
    far_check_min: float = 15.0
    joint_days: float = 2.0
    avoids: float = 0.4
    notices: float = 0.6
    picks: float = 0.7
    hotline_min: float = 15.0
    hotline_right: float = 0.95
    away_per_year: float = 4.0
    away_days: float = 1.0
    outages_per_year: float = 6.0
    outage_min: float = 45.0
    durations: Literal["log-normal", "exponential", "fixed"] = "log-normal"


@dataclass(frozen=True)
class Demand:
    """Who wants what, in months of cases without a city (all assumed but the totals).

    ``per_day``: matters that begin per working day. ``company``: share of companies; ``scene``: share of matters that
    are a theme; ``far``: share from other regions (F38: more than 3,000 of 31,300). ``digital``: share of persons at
    ease with a phone (of companies: all).
    """

    per_day: float = 100.0
    company: float = 0.4
    scene: float = 0.15
    far: float = 0.1
    digital: float = 0.65


@dataclass(frozen=True)
class Offices:
    """The offices and who works there (assumed; hours are usual ones of a hall: 09:00-12:00, 13:00-17:00).

    ``windows``: window officers in the hall (at least one per department), ``points``: service points (F34: 15) with
    one officer each, ``cloud``: officers at video windows, ``online``: officers who check what comes in by phone.
    ``reviewers``: officers per department in the back office, beside one who decides and one who visits sites.
    ``noon``: half of the windows stay open over noon.
    """

    windows: int = 20
    points: int = 15
    cloud: int = 2
    online: int = 6
    reviewers: int = 3
    noon: bool = True
