"""What residents and the community platform say to each other: reports, answers, points, early signs (F30-F33, F43).

Reports carry the names of Open311 GeoReport v2 (service_request_id, service_code, lat, long, requested_datetime …);
times are seconds of the run, as everywhere, and the place comes in local metres, too. ``account`` is the number of a
registered resident.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: where a report can come in: 随手拍 by the app, the hotline (such as 12345), a device that a community owns itself
CHANNELS = ("snap", "hotline", "device")

#: ``status`` of Open311
OPEN, CLOSED = "open", "closed"

#: what :attr:`AnswerReport.answer` can be. closed is not fixed: "said to be fixed" is what the city was told
ANSWERS = ("accepted", "duplicate", "rejected", "said to be fixed", "gone", "not found", "open again")

#: rules of neighbour points 邻里积分 (F31): a true report, the same told again, an answer about what was fixed
POINT_RULES = ("true", "again", "checked", "redeemed")

#: what a clerk can say of a report: worth going there, not to be made out, or nothing the city does anything about
VERDICTS = ("valid", "unclear", "not ours")

# -- messages: told once ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ServiceList(Message):
    """What can be reported (Open311 GET Service List), told once: equal-length columns.

    ``urgent`` 1: passed on at once, without a clerk. Reports within ``merge_m`` and ``merge_s`` are of one thing.
    """

    service_code: tuple[str, ...]
    theme: tuple[str, ...]
    urgent: Ints
    merge_m: Floats
    merge_s: Ints


@dataclass(frozen=True)
class PointTable(Message):
    """Points of each rule, told once; ``a_day``: as many rewarded reports a day and account; ``voucher``: its price."""

    rule: tuple[str, ...]
    points: Ints
    a_day: int
    voucher: int


# -- messages: as it goes --------------------------------------------------------------------------------


@dataclass(frozen=True)
class ServiceRequest(Message):
    """Somebody reports something (Open311 POST Service Request). ``account`` -1: none; ``channel`` of CHANNELS.

    ``seen_s``: when he saw it; ``media_url`` "": no photo; ``app``: number of the app it came from.
    """

    service_request_id: str
    channel: str
    account: int
    app: int
    service_code: str
    lat: float
    long: float
    x_m: float
    y_m: float
    seen_s: int
    requested_datetime: int
    description: str
    media_url: str


@dataclass(frozen=True)
class ReviewDone(Message):
    """A clerk looked at a report: ``verdict`` of VERDICTS."""

    report: str
    verdict: str


@dataclass(frozen=True)
class SignOutcome(Message):
    """What became of a forwarded sign at the incident desk: "taken on", or the outcome of its incident."""

    ref: str
    outcome: str


@dataclass(frozen=True)
class ReporterSays(Message):
    """Who reported something looked again after it was said to be fixed."""

    report: str
    account: int
    fixed: bool


@dataclass(frozen=True)
class RedeemWish(Message):
    """A resident wants a voucher for his points; ``wish``: its number."""

    account: int
    wish: str


# -- commands --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AskReview(Command):
    """Let a clerk look at a report."""

    report: str


@dataclass(frozen=True)
class AnswerReport(Command):
    """Tell the reporter: ``status`` (Open311), ``answer`` of ANSWERS, ``original``: the report that it repeats."""

    report: str
    account: int
    status: str
    answer: str
    original: str
    status_notes: str


@dataclass(frozen=True)
class ForwardReport(Command):
    """Pass a report on to the incident desk as one Sign; ``ref`` is the sign's number there."""

    report: str
    ref: str
    source: str
    theme: str
    seen_s: int
    x_m: float
    y_m: float
    text: str


@dataclass(frozen=True)
class BookPoints(Command):
    """Write points into the ledger: one entry for each (``reason``, ``rule``), for good; negative: spent."""

    account: int
    reason: str
    rule: str
    points: int
    balance: int


# -- early signs 未诉先办 -----------------------------------------------------------------------------------

#: why an early order was opened: what tellers say, a surge of a reading, or what was found next to it
EARLY_WHYS = ("signals", "reading", "neighbour")


@dataclass(frozen=True)
class EarlySettings(Message):
    """How early signs are sought, told once: equal-length columns, a row per theme.

    ``cell_m``: side of the squares; ``window_s``: signals so far back count together; ``noise_a_day``: signals a day in
    the whole city that are about nothing, as known from before; ``cells``: squares they spread over. Not more than
    ``useless_a_day`` orders a day should be for nothing. ``neighbours``: look at the neighbours of what was found;
    ``readings``: heed what is measured.
    """

    theme: tuple[str, ...]
    cell_m: Floats
    window_s: Ints
    noise_a_day: Floats
    cells: Ints
    useless_a_day: float
    neighbours: bool = False
    readings: bool = False


@dataclass(frozen=True)
class Assets(Message):
    """The city's register of what can go wrong, told once: equal-length columns.

    ``stretch``: things of one theme with the same number belong together (a collection round, a drain, a car park); -1:
    to none.
    """

    theme: tuple[str, ...]
    x_m: Floats
    y_m: Floats
    stretch: Ints


@dataclass(frozen=True)
class EarlyChannels(Message):
    """Measuring channels whose readings early signs are sought in, told once for each ``source``: columns."""

    source: str
    channel: Ints
    theme: tuple[str, ...]
    x_m: Floats
    y_m: Floats
    period_s: Ints


@dataclass(frozen=True)
class EarlyReadings(Message):
    """Readings of channels of a source, equal-length columns; may be late, repeated, out of order, nan.

    Those of before the start (``phenomenon_s`` below the settings' second) only teach what is usual.
    """

    source: str
    channel: Ints
    phenomenon_s: Ints
    value: Floats


@dataclass(frozen=True)
class WeakSignal(Message):
    """Something that may be a problem: ``origin`` report, complaint, alert, device; ``ref``: its number there.

    ``teller``: who or what says so (the same one again is no second signal).
    """

    origin: str
    ref: str
    teller: str
    theme: str
    seen_s: int
    x_m: float
    y_m: float


@dataclass(frozen=True)
class SignalSettled(Message):
    """A signal needs no early order any more (``handled``: somebody is on it), or was about something (true, false)."""

    ref: str
    what: str


@dataclass(frozen=True)
class OpenEarlyOrder(Command):
    """Open a work order before anybody complained: passed to the incident desk as a Sign of "early sign".

    ``chance``: estimated probability that it is for nothing; ``refs``: the signals; ``why``: of EARLY_WHYS.
    """

    order: str
    theme: str
    x_m: float
    y_m: float
    seen_s: int
    chance: float
    refs: tuple[str, ...]
    why: str = "signals"
