"""A scenario says what it means or says what is wrong: each mistake one sentence, all mistakes at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import ScenarioError
from twin.scenario import (
    CloseRoad,
    Scenario,
    ScenarioProblems,
    catalogue,
    clock_text,
    load_scenario,
    seconds_of,
    zoom_period,
)
from twin.scenario.yaml_file import MAX_BYTES, parse_yaml


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def problems(folder: Path, text: str, **sets: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(folder, text), {k.replace("__", "."): v for k, v in sets.items()})
    return list(getattr(caught.value, "problems", [str(caught.value)]))


# -- bad input: YAML → the line, and the words that must be in the one sentence ------------------------------------

WRONG = {
    "unknown key": ("peple: {}", 1, ["unknown key 'peple'", "did you mean 'people'"]),
    "unknown key inside": (
        "people:\n  resident: 5",
        2,
        ["unknown key 'resident' in people", "did you mean 'residents'"],
    ),
    "unknown key that belongs deeper": (
        "residents: 5",
        1,
        ["unknown key 'residents'", "did you mean 'people.residents'"],
    ),
    "unknown key far from all": ("zzzqqq: 1", 1, ["unknown key 'zzzqqq'", "allowed: ", "weather"]),
    "seed": ("seed: 7", 1, ["the seed is no part of a scenario", "--seed 7"]),
    "population 0": ("people: {residents: 0}", 1, ["people.residents is 0", "from 1 to 5,000,000", "people: null"]),
    "population -1": ("people:\n  residents: -1", 2, ["people.residents is -1", "from 1 to"]),
    "population as text": ("people: {residents: many}", 1, ['people.residents is "many"', "whole number"]),
    "population with unit": ('people: {residents: "5 000 people"}', 1, ["write 5000", "unit"]),
    "population with point": ("people: {residents: 5.0}", 1, ["people.residents is 5.0", "write 5"]),
    "share in percent": ("people: {share: 20 %}", 1, ['people.share is "20 %"', "write 0.2"]),
    "share": ("people: {share: 1.5}", 1, ["people.share is 1.5", "above 0, up to 1"]),
    "not a number": ("people: {share: .nan}", 1, ["people.share is nan"]),
    "people as number": ("people: 5", 1, ["people is 5", "residents"]),
    "end before start": ('start: "09:00"\nend: "08:00"', 2, ['end is "08:00"', 'start "09:00"', "days: 2"]),
    "end equals start": ('start: "09:00"\nend: "09:00"', 2, ["not after the start"]),
    "time without quotes or colon": ("start: 6", 1, ["start is 6", 'write "06:00"']),
    "time as minutes (YAML 1.1)": ("start: 390", 1, ['if 06:30 is meant, write it in quotes: "06:30"']),
    "time in words": ('end: "half past six"', 1, ["hours and minutes in quotes"]),
    "time with unit": ('end: "90m"', 1, ['end is "90m"', "a time such as"]),
    "time beyond the day": ('end: "24:01"', 1, ['end is "24:01"', 'up to "24:00"', "hours and minutes"]),
    "time with minute 60": ('start: "06:60"', 1, ['start is "06:60"']),
    "start at 24:00": ('start: "24:00"\ndays: 2', 1, ['must start before "24:00"']),
    "days": ("days: 0", 1, ["days is 0", "from 1 to 31"]),
    "days as text": ('days: "2"', 1, ['days is "2"', "write 2 without quotes"]),
    "weekday": ("weekday: mondy", 1, ['weekday is "mondy"', "did you mean 'monday'"]),
    "mode": ("traffic: {mode: mezo}", 1, ['traffic.mode is "mezo"', "meso, micro or free-flow", "did you mean 'meso'"]),
    "truth": ('traffic: {given: "yes"}', 1, ["traffic.given", "true or false", "write true"]),
    "teleport 0": ("traffic: {time_to_teleport_s: 0}", 1, ["traffic.time_to_teleport_s is 0", "-1 (never)"]),
    "period with unit": ("traffic: {fcd_period_s: 30 s}", 1, ['is "30 s"', "write 30", "unit is fixed by the key"]),
    "given without routes": ("traffic: {given: true}", 1, ["traffic.given is true", "route files"]),
    "rain without amount": ("weather: {kind: rain}", 1, ["weather.kind is rain", "rain_mm_h"]),
    "amount without rain": ("weather: {rain_mm_h: 3}", 1, ["weather.rain_mm_h is 3", "clear"]),
    "nobody travels": ("people: null\ntraffic: {background: 0}", 1, ["nobody would travel"]),
    "city neither": ("city: {}", 1, ["city names no city", "exactly one of"]),
    "city twice": ("city: {template: qibu, folder: .}", 1, ["names template and folder"]),
    "city unknown": ("city: qubu", 1, ['city is "qubu"', "no such folder", "did you mean 'qibu'"]),
    "city file missing": ("city:\n  osm: nowhere.osm", 2, ['city.osm is "nowhere.osm"', "no such file"]),
    "routes without net": ("city: {template: qibu, routes: mine.yaml}", 1, ["city.routes", "goes with 'sumo"]),
    "zoom without centre": ("zoom: {radius_m: 500}", 1, ["zoom needs a centre"]),
    "zoom with two centres": ("zoom: {place: A, lon: 1, lat: 2}", 1, ["either place, or lon and lat"]),
    "zoom with half a centre": ("zoom: {lon: 117}", 1, ["zoom needs a centre"]),
    "zoom radius": (
        "zoom: {place: A, radius_m: 1 km}",
        1,
        ['zoom.radius_m is "1 km"', "from 100 to 20000", "write 1000"],
    ),
    "zoom outside": ('end: "08:00"\nzoom:\n  place: A\n  end: "09:00"', 4, ["zoom.end lies outside the run"]),
    "zoom backwards": ('zoom: {place: A, start: "09:00", end: "08:00"}', 1, ["not after the start of the zoom"]),
    "control": ("control: {incident_traffic: MyDesk}", 1, ["control.incident_traffic", "package.module:Class"]),
    "control unknown": ("control: {traffic: 'a.b:C'}", 1, ["unknown key 'traffic' in control"]),
    "interventions no list": ("interventions: {at: 1}", 1, ["interventions is a mapping", "a list of items"]),
    "intervention no mapping": ("interventions: [5]", 1, ["interventions[0] is 5", "'at:'"]),
    "no kind": ('interventions: [{at: "07:00"}]', 1, ["interventions[0].kind is missing", "close_road"]),
    "wrong kind": (
        'interventions:\n- {at: "07:00", kind: close_raod}',
        2,
        ['"close_raod"', "did you mean 'close_road'"],
    ),
    "no road": ('interventions: [{at: "07:00", kind: close_road}]', 1, ["interventions[0].road is missing"]),
    "no time": ("interventions: [{kind: close_road, road: A}]", 1, ["interventions[0].at is missing", "a time"]),
    "unknown key in intervention": (
        'interventions:\n- kind: event\n  at: "07:00"\n  place: A\n  people: 3\n  utnil: "08:00"',
        6,
        ["unknown key 'utnil' in interventions[0]", "did you mean 'until'"],
    ),
    "before the run": (
        'start: "06:30"\ninterventions:\n- {kind: close_road, road: A, at: "06:00"}',
        3,
        ['interventions[0].at is "06:00"', "outside the run (06:30 to 24:00)"],
    ),
    "on a day that is not": (
        'interventions: [{kind: close_road, road: A, at: "06:00", day: 2}]',
        1,
        ["interventions[0].day is 2", "outside"],
    ),
    "over before it begins": (
        'interventions: [{kind: close_road, road: A, at: "08:00", until: "07:00"}]',
        1,
        ['interventions[0].until is "07:00"', "not after 'at' \"08:00\""],
    ),
    "lanes": (
        'interventions: [{kind: close_road, road: A, at: "08:00", lanes: [x]}]',
        1,
        ["lanes", "0 is the right"][:1],
    ),
    "speed": (
        'interventions: [{kind: speed_limit, road: A, at: "08:00", speed_km_h: 30 km/h}]',
        1,
        ['speed_km_h is "30 km/h"', "write 30"],
    ),
    "demand of nobody": (
        'people: null\ninterventions: [{kind: demand, what: residents, factor: 2, at: "08:00"}]',
        2,
        ["interventions[0].what is residents", "no people"],
    ),
    "demand of no background": (
        'traffic: {background: 0}\ninterventions: [{kind: demand, what: freight, factor: 2, at: "08:00"}]',
        2,
        ["is freight", "there is none to change"],
    ),
    "factor": (
        'interventions: [{kind: demand, what: freight, factor: 20 %, at: "08:00"}]',
        1,
        ['factor is "20 %"', "from 0 (none) to 10", "write 0.2"],
    ),
    "event without people": (
        'people: null\ninterventions: [{kind: event, place: A, people: 5, at: "08:00"}]',
        2,
        ["no people"],
    ),
    "name": ("name: a/b", 1, ['name is "a/b"', "letters, digits"]),
    "name climbs": ("name: ..", 1, ['name is ".."']),
    "extends nobody": ("extends: weakday", 1, ['extends is "weakday"', "did you mean 'weekday'"]),
    "extends a missing file": ("extends: gone.yaml", 1, ["extends", "gone.yaml: there is no such file"]),
    "extends a number": ("extends: 5", 1, ["extends is 5"]),
    "a key twice": ("days: 1\ndays: 2", 2, ["'days' is written twice"]),
    "a tag": ("days: !!python/object/apply:os.system ['true']", 1, ["tag", "not allowed"]),
    "a list at the top": ("- 1", 0, ["the list [1]", "keys and values"]),
    "text at the top": ("hello", 0, ['"hello"', "keys and values"]),
    "broken YAML": ("people: {residents: 5", 1, ["not valid YAML"]),
    "a tab": ("people:\n\tresidents: 5", 2, ["not valid YAML"]),
    "two documents": ("days: 1\n---\ndays: 2", 2, ["second document"]),
    "unknown alias": ("days: *one", 1, ["alias"]),
    "alias of a list": ("interventions: &a []\npeople: *a", 2, ["only single values"]),
    "too deep": ("people: " + "[" * 30 + "]" * 30, 1, ["nested too deeply"]),
    "a huge number": ("days: " + "9" * 5000, 1, ["days"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_clear_sentence_for_each_mistake(case: str, tmp_path: Path) -> None:
    text, line, words = WRONG[case]
    said = problems(tmp_path, text)
    assert len(said) == 1, said
    assert "mine.yaml" in said[0]
    assert (f"line {line}:" in said[0]) if line else ("line" not in said[0]), said[0]
    for word in words:
        assert word in said[0], said[0]
    assert "\n" not in said[0]
    assert "Traceback" not in said[0]


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = """\
start: "06:00"
end: "05:00"
people:
  residents: 0
  compnies: 3
