"""The life of companies in truth: founded, growing, mature, leaving (F44).

Growth is Gibrat-like: the logarithm of size takes a normal step a month; its mean falls with age, its spread with size
(Evans 1987, "Tests of alternative theories of firm growth"). The hazard of leaving falls with age and size (Evans 1987;
Dunne, Roberts and Samuelson 1989). Entry responds to the time that founding takes with an elasticity of 0.036: 17 %
more after one-stop shops in Portugal brought it from about 75 days to one (Branstetter et al. 2014, "Do entry
regulations deter entrepreneurship and job creation?"). Money received lifts growth and lowers the hazard for a year.
Levels and what is not cited are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.domain.companies import COMPANY_STAGES, CompanyRecords
from twin.scenario.companies import FLAGS, NUMBERS, WORDS
from twin.world.people.companies import INDUSTRIES, LEAD, CompanyArrays

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FOUNDED, GROWING, MATURE, LEAVING = range(len(COMPANY_STAGES))
YEAR = 365.0
ENTRY_ELASTICITY = 0.036
HAZARD, YOUNG_HAZARD, YOUNG_YEARS, SIZE_HAZARD = 0.05, 1.6, 3.0, -0.25
GROWTH, YOUNG_GROWTH, GROWTH_SD, SIZE_SD = 0.015, 0.06, 0.22, -0.15
PAID_GROWTH, PAID_HAZARD = 0.03, 0.7
WINDING_UP_DAYS = 270  # as many as fit the stock of leaving companies to the hazard (assumed)
MOST_A_DAY = 64
#: CNY of revenue per person by industry (assumed); same order as INDUSTRIES
_REVENUE = (9e5, 8e5, 1e6, 5e5, 6e5, 7e5, 3.5e5, 1.5e5, 3e5, 1e5, 2.5e5)
_ENTRY = (0.03, 0.02, 0.03, 0.06, 0.08, 0.42, 0.30, 0.02, 0.01, 0.0, 0.03)
_AGES = ((0.0, 3.0), (2.0, 8.0), (6.0, 25.0), (3.0, 25.0))  # by stage, for those that are there at first


@dataclass(frozen=True)
class Changes:
    """What a day brought: numbers of companies founded, whose stage changed, struck off; who is to be told anew."""

    founded: Ints
    stage: Ints
    closed: Ints
    updated: Ints


class Life:
    """All companies, those to come included: rows are company numbers."""

    def __init__(self, arrays: CompanyArrays, xy: tuple[Floats, Floats], dice: Dice, agreed: float) -> None:
        names = ("age", "revenue", "rd", "tax", "export", "has_export", "investment", "loan", "has_loan", "high_tech",
                 "recognised", "specialised", "incubated", "account", "grown", "growth", "exit", "entry", "industry",
                 "block", "size", "maturity")  # fmt: skip
        self._draw = {n: dice.stream(f"companies.{n}") for n in names}
        self._agreed = agreed
        n = len(arrays)
        self.n = n
        self._first = n
        self._weights = np.bincount(arrays.block, minlength=len(xy[0])).astype(np.float64)
        self._x, self._y = xy
        self.block: Ints = arrays.block.astype(np.int64)
        self.industry: Ints = arrays.industry.astype(np.int64)
        self.stage: Ints = arrays.stage.astype(np.int64)
        self.size: Floats = arrays.jobs.astype(np.float64)
        who = np.arange(n)
        low, high = (np.asarray([a[i] for a in _AGES])[self.stage] for i in (0, 1))
        self.born_day: Floats = -np.floor((low + (high - low) * self._draw["age"].uniform(who)) * YEAR)
        self.size_year_ago: Floats = self.size * np.exp(-0.15 * self._draw["grown"].normal(who) - 0.03)
        self.paid_until: Floats = np.full(n, -1e9)
        self.closes_day: Floats = np.where(
            self.stage == LEAVING, WINDING_UP_DAYS * self._draw["exit"].uniform(who), 1e9
        )
        self.closed = np.zeros(n, dtype=bool)

    def __len__(self) -> int:
        return self.n

    def alive(self) -> Ints:
        """Return the numbers of the companies there are."""
        return np.flatnonzero(~self.closed)

    def age_years(self, who: Ints, day: int) -> Floats:
        """Return how old companies are."""
        return np.asarray((day - self.born_day[who]) / YEAR)

    # -- a day ---------------------------------------------------------------------------------------------

    def step(self, day: int, workday: bool, founded_a_year: float, founding_days: float) -> Changes:
        """Let a day happen. ``founded_a_year``: per 100 companies at one working day of founding."""
        who = self.alive()
        monthly = who[(who + day) % 30 == 0]
        self._grow(monthly, day)
        going = self._exits(who, day)
        self.stage[going] = LEAVING
        self.closes_day[going] = day + WINDING_UP_DAYS
        gone = who[self.closes_day[who] <= day]
        self.closed[gone] = True
        older = self._older(monthly[~self.closed[monthly]], day)
        rate = founded_a_year / 100 * self._first * founding_days**-ENTRY_ELASTICITY / 250 if workday else 0.0
        new = self._found(day, rate)
        stage = np.union1d(going, older)
        updated = np.setdiff1d(np.union1d(np.union1d(monthly, stage), new), gone)
        return Changes(new, stage, gone, updated)

    def _grow(self, who: Ints, day: int) -> None:
        age, size = self.age_years(who, day), self.size[who]
        mean = GROWTH + YOUNG_GROWTH * np.exp(-age / 4) + PAID_GROWTH * (self.paid_until[who] >= day)
        mean = np.where(self.stage[who] == LEAVING, -0.5, mean)
        spread = GROWTH_SD * np.maximum(size, 1.0) ** SIZE_SD
        step = mean / 12 + spread / np.sqrt(12) * self._draw["growth"].normal(who, day)
        self.size[who] = np.maximum(size * np.exp(step), 1.0)
        self.size_year_ago[who] += (size - self.size_year_ago[who]) / 12

    def hazard(self, who: Ints, day: int) -> Floats:
        """Return the yearly hazard of leaving."""
        age = self.age_years(who, day)
        rate = (
            HAZARD
            * (1 + YOUNG_HAZARD * np.exp(-age / YOUNG_YEARS))
            * (np.maximum(self.size[who], 1) / 5) ** SIZE_HAZARD
        )
        return np.asarray(rate * np.where(self.paid_until[who] >= day, PAID_HAZARD, 1.0))

    def _exits(self, who: Ints, day: int) -> Ints:
        stay = who[self.stage[who] != LEAVING]
        chance = 1 - np.exp(-self.hazard(stay, day) / YEAR)
        return np.asarray(stay[self._draw["exit"].uniform(stay, day + 1) < chance], dtype=np.int64)

    def _older(self, who: Ints, day: int) -> Ints:
        """Let companies enter the next stage: growing after 2 to 3 years, mature after 6 to 9 (assumed)."""
        age, late = self.age_years(who, day), self._draw["maturity"].uniform(who)
        stage = self.stage[who]
        grown = (stage == FOUNDED) & (age >= 2 + late)
        mature = (stage == GROWING) & (age >= 6 + 3 * late)
        self.stage[who[grown]] = GROWING
        self.stage[who[mature]] = MATURE
        return np.asarray(who[grown | mature], dtype=np.int64)

    def _found(self, day: int, rate: float) -> Ints:
        """Found companies: each of the day's possible founders decides on its own, so more of them change nobody."""
        slot = day * MOST_A_DAY + np.arange(MOST_A_DAY)
        count = int((self._draw["entry"].uniform(slot) < min(rate / MOST_A_DAY, 1.0)).sum())
        new = np.arange(self.n, self.n + count, dtype=np.int64)
        if count == 0:
            return new
        grow: dict[str, Any] = {
            "industry": self._draw["industry"].choice(_ENTRY, new),
            "block": self._draw["block"].choice(self._weights, new),
            "stage": np.full(count, FOUNDED, dtype=np.int64),
            "size": np.maximum(np.exp(0.9 + 0.8 * self._draw["size"].normal(new)), 1.0),
            "born_day": np.full(count, float(day)),
            "paid_until": np.full(count, -1e9),
            "closes_day": np.full(count, 1e9),
            "closed": np.zeros(count, dtype=bool),
        }
        grow["size_year_ago"] = grow["size"]
        for name, values in grow.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))
        self.n += count
        return new

    # -- what the city knows -------------------------------------------------------------------------------

    def records(self, who: Ints, day: int, t_s: int) -> CompanyRecords:
        """Return the records of companies as the registers have them."""
        d = self._draw
        industry, stage, size = self.industry[who], self.stage[who], self.size[who]
        lead = industry < LEAD
        revenue = size * np.asarray(_REVENUE)[industry] * np.exp(0.5 * d["revenue"].normal(who))
        rd_share = np.minimum(np.where(lead, 0.03, 0.004) * np.exp(0.6 * d["rd"].normal(who)), 0.3)
        established = (stage == GROWING) | (stage == MATURE)
        high = established & (size >= 10) & (d["high_tech"].uniform(who) < np.where(lead, 0.12, 0.01))
        special = established & lead & (size >= 20) & (d["specialised"].uniform(who) < 0.05)
        # recognition lasts three years; the day lies anywhere in them at first, and comes again
        recognised = np.where(high, (d["recognised"].integers(0, 3 * 365, who) + day) % (3 * 365), np.nan)
        exports = lead & (d["has_export"].uniform(who) < 0.2)
        borrows = d["has_loan"].uniform(who) < 0.3
        columns: dict[str, Any] = {
            "age_years": self.age_years(who, day).round(3),
            "jobs": np.rint(size),
            "new_jobs": np.rint(size - self.size_year_ago[who]),
            "revenue_cny": revenue.round(-2),
            "rd_cny": (revenue * rd_share).round(-2),
            "rd_share": rd_share.round(4),
            "tax_cny": (revenue * (0.01 + 0.05 * d["tax"].uniform(who))).round(-2),
            "export_cny": (revenue * np.where(exports, d["export"].uniform(who), 0)).round(-2),
            "investment_cny": (revenue * d["investment"].exponential(0.05, who)).round(-2),
            "loan_cny": (revenue * np.where(borrows, 0.4 * d["loan"].uniform(who), 0)).round(-2),
            "recognised_days": recognised,
            "x_m": self._x[self.block[who]],
            "y_m": self._y[self.block[who]],
            "high_tech": high,
            "specialised": special,
            "incubated": (stage == FOUNDED) & (d["incubated"].uniform(who) < 0.2),
            "account": d["account"].uniform(who) < self._agreed,
        }
        text = (*INDUSTRIES, *COMPANY_STAGES)
        words = {"industry": industry, "stage": len(INDUSTRIES) + stage}
        return CompanyRecords(
            t_s=t_s,
            key=f"records/{t_s}",
            company=who.astype(np.int64),
            number_field=NUMBERS,
            numbers=np.concatenate([np.asarray(columns[f], dtype=np.float64) for f in NUMBERS]),
            flag_field=FLAGS,
            flags=np.concatenate([np.asarray(columns[f], dtype=np.int64) for f in FLAGS]),
            text_field=WORDS,
            texts=np.concatenate([words[f] for f in WORDS]).astype(np.int64),
            text=text,
        )
