"""A controller that breaks, for tests of what becomes of a failed run."""

from __future__ import annotations


class Breaks:
    """Raises when it is first called."""

    def decide(self, now_s, messages):
        raise RuntimeError("I break")


class BreaksAtOddSeeds:
    """Raises under some seeds: when the first vehicles it is told of are odd in number."""

    def __init__(self):
        self.seen = False

    def decide(self, now_s, messages):
        for m in messages:
            count = getattr(m, "count", None)
            if count is not None and sum(count) > 0 and not self.seen:
                self.seen = True
                if int(sum(count)) % 2 == 1:
                    raise RuntimeError("I break when it is odd")
        return []
