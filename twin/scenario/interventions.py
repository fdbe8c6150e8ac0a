"""Interventions: what happens at a time, from outside the city's own life. One class per kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from twin.scenario.parts import DAY_S, Part, TimeOfDay, WeatherKind, key

UNTIL = "a time after 'at', such as \"08:30\"; or null for the rest of the run"
UNIT = "a unit such as robot-3, or a fleet: shuttle, robot, sweeper or courier"
ROAD = "the name of a road, or a SUMO edge id"

Lane = Annotated[int, Field(ge=0, le=20)]


class _Timed(Part):
    at: TimeOfDay = key("when it begins", 'a time such as "07:15"')
    until: TimeOfDay | None = key("when it is over", UNTIL, None)
    day: int = key("day on which it begins, 1 is the first", "a whole number from 1 to 31", 1, ge=1, le=31)

    @property
    def at_s(self) -> int:
        """Second of its beginning, since midnight of the first day."""
        return (self.day - 1) * DAY_S + self.at

    @property
    def until_s(self) -> int | None:
        """Second of its end, since midnight of the first day; None: it lasts to the end of the run."""
        return None if self.until is None else (self.day - 1) * DAY_S + self.until


class _OnRoad(_Timed):
    road: str = key("which road", ROAD, min_length=1)
    near: str | None = key("only the piece of the road near this place", "the name of a place", None, min_length=1)
    length_m: float = key(
        "length of that piece in metres (with near)", "a number from 20 to 20000", 500.0, ge=20, le=20_000
    )


class SystemIntervention(_Timed):
    """Something that happens to one system of the city; the system itself carries it out.

    ``system``: the key of the scenario that has to be on. Subclasses add ``kind`` and say what they are in a sentence.
    """

    system: ClassVar[str]
    kind: str

    def sentence(self, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:
        """Return what happens, in English and Chinese; ``when``: "from 07:15 to 08:30", "07:15至08:30"."""
        raise NotImplementedError


class CloseRoad(_OnRoad):
    """A road, a piece of it, or some of its lanes cannot be used; both directions unless an edge id is given."""

    kind: Literal["close_road"] = key("kind of intervention", "close_road", "close_road")
    lanes: Literal["all"] | tuple[Lane, ...] = key(
        "which lanes, 0 is the rightmost", "all, or a list such as [0]", "all"
    )

    @field_validator("lanes", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class SpeedLimit(_OnRoad):
    """A temporary speed limit on a road or a piece of it."""

    kind: Literal["speed_limit"] = key("kind of intervention", "speed_limit", "speed_limit")
    speed_km_h: float = key("limit in km/h", "a number from 5 to 150", ge=5, le=150)


class WeatherChange(_Timed):
    """The weather changes; when it is over, the weather of the start comes back."""

    kind: Literal["weather"] = key("kind of intervention", "weather", "weather")
    weather: WeatherKind = key("kind of weather", "clear, rain, fog or snow")
    rain_mm_h: float = key(
        "intensity of rain, or of snow as water, in mm per hour", "a number from 0 to 200", 0.0, ge=0, le=200
    )


class DemandChange(_Timed):
    """More or less traffic of one kind."""

    kind: Literal["demand"] = key("kind of intervention", "demand", "demand")
    what: Literal["through", "freight", "residents"] = key("whose traffic", "through, freight or residents")
    factor: float = key("factor on the number of trips", "a number from 0 (none) to 10", ge=0, le=10)


class Event(_Timed):
    """An event at a place draws visitors, who come around its beginning and leave around its end."""

    kind: Literal["event"] = key("kind of intervention", "event", "event")
    place: str = key("where", "the name of a place", min_length=1)
    people: int = key("how many residents visit", "a whole number from 1 to 1,000,000", ge=1, le=1_000_000)


class Breakdown(_Timed):
    """A unit of a fleet breaks down; it is fetched, repaired, and fit again after 'minutes' (or a drawn time)."""

    kind: Literal["breakdown"] = key("kind of intervention", "breakdown", "breakdown")
    unit: str = key("which unit, or a whole fleet", UNIT, min_length=1)
    minutes: int | None = key(
        "minutes until it is fit again; null: as drawn",
        "a whole number from 1 to 44640, or null",
        None,
        ge=1,
        le=44_640,
    )


class LostLink(_Timed):
    """The radio link of a unit or of a whole fleet is lost: no telemetry, no reports, no commands."""

    kind: Literal["link_lost"] = key("kind of intervention", "link_lost", "link_lost")
    unit: str = key("which unit, or a whole fleet", UNIT, min_length=1)


class ChargerFails(_Timed):
    """Chargers of a depot fail."""

    kind: Literal["charger_fails"] = key("kind of intervention", "charger_fails", "charger_fails")
    place: str = key("which depot", "the name of a place", min_length=1)
    left: int = key("chargers that still work", "a whole number from 0 to 1000", 0, ge=0, le=1000)


class DepotClosed(_Timed):
    """A depot closes: nobody loads or charges there."""

    kind: Literal["depot_closed"] = key("kind of intervention", "depot_closed", "depot_closed")
    place: str = key("which depot", "the name of a place", min_length=1)


class PermitEnds(_Timed):
    """A permit is withdrawn, for the rest of the run."""

    kind: Literal["permit_ends"] = key("kind of intervention", "permit_ends", "permit_ends")
    permit: str = key("which permit", "the name of a permit", min_length=1)


class Obstacle(_OnRoad):
    """A vehicle stands on one lane: in micro others go round it or queue, else that lane of the road is closed."""

    kind: Literal["obstacle"] = key("kind of intervention", "obstacle", "obstacle")
    lane: Lane = key("which lane, 0 is the rightmost", "a whole number from 0 to 20", 0)
    pos_m: float | None = key(
        "metres from the beginning of the piece to the front of the vehicle; null: near the place, or in the middle",
        "a number from 0 to 20000, or null",
        None,
        ge=0,
        le=20_000,
    )


class _AtJunctions(SystemIntervention):
    system: ClassVar[str] = "junctions"
    what: ClassVar[tuple[str, str]]
    junctions: tuple[str, ...] = key("which, by name", 'a list of names of traffic lights, or ["all"]', ("all",))

    @field_validator("junctions", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    def sentence(self, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:  # noqa: ARG002
        """See :class:`SystemIntervention`."""
        every = "all" in self.junctions
        which = "all junctions" if every else f"junctions {', '.join(self.junctions)}"
        where = "全部路口" if every else f"路口{'、'.join(self.junctions)}"
        return f"{which} {self.what[0]} {when}", f"{when}{where}{self.what[1]}"


class SignalLinkLost(_AtJunctions):
    """Junctions lose their data link to central control and go on by their own plans."""

    what: ClassVar[tuple[str, str]] = ("without data link", "数据链路中断")
    kind: Literal["signal_link_lost"] = key("kind of intervention", "signal_link_lost", "signal_link_lost")


class SignalDetectorsFail(_AtJunctions):
    """The detectors of junctions see nothing."""

    what: ClassVar[tuple[str, str]] = ("with dead detectors", "检测器失效")
    kind: Literal["signal_detectors_fail"] = key(
        "kind of intervention", "signal_detectors_fail", "signal_detectors_fail"
    )


class SiteStop(SystemIntervention):
    """Work stops on a building site, or on all of them, by order of an authority; it counts from the next day on."""

    system: ClassVar[str] = "construction"
    kind: Literal["site_stop"] = key("kind of intervention", "site_stop", "site_stop")
    project: int | None = key(
        "number of the project; null: all of them", "a whole number from 1 to 9999, or null", None, ge=1, le=9999
    )

    def sentence(self, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:  # noqa: ARG002
        """Return what happens, in English and Chinese."""
        if self.project is None:
            return f"Work stops on all building sites {when}.", f"{when}全部工地停工。"
        return f"Work stops on the site of project {self.project} {when}.", f"{when}{self.project}号项目停工。"


class FoundingTime(SystemIntervention):
    """Founding a company at the service hall takes longer, or goes faster."""

    system: ClassVar[str] = "companies"
    kind: Literal["founding_time"] = key("kind of intervention", "founding_time", "founding_time")
    days: float = key("working days that founding a company takes", "a number from 0.1 to 200", ge=0.1, le=200)

    def sentence(self, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:  # noqa: ARG002
        """Return what happens, in English and Chinese."""
        return (
            f"Founding a company takes {self.days:g} working days {when}.",
            f"{when}企业开办需{self.days:g}个工作日。",
        )


HazardKindName = Literal[
    "bather", "drowning", "fire", "open_fire", "violation", "site_dust", "bikes", "high_water", "ponded_road", "crowd",
    "straw", "garbage", "pothole", "vendor", "thrown", "fire_lane", "manhole", "ebike", "gas", "lift",
]  # fmt: skip
QUERY = 'a query of tags such as "place:大桥 & kind:camera & !fault"'


class HazardHappens(SystemIntervention):
    """A hazard begins at the site nearest to a place; with 'until' it is over then if nobody handled it before."""

    system: ClassVar[str] = "city_brain"
    kind: Literal["hazard"] = key("kind of intervention", "hazard", "hazard")
    what: HazardKindName = key("kind of hazard", ", ".join(HazardKindName.__args__))  # type: ignore[attr-defined]
    place: str = key("where", "the name of a place", min_length=1)
    count: int = key("how many, at the nearest sites", "a whole number from 1 to 20", 1, ge=1, le=20)
    size: float | None = key(
        "size in the unit of its kind (docs/city_brain.md); null: as drawn", "a number above 0, or null", None, gt=0
    )

    def sentence(self, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:
        """Return what happens, in English and Chinese."""
        place = name_of(self.place)
        return f"{self.count} × {self.what} near {place} {when}", f"{when}{place}附近发生{self.what} {self.count}起"


class SensorOutage(SystemIntervention):
    """Sensor channels fall silent."""

    system: ClassVar[str] = "city_brain"
    kind: Literal["sensor_outage"] = key("kind of intervention", "sensor_outage", "sensor_outage")
    query: str = key("which channels", QUERY, min_length=1, max_length=2000)
    share: float = key("share of these channels, drawn by seed", "a number from 0 to 1", 1.0, ge=0, le=1)

    @field_validator("query")
    @classmethod
    def _readable(cls, value: str) -> str:
        return readable_query(value)

    def sentence(self, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:  # noqa: ARG002
        """Return what happens, in English and Chinese."""
        en, zh = (f"{self.share:.0%} of the ", f"{self.share:.0%}的") if self.share < 1 else ("", "")
        return f"{en}channels of '{self.query}' fall silent {when}", f"{when}“{self.query}”{zh}设备失联"


class MaintenanceWindow(SystemIntervention):
    """No alert begins from channels that are under maintenance."""

    system: ClassVar[str] = "city_brain"
    kind: Literal["maintenance"] = key("kind of intervention", "maintenance", "maintenance")
    query: str = key("which channels", QUERY, min_length=1, max_length=2000)
    rules: tuple[str, ...] = key("alerts of which rules; empty: of all", "a list of names of rules", ())

    @field_validator("query")
    @classmethod
    def _readable(cls, value: str) -> str:
        return readable_query(value)

    def sentence(self, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:  # noqa: ARG002
        """Return what happens, in English and Chinese."""
        return f"channels of '{self.query}' are under maintenance {when}", f"{when}“{self.query}”的设备维护"


def readable_query(text: str) -> str:
    """Return a query of tags that can be read. QueryError (a ValueError) points at the character."""
    from twin.control.city_brain.tags import parse

    parse(text)
    return text


class OfficeSystemDown(SystemIntervention):
    """The computer system of a department of the service hall, or of all, is down; no task can be begun there."""

    system: ClassVar[str] = "services"
    kind: Literal["office_system_down"] = key("kind of intervention", "office_system_down", "office_system_down")
    department: str = key("whose system", "a code or name of the catalogue such as MR, or all", "all", min_length=1)

    def sentence(self, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:  # noqa: ARG002
        """Return what happens, in English and Chinese."""
        return f"the service system of {self.department} is down {when}", f"{when}{self.department}政务系统故障"


class OfficersAway(SystemIntervention):
    """Part of the officers of a department, or of all, are away."""

    system: ClassVar[str] = "services"
    kind: Literal["officers_away"] = key("kind of intervention", "officers_away", "officers_away")
    department: str = key("whose officers", "a code or name of the catalogue such as MR, or all", "all", min_length=1)
    share: float = key("which share of them", "a number above 0, up to 1", 0.5, gt=0, le=1)

    def sentence(self, when: str, name_of: Callable[[str], str]) -> tuple[str, str]:  # noqa: ARG002
        """Return what happens, in English and Chinese."""
        share = f"{100 * self.share:g} %"
        return (
            f"{share} of the officers of {self.department} are away {when}",
            f"{when}{self.department}{share}人员不在岗",
        )


FaultWhat = Literal[
    "messages_lost", "messages_late", "messages_twice", "messages_shuffled", "commands_lost",
    "controller_restarts", "controller_down", "controller_slow", "controller_clock", "traffic_gone",
]  # fmt: skip
#: what each fault is measured by (None: it just happens), and the fault in words
FAULTS: dict[str, tuple[Literal["share", "seconds"] | None, str, str]] = {
    "messages_lost": ("share", "{n} of the messages to {desk} are lost", "发往{desk}的消息丢失{n}"),
    "messages_late": ("seconds", "messages to {desk} come {n} late on average", "发往{desk}的消息平均迟到{n}"),
    "messages_twice": ("share", "{n} of the messages to {desk} come again", "发往{desk}的消息{n}重复"),
    "messages_shuffled": ("share", "{n} of the messages to {desk} come out of order", "发往{desk}的消息{n}乱序"),
    "commands_lost": ("share", "{n} of the commands of {desk} have no effect", "{desk}的指令{n}失效"),
    "controller_restarts": (None, "{desk} crashes and starts again from its journal", "{desk}崩溃并从日志恢复"),
    "controller_down": (None, "{desk} is down; messages wait for it", "{desk}停机，消息排队"),
    "controller_slow": ("seconds", "what {desk} decides takes effect {n} later", "{desk}的决定{n}后生效"),
    "controller_clock": ("seconds", "the clock of {desk} is wrong by {n}", "{desk}的时钟偏差{n}"),
    "traffic_gone": (None, "the traffic simulator ends", "交通仿真器退出"),
}


class Fault(_Timed):
    """A fault of the machinery itself: of messages, of a controller, of its clock, of the traffic simulator."""

    kind: Literal["fault"] = key("kind of intervention", "fault", "fault")
    what: FaultWhat = key("which fault", ", ".join(FAULTS))
    desk: str = key("which desk it hits", "all, or the name of a desk such as delivery", "all", min_length=1)
    share: float | None = key("share of messages or commands", "a number above 0, up to 1", None, gt=0, le=1)
    seconds: int | None = key(
        "seconds: mean delay, or error of the clock", "a whole number from -3600 to 3600", None, ge=-3600, le=3600
    )
    copies: int = key("how often a message comes again (messages_twice)", "a whole number from 1 to 1000", 1, ge=1,
        le=1000)  # fmt: skip

    @model_validator(mode="after")
    def _measured(self) -> Self:
        by = FAULTS[self.what][0]
        for name in ("share", "seconds"):
            value = getattr(self, name)
            if (value is not None) != (by == name):
                raise ValueError(f"{self.what} {'needs' if by == name else 'has no'} '{name}'")
        if self.seconds is not None and self.what != "controller_clock" and self.seconds <= 0:
            raise ValueError(f"{self.what} needs 'seconds' above 0")
        return self

    def sentence(self, when: str) -> tuple[str, str]:
        """Return what happens, in English and Chinese."""
        _, en, zh = FAULTS[self.what]
        n = f"{self.share:.0%}" if self.share is not None else f"{self.seconds} s"
        desk, desk_zh = ("every desk", "所有系统") if self.desk == "all" else (self.desk, self.desk)
        text = en.format(n=n, desk=desk)
        return f"{text[0].upper()}{text[1:]} {when}.", f"{when}{zh.format(n=n, desk=desk_zh)}。"


FleetIntervention = Breakdown | LostLink | ChargerFails | DepotClosed | PermitEnds
CityBrainIntervention = HazardHappens | SensorOutage | MaintenanceWindow
SignalIntervention = SignalLinkLost | SignalDetectorsFail
Intervention = (
    CloseRoad
    | SpeedLimit
    | WeatherChange
    | DemandChange
    | Event
    | FleetIntervention
    | Obstacle
    | SignalIntervention
    | SiteStop
    | FoundingTime
    | CityBrainIntervention
    | OfficeSystemDown
    | OfficersAway
    | Fault
)
KINDS: tuple[str, ...] = (
    "close_road", "speed_limit", "weather", "demand", "event",
    "breakdown", "link_lost", "charger_fails", "depot_closed", "permit_ends", "obstacle",
    "signal_link_lost", "signal_detectors_fail",
    "site_stop", "founding_time", "hazard", "sensor_outage", "maintenance",
    "office_system_down", "officers_away", "fault",
)  # fmt: skip
