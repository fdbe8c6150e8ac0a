"""A City keeps what it is given: files, digest, coordinates, look-ups, and refusals in one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geo.city import City
from geo.errors import CityError
from geo.sumo_net import city_from_net


@pytest.fixture(scope="module")
def city(toy_net) -> City:
    return city_from_net(toy_net, name="toy")


def test_saved_and_loaded_is_the_same_city(city, tmp_path):
    folder = city.save(tmp_path / "toy")
    again = City.load(folder)
    assert again.digest() == city.digest()
    assert again.origin == city.origin
    assert again.crs == city.crs
    assert again.net_offset == city.net_offset
    for name in ("roads", "turns", "junctions", "blocks", "places", "communities", "grids", "bus_lines"):
        assert list(getattr(again, name).columns) == list(getattr(city, name).columns)
        assert len(getattr(again, name)) == len(getattr(city, name))
    assert again.save(tmp_path / "twice") == tmp_path / "twice"
    assert City.load(tmp_path / "twice").digest() == city.digest()


def test_the_saved_network_is_read_back_with_the_same_roads(city, tmp_path):
    from geo.net_tables import read_tables

    net = City.load(city.save(tmp_path / "toy")).net_file
    assert net.read_bytes()[:2] == b"\x1f\x8b"
    assert read_tables(net).roads["edge"].tolist() == city.roads["edge"].tolist()


def test_building_twice_gives_one_digest_whatever_the_hash_seed(city, toy_net):
    code = (
        "import sys; from pathlib import Path; from geo.sumo_net import city_from_net;"
        "print(city_from_net(Path(sys.argv[1]), name='toy').digest())"
    )
    root = Path(__file__).resolve().parents[2]
    for seed in ("1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(toy_net)],
            env={**os.environ, "PYTHONHASHSEED": seed}, cwd=root, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == city.digest()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("roads", "speed_m_s", 1.0), ("blocks", "residents", 12345), ("places", "name", "elsewhere")],
)
def test_any_changed_cell_changes_the_digest(city, table, column, value):
    changed = getattr(city, table).copy()
    changed.loc[0, column] = value
    assert replace(city, **{table: changed}).digest() != city.digest()


def test_a_moved_shape_changes_the_digest(city):
    moved = city.blocks.set_geometry(city.blocks.geometry.translate(xoff=0.5))
    assert replace(city, blocks=moved).digest() != city.digest()


def test_place_is_found_by_id_and_name_and_a_typo_is_helped(city):
    row = city.places.iloc[0]
    assert city.place(row["place"])["place"] == row["place"]
    assert city.place(row["name"])["place"] == row["place"]
    with pytest.raises(CityError, match=r"toy: no place 'gate-01'; did you mean 'gate-0\d\d'\?"):
        city.place("gate-01")
    with pytest.raises(CityError, match=r"no place 'zzzzqqqq'$"):
        city.place("zzzzqqqq")


def test_nearest_place_is_the_nearest_by_straight_line(city):
    gates = city.places[city.places["kind"] == "gate"]
    x, y = gates.geometry.x.to_numpy(), gates.geometry.y.to_numpy()
    at = np.array([[10.0, 20.0], [400.0, 900.0], [-300.0, 50.0]])
    got = city.nearest_place(at[:, 0], at[:, 1], "gate")
    for (px, py), row in zip(at, got, strict=True):
        best = gates.index[np.argmin((x - px) ** 2 + (y - py) ** 2)]
        assert row == best
    with pytest.raises(CityError, match="has no place of kind 'hospital'"):
        city.nearest_place(0, 0, "hospital")


def test_coordinates_come_back_and_a_metre_is_a_metre(city):
    x, y = np.array([0.0, 1000.0]), np.array([0.0, 500.0])
    lon, lat = city.to_wgs84(x, y)
    assert np.allclose(np.column_stack(city.to_local(lon, lat)), np.column_stack([x, y]), atol=1e-6)
    net_lon, net_lat = city.net_to_wgs84(x + city.net_offset[0], y + city.net_offset[1])
    assert np.allclose([net_lon, net_lat], [lon, lat])
    # a degree of latitude is 110.9 to 111.0 km at 36.7° N
    assert (lat[1] - lat[0]) * 110_960 == pytest.approx(500, rel=2e-3)


@pytest.mark.parametrize(
    ("table", "column", "value", "says"),
    [
        ("blocks", "road", 10_000, r"blocks.road points at a road that is not there \(0..\d+\)"),
        ("turns", "to_road", -2, "turns.to_road points at a road"),
        ("places", "kind", "palace", r"unknown place kind \['palace'\]; allowed: gate"),
        ("blocks", "kind", "castle", r"unknown block kind \['castle'\]; allowed: village"),
    ],
)
def test_check_names_the_table_and_what_is_wrong(city, table, column, value, says):
    changed = getattr(city, table).copy()
    changed.loc[0, column] = value
    with pytest.raises(CityError, match=says):
        replace(city, **{table: changed}).check()


def test_check_names_the_missing_column(city):
    with pytest.raises(CityError, match="table 'roads' lacks lanes"):
        replace(city, roads=city.roads.drop(columns="lanes")).check()


def test_folders_that_are_no_city_are_refused_in_one_sentence(city, tmp_path):
    with pytest.raises(CityError, match="not a city folder"):
        City.load(tmp_path)
    folder = city.save(tmp_path / "toy")
    (folder / "blocks.parquet").write_bytes(b"half a file")
    with pytest.raises(CityError, match=r"blocks.parquet: not readable"):
        City.load(folder)
    (folder / "blocks.parquet").unlink()
    with pytest.raises(CityError, match=r"blocks.parquet: missing"):
        City.load(folder)
    meta = json.loads((folder / "city.json").read_text())
    (folder / "city.json").write_text(json.dumps({**meta, "format": 99}))
    with pytest.raises(CityError, match="format is 99"):
        City.load(folder)
    (folder / "city.json").write_text("{")
    with pytest.raises(CityError, match="not readable as JSON"):
        City.load(folder)
