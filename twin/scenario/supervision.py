"""Permits, how well vehicles keep the rules, what they tell of it, and the safety supervision platform (F21, F26)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from twin.scenario.parts import Factory, Part, TimeOfDay, key

POLICIES = {
    "warn_slow_stop": "twin.control.mobility.supervision.policies:WarnSlowStop",
    "warn_only": "twin.control.mobility.supervision.policies:WarnOnly",
}

PermitFleet = Literal["shuttle", "robot", "sweeper"]
Purpose = Literal["test", "goods", "passengers", "cleaning"]

#: what a fleet's permit is for unless the scenario says otherwise
PURPOSE_OF: dict[str, Purpose] = {"shuttle": "passengers", "robot": "goods", "sweeper": "cleaning"}
#: km/h. The bus: F22 (40 at most). Robots 40, sweepers 20: the most that makers of such vehicles tell (assumed)
SPEED_KM_H: dict[str, float] = {"shuttle": 40.0, "robot": 40.0, "sweeper": 20.0}
#: hours, or kilometres, of tests before passengers (F22)
TESTS = (240.0, 1000.0)


def _or_never(value: float | None) -> float:
    return 1e9 if value is None else value


class Permit(Part):
    """One permit (F26): which vehicles may drive where, when, how fast, after which tests."""

    fleet: PermitFleet = key("whose permit", "shuttle, robot or sweeper")
    name: str = key(
        "name of the permit; empty: made from fleet and purpose", "text of at most 60 characters", "", max_length=60
    )
    purpose: Purpose | None = key(
        "what for; null: passengers (shuttle), goods (robot), cleaning (sweeper)",
        "test, goods, passengers, cleaning or null",
        None,
    )
    units: tuple[Annotated[int, Field(ge=1, le=99_999)], ...] = key(
        "which units, from 1; empty: all of the fleet", "a list of numbers, such as [1, 2]", ()
    )
    area: tuple[str, ...] = key(
        "where: subdistricts, roads, or places with radius_m around them (F28: all roads of Daqiao and Cuizhai)",
        "a list of names, such as [大桥, 崔寨]",
        ("大桥", "崔寨"),
        min_length=1,
    )
    radius_m: float = key("around places of the area", "a number from 50 to 50000", 1500.0, ge=50, le=50_000)
    start: TimeOfDay = key("allowed from", 'a time such as "06:00"', 0)
    end: TimeOfDay = key("allowed until; the same as start: round the clock", 'a time such as "22:00"', 86_400)
    speed_km_h: float | None = key(
        "fastest speed; null: 40 (shuttle, robot; F22), 20 (sweeper)",
        "a number from 3 to 80, or null",
        None,
        ge=3,
        le=80,
    )
    valid_until: TimeOfDay | None = key(
        "when it ends, on valid_until_day; null: after the run", 'a time such as "12:00", or null', None
    )
    valid_until_day: int = key("day on which it ends, 1 is the first", "a whole number from 1 to 31", 1, ge=1, le=31)
    min_test_h: float | None = key(
        "hours of tests before it holds; null: 240 for passengers (F22), none else; until then units may only test",
        "a number from 0 to 100000, or null", None, ge=0, le=100_000,
    )  # fmt: skip
    min_test_km: float | None = key(
        "or kilometres of tests; null: 1,000 for passengers (F22), none else",
        "a number from 0 to 1000000, or null", None, ge=0, le=1_000_000,
    )  # fmt: skip

    @field_validator("units", "area", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @property
    def purpose_word(self) -> Purpose:
        """The purpose, with the fleet's own where none is given."""
        return self.purpose or PURPOSE_OF[self.fleet]

    @property
    def speed_m_s(self) -> float:
        """The fastest speed in m/s, with the fleet's own where none is given."""
        return (self.speed_km_h or SPEED_KM_H[self.fleet]) / 3.6

    @property
    def asks_tests(self) -> bool:
        """Whether units must have done tests; then NAME/test lets them do so on the same roads."""
        return min(self.tests) > 0 and self.purpose_word != "test"

    @property
    def tests(self) -> tuple[float, float]:
        """Hours or kilometres of tests that are asked for; (0, 0): none."""
        if self.min_test_h is None and self.min_test_km is None:
            return TESTS if self.purpose_word == "passengers" else (0.0, 0.0)
        # one of them alone: the other way is not open
        return (_or_never(self.min_test_h), _or_never(self.min_test_km))


