"""Checks of the keys of a scenario against each other: what each says alone is fine, together it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.scenario.interventions import Breakdown, DemandChange, LostLink, PermitEnds, WeatherChange
from twin.scenario.mistakes import did_you_mean
from twin.scenario.parts import DAY_S, clock_text
from twin.scenario.systems import Problem, systems_on
from twin.scenario.waivers import disagreements as of_waivers
from twin.scenario.yaml_file import KeyPath

if TYPE_CHECKING:
    from twin.scenario.model import Scenario


def disagreements(s: Scenario) -> list[Problem]:
    """Return (key path, rest of the sentence) for everything that does not fit together."""
    return [
        *_period(s),
        *_city(s),
        *_weather(s),
        *_zoom(s),
        *_fleets(s),
        *_named_units(s),
        *_permits(s),
        *_permits_that_end(s),
        *_interventions(s),
        *_somebody_travels(s),
        *(problem for _, module in systems_on(s) for problem in module.disagreements(s)),
        *_of_systems(s),
        *of_waivers(s.waived),
    ]


def _of_systems(s: Scenario) -> list[Problem]:
    """Check that what happens to a system has one to happen to."""
    return [
        (("interventions", i, "kind"), f"is {v.kind}, but '{system}' is not on in this scenario")
        for i, v in enumerate(s.interventions)
        if (system := getattr(v, "system", "")) and getattr(s, system) is None
    ]


def _fleets(s: Scenario) -> list[Problem]:
    """Check the names of policies, and that there is something to supervise."""
    from twin.scenario.policies import SHIPPED, policy_problem

    out: list[Problem] = []
    for system in SHIPPED:
        part = getattr(s, system)
        problem = policy_problem(system, part.policy) if part is not None else ""
        if problem:
            out.append(((system, "policy"), problem))
    if s.supervision is not None and s.bus is None and s.delivery is None and s.sanitation is None:
        out.append((("supervision",), "is on, but there is no fleet to watch; add bus, delivery or sanitation"))
    return out


def _units(s: Scenario) -> dict[str, int]:
    """Return how many units of each fleet there are; fleets without units are left out."""
    count: dict[str, int] = {}
    if s.bus is not None:
        count["shuttle"] = s.bus.units
    if s.delivery is not None and s.delivery.by == "robots":
        count["robot"] = s.delivery.units
    elif s.delivery is not None:
        count["courier"] = s.delivery.trikes + s.delivery.vans
    if s.sanitation is not None and s.sanitation.by == "robots":
        count["sweeper"] = s.sanitation.units
    return count


def _named_units(s: Scenario) -> list[Problem]:
    """Check that the units that interventions name are in this scenario."""
    count = _units(s)
    out: list[Problem] = []
    for i, item in enumerate(s.interventions):
        if not isinstance(item, Breakdown | LostLink):
            continue
        fleet, dash, number = item.unit.partition("-")
        there = fleet in count and (not dash or (number.isdecimal() and 1 <= int(number) <= count[fleet]))
        if not there:
            known = ", ".join(f"{f} or {f}-1 to {f}-{n}" for f, n in count.items() if n) or "none, no fleet is on"
            out.append((("interventions", i, "unit"), f'is "{item.unit}"; this scenario has {known}'))
    return out


def _permits(s: Scenario) -> list[Problem]:
    """Check that the permits have names of their own, and the units they name."""
    if s.supervision is None:
        return []
    count = _units(s)
    out: list[Problem] = []
    names: dict[str, int] = {}
    for i, permit in enumerate(s.supervision.permits):
        here: KeyPath = ("supervision", "permits", i)
        if permit.name and names.setdefault(permit.name, i) != i:
            other = names[permit.name]
            out.append(((*here, "name"), f'is "{permit.name}", as permits[{other}] is called; give each its own name'))
        most = count.get(permit.fleet, 0)
        for k, number in enumerate(permit.units if most else ()):
            if number > most:
                out.append(((*here, "units", k), f"is {number}; this scenario has {permit.fleet}-1 to -{most}"))
    return out


def _permits_that_end(s: Scenario) -> list[Problem]:
    """Check that permits that interventions end are there, and have not ended by then."""
    from twin.scenario.supervision import PURPOSE_OF, Supervision

    ends = [(i, item) for i, item in enumerate(s.interventions) if isinstance(item, PermitEnds)]
    if not ends:
        return []
    fleets = [fleet for fleet, n in _units(s).items() if n and fleet in PURPOSE_OF]
    known: dict[str, int | None] = {}  # by name: the second at which it ends by its date
    for name, permit in (s.supervision or Supervision()).named(fleets):
        until = permit.valid_until
        known[name] = None if until is None else (permit.valid_until_day - 1) * DAY_S + until
        if permit.asks_tests:
            known[f"{name}/test"] = known[name]
    out: list[Problem] = []
    gone: dict[str, int] = {}
    for i, item in sorted(ends, key=lambda e: e[1].at_s):
        here, name = ("interventions", i, "permit"), item.permit
        until_s = known.get(name)
        if name not in known:
            shown = ", ".join(known) or "none, no fleet that needs one is on"
            out.append((here, f'is "{name}"; this scenario has {shown}{did_you_mean(name, list(known))}'))
        elif name in gone:
            out.append((here, f'is "{name}", which interventions[{gone[name]}] ends before'))
        elif until_s is not None and until_s <= item.at_s:
            out.append((here, f'is "{name}", which ends by its date before, at {clock_text(until_s % DAY_S or DAY_S)}'))
        gone.setdefault(name, i)
        gone.setdefault(f"{name}/test", i)
    return out


def _period(s: Scenario) -> list[Problem]:
    if s.start >= DAY_S:
        return [(("start",), f'is "{clock_text(s.start)}"; a run must start before "24:00"')]
    if s.end_s <= s.start_s:
        return [
            (
                ("end",),
                f'is "{clock_text(s.end)}", not after the start "{clock_text(s.start)}"; '
                f"write a later time, or 'days: {s.days + 1}' for a run past midnight",
            )
        ]
    return []


def _city(s: Scenario) -> list[Problem]:
    c = s.city
    named = [k for k in ("template", "folder", "osm", "sumo") if getattr(c, k) is not None]
    out: list[Problem] = []
    if len(named) != 1:
        said = "names " + " and ".join(named) if named else "names no city"
        out.append((("city",), f"{said}; give exactly one of template, folder, osm, sumo"))
    if c.sumo is None:
        out += [
            (("city", k), f"is given without a network; '{k}' goes with 'sumo: FILE.net.xml'")
            for k in ("routes", "additional")
            if getattr(c, k)
        ]
    if s.traffic.given and not c.routes and c.folder is None:
        out.append(
            (
                ("traffic", "given"),
                "is true, but the city has no route files; give city: {sumo: NET, routes: FILE}",
            )
        )
    return out


def _weather(s: Scenario) -> list[Problem]:
    kinds = [((("weather",)), "kind", s.weather.kind, s.weather.rain_mm_h)]
    kinds += [
        (("interventions", i), "weather", v.weather, v.rain_mm_h)  # type: ignore[misc]
        for i, v in enumerate(s.interventions)
        if isinstance(v, WeatherChange)
    ]
    out: list[Problem] = []
    for path, name, kind, mm_h in kinds:
        if kind in ("rain", "snow") and mm_h == 0:
            out.append(((*path, name), f"is {kind}, but how much is not said; add rain_mm_h, such as 4"))
        elif kind in ("clear", "fog") and mm_h > 0:
            out.append(((*path, "rain_mm_h"), f"is {mm_h:g}, but the weather is {kind}; write 0, or rain or snow"))
    return out


def _zoom(s: Scenario) -> list[Problem]:
    z = s.zoom
    if z is None:
        return []
    out: list[Problem] = []
    if (z.place is None) == (z.lon is None and z.lat is None) or (z.lon is None) != (z.lat is None):
        out.append((("zoom",), "needs a centre: either place, or lon and lat"))
    start_s, end_s = zoom_period(s)
    if end_s <= start_s:
        out.append((("zoom", "end"), f'is "{clock_text(end_s % DAY_S or DAY_S)}", not after the start of the zoom'))
    elif start_s < s.start_s or end_s > s.end_s:
        out.append((("zoom", "start" if start_s < s.start_s else "end"), f"lies outside the run ({_run(s)})"))
    return out


def zoom_period(s: Scenario) -> tuple[int, int]:
    """Return first and last second of the zoom, since midnight of the first day (the run's where not given)."""
    z = s.zoom
    assert z is not None
    day = (z.day - 1) * DAY_S
    start_s = s.start_s if z.start is None else day + z.start
    return start_s, s.end_s if z.end is None else day + z.end


def _interventions(s: Scenario) -> list[Problem]:
    out: list[Problem] = []
    if s.end_s <= s.start_s:
        return out  # everything would be outside; the period is the mistake
    for i, v in enumerate(s.interventions):
        here: KeyPath = ("interventions", i)
        if not s.start_s <= v.at_s < s.end_s:
            key = "day" if v.day > s.days else "at"
            said = f"is {v.day}" if key == "day" else f'is "{clock_text(v.at)}"'
            out.append(((*here, key), f"{said}, outside the run ({_run(s)}); nothing would happen"))
        if v.until is not None and v.until <= v.at:
            out.append(((*here, "until"), f'is "{clock_text(v.until)}", not after \'at\' "{clock_text(v.at)}"'))
        if isinstance(v, DemandChange) and v.what == "residents" and s.people is None:
            out.append(((*here, "what"), "is residents, but the scenario has no people (people: null)"))
        if isinstance(v, DemandChange) and v.what != "residents" and s.traffic.background == 0:
            out.append(((*here, "what"), f"is {v.what}, but traffic.background is 0: there is none to change"))
        if v.kind == "event" and s.people is None:
            out.append(((*here, "kind"), "is event, but the scenario has no people (people: null) who could visit"))
    return out


def _somebody_travels(s: Scenario) -> list[Problem]:
    if s.people is None and not s.traffic.given and s.traffic.background == 0:
        return [(("people",), "is null, traffic.given is false and traffic.background is 0: nobody would travel")]
    return []


def _run(s: Scenario) -> str:
    days = f" of day {s.days}" if s.days > 1 else ""
    return f"{clock_text(s.start)} to {clock_text(s.end)}{days}"
