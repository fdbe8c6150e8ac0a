"""What passes between a zoom and the process of its district: vehicles, crossings, errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import CityError
from geo.network import Routes
from scenarios import load
from twin.control.junctions.incident_traffic import IncidentTraffic
from twin.errors import AdapterError, ControlError, ScenarioError
from twin.scenario.mistakes import ScenarioProblems
from twin.world.traffic.ports import NewVehicles, Stop
from twin.zoom_district import (
    Inflow,
    _can_be_made_elsewhere,
    _error_of,
    _failure,
    _how_it_died,
    _last_words,
    read_inflow,
    write_inflow,
)

STOP = st.builds(
    Stop,
    road=st.integers(0, 10**6),
    pos_m=st.floats(0, 1e4),
    duration_s=st.integers(0, 10**4),
    until_s=st.integers(-1, 10**6),
    place=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)


@settings(max_examples=25, deadline=None)
@given(
    ways=st.lists(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=4), max_size=5),
    stops=st.dictionaries(st.integers(0, 4), st.lists(STOP, min_size=1, max_size=3), max_size=3),
    crossed=st.lists(st.tuples(*[st.integers(0, 2**62)] * 3), max_size=4),
)
def test_what_comes_in_is_read_as_it_was_written(tmp_path_factory, ways, stops, crossed):
    n = len(ways)
    offsets = np.concatenate([[0], np.cumsum([len(w) for w in ways])]).astype(np.int64)
    routes = Routes(
        np.asarray([r for w in ways for r in w], dtype=np.int32), offsets, np.where(np.arange(n), np.inf, 0.1)
    )
    columns = (np.arange(n) + k * 10**15 for k in range(3))
    table = np.asarray(crossed, dtype=np.int64).reshape(-1, 3)
    sent = Inflow(NewVehicles(*columns, routes, stops), (table[:, 0], table[:, 1], table[:, 2]))
    file = tmp_path_factory.getbasetemp() / "inflow.npz"
    write_inflow(sent, file)
    got = read_inflow(file)
    for a, b in zip(_arrays(sent), _arrays(got), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert dict(got.vehicles.stops) == stops


def _arrays(inflow: Inflow) -> list[np.ndarray]:
    v = inflow.vehicles
    return [v.vehicle, v.type_index, v.depart_s, v.routes.roads, v.routes.offsets, v.routes.time_s, *inflow.crossed]


class _FinerError(ScenarioError):
    """A kind of ScenarioError that the parent has not heard of."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ScenarioError("zoom: radius_m is 0"), ScenarioError),
        (ScenarioProblems(["one", "two"]), ScenarioProblems),
        (_FinerError("finer"), ScenarioError),
        (ControlError("who, what, when"), ControlError),
        (AdapterError("SUMO failed at 7 s"), AdapterError),
        (CityError("no place 'x'"), CityError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_an_error_keeps_class_and_sentence(error, kind):
    got = _error_of(_failure(error))
    assert type(got) is kind
    assert str(got) == str(error)
    assert getattr(got, "problems", None) == getattr(error, "problems", None)


def test_a_bug_becomes_an_adapter_error_with_its_trace_beside_it():
    try:
        {}["missing"]
    except KeyError as bug:
        got = _error_of(_failure(bug))
    assert type(got) is AdapterError
    assert str(got) == "the whole district of the zoom failed: KeyError: 'missing'"
    assert "test_zoom_district.py" in got.__notes__[0]


def test_a_death_is_told_with_cause_and_second():
    assert _how_it_died(-11, 25_260).endswith("was ended by SIGSEGV at about 25260 s")
    assert _how_it_died(-63, None).endswith("was ended by signal 63 before it began")
    assert _how_it_died(1, None).endswith("ended with exit code 1 before it began")


def test_the_last_words_of_sumo_are_told_but_no_warning(tmp_path):
    assert _last_words(tmp_path) == ""
    (tmp_path / "twin-sumo-1").mkdir()
    file = tmp_path / "twin-sumo-1" / "stderr.txt"
    file.write_text("Warning: Teleporting vehicle '7'\n")
    assert _last_words(tmp_path) == ""
    file.write_text("terminate called after throwing an instance of 'X'\nWarning: late\n  indented\n")
    assert _last_words(tmp_path) == "; it said: terminate called after throwing an instance of 'X'"


@pytest.mark.parametrize(
    ("factory", "elsewhere"),
    [
        (None, True),
        ("no.such.module:Class", True),  # the process says what is wrong with it
        ("twin.control.junctions.incident_traffic:IncidentTraffic", True),
        (IncidentTraffic, True),
        ("__main__:Class", False),
        (lambda: None, False),
        (type("IncidentTraffic", (IncidentTraffic,), {"__module__": IncidentTraffic.__module__}), False),
    ],
)
def test_a_controller_is_made_elsewhere_if_its_name_leads_to_it(factory, elsewhere):
    assert _can_be_made_elsewhere(load("demo", control={"incident_traffic": factory})) is elsewhere
