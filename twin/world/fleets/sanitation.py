"""Street cleaning in truth: dirt, what units sweep, their hoppers and tanks, tipping and filling, what is seen (F25).

A unit sweeps on legs with the task "sweep": each road it leaves behind, or stops on, is swept as far as it drove along
it, all at once at that moment. A full hopper takes nothing more; without water dust flies up and little of it is
taken. In place of robots a crew on foot may work (:mod:`.sanitation_crew`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.mobility import PARKED, SERVING, DriveTo, Places
from twin.domain.sanitation import DUST_G_L, LITTER_G_L, CleaningArea, ServiceUnit, SweeperKit, Tanks, hopper_l
from twin.errors import ScenarioError
from twin.events import CleanlinessMeasured, HopperTipped, RoadSwept, WaterFilled
from twin.world.fleets.dirt import DAY_S, EFFICIENCY, STEP_S, Dirt
from twin.world.fleets.dirt_sources import area_roads
from twin.world.fleets.ports import FleetContext
from twin.world.fleets.sanitation_crew import Crew
from twin.world.fleets.sanitation_sight import Sight
from twin.world.traffic.ports import NewVehicles
from twin.world.traffic.types import TRUCK

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WATER_L_M = 0.04  # litres a metre: 3 l/min of spray at 1.3 m/s (assumed)
TIP_S, FILL_L_S = 120, 1.0  # tipping; a tap of 60 l/min (assumed)
SERVED_AT_ONCE = 2  # units at a tip or water point (assumed)
REACH_M = 60.0
COVERED = 0.5  # a road is reported as swept when so much of it was


@dataclass
class _Gear:
    """Of one unit: litres in hopper and water tank; the road it sweeps or passes, and metres of it."""

    water_l: float
    road: int
    pos_m: float
    hopper_l: float = 0.0
    swept_m: float = 0.0
    task: str = ""


@dataclass
class _Service:
    """A unit that tips or fills, or waits for it (``until_s`` -1), at a place."""

    row: int
    what: str
    place: str
    until_s: int = -1


class SanitationSystem:
    """Dirt of the whole city, and the sweepers or cleaners of an area."""

    fleet = "sweeper"

    def __init__(self, context: FleetContext) -> None:
        self._c = context
        scenario = context.scenario.sanitation
        assert scenario is not None
        self._s, city = scenario, context.city
        self.roads = area_roads(city, scenario.area, scenario.radius_m)
        self.dirt = Dirt(city, context.dice)
        self._sight = Sight(self.dirt, context.dice, context.log)
        units = context.units
        self._gear = {
            int(row): _Gear(scenario.water_l, road=int(units.road[row]), pos_m=float(units.pos_m[row]))
            for row in units.rows(self.fleet)
        }
        self._stops = {what: self._places(what) for what in ("tip", "water")}
        self._services: list[_Service] = []
        self._crew = self._make_crew() if scenario.by == "crew" else None
        self._stepped_s = context.start_s

    def _make_crew(self) -> Crew:
        s = self._s
        between = self._c.network.times(self.roads, self.roads).astype(np.float64)
        return Crew(self.dirt, self.roads, between, s.cleaners, (s.shift_start, s.shift_end), self._c.log)

    def _places(self, kind: str) -> Places:
        names = self._s.tips if kind == "tip" else self._s.water_points
        rows = [self._c.city.place(name) for name in dict.fromkeys(names)]
        for name, row in zip(dict.fromkeys(names), rows, strict=True):
            if row["road"] < 0:
                raise ScenarioError(f"sanitation.{'tips' if kind == 'tip' else 'water_points'}: '{name}' has no road")
        n = len(rows)
        return Places(
            t_s=self._c.start_s,
            key=f"sanitation/{kind}",
            kind=kind,
            place=tuple(str(r["place"]) for r in rows),
            name=tuple(str(r["name"]) for r in rows),
            road=np.asarray([int(r["road"]) for r in rows], dtype=np.int64),
            pos_m=np.asarray([float(r["pos_m"]) for r in rows]),
            x_m=np.asarray([float(r.geometry.x) for r in rows]),
            y_m=np.asarray([float(r.geometry.y) for r in rows]),
            size=np.full(n, SERVED_AT_ONCE, dtype=np.int64),
            from_s=np.zeros(n, dtype=np.int64),
            until_s=np.full(n, DAY_S, dtype=np.int64),
        )

    # -- what the desk is told -----------------------------------------------------------------------------

    def begin(self, now_s: int) -> list[Message]:
        """Return the area, the kit of the units, and the places to tip and fill; nothing when a crew works."""
        if self._crew is not None:
            return []
        s = self._s
        units = self._c.units.number[self._c.units.rows(self.fleet)]
        n = units.size
        litter, dust = self.dirt.expected_g_m_day(self.roads)
        area = CleaningArea(
            t_s=now_s,
            key="sanitation/area",
            area="、".join(s.area),
            road=self.roads,
            standard=s.standard,
            from_s=np.asarray([h.start for h in s.hours], dtype=np.int64),
            until_s=np.asarray([h.end for h in s.hours], dtype=np.int64),
            sweep_m_s=s.sweep_km_h / 3.6,
            lanes=self.dirt.lanes[self.roads],
            litter_l_m=hopper_l(litter, dust),
        )
        kit = SweeperKit(
            t_s=now_s,
            key="sanitation/kit",
            unit=units,
            water_l=np.full(n, s.water_l),
            water_l_m=np.full(n, WATER_L_M),
            tip_s=np.full(n, TIP_S, dtype=np.int64),
            fill_l_s=np.full(n, FILL_L_S),
        )
        return [kit, *self._stops.values(), area]

    # -- time ----------------------------------------------------------------------------------------------

    def vehicles(self, new: NewVehicles) -> None:
        """Take note of vehicles that set out: they will leave dust along their routes."""
        lorry = np.repeat(np.asarray(new.type_index) == TRUCK, np.diff(new.routes.offsets))
        self.dirt.drove(new.routes.roads, 1.0, lorry)

    def tick(self, now_s: int) -> list[Message]:
        """Let units sweep, tip and fill; each quarter of an hour dirt falls and cleanliness is measured."""
        out: list[Message] = []
        for row in self._gear:
            out += self._follow(row, now_s)
        for service in [s for s in self._services if 0 <= s.until_s <= now_s]:
            out += self._serviced(service)
        self._serve(now_s)
        if now_s - self._stepped_s >= STEP_S:
            out += self._quarter(now_s, now_s - self._stepped_s)
            self._stepped_s = now_s
        return out

    def _quarter(self, now_s: int, seconds: int) -> list[Message]:
        if self._crew is not None:
            self._crew.step(now_s, seconds)
        self.dirt.step(now_s, self._c.weather.rain_mm_h, seconds)
        self._measure(now_s)
        return list(self._sight.citizens(self.roads, now_s, seconds))

    def _measure(self, now_s: int) -> None:
        d, roads = self.dirt, self.roads
        metres = d.length_m[roads]
        clean = d.cleanliness(roads)
        self._c.log.add(
            CleanlinessMeasured,
            t_s=now_s,
            area="、".join(self._s.area),
            cleanliness=float(np.average(clean, weights=metres)),
            clean_share=float(np.average(clean >= self._s.standard, weights=metres)),
            litter_g_m=float(np.average(d.litter_g_m[roads], weights=metres)),
            dust_g_m=float(np.average(d.dust_g_m[roads], weights=metres)),
        )

    # -- units on their way --------------------------------------------------------------------------------

    def _follow(self, row: int, now_s: int) -> list[Message]:
        """Take the metres that a unit came since the last look."""
        units, g = self._c.units, self._gear[row]
        leg = units.leg(row)
        task = leg.task if leg is not None else g.task
        out: list[Message] = []
        road, pos = int(units.road[row]), float(units.pos_m[row])
        entered = [r for r, _ in units.passed(row)]
        if g.road != road and (not entered or entered[-1] != road):
            self._close(row, now_s)  # somebody put it somewhere else
            g.road, g.pos_m = road, pos
        for step in entered:
            if task == "sweep":
                g.swept_m += float(self.dirt.length_m[g.road]) - g.pos_m
            out += self._close(row, now_s)
            g.road, g.pos_m = step, 0.0
        if task == "sweep":
            g.swept_m += max(pos - g.pos_m, 0.0)
        g.pos_m = pos
        if leg is None:
            out += self._close(row, now_s)
            g.task = ""
        else:
            g.task = task
        if entered:
            out += self._sight.camera(int(units.number[row]), entered[-1:], now_s)
        return out

    def _close(self, row: int, now_s: int) -> list[Message]:
        """Enter the sweeping of the road that a unit leaves; return its tanks if they changed."""
        units, g = self._c.units, self._gear[row]
        metres, g.swept_m = g.swept_m, 0.0
        if metres < 1.0:
            return []
        unit = int(units.number[row])
        wet = g.water_l >= WATER_L_M * metres
        g.water_l = max(g.water_l - WATER_L_M * metres, 0.0)
        how = "wet" if wet else "dry"
        room = float(units.capacity[row]) - g.hopper_l
        lay = float(self.dirt.litter_g_m[g.road])
        litter, dust = self.dirt.sweep(g.road, metres, how, room)
        g.hopper_l = min(g.hopper_l + litter / LITTER_G_L + dust / DUST_G_L, float(units.capacity[row]))
        self._c.log.add(RoadSwept, t_s=now_s, unit=unit, road=g.road, litter_g=litter, dust_g=dust)
        units.set(row, now_s, load=int(g.hopper_l))
        share = metres / float(self.dirt.length_m[g.road])
        complete = litter >= 0.9 * EFFICIENCY[how][0] * lay * metres
        if share >= COVERED and complete:
            units.report(row, "swept", now_s, items=[g.road])
        return [self._tanks(row, now_s)] if units.linked[row] else []

    def _tanks(self, row: int, now_s: int) -> Tanks:
        g, unit = self._gear[row], int(self._c.units.number[row])
        level = f"{g.hopper_l:.3f}/{g.water_l:.3f}"
        return Tanks(
            now_s,
            f"tanks/{unit}/{now_s}/{level}",
            np.asarray([unit]),
            np.asarray([g.hopper_l]),
            np.asarray([g.water_l]),
        )

    # -- tipping and filling -------------------------------------------------------------------------------

    def carry_out(self, command: Command, now_s: int) -> bool:
        """Let a unit tip or fill; note what a leg is for (the leg itself is the units' own)."""
        if isinstance(command, DriveTo):
            row = self._c.units.row(command.unit)
            if row in self._gear and self._c.units.leg(row) is None:
                self._gear[row].task = command.task
            return False
        if not isinstance(command, ServiceUnit):
            return False
        units = self._c.units
        row = units.row(command.unit)
        place = self._place_of(row, command.what) if row in self._gear else None
        if row in self._gear and (place is None or int(units.state[row]) != PARKED or units.broken[row]):
            why = "it does not stand at such a place" if place is None else "it is not standing by"
            units.report(row, "refused", now_s, detail=f"{command.what}: {why}")
        elif place is not None:
            units.set(row, now_s, state=SERVING)
            self._services.append(_Service(row, command.what, place))
            self._serve(now_s)
        return True

    def _place_of(self, row: int, what: str) -> str | None:
        stops = self._stops.get(what)
        if stops is None:
            return None
        units = self._c.units
        near = (stops.road == units.road[row]) & (np.abs(stops.pos_m - units.pos_m[row]) <= REACH_M)
        return stops.place[int(np.flatnonzero(near)[0])] if near.any() else None

    def _serve(self, now_s: int) -> None:
        """Let those who wait begin, in the order they came."""
        for service in self._services:
            here = [s for s in self._services if (s.place, s.what) == (service.place, service.what) and s.until_s >= 0]
            if service.until_s < 0 and len(here) < SERVED_AT_ONCE:
                missing = self._s.water_l - self._gear[service.row].water_l
                needs_s = TIP_S if service.what == "tip" else max(round(missing / FILL_L_S), 10)
                service.until_s = now_s + needs_s

    def _serviced(self, service: _Service) -> list[Message]:
        units, row, t_s = self._c.units, service.row, service.until_s
        self._services.remove(service)
        g, unit = self._gear[row], int(units.number[row])
        if service.what == "tip":
            self._c.log.add(HopperTipped, t_s=t_s, unit=unit, place=service.place, load=round(g.hopper_l))
            g.hopper_l = 0.0
        else:
            litres = round(self._s.water_l - g.water_l)
            self._c.log.add(WaterFilled, t_s=t_s, unit=unit, place=service.place, litres=litres)
            g.water_l = self._s.water_l
        units.set(row, t_s, state=PARKED, load=int(g.hopper_l))
        units.report(row, "serviced", t_s, detail=service.what)
        return [self._tanks(row, t_s)] if units.linked[row] else []

    # -- what befalls units --------------------------------------------------------------------------------

    def arrived(self, row: int, now_s: int) -> None:
        """Nothing: the next tick takes the metres of the leg."""

    def broke(self, row: int, now_s: int) -> tuple[int, ...]:
        """Let a unit that broke down stop sweeping and tipping; nothing aboard is anybody's."""
        if row in self._gear:
            self._close(row, now_s)
            self._gear[row].task = ""
        self._services = [s for s in self._services if s.row != row]
        return ()

    def repaired(self, row: int, now_s: int) -> tuple[int, ...]:
        """Let the unit stand at home, its hopper emptied by the crew that fetched it."""
        if row in self._gear:
            g, units = self._gear[row], self._c.units
            self._c.log.add(
                HopperTipped,
                t_s=now_s,
                unit=int(units.number[row]),
                place=units.home[row].place,
                load=round(g.hopper_l),
            )
            g.hopper_l, g.swept_m = 0.0, 0.0
            units.set(row, now_s, load=0)
        return ()

    def finish(self, end_s: int) -> None:
        """Measure once more; what is in hoppers is told by the units' own account."""
        for row in self._gear:
            self._close(row, end_s)
        self._measure(end_s)
