"""Ladders of escalation. All times and counts are assumed: the published rules (F26) name the steps, not the clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.control.mobility.supervision.ports import CaseView, Step

#: how long a unit may go on after the last step before the next one, in s. Speeding is slowed first; whoever is where
#: or when it may not be cannot be helped by driving slower, so it is stopped; hours that end on the way leave time
#: to get home.
PATIENCE_S: dict[str, int] = {
    "speeding": 60,
    "out of area": 60,
    "no permit": 120,
    "out of hours": 900,
}


@dataclass(frozen=True)
class WarnSlowStop:
    """Warn at once; slow who keeps speeding; stop who does not listen or offends too often; release after a check.

    A unit that was released may take ``return_s`` to get back to where it may be. Silence is only reported and
    warned of: a unit that does not hear cannot be stopped from afar.
    """

    patience_s: dict[str, int] = field(default_factory=lambda: dict(PATIENCE_S))
    slow_share: float = 0.6
    often: int = 5
    check_s: int = 600
    close_s: int = 120
    return_s: int = 1800

    def step(self, case: CaseView) -> Step:
        """Say what to do about a case now."""
        if case.level == "stopped":
            return Step("release" if case.now_s - case.level_s >= self.check_s else "wait")
        if case.unwarned:
            return Step("warn")
        if case.recent >= self.often and case.news:
            return Step("stop")
        return self._later(case)

    def _later(self, case: CaseView) -> Step:
        """Say what to do about a unit that knows what it does wrong."""
        since_s = case.now_s - case.level_s
        waiting = [b for b in case.breaches if b.ongoing and b.violation in self.patience_s]
        if not waiting:
            over = case.quiet_s >= self.close_s and not any(b.ongoing for b in case.breaches)
            return Step("close" if over else "wait")
        patience = min(self.patience_s[b.violation] for b in waiting)
        if case.level == "released":
            patience = self.return_s
        if since_s < patience:
            return Step("wait")
        if case.level == "warned" and all(b.violation == "speeding" for b in waiting):
            return Step("slow", self.slow_share * case.limit_m_s)
        return Step("stop")


@dataclass(frozen=True)
class WarnOnly:
    """Warn, and never touch a vehicle: what a platform without the right to intervene could do (baseline)."""

    close_s: int = 120

    def step(self, case: CaseView) -> Step:
        """Say what to do about a case now."""
        if case.unwarned:
            return Step("warn")
        over = case.quiet_s >= self.close_s and not any(b.ongoing for b in case.breaches)
        return Step("close" if over else "wait")
