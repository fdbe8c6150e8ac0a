"""What cameras and other devices that judge for themselves see: scores, from true hazards and from nothing (F8–F10).

A device looks each ``frame_s``. The probability that it sees a thing in its reach is ``sees`` × distance × light ×
rain × visibility × size: distance 1/(1 + (2d/reach)²·⁵) scaled to 1 at 0, visibility exp(−3.912 d/V) (Koschmieder), the
others in the table of kinds. It speaks only when it sees something: a score above 0.6 in frames in which it does, below
in frames in which it lost sight of it, 0 when it gives up after five of those. False sightings are a Poisson stream
for each device, of a few frames each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from twin.dice import Dice
from twin.world.city_brain.births import is_dark
from twin.world.city_brain.hazards import Hazards
from twin.world.sensors.channel_kinds import CHANNEL_KINDS
from twin.world.sensors.channels import Channels

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SURE, UNSURE, NOTHING = 0.62, 0.3, 0.0
GIVES_UP = 5  # frames without a sighting after which a device says so
KOSCHMIEDER = 3.912
FRAMES = 10**7
GOES_ON = 0.4  # probability that a false sighting goes on for another frame (assumed)
LONGEST = 8
SMOKE_M, SMOKE_M2 = 200.0, 60.0  # other cameras this near to so large a fire see half as much (assumed)


@dataclass(frozen=True)
class Seen:
    """Scores of one instant: equal-length columns, each channel once; ``true`` where a hazard is behind it."""

    channel: Ints
    score: Floats
    true: Bools


def distance_factor(distance_m: Floats, reach_m: Floats) -> Floats:
    """Return how much of what a device would see at no distance it sees at this one; 0 beyond its reach."""
    near = 1.0 / (1.0 + (2.0 * distance_m / reach_m) ** 2.5 * 0.2)
    return np.where(distance_m <= reach_m, near, 0.0)


class Sightings:
    """Pairs of open hazards and the devices in whose reach they are; which devices follow something now."""

    def __init__(
        self, channels: Channels, hazards: Hazards, dice: Dice, *, blindness: float, false_alarms: float, tick_s: int
    ) -> None:
        self._channels, self._hazards = channels, hazards
        self._blindness, self._false_factor, self._tick_s = blindness, false_alarms, tick_s
        self._look = dice.stream("city_brain.look")
        self._false = dice.stream("city_brain.false_sighting")
        n = len(channels)
        self._reach = channels.of("reach_m")
        self._sees, self._night = channels.of("sees"), channels.of("night")
        self._wet, self._full = channels.of("wet"), channels.of("full_size")
        self._frame_s = channels.of("frame_s", int).astype(np.int64)
        looks = np.asarray([k.looks for k in CHANNEL_KINDS], dtype=object)[channels.kind]
        self._rate_h = channels.of("false_a_day") * false_alarms / 24.0 * (looks != "")
        self._trees: dict[str, tuple[Ints, cKDTree, float]] = {}
        for theme in sorted({str(t) for t in looks if t}):
            rows = np.flatnonzero(looks == theme).astype(np.int64)
            points = np.column_stack([channels.x_m[rows], channels.y_m[rows]])
            self._trees[theme] = (rows, cKDTree(points), float(self._reach[rows].max()))
        self.following = np.zeros(n, dtype=bool)
        self._misses = np.zeros(n, dtype=np.int64)
        self._next_s = np.zeros(n, dtype=np.int64)
        self._pair_channel = np.empty(0, dtype=np.int64)
        self._pair_row = np.empty(0, dtype=np.int64)
        self._pair_m = np.empty(0)
        self._false_channel = np.empty(0, dtype=np.int64)
        self._false_from_s = np.empty(0, dtype=np.int64)
        self._false_until_s = np.empty(0, dtype=np.int64)
        self.first: list[tuple[int, int]] = []  # (row, channel) of hazards that were seen for the first time
        self._seen_rows: set[int] = set()
        self.false_begun = 0

    # -- which hazard is in whose reach ------------------------------------------------------------------------

    def watch(self, row: int) -> Ints:
        """Take in a hazard that began; return the channels in whose reach it is."""
        h = self._hazards
        theme = str(h.theme[row])
        if theme not in self._trees:
            return np.empty(0, dtype=np.int64)
        rows, tree, reach = self._trees[theme]
        found: Ints = rows[np.asarray(sorted(tree.query_ball_point((h.x_m[row], h.y_m[row]), reach)), dtype=np.int64)]
        distance = np.hypot(self._channels.x_m[found] - h.x_m[row], self._channels.y_m[found] - h.y_m[row])
        inside = distance <= self._reach[found]
        found, distance = found[inside], distance[inside]
        self._pair_channel = np.concatenate([self._pair_channel, found])
        self._pair_row = np.concatenate([self._pair_row, np.full(found.size, row)])
        self._pair_m = np.concatenate([self._pair_m, distance])
        return found

    def shows(self, theme: str, x_m: float, y_m: float, down: Bools) -> bool:
        """Whether a device for a theme that works has a spot in its reach."""
        if theme not in self._trees:
            return False
        rows, tree, reach = self._trees[theme]
        found = rows[np.asarray(tree.query_ball_point((x_m, y_m), reach), dtype=np.int64)]
        distance = np.hypot(self._channels.x_m[found] - x_m, self._channels.y_m[found] - y_m)
        return bool(((distance <= self._reach[found]) & ~down[found]).any())

    def forget(self, row: int) -> None:
        """Take in that a hazard ended."""
        keep = self._pair_row != row
        self._pair_channel, self._pair_row = self._pair_channel[keep], self._pair_row[keep]
        self._pair_m = self._pair_m[keep]

    # -- what nobody is there for ------------------------------------------------------------------------------

    def false_hour(self, hour: int) -> None:
        """Draw the false sightings of an hour: one at most for each device."""
        if self._false_factor <= 0:
            return
        rows = np.flatnonzero(self._rate_h > 0)
        u = self._false.uniform(rows, hour * 4)
        p = -np.expm1(-self._rate_h[rows])
        hit = rows[u < p]
        if not hit.size:
            return
        frame = self._frame_s[hit]
        at = hour * 3600 + np.floor(3600 * self._false.uniform(hit, hour * 4 + 1)).astype(np.int64)
        more = np.log(np.maximum(self._false.uniform(hit, hour * 4 + 2), 1e-12)) / np.log(GOES_ON)
        frames = 1 + np.minimum(np.floor(more), LONGEST).astype(np.int64)
        self._false_channel = np.concatenate([self._false_channel, hit])
        self._false_from_s = np.concatenate([self._false_from_s, at])
        self._false_until_s = np.concatenate([self._false_until_s, at + frames * frame])
        self.false_begun += int(hit.size)

    # -- looking -----------------------------------------------------------------------------------------------

    def look(self, now_s: int, rain_mm_h: float, visibility_m: float, down: Bools) -> Seen:
        """Let every device whose frame is due look; ``down``: those that do not work."""
        due = (now_s % self._frame_s[self._pair_channel]) < self._tick_s
        pairs = np.flatnonzero(due & ~down[self._pair_channel]) if due.size else np.empty(0, dtype=np.int64)
        seen, score = self._true(pairs, now_s, rain_mm_h, visibility_m)
        false = self._false_now(now_s, down)
        follows = np.flatnonzero(self.following & (self._next_s <= now_s) & ~down)
        speaking = np.unique(np.concatenate([seen, false, follows]))
        out = np.full(speaking.size, UNSURE)
        at = np.searchsorted(speaking, false)
        out[at] = SURE + 0.2
        at = np.searchsorted(speaking, seen)
        out[at] = score
        hit = out >= SURE
        self._misses[speaking] = np.where(hit, 0, self._misses[speaking] + 1)
        over = self._misses[speaking] >= GIVES_UP
        out[over] = NOTHING
        self.following[speaking] = ~over
        self._next_s[speaking] = now_s + self._frame_s[speaking]
        true = np.isin(speaking, seen)
        return Seen(speaking, out, true)

    def _true(self, pairs: Ints, now_s: int, rain_mm_h: float, visibility_m: float) -> tuple[Ints, Floats]:
        """Return the channels that see a hazard in this frame, each once, with their scores."""
        if not pairs.size:
            return np.empty(0, dtype=np.int64), np.empty(0)
        channel, row, metres = self._pair_channel[pairs], self._pair_row[pairs], self._pair_m[pairs]
        p = self.probability(channel, row, metres, now_s, rain_mm_h, visibility_m)
        u = self._look.uniform(self._hazards.id[row], channel * FRAMES + now_s // self._tick_s)
        hit = np.flatnonzero(u < p)
        for k in hit.tolist():
            r = int(row[k])
            if r not in self._seen_rows:
                self._seen_rows.add(r)
                self.first.append((r, int(channel[k])))
        channel, score = channel[hit], SURE + (1.0 - SURE) * (1.0 - u[hit] / p[hit])
        order = np.lexsort((-score, channel))  # the best score of each channel first
        found, first = np.unique(channel[order], return_index=True)
        best = score[order][first]
        return found, np.round(best, 2)

    def probability(
        self, channel: Ints, row: Ints, metres: Floats, now_s: int, rain_mm_h: float, visibility_m: float
    ) -> Floats:
        """Return with which probability each channel sees each hazard in one frame."""
        if self._blindness == 0:
            return np.ones(channel.size)
        p = self._sees[channel] * distance_factor(metres, self._reach[channel])
        p *= np.exp(-KOSCHMIEDER * metres / visibility_m) * np.maximum(0.0, 1.0 - self._wet[channel] * rain_mm_h)
        if is_dark(now_s):
            p *= self._night[channel]
        full = self._full[channel]
        p *= np.where(full > 0, np.minimum(self._hazards.size[row] / np.maximum(full, 1e-9), 1.0), 1.0)
        p *= self._smoke(channel, row)
        return np.asarray(np.clip(1.0 - self._blindness * (1.0 - np.minimum(p, 1.0)), 0.0, 1.0) * (p > 0))

    def _smoke(self, channel: Ints, row: Ints) -> Floats:
        """Half as much is seen by those who stand in the smoke of a large fire, which itself is seen better by it."""
        h = self._hazards
        out = np.ones(channel.size)
        rows = h.open_rows()
        for fire in rows[(h.theme[rows] == "fire") & (h.size[rows] >= SMOKE_M2)].tolist():
            c = self._channels
            near = np.hypot(c.x_m[channel] - h.x_m[fire], c.y_m[channel] - h.y_m[fire]) <= SMOKE_M
            out[near & (h.theme[row] != "fire")] = 0.5
        return out

    def _false_now(self, now_s: int, down: Bools) -> Ints:
        if not self._false_channel.size:
            return self._false_channel
        keep = self._false_until_s > now_s
        if not keep.all():
            self._false_channel, self._false_from_s = self._false_channel[keep], self._false_from_s[keep]
            self._false_until_s = self._false_until_s[keep]
        c = self._false_channel
        due = (self._false_from_s <= now_s) & ~down[c]
        due &= (now_s - self._false_from_s) % self._frame_s[c] < self._tick_s
        return np.unique(c[due])
