"""What is fixed before the first run: the question, the indicators, the looks. Its hash goes into every result.

A plan made after results were seen is not forbidden, but it is told: such a result is exploratory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from scenarios.stats.sequential import ALPHA, LOOKS
from twin.errors import ScenarioError


@dataclass(frozen=True)
class Asked:
    """One indicator of a plan: its name, which direction is better, the smallest effect that matters."""

    kpi: str
    better: str
    smallest: float | None = None


@dataclass(frozen=True)
class Guardrail:
    """An indicator that may get worse by ``margin`` at most: in its unit, or in percent of the base's mean."""

    kpi: str
    margin: float
    percent: bool = False


@dataclass(frozen=True)
class Plan:
    """The plan of one comparison. ``looks`` end with the largest number of pairs; ``until``: a precision run."""

    question: str
    base: str
    variant: str
    asked: tuple[Asked, ...]
    seeds: tuple[int, ...]
    looks: tuple[int, ...]
    guardrails: tuple[Guardrail, ...] = ()
    until: str = ""
    alpha: float = ALPHA
    warm_up_s: int = 0
    extra: dict[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Return the hash of the plan (16 hex digits)."""
        text = json.dumps(self.content(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def looks_up_to(n: int, sequential: bool) -> tuple[int, ...]:
    """Return the looks of a plan with n pairs: one at the end, or 20, 40, 80 … and n."""
    if n < 1:
        raise ScenarioError(f"--seeds: is {n}; allowed: a whole number from 1")
    return (*(k for k in LOOKS if k < n), n) if sequential else (n,)


def parse_guardrail(text: str, known: Iterable[str]) -> Guardrail:
    """Read "late_share=0.5" (in the unit) or "late_share=2%". Raises ScenarioError."""
    names = list(known)
    name, equals, amount = text.partition("=")
    amount = amount.strip()
    try:
        margin = float(amount.removesuffix("%"))
    except ValueError:
        margin = -1.0
    if not equals or not 0 <= margin < float("inf"):
        raise ScenarioError(f"--guardrail '{text}': write it as KPI=MARGIN, such as late_share=0.5 or late_share=2%")
    if name.strip() not in names:
        raise ScenarioError(f"--guardrail '{text}': there is no indicator '{name.strip()}'; see docs/metrics.md")
    return Guardrail(name.strip(), margin, amount.endswith("%"))
