"""From the alerting desk to the incident desk: alerts that somebody is notified of become signs, and what follows.

An alert that is inhibited or grouped away is not notified, so nobody is sent; updates and ends refer to its sign.
"""

from __future__ import annotations

from collections.abc import Callable

from twin.domain.city_brain import Acknowledged, Notify, RaiseAlert, ResolveAlert, UpdateAlert
from twin.domain.commands import Command
from twin.domain.incidents import Sign, SignChanged, TakeOn
from twin.domain.messages import Message
from twin.events import SignTold
from twin.log import Log

DEVICES = "device"  # theme of alerts about sensors themselves: those who look after devices see to them


class AlertPost:
    """Keeps the alerts that were raised until they are notified; a sign is named by the key of its RaiseAlert."""

    def __init__(self, log: Log, tell: Callable[[str, Message], None]) -> None:
        self._log, self._tell = log, tell
        self._raised: dict[str, RaiseAlert] = {}
        self._told: set[str] = set()
        self._key_of: dict[tuple[str, int], str] = {}
        self._changes = 0

    def alert(self, command: Command, now_s: int) -> None:
        """Take a command of the alerting desk."""
        if isinstance(command, RaiseAlert):
            self._raised[command.key] = command
            self._key_of[command.alert, command.episode] = command.key
        elif isinstance(command, Notify):
            self._notify(command, now_s)
        elif isinstance(command, UpdateAlert):
            if command.what == "confirmed":
                by = command.detail or "a second sensor"
                self._change(command.alert, command.episode, "confirmed", by, now_s)
        elif isinstance(command, ResolveAlert):
            what = {"cleared": "ended", "rejected": "rejected"}.get(command.reason)
            if what is not None:
                by = command.alert if what == "ended" else "operator"
                self._change(command.alert, command.episode, what, by, now_s)

    def _notify(self, command: Notify, now_s: int) -> None:
        for key in command.raised:
            raised = self._raised.get(key)
            if raised is None or f"theme={DEVICES}" in raised.labels:
                continue
            if key in self._told:
                if command.level > 0:
                    self._change(raised.alert, raised.episode, "unanswered", command.to, now_s)
                continue
            self._told.add(key)
            labels = dict(label.split("=", 1) for label in raised.labels if "=" in label)
            theme = labels.get("theme", raised.rule)
            self._log.add(SignTold, t_s=now_s, source="alert", ref=key, theme=theme, hazard=-1)
            self._tell(
                "incidents",
                Sign(
                    t_s=now_s, key=f"sign/{key}", source="alert", ref=key, theme=theme,
                    seen_s=raised.since_s, x_m=raised.x_m, y_m=raised.y_m, place=labels.get("place", ""),
                    grid=labels.get("grid", ""), severity=raised.severity, text=raised.text,
                ),
            )  # fmt: skip

    def _change(self, alert: str, episode: int, what: str, by: str, now_s: int) -> None:
        key = self._key_of.get((alert, episode))
        if key is None or key not in self._told:
            return
        self._changes += 1
        self._tell("incidents", SignChanged(now_s, f"sign/{key}/{what}/{self._changes}", "alert", key, what, by, ""))

    def take_on(self, command: TakeOn, now_s: int) -> None:
        """Tell alerting that somebody comes: the alert is acknowledged."""
        raised = self._raised.get(command.ref)
        if raised is not None:
            self._tell("alerting", Acknowledged(now_s, f"ack/{command.ref}", raised.alert, command.incident))