traffic:
  fcd_period_s: 10 s
weather: {kind: rain}
interventions:
  - {kind: close_road, at: "07:00", road: A, until: "06:00"}
  - {kind: quake, at: "07:00"}
"""
    said = problems(tmp_path, text)
    lines = sorted(int(s.split("line ")[1].split(":")[0]) for s in said)
    assert lines == [2, 4, 5, 7, 8, 11]  # the 'until' of line 10 is not judged: its run has no valid period


def test_all_mistakes_include_those_of_keys_against_each_other(tmp_path: Path) -> None:
    items = '- {kind: quake, at: "01:00"}\n- {kind: weather, at: "02:00", weather: rain}'
    text = f"people: {{residents: 0}}\ninterventions:\n{items}"
    said = problems(tmp_path, text)
    assert [s.split("line ")[1].split(":")[0] for s in said] == ["1", "3", "4"]
    assert "interventions[1].weather is rain" in said[2]


@pytest.mark.parametrize(
    ("write_it", "words"),
    [
        (lambda f: f.write_bytes(b"title: \xff\xfe"), "not UTF-8"),
        (lambda f: f.write_bytes(b"title: \x00"), "not valid YAML"),
        (lambda f: f.write_bytes(b"# " + b"x" * MAX_BYTES), "1,000,000 at most"),
        (lambda f: f.write_text("".join(f"k{i}: 1\n" for i in range(30_000))), "too many values"),
        (lambda f: f.write_text("a: &x 1\n" + "".join(f"b{i}: *x\n" for i in range(99))), "too many aliases"),
        (lambda f: f.mkdir(), "is a folder"),
        (lambda f: None, "there is no such file"),
    ],
)
def test_files_that_are_no_scenario(tmp_path: Path, write_it: object, words: str) -> None:
    file = tmp_path / "odd.yaml"
    write_it(file)  # type: ignore[operator]
    with pytest.raises(ScenarioError, match=words):
        load_scenario(file)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ScenarioError, match=r"known: .*demo.*did you mean 'weekday'"):
        load_scenario("wekday")


# -- what is right -------------------------------------------------------------------------------------------------


def test_an_empty_file_is_a_whole_day_of_the_shipped_district(tmp_path: Path) -> None:
    s = load_scenario(write(tmp_path, "", "empty.yaml"))
    assert (s.name, s.start_s, s.end_s, s.city.template) == ("empty", 0, 86_400, "qibu")
    assert s.people is not None
    assert s.people.residents == 64_000 + 52_000 + 56_000 + 63_000  # the four subdistricts


def test_times_without_quotes_and_with_seconds_are_understood(tmp_path: Path) -> None:
    s = load_scenario(write(tmp_path, "start: 06:30\nend: '7:00:30'"))
    assert (s.start_s, s.end_s) == (23_400, 25_230)


def test_days_and_weekends(tmp_path: Path) -> None:
    s = load_scenario(write(tmp_path, 'weekday: friday\ndays: 4\nstart: "06:00"\nend: "03:00"'))
    assert s.end_s == 3 * 86_400 + 3 * 3600
    assert [s.is_weekend(day) for day in range(4)] == [False, True, True, False]


def test_interventions_on_later_days_count_from_the_first_midnight(tmp_path: Path) -> None:
    text = 'days: 2\ninterventions: [{kind: close_road, road: A, at: "07:00", until: "08:00", day: 2}]'
    v = load_scenario(write(tmp_path, text)).interventions[0]
    assert isinstance(v, CloseRoad)
    assert (v.at_s, v.until_s, v.lanes) == (86_400 + 25_200, 86_400 + 28_800, "all")


def test_extends_merges_mappings_replaces_lists_and_does_not_inherit_titles(tmp_path: Path) -> None:
    write(
        tmp_path, "title: Base\nquestion: Why?\npeople: {residents: 10, companies: 3}\ntraffic: {mode: micro}", "a.yaml"
    )
    closed = 'interventions: [{kind: close_road, road: A, at: "07:00"}]'
    write(tmp_path, f"extends: a.yaml\npeople: {{residents: 20}}\n{closed}", "b.yaml")
    c = load_scenario(write(tmp_path, "extends: b\ntitle: C\ninterventions: []", "c.yaml"))
    assert (c.name, c.title, c.question) == ("c", "C", "")
    assert c.people is not None
    assert (c.people.residents, c.people.companies, c.traffic.mode) == (20, 3, "micro")
    assert c.interventions == ()


def test_a_mistake_in_a_base_names_the_base(tmp_path: Path) -> None:
    write(tmp_path, "days: 1\npeople: {residents: 0}", "base.yaml")
    said = problems(tmp_path, "extends: base.yaml")
    assert "base.yaml, line 2: people.residents is 0" in said[0]


def test_null_and_back_again(tmp_path: Path) -> None:
    write(tmp_path, "people: null", "none.yaml")
    assert load_scenario(tmp_path / "none.yaml").people is None
    s = load_scenario(write(tmp_path, "extends: none.yaml\npeople: {residents: 9}"))
    assert s.people is not None
    assert s.people.residents == 9


def test_extends_in_a_circle_is_told_with_the_circle(tmp_path: Path) -> None:
    write(tmp_path, "extends: b.yaml", "a.yaml")
    write(tmp_path, "extends: a.yaml", "b.yaml")
    with pytest.raises(ScenarioError, match=r"circle: a\.yaml → b\.yaml → a\.yaml"):
        load_scenario(tmp_path / "a.yaml")


def test_a_file_named_like_its_base_extends_the_catalogue(tmp_path: Path) -> None:
    s = load_scenario(write(tmp_path, "extends: weekday\nweekday: sunday", "weekday.yaml"))
    assert s.weekday == "sunday"
    assert s.people == load_scenario("weekday").people


def test_paths_are_relative_to_the_file_that_says_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.osm").write_text("<osm/>")
    write(tmp_path / "deep", "city: {osm: x.osm}", "base.yaml")
    monkeypatch.chdir("/")
    s = load_scenario(write(tmp_path, "extends: deep/base.yaml"))
    assert s.city.osm == str(tmp_path / "deep" / "x.osm")


def test_city_is_replaced_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "n.net.xml").write_text("<net/>")
    (tmp_path / "x.osm").write_text("<osm/>")
    write(tmp_path, "city: {sumo: n.net.xml}", "base.yaml")
    s = load_scenario(write(tmp_path, "extends: base.yaml\ncity: {osm: x.osm}"))
    assert (s.city.sumo, s.city.osm is not None) == (None, True)


# -- --set -----------------------------------------------------------------------------------------------------------


def test_set_changes_keys_with_the_same_checks(tmp_path: Path) -> None:
    sets = {
        "people.residents": "1000",
        "start": "07:00",
        "zoom.place": "都市阳台",
        "weather": "{kind: snow, rain_mm_h: 1}",
    }
    s = load_scenario("demo", sets)
    assert s.people is not None
    assert s.zoom is not None
    assert (s.people.residents, s.people.companies, s.start) == (1000, 6000, 25_200)
    assert (s.zoom.place, s.weather.kind) == ("都市阳台", "snow")
    assert load_scenario("road_closure", {"interventions.0.until": "09:00"}).interventions[0].until == 9 * 3600


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("people.residents", "0", ["--set people.residents: people.residents is 0", "from 1 to"]),
        ("peple.residents", "5", ["--set peple.residents: unknown key 'peple'", "did you mean 'people'"]),
        ("start", "7", ["--set start: start is 7", 'write "07:00"']),
        ("people.residents", "{", ["--set people.residents", "not valid YAML"]),
        ("people", "!!x 5", ["--set people", "tag"]),
        ("interventions.3.until", "09:00", ["--set interventions.3.until", "has 1 items"]),
        ("interventions.until", "09:00", ["--set interventions.until", "is a list"]),
        ("end", "06:00", ["--set end: end is", "not after the start"]),
        ("extends", "demo", ["--set extends"]),
        ("", "5", ["is not a key"]),
    ],
)
def test_set_names_itself_in_its_errors(name: str, value: str, words: list[str]) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("road_closure", {name: value})
    for word in words:
        assert word in str(caught.value)


# -- stamps and changes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_a_scenario_survives_its_stamp(name: str) -> None:
    s = load_scenario(name, files=False)
    again = Scenario.from_resolved(json.loads(json.dumps(s.resolved(), allow_nan=False)))
    assert again == s
    assert again.resolved() == s.resolved()


def test_a_stamp_that_was_changed_is_explained() -> None:
    data = load_scenario("demo").resolved() | {"days": "two"}
    with pytest.raises(ScenarioError, match=r'stamp\.json: days is "two"'):
        Scenario.from_resolved(data)


def test_changes_are_checked_like_a_file() -> None:
    base = load_scenario("road_closure")
    changed = base.changed(people={"share": 0.1}, weekday="sunday")
    assert changed.people is not None
    assert (changed.people.simulated, changed.is_weekend(0)) == (23_500, True)
    assert changed.interventions == base.interventions
    assert base.people is not None
    assert base.people.share == 1.0
    with pytest.raises(ScenarioProblems, match=r"given in Python: people\.residents is -1"):
        base.changed(people={"residents": -1})


class _Desk:
    """A controller given as a class."""


def test_a_class_may_stand_for_its_name_and_is_stamped_by_it() -> None:
    s = load_scenario("demo", overrides={"control": {"incident_traffic": _Desk}})
    assert s.control.factories() == {"incident_traffic": _Desk}
    assert s.resolved()["control"]["incident_traffic"].endswith(":_Desk")
    assert s.changed(days=2, start="06:00").control.incident_traffic is _Desk


def test_a_shorter_run_tells_what_falls_away() -> None:
    base = load_scenario("road_closure")
    short, notes = base.shortened(0.5)
    assert (short.end_s - short.start_s, short.interventions) == (1800, ())
    assert len(notes) == 1
    assert "07:15" in notes[0]
    same, none = base.shortened(100)
    assert same is base
    assert none == []
    zoomed, notes = load_scenario("cuizhai_zoom").shortened(8)
    assert zoomed.zoom is not None
    assert zoom_period(zoomed) == (27_000, 28_800)
    assert notes
    with pytest.raises(ScenarioError, match="--hours"):
        base.shortened(0)
    with pytest.raises(ScenarioError, match="cannot end at 5 s"):
        base.ending(5)
    closed = base.interventions[0]
    assert base.ending(closed.at_s + 60)[0].interventions == (closed,), "what has begun stays, and lasts to the end"


def test_a_scenario_is_frozen_and_equal_by_content() -> None:
    a, b = load_scenario("demo"), load_scenario("demo")
    assert a == b
    assert hash(a) == hash(b)
    with pytest.raises(ValueError, match="frozen"):
        a.days = 2  # type: ignore[misc]
    assert a != load_scenario("demo", {"days": "2"})


@given(st.integers(0, 86_400))
def test_every_second_of_a_day_survives_as_text(t_s: int) -> None:
    assert seconds_of(clock_text(t_s)) == t_s


# -- never a traceback -------------------------------------------------------------------------------------------------

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["06:30", "24:00", "qibu", "meso", "rain", "weekday", "close_road", "all", "A"]),
)
_keys = st.one_of(
    st.text(max_size=6),
    st.sampled_from([*Scenario.model_fields, "extends", "residents", "mode", "kind", "at", "until", "road", "lanes"]),
)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4), max_leaves=12
)


def said_of(action: Callable[[], object]) -> str | None:
    """Return the words of the ScenarioError an action ends with, None if it succeeds; anything else fails."""
    try:
        action()
    except ScenarioError as error:
        return str(error)
    return None


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_keys, _values, max_size=5))
def test_any_data_gives_a_scenario_or_sentences(data: dict[str, object]) -> None:
    said = said_of(lambda: Scenario.from_resolved(data))
    if said is None:
        s = Scenario.from_resolved(data)
        assert Scenario.from_resolved(s.resolved()) == s
    else:
        assert said.strip()


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet="{}[]:,-&*!|>'\"%@`#?\n \tab01\\x~", max_size=40)))
def test_any_text_is_parsed_or_refused_in_a_sentence(text: str) -> None:
    said = said_of(lambda: parse_yaml(text, "fuzz.yaml"))
    assert said is None or (said.startswith("fuzz.yaml") and "\n" not in said)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(catalogue())), st.data())
def test_a_damaged_catalogue_file_never_ends_in_a_traceback(name: str, data: st.DataObject) -> None:
    text = catalogue()[name].read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 30))
    text = text[:at] + data.draw(st.text(max_size=3)) + text[at + cut :]

    def read() -> None:
        tree = parse_yaml(text, "damaged.yaml")
        if isinstance(tree.data, dict):
            tree.data.pop("extends", None)
            Scenario.from_resolved(tree.data, "damaged.yaml")

    assert said_of(read) != ""
