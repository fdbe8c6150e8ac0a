"""The promises about junctions, and how each is measured; the bench of :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from typing import Any, Protocol

from scenarios.bench.base import Promise

JUNCTIONS: tuple[Promise, ...] = (
    Promise("junctions_added", "24 h with every junction adaptive ÷ the same without − 1, wall", "%", 15, None),
    Promise("junction_decision", "decision per junction, mean over an adaptive hour of the district", "µs", 50, None),
    Promise("bus_priority", "demo: bus delay at signals with priority − without, mean of 20 seeds", "%", -30, None),
    Promise("bus_priority_cross", "the same for the traffic that crosses them", "%", 3, None),
)
TURNS = 3  # of the day without and with control, in turn


class Runs(Protocol):
    """What these promises need of the bench."""

    def run(self, name: str, scenario: str, *sets: str) -> dict[str, Any]:
        """Run a scenario once in a process of its own; see the bench."""


class OfJunctions:
    """Methods of the bench, one a promise."""

    def junctions_added(self: Runs) -> tuple[float, str]:
        """Wall time of the day with all signals adaptive (grade L2), against the plain day: the least of three turns.

        The turns alternate, and what else runs on a machine only ever adds to a time, so the least is nearest.
        """
        plain, adaptive = [], []
        for turn in range(TURNS):
            plain.append(self.run("weekday" if turn == 0 else f"weekday-{turn}", "weekday")["wall_s"])
            adaptive.append(self.run(f"adaptive_day-{turn}", "weekday", "junctions.policy=adaptive")["wall_s"])
        took = [" ".join(f"{s:.1f}" for s in times) for times in (adaptive, plain)]
        return 100 * (min(adaptive) / min(plain) - 1), f"{took[0]} s against {took[1]} s"

    def junction_decision(self) -> tuple[float, str]:
        """Mean processor time of a decision ÷ junctions, 07:00–08:00 of the district."""
        from scenarios.bench.bus_priority import decision_us

        return decision_us()

    def bus_priority(self) -> tuple[float, str]:
        """Change of the buses' delay over 20 pairs of runs of the demo (20 min of processor time)."""
        from scenarios.bench.bus_priority import measured

        m = measured()
        return m.bus_percent, m.note("bus")

    def bus_priority_cross(self) -> tuple[float, str]:
        """Change of the delay of those who cross, over the same runs."""
        from scenarios.bench.bus_priority import measured

        m = measured()
        return m.cross_percent, m.note("cross")
