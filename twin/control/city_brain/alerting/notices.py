"""Who is told what and when: inhibition, then grouping, then escalation until somebody acknowledges.

Every message refers to the one before it that it changes. Messages are gathered in groups, but each episode that
began or ended in the meantime is named in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from twin.control.city_brain.alerting.agenda import Agenda, Due
from twin.control.city_brain.alerting.cases import OPEN, Case
from twin.control.city_brain.alerting.rules import Inhibition, RuleBook
from twin.domain.city_brain import SEVERITIES, Notify
from twin.domain.commands import Command

RAISED, RESOLVED = "raised", "resolved"


@dataclass
class _Group:
    """Alerts of one receiver that share messages; ``items``: (raised/resolved, alert, episode key, rank)."""

    to: str
    name: str
    interval_s: int
    items: list[tuple[str, Case, str, int]] = field(default_factory=list)
    flush_s: int | None = None
    sent_s: int | None = None
    count: int = 0
    last_key: str = ""


class Notices:
    """The post office of alerting."""

    def __init__(self, book: RuleBook, agenda: Agenda) -> None:
        self._agenda = agenda
        self._groups: dict[str, _Group] = {}
        self._from = {r.name: [h for h in book.inhibitions if h.source == r.name] for r in book.rules}
        self._against = {r.name: [h for h in book.inhibitions if r.name in h.targets] for r in book.rules}
        # by inhibition and the values of its labels: the open alerts that inhibit, and those that they keep back
        self._sources: dict[tuple[Inhibition, tuple[str, ...]], dict[str, Case]] = {}
        self._held: dict[tuple[Inhibition, tuple[str, ...]], dict[str, Case]] = {}
        self._told: dict[str, tuple[Case, dict[str, str]]] = {}  # episode → who was told of it

    # -- inhibition ----------------------------------------------------------------------------------

    def opened(self, case: Case) -> None:
        """Let an open alert inhibit from now on."""
        for spot in _spots(self._from[case.rule.name], case):
            self._sources.setdefault(spot, {})[case.alert] = case

    def closed(self, case: Case) -> list[Case]:
        """End an alert; return the alerts that it alone kept from being told."""
        for spot in _spots(self._against[case.rule.name], case):
            self._held.get(spot, {}).pop(case.alert, None)
        free: dict[str, Case] = {}
        for spot in _spots(self._from[case.rule.name], case):
            others = self._sources.get(spot, {})
            if others.pop(case.alert, None) is not None and len(others) <= 1:  # an alert does not inhibit itself
                free |= {a: held for a, held in self._held.get(spot, {}).items() if not self.inhibited(held)}
        for held in free.values():
            for spot in _spots(self._against[held.rule.name], held):
                self._held.get(spot, {}).pop(held.alert, None)
        return list(free.values())

    def inhibited(self, case: Case) -> str:
        """Return the alert that inhibits this one, or nothing."""
        for spot in _spots(self._against[case.rule.name], case):
            for alert, other in self._sources.get(spot, {}).items():
                if other is not case:
                    return alert
        return ""

    # -- grouping ------------------------------------------------------------------------------------

    def add(self, t_s: int, case: Case, what: str) -> None:
        """Put an episode that began or ended into its group's next message."""
        notice = case.rule.notice
        shared = ",".join(f"{n}={case.labels.get(n, '')}" for n in notice.group_by)
        name = f"{notice.to}/{shared}" if notice.group_by else f"{notice.to}/{case.alert}"
        group = self._groups.setdefault(name, _Group(notice.to, name, notice.interval_s))
        group.items.append((what, case, case.key, case.rule.rank))
        at = t_s + notice.wait_s
        if group.sent_s is not None:
            at = max(at, group.sent_s + group.interval_s)
        if group.flush_s is None or at < group.flush_s:
            group.flush_s = at
            self._agenda.set(at, Due("flush", name, group.count))

    def flush(self, t_s: int, name: str, number: int) -> tuple[list[Command], list[tuple[Case, str]]]:
        """Send a group's message; return it and the alerts (with their inhibitor) that were kept back."""
        group = self._groups[name]
        if number != group.count or group.flush_s is None or t_s < group.flush_s:
            return [], []  # sent earlier
        items, group.items, group.flush_s = group.items, [], None
        kept_back: list[tuple[Case, str]] = []
        raised: list[tuple[Case, str, int]] = []
        resolved: list[tuple[str, int]] = []
        for what, case, key, rank in items:
            if what == RAISED:
                by = self.inhibited(case)
                if not by:
                    raised.append((case, key, rank))
                    continue
                if case.state == OPEN and case.key == key:
                    for spot in _spots(self._against[case.rule.name], case):
                        self._held.setdefault(spot, {})[case.alert] = case
                    kept_back.append((case, by))
            elif key in self._told or any(k == key for _, k, _ in raised):
                resolved.append((key, rank))
        if not raised and not resolved:
            return [], kept_back
        group.count += 1
        command = self._letter(group, [(k, r) for _, k, r in raised], resolved)
        group.sent_s, group.last_key = t_s, command.key
        out: list[Command] = [command]
        for case, key, _ in raised:
            told = self._told.setdefault(key, (case, {}))[1]
            told[group.to] = command.key
            if case.key == key and case.state == OPEN:
                self._schedule(t_s, case, 0)
        for key, rank in resolved:
            told = self._told.pop(key)[1]
            out += [
                Notify(
                    f"notify/{key}/cancel/{to}", to, group.name, SEVERITIES[rank], (), (f"raise/{key}",), ref, 0, "over"
                )
                for to, ref in told.items()
                if to != group.to
            ]
        return out, kept_back

    def _letter(self, group: _Group, raised: list[tuple[str, int]], resolved: list[tuple[str, int]]) -> Notify:
        rank = max(r for _, r in raised + resolved)
        text = f"{len(raised)} raised, {len(resolved)} resolved"
        return Notify(
            f"notify/{group.name}/{group.count}", group.to, group.name, SEVERITIES[rank],
            tuple(f"raise/{k}" for k, _ in raised), tuple(f"raise/{k}" for k, _ in resolved), group.last_key, 0, text,
        )  # fmt: skip

    # -- escalation ----------------------------------------------------------------------------------

    def _schedule(self, t_s: int, case: Case, level: int) -> None:
        steps = case.rule.notice.escalate
        if level < len(steps) and not case.acknowledged:
            self._agenda.set(t_s + steps[level].after_s, Due(f"escalate/{level}", case.alert, case.episode))

    def escalate(self, t_s: int, case: Case, level: int) -> list[Command]:
        """Nobody acknowledged: tell the next; the caller has checked that the episode still runs."""
        told = self._told.get(case.key)
        if case.acknowledged or told is None:
            return []
        if self.inhibited(case):
            self._schedule(t_s, case, level)
            return []
        step = case.rule.notice.escalate[level]
        refers_to = list(told[1].values())[-1]
        key = f"notify/{case.key}/level/{level + 1}"
        told[1][step.to] = key
        self._schedule(t_s, case, level + 1)
        text = f"nobody acknowledged for {step.after_s} s"
        return [Notify(key, step.to, case.alert, case.rule.severity, (case.raise_key,), (), refers_to, level + 1, text)]


def _spots(rules: Sequence[Inhibition], case: Case) -> list[tuple[Inhibition, tuple[str, ...]]]:
    """Return where an alert stands in each inhibition: its values of the labels that must be equal, none missing."""
    found = [(h, tuple(case.labels.get(name, "") for name in h.equal)) for h in rules]
    return [(h, values) for h, values in found if all(values)]
