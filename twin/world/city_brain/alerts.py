"""The alerting desk in a run: its rules and channels, what it says as facts, and what its alerts are truly about.

Which hazard an alert is truly about is written beside it (``hazard``), for scoring; nobody in the city knows it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from twin.control.city_brain.alerting.rules import to_json
from twin.control.city_brain.anomalies import RULE, AnomalyDesk
from twin.control.city_brain.tags import TagForest
from twin.domain.city_brain import (
    AlertRules,
    AskConfirmation,
    ChannelMap,
    Confirmation,
    DropAlert,
    DropReadings,
    Maintenance,
    Notify,
    RaiseAlert,
    Readings,
    ResolveAlert,
    UpdateAlert,
)
from twin.domain.commands import Command
from twin.domain.messages import Ints
from twin.events import (
    AlertCovered,
    AlertDropped,
    AlertNotified,
    AlertRaised,
    AlertResolved,
    AlertUpdated,
    ChannelsMuted,
    ConfirmationAsked,
    ConfirmationGiven,
    ReadingsDropped,
)
from twin.hosts import Host, find_factory
from twin.scenario.alert_rules import find_rules, load_rules
from twin.scenario.city_brain import Alerting
from twin.world.city_brain.hazards import Hazards
from twin.world.city_brain.people_look import Lookers
from twin.world.ports import RunContext
from twin.world.sensors.channels import Channels

ALERTING, ANOMALIES = "alerting", "anomalies"
ANOMALIES_S = 300  # the statistical detectors get their readings in bundles of so many seconds
AGO_S = 600  # an alert may be about what ended so long ago
MARGIN_M = 70.0


@dataclass
class _Open:
    """An open alert: its episode, theme, channels, and the rows of the hazards that it is about."""

    episode: int
    theme: str
    channels: dict[int, None] = field(default_factory=dict)
    rows: dict[int, None] = field(default_factory=dict)


class Alerts:
    """Hosts of the desks, and what becomes of what they say."""

    def __init__(self, context: RunContext, settings: Alerting, hazards: Hazards, channels: Channels) -> None:
        self._c, self._s, self._hazards, self._channels = context, settings, hazards, channels
        book = load_rules(find_rules(settings.rules))
        if not settings.confirm:
            book = replace(book, rules=tuple(replace(r, confirm=None, unsure=None) for r in book.rules))
        self.book = book
        self._theme_of = {r.name: dict(r.labels).get("theme", "") for r in book.rules}
        factory = find_factory(settings.desk) if isinstance(settings.desk, str) else settings.desk
        self.hosts: dict[str, Host] = {ALERTING: context.host(ALERTING, factory)}
        if settings.detectors:
            self.hosts[ANOMALIES] = context.host(ANOMALIES, AnomalyDesk)
        self.lookers = Lookers(context, settings, alert_number, self._confirmed)
        self.responders: Any = None
        self.forest: TagForest | None = None
        self._reach = channels.of("reach_m")
        self._numeric = channels.of("noise") > 0
        self._bundle: list[Readings] = []
        self._bundled_s = context.start_s
        self._faulty: dict[str, Ints] = {}  # open alerts about silence → channels
        self._open: dict[str, _Open] = {}
        self._of_channel: dict[int, dict[str, None]] = {}
        self._dropped: dict[str, int] = {}
        self._asked_about: dict[str, int] = {}

    def begin(self, now_s: int, told: ChannelMap) -> None:
        """Tell the desks the rules and the channels."""
        rules = AlertRules(now_s, "rules", to_json(self.book))
        self._c.tell(ALERTING, rules)
        for desk in self.hosts:
            self._c.tell(desk, told)
        self.forest = TagForest.of(told)

    # -- readings ----------------------------------------------------------------------------------------------

    def read(self, readings: Readings) -> None:
        """Let the desks have what arrived."""
        self._c.tell(ALERTING, readings)
        if not self._s.detectors:
            return
        mine = self._numeric[readings.channel]
        if mine.any():
            self._bundle.append(
                Readings(
                    readings.t_s, readings.key, readings.channel[mine], readings.phenomenon_s[mine],
                    readings.result_s[mine], readings.value[mine], readings.quality[mine],
                )
            )  # fmt: skip
        if self._bundle and readings.t_s - self._bundled_s >= ANOMALIES_S:
            columns = [
                np.concatenate([getattr(r, name) for r in self._bundle])
                for name in ("channel", "phenomenon_s", "result_s", "value", "quality")
            ]
            self._c.tell(ANOMALIES, Readings(readings.t_s, f"bundle/{readings.t_s}", *columns))
            self._bundle, self._bundled_s = [], readings.t_s

    # -- what the desks say ------------------------------------------------------------------------------------

    def carry_out(self, who: str, command: Command, now_s: int) -> bool:
        """Write down what a desk said, and let whom it concerns hear it; False if it is none of these."""
        if who not in self.hosts:
            return False
        log = self._c.log
        if isinstance(command, RaiseAlert):
            self._raised(command, now_s)
        elif isinstance(command, UpdateAlert):
            log.add(AlertUpdated, t_s=now_s, alert=command.alert, episode=command.episode, what=command.what)
            if command.what == "members" and command.alert in self._open:
                self._cover(command.alert, command.channel, now_s)
        elif isinstance(command, ResolveAlert):
            log.add(AlertResolved, t_s=now_s, alert=command.alert, episode=command.episode, reason=command.reason)
            self._closed(command.alert)
        elif isinstance(command, Notify):
            log.add(
                AlertNotified, t_s=now_s, to=command.to, area=command.group, severity=command.severity,
                step=command.level, raised=len(command.raised), resolved=len(command.resolved),
            )  # fmt: skip
        elif isinstance(command, AskConfirmation):
            self._asked(command, now_s)
            return True
        elif isinstance(command, DropAlert):
            rule = command.alert.partition("{")[0]
            log.add(
                AlertDropped, t_s=now_s, alert=command.alert, episode=command.episode, alert_rule=rule,
                theme=self._theme_of.get(rule, ""), severity=command.severity, reason=command.reason,
                x_m=float(command.x_m), y_m=float(command.y_m), hazard=self._asked_about.pop(command.alert, -1),
            )  # fmt: skip
            return True
        elif isinstance(command, DropReadings):
            self._dropped[command.reason] = self._dropped.get(command.reason, 0) + command.count
            return True
        else:
            return False
        if self.responders is not None:
            self.responders.alert(command, now_s)
        return True

    def _raised(self, command: RaiseAlert, now_s: int) -> None:
        labels = dict(pair.split("=", 1) for pair in command.labels)
        theme = labels.get("theme", "")
        hazard = self.truth(theme, command.channel, now_s)
        self._hazards.pictured[command.alert] = hazard
        self._c.log.add(
            AlertRaised, t_s=now_s, alert=command.alert, episode=command.episode, alert_rule=command.rule, theme=theme,
            severity=command.severity, since_s=int(command.since_s), channel=int(command.channel[0]),
            x_m=float(command.x_m), y_m=float(command.y_m), hazard=hazard,
        )  # fmt: skip
        if command.rule.startswith("silent"):
            self._faulty[command.alert] = command.channel
            if self.forest is not None:
                self.forest.mark("fault", command.channel.tolist(), True)
        elif command.rule != RULE:
            self._open[command.alert] = _Open(command.episode, theme)
            self._cover(command.alert, command.channel, now_s)

    def _closed(self, alert: str) -> None:
        faulty = self._faulty.pop(alert, None)
        if faulty is not None and self.forest is not None:  # the tag ``fault`` is what an open alert about silence says
            self.forest.mark("fault", faulty.tolist(), False)
        closed = self._open.pop(alert, None)
        for c in closed.channels if closed is not None else ():
            self._of_channel[c].pop(alert, None)

    def _cover(self, alert: str, channel: Ints, now_s: int) -> None:
        """Write down what an open alert is truly about, now that these channels belong to it."""
        one = self._open[alert]
        for c in channel.tolist():
            if c in one.channels:
                continue
            one.channels[c] = None
            self._of_channel.setdefault(c, {})[alert] = None
            for row in self._rows_at(one.theme, c, now_s):
                self._covers(alert, one, row, now_s)

    def _covers(self, alert: str, one: _Open, row: int, now_s: int) -> None:
        if row not in one.rows:
            one.rows[row] = None
            self._c.log.add(
                AlertCovered, t_s=now_s, alert=alert, episode=one.episode, theme=one.theme,
                hazard=int(self._hazards.id[row]),
            )  # fmt: skip

    def sensed(self, row: int, channel: int, now_s: int) -> None:
        """Take in that a channel first perceived a hazard: open alerts of that channel are about it, too."""
        for alert in self._of_channel.get(channel, ()):
            one = self._open[alert]
            if one.theme == self._hazards.theme[row]:
                self._covers(alert, one, row, now_s)

    def _rows_at(self, theme: str, channel: int, now_s: int) -> list[int]:
        x_m, y_m = float(self._channels.x_m[channel]), float(self._channels.y_m[channel])
        return self._hazards.all_about(theme, x_m, y_m, float(self._reach[channel]) + MARGIN_M, now_s, AGO_S)

    def truth(self, theme: str, channel: Ints, now_s: int) -> int:
        """Return the number of the hazard of a theme that is in reach of one of these channels, or was; -1: none."""
        for c in channel.tolist():
            rows = self._rows_at(theme, c, now_s)
            if rows:
                return int(self._hazards.id[rows[0]])
        return -1

    # -- confirmation ------------------------------------------------------------------------------------------

    def _asked(self, command: AskConfirmation, now_s: int) -> None:
        rule = command.alert.partition("{")[0]
        theme = self._theme_of.get(rule, "")
        hazard = self.truth(theme, command.channel, now_s)
        self._asked_about[command.alert] = hazard
        self._hazards.pictured[command.alert] = hazard
        self._c.log.add(ConfirmationAsked, t_s=now_s, alert=command.alert, episode=command.episode)
        look = getattr(self.responders, "look", None)
        if look is None:
            self.lookers.asked(command, hazard, now_s)
            return
        channel = int(command.channel[0])
        look(command.alert, float(self._channels.x_m[channel]), float(self._channels.y_m[channel]), theme, now_s)

    def _confirmed(self, told: Confirmation, hazard: int) -> None:
        self._c.log.add(
            ConfirmationGiven, t_s=told.t_s, alert=told.alert, confirmed=told.confirmed, who=told.by, hazard=hazard
        )
        self._c.tell(ALERTING, told)

    # -- maintenance, account ----------------------------------------------------------------------------------

    def mute(self, query: str, rules: tuple[str, ...], until_s: int, cause: str, now_s: int) -> None:
        """Tell alerting of a maintenance window."""
        rows = self.forest.rows(query) if self.forest is not None else np.empty(0, dtype=np.int64)
        self._c.log.add(ChannelsMuted, t_s=now_s, query=query, channels=int(rows.size), until_s=until_s, cause=cause)
        self._c.tell(ALERTING, Maintenance(now_s, f"window/{cause}", cause, now_s, until_s, query, rules, cause))

    def account(self, now_s: int) -> None:
        """Write down what alerting could not use since the last account."""
        for reason, count in sorted(self._dropped.items()):
            self._c.log.add(ReadingsDropped, t_s=now_s, reason=reason, readings=count)
        self._dropped = {}


def alert_number(alert: str) -> int:
    """Return a stable number of an alert by its name, for draws."""
    return int.from_bytes(hashlib.blake2b(alert.encode(), digest_size=6).digest(), "little")
