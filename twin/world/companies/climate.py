"""What hinders companies in truth, and who finds it: 10 monitoring points, 20 citizen supervisors (F49).

Troubles arise at places of service at a rate; a monitoring point notices what happens at its own place, supervisors
walk to places on working days. Offices take part of their time, sometimes all and more; rates assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.city import City
from twin.dice import Dice
from twin.domain.companies import CLIMATE_ISSUES

ISSUES_A_DAY = 0.9  # in the whole city
SHARES = (0.30, 0.22, 0.16, 0.18, 0.14)  # by issue
LASTS_DAYS = 25.0  # until it is over by itself
POINT_SEES, WALKER_SEES, FALSE = 0.35, 0.5, 0.01
PROPER, SEES = 0.85, 0.95
TAKES, TAKES_SD = 0.55, 0.6  # of the time given: median, spread of the logarithm
_KINDS = ("service_hall", "company_station", "service_point", "industrial_park", "logistics_park", "market")


@dataclass(frozen=True)
class Trouble:
    """Something that hinders companies at a place."""

    issue: int
    place: str
    since_s: int


class Climate:
    """Troubles that are there now."""

    def __init__(self, city: City, dice: Dice, points: int, supervisors: int) -> None:
        places = city.places[city.places["kind"].isin(_KINDS)]
        rank = {kind: i for i, kind in enumerate(_KINDS)}
        order = np.argsort(places["kind"].map(rank).to_numpy(np.int64), kind="stable")
        self.places: list[str] = [str(p) for p in places["place"].to_numpy()[order]]
        if not self.places:  # a city without such places: its communities
            self.places = [str(c) for c in city.communities["community"]]
        self.points = self.places[:points]
        self._supervisors = supervisors
        names = ("arise", "issue", "place", "when", "lasts", "point", "walk", "walker", "false")
        self._draw = {n: dice.stream(f"companies.climate_{n}") for n in names}
        self.there: dict[tuple[int, str], Trouble] = {}

    def arise(self, day: int, open_s: int, shut_s: int) -> list[tuple[Trouble, int]]:
        """Return the troubles of a day with the second at which each is over by itself."""
        d, out = self._draw, []
        if not self.places:
            return []
        for j in range(8):
            who = day * 8 + j
            if d["arise"].uniform(who)[0] >= ISSUES_A_DAY / 8:
                continue
            issue = int(d["issue"].choice(SHARES, who)[0])
            place = self.places[int(d["place"].integers(0, len(self.places), who)[0])]
            since = day * 86_400 + int(d["when"].integers(open_s, shut_s, who)[0])
            lasts = 3_600 + int(d["lasts"].exponential(LASTS_DAYS * 86_400, who)[0])
            out.append((Trouble(issue, place, since), since + lasts))
        return out

    def noticed(self, day: int) -> list[tuple[int, str, str]]:
        """Return (issue, place, who) of what points and supervisors notice on a working day, false ones included."""
        d = self._draw
        out: list[tuple[int, str, str]] = []
        for k, place in enumerate(self.points):
            here = [t for t in self.there.values() if t.place == place]
            seen = d["point"].uniform(k, day * 8 + np.arange(max(len(here), 1))) < POINT_SEES
            out += [(t.issue, place, f"point-{k + 1}") for t, s in zip(here, seen.tolist(), strict=False) if s]
        if not self.places:
            return out
        for k in range(self._supervisors):
            place = self.places[int(d["walk"].integers(0, len(self.places), k, day)[0])]
            here = [t for t in self.there.values() if t.place == place]
            seen = d["walker"].uniform(k, day * 8 + np.arange(max(len(here), 1))) < WALKER_SEES
            out += [(t.issue, place, f"supervisor-{k + 1}") for t, s in zip(here, seen.tolist(), strict=False) if s]
            if d["false"].uniform(k, day)[0] < FALSE:
                out.append(
                    (int(d["false"].integers(0, len(CLIMATE_ISSUES), k, -1 - day)[0]), place, f"supervisor-{k + 1}")
                )
        return out
