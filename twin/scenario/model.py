"""What a scenario says: frozen, typed data in planner's words. The seed is not part of it.

Every key carries two texts, read by the error messages, ``twin describe`` and ``twin diff``: what it is
(``description``) and what may be written (``allowed``). Times are "HH:MM" in files and seconds since midnight
inside; a scenario starts at ``start`` on its first day and ends at ``end`` on its last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from twin.scenario.bus import Bus
from twin.scenario.city_brain import CityBrain
from twin.scenario.community import Community
from twin.scenario.companies import Companies
from twin.scenario.construction import Construction
from twin.scenario.delivery import Delivery
from twin.scenario.interventions import Intervention
from twin.scenario.junctions import Junctions
from twin.scenario.parts import (
    DAY_S,
    CitySource,
    Control,
    Part,
    People,
    TimeOfDay,
    Traffic,
    Weather,
    Weekday,
    Zoom,
    clock_text,
    key,
)
from twin.scenario.sanitation import Sanitation
from twin.scenario.services import Services
from twin.scenario.supervision import Supervision
from twin.scenario.waivers import Waiver
from twin.scenario.yaml_file import KeyPath, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_WEEKEND_DAY = 5
NAME_PATTERN = r"^[^\W_][\w\-]{0,63}$"


class Marks:
    """Where each key of a scenario was written; knows nothing that a run depends on, so any two are equal."""

    def __init__(self, marks: Mapping[KeyPath, Mark] | None = None) -> None:
        self.of = dict(marks or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Marks)

    def __hash__(self) -> int:
        return 0


class Scenario(Part):
    """One scenario. Make it with :func:`twin.scenario.load_scenario`, which explains every mistake."""

    name: str = key(
        "short name, used for the run folder",
        "letters, digits, '-' and '_', at most 64",
        "scenario",
        pattern=NAME_PATTERN,
    )
    title: str = key("what the scenario is, in a line", "text of at most 200 characters", "", max_length=200)
    title_zh: str = key("the title in Chinese", "text of at most 200 characters", "", max_length=200)
    question: str = key("what the scenario is run to find out", "text of at most 1,000 characters", "", max_length=1000)
    question_zh: str = key("the question in Chinese", "text of at most 1,000 characters", "", max_length=1000)
    city: CitySource = key(
        "the city",
        "qibu, a folder made by 'twin city build', {osm: FILE} or {sumo: FILE, routes: FILE, additional: [FILE]}",
        CitySource(template="qibu"),
    )
    weekday: Weekday = key("day of the week of the first day", "monday, tuesday, … or sunday", "monday")
    start: TimeOfDay = key("time of the first day at which the run starts", 'a time such as "06:30"', 0)
    end: TimeOfDay = key("time of the last day at which the run ends", 'a time such as "09:30", up to "24:00"', DAY_S)
    days: int = key("number of days", "a whole number from 1 to 31", 1, ge=1, le=31)
    people: People | None = key("who lives here", "keys residents, companies, share; or null for nobody", People())
    traffic: Traffic = key("how traffic is simulated", "keys mode, background, given, …", Traffic())
    weather: Weather = key("the weather at the start", "keys kind, rain_mm_h", Weather())
    zoom: Zoom | None = key(
        "an area that is run again in micro", "place (or lon and lat), radius_m, start, end; or null", None
    )
    bus: Bus | None = key("autonomous buses", "keys units, line, policy, …; or null for none", None)
    delivery: Delivery | None = key(
        "delivery robots, or couriers in their place", "keys units, by, policy, …; or null for none", None
    )
    sanitation: Sanitation | None = key("sanitation robots", "keys units, policy, …; or null for none", None)
    supervision: Supervision | None = key(
        "permits and the safety supervision platform", "keys permits, faults, policy, …; or null: nobody watches", None
    )
    junctions: Junctions | None = key(
        "signals, grades, V2X and the cloud control platform", "see docs/junctions.md; or null: off", None
    )
    city_brain: CityBrain | None = key(
        "hazards, sensors, alerting, incidents, responders", "see docs/city_brain.md; or null: off", None
    )
    community: Community | None = key(
        "residents' reports and neighbour points", "see docs/community.md; or null: off", None
    )
    services: Services | None = key(
        "service hall, channels, catalogue, cases", "see docs/services.md; or null: off", None
    )
    companies: Companies | None = key(
        "companies, policies, business climate", "see docs/companies.md; or null: off", None
    )
    construction: Construction | None = key(
        "construction projects and their supervision", "see docs/construction.md; or null: off", None
    )
    control: Control = key("the control code at work", "system: package.module:Class", Control())
    interventions: tuple[Annotated[Intervention, Field(discriminator="kind")], ...] = key(
        "what happens at a time", "a list of items, each with 'at' and 'kind'", (), max_length=1000
    )
    waived: tuple[Waiver, ...] = key(
        "properties that are broken here on purpose", "a list of items, each with 'property' and 'because'", ()
    )

    _marks: Marks = PrivateAttr(default_factory=Marks)

    @field_validator("interventions", "waived", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _agree(self, info: ValidationInfo) -> Self:
        """Check the keys against each other; the loader collects the problems, a constructor raises the first."""
        from twin.scenario.agree import disagreements

        found = disagreements(self)
        if isinstance(info.context, dict) and "disagreements" in info.context:
            info.context["disagreements"].extend(found)
        elif found:
            path, text = found[0]
            raise ValueError(f"{'.'.join(map(str, path))} {text}")
        return self

    @property
    def start_s(self) -> int:
        """First second of the run, since midnight of the first day."""
        return self.start

    @property
    def end_s(self) -> int:
        """Second at which the run ends, since midnight of the first day."""
        return (self.days - 1) * DAY_S + self.end

    @property
    def has_fleets(self) -> bool:
        """Whether any fleet is on."""
        return self.bus is not None or self.delivery is not None or self.sanitation is not None

    def is_weekend(self, day: int) -> bool:
        """Say whether the day counted from 0 (the first) is a Saturday or Sunday."""
        return (WEEKDAYS.index(self.weekday) + day) % 7 >= FIRST_WEEKEND_DAY

    def mark(self, path: KeyPath) -> Mark:
        """Return where a key was written: its own mark, else that of the nearest key above it."""
        for n in range(len(path), -1, -1):
            if path[:n] in self._marks.of:
                return self._marks.of[path[:n]]
        return Mark(f"scenario '{self.name}'")

    def resolved(self) -> dict[str, Any]:
        """Return the scenario with everything inherited filled in, as plain JSON-able data for the stamp."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def from_resolved(cls, data: Mapping[str, Any], source: str = "stamp.json") -> Scenario:
        """Make a scenario from :meth:`resolved` data. Raises ScenarioError as loading a file does."""
        from twin.scenario.load import scenario_from_data

        return scenario_from_data(data, source)

    def changed(self, **changes: Any) -> Scenario:
        """Return a copy with changes merged in, such as ``people={"residents": 1000}``; checked like a file."""
        from twin.scenario.load import with_changes

        return with_changes(self, changes)

    def ending(self, end_s: int) -> tuple[Scenario, list[str]]:
        """Return the scenario up to a second of the run, and a sentence for everything that falls away."""
        from twin.scenario.load import cut

        return cut(self, end_s)

    def shortened(self, hours: float) -> tuple[Scenario, list[str]]:
        """Return the first ``hours`` of the scenario, and a sentence for everything that falls away."""
        from twin.scenario.load import shorten

        return shorten(self, hours)

    def __str__(self) -> str:
        when = f"{clock_text(self.start)}–{clock_text(self.end)}" + (f", {self.days} days" if self.days > 1 else "")
        return f"{self.name} ({when})"
