"""From slots that fire to alerts: maintenance, joining, confirmation, overload, flapping – and their ends.

An episode that is not raised leaves a :class:`DropAlert` with its reason; nothing gets lost in silence.
"""

from __future__ import annotations

from twin.control.city_brain.alerting.agenda import Agenda, Due
from twin.control.city_brain.alerting.cases import NONE, OPEN, OVER, SHED, WAITING, Case, Spots, Where, column, identity
from twin.control.city_brain.alerting.notices import RAISED, RESOLVED, Notices
from twin.control.city_brain.alerting.rules import Rule, RuleBook
from twin.control.city_brain.tags import Bits, QueryError, parse
from twin.domain.city_brain import (
    Acknowledged,
    AskConfirmation,
    Confirmation,
    DropAlert,
    Maintenance,
    Notify,
    RaiseAlert,
    ResolveAlert,
    UpdateAlert,
)
from twin.domain.commands import Command

#: share of the alerts a minute that each severity may use, so that the lowest are shed first; assumed
SHARES = {"Minor": 0.5, "Moderate": 0.7, "Severe": 0.9, "Extreme": 1.0}
_MINUTE_S = 60


class Desk:
    """Open alerts and those that nearly are; every method takes the second and returns commands."""

    def __init__(self, book: RuleBook, where: Where) -> None:
        self.agenda = Agenda()
        self.notices = Notices(book, self.agenda)
        self.cases: dict[str, Case] = {}
        self._book = book
        self._where = where
        self._value: dict[tuple[str, int], float] = {}  # (rule, channel) → value when it fired
        self._firing: dict[str, dict[int, int]] = {r.name: {} for r in book.rules}  # channel → fired at
        self._lately: dict[str, dict[int, tuple[int, int]]] = {r.name: {} for r in book.rules}
        self._rules = {r.name: r for r in book.rules}
        self._joins = {r.name: Spots(where, r.join.by, r.join.near_m) for r in book.rules if r.join}
        self._sure: dict[str, dict[int, None]] = {r.name: {} for r in book.rules if r.unsure is not None}
        # second sensors, by whom they confirm: (rule, whether it is unsure)
        self._seconds: dict[tuple[str, bool], Spots] = {}
        self._confirms: dict[str, list[tuple[str, bool]]] = {r.name: [] for r in book.rules}
        for r in book.rules:
            for unsure in (False, True) if r.unsure is not None else (False,):
                confirm = r.asks(unsure)
                if confirm is not None and confirm.rule:
                    self._seconds[r.name, unsure] = Spots(where, confirm.by, confirm.near_m)
                    self._confirms[confirm.rule].append((r.name, unsure))
        self._windows: dict[str, tuple[Maintenance, Bits]] = {}
        self._suppressed: dict[tuple[str, int], int] = {}  # (rule, channel) → since_s
        self._of_slot: dict[tuple[str, int], Case] = {}
        self._open_of: dict[str, dict[str, Case]] = {r.name: {} for r in book.rules}
        self._minute = -1
        self._raises = 0
        self._look_again = -1

    # -- slots that fire or stop -----------------------------------------------------------------------

    def fired(self, t_s: int, rule: Rule, channel: int, since_s: int, value: float) -> list[Command]:
        """Take in that a channel's condition held long enough."""
        self._value[rule.name, channel] = value
        window = self._window(t_s, rule, channel)
        if window is not None:
            self._suppressed[rule.name, channel] = since_s
            self.agenda.set(window.until_s, Due("unsuppress", rule.name, channel))
            case = self._case(rule, channel)
            if case.state in (NONE, OVER):
                case.begin()
            return self._drop(case, f"maintenance {window.window}: {window.reason}", channel)
        self._suppressed.pop((rule.name, channel), None)
        self._firing[rule.name][channel] = t_s
        self._lately[rule.name][channel] = (t_s, since_s)
        if rule.join:
            self._joins[rule.name].add(channel)
        for waiting in self._confirms[rule.name]:
            self._seconds[waiting].add(channel)
        out = self._confirmed_by(t_s, rule, channel)
        found = self._joined(t_s, rule, channel) if rule.join else self._case(rule, channel)
        if found is None:
            return out  # fewer than k channels so far
        if rule.join is None or not found.members:
            found.members = {channel: since_s} if rule.join is None else self._members(t_s, rule, channel)
        else:
            found.members[channel] = since_s
        for member in found.members:
            self._of_slot[rule.name, member] = found
        if found.state == OPEN:
            return out + self._update(found, "members", f"{len(found.members)} channels")
        if found.state == WAITING and found.unsure and not self._unsure(found):
            return out + self._consider(t_s, found)
        if found.state in (WAITING, SHED):
            return out
        found.begin()
        self._open_of[rule.name][found.alert] = found
        return out + self._consider(t_s, found)

    def stopped(self, t_s: int, rule: Rule, channel: int, reason: str) -> list[Command]:
        """Take in that a channel's condition is over: cleared, expired, no data."""
        self._sure.get(rule.name, {}).pop(channel, None)
        self._suppressed.pop((rule.name, channel), None)
        self._firing[rule.name].pop(channel, None)
        case = self._of_slot.pop((rule.name, channel), None)
        if case is None:
            return []
        case.members.pop(channel, None)
        if any(c in self._firing[rule.name] for c in case.members):
            return self._update(case, "members", f"{len(case.members)} channels") if case.state == OPEN else []
        for member in case.members:
            self._of_slot.pop((rule.name, member), None)
        case.members = {}
        return self._end(t_s, case, reason)

    def sure(self, t_s: int, rule: Rule, channel: int, value: float) -> list[Command]:
        """Take in that the own condition of a rule holds, whose weaker one brought the channel here."""
        self._sure[rule.name][channel] = None
        self._value[rule.name, channel] = value
        case = self._of_slot.get((rule.name, channel))
        if case is None or case.state in (OPEN, SHED) or (case.state == WAITING and not case.unsure):
            return []
        if case.state != WAITING:  # it was asked about and not confirmed; now there is more to go by
            case.begin()
            self._open_of[rule.name][case.alert] = case
        return self._consider(t_s, case)

    def doubted(self, rule: Rule, channel: int) -> None:
        """Take in that the own condition of a rule holds no more; the weaker one may."""
        self._sure[rule.name].pop(channel, None)

    def _unsure(self, case: Case) -> bool:
        """Whether nothing but the weaker condition of its rule holds for an alert."""
        sure = self._sure.get(case.rule.name)
        return sure is not None and not any(c in sure for c in case.members)

    def heard(self, rule: Rule, channel: int, what: str) -> list[Command]:
        """Take in that a firing channel went silent (unknown) or is heard again (known)."""
        case = self._of_slot.get((rule.name, channel))
        return self._update(case, what, "") if case is not None and case.state == OPEN else []

    # -- what people say -------------------------------------------------------------------------------

    def confirmation(self, t_s: int, told: Confirmation) -> list[Command]:
        """Take the word of a person who looked at it."""
        case = self.cases.get(told.alert)
        if case is None or case.state not in (WAITING, OPEN):
            return []
        if case.state == OPEN:
            if told.confirmed:
                return self._update(case, "confirmed", told.by)
            return self._end(t_s, case, "rejected")
        if told.confirmed:
            return self._admit(t_s, case, told.by)
        case.state = OVER
        return self._drop(case, f"rejected by {told.by}")

    def acknowledged(self, told: Acknowledged) -> list[Command]:
        """Somebody takes it on."""
        case = self.cases.get(told.alert)
        if case is None or case.state != OPEN or case.acknowledged:
            return []
        case.acknowledged = True
        return self._update(case, "acknowledged", told.by)

    def maintenance(self, t_s: int, told: Maintenance) -> list[Command]:
        """Open or change a window; what it covers is looked at again when it ends."""
        try:
            covers = self._where.forest.select(parse(told.query))
        except QueryError as error:  # a window that cannot be read silences nothing, and somebody hears of it
            name = f"maintenance/{told.window}"
            return [Notify(f"notify/{name}/{told.key}", "duty desk", name, "Minor", (), (), "", 0, str(error))]
        self._windows[told.window] = (told, covers)
        self.agenda.set(max(told.until_s, t_s), Due("window", told.window))
        return []

    # -- timers ----------------------------------------------------------------------------------------

    def due(self, t_s: int, due: Due) -> list[Command]:
        """Do what a timer says, if it is still to be done."""
        if due.what == "flush":
            out, kept_back = self.notices.flush(t_s, due.about, due.number)
            for case, by in kept_back:
                case.inhibited = True
                out += self._update(case, "inhibited", by)
            return out
        if due.what == "window":
            return [c for rule, channel in sorted(self._suppressed) for c in self._again(t_s, rule, channel)]
        if due.what == "unsuppress":
            return self._again(t_s, due.about, due.number)
        if due.what == "shed":
            waiting = [c for c in self.cases.values() if c.state == SHED]
            return [x for c in sorted(waiting, key=lambda c: -c.rule.rank) for x in self._admit(t_s, c, "")]
        case = self.cases[due.about]
        return self._due_of(t_s, case, due.what) if case.episode == due.number else []

    def _due_of(self, t_s: int, case: Case, what: str) -> list[Command]:
        """Do what a timer of one episode says."""
        if what in ("confirm", "unsure") and case.state == WAITING and case.unsure == (what == "unsure"):
            confirm = case.rule.asks(case.unsure)
            assert confirm is not None
            if confirm.otherwise == "raise":
                return self._admit(t_s, case, "")
            case.state = OVER
            return self._drop(case, f"not confirmed within {confirm.within_s} s")
        if what == "steady" and case.state == OPEN and case.muted:
            case.muted = case.flapping = False
            self.notices.add(t_s, case, RAISED)
        if what.startswith("escalate/") and case.state == OPEN:
            return self.notices.escalate(t_s, case, int(what.removeprefix("escalate/")))
        return []

    def _again(self, t_s: int, rule: str, channel: int) -> list[Command]:
        """Look again at a channel that was under maintenance."""
        since_s = self._suppressed.get((rule, channel))
        if since_s is None or self._window(t_s, self._rules[rule], channel) is not None:
            return []
        return self.fired(t_s, self._rules[rule], channel, since_s, self._value[rule, channel])

    # -- which alert -----------------------------------------------------------------------------------

    def _window(self, t_s: int, rule: Rule, channel: int) -> Maintenance | None:
        for w, covers in self._windows.values():
            if w.from_s <= t_s < w.until_s and (not w.rules or rule.name in w.rules) and covers[channel]:
                return w
        return None

    def _case(self, rule: Rule, channel: int) -> Case:
        return self._named(rule, self._where.labels(rule, channel), channel)

    def _named(self, rule: Rule, labels: dict[str, str], anchor: int) -> Case:
        alert = identity(rule.name, labels.items())
        return self.cases.setdefault(alert, Case(alert, rule, labels, anchor))

    def _members(self, t_s: int, rule: Rule, channel: int) -> dict[int, int]:
        """Return the channels that fire together with ``channel``: near it in space and time."""
        join = rule.join
        assert join is not None
        lately, spots, found = self._lately[rule.name], self._joins[rule.name], {channel: t_s}
        for c in spots.around(channel):
            at, since_s = lately[c]
            if t_s - at <= join.within_s:
                found[c] = since_s
            elif c not in self._firing[rule.name]:
                spots.forget(c)
        found[channel] = lately[channel][1]
        return dict(sorted(found.items()))

    def _joined(self, t_s: int, rule: Rule, channel: int) -> Case | None:
        """Return the alert that a channel of a joining rule belongs to, or None while it has too few."""
        join = rule.join
        assert join is not None
        if join.by:
            label = self._where.label(channel, join.by)
            case = self._named(rule, {join.by: label, **dict(rule.labels)}, channel) if label else None
            if case is None or case.state in (WAITING, SHED, OPEN):
                return case
        else:
            for neighbour in self._joins[rule.name].around(channel):
                near = self._of_slot.get((rule.name, neighbour))
                if near is not None and near.state in (WAITING, SHED, OPEN):
                    return near
        members = self._members(t_s, rule, channel)
        if len(members) < join.k:
            return None
        if join.by:
            return case
        first = min(members, key=lambda c: (members[c], c))
        return self._named(rule, {"anchor": self._where.label(first, "channel"), **dict(rule.labels)}, first)

    # -- the life of an episode ------------------------------------------------------------------------

    def _consider(self, t_s: int, case: Case) -> list[Command]:
        case.unsure = self._unsure(case)
        confirm = case.rule.asks(case.unsure)
        if confirm is None:
            return self._admit(t_s, case, "")
        if confirm.rule:
            spots = self._seconds[case.rule.name, case.unsure]
            for other in sorted({c for m in case.members for c in spots.around(m) if c != m}):
                at, _ = self._lately[confirm.rule][other]
                if t_s - at <= confirm.within_s or other in self._firing[confirm.rule]:
                    return self._admit(t_s, case, self._where.label(other, "channel"))
        case.state = WAITING
        self.agenda.set(t_s + confirm.within_s, Due("unsure" if case.unsure else "confirm", case.alert, case.episode))
        if not confirm.person or case.asked:
            return []
        case.asked = True
        return [
            AskConfirmation(
                f"ask/{case.key}", case.alert, case.episode, case.rule.severity, column(case.members),
                t_s + confirm.within_s, case.rule.text,
            )
        ]  # fmt: skip

    def _seen(self, case: Case, other: int) -> bool:
        """Whether another channel looks at the same spot as the alert."""
        confirm = case.rule.asks(case.unsure)
        assert confirm is not None
        return any(c != other and self._where.near(c, other, confirm.by, confirm.near_m) for c in case.members)

    def _confirmed_by(self, t_s: int, rule: Rule, channel: int) -> list[Command]:
        """Confirm the alerts that wait for a channel of ``rule`` to fire."""
        out: list[Command] = []
        for name, unsure in self._confirms[rule.name]:
            for case in list(self._open_of[name].values()):
                if case.state == WAITING and case.unsure == unsure and self._seen(case, channel):
                    out += self._admit(t_s, case, self._where.label(channel, "channel"))
        return out

    def _admit(self, t_s: int, case: Case, by: str) -> list[Command]:
        """Raise an alert, unless too many began this minute."""
        minute = t_s // _MINUTE_S
        if minute != self._minute:
            self._minute, self._raises = minute, 0
        limit = self._book.raises_per_min
        if self._raises >= limit * SHARES[case.rule.severity]:
            again, case.state = case.state == SHED, SHED
            if self._look_again != minute + 1:
                self._look_again = minute + 1
                self.agenda.set(self._look_again * _MINUTE_S, Due("shed", "", self._look_again))
            reason = f"overload: {self._raises} alerts began this minute, {limit} are allowed; {case.rule.severity}"
            return [] if again else self._drop(case, reason)
        self._raises += 1
        return self._raise(t_s, case, by)

    def _raise(self, t_s: int, case: Case, by: str) -> list[Command]:
        rule, channels = case.rule, sorted(case.members)
        case.state, case.raised_s = OPEN, t_s
        case.raise_key = case.last_key = f"raise/{case.key}"
        x_m, y_m = self._where.centre(channels)
        out: list[Command] = [
            RaiseAlert(
                case.raise_key, case.alert, case.episode, rule.name, rule.severity,
                tuple(f"{k}={v}" for k, v in sorted(case.labels.items()) if v), min(case.members.values()), t_s,
                self._value[rule.name, channels[0]], self._unit(rule, channels[0]), column(channels), x_m, y_m,
                rule.text,
            )
        ]  # fmt: skip
        if by:
            out += self._update(case, "confirmed", by)
        self.notices.opened(case)
        if rule.flap is not None:
            case.raises_s = [t for t in case.raises_s if t > t_s - rule.flap.within_s] + [t_s]
            if len(case.raises_s) > rule.flap.episodes:
                case.muted, first, case.flapping = case.flapping, not case.flapping, True
                if first:
                    out += self._update(case, "flapping", f"{len(case.raises_s)} in {rule.flap.within_s} s")
            else:
                case.flapping = False
            self.agenda.set(t_s + rule.flap.within_s, Due("steady", case.alert, case.episode))
        if not case.muted:
            self.notices.add(t_s, case, RAISED)
        return out

    def _unit(self, rule: Rule, channel: int) -> str:
        unit = self._where.unit[channel]
        return "s" if rule.kind == "silent" else f"{unit}/min" if rule.kind in ("rise", "fall") else unit

    def _end(self, t_s: int, case: Case, reason: str) -> list[Command]:
        was, case.state = case.state, OVER
        self._open_of[case.rule.name].pop(case.alert, None)
        if was == WAITING:
            return self._drop(case, f"{reason} before it was confirmed")
        if was != OPEN:
            return []
        out: list[Command] = [ResolveAlert(f"resolve/{case.key}", case.alert, case.episode, case.last_key, reason, t_s)]
        case.last_key = out[0].key
        if not case.muted:
            self.notices.add(t_s, case, RESOLVED)
        for free in self.notices.closed(case):
            free.inhibited = False
            out += self._update(free, "released", case.alert)
            self.notices.add(t_s, free, RAISED)
        return out

    def _update(self, case: Case, what: str, detail: str) -> list[Command]:
        case.updates += 1
        key = f"update/{case.key}/{case.updates}"
        refers_to, case.last_key = case.last_key, key
        return [UpdateAlert(key, case.alert, case.episode, refers_to, what, detail, column(case.members))]

    def _drop(self, case: Case, reason: str, channel: int = -1) -> list[Command]:
        """Say that an episode is not raised: where its channels are, else ``channel``, else where it was first seen."""
        rows = sorted(case.members) or [channel if channel >= 0 else case.anchor]
        x_m, y_m = self._where.centre(rows)
        key = f"drop/{case.key}/{reason.partition(':')[0]}"
        return [DropAlert(key, case.alert, case.episode, case.rule.severity, reason, x_m, y_m)]
