"""Who works where: the officers of windows and back offices, their calendars and skills, as the desk is told them."""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.control.services.calendars import Calendar, Hours, week
from twin.control.services.catalogue.items import APPEAL, DECIDE, MAKE, REVIEW, VISIT, Catalogue
from twin.control.services.groups import back, window
from twin.control.services.levers import Levers
from twin.domain.services import HoursTold, StaffTold
from twin.world.offices.settings import Offices

HALL, CLOUD, ONLINE, PROXY = 0, 100, 101, 102
OFFICE, EARLY, LATE = 0, 1, 2
_H = 3600
HOURS: dict[int, tuple[Hours, ...]] = {
    OFFICE: week([(9 * _H, 12 * _H), (13 * _H, 17 * _H)]),
    EARLY: week([(9 * _H, 23 * _H // 2), (25 * _H // 2, 17 * _H)]),
    LATE: week([(9 * _H, 25 * _H // 2), (27 * _H // 2, 17 * _H)]),
}


def office_name(office: int) -> str:
    """Return the name of an office or channel in facts."""
    fixed = {HALL: "hall", CLOUD: "cloud", ONLINE: "mobile", PROXY: "proxy"}
    return fixed.get(office) or f"point-{office}"


@dataclass
class People:
    """Officers as rows: number, calendar, groups. ``calendars`` by number."""

    calendars: dict[int, Calendar]
    hours: dict[int, tuple[Hours, ...]]
    holidays: tuple[int, ...] = ()
    officer: list[int] = field(default_factory=list)
    calendar: list[int] = field(default_factory=list)
    groups: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, officer: int, calendar: int, *groups: int) -> None:
        """Add an officer."""
        self.officer.append(officer)
        self.calendar.append(calendar)
        self.groups.append(groups)

    def told(self, t_s: int) -> StaffTold:
        """Return what the desk is told of them."""
        pairs = [(o, g) for o, groups in zip(self.officer, self.groups, strict=True) for g in groups]
        return StaffTold(
            t_s, "staff", tuple(self.officer), tuple(self.calendar),
            tuple(o for o, _ in pairs), tuple(g for _, g in pairs),
        )  # fmt: skip

    def hours_told(self, t_s: int) -> list[HoursTold]:
        """Return what the desk is told of their hours."""
        return [
            HoursTold(
                t_s,
                f"hours/{number}",
                number,
                tuple(h.weekday for h in hours),
                tuple(h.from_s for h in hours),
                tuple(h.until_s for h in hours),
                self.holidays,
            )
            for number, hours in sorted(self.hours.items())
        ]


def empty(
    first_weekday: int, holidays: tuple[int, ...] = (), hours: dict[int, tuple[Hours, ...]] | None = None
) -> People:
    """Return an office without officers; ``hours``: of each calendar (default: usual ones)."""
    known = hours or HOURS
    return People({n: Calendar(h, first_weekday, holidays) for n, h in known.items()}, known, holidays)


def load(catalogue: Catalogue) -> list[float]:
    """Return each department's share of the back-office minutes that the catalogue's demand makes; sums to 1."""
    minutes = [0.0] * len(catalogue.departments)
    for item in catalogue.items:
        for s in item.steps:
            if s.kind == "review":
                minutes[catalogue.dept_row[s.dept]] += item.weight * s.work_min
    total = sum(minutes) or 1.0
    return [m / total for m in minutes]


def staff(
    catalogue: Catalogue, offices: Offices, levers: Levers, first_weekday: int, holidays: tuple[int, ...] = ()
) -> People:
    """Return the officers of an office. The same people whatever the levers; what differs is what windows may take.

    Windows: with one window any officer takes anything, else the officers are shared out among departments, the
    busiest first, at least one each. Back offices: ``offices.reviewers`` times the number of departments in all,
    shared out by load, at least one each; one who decides (and hears appeals) and one inspector per department.
    """
    out = empty(first_weekday, holidays)
    n = len(catalogue.departments)
    shares = load(catalogue)
    for i, dept in enumerate(_shared_out(max(offices.windows, n), shares)):
        calendar = (EARLY, LATE)[i % 2] if offices.noon else OFFICE
        groups = (window(HALL),) if levers.one_window else (window(HALL, dept),)
        out.add(1000 + i, calendar, *groups)
    if levers.remote:
        for i in range(offices.points):
            out.add(2000 + i, OFFICE, window(1 + i))
        for i in range(offices.cloud):
            out.add(3000 + i, OFFICE, window(CLOUD))
        for i in range(offices.online):
            out.add(4000 + i, OFFICE, window(ONLINE), window(PROXY))
    for i, dept in enumerate(_shared_out(max(offices.reviewers, 1) * n, shares)):
        out.add(10_000 + i, OFFICE, back(dept, REVIEW), back(dept, MAKE))
    for dept in range(n):
        out.add(20_000 + dept, OFFICE, back(dept, DECIDE), back(dept, APPEAL))
        out.add(30_000 + dept, OFFICE, back(dept, VISIT))
    return out


def _shared_out(officers: int, shares: list[float]) -> list[int]:
    """Return the department of each officer: one each, the rest by largest load per officer (d'Hondt)."""
    count = [1] * len(shares)
    for _ in range(officers - len(shares)):
        busiest = max(range(len(shares)), key=lambda d: (shares[d] / count[d], -d))
        count[busiest] += 1
    return [d for d, k in enumerate(count) for _ in range(k)]


def plenty(catalogue: Catalogue, offices: int, each: int, first_weekday: int = 0) -> People:
    """Return so many officers of one calendar that nobody ever waits: for proofs that compare case by case."""
    out = empty(first_weekday)
    number = 0
    groups: list[tuple[int, ...]] = [
        (window(office), *(window(office, d) for d in range(len(catalogue.departments))))
        for office in (HALL, *range(1, offices + 1), CLOUD, ONLINE, PROXY)
    ]
    for dept in range(len(catalogue.departments)):
        groups += [(back(dept, k),) for k in (REVIEW, VISIT, DECIDE, MAKE, APPEAL)]
    for group in groups:
        for _ in range(each):
            number += 1
            out.add(number, OFFICE, *group)
    return out
