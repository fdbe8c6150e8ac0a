"""Fitting the two parameters of the reform study to F36, and what the assumed ones do to F36 and F37.

``python -m scenarios.reform --calibrate`` and ``--sensitivity`` call it; see docs/services.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from scenarios.reform import (
    FIT_SEEDS,
    MATTERS,
    TARGETS_OF_CONVERSION,
    TARGETS_OF_REFORM,
    change,
    compare,
    conversions,
    office,
)  # fmt: skip
from twin.control.services.catalogue.generate import generated
from twin.control.services.levers import BEFORE, TODAY, Levers
from twin.control.services.plans import Plans, cores
from twin.dice import Dice
from twin.world.offices.demand import Wants, months
from twin.world.offices.people import empty
from twin.world.offices.settings import Behaviour, Demand
from twin.world.offices.truth import Truth


def _root(f: Callable[[float], float], low: float, high: float, steps: int) -> float:
    """Return where a rising or falling function crosses 0, by regula falsi (Illinois)."""
    a, b, fa, fb = low, high, f(low), f(high)
    if fa * fb > 0:
        raise ValueError(f"the target is out of reach between {low} ({fa:+.1f}) and {high} ({fb:+.1f})")
    side = 0
    x = a
    for _ in range(steps):
        x = (a * fb - b * fa) / (fb - fa)
        fx = f(x)
        if abs(fx) < 0.05:
            break
        if fx * fb > 0:
            b, fb = x, fx
            fa = fa / 2 if side == -1 else fa
            side = -1
        else:
            a, fa = x, fx
            fb = fb / 2 if side == 1 else fb
            side = 1
    return x


def drawn_materials(levers: Levers, seed: int, behaviour: Behaviour, matters: int = MATTERS) -> float:
    """Return the mean number of materials handed in for a matter; no time passes and nobody gives up."""
    catalogue, dice, demand = generated(), Dice(seed), Demand()
    truth = Truth(dice, catalogue, Plans(cores(catalogue), levers), levers, behaviour)
    wants = Wants(catalogue, dice, demand)
    drawn = months(matters, empty(0).calendars[0], wants, dice, demand, behaviour.travel_min)
    truth.draw(drawn)
    return float(np.mean([sum(a.handed_in for a in m.cases) for m in drawn]))


def calibrate(seeds: Sequence[int] = FIT_SEEDS, matters: int = 1_500, steps: int = 4) -> Behaviour:
    """Fit ``reuse_hit`` to the materials, then ``circulate`` to the time of F36; nothing else is fitted."""

    def materials(hit: float) -> float:
        b = replace(Behaviour(), reuse_hit=hit)
        pairs = [(drawn_materials(BEFORE, s, b), drawn_materials(TODAY, s, b)) for s in seeds]
        return float(np.mean([100.0 * (y / x - 1.0) for x, y in pairs])) - TARGETS_OF_REFORM[1].change

    hit = _root(materials, 0.2, 0.5, 6)

    def time(share: float) -> float:
        b = replace(Behaviour(), reuse_hit=hit, circulate=share)
        pairs = [(office(BEFORE, s, b, matters), office(TODAY, s, b, matters)) for s in seeds]
        return float(np.mean([change(x, y, "time") for x, y in pairs])) - TARGETS_OF_REFORM[0].change

    return replace(Behaviour(), reuse_hit=hit, circulate=_root(time, 0.36, 0.46, steps))


#: assumed parameters, moved by a half and by half as much again
ASSUMED = (
    "flaw", "late_flaw", "precheck_catches", "errand_days", "prepare_days", "travel_min", "circulate_sigma",
    "work_sigma", "refuse", "post_days",
)  # fmt: skip


def sensitivity(seeds: Sequence[int], behaviour: Behaviour | None = None) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the changes of F36 and F37 (time, materials) with each assumed parameter × 0.5 and × 1.5, others kept."""
    b = behaviour or Behaviour()
    out: dict[str, dict[str, tuple[float, float]]] = {}
    for name in ASSUMED:
        varied = [
            replace(b, **{name: min(getattr(b, name) * f, 0.95 if name.endswith("catches") else 1e9)})
            for f in (0.5, 1.5)
        ]
        rows = [compare(TARGETS_OF_REFORM, office, seeds, v) for v in varied]
        far = [compare(TARGETS_OF_CONVERSION, conversions, seeds, v) for v in varied]
        out[name] = {
            "F36 time": (rows[0][0].value, rows[1][0].value),
            "F36 materials": (rows[0][1].value, rows[1][1].value),
            "F37 time": (far[0][2].value, far[1][2].value),
            "F37 materials": (far[0][1].value, far[1][1].value),
        }
    return out
