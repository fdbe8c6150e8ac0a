"""The autonomous line of a run (F22) in GTFS: stops, timetable or hours, and how to book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios.exports.gtfs_rows import DAILY, agency, clock, route
from scenarios.exports.run import Ints, RunData, seconds_of
from twin.errors import ScenarioError
from twin.world.fleets.bus import SLACK, STOP_S

LINE_AGENCY = "autonomous"
GROUP, RULE = "autonomous-stops", "app"
LAYOVER_S = 180  # between the directions of the timetable, as the desk is told it
#: policies that drive the runs of a timetable
TIMED = ("timetable", "booked_stops", "Timetabled", "BookedStops")


@dataclass(frozen=True)
class ShuttleLine:
    """The line: its stops (place ids, each once), per direction their order, offsets and departures.

    ``timed``: the policy drives a timetable; else any stop to any stop within [from_s, until_s) of each day.
    """

    line: str
    place: tuple[str, ...]
    way: tuple[tuple[str, ...], ...]
    offset_s: tuple[Ints, ...]
    depart_s: tuple[Ints, ...]
    from_s: int
    until_s: int
    timed: bool

    @classmethod
    def of(cls, run: RunData) -> ShuttleLine | None:
        """Return the line of a run; None when the run has no autonomous buses."""
        bus = run.scenario.get("bus")
        if not bus:
            return None
        city, name = run.city, str(bus["line"])
        lines = city.bus_lines[city.bus_lines["line"].astype(str) == name]
        if lines.empty:
            raise ScenarioError(f"{run.folder}: its bus line '{name}' is not in the city {city.name}")
        row_of = {p: i for i, p in enumerate(city.places["place"].tolist())}
        ways = [[s for s in stops if s in row_of] for stops in lines["stops"]]
        place = tuple(dict.fromkeys(s for way in ways for s in way))
        road = city.places["road"].to_numpy(np.int64)[[row_of[s] for s in place]]
        begin, end = seconds_of(bus["start"], 0), seconds_of(bus["end"], 86_400)
        offset, depart = _timetable(
            city.network.times(road, road).astype(np.float64),
            [np.asarray([place.index(s) for s in way], dtype=np.int64) for way in ways],
            (begin, end),
            int(bus["headway_min"]) * 60,
            int(bus["units"]),
        )
        timed = str(bus["policy"]).rpartition(":")[2] in TIMED
        return cls(name, place, tuple(tuple(w) for w in ways), offset, depart, begin, end, timed)

    @property
    def route_id(self) -> str:
        """The line's id in routes.txt."""
        return f"{self.line}-autonomous"

    def trip_id(self, direction: int, run: int) -> str:
        """Return the id of a run of the timetable."""
        return f"{self.route_id}-{direction}-{run:03d}"

    @property
    def flex_trip_id(self) -> str:
        """The id of the service on demand in trips.txt."""
        return f"{self.route_id}-on-demand"

    def add_to(self, rows: dict[str, list[dict[str, Any]]], timezone: str) -> None:
        """Add agency, route, trips, times and the booking rule to the lines of a feed."""
        rows["agency"].append(agency(LINE_AGENCY, f"Autonomous buses, line {self.line}", timezone))
        rows["routes"].append(route(self.route_id, LINE_AGENCY, f"{self.line}A", f"Autonomous line {self.line}"))
        rows["booking_rules"].append(
            {"booking_rule_id": RULE, "booking_type": 0, "message": "Book in the app; it answers at once."}
        )
        booked = {"pickup_booking_rule_id": RULE, "drop_off_booking_rule_id": RULE}
        trip = {"route_id": self.route_id, "service_id": DAILY}
        if not self.timed:
            rows["location_groups"].append(
                {"location_group_id": GROUP, "location_group_name": f"Stops of line {self.line}"}
            )
            rows["location_group_stops"] += [{"location_group_id": GROUP, "stop_id": stop} for stop in self.place]
            rows["trips"].append({**trip, "trip_id": self.flex_trip_id})
            window = {
                "start_pickup_drop_off_window": clock(self.from_s),
                "end_pickup_drop_off_window": clock(self.until_s),
            }
            of = {"trip_id": self.flex_trip_id, "location_group_id": GROUP, **window, **booked}
            # from anywhere in the group to anywhere in it: the reference asks for two lines
            rows["stop_times"].append({**of, "stop_sequence": 0, "pickup_type": 2, "drop_off_type": 1})
            rows["stop_times"].append({**of, "stop_sequence": 1, "pickup_type": 1, "drop_off_type": 2})
            return
        for k, (way, offset, depart) in enumerate(zip(self.way, self.offset_s, self.depart_s, strict=True)):
            for run, depart_s in enumerate(depart.tolist()):
                name = self.trip_id(k, run)
                rows["trips"].append({**trip, "trip_id": name, "direction_id": k})
                rows["stop_times"] += [
                    {
                        "trip_id": name,
                        "arrival_time": clock(depart_s + at),
                        "departure_time": clock(depart_s + at),
                        "stop_id": stop,
                        "stop_sequence": i,
                        "pickup_type": 2,
                        "drop_off_type": 2,
                        "timepoint": 1,
                        **booked,
                    }
                    for i, (stop, at) in enumerate(zip(way, offset.tolist(), strict=True))
                ]


def _timetable(
    direct_s: Any, ways: list[Ints], hours: tuple[int, int], headway_s: int, buses: int
) -> tuple[tuple[Ints, ...], tuple[Ints, ...]]:
    """Return offsets and departures per direction: the timetable that the bus desk is told at the start of a run.

    The same rule as ``twin.world.fleets.bus.BusSystem`` (a test holds the two together): running times at free flow
    × SLACK and STOP_S a stop; as many runs as ``buses`` can drive unless a headway is given.
    """
    offsets = []
    for way in ways:
        steps = direct_s[way[:-1], way[1:]] * SLACK
        offsets.append(np.concatenate([[0.0], np.cumsum(steps + STOP_S)]))
    round_s = sum(float(o[-1]) for o in offsets) + 2 * LAYOVER_S
    every_s = headway_s or max(300, round(round_s / buses / 60) * 60)
    departs, lag = [], 0.0
    for offset in offsets:
        departs.append(np.arange(hours[0] + round(lag), hours[1] - offset[-1], every_s).astype(np.int64))
        lag += float(offset[-1]) + LAYOVER_S
    return tuple(np.rint(o).astype(np.int64) for o in offsets), tuple(departs)
