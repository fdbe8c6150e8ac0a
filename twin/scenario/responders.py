"""Those who come: bases, crews, shifts, and how incidents are handled (F1, F2, F11)."""

from __future__ import annotations

from twin.scenario.parts import Factory, Part, key

POLICIES = {
    "severity_first": "twin.control.city_brain.incidents.policies:SeverityFirst",
    "nearest_free": "twin.control.city_brain.incidents.policies:NearestFree",
    "optimal": "twin.control.city_brain.incidents.policies:OptimalAssignment",
}
_COUNT = "a whole number from 0 to 100"
_SHARE = "a number from 0 to 1"
_ON = "true or false"


class Crews(Part):
    """How many of each kind there are; all figures assumed, F1 only says that there is a worker for each grid."""

    grid_workers: int = key("grid workers a grid by day (F1; a tenth of them by night)", _COUNT, 1, ge=0, le=100)
    community_staff: int = key("staff of a community by day, one of them at night", _COUNT, 2, ge=0, le=100)
    urban_management: int = key("patrol cars of urban management a subdistrict", _COUNT, 6, ge=0, le=100)
    police: int = key("police cars a police station, day and night", _COUNT, 3, ge=0, le=100)
    repair_crews: int = key("repair crews a subdistrict, half of them at night", _COUNT, 3, ge=0, le=100)
    rescue: int = key("rescue crews a fire station, day and night", _COUNT, 1, ge=0, le=100)
    fire_engines: int = key("fire engines a fire station, day and night", _COUNT, 2, ge=0, le=100)


class Failings(Part):
    """What people do not do as they should (shares assumed; ``factor`` scales them all)."""

    factor: float = key("factor on all shares of this part", "a number from 0 to 20", 1.0, ge=0, le=20)
    refuse: float = key("share of tickets that are refused", _SHARE, 0.03, ge=0, le=1)
    silent: float = key("share of tickets that are not even heard", _SHARE, 0.02, ge=0, le=1)
    fail: float = key("share of those under way that break down", _SHARE, 0.01, ge=0, le=1)
    late: float = key("share of those under way who take twice as long on foot or by bike", _SHARE, 0.05, ge=0, le=1)
    overlook: float = key("share of hazards that somebody on the spot does not find", _SHARE, 0.03, ge=0, le=1)
    botch: float = key("share of hazards that are said to be handled and are not", _SHARE, 0.05, ge=0, le=1)

    def share(self, name: str) -> float:
        """Return a share with the factor on it."""
        return min(1.0, float(getattr(self, name)) * self.factor)


class Looks(Part):
    """People at the screens and telephones of the command centre 指挥中枢."""

    agents: int = key("agents who take calls (assumed)", "a whole number from 1 to 1000", 4, ge=1, le=1000)
    talk_s: float = key(
        "mean length of a call until it is passed on, s (assumed; NFPA 1225 asks for 60 s in 90 of 100 cases)",
        "a number from 1 to 3600", 40.0, ge=1, le=3600,
    )  # fmt: skip
    watchers: int = key("operators who look at pictures (assumed)", "a whole number from 1 to 1000", 6, ge=1, le=1000)
    look_s: float = key("mean time of a look, s (assumed)", "a number from 1 to 3600", 25.0, ge=1, le=3600)
    in_view: float = key("share of spots that some camera shows (assumed)", _SHARE, 0.6, ge=0, le=1)
    calls: float = key(
        "factor on the shares of emergencies that a passer-by calls in (docs/city_brain.md)",
        "a number from 0 (nobody calls) to 10", 1.0, ge=0, le=10,
    )  # fmt: skip


class Responders(Part):
    """Responders and the incident desk."""

    crews: Crews = key("how many there are", "keys grid_workers, community_staff, …", Crews())
    failings: Failings = key("what they do not do as they should", "keys factor, refuse, silent, …", Failings())
    looks: Looks = key("the command centre's telephones and screens", "keys agents, watchers, …", Looks())
    confirm: bool = key("look before somebody is sent where only a machine says so (F10)", _ON, True)
    merge: bool = key("signs of one truth become one incident", _ON, True)
    redispatch: bool = key("another is sent when one refuses, is silent, late or breaks down", _ON, True)
    verify: bool = key("somebody other than the handler looks before an incident is closed (F2, F11)", _ON, True)
    escalate: bool = key("clocks that run out take an incident to the next level (F1)", _ON, True)
    targets: float = key(
        "factor on the service targets (table in docs/city_brain.md)", "a number from 0.1 to 20", 1.0, ge=0.1, le=20
    )
    answer_s: int = key(
        "one who does not answer for so long is passed over, s (assumed)", "a whole number from 10 to 3600", 90,
        ge=10, le=3600,
    )  # fmt: skip
    late_factor: float = key(
        "times the expected time under way before another is sent (assumed)", "a number from 1 to 10", 2.0, ge=1, le=10
    )
    reopen_s: int = key(
        "seconds after its end in which a new sign opens an incident again (assumed: two hours)",
        "a whole number from 0 to 604800", 7200, ge=0, le=604_800,
    )  # fmt: skip
    policy: str | Factory = key(
        "who goes where", "severity_first, nearest_free, optimal, or package.module:Class", "severity_first"
    )
    desk: Factory = key(
        "the control code", "package.module:Class", "twin.control.city_brain.incidents.desk:IncidentDesk"
    )


def policy_problem(part: Responders) -> str:
    """Return what is wrong with the policy as written: neither a shipped name nor a factory; empty: nothing."""
    from twin.scenario.mistakes import did_you_mean, show_value

    policy = part.policy
    if not isinstance(policy, str) or ":" in policy or policy in POLICIES:
        return ""
    allowed = ", ".join(POLICIES)
    return f"is {show_value(policy)}; allowed: {allowed}, or package.module:Class{did_you_mean(policy, POLICIES)}"
