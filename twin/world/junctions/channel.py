"""The direct radio channel between vehicles and roadside units: who hears what, how late, how busy the channel is.

Reception of one packet is the product of four things, as in the analytical models of C-V2X mode 4 (Gonzalez-Martín et
al. 2019, IEEE Trans. Veh. Technol. 68(2), doi 10.1109/TVT.2018.2888704) and of IEEE 802.11p (Sepulcre et al. 2021,
doi 10.1109/TVT.2021.3124708):

* the receiver does not send itself (half duplex): 1 − rate × slot;
* the power is above the sensing threshold, with log-normal shadowing: a normal tail;
* the packet survives noise: block error rate over signal-to-noise ratio, the mean over shadowing. Table: 190 bytes,
  QPSK r = 0.5, 3GPP R1-160284 as given there;
* nobody whom the sender does not hear sends on the same resource: exp(−load of the hidden stations). Their share of
  the receiver's disc is what two discs of the sensing range do not share (uniform density, slotted ALOHA;
  a simplification of both papers, which count the stations one by one).

Path loss: WINNER+ B1 line of sight, 5.9 GHz, from a pole to a car's roof. Behind corners: plus ``CORNER_DB``.
Rates: CAM by the 4 m rule, 1–10 Hz (ETSI EN 302 637-2), at most what reactive congestion control allows at the busy
ratio of the last look (ETSI TS 102 687 V1.2.1, table A.1). Everything is columns; no loop over vehicles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import erf

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CARRIER_GHZ = 5.9
NEAR_M = 3.0
#: antennas above surroundings of 0.5 m (WINNER+ D5.3): a roof at 1.5 m (both papers), a pole at 5.5 m (assumed)
ROOF_M, POLE_M = 1.0, 5.0
BREAK_M = 4.0 * ROOF_M * POLE_M * CARRIER_GHZ / 0.3
SHADOW_DB = 3.0  # standard deviation, both papers
CORNER_DB = 15.0  # loss behind a corner, assumed (3GPP TR 37.885: about 10 to 20 dB between LOS and NLOS at 50–200 m)
#: block error rate by signal-to-noise ratio in dB
_SNR_DB = (-2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 20.0, 20.1)
_BLER = (1.0, 0.9, 0.7, 0.3, 0.09, 0.02, 0.002, 1e-3, 1e-3, 1e-4)
#: busy ratio up to which a rate is allowed, and the rate, messages per second (ETSI TS 102 687, table A.1)
DCC_BUSY = (0.30, 0.40, 0.50, 0.60)
DCC_HZ = (10.0, 5.0, 2.5, 2.0, 1.0)
CAM_STEP_M = 4.0  # a CAM whenever the vehicle has moved by 4 m (ETSI EN 302 637-2)
CAM_LEAST_HZ, CAM_MOST_HZ = 1.0, 10.0
FAR_M = 3000.0
_GRID_M = np.arange(0.0, FAR_M + 1.0, 5.0)


class Draws(Protocol):
    """A named stream of random draws (:class:`twin.dice.Stream`)."""

    def uniform(self, entity: Any, occurrence: Any = 0) -> Floats:
        """Return uniform numbers in [0, 1), one per entity."""


@dataclass(frozen=True)
class Radio:
    """A radio technology.

    ``share_s``: seconds of the whole channel that one packet takes (part of the band × its time); ``access_low_ms`` to
    ``access_high_ms``: wait for the own resource, uniform; ``processing_ms``: both stations together, assumed.
    """

    name: str
    power_dbm: float
    noise_dbm: float
    sense_dbm: float
    share_s: float
    slot_s: float
    access_low_ms: float
    access_high_ms: float
    processing_ms: float


#: LTE-V2X PC5 mode 4: 10 MHz, 23 dBm, noise figure 9 dB (−95 dBm); four subchannels, one packet of 190 bytes takes one
#: of them for 1 ms; selection window 4–100 ms (3GPP TS 36.213: T1 ≤ 4 ms, T2 ≤ 100 ms)
PC5 = Radio("c-v2x", 23.0, -95.0, -90.5, 0.001 / 4, 0.001, 4.0, 100.0, 10.0)
#: IEEE 802.11p: 10 MHz, 23 dBm, 6 Mbit/s: 190 bytes and overhead about 0.35 ms; CSMA/CA: a few ms of access
ITS_G5 = Radio("its-g5", 23.0, -95.0, -85.0, 0.00035, 0.00035, 0.1, 4.0, 10.0)
RADIOS = {radio.name: radio for radio in (PC5, ITS_G5)}


def path_loss_db(distance_m: Floats) -> Floats:
    """Return the WINNER+ B1 line-of-sight loss, never below that of free space."""
    d = np.maximum(distance_m, NEAR_M)
    near = 22.7 * np.log10(d) + 27.0 + 20.0 * np.log10(CARRIER_GHZ)
    far = 40.0 * np.log10(d) + 7.56 - 17.3 * np.log10(ROOF_M * POLE_M) + 2.7 * np.log10(CARRIER_GHZ)
    free = 20.0 * np.log10(d) + 46.4 + 20.0 * np.log10(CARRIER_GHZ / 5.0)
    return np.asarray(np.maximum(np.where(d < BREAK_M, near, far), free))


def heard_quietly(radio: Radio, distance_m: Floats, extra_db: float = 0.0) -> Floats:
    """Return the probability that a packet gets over ``distance_m`` when nobody else sends."""
    mean = radio.power_dbm - path_loss_db(distance_m) - extra_db
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    power = mean[:, None] + SHADOW_DB * nodes[None, :]
    good = 1.0 - np.interp(power - radio.noise_dbm, _SNR_DB, _BLER)
    # what is below the sensing threshold is lost whatever the noise
    good *= 0.5 * (1.0 + erf((power - radio.sense_dbm) / 0.1))
    return np.asarray(good @ (weights / weights.sum()))


def sense_range_m(radio: Radio) -> float:
    """Return the distance at which the mean power is at the sensing threshold."""
    power = radio.power_dbm - path_loss_db(_GRID_M)
    return float(_GRID_M[power >= radio.sense_dbm].max())


def hidden_share(distance_m: Floats, range_m: float) -> Floats:
    """Return the share of a receiver's disc that a sender ``distance_m`` away does not hear (equal discs)."""
    x = np.clip(distance_m / (2.0 * range_m), 0.0, 1.0)
    return np.asarray(1.0 - 2.0 / np.pi * (np.arccos(x) - x * np.sqrt(1.0 - x * x)))


