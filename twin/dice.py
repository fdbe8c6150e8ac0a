"""Named random draws: every draw is a function of (seed, purpose, entity, occurrence) and of nothing else.

The generator is Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11), a
counter-based generator: the 64-bit key comes from (seed, purpose), the 128-bit counter holds the entity and
the occurrence. No state is kept, so adding resident 41, a bus or a sensor changes nobody else's draws, and a
draw can be made for a whole array of entities at once.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = 0x9E3779B9
_W1 = 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_S32 = np.uint64(32)
_CHUNK = 16384

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Ints = int | npt.NDArray[Any]


def philox_4x32(
    counter: tuple[npt.NDArray[np.uint64], ...], key: tuple[int, int]
) -> tuple[npt.NDArray[np.uint64], ...]:
    """Return the four 32-bit output words (held in uint64) of Philox-4x32-10, element by element."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0 = c0 * _M0
        p1 = c2 * _M1
        c0, c1, c2, c3 = (
            (p1 >> _S32) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _S32) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0 = (k0 + _W0) & 0xFFFFFFFF
        k1 = (k1 + _W1) & 0xFFFFFFFF
    return c0, c1, c2, c3


class Stream:
    """The draws of one purpose. All methods take entity ids (an int or an int array) and return an array."""

    def __init__(self, seed: int, purpose: str) -> None:
        digest = hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=8).digest()
        self.purpose = purpose
        self._key = (int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little"))

    def _words(self, entity: Ints, occurrence: Ints) -> tuple[npt.NDArray[np.uint64], ...]:
        e, o = np.broadcast_arrays(
            np.atleast_1d(np.asarray(entity, dtype=np.int64)), np.asarray(occurrence, dtype=np.int64)
        )
        if e.ndim != 1 or e.size <= _CHUNK:
            return self._block(e, o)
        # pieces that stay in the processor's cache: the same numbers, five times faster
        parts = [self._block(e[i : i + _CHUNK], o[i : i + _CHUNK]) for i in range(0, e.size, _CHUNK)]
        return tuple(np.concatenate(words) for words in zip(*parts, strict=True))

    def _block(self, entity: IntArray, occurrence: IntArray) -> tuple[npt.NDArray[np.uint64], ...]:
        e, o = entity.astype(np.uint64), occurrence.astype(np.uint64)
        return philox_4x32((e & _LOW, e >> _S32, o & _LOW, o >> _S32), self._key)

    def uniform(self, entity: Ints, occurrence: Ints = 0) -> FloatArray:
        """Draw uniform numbers in [0, 1), 53 bits each; one per entity."""
        a, b, _, _ = self._words(entity, occurrence)
        return ((a >> np.uint64(5)) * np.float64(67108864.0) + (b >> np.uint64(6))) / np.float64(2**53)

    def normal(self, entity: Ints, occurrence: Ints = 0) -> FloatArray:
        """Draw standard normal numbers (Box-Muller); one per entity."""
        a, b, c, d = self._words(entity, occurrence)
        u = ((a >> np.uint64(5)) * np.float64(67108864.0) + (b >> np.uint64(6)) + 0.5) / np.float64(2**53)
        v = ((c >> np.uint64(5)) * np.float64(67108864.0) + (d >> np.uint64(6))) / np.float64(2**53)
        return np.asarray(np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v), dtype=np.float64)

    def integers(self, low: int, high: int, entity: Ints, occurrence: Ints = 0) -> IntArray:
        """Whole numbers in [low, high); one per entity."""
        return (low + np.floor(self.uniform(entity, occurrence) * (high - low))).astype(np.int64)

    def exponential(self, mean: float, entity: Ints, occurrence: Ints = 0) -> FloatArray:
        """Exponential numbers of the given mean; one per entity."""
        return np.asarray(-mean * np.log1p(-self.uniform(entity, occurrence)), dtype=np.float64)

    def choice(self, weights: npt.ArrayLike, entity: Ints, occurrence: Ints = 0) -> IntArray:
        """Draw indices in proportion to ``weights`` (1-D, not all zero); one per entity."""
        cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
        if cumulative.size == 0 or not cumulative[-1] > 0:
            raise ValueError(f"'{self.purpose}': weights must have a positive sum, got {weights!r}")
        u = self.uniform(entity, occurrence) * cumulative[-1]
        index: IntArray = np.minimum(np.searchsorted(cumulative, u, side="right"), cumulative.size - 1).astype(np.int64)
        return index


class Dice:
    """Hands out the streams of a run; the same purpose asked for twice is a name clash and refused."""

    def __init__(self, seed: int) -> None:
        self.seed = int(seed)
        self._taken: set[str] = set()

    def stream(self, purpose: str) -> Stream:
        """Return the stream for ``purpose`` (dotted name, such as ``"people.departure"``)."""
        if purpose in self._taken:
            raise ValueError(f"the random stream '{purpose}' is already in use: give every decision its own name")
        self._taken.add(purpose)
        return Stream(self.seed, purpose)
