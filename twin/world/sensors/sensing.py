"""All sensor channels of a run: what they measure and see becomes readings, late, noisy, lost, repeated, wrong (F5).

Time goes in ticks of ten seconds. What is made when nothing happens – measurements, and signs of life of those that
speak only when they see something – is laid out ten minutes ahead for all channels at once; each tick takes its slice,
gives it the values of the moment, adds what devices see, and hands over what has arrived.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from twin.domain.city_brain import ChannelMap, Readings
from twin.events import ChannelsPlaced, HazardInView, HazardSensed, ReadingsSent
from twin.scenario.city_brain import Sensors
from twin.world.city_brain.hazards import Hazards
from twin.world.city_brain.nature import Nature
from twin.world.city_brain.sites import Places
from twin.world.ports import RunContext
from twin.world.sensors.channel_kinds import CHANNEL_KINDS
from twin.world.sensors.channels import channel_map, place_channels
from twin.world.sensors.faults import Faults
from twin.world.sensors.post import Fates, Post
from twin.world.sensors.sightings import Sightings
from twin.world.sensors.signals import Signals
from twin.world.weather import visibility_m

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TICK_S = 10
BLOCK_S = 600
HOUR_S = 3600
DAY_S = 86_400
SPIKE = 40.0  # a spike is so many noises, and up to four times that (assumed)


class Sensing:
    """See the module's text. ``tick`` every TICK_S returns what arrived."""

    def __init__(
        self, context: RunContext, settings: Sensors, places: Places, hazards: Hazards, nature: Nature
    ) -> None:
        self._c, self._hazards = context, hazards
        perfect = settings.perfect
        self.channels = place_channels(places, settings)
        ch = self.channels
        self.signals = Signals(context, ch, nature, hazards)
        self.sightings = Sightings(
            ch,
            hazards,
            context.dice,
            blindness=0.0 if perfect else settings.blindness,
            false_alarms=0.0 if perfect else settings.false_alarms,
            tick_s=TICK_S,
        )
        self.faults = Faults(ch, context.dice, context.log, 0.0 if perfect else settings.outages)
        self.post = Post(ch, context.dice, settings)
        self._noise_factor = 0.0 if perfect else settings.noise
        self._noise = context.dice.stream("city_brain.noise")
        every = np.arange(len(ch))
        self._period_s = ch.of("period_s", int).astype(np.int64)
        # each channel has its own moment within its period
        self._phase_s = np.floor(context.dice.stream("city_brain.phase").uniform(every) * self._period_s).astype(
            np.int64
        )
        self._sd = ch.of("noise") * self._noise_factor
        self._drift_s = (
            ch.of("drift_day") * self._noise_factor / DAY_S * context.dice.stream("city_brain.drift").normal(every)
        )
        self._spike = ch.of("spikes_a_day") * self._noise_factor
        self._step = ch.of("step")
        self._measures = np.asarray([k.measures != "" for k in CHANNEL_KINDS])[ch.kind]
        self._begun_s = context.start_s
        self._block: tuple[Ints, Ints, Floats, Fates] = (
            np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0),
            Fates(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)),
        )  # fmt: skip
        self._edges: Ints = np.zeros(2, dtype=np.int64)
        self._block_s = -1
        self._measured: dict[int, Ints] = {}  # rows of hazards that are measured and not sensed yet → channels
        self._false_told = 0
        self.readings = 0
        #: called with (row of a hazard, channel, second) when a channel first perceives a hazard
        self.listeners: list[Callable[[int, int, int], None]] = []
        hazards.listeners.append(self._heard)

    # -- before the first instant ------------------------------------------------------------------------------

    def begin(self, now_s: int) -> ChannelMap:
        """Log what was placed; return the message that tells alerting the channels."""
        count = np.bincount(self.channels.kind, minlength=len(CHANNEL_KINDS))
        for k, kind in enumerate(CHANNEL_KINDS):
            self._c.log.add(
                ChannelsPlaced, t_s=now_s, kind=kind.name, channels=int(count[k]), period_s=kind.period_s,
                reach_m=float(kind.reach_m),
            )  # fmt: skip
        self.signals.update(now_s)
        self.faults.hour(now_s // HOUR_S)
        self.sightings.false_hour(now_s // HOUR_S)
        return channel_map(self._c.city, self.channels, now_s)

    def _heard(self, what: str, row: int, now_s: int) -> None:
        if what == "ended":
            self.sightings.forget(row)
            self._measured.pop(row, None)
            return
        seen, measured = self.sightings.watch(row), self.signals.pairs_of(row)
        if measured.size:
            self._measured[row] = measured
        self._c.log.add(
            HazardInView, t_s=now_s, hazard=int(self._hazards.id[row]), theme=str(self._hazards.theme[row]),
            channels=int(seen.size + measured.size),
        )  # fmt: skip

    # -- time ----------------------------------------------------------------------------------------------------

    def minute(self, now_s: int) -> None:
        """Bring what can be measured up to date; once an hour draw outages and false sightings."""
        if now_s % HOUR_S == 0 and now_s > self._begun_s:
            self.faults.hour(now_s // HOUR_S)
            self.sightings.false_hour(now_s // HOUR_S)
        self.faults.step(now_s)
        self.signals.update(now_s)

    def tick(self, now_s: int) -> Readings | None:
        """Make the readings of (now − TICK_S, now]; return what arrived."""
        self._regular(now_s)
        weather = self._c.weather
        seen = self.sightings.look(
            now_s, weather.rain_mm_h, visibility_m(weather.kind, weather.rain_mm_h), self.faults.down
        )
        if seen.channel.size:
            made = np.full(seen.channel.size, now_s, dtype=np.int64)
            self.post.send(seen.channel, made, seen.score, self.post.fates(seen.channel, made))
            self._first_sightings(now_s)
        arrived = self.post.arrived(now_s)
        if arrived is not None:
            self.readings += arrived.channel.size
        return arrived

    def _lay_out(self, block_s: int) -> None:
        """Lay out the readings that are made in [block_s, block_s + BLOCK_S) come what may, in order of their tick."""
        period, phase = self._period_s, self._phase_s
        first = -(-(block_s - phase) // period)
        count = np.maximum(0, -(-(block_s + BLOCK_S - phase) // period) - first)
        channel = np.repeat(np.arange(period.size), count)
        start = np.repeat(np.cumsum(count) - count, count)
        turn = np.repeat(first, count) + np.arange(channel.size) - start
        made = phase[channel] + turn * period[channel]
        order = np.lexsort((channel, made // TICK_S))
        channel, made = channel[order], made[order]
        noise = np.zeros(channel.size)
        measures = np.flatnonzero(self._measures[channel])
        if self._noise_factor > 0 and measures.size:
            c, t = channel[measures], made[measures]
            z = self._noise.normal(c, t)
            noise[measures] = self._sd[c] * z
            spiky = np.flatnonzero(self._spike[c] > 0)
            u = self._noise.uniform(c[spiky], DAY_S * 1000 + t[spiky])
            limit = self._spike[c[spiky]] * self._period_s[c[spiky]] / DAY_S
            hit = u < limit
            noise[measures[spiky[hit]]] += self._sd[c[spiky[hit]]] * SPIKE * (1.0 + 3.0 * u[hit] / limit[hit])
        self._block = (channel, made, noise, self.post.fates(channel, made))
        self._edges = np.searchsorted(made // TICK_S, block_s // TICK_S + np.arange(BLOCK_S // TICK_S + 1))
        self._block_s = block_s

    def _regular(self, now_s: int) -> None:
        """Give the readings of the tick before now their values and put them on their way."""
        from_s = now_s - TICK_S
        block_s = from_s - from_s % BLOCK_S
        if block_s != self._block_s:
            self._lay_out(block_s)
        k = (from_s - block_s) // TICK_S
        a, b = int(self._edges[k]), int(self._edges[k + 1])
        if a == b:
            return
        channel, made, noise, fates = self._block
        channel, made = channel[a:b], made[a:b]
        # devices that follow something speak already; those that are down do not
        speaks = ~self.faults.down[channel] & ~self.sightings.following[channel]
        value = self.signals.value[channel] + noise[a:b]
        value += self._drift_s[channel] * (made - self._begun_s)
        value = np.round(value / self._step[channel]) * self._step[channel]
        sent = Fates(fates.arrive_s[a:b][speaks], fates.again_s[a:b][speaks])
        self.post.send(channel[speaks], made[speaks], np.round(value[speaks], 4), sent)
        if self._measured:
            self._first_measurements(channel[speaks], now_s)

    def shows(self, theme: str, x_m: float, y_m: float) -> bool:
        """Whether a picture of a working camera for this theme shows a spot."""
        return self.sightings.shows(theme, x_m, y_m, self.faults.down)

    # -- perception beside the truth -------------------------------------------------------------------------------

    def _first_sightings(self, now_s: int) -> None:
        for row, channel in self.sightings.first:
            self._sensed(row, channel, now_s)
        self.sightings.first.clear()

    def _first_measurements(self, channel: Ints, now_s: int) -> None:
        for row, wanted in list(self._measured.items()):
            if self._hazards.began_s[row] > now_s - 60:
                continue  # values are brought up to date once a minute
            found = wanted[np.isin(wanted, channel)]
            if found.size:
                del self._measured[row]
                self._sensed(row, int(found[0]), now_s)

    def _sensed(self, row: int, channel: int, now_s: int) -> None:
        self._c.log.add(
            HazardSensed, t_s=now_s, hazard=int(self._hazards.id[row]), theme=str(self._hazards.theme[row]),
            channel=channel,
        )  # fmt: skip
        for listener in self.listeners:
            listener(row, channel, now_s)

    def account(self, now_s: int) -> None:
        """Write down how many readings there were since the last account."""
        counts, self.post.counts = self.post.counts, type(self.post.counts)()
        false, self._false_told = self.sightings.false_begun - self._false_told, self.sightings.false_begun
        self._c.log.add(
            ReadingsSent, t_s=now_s, readings=counts.made, lost=counts.lost, repeated=counts.repeated,
            false_sightings=false,
        )  # fmt: skip
