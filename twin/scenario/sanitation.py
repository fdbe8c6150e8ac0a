"""Sanitation robots, or a crew of cleaners in their place (F25)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from twin.scenario.parts import Factory, Part, TimeOfDay, key

POLICIES = {
    "fixed_tour": "twin.control.mobility.sanitation.policies:FixedTour",
    "dirtiest_first": "twin.control.mobility.sanitation.policies:DirtiestFirst",
    "coverage": "twin.control.mobility.sanitation.policies:Coverage",
}

#: in the shipped city: the depot, and places that are near the most of the area's kerb
SERVICE_POINTS = ("环卫停车场", "史坞党群服务中心", "青宁党群服务中心", "大刘党群服务中心", "天兴党群服务中心")


class Hours(Part):
    """Hours of each day in which robots may sweep; over midnight where the start is later than the end."""

    start: TimeOfDay = key("from", 'a time such as "03:00"')
    end: TimeOfDay = key("until", 'a time such as "07:00"')


class Sanitation(Part):
    """Streets kept clean: by whom, which, when, how well."""

    by: Literal["robots", "crew"] = key(
        "who sweeps: robots, or the baseline of cleaners on foot with carts", "robots or crew", "robots"
    )
    units: int = key("number of sanitation robots (assumed)", "a whole number from 1 to 2000", 6, ge=1, le=2000)
    depot: str = key("where they are at home", "the name of a place", "环卫停车场", min_length=1)
    chargers: int = key("chargers at the depot", "a whole number from 0 to 1000", 3, ge=0, le=1000)
    area: tuple[str, ...] = key(
        "what is kept clean: roads by name, and places with radius_m around them (F25)",
        "a list of names of roads and places",
        ("都市阳台", "黄河大道"),
        min_length=1,
    )
    radius_m: float = key("around places of the area", "a number from 50 to 20000", 800.0, ge=50, le=20_000)
    hours: tuple[Hours, ...] = key(
        "when robots may sweep: early morning and between the peaks (assumed)",
        "a list of {start, end}, at least one",
        (
            Hours.model_validate({"start": "03:00", "end": "07:00"}),
            Hours.model_validate({"start": "09:30", "end": "11:30"}),
            Hours.model_validate({"start": "13:30", "end": "16:30"}),
        ),
        min_length=1,
    )
    standard: float = key(
        "cleanliness to be kept: 1 nothing lies there, 0.5 about 10 g/m² of dust (see docs/metrics.md)",
        "a number from 0.05 to 1", 0.7, ge=0.05, le=1,
    )  # fmt: skip
    sweep_km_h: float = key("speed of robots when sweeping", "a number from 1 to 20", 7.0, ge=1, le=20)
    water_l: float = key("water tank of a robot (assumed)", "a number from 10 to 5000", 150.0, ge=10, le=5000)
    tips: tuple[str, ...] = key(
        "where hoppers are tipped: the depot, and refuse points in communities along the area (assumed)",
        "a list of places",
        SERVICE_POINTS,
        min_length=1,
    )
    water_points: tuple[str, ...] = key(
        "where water is filled: the same places (assumed)",
        "a list of places",
        SERVICE_POINTS,
        min_length=1,
    )
    cleaners: int = key(
        "cleaners on foot (crew only; 80: 700 m of kerb each, handbooks say 250 to 1,000 m)",
        "a whole number from 1 to 20000", 80, ge=1, le=20_000,
    )  # fmt: skip
    shift_start: TimeOfDay = key("cleaners begin (crew only)", 'a time such as "05:00"', 5 * 3600)
    shift_end: TimeOfDay = key("cleaners end (crew only)", 'a time such as "17:00"', 17 * 3600)
    policy: str | Factory = key(
        "who sweeps which roads in which order",
        "fixed_tour, dirtiest_first, coverage, or package.module:Class",
        "coverage",
    )
    desk: Factory = key(
        "the control code", "package.module:Class", "twin.control.mobility.sanitation.desk:SanitationDesk"
    )

    @field_validator("area", "hours", "tips", "water_points", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @property
    def robots(self) -> int:
        """Number of units that drive: none with a crew."""
        return self.units if self.by == "robots" else 0
