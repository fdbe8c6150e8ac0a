"""The community desk: reports in; answers, one sign per truth, and neighbour points out (F30, F31).

A fold over messages, which may come twice, late, or in any order: what comes before its report waits for it. A report
that repeats an open one is answered as a duplicate and shares its fate; of each thing one sign goes to the incident
desk. "Said to be fixed" is what the incident desk says; when the reporter says that it is not, the report is open
again. Points are paid when somebody saw that the report was true, once for each report and rule.
"""

from __future__ import annotations

from collections.abc import Sequence

from twin.control.community.cases import ENDED, FORWARDED, REPEATS, REVIEW, Case, CaseBook, Service, services
from twin.control.community.ledger import Ledger
from twin.control.community.ports import ClerkFirst, ReportView, TriagePolicy
from twin.domain.commands import Command
from twin.domain.community import (
    CLOSED,
    OPEN,
    AnswerReport,
    AskReview,
    BookPoints,
    ForwardReport,
    PointTable,
    RedeemWish,
    ReporterSays,
    ReviewDone,
    ServiceList,
    ServiceRequest,
    SignOutcome,
)
from twin.domain.messages import Message

DAY_S = 86_400
#: outcome of an incident → (answer, whether the report was true)
OUTCOMES = {
    "handled": ("said to be fixed", True),
    "gone": ("gone", True),
    "nothing there": ("not found", False),
    "false alarm": ("not found", False),
}
SOURCE = {"snap": "report", "hotline": "call", "device": "patrol"}  # as in twin.domain.incidents.SOURCES


