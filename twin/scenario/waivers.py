"""Waivers: properties that a scenario is expected to break, each with the reason why.

A waiver is what verification calls one: a known deviation from a demand, with its justification. It changes nothing in
a run; ``twin check`` reads it (:mod:`scenarios.checks.waivers`), for only there the names of properties are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.scenario.parts import Part, key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.scenario.systems import Problem


class Waiver(Part):
    """One property that is expected not to hold."""

    property: str = key(
        "name of the property, as 'twin check' writes it", 'a name such as "targets are watched"', pattern=r"\S"
    )
    because: str = key(
        "why it is broken on purpose", "a reason in words, at most 300 characters", pattern=r"\S", max_length=300
    )


def disagreements(waived: Sequence[Waiver]) -> list[Problem]:
    """Return (key path, rest of the sentence) for every property that is waived twice."""
    names = [w.property for w in waived]
    return [
        (("waived", i, "property"), f'is "{name}", as waived[{names.index(name)}] says already; one reason is enough')
        for i, name in enumerate(names)
        if names.index(name) < i
    ]