def dcc_limit_hz(busy: Floats) -> Floats:
    """Return the most messages per second that reactive congestion control allows at a busy ratio."""
    return np.asarray(np.array(DCC_HZ)[np.searchsorted(DCC_BUSY, busy, side="right")])


def cam_rate_hz(speed_m_s: Floats, busy: Floats) -> Floats:
    """Return the rate of CAMs of vehicles of these speeds at these busy ratios."""
    wanted = np.clip(speed_m_s / CAM_STEP_M, CAM_LEAST_HZ, CAM_MOST_HZ)
    return np.asarray(np.minimum(wanted, dcc_limit_hz(busy)))


@dataclass(frozen=True)
class Heard:
    """Messages of one second, one row each: ``row`` of the station, ``rsu``, when made, how late (nan: lost)."""

    row: Ints
    rsu: Ints
    sent_ms: Ints
    delay_ms: Floats


class Channel:
    """The air around roadside units at ``x_m``, ``y_m``. ``entity``: stable numbers of the units, for their draws."""

    def __init__(
        self, radio: Radio, x_m: Floats, y_m: Floats, draws: Draws, *, loss: float = 0.0, rsu_hz: float = 11.0
    ) -> None:
        self.radio, self._x, self._y, self._draws = radio, x_m, y_m, draws
        self.loss = loss  # on top of the model, 0..1
        self.rsu_hz = rsu_hz  # SPATEM 10 Hz and MAPEM 1 Hz (ETSI TS 103 301)
        self.range_m = sense_range_m(radio)
        self._clear = heard_quietly(radio, _GRID_M)
        self._corner = heard_quietly(radio, _GRID_M, CORNER_DB)
        self.busy = np.zeros(x_m.size)  # of the last look
        self.stations = np.zeros(x_m.size, dtype=np.int64)

    def nearest(self, x_m: Floats, y_m: Floats) -> tuple[Ints, Floats]:
        """Return the nearest unit (row; -1 where there is none) and its distance, for each point."""
        if self._x.size == 0:
            return np.full(x_m.size, -1, dtype=np.int64), np.full(x_m.size, np.inf)
        apart = np.hypot(x_m[:, None] - self._x[None, :], y_m[:, None] - self._y[None, :])
        row = apart.argmin(axis=1).astype(np.int64)
        return row, apart[np.arange(x_m.size), row]

    def look(self, x_m: Floats, y_m: Floats, speed_m_s: Floats) -> Floats:
        """Take in where all connected vehicles are; return the rate at which each sends, Hz. Sets ``busy``."""
        if self._x.size == 0:
            return cam_rate_hz(speed_m_s, np.zeros(x_m.size))
        apart = np.hypot(x_m[None, :] - self._x[:, None], y_m[None, :] - self._y[:, None])
        within = apart <= self.range_m
        busy = np.zeros(x_m.size)
        if x_m.size:
            near = apart.argmin(axis=0)
            busy = np.where(within[near, np.arange(x_m.size)], self.busy[near], 0.0)
        rate = cam_rate_hz(speed_m_s, busy)
        between = np.hypot(self._x[None, :] - self._x[:, None], self._y[None, :] - self._y[:, None])
        packets = within @ rate + self.rsu_hz * (between <= self.range_m).sum(axis=1)
        self.busy = np.minimum(packets * self.radio.share_s, 1.0)
        self.stations = within.sum(axis=1).astype(np.int64)
        return rate

    def chance(self, rsu: Ints, distance_m: Floats, rate_hz: Floats | float, clear: Any = True) -> Floats:
        """Return the probability that one packet gets from a station to a unit or back; ``clear``: line of sight."""
        quiet = np.where(
            clear, np.interp(distance_m, _GRID_M, self._clear), np.interp(distance_m, _GRID_M, self._corner)
        )
        quiet = np.where(distance_m > FAR_M, 0.0, quiet)
        hidden = self.busy[rsu] * hidden_share(distance_m, self.range_m)
        alone = 1.0 - np.minimum(np.asarray(rate_hz) * self.radio.slot_s, 1.0)
        return np.asarray((1.0 - self.loss) * quiet * alone * np.exp(-hidden))

    def send(self, now_s: int, station: Ints, x_m: Floats, y_m: Floats, rate_hz: Floats) -> Heard:
        """Let stations send their CAMs of the second from ``now_s``; each may be heard by the nearest unit in range."""
        rsu, apart = self.nearest(x_m, y_m)
        use = np.flatnonzero((rsu >= 0) & (apart <= self.range_m))
        # a rate of 2.5 Hz is two or three messages a second: the fraction is carried by the second's number
        phase = self._draws.uniform(station[use], -1)
        count = np.floor(rate_hz[use] * (now_s + 1) + phase) - np.floor(rate_hz[use] * now_s + phase)
        n = count.astype(np.int64)
        row = np.repeat(use, n)
        k = np.arange(row.size) - np.repeat(np.cumsum(n) - n, n)
        rate = np.repeat(np.maximum(n, 1), n)
        sent = now_s * 1000 + np.floor((k + np.repeat(phase, n)) * 1000.0 / rate).astype(np.int64)
        occasion = 32 * now_s + 2 * k
        chance = self.chance(rsu[row], apart[row], rate_hz[row])
        got = self._draws.uniform(station[row], occasion) < chance
        delay = np.where(got, self._delay_ms(station[row], occasion + 1), np.nan)
        return Heard(row, rsu[row], sent, delay)

    def first_heard_ms(
        self, now_s: int, station: Ints, rsu: Ints, distance_m: Floats, rate_hz: float, clear: Any = True
    ) -> Floats:
        """Return after how many ms each station has first heard what its unit repeats at ``rate_hz`` (inf: never)."""
        chance = self.chance(rsu, distance_m, rate_hz, clear)
        u = self._draws.uniform(station, 32 * now_s + 30)
        with np.errstate(divide="ignore", invalid="ignore"):
            missed = np.floor(np.log1p(-u) / np.log1p(-np.minimum(chance, 1.0 - 1e-12)))
        wait = np.where(chance > 0, missed * 1000.0 / rate_hz, np.inf)
        return np.asarray(wait + self._delay_ms(station, 32 * now_s + 31))

    def _delay_ms(self, station: Ints, occasion: Ints | int) -> Floats:
        r = self.radio
        wait = self._draws.uniform(station, occasion)
        return np.asarray(r.processing_ms + r.access_low_ms + wait * (r.access_high_ms - r.access_low_ms))
