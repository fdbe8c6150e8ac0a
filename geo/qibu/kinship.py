"""Villages with kindred names lie side by side: 东冯井 east of 西冯井, 前石 south of 后石, 大颜 beside 小颜.

Where each village really lies is not in our tables; its name often says next to which one, and on which side.
Sites are exchanged between names until kindred villages are near each other and on the right sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geo.qibu.tables import Floats

# where a village of this name lies among its kin: east, north (前 is the sunny side, south)
_SIDE = {"东": (1, 0), "西": (-1, 0), "南": (0, -1), "北": (0, 1), "前": (0, -1), "后": (0, 1), "中": (0, 0)}
_SIZE = "大小老新一二三"
_WRONG_SIDE_M = 1500.0
_ROUNDS = 4


def settle(names: Sequence[str], xy: Floats) -> npt.NDArray[np.int64]:
    """Return for each name the row of ``xy`` where it lies: a permutation that brings kin together."""
    kin = _kin(names)
    site = np.arange(len(names))
    near = cKDTree(xy).query(xy, k=min(10, len(xy)))[1]
    mine: dict[int, list[tuple[int, int, tuple[int, int]]]] = {}
    for pair in kin:
        for who in pair[:2]:
            mine.setdefault(who, []).append(pair)

    def cost(people: tuple[int, ...]) -> float:
        pairs = {p for who in people for p in mine.get(who, ())}
        return sum(_strain(xy[site[a]], xy[site[b]], side) for a, b, side in sorted(pairs))

    for _ in range(_ROUNDS):
        lives = np.empty(len(names), np.int64)
        lives[site] = np.arange(len(names))
        for a, b, _side in kin:
            for spot in near[site[a]].tolist():
                other = int(lives[spot])
                if other in (a, b):
                    if other == a:
                        continue
                    other = a  # the two may change places
                before = cost((b, other))
                site[b], site[other] = site[other], site[b]
                if cost((b, other)) < before - 1.0:
                    lives[site[b]], lives[site[other]] = b, other
                else:
                    site[b], site[other] = site[other], site[b]
    return site


def _kin(names: Sequence[str]) -> list[tuple[int, int, tuple[int, int]]]:
    """Pairs of names that differ in a word of side or size only, and on which side the second lies of the first."""
    stems: dict[str, list[int]] = {}
    for k, name in enumerate(names):
        stem = "".join(c for c in name if c not in _SIDE and c not in _SIZE)
        if stem != name and stem not in ("村", "庄村", "街村", "家村"):
            stems.setdefault(stem, []).append(k)
    out = []
    for rows in stems.values():
        for a, b in combinations(rows, 2):
            first, second = (next((_SIDE[c] for c in names[k] if c in _SIDE), (0, 0)) for k in (a, b))
            out.append((a, b, (second[0] - first[0], second[1] - first[1])))
    return out


def _strain(a: Floats, b: Floats, side: tuple[int, int]) -> float:
    """Distance between kin, more when the second lies on the wrong side of the first."""
    gap = b - a
    far = float(np.hypot(*gap))
    if side == (0, 0):
        return far
    cosine = float(gap @ np.asarray(side, float)) / (max(far, 1.0) * float(np.hypot(*side)))
    return far + (_WRONG_SIDE_M if cosine < 0.5 else 0.0)
