"""The promises about junctions, and how each is measured; the bench of :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from scenarios.bench.base import Promise, in_turns

JUNCTIONS: tuple[Promise, ...] = (
    Promise("junctions_added", "24 h with every junction adaptive ÷ the same without − 1, wall", "%", 15, None),
    Promise("junction_decision", "decision per junction, mean over an adaptive hour of the district", "µs", 50, None),
    Promise("bus_priority", "demo: bus delay at signals with priority − without, mean of 20 seeds", "%", -30, None),
    Promise("bus_priority_cross", "the same for the traffic that crosses them", "%", 3, None),
)
PAIRS = 3  # of days


class Runs(Protocol):
    """What these promises need of the bench."""

    dir: Path
    say: Callable[[str], None]


class OfJunctions:
    """Methods of the bench, one a promise."""

    def junctions_added(self: Runs) -> tuple[float, str]:
        """Wall time of the day with all signals adaptive (grade L2), against the plain day: the mean of some pairs.

        The two days of a pair take turns of 0.3 s. What still differs from pair to pair is luck with memory.
        """
        added, seconds = [], []
        for pair in range(PAIRS):
            self.say(
                f"running weekday without and with junctions.policy=adaptive, in turns, pair {pair + 1} of {PAIRS}"
            )
            jobs: list[dict[str, Any]] = [{"sets": {}}, {"sets": {"junctions.policy": "adaptive"}}]
            for k, job in enumerate(jobs):
                job.update(scenario="weekday", out=str(self.dir / f"junctions-{pair}-{k}"), brief=True)
            (plain, _), (adaptive, _) = in_turns("scenarios.bench.worker", *([json.dumps(j)] for j in jobs))
            added.append(100 * (adaptive / plain - 1))
            seconds.append(f"{adaptive:.1f} ÷ {plain:.1f} s")
        return sum(added) / PAIRS, ", ".join(seconds)

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
