"""How likely an early order is for something, learnt from what became of those before: beta-binomial, in two steps.

A theme's share (or that of one theme next to another) is shrunken towards that of all, that towards what is assumed at
first. The first figures are hopeful, so that each kind of order is tried (optimism in the face of uncertainty; Lai &
Robbins 1985): where neighbours do not tell on each other, a few orders for nothing end it.
"""

from __future__ import annotations

#: (why, grade) → share of orders that are for something, before anything was learnt (assumed)
FIRST = {
    ("neighbour", 0): 0.3, ("neighbour", 1): 0.5, ("neighbour", 2): 0.6,
    ("reading", 0): 0.3, ("reading", 1): 0.5, ("reading", 2): 0.65, ("reading", 3): 0.8,
}  # fmt: skip
WORTH = 8.0  # orders that the first figures, and those of all themes, are worth (assumed)


class Odds:
    """Shares by (why, grade), for each kind of idea: its theme, or two."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, int], tuple[int, int]] = {}
        self._of: dict[tuple[str, str, int], tuple[int, int]] = {}

    def useful(self, kind: str, why: str, grade: int) -> float:
        """Return the probability that such an order is for something."""
        hits, n = self._all.get((why, grade), (0, 0))
        whole = (FIRST[why, grade] * WORTH + hits) / (WORTH + n)
        hits, n = self._of.get((kind, why, grade), (0, 0))
        return (whole * WORTH + hits) / (WORTH + n)

    def learn(self, kind: str, why: str, grade: int, useful: bool) -> None:
        """Learn what became of one."""
        hits, n = self._all.get((why, grade), (0, 0))
        self._all[why, grade] = (hits + int(useful), n + 1)
        hits, n = self._of.get((kind, why, grade), (0, 0))
        self._of[kind, why, grade] = (hits + int(useful), n + 1)
