"""What a city writes down: rules, who is told, what silences what. Frozen data; files are read elsewhere.

A rule looks at each channel of its query alone. Its *condition* holds, is clear, or is neither (inside the
hysteresis). The rest says when that becomes an alert and who hears of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from twin.control.city_brain.tags import QueryError, parse
from twin.domain.city_brain import SEVERITIES

Kind = Literal["above", "below", "rise", "fall", "silent"]
Gap = Literal["hold", "unknown", "reset"]
KINDS: tuple[Kind, ...] = ("above", "below", "rise", "fall", "silent")
GAPS: tuple[Gap, ...] = ("hold", "unknown", "reset")
#: labels that the alert of one channel carries
CHANNEL_LABELS = ("channel", "kind", "place", "grid")
NEVER_S = 1 << 60


@dataclass(frozen=True)
class Join:
    """One alert for ``k`` channels of a rule that fire within ``within_s`` of each other.

    They share the label ``by`` (place or grid), or lie within ``near_m`` of each other (``by`` empty). With ``k`` 1 the
    first raises it, and those that fire near it while it is open belong to it.
    """

    k: int
    within_s: int
    by: str = ""
    near_m: float = 0.0


@dataclass(frozen=True)
class Confirm:
    """An alert is raised only once it is confirmed (F10): by ``rule`` firing for another channel, or a person.

    The other channel shares the label ``by``, or lies within ``near_m``. After ``within_s`` the alert is raised all
    the same, or dropped.
    """

    within_s: int
    rule: str = ""
    by: str = ""
    near_m: float = 0.0
    person: bool = False
    otherwise: Literal["raise", "drop"] = "drop"


@dataclass(frozen=True)
class Unsure:
    """A weaker form of a rule's condition: it raises nothing by itself, it asks (F10, 人防+技防).

    ``level``, ``clear``, ``k`` and ``n`` as in the rule, and never stricter. What holds only this becomes an alert when
    ``confirm`` says so – a second sensor, a person –, and is dropped otherwise; should the rule's own condition come to
    hold meanwhile, it goes on as that.
    """

    level: float
    clear: float
    k: int
    n: int
    confirm: Confirm


@dataclass(frozen=True)
class Flap:
    """More than ``episodes`` within ``within_s`` is flapping: recorded, but only the first of them is notified."""

    episodes: int
    within_s: int


@dataclass(frozen=True)
class Step:
    """Nobody acknowledged for ``after_s`` since the last step: tell ``to``."""

    after_s: int
    to: str


@dataclass(frozen=True)
class Notice:
    """Who is told first.

    Alerts equal in ``group_by`` share messages, the first after ``wait_s``, then one each ``interval_s`` at most.
    """

    to: str = "duty desk"
    group_by: tuple[str, ...] = ()
    wait_s: int = 0
    interval_s: int = 300
    escalate: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule. ``level`` in the unit of the channels; for ``rise``/``fall`` per minute; unused for ``silent``.

    ``kind`` above: value > level holds, value ≤ ``clear`` is clear; below: mirrored; rise/fall: the same of the rate
    of change between two readings. silent: no usable reading for ``stale_s``.
    ``k`` of the last ``n`` readings must hold. ``hold_s``: fires at the first second at which it has held so long;
    ``clear_s``: ends at the first at which it has been clear so long. ``stale_s``: silence after which the channel
    is unknown (0: three periods). ``gap``: what silence does – hold: the last value goes on to count, but recovery
    does not; unknown: times stand still; reset: begin again. ``late_s``: how late readings may come (watermark).
    ``expire_s``: ends when it did not hold again for so long (0: never).
    """

    name: str
    query: str
    kind: Kind
    level: float = 0.0
    clear: float = 0.0
    k: int = 1
    n: int = 1
    hold_s: int = 0
    clear_s: int = 0
    stale_s: int = 0
    gap: Gap = "unknown"
    late_s: int = 10
    expire_s: int = 0
    severity: str = "Moderate"
    text: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    join: Join | None = None
    confirm: Confirm | None = None
    flap: Flap | None = None
    notice: Notice = field(default_factory=Notice)
    unsure: Unsure | None = None

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels its alerts carry."""
        own = tuple(name for name, _ in self.labels)
        if self.join is None:
            return (*CHANNEL_LABELS, *own)
        return (self.join.by or "anchor", *own)

    @property
    def rank(self) -> int:
        """Severity as a number, 0 = Minor."""
        return SEVERITIES.index(self.severity)

    @property
    def weaker(self) -> Rule | None:
        """The rule with its weaker condition in the place of its own, under the same name; None: it has none."""
        u = self.unsure
        return None if u is None else replace(self, level=u.level, clear=u.clear, k=u.k, n=u.n, hold_s=0, unsure=None)

    def asks(self, unsure: bool) -> Confirm | None:
        """Return who confirms what holds the rule's own condition, or only the weaker one."""
        return self.unsure.confirm if unsure and self.unsure is not None else self.confirm


