"""What residents send in: reports of what they noticed, of nothing, and complaints of what they bear too long.

Reports come late (a few minutes), a little off the spot, now and then far off or under another heading; some people
report what is not there. Complaints come from those who live near, each with his own patience, drawn for him and this
hazard: so the moment of the first complaint is known in truth from the beginning, whether or not it will come to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.control.community.apps import app_of
from twin.domain.community import ServiceRequest
from twin.events import ComplaintDue, ComplaintMade, HazardNoticed, ReportMade
from twin.world.city_brain.hazards import ACTIVE, ENDED
from twin.world.community.env import DAY_S, Blocks, Env, waking_s
from twin.world.community.hearts import Hearts
from twin.world.community.themes import SEEN, service_code

Ints = npt.NDArray[np.int64]

DELAY_S = 240.0  # mean time from noticing to sending (assumed)
OFF_M = 15.0  # standard deviation of the spot that is told, in x and y (phone in a street; assumed)
FAR_M = (200.0, 1500.0)  # how far off a wrong place is (assumed)
WRONG_HEADING = 0.03  # share under another heading (assumed)
PHOTO = 0.8  # share with a photo (assumed)
PATIENCE_SIGMA = 0.9
MONTH_DAYS = 30.0
_DRAWS = 16


@dataclass(frozen=True)
class Truth:
    """What a report is truly about: row of the hazard, -1 nothing; row of the member, -1 none."""

    hazard: int
    member: int


class Reporters:
    """Makes reports and complaints; ``send(request, truth, theme, error_m)`` brings them in."""

    def __init__(
        self, env: Env, blocks: Blocks, hearts: Hearts, send: Callable[[ServiceRequest, Truth, str], None]
    ) -> None:
        self._e, self._blocks, self._hearts, self._send = env, blocks, hearts, send
        stream = env.dice.stream
        self._decides, self._how = stream("community.decides"), stream("community.report")
        self._patience, self._complains = stream("community.patience"), stream("community.complains")
        self._lies, self._lie = stream("community.lies"), stream("community.lie")
        self._wakes = stream("community.wakes")
        self._themes = tuple(SEEN)
        env.hazards.listeners.append(self._hazard)

    # -- what was noticed --------------------------------------------------------------------------------------

    def noticed(self, row: int, member: int, now_s: int) -> None:
        """Let a member who noticed a hazard decide whether to report it."""
        e, h = self._e, self._e.hazards
        account, hazard, theme = int(e.members.account[member]), int(h.id[row]), str(h.theme[row])
        ready = float(self._hearts.ready(now_s, np.asarray([member]))[0])
        at_hand = -float(np.expm1(-e.members.activity[member] * ready))  # who never opens the app does not report by it
        p = min(1.0, float(e.members.care[member]) * SEEN[theme].concern * e.part.platform.care) * at_hand
        reports = bool(self._decides.uniform(account, hazard)[0] < p)
        e.log.add(HazardNoticed, t_s=now_s, hazard=hazard, theme=theme, account=account, reports=reports)
        if reports:
            delay_s = 1 + int(self._how.exponential(DELAY_S, account, hazard * _DRAWS)[0])
            e.later(now_s + delay_s, lambda: self._report(row, member, now_s))

    def _report(self, row: int, member: int, seen_s: int) -> None:
        e, h = self._e, self._e.hazards
        if h.state[row] == ENDED:
            return
        account, hazard, theme = int(e.members.account[member]), int(h.id[row]), str(h.theme[row])
        draw = [float(self._how.uniform(account, hazard * _DRAWS + k)[0]) for k in range(1, 6)]
        far = draw[0] < e.part.platform.wrong_place
        away = FAR_M[0] + draw[1] * (FAR_M[1] - FAR_M[0]) if far else OFF_M * float(np.sqrt(-2 * np.log1p(-draw[1])))
        turn = 2 * np.pi * draw[2]
        if draw[3] < WRONG_HEADING:
            theme = self._themes[int(draw[3] / WRONG_HEADING * len(self._themes))]
        self._tell(
            f"snap-{account}-{hazard}", "snap", account, theme, float(h.x_m[row] + away * np.cos(turn)),
            float(h.y_m[row] + away * np.sin(turn)), seen_s, draw[4] < PHOTO, Truth(row, member),
        )  # fmt: skip

    # -- what is not there -------------------------------------------------------------------------------------

    def lies_of_the_day(self, now_s: int) -> None:
        """Let those who send false reports decide on those of today."""
        e = self._e
        liars = np.flatnonzero(e.members.liar)
        day = now_s // DAY_S
        rate = e.part.platform.abuse / MONTH_DAYS
        hit = liars[self._lies.uniform(e.members.account[liars], day) < rate]
        for member in hit.tolist():
            account = int(e.members.account[member])
            draw = [float(self._lie.uniform(account, day * _DRAWS + k)[0]) for k in range(5)]
            at_s = day * DAY_S + 7 * 3600 + int(draw[0] * 15 * 3600)
            theme = self._themes[int(draw[1] * len(self._themes))]
            block = int(e.members.home[member])
            x_m = float(self._blocks.x_m[block]) + 600 * (draw[2] - 0.5)
            y_m = float(self._blocks.y_m[block]) + 600 * (draw[3] - 0.5)
            if at_s > now_s:
                self._lie_later(at_s, f"snap-{account}-d{day}", account, theme, x_m, y_m, draw[4] < 0.3, member)

    def _lie_later(
        self, at_s: int, name: str, account: int, theme: str, x_m: float, y_m: float, photo: bool, member: int
    ) -> None:
        self._e.later(at_s, lambda: self._tell(name, "snap", account, theme, x_m, y_m, at_s, photo, Truth(-1, member)))

    # -- what lasts too long -----------------------------------------------------------------------------------

    def _hazard(self, what: str, row: int, now_s: int) -> None:
        """Draw who will have had enough of a hazard that begins, and when."""
        h, e = self._e.hazards, self._e
        theme = str(h.theme[row])
        seen = SEEN[theme]
        if what != "began" or seen.complains <= 0:
            return
        who = e.homes.near(self._blocks.near(float(h.x_m[row]), float(h.y_m[row]), seen.bear_m))
        hazard = int(h.id[row])
        p = min(1.0, seen.complains * e.part.complaints)
        who = who[self._complains.uniform(who, hazard) < p] if who.size else who
        if not who.size:
            return
        minutes = seen.patience_min * np.exp(PATIENCE_SIGMA * self._patience.normal(who, hazard))
        u = self._wakes.uniform(who, hazard)
        when = [waking_s(now_s + 1 + int(60 * m), float(v)) for m, v in zip(minutes.tolist(), u.tolist(), strict=True)]
        until_s = int(h._of("until_s")[row])  # when it ends by itself; there is no property for it
        due_s = min(when)
        if due_s < until_s:
            e.log.add(ComplaintDue, t_s=now_s, hazard=hazard, theme=theme, due_s=due_s)
        for resident, at_s in sorted(zip(who.tolist(), when, strict=True), key=lambda pair: (pair[1], pair[0])):
            if at_s < until_s:
                self._complain_later(row, int(resident), at_s, now_s)

    def _complain_later(self, row: int, resident: int, at_s: int, since_s: int) -> None:
        self._e.later(at_s, lambda: self._complain(row, resident, at_s, since_s))

    def _complain(self, row: int, resident: int, now_s: int, since_s: int) -> None:
        h, e = self._e.hazards, self._e
        if h.state[row] != ACTIVE:  # it is over, or somebody is at it
            return
        hazard, theme = int(h.id[row]), str(h.theme[row])
        name = f"hotline-{resident}-{hazard}"
        e.log.add(ComplaintMade, t_s=now_s, hazard=hazard, theme=theme, resident=resident, report=name)
        spot = OFF_M * self._how.normal(resident, np.asarray([hazard * _DRAWS + 8, hazard * _DRAWS + 9]))
        self._tell(
            name, "hotline", -1, theme, float(h.x_m[row] + spot[0]), float(h.y_m[row] + spot[1]), since_s, False,
            Truth(row, -1),
        )  # fmt: skip

    # -- sending -----------------------------------------------------------------------------------------------

    def device(self, name: str, row: int, theme: str, x_m: float, y_m: float) -> None:
        """Let a community's own device report what it sees (``row`` -1: nothing)."""
        self._tell(name, "device", -1, theme, x_m, y_m, self._e.clock.now_s, True, Truth(row, -1))

    def _tell(
        self, name: str, channel: str, account: int, theme: str, x_m: float, y_m: float, seen_s: int, photo: bool,
        truth: Truth,
    ) -> None:  # fmt: skip
        now_s, h = self._e.clock.now_s, self._e.hazards
        number = int(h.id[truth.hazard]) if truth.hazard >= 0 else -1
        error_m = float(np.hypot(x_m - h.x_m[truth.hazard], y_m - h.y_m[truth.hazard])) if truth.hazard >= 0 else 0.0
        self._e.log.add(
            ReportMade, t_s=now_s, report=name, account=account, source=channel, theme=theme, hazard=number, x_m=x_m,
            y_m=y_m, error_m=error_m, since_s=seen_s,
        )  # fmt: skip
        long, lat = self._e.city.to_wgs84([x_m], [y_m])
        request = ServiceRequest(
            t_s=now_s, key=f"request/{name}", service_request_id=name, channel=channel, account=account,
            app=app_of(theme), service_code=service_code(theme), lat=round(float(lat[0]), 6),
            long=round(float(long[0]), 6), x_m=x_m, y_m=y_m, seen_s=seen_s, requested_datetime=now_s,
            description=f"{channel}: {theme}", media_url=f"media/{name}.jpg" if photo else "",
        )  # fmt: skip
        self._send(request, truth, theme)
