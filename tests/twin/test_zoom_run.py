"""A zoom of the toy city: the district first, then a part of it in micro with the district's traffic."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo.city import City
from scenarios import load
from tests.cities import toy_city
from twin.events import GateCrossed, RunStarted, VehicleEntered
from twin.run_folder import prepare, read_stamp
from twin.scenario import Scenario
from twin.simulation import Run
from twin.zoom import WARM_UP_S, run_zoom


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scratch = tmp_path_factory.mktemp("grid")
    return toy_city(scratch).save(scratch / "city")


def scenario(folder: Path) -> Scenario:
    city = City.load(folder)
    x, y = (city.roads.total_bounds[:2] + city.roads.total_bounds[2:]) / 2
    lon, lat = city.to_wgs84(x, y)
    return load(
        "weekday",
        city={"folder": str(folder)},
        people={"residents": 1500, "companies": 40},
        start="07:00",
        end="08:30",
        traffic={"background": 3.0},
        zoom={"lon": float(lon), "lat": float(lat), "radius_m": 350.0, "start": "07:30", "end": "08:00"},
        interventions=[{"at": "08:10", "kind": "weather", "weather": "rain", "rain_mm_h": 5.0}],
    )


def zoom(folder: Path, out: Path | None = None) -> Run:
    return run_zoom(scenario(folder), City.load(folder), folder, 1, out)


def test_a_zoom_is_micro_in_its_time_with_the_traffic_of_the_district(folder, tmp_path):
    out = prepare(tmp_path / "run")
    run = zoom(folder, out)
    began = run.log.table(RunStarted).to_pylist()[0]
    assert began["traffic"] == "micro"
    assert began["t_s"] == 7 * 3600 + 1800 - WARM_UP_S
    entered = run.log.frame(VehicleEntered)
    crossed = run.log.frame(GateCrossed)
    assert len(crossed) > 20
    assert set(crossed["vehicle"]) & set(entered["vehicle"])
    assert entered["t_s"].between(began["t_s"], 8 * 3600).all()
    stamp = read_stamp(out)
    assert stamp["scenario"]["zoom"]["radius_m"] == 350.0, "the stamp holds what was asked for, zoom and all"
    assert Scenario.from_resolved(stamp["scenario"]) == scenario(folder)
    assert (out / "district" / "events.parquet").is_file()
    part, whole = City.load(stamp["city_dir"]), City.load(folder)
    assert 0 < len(part.roads) < len(whole.roads)


def test_the_same_zoom_twice_has_one_digest(folder):
    assert zoom(folder).digest == zoom(folder).digest
