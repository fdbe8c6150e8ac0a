"""What asking the service assistant beforehand changes: today's office with it, and the same office without.

The same people with the same papers (common random numbers), so the difference of a seed is the assistant's doing and
nothing else's. ``python -m scenarios.assistant_effect [--seeds N] [--share S] [--matters M]`` prints the paired mean
differences with their 95 % intervals (Student's t).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.kpis import by_name
from scenarios.reform import interval
from twin.world.offices.months import Months, run

#: what is compared: share of cases returned, further visits for it, days from need to result
MEASURES = ("service_returned_share", "service_wasted_trips", "service_matter_days")
QUALITY = ("assistant_asked", "assistant_right_first", "assistant_handed_over")


@dataclass(frozen=True)
class Effect:
    """One measure over seeds: means without and with, and the mean difference with its interval."""

    measure: str
    without: float
    with_it: float
    difference: float
    low: float
    high: float


def effects(seeds: Sequence[int], share: float, matters: int) -> tuple[list[Effect], dict[str, float]]:
    """Return the effects over ``seeds``, and how the assistant answered (means); ``share``: of matters asked about."""
    off = [run(Months(matters=matters), s).log for s in seeds]
    on = [run(Months(matters=matters, consult=share), s).log for s in seeds]
    out = []
    for name in MEASURES:
        kpi = by_name(name)
        a, b = [float(kpi(log) or 0.0) for log in off], [float(kpi(log) or 0.0) for log in on]
        mean, low, high = interval([y - x for x, y in zip(a, b, strict=True)])
        out.append(Effect(name, sum(a) / len(a), sum(b) / len(b), mean, low, high))
    quality = {name: sum(float(by_name(name)(log) or 0.0) for log in on) / len(on) for name in QUALITY}
    return out, quality


def main(args: Sequence[str] | None = None) -> int:
    """Print the effects."""
    parser = argparse.ArgumentParser("python -m scenarios.assistant_effect", description="The assistant, on and off.")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--share", type=float, default=0.3, help="of the matters that are asked about (default 0.3)")
    parser.add_argument("--matters", type=int, default=1_000)
    asked = parser.parse_args(args)
    if asked.seeds < 1 or asked.matters < 1 or not 0 < asked.share <= 1:
        parser.error("--seeds and --matters: 1 or more; --share: above 0, up to 1")
    found, quality = effects(range(1, asked.seeds + 1), asked.share, asked.matters)
    print("  ".join(f"{name} {value:.1f}" for name, value in quality.items()))
    for e in found:
        print(
            f"{e.measure:<24} off {e.without:7.2f}   on {e.with_it:7.2f}   difference {e.difference:+.2f}"
            f" [{e.low:+.2f}, {e.high:+.2f}] over {asked.seeds} seeds"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
