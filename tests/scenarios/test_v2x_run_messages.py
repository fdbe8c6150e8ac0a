"""The messages of a run on the air: what is in them is what the run says, and the bytes bring it back."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from geo.city import City
from scenarios.exports import v2x_run
from scenarios.exports.run import RunData
from scenarios.exports.v2x_run import Broadcasts
from scenarios.exports.v2x_uper import decode_cam, decode_denm, decode_mapem, decode_spatem
from tests.cities import city_of_grid
from tests.scenarios.test_v2x_uper import same
from twin import events
from twin.cli import app
from twin.errors import ScenarioError
from twin.run_folder import prepare
from twin.scenario import Scenario
from twin.simulation import Simulation, carry_through
from twin.world.junctions.crossings import read_crossings

pytest.importorskip("pycrate_asn1dir", reason="the extra 'v2x' (pycrate) is not installed")

START_S, END_S = 28_800, 28_800 + 420


@pytest.fixture(scope="module", params=["fixed", "adaptive"])
def run(request, tmp_path_factory) -> RunData:
    folder = tmp_path_factory.mktemp("on-the-air")
    place = city_of_grid(3, 300, "B1,A1").save(folder / "city")
    out = prepare(folder / "run")
    s = Scenario.model_validate(
        {
            "name": "air", "city": str(place), "start": "08:00", "end": "08:07", "people": None,
            "traffic": {"mode": "micro", "background": 4.0, "fcd_period_s": 5},
            "junctions": {"policy": request.param, "grade": "L3",
                          "v2x": {"penetration": 0.5, "persons_per_hour": 400, "exchange": None}},
        }
    )  # fmt: skip
    carry_through(Simulation(s, City.load(place), place, 1, out))
    return RunData.open(out)


def test_the_bytes_bring_everything_back(run: RunData) -> None:
    made = Broadcasts(run)
    kinds: dict[str, int] = {}
    warned = run.facts.frame(events.HazardWarned)["t_s"].tolist()
    for t in sorted({*range(START_S + 60, END_S, 45), *warned}):
        for junction in made.names:
            messages = v2x_run.export(run, junction, t)
            assert same(decode_mapem(messages["mapem.uper"]), _at_second(made.mapem(junction), 0))
            assert same(decode_spatem(messages["spatem.uper"], START_S * 1000), _at_second(made.spatem(junction, t)))
            cams = [decode_cam(b) for name, b in messages.items() if name.startswith("cam")]
            denms = [decode_denm(b) for name, b in messages.items() if name.startswith("denm")]
            assert cams == made.cams(t)
            assert denms == made.denms(junction, t)
            kinds["cam"] = kinds.get("cam", 0) + len(cams)
            kinds["denm"] = kinds.get("denm", 0) + len(denms)
    assert kinds["cam"] > 20
    assert kinds["denm"] > 0


def _at_second(message, t_s: int = START_S):
    """Neither MAPEM nor SPATEM holds the second in which the object was made; the decoder puts the hour there."""
    return type(message)(t_s, *[getattr(message, f) for f in list(message.__dataclass_fields__)[1:]])


def test_the_map_is_that_of_the_network(run: RunData) -> None:
    made = Broadcasts(run)
    links = [k for k in read_crossings(run.city.net_file).links if k.tls == "B1"]
    told = made.mapem("B1")
    assert told.connect_group.size == len(links)
    assert set(told.connect_group) == {k.group + 1 for k in links}
    assert int(told.ingress.sum()) == len({(k.from_edge, k.from_lane) for k in links})
    # lanes in begin at their stop lines, some metres from the middle, and lead away from it
    for lane in told.lane[told.ingress == 1].tolist():
        rows = told.node_lane == lane
        far = np.hypot(told.node_x_m[rows], told.node_y_m[rows])
        assert far[0] < 25 < far[-1]
        assert (np.diff(far) > 0).all()


def test_a_signal_ends_when_the_message_says_so(run: RunData) -> None:
    """Under a plan the times are exact: every state lasts until then, and changes then."""
    made = Broadcasts(run)
    fixed = run.scenario["junctions"]["policy"] == "fixed"
    exact = 0
    for junction in made.names:
        for t in range(START_S + 30, START_S + 300, 7):
            told = made.spatem(junction, t)
            for i, letter in enumerate(told.state):
                if np.isnan(told.max_end_ms[i]):
                    assert not fixed or np.isnan(told.likely_ms[i])
                    continue
                end = int(told.max_end_ms[i]) // 1000
                exact += 1
                assert {made.spatem(junction, s).state[i] for s in (t, end - 1)} == {letter}
                assert made.spatem(junction, end).state[i] != letter
                assert (told.confidence[i] == 1.0) or letter in "yu"
    assert exact > (500 if fixed else 3)


def test_cams_are_those_of_connected_vehicles(run: RunData) -> None:
    connected = {v % 2**32 for v in run.facts.frame(events.VehicleConnected)["vehicle"].tolist()}
    cams = Broadcasts(run).cams(START_S + 300)
    assert 0 < len(cams) == len({c.station for c in cams})
    assert {c.station for c in cams} <= connected


def test_the_command_writes_them_and_wrong_names_are_one_sentence(run: RunData, tmp_path) -> None:
    args = ["export", "v2x", str(run.folder), "--junction", "B1", "--at", "08:05", "--out", str(tmp_path / "air")]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, result.output
    assert "MAPEM and SPATEM of B1" in result.output
    assert decode_mapem((tmp_path / "air" / "mapem.uper").read_bytes()).name == "B1"
    with pytest.raises(ScenarioError, match="no junction 'Z9' with signals; there are A1, B1"):
        v2x_run.export(run, "Z9", START_S + 100)
    with pytest.raises(ScenarioError, match="00:01:40 is not in the run, which lasts from 08:00:00 to"):
        v2x_run.export(run, "B1", 100)
