"""How often the procedures are wrong, measured on cheap models: false claims where nothing differs, and power.

A cheap model: the difference of a pair is a draw. Repetitions are rows of arrays; draws come from the named streams.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.stats.paired import half_width
from scenarios.stats.precision import LEAST_N
from scenarios.stats.rare import clopper_pearson, upper
from scenarios.stats.sequential import ALPHA, LOOKS, decide
from twin.dice import Dice

Floats = npt.NDArray[np.float64]
Draw = Callable[[Floats, Floats], Floats]

#: centred shapes of differences by name: from two uniforms
SHAPES: dict[str, Draw] = {
    "normal": lambda u, _: _normal(u),
    "exponential": lambda u, _: -np.log(u) - 1.0,
    "lognormal": lambda u, _: np.exp(_normal(u)) - float(np.exp(0.5)),
    "heavy": lambda u, v: _normal(u) / np.sqrt(-np.log(v)),  # Student's t with 2 degrees of freedom
    "rare": lambda u, v: np.subtract(u < 0.1, v < 0.1, dtype=np.float64),
}


def _normal(u: Floats) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri(u), dtype=np.float64)


def draws(shape: str, repetitions: int, pairs: int, indicators: int = 1, seed: int = 1) -> Floats:
    """Return centred differences (repetitions, pairs, indicators)."""
    stream = Dice(seed).stream(f"stats.error_rates.{shape}")
    n = repetitions * pairs * indicators
    size = (repetitions, pairs, indicators)
    u, v = (np.clip(stream.uniform(np.arange(n), k), 1e-12, 1 - 1e-12).reshape(size) for k in (0, 1))
    return np.asarray(SHAPES[shape](u, v), dtype=np.float64)


@dataclass(frozen=True)
class Rate:
    """A measured share with its exact 95 % interval and one-sided upper bound."""

    hits: int
    n: int

    @property
    def share(self) -> float:
        """Hits ÷ n."""
        return self.hits / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper–Pearson, two-sided 95 %."""
        return clopper_pearson(self.hits, self.n)

    @property
    def upper(self) -> float:
        """Clopper–Pearson, one-sided 95 %."""
        return upper(self.hits, self.n)


def false_claims(
    shape: str = "normal",
    repetitions: int = 4000,
    looks: Sequence[int] = LOOKS,
    indicators: int = 1,
    alpha: float = ALPHA,
    seed: int = 1,
    correlation: float = 0.0,
) -> Rate:
    """Return how often anything is claimed where nothing differs; ``correlation`` between indicators."""
    d = draws(shape, repetitions, max(looks), indicators, seed)
    if correlation and indicators > 1:
        d = np.sqrt(1 - correlation) * d + np.sqrt(correlation) * draws(shape, repetitions, max(looks), 1, seed + 1)
    return Rate(int(decide(d, looks, alpha).direction.any(axis=1).sum()), repetitions)


def found(
    effect_sd: float,
    repetitions: int = 4000,
    looks: Sequence[int] = LOOKS,
    alpha: float = ALPHA,
    seed: int = 1,
    shape: str = "normal",
) -> Rate:
    """Return how often an effect of so many standard deviations of the difference is claimed with the right sign."""
    d = draws(shape, repetitions, max(looks), 1, seed)
    return Rate(int((decide(d / d.std() + effect_sd, looks, alpha).direction[:, 0] == 1).sum()), repetitions)


def covered(target_sd: float, repetitions: int = 4000, most: int = 400, step: int = 10, seed: int = 1) -> Rate:
    """Return how often the interval of a precision run that stops at a half-width holds the truth (0)."""
    d = draws("normal", repetitions, most, 1, seed)[:, :, 0]
    n = np.arange(1, most + 1)
    mean = np.cumsum(d, axis=1) / n
    spread = np.sqrt(np.maximum(np.cumsum(d**2, axis=1) - n * mean**2, 0) / np.maximum(n - 1, 1))
    looks = np.array([*range(LEAST_N, most, step), most])
    half = np.array([half_width(1.0, int(k)) for k in looks]) * spread[:, looks - 1]
    stop = np.where((half <= target_sd).any(axis=1), (half <= target_sd).argmax(axis=1), looks.size - 1)
    rows = np.arange(repetitions)
    return Rate(int((np.abs(mean[rows, looks[stop] - 1]) <= half[rows, stop]).sum()), repetitions)
