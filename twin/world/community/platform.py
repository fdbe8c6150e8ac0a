"""The community platform in truth: what residents do with it, and what the desk's answers do to them (F30-F33, F43).

It brings reports to the desks "community" and "early_signs", carries out what they command, and passes signs on to the
desk "incidents", from which it hears what became of them. Made by the system of a run and by :mod:`.months`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twin.clock import Phase
from twin.control.community.apps import APPS
from twin.domain.commands import Command
from twin.domain.community import (
    AnswerReport,
    AskReview,
    BookPoints,
    EarlySettings,
    ForwardReport,
    OpenEarlyOrder,
    PointTable,
    RedeemWish,
    ReporterSays,
    ServiceList,
    ServiceRequest,
    SignalSettled,
    SignOutcome,
    WeakSignal,
)
from twin.domain.incidents import Sign
from twin.events import (
    EarlyOrderEnded,
    EarlyOrderOpened,
    LifeCircleMeasured,
    PlatformUsed,
    PointsBooked,
    ReportAnswered,
    ReporterLooked,
    ReportForwarded,
    ResidentsRegistered,
)
from twin.world.city_brain.hazards import ENDED
from twin.world.community.clerks import Clerks
from twin.world.community.env import DAY_S, Blocks, Env, waking_s
from twin.world.community.hearts import PER_POINT, Hearts
from twin.world.community.life_circle import life_circle
from twin.world.community.meters import PERIOD_S, Meters
from twin.world.community.noticing import LOOK_S, Noticing
from twin.world.community.register import city_register
from twin.world.community.reporters import Reporters, Truth
from twin.world.community.scenes import Scenes
from twin.world.community.themes import SEEN, service_code
from twin.world.responders.themes import ways_of

DESK, EARLY, INCIDENTS = "community", "early_signs", "incidents"
HOUR_S = 3600
#: share of the day's uses of the apps in each hour (assumed: little at night, most in the evening)
HOURS = np.asarray([1, 0, 0, 0, 0, 1, 3, 5, 6, 6, 6, 6, 7, 5, 4, 4, 5, 6, 7, 8, 8, 7, 5, 2], dtype=np.float64)
NO_ANSWER_S = 3 * DAY_S  # so long somebody waits until he takes it that nobody listens (assumed)
LOOKS_AGAIN, LOOKS_AFTER_S = 0.3, 5 * HOUR_S  # share of those told "fixed" who look, and after how long (assumed)
WISHES = 0.5  # share of those who have the points that want a voucher at once (assumed)
MISSED = 0.03  # share of such looks that do not find what is there (assumed)
NOISE_A_DAY = 2.0  # useless signals a day and theme that the city reckons with before it has learnt (assumed)
FALSE = ("nothing there", "false alarm")


class Platform:
    """See the module's text. ``sign``: how a sign reaches the incident desk; ``truths``: report → what it is about."""

    def __init__(self, env: Env) -> None:
        self._e = env
        self._blocks = Blocks(env.city)
        self.hearts = Hearts(len(env.members), env.part.points.effect)
        self.reporters = Reporters(env, self._blocks, self.hearts, self._request)
        self.noticing = Noticing(env, self._blocks, self.reporters.noticed)
        self.scenes = Scenes(env, self.reporters) if env.part.scenes else None
        self._clerks = Clerks(env)
        self.meters = self._metered()
        self.truths: dict[str, Truth] = {}
        self._theme: dict[str, str] = {}
        self._row = {int(a): i for i, a in enumerate(env.members.account.tolist())}
        self._refs: dict[str, str] = {}  # ref of a forwarded sign → report
        self._unanswered: dict[str, None] = {}
        self._wishes: dict[int, int] = {}
        self._alerts: dict[str, str] = {}  # alert → ref of its weak signal
        self._known: set[int] = set()  # hazards that the incident desk was told of, by number
        self.meant: dict[str, int] = {}  # early order → hazard that it is about, -1: none when it was opened
        self._serial = 0
        stream = env.dice.stream
        self._uses, self._app = stream("community.uses"), stream("community.app")
        self._again, self._when = stream("community.looks_again"), stream("community.looks_when")
        self._sees, self._wants = stream("community.sees_again"), stream("community.wants")
        self._shares = np.asarray([a.share for a in APPS])

    def _metered(self) -> Meters | None:
        """Return the meters, where their readings are heeded."""
        e = self._e
        if e.part.early is None or not e.part.early.readings or e.places is None or e.causes is None:
            return None
        scenes = self.scenes

        def has(community: str, scene: str) -> int:
            owned = scenes.of.get(community, {}) if scenes is not None else {}
            return scenes.devices(community, scene) if scenes is not None and scene in owned else 0

        return Meters(e.dice, e.places, e.hazards, e.causes, has)

    # -- time ------------------------------------------------------------------------------------------------

    def begin(self, now_s: int) -> None:
        """Tell the desks what they know, and put the life of the platform on the clock."""
        e, p = self._e, self._e.part
        themes = tuple(SEEN)
        seen = [SEEN[t] for t in themes]
        merge_m = np.asarray([s.merge_m for s in seen], dtype=np.float64)
        e.tell(
            DESK,
            ServiceList(
                now_s, "community/services", tuple(service_code(t) for t in themes), themes,
                np.asarray([int(s.urgent) for s in seen], dtype=np.int64), merge_m,
                np.asarray([s.merge_s for s in seen], dtype=np.int64),
            ),
        )  # fmt: skip
        points = (p.points.confirmed, p.points.again, p.points.checked, 0)
        rules = ("true", "again", "checked", "redeemed")
        e.tell(
            DESK,
            PointTable(
                now_s, "community/points", rules, np.asarray(points, dtype=np.int64), p.points.a_day, p.points.voucher
            ),
        )
        if p.early is not None:
            self._tell_early(now_s, themes, merge_m)
        e.log.add(ResidentsRegistered, t_s=now_s, accounts=len(e.members))
        for kind, share in life_circle(e.city).items():
            e.log.add(LifeCircleMeasured, t_s=now_s, kind=kind, share_near=share)
        if self.scenes is not None:
            self.scenes.begin(now_s)
        every = e.clock.every
        every(LOOK_S, Phase.PERCEIVE, self._look, now_s + LOOK_S)
        every(HOUR_S, Phase.PERCEIVE, self._hour, (now_s // HOUR_S + 1) * HOUR_S)
        self._day()
        every(DAY_S, Phase.PERCEIVE, self._day, (now_s // DAY_S + 1) * DAY_S)

    def _tell_early(self, now_s: int, themes: tuple[str, ...], merge_m: np.ndarray) -> None:
        early = self._e.part.early
        assert early is not None
        cell = np.maximum(early.cell_m, merge_m)
        x, y = self._blocks.x_m, self._blocks.y_m
        cells = [len(np.unique(np.floor(np.column_stack([x, y]) / c), axis=0)) if x.size else 1 for c in cell.tolist()]
        n = len(themes)
        self._e.tell(
            EARLY,
            EarlySettings(
                now_s, "early/settings", themes, cell, np.full(n, 60 * early.window_minutes, dtype=np.int64),
                np.full(n, NOISE_A_DAY), np.asarray(cells, dtype=np.int64), early.useless_a_day, early.neighbours,
                early.readings,
            ),
        )  # fmt: skip
        if (early.neighbours or early.readings) and self._e.places is not None:
            self._e.tell(EARLY, city_register(self._e.places, now_s))
        if self.meters is not None:
            self._e.tell(EARLY, self.meters.channels(now_s))
            for message in self.meters.history(now_s):
                self._e.tell(EARLY, message)
            self._e.clock.every(PERIOD_S, Phase.PERCEIVE, self._measure, now_s + PERIOD_S)

    def _measure(self) -> None:
        assert self.meters is not None
        self._e.tell(EARLY, self.meters.read(self._e.clock.now_s))

    def _look(self) -> None:
        self.noticing.look(self._e.clock.now_s)

    def _day(self) -> None:
        now_s = self._e.clock.now_s
        self.reporters.lies_of_the_day(now_s)
        if self.scenes is not None:
            self.scenes.false_of_the_day(now_s)

    def _hour(self) -> None:
        """Let members use apps in the hour that is over: rate × activity × readiness."""
        e = self._e
        now_s, m = e.clock.now_s, e.members
        hour = now_s // HOUR_S - 1
        a_day = e.part.platform.uses_month / 30.0
        rate = a_day * HOURS[hour % 24] / HOURS.sum() * m.activity * self.hearts.ready(now_s)
        hit = np.flatnonzero(self._uses.uniform(m.account, hour) < -np.expm1(-rate)) if len(m) else np.empty(0, int)
        if hit.size:
            app = self._app.choice(self._shares, m.account[hit], hour)
            e.log.add(PlatformUsed, t_s=np.full(hit.size, now_s), account=m.account[hit], app=app)

    # -- reports ---------------------------------------------------------------------------------------------

    def _request(self, request: ServiceRequest, truth: Truth, theme: str) -> None:
        """Bring a report to the desks."""
        e, name, now_s = self._e, request.service_request_id, self._e.clock.now_s
        self.truths[name], self._theme[name] = truth, theme
        if truth.member >= 0:
            self._unanswered[name] = None
            e.later(now_s + NO_ANSWER_S, lambda: self._forgotten(name, truth.member))
        origin = {"snap": "report", "hotline": "complaint"}.get(request.channel, "device")
        if origin == "report" and SEEN[theme].urgent:  # it goes on at once, as what devices say
            origin = "device"
        teller = f"account-{request.account}" if request.account >= 0 else name
        self._signal(origin, name, teller, theme, request.seen_s, request.x_m, request.y_m)
        e.tell(DESK, request)

    def _signal(self, origin: str, ref: str, teller: str, theme: str, seen_s: int, x_m: float, y_m: float) -> None:
        if self._e.part.early is not None:
            now_s = self._e.clock.now_s
            self._e.tell(EARLY, WeakSignal(now_s, f"signal/{ref}", origin, ref, teller, theme, seen_s, x_m, y_m))

    def _settled(self, ref: str, what: str) -> None:
        if self._e.part.early is not None:
            self._e.tell(EARLY, SignalSettled(self._e.clock.now_s, f"settled/{ref}/{what}", ref, what))

    def _forgotten(self, name: str, member: int) -> None:
        if name in self._unanswered:
            del self._unanswered[name]
            self.hearts.answered(member, "no answer", self._e.clock.now_s)

    # -- alerts, as weak signals -------------------------------------------------------------------------------

    def alert_asked(self, alert: str, theme: str, x_m: float, y_m: float, now_s: int) -> None:
        """Take an alert that waits for its confirmation as a weak signal."""
        if theme not in SEEN:
            return
        self._serial += 1
        ref = self._alerts[alert] = f"alert/{self._serial}"
        self._signal("alert", ref, alert, theme, now_s, x_m, y_m)

    def alert_raised(self, alert: str) -> None:
        """Take note that an alert stands: the incident desk hears of it by itself."""
        ref = self._alerts.pop(alert, "")
        if ref:
            self._settled(ref, "handled")

    # -- commands ----------------------------------------------------------------------------------------------

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:
        """Carry out a command of one of the two desks; False if it is none they can give."""
        acts: dict[type, Callable[..., None]] = {
            AskReview: self._review,
            AnswerReport: self._answer,
            ForwardReport: self._forward,
            BookPoints: self._points,
            OpenEarlyOrder: self._order,
        }
        act = acts.get(type(command))
        if act is None or who not in (DESK, EARLY):
            return False
        act(command, now_s)
        return True

    def _number(self, report: str) -> int:
        """Return a stable number of a report for draws."""
        from twin.world.responders.looks import entity

        return entity("report", report)

    def _review(self, c: AskReview, now_s: int) -> None:
        truth = self.truths.get(c.report)
        true = truth is not None and truth.hazard >= 0
        self._clerks.look(c.report, self._number(c.report), true, now_s)

    def _answer(self, c: AnswerReport, now_s: int) -> None:
        e = self._e
        e.log.add(
            ReportAnswered, t_s=now_s, report=c.report, account=c.account, state=c.status, answer=c.answer,
            original=c.original,
        )  # fmt: skip
        if c.status == "closed" and c.answer == "rejected":
            self._settled(c.report, "false")
        truth = self.truths.get(c.report)
        if truth is None or truth.member < 0:
            return
        self._unanswered.pop(c.report, None)
        self.hearts.answered(truth.member, c.answer, now_s)
        if c.answer == "said to be fixed":
            who = self._number(c.report)
            ready = float(self.hearts.ready(now_s, np.asarray([truth.member]))[0])
            if float(self._again.uniform(who, now_s)[0]) < min(1.0, LOOKS_AGAIN * ready):
                after_s = int(self._when.exponential(LOOKS_AFTER_S, who, now_s)[0])
                at_s = waking_s(now_s + after_s, float(self._when.uniform(who, now_s + 1)[0]))
                e.later(at_s, lambda: self._look_again(c.report, truth, at_s))

    def _look_again(self, report: str, truth: Truth, now_s: int) -> None:
        """Let the reporter look whether it is fixed, and say so."""
        e, h = self._e, self._e.hazards
        if truth.hazard < 0:
            return
        there = h.state[truth.hazard] != ENDED
        fixed = not there or float(self._sees.uniform(self._number(report), now_s)[0]) < MISSED
        account = int(e.members.account[truth.member])
        e.log.add(
            ReporterLooked, t_s=now_s, report=report, account=account, hazard=int(h.id[truth.hazard]), solved=fixed
        )
        if not fixed:
            self.hearts.answered(truth.member, "not fixed", now_s)
        e.tell(DESK, ReporterSays(now_s, f"says/{report}/{now_s}", report, account, fixed))

    def _forward(self, c: ForwardReport, now_s: int) -> None:
        truth = self.truths.get(c.report, Truth(-1, -1))
        number = int(self._e.hazards.id[truth.hazard]) if truth.hazard >= 0 else -1
        self._refs[c.ref] = c.report
        self._known.add(number)
        self._e.log.add(
            ReportForwarded, t_s=now_s, report=c.report, ref=c.ref, source=c.source, theme=c.theme, hazard=number
        )
        self._settled(c.report, "handled")
        self._sign(c.source, c.ref, c.theme, c.seen_s, c.x_m, c.y_m, c.text, now_s)

    def _sign(
        self, source: str, ref: str, theme: str, seen_s: int, x_m: float, y_m: float, text: str, now_s: int
    ) -> None:
        self._e.tell(
            INCIDENTS,
            Sign(
                t_s=now_s, key=f"sign/{ref}", source=source, ref=ref, theme=theme, seen_s=seen_s, x_m=x_m, y_m=y_m,
                place="", grid="", severity="", text=text,
            ),
        )  # fmt: skip

    def _home_of(self, account: int) -> str:
        """Return the community that an account lives in, "" for none."""
        member = self._row.get(account)
        block = int(self._e.members.home[member]) if member is not None else -1
        return str(self._e.city.blocks["community"].iloc[block] or "") if block >= 0 else ""

    def _points(self, c: BookPoints, now_s: int) -> None:
        self._e.log.add(
            PointsBooked, t_s=now_s, account=c.account, community=self._home_of(c.account), ref=c.reason,
            point_rule=c.rule, points=c.points, balance=c.balance,
        )  # fmt: skip
        member = self._row.get(c.account)
        if member is None:
            return
        self.hearts.move(member, PER_POINT * c.points if c.points > 0 else 0.3, now_s)
        if c.points > 0 and c.balance >= self._e.part.points.voucher:
            n = self._wishes[c.account] = self._wishes.get(c.account, 0) + 1
            if float(self._wants.uniform(c.account, 2 * n)[0]) < WISHES:
                at_s = waking_s(now_s + int(self._wants.exponential(4 * HOUR_S, c.account, 2 * n + 1)[0]), 0.5)
                wish = f"wish/{c.account}/{n}"
                self._e.later(at_s, lambda: self._wish(c.account, wish, at_s))

    def _wish(self, account: int, wish: str, now_s: int) -> None:
        self._e.log.add(PlatformUsed, t_s=now_s, account=account, app=11)
        self._e.tell(DESK, RedeemWish(now_s, wish, account, wish))

    def _order(self, c: OpenEarlyOrder, now_s: int) -> None:
        h = self._e.hazards
        find_m = ways_of(c.theme).find_m

        def open_there() -> list[int]:
            rows = h.all_about(c.theme, c.x_m, c.y_m, find_m, now_s)
            return [int(h.id[row]) for row in rows if h.state[row] != ENDED]

        there = open_there()
        if self._known.issuperset(there) and self._e.causes is not None:
            # who is sent to a bin that is about to run over deals with it: the hazard is met at its very beginning
            self._e.causes.meet(c.theme, c.x_m, c.y_m, find_m)
            there = open_there()
        hazard = next((n for n in there if n not in self._known), -1)
        self._known.add(hazard)
        self.meant[c.order] = hazard
        self._e.log.add(
            EarlyOrderOpened, t_s=now_s, order_ref=c.order, theme=c.theme, x_m=c.x_m, y_m=c.y_m, signals=len(c.refs),
            chance=c.chance, why=c.why, hazard=hazard, redundant=bool(there) and hazard < 0,
        )  # fmt: skip
        self._sign("early sign", c.order, c.theme, c.seen_s, c.x_m, c.y_m, f"{len(c.refs)} signals", now_s)

    # -- what the incident desk says ---------------------------------------------------------------------------

    def answered(self, what: str, source: str, ref: str, now_s: int) -> None:
        """Hear what became of a sign: taken on, or the outcome of its incident (see Responders.answers)."""
        if source == "early sign":
            if what != "taken on":
                self._e.log.add(EarlyOrderEnded, t_s=now_s, order_ref=ref, outcome=what)
                self._settled(ref, "false" if what in FALSE else "handled")
            return
        if ref in self._refs:
            if what != "taken on":
                self._settled(self._refs[ref], "false" if what in FALSE else "true")
            self._serial += 1
            self._e.tell(DESK, SignOutcome(now_s, f"outcome/{ref}/{what}/{self._serial}", ref, what))
