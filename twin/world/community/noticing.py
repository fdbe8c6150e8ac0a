"""Who notices what: every five minutes all pairs of an open hazard and a member near it draw at once.

A member is where the model of people has him: in a block (home, work, shop …), or on the way, which is taken as
somewhere on the line from his last block to his home or his work. Near a hazard somebody notices it with probability
1 − exp(−rate × Δt); at home or at work he mostly looks elsewhere (``INSIDE``), and at night he sleeps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from twin.world.community.env import DAY_S, Blocks, Env
from twin.world.community.themes import SEEN

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LOOK_S = 300
INSIDE = 0.5  # of the rate of those who are out (assumed)
ASLEEP = 0.03
PASSING = 6.0  # times the rate of those who stay: whoever passes looks, and is near for minutes only (assumed)
LOOKS = 1 << 14  # looks of a run that draws keep apart

#: called with the row of the hazard, the row of the member, the second
Told = Callable[[int, int, int], None]


class Noticing:
    """Lets members notice hazards; ``noticed`` is called once for each pair that does."""

    def __init__(self, env: Env, blocks: Blocks, noticed: Told) -> None:
        self._e, self._blocks, self._noticed = env, blocks, noticed
        self._u = env.dice.stream("community.notices")
        self._near: dict[int, Ints] = {}  # hazard row → blocks
        self._pairs: set[tuple[int, int]] = set()
        self._last = env.members.home.copy()
        env.hazards.listeners.append(self._hazard)

    def _hazard(self, what: str, row: int, now_s: int) -> None:  # noqa: ARG002
        if what == "ended":
            self._near.pop(row, None)
            return
        h = self._e.hazards
        self._near[row] = self._blocks.near(float(h.x_m[row]), float(h.y_m[row]), SEEN[h.theme[row]].seen_m)

    def look(self, now_s: int) -> None:
        """Let everybody look around once."""
        if not self._near or not len(self._e.members):
            return
        where = self._e.where()
        hour = now_s % DAY_S // 3600
        awake = 1.0 if 7 <= hour < 22 else 0.3 if hour in (6, 22) else ASLEEP
        rows, who, rate = self._staying(where, awake)
        more_rows, more_who, more_rate = self._passing(where)
        rows, who = np.concatenate([rows, more_rows]), np.concatenate([who, more_who])
        rate = np.concatenate([rate, more_rate])
        self._last = np.where(where >= 0, where, self._last)
        if not rows.size:
            return
        p = -np.expm1(-rate * LOOK_S / 3600.0)
        occurrence = self._e.hazards.id[rows] * LOOKS + now_s // LOOK_S % LOOKS
        hits = np.flatnonzero(self._u.uniform(self._e.members.account[who], occurrence) < p)
        for row, member in zip(rows[hits].tolist(), who[hits].tolist(), strict=True):
            if (row, member) not in self._pairs:
                self._pairs.add((row, member))
                self._noticed(row, member, now_s)

    def _staying(self, where: Ints, awake: float) -> tuple[Ints, Ints, Floats]:
        """Return pairs (hazard row, member, rate an hour) of members in blocks near hazards."""
        n = self._blocks.x_m.size
        order = np.argsort(where, kind="stable")
        first = np.searchsorted(where[order], np.arange(n + 1))
        hazards = list(self._near)
        blocks = np.concatenate([self._near[row] for row in hazards])
        of = np.repeat(np.asarray(hazards, dtype=np.int64), [self._near[row].size for row in hazards])
        count = first[blocks + 1] - first[blocks]
        rows = np.repeat(of, count)
        start = np.repeat(first[blocks] - (np.cumsum(count) - count), count)
        who = order[start + np.arange(rows.size)]
        at_home = where[who] == self._e.members.home[who]
        base = np.asarray([SEEN[t].an_hour for t in self._e.hazards.theme[rows].tolist()], dtype=np.float64)
        return rows, who.astype(np.int64), base * np.where(at_home, INSIDE * awake, INSIDE)

    def _passing(self, where: Ints) -> tuple[Ints, Ints, Floats]:
        """Return pairs of members on the way and hazards beside it."""
        m, h = self._e.members, self._e.hazards
        out = np.flatnonzero((where == -1) & (self._last >= 0))
        goal = np.where(self._last[out] == m.home[out], m.work[out], m.home[out])
        out, goal = out[goal >= 0], goal[goal >= 0]
        if not out.size:
            none = np.empty(0, dtype=np.int64)
            return none, none, np.empty(0)
        hazards = np.asarray(list(self._near), dtype=np.int64)
        x0, y0 = self._blocks.x_m[self._last[out]], self._blocks.y_m[self._last[out]]
        dx, dy = self._blocks.x_m[goal] - x0, self._blocks.y_m[goal] - y0
        long2 = np.maximum(dx**2 + dy**2, 1.0)
        px, py = h.x_m[hazards][:, None] - x0, h.y_m[hazards][:, None] - y0
        t = np.clip((px * dx + py * dy) / long2, 0.0, 1.0)
        away = np.hypot(px - t * dx, py - t * dy)
        seen = np.asarray([SEEN[k].seen_m for k in h.theme[hazards].tolist()])
        base = np.asarray([SEEN[k].an_hour for k in h.theme[hazards].tolist()])
        i, j = np.nonzero(away < 0.5 * seen[:, None])
        # the longer the way, the smaller the part of it that lies beside the hazard
        share = np.minimum(1.0, seen[i] / np.sqrt(long2[j]))
        return hazards[i], out[j].astype(np.int64), base[i] * PASSING * share
