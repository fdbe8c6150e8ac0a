"""What happens in other regions: papers handed in at a hall there and sent on, and places that do their part of a case.

Halls elsewhere are not simulated desk by desk: they have hours, a wait, a check, and a way for the papers – as data at
once where the result is electronic, else by an express courier (F38; 异地代收代办, 多地联办).
"""

from __future__ import annotations

import numpy as np

from twin.control.services.calendars import DAY_S, Calendar
from twin.control.services.catalogue.items import ELSEWHERE
from twin.dice import Dice
from twin.domain.services import OK, REFUSE, AskPlace, PlaceAnswered
from twin.events import FarServed, PapersForwarded, PlaceAsked, PlaceDecided
from twin.world.offices.matters import DAY_WORK_S, Application, Matter
from twin.world.offices.office import CAME, FILE, PLACE, SENT, Office
from twin.world.offices.regions import County, calendars, counties

_SPREAD = 0.5  # of the logarithm of the time a place takes (assumed)


class Elsewhere:
    """Halls and authorities of other regions."""

    def __init__(self, office: Office, dice: Dice, first_weekday: int) -> None:
        self._o, self._calendars = office, calendars(first_weekday)
        self._wait, self._takes = dice.stream("services.far_wait"), dice.stream("services.joint_takes")
        self._waited: dict[tuple[int, int], int] = {}
        self._refuses = dice.stream("services.joint_refuses")

    def _hours(self, county: County) -> Calendar:
        return self._calendars[county.hours]

    # -- handed in there, sent on to here ------------------------------------------------------------------------

    def hand_in(self, a: Application, from_s: int, step: int) -> None:
        """Let somebody bring papers to the hall where they live from ``from_s`` on, to file (step -1) or for a step."""
        b, m = self._o.behaviour, a.matter
        hours = self._hours(counties()[m.region])
        wait_s = int(self._wait.exponential(60.0 * b.far_wait_min, a.number, step + 1)[0])
        there_s = hours.add(from_s, m.errand_s + m.way_s)
        self._waited[a.number, step] = wait_s
        self._o.at(hours.add(there_s, wait_s + int(60.0 * b.far_check_min)), SENT, a.number, step)

    def sent(self, now_s: int, number: int, step: int) -> None:
        """Let the hall there send papers on; what they are for happens when they are here."""
        o, a = self._o, self._o.cases[number]
        county = counties()[a.matter.region]
        by_courier = not a.plan.electronic
        here_s = o.hours.next_open(now_s + int(county.courier_days * DAY_S)) if by_courier else now_s
        a.matter.visits += 1
        o.log.add(
            PapersForwarded, t_s=now_s, case_no=number, province=county.province, city=county.city,
            county=county.name, courier=by_courier, arrives_s=here_s, wait_s=self._waited.pop((number, step)),
        )  # fmt: skip
        o.at(here_s, FILE if step < 0 else CAME, number, max(step, 0))

    def fetch(self, a: Application, now_s: int) -> int:
        """Let somebody fetch what each other place has to say, one after the other; return when all is in hand.

        What the office of before asks for. Who lives at such a place has no journey to it.
        """
        m, t_s = a.matter, now_s
        for k, place in enumerate(a.places):
            county = counties()[place]
            if place != m.region:
                t_s = self._o.hours.add(t_s, m.errand_s + int(county.way_days * DAY_WORK_S))
                m.journeys += 1
            t_s = self._hours(county).add(self._hours(county).next_open(t_s), self._takes_s(a, k))
            m.visits += 1
            m.contacts += place != m.region
        return t_s

    # -- several places together ---------------------------------------------------------------------------------

    def ask(self, c: AskPlace, now_s: int) -> None:
        """Let the authority of another place do its part, in its own hours."""
        a, county = self._o.cases[c.case], counties()[c.place]
        k = a.places.index(c.place)
        hours = self._hours(county)
        self._o.log.add(
            PlaceAsked, t_s=now_s, case_no=c.case, step=c.step, province=county.province, city=county.city,
            county=county.name,
        )  # fmt: skip
        if c.place != a.matter.region and c.step not in a.placed:
            a.matter.contacts += 1  # somebody would have had to travel there
        refused = bool(self._refuses.uniform(a.number, k)[0] < self._o.behaviour.refuse)
        done_s = hours.add(hours.next_open(now_s), self._takes_s(a, k))
        self._o.at(done_s, PLACE, c.case, c.step * 4 + (REFUSE if refused else OK))

    def _takes_s(self, a: Application, k: int) -> int:
        z = float(self._takes.normal(a.matter.number, k)[0])
        return max(int(self._o.behaviour.joint_days * DAY_WORK_S * np.exp(_SPREAD * z - _SPREAD**2 / 2)), 60)

    def answered(self, now_s: int, number: int, what: int) -> None:
        """Tell the desk what a place has decided: ``what`` is step × 4 + outcome."""
        step, outcome = divmod(what, 4)
        a = self._o.cases[number]
        if a.closed:
            return
        a.placed[step] = outcome
        self._o.log.add(PlaceDecided, t_s=now_s, case_no=number, step=step, accepted=outcome == OK)
        self._o.tell(self._told(f"placed/{number}/{step}/{now_s}", now_s, a, step))

    def tell_again(self, key: str, now_s: int, a: Application, step: int) -> None:
        """Tell again what a place has decided, should that have been lost."""
        if step in a.placed:
            self._o.tell(self._told(key, now_s, a, step))

    def _told(self, key: str, now_s: int, a: Application, step: int) -> PlaceAnswered:
        row = sum(s.kind == ELSEWHERE for s in a.plan.steps[:step])
        return PlaceAnswered(now_s, key, a.number, step, a.places[row], a.placed[step])

    # -- what it was good for ------------------------------------------------------------------------------------

    def served(self, m: Matter, now_s: int) -> None:
        """Account for the journeys of a matter of another region, or with other places, that is over."""
        places = [p for a in m.cases for p in a.places]
        if m.region < 0 and not places:
            return
        home = m.region if m.region >= 0 else places[0]
        county = counties()[home]
        saved = (m.contacts - m.journeys) * county.journey_days
        self._o.log.add(
            FarServed, t_s=now_s, matter_no=m.number, province=county.province, city=county.city, county=county.name,
            from_there=m.region >= 0, places=len(places), contacts=m.contacts, journeys=m.journeys, saved_days=saved,
        )  # fmt: skip
