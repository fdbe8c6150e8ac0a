"""Residents' reports, neighbour points and what communities are equipped with (F30-F33, F43)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field

from twin.scenario.parts import Factory, Part, key
from twin.scenario.systems import Problem, Wrong

if TYPE_CHECKING:
    from twin.scenario.check import CityNames
    from twin.scenario.model import Scenario

#: scenes 场景 that communities are built from: as in twin.world.community.scenes.SCENES
Scene = Literal["fire_lane", "thrown", "ebike_shed", "manhole", "garbage", "bikes", "gas", "lift"]
ALL_SCENES: tuple[Scene, ...] = Scene.__args__  # type: ignore[attr-defined]
POLICIES = {
    "clerk_first": "twin.control.community.ports:ClerkFirst",
    "forward_all": "twin.control.community.ports:ForwardAll",
}
EARLY_POLICIES = {
    "poisson_surge": "twin.control.city_brain.early.ports:PoissonSurge",
    "k_of_n": "twin.control.city_brain.early.ports:KOfN",
    "first_come": "twin.control.city_brain.early.ports:FirstCome",
}
_SHARE = "a number from 0 to 1"
_FACTOR = "a number from 0 (none) to 100"


class Platform(Part):
    """Residents on the platform: how many, and what they are like."""

    registered: int = key(
        "residents with an account (F32: 10,000), at people.share 1",
        "a whole number from 0 to 1000000", 10_000, ge=0, le=1_000_000,
    )  # fmt: skip
    uses_month: float = key(
        "uses of its apps beside reports, a month and account, before anything changes it; fitted by one parameter to"
        " F32 (docs/community.md)", "a number from 0 to 100", 0.145, ge=0, le=100,
    )  # fmt: skip
    care: float = key("factor on how readily residents report what they notice (assumed)", _FACTOR, 1.0, ge=0, le=100)
    abuse: float = key(
        "reports about nothing a month and account, of the few who send such (assumed)", _FACTOR, 1.0, ge=0, le=100
    )
    wrong_place: float = key("share of reports that point somewhere else (assumed)", _SHARE, 0.03, ge=0, le=1)
    clerks: int = key(
        "clerks who look at reports, 8:30 to 20:00 (assumed)", "a whole number from 1 to 1000", 2, ge=1, le=1000
    )
    review_s: float = key(
        "mean time a clerk needs for one, s (assumed)", "a number from 1 to 86400", 240.0, ge=1, le=86_400
    )
    policy: str | Factory = key(
        "what happens to a report at first", "clerk_first, forward_all, or package.module:Class", "clerk_first"
    )


class Points(Part):
    """Neighbour points 邻里积分 (F31); all figures assumed."""

    confirmed: int = key("for a report that was true", "a whole number from 0 to 1000", 10, ge=0, le=1000)
    again: int = key("for one that repeats a true one", "a whole number from 0 to 1000", 2, ge=0, le=1000)
    checked: int = key("for looking whether it is fixed", "a whole number from 0 to 1000", 3, ge=0, le=1000)
    a_day: int = key("rewarded reports a day and account, at most", "a whole number from 0 to 1000", 3, ge=0, le=1000)
    voucher: int = key("points that a voucher costs", "a whole number from 1 to 100000", 30, ge=1, le=100_000)
    effect: float = key(
        "how much rewards and answers move people to come again; 0: not at all", _FACTOR, 1.0, ge=0, le=100
    )


class Early(Part):
    """Early signs 未诉先办 (F43)."""

    useless_a_day: float = key(
        "orders a day that may be for nothing: what the search may cost", "a number from 0 to 10000", 6.0, ge=0,
        le=10_000,
    )  # fmt: skip
    cell_m: float = key(
        "side of the squares signals are counted in, m (assumed; as far as signs of one thing are merged, or this)",
        "a number from 20 to 5000", 150.0, ge=20, le=5000,
    )  # fmt: skip
    window_minutes: int = key(
        "how far back signals count together (assumed)", "a whole number from 5 to 10080", 240, ge=5, le=10_080
    )
    neighbours: bool = key(
        "look beside what was found, where more is wrong than usual (a place-time scan)", "true or false", True
    )
    readings: bool = key("heed what communities and building sites measure", "true or false", True)
    policy: str | Factory = key(
        "when signals are enough", "poisson_surge, k_of_n, first_come, or package.module:Class", "poisson_surge"
    )


class Copy(Part):
    """One scene copied from one community to another (F33)."""

    model_config = ConfigDict(populate_by_name=True)
    scene: Scene = key("which scene", ", ".join(ALL_SCENES))
    of: str = Field(
        alias="from",
        description="the community that has it",
        json_schema_extra={"allowed": "the name of a community, or of a place in it"},
        min_length=1,
    )
    to: str = key("the community that gets it", "the name of a community, or of a place in it", min_length=1)


class Community(Part):
    """Residents' reports, neighbour points and what communities are equipped with (F30-F33)."""

    platform: Platform = key("residents on the platform", "keys registered, care, abuse, …", Platform())
    points: Points = key("neighbour points", "keys confirmed, again, checked, …", Points())
    complaints: float = key(
        "factor on how readily residents complain of what lasts too long (assumed)", _FACTOR, 1.0, ge=0, le=100
    )
    scenes: bool = key("communities have scenes by their grade (F33)", "true or false", True)
    benchmark: tuple[str, ...] = key(
        "benchmark communities; empty: those with the most residents, one in thirty (assumed)",
        "a list of names of communities, or of places in them", (),
    )  # fmt: skip
    copies: tuple[Copy, ...] = Field(
        (),
        alias="copy",
        description="scenes copied to another community",
        json_schema_extra={"allowed": "a list of {scene, from, to}"},
    )
    early: Early | None = key("early signs; null: nobody looks for them", "keys useless_a_day, …; or null", Early())
    desk: Factory = key("the control code", "package.module:Class", "twin.control.community.desk:CommunityDesk")
    early_desk: Factory = key(
        "the control code of early signs", "package.module:Class", "twin.control.city_brain.early.desk:EarlySigns"
    )


