"""Coverage tours: the directed rural postman problem with turns, and how a tour is shared out and cut.

A road (one direction of a street) that must be swept is one vertex; the cost from vertex a to b is the time from
the end of a to the beginning of b over permitted turns, at transit speed. Visiting every vertex once at least cost
is the rural postman problem on the mixed graph with turn penalties, in the form of an asymmetric travelling
salesman problem (Laporte, "Modeling and solving several classes of arc routing problems as traveling salesman
problems", *Computers & Operations Research* 24(11), 1997).

1. The assignment problem gives each road its cheapest successor: the least-cost Eulerian augmentation. Its value
   is a **lower bound** of every tour (:func:`bound`).
2. Its circuits are joined, cheapest join first (patching; Karp, *SIAM J. Computing* 8(4), 1979). Where two circuits
   meet at a junction that allows the turns, this costs nothing: it is Hierholzer's splice.
3. Runs of roads are moved to better places until nothing improves (Or-opt; no run is turned round).

Sweeping takes the same time in any order, so costs here are the time *between* roads only. Shape (n, n), seconds;
``inf``: no way. All is deterministic: ties go to the lower row.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LONGEST_RUN = 24  # roads moved at once by the improvement
_NO_WAY_S = 1e7  # stands for inf: a tour takes such a step only if there is no other


def _finite(cost: Floats) -> Floats:
    out = np.where(np.isfinite(cost), cost, _NO_WAY_S)
    np.fill_diagonal(out, 1e12)  # a road is not its own successor
    return np.asarray(out, dtype=np.float64)


def successors(cost: Floats) -> Ints:
    """Return the successor of each vertex in the cheapest set of circuits, shape (n,); n ≥ 2."""
    rows, columns = linear_sum_assignment(_finite(cost))
    out = np.empty(rows.size, dtype=np.int64)
    out[rows] = columns
    return out


def bound(cost: Floats) -> float:
    """Return a lower bound (s) on the time between roads of any closed tour: the assignment's value."""
    n = cost.shape[0]
    if n < 2:
        return 0.0
    return float(_finite(cost)[np.arange(n), successors(cost)].sum())


def length(order: Ints, cost: Floats, *, closed: bool = True) -> float:
    """Return the time (s) between the roads of a tour; ``closed``: back to the first one."""
    if order.size < 2:
        return 0.0
    steps = cost[order[:-1], order[1:]].sum()
    return float(steps + (cost[order[-1], order[0]] if closed else 0.0))


def closed_tour(cost: Floats) -> Ints:
    """Return an order of all vertices, begun with vertex 0, whose closed tour is short."""
    n = cost.shape[0]
    if n < 3:
        return np.arange(n, dtype=np.int64)
    c = _finite(cost)
    order = improve(_patched(c, successors(cost)), c)
    return np.asarray(np.roll(order, -int(np.flatnonzero(order == 0)[0])), dtype=np.int64)


def open_tour(start_s: Floats, cost: Floats) -> Ints:
    """Return an order of all vertices for somebody who needs ``start_s`` (n,) to each; it may end anywhere."""
    n = cost.shape[0]
    with_start = np.zeros((n + 1, n + 1))
    with_start[0, 1:] = start_s
    with_start[1:, 1:] = cost
    return closed_tour(with_start)[1:] - 1


def _patched(c: Floats, succ: Ints) -> Ints:
    """Join the circuits of an assignment into one: each time the smallest, in the cheapest way."""
    succ = succ.copy()
    n = succ.size
    circuit = np.full(n, -1, dtype=np.int64)
    for first in range(n):
        v = first
        while circuit[v] < 0:
            circuit[v] = first
            v = int(succ[v])
    while (names := np.unique(circuit)).size > 1:
        sizes = np.asarray([np.count_nonzero(circuit == k) for k in names])
        a = np.flatnonzero(circuit == names[sizes.argmin()])
        b = np.flatnonzero(circuit != names[sizes.argmin()])
        own = c[np.arange(n), succ]
        more = c[np.ix_(a, succ[b])] + c[np.ix_(b, succ[a])].T - own[a][:, None] - own[b]
        i, j = divmod(int(more.argmin()), b.size)
        va, vb = int(a[i]), int(b[j])
        succ[va], succ[vb] = succ[vb], succ[va]
        circuit[a] = circuit[vb]
    order = [0]
    while int(succ[order[-1]]) != 0:
        order.append(int(succ[order[-1]]))
    return np.asarray(order, dtype=np.int64)


