"""The plans desk: one plan per company 一企一策, expert visits from the stations 泉惠企, and loans (F44, F46-F48).

A plan follows from the stage of life and the industry by a table; what experts hear on a visit goes into it. Visits
are made on Tuesdays and Thursdays: the station whose companies have waited longest, and of them those of the lead
industries, growing ones first. A company that wishes to borrow is brought together with the bank that has most left to
lend, with up to three banks in turn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.control.companies.calendar import DAY_S, Calendar
from twin.control.companies.register import Register
from twin.domain.commands import Command, WakeAt
from twin.domain.companies import (
    COMPANY_STAGES,
    THEMES,
    CompaniesLeft,
    CompanyRecords,
    LoanAnswered,
    LoanRepaid,
    LoanWished,
    MakePlans,
    NeedsTold,
    OfferLoan,
    OfficeCalendar,
    SendExperts,
    StationsTold,
)
from twin.domain.messages import Floats, Ints, Message

#: stage → themes of its plan (assumed)
PLAN = {
    "founded": ("permits", "people", "tax"),
    "growing": ("policy", "finance", "technology"),
    "mature": ("market", "technology", "law"),
    "leaving": ("law", "tax"),
}
LEAD = ("new_energy_vehicles", "aviation", "new_materials")  # F47
VISIT_DAYS = (1, 3)  # Tuesday, Thursday
VISIT_AT_S = 14 * 3600
AGAIN_DAYS = 180
BANKS_TRIED = 3


class PlansDesk:
    """A fold over messages; see :mod:`twin.domain.companies`. Needs the fields stage, industry, x_m, y_m."""

    def __init__(self) -> None:
        self._register = Register()
        self._calendar: Calendar | None = None
        self._stations: StationsTold | None = None
        self._left: Floats = np.zeros(0)
        self._visited: dict[int, int] = {}
        self._planned: dict[int, int] = {}  # company → stage of its plan
        self._loans: dict[int, tuple[float, list[str]]] = {}  # company → amount, banks asked
        self._next_s: int | None = None
        self._heard: set[str] = set()
        self._plans = 0
        self._offers: dict[int, int] = {}

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:
        """Take messages in; plan for whom a plan is due; send experts on their days."""
        out: list[Command] = []
        renewed = False
        for m in messages:
            if m.key in self._heard:
                continue
            self._heard.add(m.key)
            renewed |= isinstance(m, CompanyRecords)
            out += self._hear(m, now_s)
        if renewed:
            out += self._plan()
        if self._calendar is not None and self._next_s is not None and now_s >= self._next_s:
            out += self._visits(now_s // DAY_S)
            self._next_s = self._calendar.next_open_s((now_s // DAY_S + 1) * DAY_S)
        if self._next_s is not None and self._next_s > now_s:
            out.append(WakeAt(f"wake/{self._next_s}", self._next_s))
        return out

    def _hear(self, m: Message, now_s: int) -> list[Command]:
        if isinstance(m, CompanyRecords):
            self._register.take(m)
        elif isinstance(m, CompaniesLeft):
            self._register.leave(m.company)
        elif isinstance(m, OfficeCalendar):
            self._calendar = Calendar.of(m)
            self._next_s = self._calendar.next_open_s(now_s)
        elif isinstance(m, StationsTold):
            self._stations, self._left = m, m.limit_cny.copy()
        elif isinstance(m, NeedsTold):
            known = np.asarray([self._register.row(c) >= 0 for c in m.company.tolist()], dtype=bool)
            if known.any():
                rows = np.asarray([self._register.row(c) for c in m.company[known].tolist()])
                return [MakePlans(f"plan/{m.visit}", m.company[known], self._stage(rows), m.theme[known])]
        elif isinstance(m, LoanWished):
            if m.company not in self._loans and m.amount_cny > 0 and self._register.row(m.company) >= 0:
                self._loans[m.company] = (m.amount_cny, [])
                return self._offer(m.company)
        elif isinstance(m, LoanAnswered):
            return self._answered(m)
        elif isinstance(m, LoanRepaid) and self._stations is not None and m.bank in self._stations.bank:
            self._left[self._stations.bank.index(m.bank)] += m.amount_cny
        return []

    def _stage(self, rows: Ints) -> Ints:
        names = self._register.columns["stage"][rows]
        return np.asarray([COMPANY_STAGES.index(n) for n in names], dtype=np.int64)

    def _plan(self) -> list[Command]:
        """Plan anew for companies that have no plan for the stage they are in."""
        r = self._register
        rows = np.flatnonzero(r.there)
        stage = self._stage(rows)
        due = [i for i, c in enumerate(r.company[rows].tolist()) if self._planned.get(c) != stage[i]]
        if not due:
            return []
        company, stages, themes = [], [], []
        for i in due:
            c, s = int(r.company[rows[i]]), int(stage[i])
            self._planned[c] = s
            for theme in PLAN[COMPANY_STAGES[s]]:
                company.append(c)
                stages.append(s)
                themes.append(THEMES.index(theme))
        self._plans += 1
        columns = (np.asarray(v, dtype=np.int64) for v in (company, stages, themes))
        return [MakePlans(f"plans/{self._plans}", *columns)]

    # -- visits --------------------------------------------------------------------------------------------

    def _visits(self, day: int) -> list[Command]:
        s, calendar = self._stations, self._calendar
        if s is None or calendar is None or (calendar.weekday + day) % 7 not in VISIT_DAYS or not s.station:
            return []
        r = self._register
        rows = np.flatnonzero(r.there)
        last = np.asarray([self._visited.get(c, -(10**6)) for c in r.company[rows].tolist()])
        rows = rows[day - last >= AGAIN_DAYS]
        lead = np.isin(r.columns["industry"][rows], LEAD)
        growing = r.columns["stage"][rows] == "growing"
        x, y = r.columns["x_m"][rows], r.columns["y_m"][rows]
        near = np.hypot(np.subtract.outer(x, s.x_m), np.subtract.outer(y, s.y_m)).argmin(axis=1)
        order = np.lexsort((r.company[rows], ~growing, ~lead))  # the lead industries first, growing ones first
        out: list[Command] = []
        first = (calendar.weekday + day) % 7 == VISIT_DAYS[0]
        today = (s.visits_a_week + 1) // 2 if first else s.visits_a_week // 2
        asked = sorted(range(len(s.station)), key=lambda k: (self._station_day(k), k))
        for k in asked[:today]:
            chosen = order[near[order] == k][: s.companies_a_visit]
            if chosen.size:
                companies = r.company[rows[chosen]]
                self._visited |= dict.fromkeys(companies.tolist(), day)
                visit = f"visit-{day}-{k}"
                out.append(SendExperts(visit, visit, s.station[k], companies, day * DAY_S + VISIT_AT_S))
            self._visited[-1 - k] = day  # the station itself
        return out

    def _station_day(self, k: int) -> int:
        return self._visited.get(-1 - k, -(10**6))

    # -- loans ---------------------------------------------------------------------------------------------

    def _offer(self, company: int) -> list[Command]:
        """Offer a loan to the bank with most left; when nobody is left to ask the wish is over, another may come."""
        s = self._stations
        amount, asked = self._loans[company]
        fits: list[int] = []
        if s is not None and len(asked) < BANKS_TRIED:
            fits = [i for i, bank in enumerate(s.bank) if bank not in asked and self._left[i] >= amount]
        if s is None or not fits:
            del self._loans[company]
            return []
        best = max(fits, key=lambda i: (self._left[i], -i))
        self._left[best] -= amount  # kept for it until the bank answers
        asked.append(s.bank[best])
        self._offers[company] = turn = self._offers.get(company, 0) + 1  # over all its loans: a key is used once
        return [OfferLoan(f"loan/{company}/{turn}", company, s.bank[best], amount)]

    def _answered(self, m: LoanAnswered) -> list[Command]:
        s = self._stations
        if s is None or m.company not in self._loans or m.bank not in s.bank:
            return []
        amount, asked = self._loans[m.company]
        if not asked or asked[-1] != m.bank:
            return []
        if m.granted:
            del self._loans[m.company]
            return []
        self._left[s.bank.index(m.bank)] += amount
        return self._offer(m.company)
