"""Small rules of the desk, each of which can be read alone: no-shows, and when a unit charges."""

from __future__ import annotations

from dataclasses import dataclass

from twin.control.mobility.delivery.ports import Missed


@dataclass(frozen=True)
class LockerAfterTwo:
    """What couriers in China do with parcels nobody takes (assumed from practice): try again, then the locker.

    * nobody there, fewer than ``max_attempts`` failed: come by again on this tour if that can be;
    * else the nearest locker, if one with room is near enough and within reach;
    * else back to the depot: out again on another tour, or given up when ``max_attempts`` failed.

    A locker that is full counts as no attempt: the next locker, or the depot.
    """

    def after(self, missed: Missed) -> str:
        """Return "again", "locker" or "depot"."""
        if missed.again and missed.attempts < missed.max_attempts:
            return "again"
        return "locker" if missed.locker else "depot"


@dataclass(frozen=True)
class Charging:
    """When an idle unit at its depot charges, and up to where (all states of charge 0..1; shares assumed).

    It must when less than ``low`` above its reserve is left, or when its charge did not suffice for what it was to
    bring: up to ``full`` (fast charging slows down above). Else it may, as the policy has no use for it now, in steps
    of ``step``, so that it is soon free again.
    """

    low: float = 0.15
    full: float = 0.9
    step: float = 0.1

    def target(self, charge: float, reserve: float, short: bool) -> float:
        """Return the state of charge to charge to; 0 when it shall not charge. ``short``: it did not suffice."""
        if short or charge < reserve + self.low:
            return self.full if charge < self.full - 0.02 else 0.0
        return min(self.full, charge + self.step) if charge <= self.full - self.step / 2 else 0.0
