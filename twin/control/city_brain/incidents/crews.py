"""Responders as the desk believes them to be: where, on which ticket, on duty, able to do what; arrays over units."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.control.city_brain.incidents.areas import Hierarchy
from twin.control.mobility.streets import Streets
from twin.domain.incidents import SKILLS, ResponderReport, ResponderRoster

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY_S = 86_400
SILENT_S = 1_800  # one who did not answer is not asked again for so long, unless it is heard (assumed)
NO_MAP_M_S = 7.0  # speed taken for drivers as long as there is no map (assumed)


def mask(skills: str) -> int:
    """Return skills joined by "+" as bits; words that are none count as nothing."""
    return sum(1 << SKILLS.index(word) for word in sorted(set(skills.split("+"))) if word in SKILLS)


class Crews:
    """One row per unit of the roster, in order of their numbers."""

    def __init__(self, told: ResponderRoster, areas: Hierarchy) -> None:
        order = np.argsort(told.unit, kind="stable")
        pick = [int(i) for i in order]
        self.unit: Ints = told.unit[order]
        self.kind = tuple(told.kind[i] for i in pick)
        self.skills: Ints = np.array([mask(told.skills[i]) for i in pick], dtype=np.int64)
        rows = [areas.row(int(told.level[i]), told.area[i]) for i in pick]
        self.above: Ints = np.array([areas.above[r] for r in rows], dtype=np.int64).reshape(len(pick), -1)
        self.road, self.pos_m = told.road[order].copy(), told.pos_m[order].copy()
        self.x_m, self.y_m = told.x_m[order].copy(), told.y_m[order].copy()
        self.speed_m_s = told.speed_m_s[order]
        self.emergency: Bools = told.emergency[order] > 0
        self.turnout_s = told.turnout_s[order]
        self._from_s, self._until_s = told.from_s[order], told.until_s[order]
        self.ticket: list[str] = [""] * len(pick)
        self.busy: Bools = np.zeros(len(pick), dtype=bool)
        self.silent_until_s: Ints = np.zeros(len(pick), dtype=np.int64)
        self._heard_s: Ints = np.full(len(pick), -1, dtype=np.int64)
        self._row = {int(unit): row for row, unit in enumerate(self.unit)}

    def row(self, unit: int) -> int:
        """Return the row of a unit; -1 if it is not in the roster."""
        return self._row.get(unit, -1)

    def heard(self, message: ResponderReport) -> None:
        """Take in where a unit is, unless something newer is known."""
        row = self.row(message.unit)
        if row < 0 or message.sent_s < self._heard_s[row]:
            return
        self._heard_s[row] = message.sent_s
        self.silent_until_s[row] = 0
        self.road[row], self.pos_m[row] = message.road, message.pos_m
        self.x_m[row], self.y_m[row] = message.x_m, message.y_m

    def take(self, row: int, ticket: str) -> None:
        """Send a unit on a ticket."""
        self.ticket[row], self.busy[row] = ticket, True

    def release(self, unit: int, ticket: str) -> None:
        """Take a unit off a ticket (any: ""), if it is on it."""
        row = self.row(unit)
        if row >= 0 and (not ticket or self.ticket[row] == ticket):
            self.ticket[row], self.busy[row] = "", False

    def silent(self, row: int, now_s: int) -> None:
        """Note that a unit did not answer."""
        self.silent_until_s[row] = now_s + SILENT_S

    def on_duty(self, now_s: int) -> Bools:
        """Return who is on duty."""
        of_day = now_s % DAY_S
        within = (self._from_s <= of_day) & (of_day < self._until_s)
        return np.asarray(within | (of_day + DAY_S < self._until_s))

    def free(self, now_s: int) -> Bools:
        """Return who can be sent."""
        return np.asarray(~self.busy & self.on_duty(now_s) & (self.silent_until_s <= now_s))

    def suits(self, skill: int, area: int, level: int) -> Bools:
        """Return who has one of the skills (bits; 0: anybody) and is of an area of ``level``, or of one below."""
        able = (self.skills & skill) > 0 if skill else np.ones(self.unit.size, dtype=bool)
        return np.asarray(able & (self.above[:, level] == area))

    def travel_s(self, rows: Ints, x_m: float, y_m: float, roads: tuple[int, ...], streets: Streets) -> Floats:
        """Return the seconds until units are there, turnout included: right-angled on foot, by network times on wheels.

        Who drives may come to any of ``roads``; inf: no way. The way begins at the end of the road a unit stands on.
        """
        metres = np.abs(self.x_m[rows] - x_m) + np.abs(self.y_m[rows] - y_m)
        out = metres / np.where(self.speed_m_s[rows] > 0, self.speed_m_s[rows], NO_MAP_M_S)
        drives = np.flatnonzero(self.speed_m_s[rows] <= 0)
        if drives.size and streets.known and roads:
            own = self.road[rows[drives]]
            best = np.min([np.where(own >= 0, streets.times_to(road)[own], np.inf) for road in roads], axis=0)
            out[drives] = np.where(np.isin(own, roads), metres[drives] / NO_MAP_M_S, best)
        return np.asarray(out + self.turnout_s[rows], dtype=np.float64)

    def best_road(self, row: int, roads: tuple[int, ...], streets: Streets) -> int:
        """Return which of some roads a unit comes to first; -1: none is known."""
        own = int(self.road[row])
        if own in roads:
            return own
        if not roads or not streets.known or own < 0:
            return roads[0] if roads else -1
        return min(roads, key=lambda road: float(streets.times_to(road)[own]))
