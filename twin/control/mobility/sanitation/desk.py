"""The sanitation desk: dirt, units, permits and hours in; legs, tipping, water and charging out (F25).

A fold over messages. Who sweeps which roads is the policy's choice (:mod:`.ports`); when to tip, fill, charge and go
home is arithmetic (:mod:`.jobs`); what a unit is believed to be is in :mod:`.sweepers`. Here: messages are taken in,
the policy is asked when something changed, and units that wait get their next command.

Nothing is taken as done before it is reported. A unit that is silent for ``SILENCE_S`` while it should be driving, or
that broke down, loses its roads to the others until it is heard again. A leg that leads into a closed road or out of
the permit is cut or led round; a unit whose permit ended is stopped and goes on when it has one again, or is fetched.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.control.mobility.permits import Permits
from twin.control.mobility.sanitation.areas import Areas
from twin.control.mobility.sanitation.hours import next_begin
from twin.control.mobility.sanitation.inbox import Inbox
from twin.control.mobility.sanitation.jobs import CHARGE_FULL, CHARGE_TO, Bounds, Job, Site, next_job
from twin.control.mobility.sanitation.legs import Legs
from twin.control.mobility.sanitation.policies import Coverage
from twin.control.mobility.sanitation.ports import Floats, Ints, SanitationPolicy, SanitationView
from twin.control.mobility.sanitation.stops import Stops
from twin.control.mobility.sanitation.sweepers import Sweeper
from twin.control.mobility.sanitation.ways import Ways
from twin.control.mobility.stranded import Stranded
from twin.control.mobility.streets import Streets
from twin.domain.commands import Command, WakeAt
from twin.domain.messages import Message

LOOK_S = 300  # between two looks while somebody works
REST_S = 60  # a unit that rests is looked at no more often, unless it is given roads
ASK_S = 600  # a unit without work is offered some no more often


class SanitationDesk:
    """Steers sweepers; see the module's text. State is rebuilt by replaying its messages."""

    def __init__(self, policy: type[SanitationPolicy] | SanitationPolicy = Coverage) -> None:
        self._policy: SanitationPolicy = policy() if isinstance(policy, type) else policy
        self._seen: set[str] = set()
        self._ways, self._stops, self._permits = Ways(), Stops(), Permits()
        self._areas = Areas()
        self._inbox = Inbox(self._ways, self._stops, self._permits, self._areas)
        self._legs = Legs(self._ways)
        self._stranded = Stranded()
        self._known: tuple[object, ...] = ()
        self._shift_s = -1
        self._granted: tuple[int, int] = (-1, 0)  # version of the permits, and second until which grants hold
        self._wake_s = -1

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold the messages into what is known and answer with what the units do next."""
        out: list[Command] = []
        for message in messages:
            if message.key not in self._seen:  # else told twice
                self._seen.add(message.key)
                out += self._inbox.take(message, now_s)
        units = self._inbox.units
        if not (self._ways.known and units and self._areas.known):
            return out
        self._areas.dirt.at(now_s)
        fastest = min(u.speed_m_s for u in units.values())
        self._grant(now_s)
        out += self._inbox.watch(now_s)
        for u in units.values():
            out += self._legs.keep_lawful(u, now_s, self._streets(u, fastest))
            out += self._bring_home(u, now_s)
        open_now = self._areas.open(now_s)
        if open_now is not None:
            self._ask(now_s, open_now, fastest)
        for u in units.values():
            out += self._next(u, now_s, open_now, fastest)
        out += self._wake(now_s, open_now is not None)
        return out

    def _grant(self, now_s: int) -> None:
        """Look up what the units may do, once a permit or the time of day may have changed it."""
        units = self._inbox.units.values()
        version, until_s = self._granted
        if version == self._permits.version and now_s < until_s and all(u.granted for u in units):
            return
        for u in units:
            u.grant = self._permits.grant(
                "sweeper", u.unit, "cleaning", now_s, self._ways.base.length_m.size, u.test_h, u.test_km
            )
            u.granted = True
        until_s = min(self._permits.changes_s("sweeper", u.unit, now_s) for u in units)
        self._granted = (self._permits.version, until_s)

    def _streets(self, u: Sweeper, fastest: float) -> Streets | None:
        """Return the streets a unit may use now, None if it may not drive."""
        return self._ways.under(u.grant, fastest) if u.grant.roads is not None else None

    def _bring_home(self, u: Sweeper, now_s: int) -> list[Command]:
        """Call the recovery crew for a unit that stays out, silent or not, when nothing permits it to drive."""
        barred = u.grant.roads is None and not (u.broken or u.at_home)
        again_s = self._permits.changes_s("sweeper", u.unit, now_s) if barred else now_s
        return [*self._stranded.look(u.unit, barred, again_s, now_s)]

    # -- who sweeps what -----------------------------------------------------------------------------------

    def _ask(self, now_s: int, open_now: tuple[int, int, Ints], fastest: float) -> None:
        """Ask the policy for new rounds, if anything changed since it was asked."""
        units = self._inbox.units
        fit = [u for u in units.values() if u.works(now_s) and u.grant.roads is not None and u.goal != "charge"]
        shift_s = open_now[0]
        known = (
            shift_s,
            self._permits.version,
            tuple((u.unit, u.grant.permits) for u in fit),
            tuple(np.flatnonzero(self._ways.base.closed).tolist()),
        )
        idle = [u for u in fit if u.fit and not u.round and not u.driving and not u.goal]
        asking = [u for u in idle if now_s >= u.asked_s + ASK_S]
        if known == self._known and not asking and not self._inbox.undone:
            return
        self._known, self._inbox.undone, self._shift_s = known, False, shift_s
        for u in units.values():
            u.round = []
        none = np.empty(0, dtype=np.int64)
        taken = np.concatenate([none, *(u.sweeping() for u in units.values() if u.works(now_s))])
        groups = sorted({u.grant.permits for u in fit})
        for permits in groups:
            group = [u for u in fit if u.grant.permits == permits]
            view = self._view(now_s, open_now, group, self._ways.under(group[0].grant, fastest), taken)
            if view.road.size == 0:
                continue
            self._give(view, now_s)
            taken = np.concatenate([taken, *(np.asarray(u.round, dtype=np.int64) for u in group)])
        for u in fit:
            if not u.round:
                u.asked_s = now_s

    def _view(
        self, now_s: int, open_now: tuple[int, int, Ints], group: list[Sweeper], streets: Streets, taken: Ints
    ) -> SanitationView:
        shift_s, ends_s, roads = open_now
        dirt = self._areas.dirt
        roads = roads[~streets.shut()[roads] & ~np.isin(roads, taken)]
        roads = roads[~np.isin(roads, self._inbox.left_alone(now_s))]
        rows = np.searchsorted(dirt.road, roads)
        clean, length = dirt.cleanliness()[rows], streets.length_m[roads]
        swept_s = dirt.swept_s[rows]

        def transit_s(from_roads: object, to_roads: object) -> Floats:
            return self._ways.transit_s(streets, from_roads, to_roads)  # type: ignore[arg-type]

        return SanitationView(
            now_s=now_s,
            shift_s=shift_s,
            ends_s=min(ends_s, *(u.grant.until_s for u in group)),
            standard=self._areas.standard,
            road=roads,
            length_m=length,
            sweep_s=length / self._sweep_m_s(group[0]),
            litter_g_m=dirt.litter_g_m[rows],
            dust_g_m=dirt.dust_g_m[rows],
            cleanliness=clean,
            swept_s=swept_s,
            due=(swept_s < shift_s) | (clean < self._areas.standard),
            fill_l=dirt.fill_l_m()[rows] * length,
            unit=np.asarray([u.unit for u in group], dtype=np.int64),
            unit_road=np.asarray([u.ends_at for u in group], dtype=np.int64),
            hopper_l=np.asarray([u.capacity_l - u.hopper_l for u in group]),
            transit_s=transit_s,
        )

    def _give(self, view: SanitationView, now_s: int) -> None:
        """Take the policy's rounds in, after checking them."""
        who = type(self._policy).__name__
        left, free = set(view.road.tolist()), set(view.unit.tolist())
        for item in self._policy.rounds(view):
            if item.unit not in free:
                allowed = ", ".join(map(str, view.unit.tolist()))
                raise ValueError(f"{who} gave unit {item.unit} a round at {now_s} s; allowed, each once: {allowed}")
            free.remove(item.unit)
            for road in item.roads:
                if road not in left:
                    raise ValueError(
                        f"{who} gave road {road} to unit {item.unit} at {now_s} s;"
                        " only roads of the view are allowed, each once"
                    )
                left.remove(road)
            self._inbox.units[item.unit].round = [int(r) for r in item.roads]

    # -- what a unit does next -----------------------------------------------------------------------------

    def _sweep_m_s(self, u: Sweeper) -> float:
        return min(self._areas.sweep_m_s, u.speed_m_s, u.grant.speed_m_s)

    def _next(self, u: Sweeper, now_s: int, open_now: tuple[int, int, Ints] | None, fastest: float) -> list[Command]:
        if u.goal or u.driving or not u.fit or now_s < u.pause_until_s or (now_s < u.rest_until_s and not u.round):
            return []
        streets = self._streets(u, fastest)
        site = Site(self._ways, streets or self._ways.base, self._stops, self._users())
        stop = self._stops.named(u.place, now_s) if u.came_for else None
        if stop is not None:
            job = Job(u.came_for, stop=stop, charge=CHARGE_TO if u.round else CHARGE_FULL)
            u.came_for = ""
        elif streets is None:  # it may not drive: at home it can at least charge
            job = _at_home(u, site, now_s)
        else:
            u.round = [r for r in u.round if not streets.shut()[r]]
            ends_s = open_now[1] if open_now is not None else now_s
            bounds = Bounds(now_s, self._sweep_m_s(u), min(ends_s, u.grant.until_s), u.grant.until_s)
            dirt = self._areas.dirt
            rows = np.searchsorted(dirt.road, np.asarray(u.round, dtype=np.int64))
            fill_l = (dirt.fill_l_m()[rows] if rows.size else np.empty(0)) * streets.length_m[u.round]
            job = next_job(u, fill_l, bounds, site)
        u.rest_until_s = now_s + REST_S if job.what == "rest" else 0
        return self._legs.begin(u, job, now_s, site.streets, self._sweep_m_s(u))

    def _users(self) -> dict[tuple[str, str], int]:
        users: dict[tuple[str, str], int] = {}
        for u in self._inbox.units.values():
            if u.place[1] and not (u.broken or u.lost):
                users[u.place] = users.get(u.place, 0) + 1
        return users

    def _wake(self, now_s: int, working: bool) -> list[Command]:
        out = any(not u.at_home or u.goal for u in self._inbox.units.values())
        begin_s = next_begin(self._areas.from_s, now_s)
        wake_s = min(now_s // LOOK_S * LOOK_S + LOOK_S, begin_s) if working or out else begin_s
        if wake_s == self._wake_s:  # asked for already
            return []
        self._wake_s = wake_s
        return [WakeAt(f"wake/{wake_s}", wake_s)]


def _at_home(u: Sweeper, site: Site, now_s: int) -> Job:
    """Return charging for a unit that must not drive but stands at a charger; else rest."""
    here = [s for s in site.stops.of("charger", now_s) if s.road == u.road]
    if here and u.charge < 0.95 and abs(here[0].pos_m - u.pos_m) < 80.0:
        return Job("charge", stop=here[0], charge=1.0)
    return Job("rest")
