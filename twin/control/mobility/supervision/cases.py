"""The case files of the platform: what a unit broke, what was done about it, and the commands that follow."""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.control.mobility.supervision.ports import DO, Breach, CaseView, Ladder, Level, Step
from twin.control.mobility.supervision.rules import LASTING, Finding
from twin.domain.commands import Command
from twin.domain.supervision import CloseCase, ReleaseUnit, ReportViolation, SlowUnit, StopUnit, WarnUnit

RECENT_S = 3600
#: a stop is ordered again when the unit is seen driving this long after it: the order may not have got through
REPEAT_S = 60
_ENDS = (*LASTING, "silence")


@dataclass
class _Breach:
    serial: int
    violation: str
    since_s: int
    found_s: int
    ongoing: bool
    warned: bool = False


@dataclass
class _Case:
    unit: int
    name: str
    level: Level = "opened"
    level_s: int = 0
    quiet_from_s: int = 0
    slowed: bool = False
    breaches: list[_Breach] = field(default_factory=list)
    news: int = 0
    orders: int = 0
    stopped: bool = False


class Cases:
    """Open case files, one per unit at most; findings in, commands out."""

    def __init__(self, policy: Ladder) -> None:
        self._policy = policy
        self._open: dict[int, _Case] = {}
        self._count: dict[int, int] = {}
        self._recent: dict[int, list[int]] = {}

    @property
    def any(self) -> bool:
        """Whether a case is open."""
        return bool(self._open)

    def note(self, found: Finding, now_s: int) -> list[Command]:
        """Enter a finding; a new violation is reported at once."""
        case = self._open.get(found.unit)
        if not found.begins:
            for breach in case.breaches if case is not None else ():
                if breach.ongoing and breach.violation == found.violation:
                    breach.ongoing = False
            if case is not None:
                case.quiet_from_s = now_s
            return []
        if case is None:
            serial = self._count[found.unit] = self._count.get(found.unit, 0) + 1
            case = _Case(found.unit, f"case/{found.unit}/{serial}", level_s=now_s)
            self._open[found.unit] = case
        breach = _Breach(len(case.breaches) + 1, found.violation, found.since_s, now_s, found.violation in _ENDS)
        case.breaches.append(breach)
        case.quiet_from_s = now_s
        case.news += 1
        self._recent.setdefault(found.unit, []).append(now_s)
        key = f"report/{case.name}/{breach.serial}"
        return [ReportViolation(key, found.unit, found.violation, found.since_s, case.name)]

    def go_on(self, now_s: int, limit_m_s: dict[int, float], moving: dict[int, bool]) -> list[Command]:
        """Ask the policy about every open case and return what follows."""
        out: list[Command] = []
        for unit in sorted(self._open):
            case = self._open[unit]
            for _ in range(len(DO)):  # a warning may be followed by a stop in the same second, and so on
                step = self._policy.step(self._view(case, now_s, limit_m_s[unit]))
                more = self._carry_out(case, step, now_s, limit_m_s[unit])
                out += more
                if not more or unit not in self._open:
                    break
            if case.stopped and moving[unit] and now_s - case.level_s >= REPEAT_S and unit in self._open:
                case.level_s = now_s
                out.append(self._stop(case))
        return out

    def units(self) -> list[int]:
        """Return the units with an open case."""
        return sorted(self._open)

    # -- pieces ---------------------------------------------------------------------------------------------

    def _view(self, case: _Case, now_s: int, limit_m_s: float) -> CaseView:
        recent = self._recent[case.unit] = [t for t in self._recent[case.unit] if now_s - t < RECENT_S]
        ongoing = any(b.ongoing for b in case.breaches)
        return CaseView(
            unit=case.unit,
            case=case.name,
            now_s=now_s,
            level=case.level,
            level_s=case.level_s,
            breaches=tuple(Breach(b.violation, b.since_s, b.found_s, b.ongoing) for b in case.breaches),
            unwarned=sum(not b.warned for b in case.breaches),
            recent=len(recent),
            news=case.news,
            quiet_s=0 if ongoing else now_s - case.quiet_from_s,
            limit_m_s=limit_m_s,
        )

    def _carry_out(self, case: _Case, step: Step, now_s: int, limit_m_s: float) -> list[Command]:
        if step.do not in DO:
            raise ValueError(f"the policy said '{step.do}' about {case.name}; allowed: {', '.join(DO)}")
        if step.do == "warn":
            return self._warn(case, now_s)
        if step.do == "slow":
            return self._slow(case, step.speed_m_s, now_s, limit_m_s)
        if step.do == "stop" and case.level != "stopped":
            self._reach(case, "stopped", now_s)
            case.stopped = True
            return [self._stop(case)]
        if step.do == "release" and case.level == "stopped":
            self._reach(case, "released", now_s)
            case.stopped = False
            return [ReleaseUnit(self._key("release", case), case.unit, case.name)]
        if step.do == "close":
            return self._close(case)
        return []

    def _reach(self, case: _Case, level: Level, now_s: int) -> None:
        case.level, case.level_s, case.news = level, now_s, 0

    def _key(self, what: str, case: _Case) -> str:
        case.orders += 1
        return f"{what}/{case.name}/{case.orders}"

    def _warn(self, case: _Case, now_s: int) -> list[Command]:
        new = [b for b in case.breaches if not b.warned]
        for breach in new:
            breach.warned = True
        if not new:
            return []
        if case.level == "opened":
            case.level = "warned"
        case.level_s = now_s
        words = list(dict.fromkeys(b.violation for b in new))
        return [WarnUnit(self._key("warn", case), case.unit, word, case.name) for word in words]

    def _slow(self, case: _Case, speed_m_s: float, now_s: int, limit_m_s: float) -> list[Command]:
        if not 0 < speed_m_s < float("inf"):
            raise ValueError(
                f"the policy slows {case.name} to {speed_m_s} m/s; allowed: above 0, finite (its limit: {limit_m_s})"
            )
        if case.level in ("slowed", "stopped"):
            return []
        self._reach(case, "slowed", now_s)
        case.slowed = True
        return [SlowUnit(self._key("slow", case), case.unit, float(speed_m_s), case.name)]

    def _stop(self, case: _Case) -> Command:
        going = [b.violation for b in case.breaches if b.ongoing]
        return StopUnit(self._key("stop", case), case.unit, (going or [case.breaches[-1].violation])[-1], case.name)

    def _close(self, case: _Case) -> list[Command]:
        out: list[Command] = []
        if case.stopped:
            out.append(ReleaseUnit(self._key("release", case), case.unit, case.name))
        if case.slowed:
            out.append(SlowUnit(self._key("slow", case), case.unit, -1.0, case.name))
        outcome = "checked by a person" if case.level == "released" else "kept the rules again"
        if case.breaches[-1].violation == "silence" and case.level == "warned":
            outcome = "heard again"
        out.append(CloseCase(self._key("close", case), case.unit, case.name, outcome))
        del self._open[case.unit]
        return out
