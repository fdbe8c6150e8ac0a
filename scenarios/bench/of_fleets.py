"""The promises about fleets, and how each is measured; the bench of :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class Runs(Protocol):
    """What these promises need of the bench."""

    def run(self, name: str, scenario: str, *sets: str) -> dict[str, Any]:
        """Run a scenario once in a process of its own; see the bench."""


class OfFleets:
    """Methods of the bench, one a promise."""

    def fleets_added(self: Runs) -> tuple[float, str]:
        """Wall time of a day with all fleets − the same day without, solver time aside."""
        plain, fleets = self.run("weekday", "weekday"), self.run("fleets", "fleets")
        added = fleets["wall_s"] - fleets["solver_s"] - plain["wall_s"]
        note = f"{fleets['wall_s']:.1f} s, of it {fleets['solver_s']:.1f} s solver, against {plain['wall_s']:.1f} s"
        return added, note

    def fleet_decisions(self) -> tuple[float, str]:
        """Share of the decisions that took 1 s or more, 150 robots and 5,000 orders a day."""
        from scenarios.bench.fleets import measure

        row = measure(150)
        return 100 * (1 - row["under_1_s"]), f"{row['decisions']:.0f} decisions, 95 % within {row['p95_s']:.2f} s"

    def fleet_growth(self) -> tuple[float, str]:
        """Cost per decision from 150 robots to 1,500, against n log n (n: robots)."""
        from scenarios.bench.fleets import growth, measure

        rows = [measure(units, hours=1.0) for units in (150, 1_500)]
        return growth(rows)[-1], ", ".join(f"{r['units']:.0f}: {r['mean_cpu_s']:.2f} s a decision" for r in rows)

    def routing(self) -> tuple[float | None, str]:
        """Mean gap of the desk's solver call to plain PyVRP, 10 s an instance."""
        from scenarios.bench.routing import data_folder, routing_gap

        folder = data_folder()
        if folder is None:
            return None, f"not measured: {Path('..') / 'shared' / 'data' / 'routing'} is not there"
        r = routing_gap(folder, 10.0, 12)
        return r["mean_gap_percent"], f"{r['instances']} instances, worst {r['worst_gap_percent']:.2f} %"
