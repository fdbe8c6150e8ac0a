"""What is assumed about people: every behavioural number in one place, with its source or the word "assumed".

Nothing here is observed in the Start-up Area itself. The mode-choice numbers were chosen so that a weekday of
the shipped district has the mode shares of a medium-size Chinese city with many e-bikes (walk about 28 %,
e-bike 33 %, car 25 %, bus 8 %; assumed); the calibration issue replaces them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from twin.errors import ScenarioError

#: a vehicle number has room for 999 trips of one resident, a day takes 16
TRIPS_A_DAY = 16
LAST_DAY = 999 // TRIPS_A_DAY - 1


@dataclass(frozen=True)
class ModeTaste:
    """Utility of the modes: constants and minutes. All assumed; see the module's text."""

    walk_per_min: float = -0.07
    ebike_constant: float = -0.75
    ebike_per_min: float = -0.062
    car_constant: float = 0.25
    car_per_min: float = -0.055
    car_per_km: float = -0.02
    bus_constant: float = 0.25
    bus_ride_per_min: float = -0.035
    bus_access_per_min: float = -0.06
    passenger_constant: float = -4.4
    passenger_per_min: float = -0.060
    # effect of rain, multiplied by min(rain, 10 mm/h) / 10
    rain_walk: float = -0.9
    rain_ebike: float = -1.8
    rain_bus: float = -0.3
    # longest distances that people consider at all, in metres along streets
    walk_most_m: float = 4_500.0
    ebike_most_m: float = 18_000.0


@dataclass(frozen=True)
class PeopleSettings:
    """How many people and companies there are, and how they behave.

    Sizes: residents 235,000 = 64,000 / 52,000 / 56,000 / 63,000 by subdistrict (unverified prior, places.md);
    companies about 6,000 (issue 2; F47 for the lead industries). All shares, speeds and times: assumed, unless
    the line says otherwise. Raises ScenarioError for a number that makes no sense.
    """

    residents: int = 235_000
    companies: int = 6_000
    # -- who commutes over the gates
    out_commuters: float = 0.10  # share of the employed who work outside the city
    in_commuters: float = 0.07  # people from outside who work here, per resident
    beyond_gate_s: int = 900  # an out-commuter's way goes on behind the gate
    home_workers: float = 0.05  # share of the employed without a way to work
    home_workers_village: float = 0.14  # the same in villages, where shops and workshops are part of the house
    # -- what people own: cars per household: more than half of Shandong's own one (2020 census yearbook)
    cars_village: float = 0.50
    cars_town: float = 0.58
    cars_new_town: float = 0.72
    ebike_adult: float = 0.86  # 16 to 64 years
    ebike_elderly: float = 0.55
    # -- how fast they are: walking 4.5 km/h; e-bikes are limited to 25 km/h (GB 17761-2018), net 18 km/h
    walk_m_s: float = 1.25
    walk_dev_m_s: float = 0.15  # among people; Highway Capacity Manual 6
    ebike_m_s: float = 5.0
    ebike_dev_m_s: float = 0.6
    bus_m_s: float = 6.4  # stops included, along the straight line x detour
    car_signals: float = 1.2  # driving time over free flow when the roads are empty: signals, junctions
    car_peak: float = 1.15  # the same again in the peaks, as people expect it
    parking_s: int = 90  # to the parked car or e-bike and from it; not part of the driving time
    # -- how they plan
    buffer_mean_s: float = 300.0  # personal safety margin before a due time
    late_tolerated_s: int = 300
    learning: float = 0.6  # share of a lateness that is added to the margin
    shift_most_s: int = 2_700
    late_days_to_switch: int = 2
    refused_as_late_s: int = 1_800  # a trip that failed weighs like such a lateness
    short_stay_s: int = 300  # somebody held up stays at least this long
    lunch_at_home: float = 0.30  # of day workers within 3 km
    activity: float = 1.15  # factor on the frequency of shopping, leisure and errands
    mode_habit: float = 0.75  # probability that the usual draw decides on the mode, not the day's
    taste: ModeTaste = ModeTaste()

    def check(self, where: str = "people") -> None:
        """Raise ScenarioError, one sentence, if a value makes no sense."""
        if self.residents < 1:
            raise ScenarioError(f"{where}.residents: {self.residents} is not a population; it must be at least 1")
        if self.residents > 100_000_000:
            raise ScenarioError(f"{where}.residents: {self.residents} is too many; at most 100,000,000")
        if self.companies < 0:
            raise ScenarioError(f"{where}.companies: {self.companies} is not a number of companies; 0 or more")
        shares = (
            "out_commuters",
            "home_workers",
            "home_workers_village",
            "ebike_adult",
            "ebike_elderly",
            "lunch_at_home",
            "mode_habit",
        )
        for name in (*shares, "learning"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ScenarioError(f"{where}.{name}: {value} is not a share; it must lie between 0 and 1")
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, int | float) and value < 0:
                raise ScenarioError(f"{where}.{f.name}: {value} is negative; it must be 0 or more")
        for name in ("walk_m_s", "ebike_m_s", "bus_m_s", "car_signals", "car_peak"):
            if getattr(self, name) <= 0:
                raise ScenarioError(f"{where}.{name}: {getattr(self, name)} must be more than 0")