@dataclass(frozen=True)
class Inhibition:
    """While an alert of rule ``source`` is open, alerts of ``targets`` equal in labels ``equal`` are not notified."""

    source: str
    targets: tuple[str, ...]
    equal: tuple[str, ...]


@dataclass(frozen=True)
class RuleBook:
    """All rules of a city; at most ``raises_per_min`` alerts begin in a minute, above that the lowest are shed.

    ``ahead_s``: how far a sensor's clock may run ahead before its readings are refused. ``look_s``: silence, holding
    times and late readings are looked at every so many seconds; when something happened is told to the second.
    """

    rules: tuple[Rule, ...]
    inhibitions: tuple[Inhibition, ...] = ()
    raises_per_min: int = 600
    ahead_s: int = 60
    look_s: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot work; ValueError with one sentence."""
        for problem in problems(self.rules, self.inhibitions):
            raise ValueError(problem[1])


def problems(rules: Sequence[Rule], inhibitions: Sequence[Inhibition]) -> list[tuple[tuple[str, int, str], str]]:
    """Return ((``rules`` or ``inhibit``, index, key), sentence) for all that does not fit together."""
    out: list[tuple[tuple[str, int, str], str]] = []
    by_name = {r.name: r for r in rules}
    for i, r in enumerate(rules):

        def say(key: str, text: str, i: int = i, name: str = r.name) -> None:
            out.append((("rules", i, key), f"rule '{name}': {text}"))

        if by_name[r.name] is not r and [q.name for q in rules].index(r.name) != i:
            say("name", "the name is used twice; each rule needs its own")
        try:
            parse(r.query)
        except QueryError as error:
            say("channels", str(error))
        if r.kind in ("above", "rise") and r.clear > r.level:
            say("clear", f"clear is {r.clear:g}; allowed: at most {r.level:g}, where the alert begins")
        if r.kind in ("below", "fall") and r.clear < r.level:
            say("clear", f"clear is {r.clear:g}; allowed: at least {r.level:g}, where the alert begins")
        if not 1 <= r.k <= r.n <= 64:
            say("of_last", f"k is {r.k} and n is {r.n}; allowed: 1 ≤ k ≤ n ≤ 64")
        for key, text in [*_confirm_problems(r, by_name), *(("unsure", text) for text in _unsure_problems(r))]:
            say(key, text)
        for label in r.notice.group_by:
            if label not in r.label_names:
                say("notify", f"group_by has '{label}'; allowed: {', '.join(r.label_names)}")
    for i, h in enumerate(inhibitions):
        out += [(("inhibit", i, key), text) for key, text in _inhibition_problems(h, by_name)]
    return out


def _confirm_problems(r: Rule, by_name: dict[str, Rule]) -> list[tuple[str, str]]:
    """Return (key, sentence) about who confirms."""
    out: list[tuple[str, str]] = []
    for key, confirm in (("confirm", r.confirm), ("unsure", r.asks(unsure=True) if r.unsure else None)):
        if confirm is not None and confirm.rule:
            other = by_name.get(confirm.rule)
            if other is None or other is r:
                out.append((key, f"confirm.rule is '{confirm.rule}'; allowed: the name of another rule"))
        if confirm is not None and not confirm.rule and not confirm.person:
            out.append((key, "confirm names neither a rule nor a person; write 'rule:' or 'person: true'"))
    return out


def _unsure_problems(r: Rule) -> list[str]:
    """Return sentences on a weaker condition: what holds the rule's own one must hold it, too."""
    u = r.unsure
    if u is None:
        return []
    if r.kind == "silent":
        return ["unsure has no meaning for a rule with silent"]
    out: list[str] = []
    sign, side = (-1.0, "least") if r.kind in ("below", "fall") else (1.0, "most")
    for what, weak, own in (("level", u.level, r.level), ("clear", u.clear, r.clear)):
        if sign * weak > sign * own:
            out.append(f"unsure has the {what} {weak:g}; allowed: at {side} {own:g}, as the rule has it")
    if sign * u.clear > sign * u.level:
        out.append(f"unsure is clear at {u.clear:g}; allowed: at {side} {u.level:g}, where it begins")
    if not 1 <= u.k <= r.k or not r.n <= u.n <= 64:
        out.append(f"unsure asks for {u.k} of the last {u.n}; allowed: at most {r.k} of at least {r.n} (up to 64)")
    if (u.level, u.k, u.n) == (r.level, r.k, r.n):
        out.append("unsure is the rule's own condition; give it a weaker one, such as 'of_last: {k: 1, n: 3}'")
    if r.join is not None and r.join.k > 1:
        out.append(f"unsure has no meaning where join wants {r.join.k} channels: they confirm each other")
    return out


