"""Signals: who decides, the grades of junctions, priority, and what fails (F19, F20)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import field_validator

from twin.scenario.parts import Factory, Part, key
from twin.scenario.systems import Problem, Wrong
from twin.scenario.v2x import V2xKeys
from twin.scenario.v2x import check as check_v2x
from twin.scenario.v2x import disagreements as v2x_disagreements

if TYPE_CHECKING:
    from twin.scenario.check import CityNames
    from twin.scenario.model import Scenario

Grade = Literal["L0", "L1", "L2", "L3"]
Asks = Literal["bus", "shuttle", "emergency"]

_HERE = "twin.control.junctions."
POLICIES: dict[str, str | None] = {
    "fixed": None,
    "actuated": _HERE + "actuated:Actuated",
    "webster": _HERE + "webster:WebsterByHour",
    "green_wave": _HERE + "green_wave:GreenWave",
    "max_pressure": _HERE + "max_pressure:MaxPressure",
    "steady_max_pressure": _HERE + "max_pressure:SteadyMaxPressure",
    "adaptive": _HERE + "platoons:Platoons",
}
#: seconds between two decisions where the scenario gives none. Meso: vehicles lose no more at the peak than with 15 s
#: (towards signals 4.2 s each against 4.6, and 10.6 under fixed plans), a little more in calm hours (docs/junctions.md)
INTERVAL_S = {"meso": 20, "micro": 1}


class Graded(Part):
    """Junctions that have a grade other than the usual one."""

    grade: Grade = key("their grade", "L0, L1, L2 or L3")
    junctions: tuple[str, ...] = key("which, by name", "a list of names of traffic lights", ())
    subdistricts: tuple[str, ...] = key("or all of these subdistricts", "a list of subdistricts of the city", ())
    top: int | None = key("or only so many of them, the first in the order 'by'", "a whole number, or null", None, ge=1)
    by: Literal["lanes", "buses"] = key(
        "that order: approach lanes, or bus trips a day through the junction", "lanes or buses", "lanes"
    )

    @field_validator("junctions", "subdistricts", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class JunctionFaults(Part):
    """What does not work, all the time."""

    detectors_dead: float = key("share of the lanes whose detectors are dead", "a number from 0 to 1", 0.0, ge=0, le=1)
    message_loss: float = key(
        "share of the messages and orders of a junction that get lost", "a number from 0 to 1", 0.0, ge=0, le=1
    )
    latency_s: int = key("seconds a message or an order takes, each way", "a whole number from 0 to 60", 0, ge=0, le=60)


class Junctions(Part):
    """Signals under control: policy, grades of junctions, priority, faults (F19, F20); see docs/junctions.md."""

    policy: str | Factory = key(
        "who decides which phase is green; plans of the network itself: fixed",
        "fixed, actuated, webster, green_wave, max_pressure, steady_max_pressure, adaptive, or package.module:Class",
        "adaptive",
    )
    interval_s: int | None = key(
        "seconds between two decisions; null: 1 in micro, 20 in meso",
        "a whole number from 1 to 60, or null", None, ge=1, le=60,
    )  # fmt: skip
    plan_every_s: int = key(
        "seconds between two plans (webster, green_wave)", "a whole number from 300 to 86400", 3600, ge=300, le=86_400
    )
    grade: Grade = key("grade of every junction that 'grades' does not name (assumed)", "L0, L1, L2 or L3", "L2")
    grades: tuple[Graded, ...] = key("junctions of another grade; a later item goes before", "a list of items", ())
    priority: tuple[Asks, ...] = key(
        "who is given priority where it asks for it, at junctions of grade L3 (F19)",
        "a list of bus, shuttle, emergency", (),
    )  # fmt: skip
    extend_s: int = key(
        "most seconds a green is held for a bus (FHWA Signal Timing Manual: 5 to 20)",
        "a whole number from 0 to 60", 20, ge=0, le=60,
    )  # fmt: skip
    again_s: int = key(
        "least seconds between two priorities for buses at one junction (assumed)",
        "a whole number from 0 to 3600", 30, ge=0, le=3600,
    )  # fmt: skip
    faults: JunctionFaults = key("what does not work", "keys detectors_dead, message_loss, latency_s", JunctionFaults())
    v2x: V2xKeys | None = key(
        "connected vehicles, roadside units and the cloud control platform; null: off", "keys radio, …, or null", None
    )
    desk: Factory = key("the control code", "package.module:Class", _HERE + "signal_control:SignalControl")

    @field_validator("grades", "priority", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


def disagreements(s: Scenario) -> list[Problem]:
    """Return (key path, rest of the sentence) for what does not fit together in this part, or with others."""
    from twin.scenario.mistakes import did_you_mean, show_value

    assert s.junctions is not None
    found: list[Problem] = []
    if s.traffic.mode == "free-flow":
        found.append(
            (("junctions",), "needs signals, which free-flow traffic has not; set traffic.mode to meso or micro")
        )
    policy = s.junctions.policy
    if isinstance(policy, str) and ":" not in policy and policy not in POLICIES:
        allowed = f"{', '.join(POLICIES)}, or package.module:Class"
        text = f"is {show_value(policy)}; allowed: {allowed}{did_you_mean(policy, list(POLICIES))}"
        found.append((("junctions", "policy"), text))
    for i, item in enumerate(s.junctions.grades):
        if not (item.junctions or item.subdistricts or item.top):
            found.append((("junctions", "grades", i), "names no junctions: give junctions, subdistricts or top"))
    return found + (v2x_disagreements(s, s.junctions.v2x) if s.junctions.v2x is not None else [])


def check(s: Scenario, names: CityNames, wrong: Wrong) -> None:  # noqa: ARG001  (names of signals: the system knows)
    """Report what this part names and the city does not have: ``wrong(key path, rest of the sentence)``."""
    from twin.errors import ScenarioError
    from twin.scenario.check import load_factory

    assert s.junctions is not None
    for what in ("desk", "policy"):
        spec = getattr(s.junctions, what)
        if isinstance(spec, str) and ":" not in spec:
            continue
        try:
            load_factory(spec, "")
        except ScenarioError as error:
            wrong(("junctions", what), str(error).removeprefix(" "))
    if s.junctions.v2x is not None:
        check_v2x(s.junctions.v2x, wrong)
