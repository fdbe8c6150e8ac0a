"""Connected vehicles, roadside units, cloud control platform: the part ``junctions.v2x`` of a scenario (F19, F20)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import field_validator

from twin.scenario.parts import Factory, Part, TimeOfDay, key
from twin.scenario.systems import Problem, Wrong

if TYPE_CHECKING:
    from twin.scenario.model import Scenario

_HERE = "twin.control.junctions."


class JunctionPlan(Part):
    """The plan of one junction."""

    junction: str = key("which", "the name of a traffic light", min_length=1)
    offset_s: int = key("begin of its first green in the cycle", "a whole number from 0 to 600", 0, ge=0, le=600)
    greens: tuple[int, ...] = key(
        "green of its phases in their order, s; 0 leaves one out", "a list of whole numbers", min_length=1
    )

    @field_validator("greens", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class PlanHours(Part):
    """A plan of the traffic police for hours of each day."""

    start: TimeOfDay = key("from", 'a time such as "07:00"')
    end: TimeOfDay = key("until", 'a time such as "09:00"')
    green_wave: bool = key("the platform makes a green wave of its own in these hours", "true or false", False)
    plans: tuple[JunctionPlan, ...] = key("or: plans of junctions; the others keep theirs", "a list of plans", ())

    @field_validator("plans", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class Platform(Part):
    """The cloud control platform: area control with the traffic police's plans (F20)."""

    police: tuple[PlanHours, ...] = key("plans by hour; other hours: the junctions' own", "a list of hours", ())
    desk: Factory = key("the control code", "package.module:Class", _HERE + "cloud:CloudPlatform")

    @field_validator("police", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class ExchangeKeys(Part):
    """The way perceive → send → cloud → answer → cabinet in ms: medians; 99th percentiles beside (all assumed)."""

    budget_ms: float = key("what it may take; orders over it are counted (F20: ms; the figure is assumed)",
                           "a number from 1 to 60000", 300.0, ge=1, le=60_000)  # fmt: skip
    perceive_ms: float = key("edge perception, median (p99 150 ms × median/80)", "a number from 0 to 10000", 80.0, ge=0,
                             le=10_000)  # fmt: skip
    network_ms: float = key("network, each way, median (p99: four times)", "a number from 0 to 10000", 15.0, ge=0,
                            le=10_000)  # fmt: skip
    cloud_ms: float = key("platform, median (p99: four times)", "a number from 0 to 10000", 20.0, ge=0, le=10_000)
    cabinet_ms: float = key("cabinet, median (p99: twice)", "a number from 0 to 10000", 50.0, ge=0, le=10_000)
    extra_ms: float = key("more on each way", "a number from 0 to 60000", 0.0, ge=0, le=60_000)
    loss: float = key(
        "share of messages and orders of a junction that are lost", "a number from 0 to 1", 0.0, ge=0, le=1
    )


class V2xKeys(Part):
    """Connected vehicles and roadside units (F19, F27); see docs/v2x.md."""

    radio: Literal["c-v2x", "its-g5"] = key(
        "direct radio: LTE-V2X PC5 (5,905–5,925 MHz in China) or IEEE 802.11p", "c-v2x or its-g5", "c-v2x"
    )
    penetration: float = key(
        "share of cars, through and freight traffic with a radio (assumed)", "a number from 0 to 1", 0.1, ge=0, le=1
    )
    fleets: bool = key("units of fleets and buses have a radio (F21: test vehicles are watched)", "true or false", True)
    compliance: float = key("share of drivers who take advice (assumed)", "a number from 0 to 1", 0.7, ge=0, le=1)
    loss: float = key("share of radio messages lost on top of the model", "a number from 0 to 1", 0.0, ge=0, le=1)
    functions: tuple[Literal["glosa", "warnings", "merging"], ...] = key(
        "what roadside units of grade L3 do, in micro (F19)", "a list of glosa, warnings, merging",
        ("glosa", "warnings", "merging"),
    )  # fmt: skip
    persons_per_hour: float = key(
        "people who step onto an approach from behind something, per junction of grade L3 and hour (assumed)",
        "a number from 0 to 600", 6.0, ge=0, le=600,
    )  # fmt: skip
    setback_m: float = key(
        "corners of buildings stand back so far from the axes of the roads (assumed)", "a number from 5 to 200", 20.0,
        ge=5, le=200,
    )  # fmt: skip
    measure: bool = key(
        "watch every vehicle second by second for standstills and fuel (micro; costs time)", "true or false", False
    )
    period_s: int | None = key(
        "seconds between two looks at the vehicles; null: 1 in micro, 60 in meso",
        "a whole number from 1 to 600, or null", None, ge=1, le=600,
    )  # fmt: skip
    exchange: ExchangeKeys | None = key(
        "latency and loss between road and cloud; null: none of this part", "keys budget_ms, …, or null", ExchangeKeys()
    )
    platform: Platform | None = key("the cloud control platform; null: off", "keys police, desk, or null", Platform())
    desk: Factory = key("the control code of the roadside units", "package.module:Class", _HERE + "roadside:roadside")
    journal: bool = key("keep the journals of these desks (large: every message)", "true or false", False)

    @field_validator("functions", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


def disagreements(s: Scenario, v: V2xKeys) -> list[Problem]:
    """Return (key path, rest of the sentence) for what does not fit together: called by the part it is in."""
    found: list[Problem] = []
    here = ("junctions", "v2x")
    if v.measure and s.traffic.mode != "micro" and s.zoom is None:
        found.append(((*here, "measure"), f"is true, but traffic.mode is {s.traffic.mode}: it needs micro, or a zoom"))
    if (v.period_s or 1) > 1 and s.traffic.mode == "micro" and v.functions:
        found.append(((*here, "period_s"), f"is {v.period_s}; with functions in micro only 1 is allowed"))
    for i, hours in enumerate(v.platform.police if v.platform is not None else ()):
        where = (*here, "platform", "police", i)
        if hours.green_wave and hours.plans:
            found.append((where, "has a green wave and plans: only one of them is allowed"))
        if not hours.green_wave and not hours.plans:
            found.append((where, "has neither plans nor a green wave"))
        if hours.start == hours.end:
            found.append((where, "begins when it ends"))
    return found


def check(v: V2xKeys, wrong: Wrong) -> None:
    """Report desks that cannot be loaded: called by the part it is in. Plans meet the signals when the run starts."""
    from twin.errors import ScenarioError
    from twin.scenario.check import load_factory

    here = ("junctions", "v2x")
    desks: list[tuple[tuple[str, ...], Any]] = [((*here, "desk"), v.desk)]
    if v.platform is not None:
        desks.append(((*here, "platform", "desk"), v.platform.desk))
    for path, spec in desks:
        try:
            load_factory(spec, "")
        except ScenarioError as error:
            wrong(path, str(error).removeprefix(" "))