def _inhibition_problems(h: Inhibition, by_name: dict[str, Rule]) -> list[tuple[str, str]]:
    """Two missing labels would be equal, so that one alert silences the city: refused."""
    out: list[tuple[str, str]] = []
    if not h.equal:
        out.append(("equal", f"inhibition by '{h.source}': equal is empty; name at least one label, such as grid"))
    for name in (h.source, *h.targets):
        rule = by_name.get(name)
        if rule is None:
            out.append(("source" if name == h.source else "targets", f"inhibition: there is no rule '{name}'"))
            continue
        out += [
            ("equal", f"inhibition by '{h.source}': alerts of '{name}' have no label '{label}';"
             f" allowed: {', '.join(rule.label_names)}")
            for label in h.equal
            if label not in rule.label_names
        ]  # fmt: skip
    source = by_name.get(h.source)
    for name in h.targets:
        target = by_name.get(name)
        if source and target and target.late_s + target.notice.wait_s < source.late_s:
            out.append(
                ("targets", f"inhibition by '{h.source}': '{name}' is told after {target.late_s + target.notice.wait_s}"
                 f" s, before '{h.source}' is known ({source.late_s} s); give it a longer wait")
            )  # fmt: skip
    return out


def to_json(book: RuleBook) -> str:
    """Return a rule book as JSON text, as the message AlertRules carries it."""
    return json.dumps(asdict(book), ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> RuleBook:
    """Return the rule book that :func:`to_json` wrote. Raises ValueError (or TypeError) for anything else."""
    data = json.loads(text)
    rules = tuple(_rule_of(r) for r in data["rules"])
    inhibitions = tuple(Inhibition(h["source"], tuple(h["targets"]), tuple(h["equal"])) for h in data["inhibitions"])
    rest = {k: v for k, v in data.items() if k not in ("rules", "inhibitions")}
    return RuleBook(rules, inhibitions, **rest)


def _rule_of(data: dict[str, Any]) -> Rule:
    notice = data["notice"]
    steps = tuple(Step(**s) for s in notice["escalate"])
    unsure = data["unsure"]
    inner: dict[str, Any] = {
        "labels": tuple((str(k), str(v)) for k, v in data["labels"]),
        "join": Join(**data["join"]) if data["join"] else None,
        "confirm": Confirm(**data["confirm"]) if data["confirm"] else None,
        "unsure": Unsure(**{**unsure, "confirm": Confirm(**unsure["confirm"])}) if unsure else None,
        "flap": Flap(**data["flap"]) if data["flap"] else None,
        "notice": Notice(**{**notice, "group_by": tuple(notice["group_by"]), "escalate": steps}),
    }
    return Rule(**{**data, **inner})
