"""``twin bench``: what the project promises, measured here and now.

Each promise is one row: name, value, unit, reach (what must hold), goal (what we want), holds. Ratios compare two
things measured in one run, because figures on shared machines drift. See ``docs/metrics.md`` for what each is.
"""

from scenarios.bench.base import Promise, Row
from scenarios.bench.promises import PROMISES, main, measure

__all__ = ["PROMISES", "Promise", "Row", "main", "measure"]