def policy_problem(policy: object, known: dict[str, str]) -> str:
    """Return what is wrong with the policy as written; empty: nothing."""
    from twin.scenario.mistakes import did_you_mean, show_value

    if not isinstance(policy, str) or ":" in policy or policy in known:
        return ""
    return f"is {show_value(policy)}; allowed: {', '.join(known)}, or package.module:Class{did_you_mean(policy, known)}"


def disagreements(s: Scenario) -> list[Problem]:
    """Return (key path, rest of the sentence) for what does not fit together in this part, or with others."""
    part = s.community
    assert part is not None
    out: list[Problem] = []
    if s.city_brain is None:
        out.append((("community",), "is on, but nothing happens that could be reported; add 'city_brain: {}'"))
    problem = policy_problem(part.platform.policy, POLICIES)
    if problem:
        out.append((("community", "platform", "policy"), problem))
    if part.early is not None and (problem := policy_problem(part.early.policy, EARLY_POLICIES)):
        out.append((("community", "early", "policy"), problem))
    for i, one in enumerate(part.copies):
        if one.of == one.to:
            out.append((("community", "copy", i, "to"), f"is {one.to}, from where the scene is copied"))
    if part.copies and not part.scenes:
        out.append((("community", "copy"), "copies scenes, but community.scenes is false: there are none"))
    return out


def check(s: Scenario, names: CityNames, wrong: Wrong) -> None:
    """Report what this part names and the city does not have: communities, and scenes that are not there to copy."""
    from twin.scenario.mistakes import did_you_mean, show_value
    from twin.world.community.scenes import grades, scenes_of

    part = s.community
    assert part is not None
    known = names.communities_named()
    named: list[tuple[tuple[str | int, ...], str]]
    named = [(("community", "benchmark", i), n) for i, n in enumerate(part.benchmark)]
    for i, copy in enumerate(part.copies):
        named += [(("community", "copy", i, "from"), copy.of), (("community", "copy", i, "to"), copy.to)]
    for path, name in named:
        if name not in known:
            text = f"is {show_value(name)}; {names.name} has no such community; allowed: the name of one, or of a place"
            wrong(path, f"{text} in it{did_you_mean(name, known)}")
    grade = grades(names.communities, {known[n] for n in part.benchmark if n in known})
    for i, copy in enumerate(part.copies):
        if (here := known.get(copy.of)) is not None and copy.scene not in scenes_of(grade[here]):
            has = ", ".join(scenes_of(grade[here]))
            wrong(("community", "copy", i, "scene"), f"is {copy.scene}; {copy.of} ({grade[here]}) has {has}")
