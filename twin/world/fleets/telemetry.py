"""What units send of themselves, and what becomes of it on the way (F21).

Every ``period_s`` each unit with a link sends where it is, how fast, what it met since its last sending. On the way a
sending is lost, comes late, comes twice, or has a wrong value; positions lie on a neighbouring road now and then
(GNSS), speeds and braking are noisy, clocks are off by a few seconds. Whatever comes late comes with a later batch.

A unit without a link sends nothing, and nothing is made up for afterwards: telemetry is of the moment (assumed; what
it met meanwhile – top speed, braking, red lights – is told with its first sending when the link is back).

Each draw is a function of unit and sending; draws are made in blocks of sendings, which changes no number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.control.mobility.standings import AUTOMATED
from twin.dice import Dice
from twin.domain.messages import Message
from twin.domain.mobility import STATES, Telemetry
from twin.events import TelemetryGathered
from twin.log import Log
from twin.scenario.supervision import Telemetry as Quality
from twin.world.fleets.conduct import Conduct
from twin.world.fleets.ports import DESK_OF
from twin.world.fleets.units import Units

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_BLOCK = 64  # sendings
_U = 8  # uniform draws of a sending
_LOST, _LATE, _DELAY, _TWICE, _WRONG, _WHICH, _BESIDE, _WHERE = range(_U)
PLATFORM = "supervision"
REPEAT_S = 10
KM_H = 3.6
#: what a wrong value can be: a road anywhere, a speed in km/h, a spike of braking, a red light that was none, a
#: state that is not, an odometer that was reset
WRONGS = ("road", "speed", "braking", "red light", "state", "odometer")
#: columns of readings, kept as rows of two arrays: whole numbers and others
_WHOLE = ("unit", "sent_s", "road", "red_lights", "load", "state")
_OTHER = ("pos_m", "speed_m_s", "top_speed_m_s", "braking_m_s2", "battery", "odometer_m")


@dataclass(frozen=True, slots=True)
class _Readings:
    """Readings of units: ``whole`` has a row for each of _WHOLE, ``other`` for each of _OTHER."""

    whole: Ints
    other: Floats

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        column: npt.NDArray[Any] = self.whole[_WHOLE.index(name)] if name in _WHOLE else self.other[_OTHER.index(name)]
        return column

    def some(self, which: Ints | npt.NDArray[np.bool_]) -> _Readings:
        return _Readings(self.whole[:, which], self.other[:, which])

    def told(self, now_s: int, desk: str) -> Telemetry:
        columns = {**dict(zip(_WHOLE, self.whole, strict=True)), **dict(zip(_OTHER, self.other, strict=True))}
        return Telemetry(now_s, f"telemetry/{desk}/{now_s}", **columns)


@dataclass(slots=True)
class _OnItsWay:
    """Readings that have not arrived, and when they will."""

    at_s: Ints
    readings: _Readings


class TelemetryLink:
    """Carries telemetry from all units to their desks and to the platform."""

    def __init__(
        self, units: Units, conduct: Conduct, city: City, log: Log, dice: Dice, quality: Quality, start_s: int
    ) -> None:
        self._units, self._conduct, self._log, self._q, self._start_s = units, conduct, log, quality, start_s
        self._uniform = dice.stream("fleets.telemetry")
        self._normal = dice.stream("fleets.telemetry.noise")
        skew = dice.stream("fleets.telemetry.clock").normal(units.number)
        self._skew_s = np.rint(skew * quality.clock_skew_s).astype(np.int64)
        self._beside = _neighbours(city)
        self._length_m = city.roads["length_m"].to_numpy(np.float64)
        self._block = -1
        self._draws: Floats = np.empty((0, 0, 0))
        self._noise: Floats = np.empty((0, 0, 0))
        self._waiting: list[_OnItsWay] = []
        self._desks = {
            desk: np.isin(units.fleet.astype(str), [f for f, d in DESK_OF.items() if d == desk])
            for desk in dict.fromkeys(DESK_OF[f] for f in units.fleet.tolist())
        }
        self._desks[PLATFORM] = np.isin(units.fleet.astype(str), AUTOMATED)
        self._order = np.argsort(units.number)

    def tick(self, now_s: int) -> list[tuple[str, Message]]:
        """Let units send, and return (desk, message) of what arrives now."""
        if (now_s - self._start_s) % self._q.period_s == 0 and len(self._units):
            self._send(now_s)
        return self._arrive(now_s)

    # -- sending --------------------------------------------------------------------------------------------

    def _send(self, now_s: int) -> None:
        q, u = self._q, self._units
        rows = np.flatnonzero(u.linked & ~u.broken)
        if not rows.size:
            return
        draw, noise = self._of(now_s, rows)
        c = self._columns(rows, now_s, noise)
        self._conduct.taken(rows)
        beside = draw[_BESIDE] < q.beside
        if beside.any():
            c["road"][beside] = self._road_beside(c["road"][beside], draw[_WHERE][beside])
            c["pos_m"][beside] = np.minimum(c["pos_m"][beside], self._length_m[c["road"][beside]])
        wrong = draw[_WRONG] < q.wrong
        for i in np.flatnonzero(wrong).tolist():
            self._spoil(c, i, float(draw[_WHICH][i]))
        lost = draw[_LOST] < q.loss
        late = (draw[_LATE] < q.late) & ~lost
        delay = np.where(late, np.ceil(-q.late_mean_s * np.log1p(-draw[_DELAY])), 0.0).astype(np.int64)
        twice = (draw[_TWICE] < q.repeated) & ~lost
        there = ~lost
        self._wait(c, there & (delay == 0), now_s + delay)
        self._wait(c, there & (delay > 0), now_s + delay)
        self._wait(c, twice, now_s + delay + REPEAT_S)
        self._log.add(
            TelemetryGathered,
            t_s=now_s,
            units=int(there.sum()),
            lost=int(lost.sum()),
            late=int((late & (delay > 0)).sum()),
            wrong=int((wrong & there).sum()),
        )

    def _of(self, now_s: int, rows: Ints) -> tuple[Floats, Floats]:
        """Return the draws of this sending: uniform (_U, rows) and normal (3, rows)."""
        sending = (now_s - self._start_s) // self._q.period_s
        block, k = divmod(sending, _BLOCK)
        if block != self._block:
            unit = self._units.number
            s = self._start_s + np.arange(block * _BLOCK, (block + 1) * _BLOCK) * self._q.period_s
            n = unit.size
            self._draws = self._uniform.uniform(
                np.tile(unit, _BLOCK * _U), np.repeat(s[:, None] * _U + np.arange(_U), n)
            ).reshape(_BLOCK, _U, n)
            self._noise = self._normal.normal(
                np.tile(unit, _BLOCK * 3), np.repeat(s[:, None] * 3 + np.arange(3), n)
            ).reshape(_BLOCK, 3, n)
            self._block = block
        return self._draws[k][:, rows], self._noise[k][:, rows]

    def _columns(self, rows: Ints, now_s: int, noise: Floats) -> _Readings:
        q, u, conduct = self._q, self._units, self._conduct
        speed = conduct.motion.speed_m_s[rows]
        going = speed > 0
        said = np.where(going, np.maximum(speed + q.speed_noise_m_s * noise[0], 0.0), 0.0)
        top = conduct.top_speed_m_s[rows]
        top = np.where(top > 0, np.maximum(top + q.speed_noise_m_s * noise[1], said), said)
        braking = conduct.braking_m_s2[rows]
        braking = np.where(braking > 0, np.maximum(braking + q.braking_noise_m_s2 * noise[2], 0.0), 0.0)
        whole = (
            u.number[rows], now_s + self._skew_s[rows], u.road[rows], conduct.red_lights[rows], u.load[rows],
            u.state[rows],
        )  # fmt: skip
        return _Readings(
            np.array(whole), np.array((u.pos_m[rows], said, top, braking, u.battery[rows], u.odometer_m[rows]))
        )

    def _road_beside(self, road: Ints, draw: Floats) -> Ints:
        count = (self._beside[road] >= 0).sum(axis=1)
        pick = self._beside[road, np.minimum((draw * count).astype(np.int64), np.maximum(count - 1, 0))]
        return np.where(count > 0, pick, road)

    def _spoil(self, c: _Readings, i: int, draw: float) -> None:
        which, rest = divmod(draw * len(WRONGS), 1.0)
        what = WRONGS[int(which)]
        if what == "road":
            c["road"][i] = int(rest * self._length_m.size)
            c["pos_m"][i] = rest * self._length_m[int(c["road"][i])]
        elif what == "speed":
            c["speed_m_s"][i] *= KM_H
            c["top_speed_m_s"][i] *= KM_H
        elif what == "braking":
            c["braking_m_s2"][i] = 20.0 * rest
        elif what == "red light":
            c["red_lights"][i] += 1
        elif what == "state":
            c["state"][i] = int(rest * len(STATES))
        else:
            c["odometer_m"][i] = 0.0

    def _wait(self, c: _Readings, which: npt.NDArray[np.bool_], at_s: Ints) -> None:
        if which.any():
            self._waiting.append(_OnItsWay(at_s[which], c.some(which)))

    # -- arriving -------------------------------------------------------------------------------------------

    def _arrive(self, now_s: int) -> list[tuple[str, Message]]:
        came: list[_Readings] = []
        still: list[_OnItsWay] = []
        for batch in self._waiting:
            here = batch.at_s <= now_s
            if here.all():
                came.append(batch.readings)
                continue
            if not here.any():
                still.append(batch)
                continue
            came.append(batch.readings.some(here))
            still.append(_OnItsWay(batch.at_s[~here], batch.readings.some(~here)))
        self._waiting = still
        if not came:
            return []
        c = came[0]
        if len(came) > 1:
            c = _Readings(
                np.concatenate([part.whole for part in came], axis=1),
                np.concatenate([part.other for part in came], axis=1),
            )
        row = np.searchsorted(self._units.number, c["unit"], sorter=self._order)
        row = self._order[row]
        out: list[tuple[str, Message]] = []
        for desk, mine in self._desks.items():
            take = np.flatnonzero(mine[row])
            if take.size:
                out.append((desk, c.some(take).told(now_s, desk)))
        return out


def _neighbours(city: City) -> Ints:
    """Row per road: the roads that lead into it or out of it, padded with -1."""
    n = len(city.roads)
    a, b = city.turns["from_road"].to_numpy(np.int64), city.turns["to_road"].to_numpy(np.int64)
    pair = np.unique(np.concatenate([a * n + b, b * n + a]))
    here, there = np.divmod(pair, n)
    count = np.bincount(here, minlength=n)
    out = np.full((n, max(int(count.max(initial=0)), 1)), -1, dtype=np.int64)
    out[here, np.arange(here.size) - np.repeat(np.cumsum(count) - count, count)] = there
    return out
