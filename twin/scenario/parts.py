"""The parts of a scenario: city, people, traffic, weather, zoom, control; and how a key is declared."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

DAY_S = 86_400
TEMPLATES = ("qibu",)

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
TrafficMode = Literal["meso", "micro", "free-flow"]
WeatherKind = Literal["clear", "rain", "fog", "snow"]

_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\Z")
_ADDRESS = re.compile(r"https?://[\w.\[\]:]+/?\Z")
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z")


class Part(BaseModel):
    """Base of everything in a scenario: frozen, strict, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, value: Any) -> Any:
        """Take a list of a file where a tuple is kept."""
        if not isinstance(value, dict):
            return value
        return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}


def key(doc: str, allowed: str, default: Any = ..., **limits: Any) -> Any:
    """Declare a key: what it is, what may be written, its default, and pydantic's limits."""
    return Field(default, description=doc, json_schema_extra={"allowed": allowed}, **limits)


# -- times of day ------------------------------------------------------------------------------------


def seconds_of(text: object) -> int:
    """Return the seconds since midnight of "HH:MM" or "HH:MM:SS", up to "24:00"."""
    if not isinstance(text, str):
        raise PydanticCustomError("time", "not a time")
    match = _TIME.match(text.strip())
    if match is None:
        raise PydanticCustomError("time", "not a time")
    hours, minutes, seconds = (int(g or 0) for g in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 59 or total > DAY_S:
        raise PydanticCustomError("time", "not a time")
    return total


def clock_text(t_s: int) -> str:
    """Return "HH:MM" (with ":SS" where needed) of a second of the day, 86,400 being "24:00"."""
    hours, rest = divmod(int(t_s), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")


def _time_in(value: object) -> object:
    # a whole number can only come from Python, where seconds are what everything else uses
    return seconds_of(value)


TimeOfDay = Annotated[int, BeforeValidator(_time_in), PlainSerializer(clock_text, return_type=str)]


# -- the parts ---------------------------------------------------------------------------------------


class CitySource(Part):
    """Where the city comes from: a template shipped with the twin, a city folder, or files of others."""

    template: Literal["qibu"] | None = key("city shipped with the twin", "qibu", None)
    folder: str | None = key("folder made by 'twin city build'", "a folder with a city.json in it", None, min_length=1)
    osm: str | None = key("OpenStreetMap extract", "a file .osm or .osm.gz", None, min_length=1)
    sumo: str | None = key("SUMO network", "a file .net.xml or .net.xml.gz", None, min_length=1)
    routes: tuple[str, ...] = key("route files that give the demand", "a file, or a list of files (with sumo)", ())
    additional: tuple[str, ...] = key("SUMO additional files (stops, polygons)", "a list of files (with sumo)", ())

    name: str | None = key("the city's name (with osm or sumo)", "text of at most 60 characters", None, max_length=60)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return city_mapping(value)

    @field_validator("routes", "additional", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value

    def __str__(self) -> str:
        file = self.folder or self.osm or self.sumo
        return self.name or self.template or (PurePath(file).name if file else "no city")


def city_mapping(value: Any) -> Any:
    """Return the long form of ``city: NAME``: a shipped template, or else a folder."""
    if isinstance(value, str):
        return {"template": value} if value in TEMPLATES else {"folder": value}
    return value


class People(Part):
    """Who lives and works in the city."""

    residents: int = key(
        "number of residents (64,000 Daqiao, 52,000 Cuizhai, 56,000 Sungeng, 63,000 Taiping: an unverified prior)",
        "a whole number from 1 to 5,000,000",
        235_000,
        ge=1,
        le=5_000_000,
    )
    companies: int = key("number of companies", "a whole number from 0 to 200,000", 6_000, ge=0, le=200_000)
    share: float = key(
        "share of the residents who are simulated, for quick looks; roads stay as they are",
        "a number above 0, up to 1",
        1.0,
        gt=0,
        le=1,
    )

    @property
    def simulated(self) -> int:
        """Number of residents who are simulated: ``residents`` × ``share``, at least 1."""
        return max(1, round(self.residents * self.share))


class Traffic(Part):
    """How traffic is simulated and what drives besides the residents."""

    mode: TrafficMode = key(
        "meso: queues, for whole days; micro: every car-following step; free-flow: nobody in the way, for tests",
        "meso, micro or free-flow",
        "meso",
    )
    time_to_teleport_s: int = key(
        "seconds a vehicle may be stuck before SUMO moves it on",
        "-1 (never) or a whole number from 1 to 86400",
        300,
        ge=-1,
        le=DAY_S,
    )
    fcd_period_s: int = key(
        "seconds between two recorded positions of a vehicle",
        "a whole number from 0 (none recorded) to 3600",
        30,
        ge=0,
        le=3600,
    )
    route_refresh_s: int = key(
        "seconds after which routes are computed anew from the travel times of the moment",
        "a whole number from 60 to 86400",
        3600,
        ge=60,
        le=DAY_S,
    )
    background: float = key(
        "factor on through traffic and freight, 0 for none", "a number from 0 to 10", 1.0, ge=0, le=10
    )
    given: bool = key("drive the vehicles of the city's route files", "true or false", False)

    @field_validator("time_to_teleport_s")
    @classmethod
    def _not_zero(cls, value: int) -> int:
        if value == 0:
            raise PydanticCustomError("teleport_zero", "0 is neither never nor a time")
        return value


class Weather(Part):
    """The weather; rain and snow slow traffic and change how people travel."""

    kind: WeatherKind = key("kind of weather", "clear, rain, fog or snow", "clear")
    rain_mm_h: float = key(
        "intensity of rain, or of snow as water, in mm per hour", "a number from 0 to 200", 0.0, ge=0, le=200
    )


class Zoom(Part):
    """An area cut out of the city and run in micro, with the demand that crosses its border."""

    place: str | None = key("centre: a place of the city by name or id", "the name of a place", None, min_length=1)
    lon: float | None = key("centre: longitude", "degrees from -180 to 180", None, ge=-180, le=180)
    lat: float | None = key("centre: latitude", "degrees from -90 to 90", None, ge=-90, le=90)
    radius_m: float = key("radius in metres", "a number from 100 to 20000", 1500.0, ge=100, le=20_000)
    start: TimeOfDay | None = key("start of the zoom (default: of the run)", 'a time such as "07:30"', None)
    end: TimeOfDay | None = key("end of the zoom (default: of the run)", 'a time such as "08:30"', None)
    day: int = key("day of the zoom, 1 is the first", "a whole number from 1 to 31", 1, ge=1, le=31)


# -- control -----------------------------------------------------------------------------------------


def _factory_in(value: object) -> object:
    """Take "package.module:Class", the address of a remote controller, or a class itself (from Python)."""
    if isinstance(value, str):
        if not _FACTORY.match(value) and not _ADDRESS.match(value):
            raise PydanticCustomError("factory", "not a factory")
        return value
    if callable(value):
        return value
    raise PydanticCustomError("factory", "not a factory")


def _factory_out(value: Any) -> str:
    return value if isinstance(value, str) else f"{value.__module__}:{value.__qualname__}"


Factory = Annotated[
    str | Callable[[], Any], BeforeValidator(_factory_in), PlainSerializer(_factory_out, return_type=str)
]


class Control(Part):
    """Which control code decides; every system is off unless named."""

    incident_traffic: Factory | None = key(
        "sees detectors and closure reports, answers with rerouting advice and speed limits",
        "package.module:Class (such as twin.control.junctions.incident_traffic:IncidentTraffic) or null",
        None,
    )

    def factories(self) -> dict[str, str | Callable[[], Any]]:
        """Return the systems that are on, by name, in the order of declaration."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}
