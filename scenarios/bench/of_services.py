"""The promises about services, companies, construction; :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from scenarios.bench.base import Promise

SERVICES: tuple[Promise, ...] = (
    Promise("cases", "31,300 service cases over their months, the whole catalogue, one core", "s", 60, 30),
)


class OfServices:
    """Methods of the bench, one a promise."""

    def cases(self) -> tuple[float, str]:
        """Processor time of months of cases in today's office: desk, officers, applicants, log."""
        import time

        from twin.world.offices.months import Months, run

        began = time.process_time()
        ran = run(Months(matters=31_300), seed=1)
        took = time.process_time() - began
        cases = ran.log.table("CaseFiled", ["t_s"]).num_rows
        return took, f"{cases:,} cases in {ran.end_s / 86_400:.0f} days, {ran.calls:,} calls of the desk"
