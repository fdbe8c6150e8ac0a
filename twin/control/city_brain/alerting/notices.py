"""Who is told what and when: inhibition, then grouping, then escalation until somebody acknowledges.

Every message refers to the one before it that it changes. Messages are gathered in groups, but each episode that
began or ended in the meantime is named in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.control.city_brain.alerting.agenda import Agenda, Due
from twin.control.city_brain.alerting.cases import OPEN, Case
from twin.control.city_brain.alerting.rules import RuleBook
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
        self._sources: dict[str, dict[str, Case]] = {h.source: {} for h in book.inhibitions}
        self._against = {
            r.name: [(h.source, h.equal) for h in book.inhibitions if r.name in h.targets] for r in book.rules
        }
        self._targets = {
            r.name: [(t, h.equal) for h in book.inhibitions if h.source == r.name for t in h.targets]
            for r in book.rules
        }
        self._held: dict[str, dict[str, Case]] = {}  # rule → alerts that are inhibited now
        self._told: dict[str, tuple[Case, dict[str, str]]] = {}  # episode → who was told of it

    # -- inhibition ----------------------------------------------------------------------------------

    def opened(self, case: Case) -> None:
        """Let an open alert inhibit from now on."""
        if case.rule.name in self._sources:
            self._sources[case.rule.name][case.alert] = case

    def closed(self, case: Case) -> list[Case]:
        """End an alert; return the alerts that it alone kept from being told."""
        self._held.get(case.rule.name, {}).pop(case.alert, None)
        if self._sources.get(case.rule.name, {}).pop(case.alert, None) is None:
            return []
        free: list[Case] = []
        for target, _ in self._targets[case.rule.name]:
            for held in list(self._held.get(target, {}).values()):
                if not self.inhibited(held):
                    del self._held[target][held.alert]
                    free.append(held)
        return free

    def inhibited(self, case: Case) -> str:
        """Return the alert that inhibits this one, or nothing."""
        for source, equal in self._against[case.rule.name]:
            for other in self._sources[source].values():
                if other is not case and all(
                    case.labels.get(n) and case.labels.get(n) == other.labels.get(n) for n in equal
                ):
                    return other.alert
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
                    self._held.setdefault(case.rule.name, {})[case.alert] = case
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