class CommunityDesk:
    """See the module's text. State is rebuilt by replaying its messages."""

    def __init__(self, policy: type[TriagePolicy] | TriagePolicy = ClerkFirst) -> None:
        self._policy: TriagePolicy = policy() if isinstance(policy, type) else policy
        self._services: dict[str, Service] | None = None
        self._points: dict[str, int] = {}
        self._a_day, self._voucher = 0, 0
        self._seen: set[str] = set()
        self._early: list[Message] = []  # what came before the list of services
        self._waiting: dict[str, list[Message]] = {}  # what came before its report, by report
        self._outcomes: dict[str, list[SignOutcome]] = {}  # what came before its sign, by ref
        self._of_ref: dict[str, str] = {}
        self._told: dict[int, int] = {}
        self._today: dict[tuple[int, int], int] = {}
        self._paid: dict[tuple[int, int], int] = {}
        self.strikes: dict[int, int] = {}
        self.book = CaseBook()
        self.ledger = Ledger()
        self._out: list[Command] = []

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:  # noqa: ARG002
        """Fold the messages into the reports and answer with what is to be done."""
        for message in messages:
            if message.key not in self._seen:
                self._seen.add(message.key)
                self._take(message)
        out, self._out = self._out, []
        return out

    # -- messages --------------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        if isinstance(message, ServiceList):
            self._services = services(message)
            early, self._early = self._early, []
            for m in early:
                self._take(m)
        elif isinstance(message, PointTable):
            self._points = dict(zip(message.rule, message.points.tolist(), strict=True))
            self._a_day, self._voucher = message.a_day, message.voucher
        elif self._services is None:
            self._early.append(message)
        elif isinstance(message, ServiceRequest):
            self._request(self._services, message)
        elif isinstance(message, ReviewDone | ReporterSays):
            case = self.book.all.get(message.report)
            if case is None:
                self._waiting.setdefault(message.report, []).append(message)
            elif isinstance(message, ReviewDone):
                self._reviewed(case, message.verdict)
            else:
                self._looked(case, message)
        elif isinstance(message, SignOutcome):
            self._outcome(message)
        elif isinstance(message, RedeemWish):
            self._pay(message.account, message.wish, "redeemed", -self._voucher)

    def _request(self, known: dict[str, Service], m: ServiceRequest) -> None:
        service = known.get(m.service_code)
        if service is None:
            self._answer_request(m, CLOSED, "rejected", "", f"there is no service '{m.service_code}'")
            return
        case = self.book.all[m.service_request_id] = Case(m, service)
        day = (m.account, m.seen_s // DAY_S)
        self._told[m.account] = self._told.get(m.account, 0) + 1
        self._today[day] = self._today.get(day, 0) + 1
        original = self.book.repeated(m, service)
        if original is not None:
            case.state, case.original = REPEATS, original.name
            original.followers.append(case.name)
            self._answer(case, OPEN, "duplicate")
            if original.state == REVIEW and m.channel != "snap":
                self._forward(original)  # somebody who is believed at once says so, too
        else:
            self.book.open(case)
            self._triage(case)
        for waiting in self._waiting.pop(case.name, ()):
            self._take(waiting)

    def _triage(self, case: Case) -> None:
        m = case.request
        view = ReportView(
            channel=m.channel,
            theme=case.service.theme,
            urgent=case.service.urgent,
            photo=bool(m.media_url),
            strikes=self.strikes.get(m.account, 0) if m.account >= 0 else 0,
            today=self._today[m.account, m.seen_s // DAY_S] if m.account >= 0 else 1,
            told_before=self._told[m.account] - 1,
        )
        way = self._policy.triage(view)
        if way == "forward":
            self._forward(case)
        elif way == "review":
            case.state = REVIEW
            if case.verdict:
                self._reviewed(case, case.verdict)
            else:
                self._out.append(AskReview(f"review/{case.name}", case.name))
        else:
            self._reject(case, "too many reports today")

    def _reviewed(self, case: Case, verdict: str) -> None:
        if case.state != REVIEW:
            case.verdict = verdict
            return
        if verdict == "valid":
            self._forward(case)
        else:
            self._reject(case, f"a clerk says: {verdict}")

    def _reject(self, case: Case, why: str) -> None:
        """End a report; the next that repeats it is looked at in its place."""
        self._end(case, "rejected", why)
        followers, case.followers = case.followers, []
        heirs = [self.book.all[name] for name in followers]
        for heir in heirs[:1]:
            heir.original, heir.followers = "", [h.name for h in heirs[1:]]
            self.book.open(heir)
            self._triage(heir)
        for other in heirs[1:]:
            if other.state == REPEATS:
                other.original = heirs[0].name

    def _forward(self, case: Case) -> None:
        m = case.request
        case.state = FORWARDED
        case.tries += 1
        case.ref = case.name if case.tries == 1 else f"{case.name}/{case.tries}"
        self._of_ref[case.ref] = case.name
        self._out.append(
            ForwardReport(
                f"forward/{case.ref}", case.name, case.ref, SOURCE.get(m.channel, "report"), case.service.theme,
                m.seen_s, m.x_m, m.y_m, m.description,
            )
        )  # fmt: skip
        self._answer(case, OPEN, "accepted" if case.tries == 1 else "open again")
        for told in self._outcomes.pop(case.ref, ()):
            self._outcome(told)

    def _outcome(self, m: SignOutcome) -> None:
        case = self.book.all.get(self._of_ref.get(m.ref, ""))
        if case is None:
            self._outcomes.setdefault(m.ref, []).append(m)
            return
        found = OUTCOMES.get(m.outcome)
        if found is None or case.state != FORWARDED or case.ref != m.ref:
            return
        answer, true = found
        self._end(case, answer, m.outcome)
        self._settle(case, true, "true")
        for name in case.followers:
            other = self.book.all[name]
            self._end(other, answer, m.outcome)
            self._settle(other, true, "again")

    def _settle(self, case: Case, true: bool, rule: str) -> None:
        m = case.request
        if m.account < 0:
            return
        if not true:
            self.strikes[m.account] = self.strikes.get(m.account, 0) + 1
            return
        day = (m.account, m.seen_s // DAY_S)
        if self._paid.get(day, 0) < self._a_day and self._pay(m.account, case.name, rule, self._points.get(rule, 0)):
            self._paid[day] = self._paid.get(day, 0) + 1

    def _looked(self, case: Case, m: ReporterSays) -> None:
        """Hear the reporter: what is not fixed is open again, whoever of those who told it says so first."""
        first = case if not case.original else self.book.all[case.original]
        self._pay(m.account, case.name, "checked", self._points.get("checked", 0))
        if m.fixed or first.state != ENDED or first.answer != "said to be fixed":
            return
        for name in first.followers:
            self.book.all[name].state = REPEATS
        self.book.open(first)
        self._forward(first)

    # -- answers -----------------------------------------------------------------------------------------------

    def _pay(self, account: int, reason: str, rule: str, points: int) -> bool:
        entry = self.ledger.book(account, reason, rule, points)
        if entry is not None:
            self._out.append(BookPoints(f"points/{reason}/{rule}", account, reason, rule, points, entry.balance))
        return entry is not None

    def _end(self, case: Case, answer: str, notes: str) -> None:
        if not case.original:
            self.book.close(case)
        case.state = ENDED
        self._answer(case, CLOSED, answer, notes)

    def _answer(self, case: Case, status: str, answer: str, notes: str = "") -> None:
        case.answer = answer
        case.answers += 1
        self._answer_request(case.request, status, answer, case.original, notes, case.answers)

    def _answer_request(
        self, m: ServiceRequest, status: str, answer: str, original: str, notes: str, number: int = 0
    ) -> None:
        key = f"answer/{m.service_request_id}/{number}"
        self._out.append(AnswerReport(key, m.service_request_id, m.account, status, answer, original, notes))
