"""Hazards, sensor channels, alerting, incidents and responders (F1-F12, F43)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from twin.scenario.parts import Factory, Part, key
from twin.scenario.responders import Responders, policy_problem
from twin.scenario.systems import Problem, Wrong

if TYPE_CHECKING:
    from twin.scenario.check import CityNames
    from twin.scenario.model import Scenario

#: as in twin.domain.city_brain.THEMES
Theme = Literal[
    "water", "fire", "site", "dust", "bikes", "level", "ponding", "crowd", "straw", "garbage", "road", "vendors",
    "thrown", "fire_lane", "manhole", "ebike", "gas", "lift",
]  # fmt: skip
ALL_THEMES: tuple[Theme, ...] = Theme.__args__  # type: ignore[attr-defined]
_Factor = Annotated[float, Field(ge=0, le=1000)]
FACTOR = "a number from 0 (none) to 1000"


class HazardRates(Part):
    """What happens in truth: 12 themes (F7) and 6 community risks (F12)."""

    themes: tuple[Theme, ...] = key("which themes happen", f"a list of: {', '.join(ALL_THEMES)}", ALL_THEMES)
    rate: _Factor = key("factor on how often hazards begin (rates: docs/city_brain.md)", FACTOR, 1.0)
    common_causes: float = key(
        "how many hazards come from causes that they share with neighbours: 0 none, each comes alone; 1 as assumed"
        " (docs/city_brain.md)", "a number from 0 to 1", 1.0, ge=0, le=1,
    )  # fmt: skip


class Sensors(Part):
    """Sensor channels and how well they work."""

    channels: int = key("number of channels (F5: 19,000)", "a whole number from 20 to 1000000", 19_000, ge=20, le=10**6)
    waters: int = key("water areas with cameras (F8: 160)", "a whole number from 0 to 100000", 160, ge=0, le=100_000)
    fire_points: int = key(
        "fire points with cameras (F9: 320)", "a whole number from 0 to 100000", 320, ge=0, le=100_000
    )
    perfect: bool = key(
        "true: everything in reach is seen at once, nothing else is, and no message is lost (for proofs)",
        "true or false",
        False,
    )
    blindness: _Factor = key("factor on what cameras miss: 0 nothing, 1 as assumed", FACTOR, 1.0)
    false_alarms: _Factor = key("factor on false sightings a day", FACTOR, 1.0)
    noise: _Factor = key("factor on noise and drift of readings", FACTOR, 1.0)
    outages: _Factor = key("factor on outages and flat batteries", FACTOR, 1.0)
    lost_share: float = key("share of messages that get lost (assumed)", "a number from 0 to 1", 0.002, ge=0, le=1)
    repeated_share: float = key(
        "share of messages that come twice (assumed)", "a number from 0 to 1", 0.001, ge=0, le=1
    )
    late_share: float = key(
        "share of messages held up for minutes, which come out of order (assumed)",
        "a number from 0 to 1",
        0.001,
        ge=0,
        le=1,
    )
    late_mean_s: float = key("mean of that delay, s (assumed)", "a number from 1 to 86400", 120.0, ge=1, le=86_400)
    skew_s: float = key(
        "standard deviation of sensors' clocks, s (assumed)", "a number from 0 to 3600", 0.5, ge=0, le=3600
    )


class Alerting(Part):
    """From readings to alerts."""

    rules: str = key(
        "the city's rules: a shipped set by name, or a file (twin rules check FILE)",
        "standard, example, or a .yaml file",
        "standard",
        min_length=1,
    )
    confirm: bool = key(
        "an alert that wants to be confirmed by a second sensor or a person waits for it (F10); false: it does not, and"
        " what a rule is unsure of is nothing",
        "true or false",
        True,
    )
    detectors: bool = key("statistical detectors beside the rules", "true or false", True)
    desk: Factory = key(
        "the control code", "package.module:Class", "twin.control.city_brain.alerting.engine:AlertEngine"
    )
    answer_s: float = key(
        "mean time until a person has looked at a picture, s, where no incident desk does (assumed)",
        "a number from 1 to 3600",
        30.0,
        ge=1,
        le=3600,
    )
    operator_hit: float = key(
        "probability that a person confirms what is true (assumed)", "a number from 0 to 1", 0.97, ge=0, le=1
    )
    operator_false: float = key(
        "probability that a person confirms what is not (assumed)", "a number from 0 to 1", 0.05, ge=0, le=1
    )


class CityBrain(Part):
    """Hazards, sensor channels, alerting, incidents and responders (F1-F12, F43)."""

    hazards: HazardRates = key("what happens in truth", "keys themes, rate", HazardRates())
    sensors: Sensors | None = key(
        "sensor channels; null: the city sees nothing", "keys channels, perfect, …; or null", Sensors()
    )
    alerting: Alerting = key("from readings to alerts", "keys rules, detectors, desk, …", Alerting())
    responders: Responders | None = key(
        "who comes, and how incidents are handled", "see docs/city_brain.md", Responders()
    )


def disagreements(s: Scenario) -> list[Problem]:
    """Return (key path, rest of the sentence) for what does not fit together in this part, or with others."""
    assert s.city_brain is not None
    out: list[Problem] = []
    sensors = s.city_brain.sensors
    if sensors is not None:
        cameras = 3 * sensors.waters + 2 * sensors.fire_points
        if cameras > sensors.channels:
            out.append(
                (
                    ("city_brain", "sensors", "channels"),
                    f"is {sensors.channels:,}, but cameras at {sensors.waters} waters and {sensors.fire_points} fire"
                    f" points need {cameras:,}",
                )
            )
        shares = sensors.lost_share + sensors.late_share
        if shares > 1:
            out.append(
                (("city_brain", "sensors", "lost_share"), f"and late_share together are {shares:g}; allowed: up to 1")
            )
    if s.city_brain.responders is not None and (problem := policy_problem(s.city_brain.responders)):
        out.append((("city_brain", "responders", "policy"), problem))
    return out


def check(s: Scenario, names: CityNames, wrong: Wrong) -> None:
    """Report what this part names and the city does not have: ``wrong(key path, rest of the sentence)``."""
    from twin.errors import ScenarioError
    from twin.scenario.alert_rules import find_rules, load_rules
    from twin.scenario.mistakes import show_value

    part = s.city_brain
    assert part is not None
    try:
        load_rules(find_rules(part.alerting.rules))
    except ScenarioError as error:
        wrong(("city_brain", "alerting", "rules"), f"cannot be used: {error}")
    for i, item in enumerate(s.interventions):
        if item.kind == "hazard":
            known = {*names.place, *names.place_name, *names.place_en}
            if item.place not in known:
                wrong(("interventions", i, "place"), f"is {show_value(item.place)}; {names.name} has no such place")