class Telemetry(Part):
    """What becomes of the data that units send. All defaults are assumed; 4G/5G in a new district, GNSS with RTK."""

    period_s: int = key("seconds between two sendings", "10, 20, 30 or another ten up to 60", 10, ge=10, le=60,
                        multiple_of=10)  # fmt: skip
    loss: float = key("share of sendings that never come", "a number from 0 to 1", 0.01, ge=0, le=1)
    late: float = key("share of sendings that come late", "a number from 0 to 1", 0.03, ge=0, le=1)
    late_mean_s: float = key("how late those come, on average", "a number from 0 to 3600", 20.0, ge=0, le=3600)
    repeated: float = key("share of sendings that come twice", "a number from 0 to 1", 0.01, ge=0, le=1)
    wrong: float = key("share of sendings with a wrong value", "a number from 0 to 1", 0.001, ge=0, le=1)
    beside: float = key(
        "share of positions on a neighbouring road (GNSS error)", "a number from 0 to 1", 0.02, ge=0, le=1
    )
    speed_noise_m_s: float = key("noise of speeds (1 sigma)", "a number from 0 to 10", 0.15, ge=0, le=10)
    braking_noise_m_s2: float = key("noise of braking (1 sigma)", "a number from 0 to 10", 0.3, ge=0, le=10)
    clock_skew_s: float = key("error of the units' clocks (1 sigma)", "a number from 0 to 600", 1.0, ge=0, le=600)

    @classmethod
    def perfect(cls, period_s: int = 10) -> Telemetry:
        """Everything comes at once, and is true."""
        return cls(
            period_s=period_s, loss=0.0, late=0.0, late_mean_s=0.0, repeated=0.0, wrong=0.0, beside=0.0,
            speed_noise_m_s=0.0, braking_noise_m_s2=0.0, clock_skew_s=0.0,
        )  # fmt: skip


class Supervision(Part):
    """Permits in force, faults of vehicles, telemetry, and the platform that watches them."""

    permits: tuple[Permit, ...] = key(
        "permits; a fleet that none of them names has the default one: Daqiao and Cuizhai (F28), round the clock",
        "a list of permits, each with 'fleet' and what differs",
        (),
        max_length=200,
    )
    faults: float = key(
        "factor on how often vehicles break a rule, 0 for never", "a number from 0 to 1000", 1.0, ge=0, le=1000
    )
    telemetry: Telemetry = key("what becomes of the data that units send", "keys period_s, loss, late, …", Telemetry())
    policy: str | Factory = key(
        "what the platform does about a violation", "warn_slow_stop, warn_only, or package.module:Class",
        "warn_slow_stop",
    )  # fmt: skip
    desk: Factory | None = key(
        "the control code; null: nobody watches",
        "package.module:Class or null",
        "twin.control.mobility.supervision.platform:SafetyPlatform",
    )

    @field_validator("permits", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    def permits_of(self, fleet: str) -> tuple[Permit, ...]:
        """Return the permits of a fleet: those the scenario names, else the default one; none for couriers."""
        named = tuple(p for p in self.permits if p.fleet == fleet)
        return named or ((Permit.model_validate({"fleet": fleet}),) if fleet in PURPOSE_OF else ())

    def named(self, fleets: Sequence[str]) -> list[tuple[str, Permit]]:
        """Return the permits of fleets with the names they go by, in the order of fleets.

        A permit without a name is called after fleet and purpose, with a number from the second on.
        """
        out: list[tuple[str, Permit]] = []
        taken: set[str] = set()
        for fleet in fleets:
            for permit in self.permits_of(fleet):
                base = permit.name or f"{permit.fleet}-{permit.purpose_word}"
                name, k = base, 1
                while name in taken and not permit.name:
                    k += 1
                    name = f"{base}-{k}"
                taken.add(name)
                out.append((name, permit))
        return out


def subdistrict_names(rows: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Return what subdistricts may be called → their id; ``rows``: (id, name, English name).

    With or without 街道 ("Subdistrict"); of two that are called the same the first counts.
    """
    out: dict[str, str] = {}
    for row in rows:
        for name in row:
            for short in (name, name.removesuffix("街道"), name.removesuffix(" Subdistrict")):
                if short:
                    out.setdefault(short, row[0])
    return out
