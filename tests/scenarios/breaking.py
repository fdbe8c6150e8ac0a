"""A controller that breaks, for tests of what becomes of a failed run."""

from __future__ import annotations


class Breaks:
    """Raises when it is first called."""

    def decide(self, now_s, messages):
        raise RuntimeError("I break")
