"""Waivers of a scenario against the properties there are: whose breach is expected, and which waivers are stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from scenarios.checks.model import Outcome, Property
from twin.errors import ScenarioError
from twin.scenario import Scenario
from twin.scenario.mistakes import did_you_mean

if TYPE_CHECKING:
    from scenarios.checks.run import Judged


def reasons(scenario: Scenario, demanded: Iterable[Property]) -> dict[str, str]:
    """Return what a scenario waives: name of a property → why.

    A waiver may name any shipped property or one of those demanded, whether or not this check looks at it.
    ScenarioError where it names none.
    """
    from scenarios.checks.run import shipped

    if not scenario.waived:
        return {}
    known = list(dict.fromkeys(p.name for p in (*demanded, *shipped())))
    for i, waiver in enumerate(scenario.waived):
        if waiver.property not in known:
            raise ScenarioError(
                f'{scenario.mark(("waived", i, "property"))}: waived[{i}].property is "{waiver.property}", but neither '
                f"a shipped property nor one of --properties is called that{did_you_mean(waiver.property, known)}"
            )
    return {w.property: w.because.strip() for w in scenario.waived}


def broken(outcomes: Mapping[str, Outcome], waived: Iterable[str]) -> dict[str, Outcome]:
    """Return the outcomes that count as broken: those that do not hold and are not waived."""
    excused = set(waived)
    return {name: o for name, o in outcomes.items() if o.holds is False and name not in excused}


def told(judged: Judged) -> str:
    """Return what to say of a waived property: the reason, where it is broken and by how much, or that it holds."""
    worst = judged.worst
    margin = ""
    if worst is not None:
        margin = f", margin {worst[1].robustness:.4g} {worst[1].unit}".rstrip()
    if judged.stale:
        n = len(judged.by_seed)
        every = f"all {n} seeds" if n > 1 else "the one seed"
        return (
            f"waived: {judged.waived} – BUT IT HOLDS on {every} ({judged.judged:,} judged{margin}): "
            "the waiver is stale, take it out of the scenario"
        )
    if not judged.broken:
        return f"waived: {judged.waived} (nothing to judge)"
    seeds = f"seed{'s' if len(judged.broken) > 1 else ''} {', '.join(map(str, judged.broken))}"
    return f"waived: {judged.waived} (not held under {seeds}{margin})"
