"""The promises about services, companies, construction; :mod:`scenarios.bench.promises` runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from scenarios.bench.base import Promise

if TYPE_CHECKING:
    from scenarios.assistant_study import Score

SERVICES: tuple[Promise, ...] = (
    Promise("cases", "31,300 service cases over their months, the whole catalogue, one core", "s", 60, 30),
    Promise("policies", "100,000 companies matched with 50 policies, compiled decision tables", "s", 30, 5),
    Promise("offices_added", "24 h with services, assistant, companies and sites − the same without", "s", 20, 10),
    Promise("assistant_ms", "a question to the service assistant, its test half, mean processor time", "ms", 20, 5),
    Promise("assistant_wrong", "100 − accuracy at 3 of the service assistant on its test half", "%", 10, 5),
)


#: everything of services, companies and construction; the assistant is part of the first
OFFICES = ("services={}", "companies={}", "construction={}")


class Runs(Protocol):
    """What these promises need of the bench."""

    def run(self, name: str, scenario: str, *sets: str) -> dict[str, Any]:
        """Run a scenario once in a process of its own; see the bench."""


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

    def policies(self) -> tuple[float, str]:
        """Processor time of matching a register of 100,000 companies with all shipped policies, once."""
        from scenarios.bench.policies import measure

        row = measure(100_000)
        said = f"{row['fits']:,.0f} of {row['pairs']:,.0f} pairs fit; zen would take {row['zen_s']:.0f} s"
        return row["cpu_s"], said

    def offices_added(self: Runs) -> tuple[float, str]:
        """Processor time of a day with everything of services, companies and construction − the same day without.

        The least of two turns each, taken by turns: what else runs on a machine only ever adds.
        """
        plain, more = [], []
        for turn in ("", "-again"):
            plain.append(self.run(f"weekday{turn}", "weekday"))
            more.append(self.run(f"offices{turn}", "weekday", *OFFICES))
        cpu, wall = (min(r[k] for r in more) - min(r[k] for r in plain) for k in ("cpu_s", "wall_s"))
        took = " ".join(f"{m['cpu_s']:.1f}/{p['cpu_s']:.1f}" for m, p in zip(more, plain, strict=True))
        return cpu, f"processor time {took} s; wall {wall:+.1f} s"

    def assistant_ms(self) -> tuple[float, str]:
        """Processor time of a question of the test half, the mean; the index is built before."""
        score = _asked()
        return score.ms, f"{score.questions} questions, the slowest {score.ms_most:.1f} ms"

    def assistant_wrong(self) -> tuple[float, str]:
        """Questions with an answer of which none of the three pages shown is right, or that were handed over."""
        score = _asked()
        said = f"at 1 {score.at_1:.1%}, handed over {score.handed_over:.1%}; of those for a person {score.caught:.1%}"
        return 100 * (1 - score.at_3), said


def _asked() -> Score:
    from scenarios.assistant_study import TEST, measure, questions, shipped

    return measure(shipped(), questions(TEST))
