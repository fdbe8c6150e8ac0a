"""A desk with agents and one queue, first come first served: those who call 119 or 12345, pictures to be looked at.

With Poisson arrivals and exponential service it is the M/M/c queue, whose share that waits is Erlang's C formula
(A. K. Erlang 1917; Gross et al., Fundamentals of Queueing Theory, 4th ed., 2.4); a test holds it to that.
"""

from __future__ import annotations

import heapq
import math


class CallDesk:
    """``agents`` serve in turn; times in seconds, fractions allowed. Calls must be put in order of time."""

    def __init__(self, agents: int) -> None:
        if agents < 1:
            raise ValueError(f"a desk needs at least 1 agent, not {agents}")
        self.agents = agents
        self._free: list[tuple[float, int]] = [(-math.inf, k) for k in range(agents)]

    def take(self, t_s: float, service_s: float) -> tuple[float, int]:
        """Return when an agent turns to a call that comes at ``t_s``, and which; he is busy for ``service_s``."""
        free_s, agent = heapq.heappop(self._free)
        begins = max(t_s, free_s)
        heapq.heappush(self._free, (begins + service_s, agent))
        return begins, agent


def erlang_c(agents: int, load: float) -> float:
    """Return the share of calls that wait in M/M/c; ``load`` = arrival rate × mean service time, in Erlang."""
    if load >= agents:
        return 1.0
    blocked = 1.0  # Erlang's B by recursion, then C from B
    for k in range(1, agents + 1):
        blocked = load * blocked / (k + load * blocked)
    return agents * blocked / (agents - load * (1.0 - blocked))