def improve(order: Ints, c: Floats) -> Ints:
    """Move runs of up to LONGEST_RUN roads of a closed tour to better places until no move is better."""
    n = order.size
    order = order.copy()
    if n < 4:
        return order
    for _ in range(4 * n):  # each move shortens the tour; the bound only guards against rounding
        best, move = -1e-6, None
        following = np.roll(order, -1)
        step = c[order, following]
        for run in range(1, min(LONGEST_RUN, n - 2) + 1):
            first = np.arange(n)
            last = (first + run - 1) % n
            before, after = order[(first - 1) % n], order[(last + 1) % n]
            out = step[(first - 1) % n] + step[last] - c[before, after]  # gained by taking the run out
            into = c[order[:, None], order[first]].T + c[order[last]][:, following] - step[None, :]
            gap = (np.arange(n)[None, :] - (first[:, None] - 1)) % n  # position of the step that takes it in
            into[gap <= run] = np.inf  # steps of the run itself and beside it
            delta = into - out[:, None]
            k = int(delta.argmin())
            value = float(delta.flat[k])
            if value < best:
                best, move = value, (*divmod(k, n), run)
        if move is None:
            break
        i, j, run = move
        rolled = np.roll(order, -i)
        rest = rolled[run:]
        at = (j - i) % n - run + 1
        order = np.concatenate([rest[:at], rolled[:run], rest[at:]])
    return order


# -- several units -----------------------------------------------------------------------------------------


def shares(order: Ints, work_s: Floats, cost: Floats, k: int) -> list[Ints]:
    """Cut a closed tour into at most ``k`` runs so that the longest takes least time (sweeping and between).

    ``work_s`` (n,): sweeping time of each vertex. The tour is opened at its most expensive step; the least bound
    that ``k`` runs can keep is found by bisection, and the runs are filled in turn.
    """
    n = order.size
    if n == 0 or k < 1:
        return []
    steps = cost[order, np.roll(order, -1)]
    order = np.roll(order, -(int(steps.argmax()) + 1))
    work = work_s[order]
    between = np.append(cost[order[:-1], order[1:]], 0.0)
    low, high = float(work.max()), float(work.sum() + between[:-1].sum()) * (1.0 + 1e-9)
    for _ in range(40):
        middle = (low + high) / 2
        if len(_filled(work, between, middle)) <= k:
            high = middle
        else:
            low = middle
    ends = _filled(work, between, high)
    return [order[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]


def _filled(work: Floats, between: Floats, most: float) -> list[int]:
    """Return the ends of runs, each as long as ``most`` allows."""
    ends, total = [], 0.0
    for i in range(work.size):
        added = work[i] if total == 0.0 else between[i - 1] + work[i]
        if total > 0.0 and total + added > most:
            ends.append(i)
            total = float(work[i])
        else:
            total += float(added)
    return [*ends, int(work.size)]


def assigned(start_s: Floats) -> list[tuple[int, int]]:
    """Return (unit row, share row) pairs for times to the beginnings of shares, shape (units, shares)."""
    rows, columns = linear_sum_assignment(np.where(np.isfinite(start_s), start_s, _NO_WAY_S))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


# -- hopper and water --------------------------------------------------------------------------------------


def trips(
    use: Floats, left: Floats, full: Floats, between_s: Floats, visit_s: Floats, first_visit_s: float, first_s: float
) -> list[int]:
    """Return before which roads of an order to tip and fill, at least total time (Prins' split).

    ``use`` (n, r): what each road takes of the r tanks; ``left`` (r,): what is left in them now, ``full`` (r,) after
    a visit; ``between_s`` (n-1,): time from road i to i+1 direct, ``visit_s`` (n-1,) with a visit on the way;
    ``first_s``/``first_visit_s``: time to road 0 direct or with a visit first. The answer is ascending; 0 means
    before the first road. A road that takes more than a full tank is a trip of its own.

    Shortest path over the cuts, as in Prins, *Computers & Operations Research* 31(12), 2004.
    """
    n = use.shape[0]
    if n == 0:
        return []
    sums = np.vstack([np.zeros(use.shape[1]), np.cumsum(use, axis=0)])
    direct = np.concatenate([[0.0], np.cumsum(between_s)])
    best = np.full(n + 1, np.inf)  # least time until road i-1 is done and a visit (or the end) follows
    come = np.full(n + 1, -1, dtype=np.int64)
    # the first trip starts with what is left: it ends before any road i that it still reaches, 0 included
    reach = int(np.flatnonzero((sums <= left + 1e-9).all(axis=1)).max())
    best[0] = 0.0
    for i in range(1, reach + 1):
        best[i] = first_s + direct[i - 1]
    for i in range(n):
        if not np.isfinite(best[i]):
            continue
        visit = first_visit_s if i == 0 else float(visit_s[i - 1])
        fits = np.flatnonzero((sums[i:] - sums[i] <= full + 1e-9).all(axis=1)).max()
        for j in range(i + 1, i + max(int(fits), 1) + 1):
            time = best[i] + visit + direct[j - 1] - direct[i]
            if time < best[j] - 1e-9:
                best[j], come[j] = time, i
    out, at = [], n
    while come[at] >= 0:
        at = int(come[at])
        out.append(at)
    return out[::-1]
