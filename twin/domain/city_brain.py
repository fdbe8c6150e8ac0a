"""What the city brain hears and says: readings of channels, confirmations, alerts, notifications (F5–F12).

A *channel* is one stream of one sensor, numbered from 0. Names follow OGC SensorThings: a channel is a ``Datastream``,
a row of :class:`Readings` an ``Observation``. An *alert* is named by its rule and labels, such as
``drowning{channel="cam-17",grid="g3"}``; each time it begins anew it is another *episode*, ``…#2``. Severities are
those of OASIS CAP 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: severities of CAP 1.2 from low to high; ``severity`` fields hold the word
SEVERITIES = ("Minor", "Moderate", "Severe", "Extreme")

#: what ``Readings.quality`` can be (SensorThings ``resultQuality``); a bad reading counts as none. Append only.
QUALITIES = ("good", "doubtful", "bad")
GOOD, DOUBTFUL, BAD = range(3)

#: what :attr:`UpdateAlert.what` can be
UPDATES = ("unknown", "known", "confirmed", "members", "flapping", "inhibited", "released", "acknowledged")

#: what :attr:`ResolveAlert.reason` can be
ENDINGS = ("cleared", "expired", "no data", "rejected")


#: what is watched: the 12 themed supervision topics 特色管理专题 (F7; two are named there, the others are assumed from
#: what Chinese city-management platforms list) and the 6 community risks (F12; three are named there)
TOPICS: dict[str, tuple[str, str]] = {
    "water": ("people in water", "水域溺水"),
    "fire": ("fires", "火情火灾"),
    "site": ("construction sites", "建设工地"),
    "dust": ("dust", "扬尘"),
    "bikes": ("misparked non-motor vehicles", "非机动车乱停放"),
    "level": ("rising water", "水位上涨"),
    "ponding": ("ponded roads", "道路积水"),
    "crowd": ("crowds", "人群聚集"),
    "straw": ("straw burning", "秸秆焚烧"),
    "garbage": ("exposed garbage", "暴露垃圾"),
    "road": ("road damage", "道路病害"),
    "vendors": ("street vending", "占道经营"),
}
RISKS: dict[str, tuple[str, str]] = {
    "thrown": ("objects thrown from height", "高空抛物"),
    "fire_lane": ("blocked fire lanes", "消防通道占用"),
    "manhole": ("displaced or overflowing manholes", "井盖异常"),
    "ebike": ("electric bicycles taken indoors", "电动车入楼"),
    "gas": ("gas leaks", "燃气泄漏"),
    "lift": ("people caught in lifts", "电梯困人"),
}
THEMES: dict[str, tuple[str, str]] = {**TOPICS, **RISKS}


# -- messages ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AlertRules(Message):
    """The rules of the city, told once before the channels; ``rules``: a rule book as JSON text."""

    rules: str


@dataclass(frozen=True)
class ChannelMap(Message):
    """All channels, told once at the start: equal-length columns, row ``k`` is channel ``k``.

    ``place``/``grid``: names, "" when there is none; at ``x_m``/``y_m`` (local metres); ``unit`` of the value;
    ``period_s`` between readings, 0 for a channel that speaks only when it sees something. ``tag_channel``/``tag``:
    pairs, one channel with many tags ``tree:branch/leaf`` (F6).
    """

    channel: Ints
    name: tuple[str, ...]
    kind: tuple[str, ...]
    place: tuple[str, ...]
    grid: tuple[str, ...]
    x_m: Floats
    y_m: Floats
    unit: tuple[str, ...]
    period_s: Ints
    tag_channel: Ints
    tag: tuple[str, ...]


@dataclass(frozen=True)
class Readings(Message):
    """Readings as they came in, equal-length columns: may be late, repeated, out of order, wrong.

    ``phenomenon_s``: SensorThings ``phenomenonTime``, when the value held, by the sensor's clock; ``result_s``:
    ``resultTime``, when it was made; ``value``: ``result`` (nan: none); ``quality``: index into QUALITIES.
    """

    channel: Ints
    phenomenon_s: Ints
    result_s: Ints
    value: Floats
    quality: Ints


@dataclass(frozen=True)
class Confirmation(Message):
    """A person, or a sensor looked at by a person, says whether an alert is true (F10); ``by`` names them."""

    alert: str
    confirmed: bool
    by: str


@dataclass(frozen=True)
class Acknowledged(Message):
    """Somebody takes an alert on; it is escalated no further."""

    alert: str
    by: str


@dataclass(frozen=True)
class Maintenance(Message):
    """No alert begins in [from_s, until_s) from channels of ``query`` (tags), for ``rules`` (empty: all).

    Told again with the same ``window`` it replaces what was told before.
    """

    window: str
    from_s: int
    until_s: int
    query: str
    rules: tuple[str, ...]
    reason: str


# -- commands ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RaiseAlert(Command):
    """An episode of an alert began; its ``key`` is what later updates and cancellations refer to.

    ``labels``: ``name=value``; ``since_s``: when the condition began to hold, ``raised_s``: when it was decided;
    ``value`` of the first ``channel`` in ``unit``; ``x_m``/``y_m``: their mean place.
    """

    alert: str
    episode: int
    rule: str
    severity: str
    labels: tuple[str, ...]
    since_s: int
    raised_s: int
    value: float
    unit: str
    channel: Ints
    x_m: float
    y_m: float
    text: str


@dataclass(frozen=True)
class UpdateAlert(Command):
    """Something about an open episode changed: ``what`` is one of UPDATES; ``refers_to`` is the key before it."""

    alert: str
    episode: int
    refers_to: str
    what: str
    detail: str
    channel: Ints


@dataclass(frozen=True)
class ResolveAlert(Command):
    """An episode ended, for a ``reason`` of ENDINGS; ``refers_to`` is the key of the last thing said about it."""

    alert: str
    episode: int
    refers_to: str
    reason: str
    resolved_s: int


@dataclass(frozen=True)
class Notify(Command):
    """Tell ``to`` about a group of episodes: keys of RaiseAlert in ``raised``/``resolved``, in order of time.

    ``refers_to``: key of the notification it follows, "" for the first; ``level``: 0, or the step of escalation.
    """

    to: str
    group: str
    severity: str
    raised: tuple[str, ...]
    resolved: tuple[str, ...]
    refers_to: str
    level: int
    text: str


@dataclass(frozen=True)
class AskConfirmation(Command):
    """Ask a person whether an alert is true, until ``until_s``; answered by :class:`Confirmation`."""

    alert: str
    episode: int
    severity: str
    channel: Ints
    until_s: int
    text: str


@dataclass(frozen=True)
class DropAlert(Command):
    """An episode is not raised (now), for a ``reason``: overload, maintenance, not confirmed, rejected."""

    alert: str
    episode: int
    severity: str
    reason: str
    x_m: float
    y_m: float


@dataclass(frozen=True)
class DropReadings(Command):
    """``count`` readings of ``channel`` were not used as sent: ``reason`` late, future, unusable or unknown channel."""

    reason: str
    count: int
    channel: Ints
