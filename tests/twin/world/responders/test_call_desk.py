"""The call desk against Erlang's C formula: the share that waits, and the mean wait, with the simulation's interval."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.world.responders.call_desk import CallDesk, erlang_c


def waits(agents: int, load: float, calls: int, seed: int) -> np.ndarray:
    """Waiting times of Poisson calls with exponential service of mean 1, in order."""
    draw = np.random.default_rng(seed)
    at = np.cumsum(draw.exponential(1.0 / load, calls))
    service = draw.exponential(1.0, calls)
    desk = CallDesk(agents)
    return np.array([desk.take(t, s)[0] - t for t, s in zip(at.tolist(), service.tolist(), strict=True)])


def interval(values: np.ndarray, batches: int = 30) -> tuple[float, float]:
    """Mean and 99 % half width by batch means: waiting times of neighbours are alike."""
    means = np.array([b.mean() for b in np.array_split(values[values.size // 20 :], batches)])
    return float(means.mean()), 2.76 * float(means.std(ddof=1)) / math.sqrt(batches)


@pytest.mark.parametrize(("agents", "load"), [(1, 0.6), (4, 3.0), (10, 8.0)])
def test_the_share_that_waits_is_erlangs_c(agents, load):
    w = waits(agents, load, 60_000, agents)
    share, half = interval((w > 0).astype(float))
    assert half < 0.05  # the simulation is long enough to say something
    assert share == pytest.approx(erlang_c(agents, load), abs=half)
    # mean wait W = C(c, a) / (c − a) in units of the mean service time
    mean, half = interval(w)
    assert mean == pytest.approx(erlang_c(agents, load) / (agents - load), abs=half)


def test_known_values_of_the_formula():
    """One agent: C = ρ. Two: C = 2ρ²/(1 + ρ). A full desk: everybody waits."""
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.2) == pytest.approx(2 * 0.6**2 / 1.6)
    assert erlang_c(3, 3.0) == 1.0


def test_nobody_overtakes_and_no_agent_serves_two_at_once():
    draw = np.random.default_rng(2)
    desk, at = CallDesk(3), np.sort(draw.uniform(0, 1000, 500))
    busy: dict[int, float] = {}
    before = -math.inf
    for t in at.tolist():
        service = float(draw.exponential(5))
        begins, agent = desk.take(t, service)
        assert begins >= before
        assert begins >= busy.get(agent, -math.inf)
        busy[agent], before = begins + service, begins


def test_a_desk_without_agents_is_refused():
    with pytest.raises(ValueError, match="at least 1 agent, not 0"):
        CallDesk(0)
