"""Building the page: one file, complete, safe, the same every time; wrong folders in one sentence."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geo.errors import CityError
from viz import encode, trips
from viz import map as viz_map
from viz.errors import MapError
from viz.layers import ICONS, PALETTE, SWITCHES, specs
from viz.pack import unpack
from viz.text import _TEXT, texts


def parts(text: str) -> dict:
    return {
        name: unpack(blob)
        for name, blob in re.findall(r'<script type="text/plain" id="data-(\w+)">([^<]*)</script>', text)
        if name != "library"
    }


@pytest.fixture
def own_run(run_dir, tmp_path):
    """A copy of the sample that a test may spoil."""
    return shutil.copytree(run_dir, tmp_path / "run", ignore=shutil.ignore_patterns("map*.html"))


def edit_stamp(folder, **changes):
    stamp = json.loads((folder / "stamp.json").read_text(encoding="utf-8"))
    stamp.update(changes)
    (folder / "stamp.json").write_text(json.dumps(stamp, ensure_ascii=False), encoding="utf-8")


def test_one_file_that_points_nowhere(page_file):
    text = page_file.read_text(encoding="utf-8")
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert not re.search(r"(src|href|action|data)\s*=|url\(|@import|https?://", markup)
    own = re.findall(r"<script>(.*?)</script>", text, flags=re.S)
    assert len(own) == 1
    # the only address is the name of the SVG language, which nobody fetches
    assert set(re.findall(r"https?://[^\s\"']+", own[0])) <= {"http://www.w3.org/2000/svg"}


def test_the_policy_names_exactly_the_scripts_and_the_style(page_file):
    text = page_file.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "*" not in policy

    def sha(words):
        return "'sha256-" + base64.b64encode(hashlib.sha256(words.encode()).digest()).decode() + "'"

    script = re.search(r"<script>(.*?)</script>", text, flags=re.S)[1]
    style = re.search(r"<style>(.*?)</style>", text, flags=re.S)[1]
    assert sha(script) in policy
    assert sha(style) in policy


def test_same_run_same_page(run_dir, page_file, tmp_path):
    again = viz_map.build(run_dir, tmp_path / "again.html")
    assert again.read_bytes() == page_file.read_bytes()


def test_default_name_and_size(page_file, run_dir):
    assert page_file == run_dir / "map.html"
    assert page_file.stat().st_size < 2_500_000  # the library is 1.6 MB of it


def test_what_the_page_says_about_the_run(page_file, run_dir):
    about = parts(page_file.read_text(encoding="utf-8"))["city"][0]["about"]
    assert about["title"] == "A sample"
    assert about["seed"] == 1
    assert about["digest"] == "0123456789"
    assert about["kpis"] == [{"title": "Mean travel time", "unit": "s", "value": 512.4}]
    assert [s["name"] for s in about["series"]] == ["on_the_road", "trips_begun", "mean_speed", "delay", "late_share"]
    assert [h["kind"] for h in about["happenings"]] == ["weather", "closed"]
    assert about["thinning"]["one_in"] == 1
    assert about["slack_s"] == 0


def test_chinese_page(run_dir, tmp_path):
    text = viz_map.build(run_dir, tmp_path / "zh.html", lang="zh").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in text
    about = parts(text)["city"][0]["about"]
    assert about["title"] == "示例"
    assert about["kpis"][0]["title"] == "平均行程时间"
    assert about["text"]["play"] == "播放"


def test_every_word_has_both_languages():
    for key, (english, chinese) in _TEXT.items():
        assert chinese or key == "unit_vehicles", key
        assert not re.search(r"[\u4e00-\u9fff]", english) or key in ("legend",), key
    assert texts("en").keys() == texts("zh").keys()
    with pytest.raises(ValueError, match="en, zh"):
        texts("fr")


def test_every_kind_has_a_word_a_colour_and_a_shape():
    from geo.city import BLOCK_KINDS, PLACE_KINDS, ROAD_CLASSES
    from twin.domain.ids import VEHICLE_KINDS
    from twin.world.people.ports import MODES, PURPOSES

    words = texts("en")
    for prefix, names in (
        ("place_", PLACE_KINDS), ("block_", BLOCK_KINDS), ("class_", ROAD_CLASSES), ("kind_", VEHICLE_KINDS),
        ("one_", VEHICLE_KINDS), ("mode_", MODES), ("purpose_", PURPOSES), ("layer_", SWITCHES),
    ):  # fmt: skip
        assert [n for n in names if prefix + n not in words] == []
    assert set(PALETTE["vehicle"]) == set(VEHICLE_KINDS)
    assert set(PALETTE["mode"]) == set(MODES)
    assert set(PALETTE["block"]) == set(BLOCK_KINDS)
    assert set(PALETTE["road"]) == set(ROAD_CLASSES)
    assert set(ICONS) == set(PLACE_KINDS)
    looks = [(shape, glyph) for shape, glyph, _ in ICONS.values()]
    assert len(set(looks)) >= len(looks) - 3  # told apart by shape, not by colour alone


def test_layers_are_pydeck_layers():
    found = {s["id"]: s for s in specs()}
    assert {layer for layers, _ in SWITCHES.values() for layer in layers} <= set(found)
    assert all(s["@@type"].endswith("Layer") for s in found.values())
    # a bare text would have become an expression
    assert "@@=" not in json.dumps(specs())


# -- less than everything ------------------------------------------------------------------------------


def test_without_plans_and_figures(own_run):
    (own_run / "routes.parquet").unlink()
    (own_run / "kpis.json").unlink()
    got = parts(viz_map.build(own_run).read_text(encoding="utf-8"))
    assert got["trips"][0]["pieces"] >= 380
    assert got["city"][0]["about"]["kpis"] == []


def test_a_run_without_vehicles(own_run):
    table = pq.read_table(own_run / "fcd.parquet")
    pq.write_table(table.slice(0, 0), own_run / "fcd.parquet")
    assert parts(viz_map.build(own_run).read_text(encoding="utf-8"))["trips"][0]["pieces"] == 0


def test_a_city_beside_the_run(own_run, city_dir):
    shutil.copytree(city_dir, own_run.parent / "city")
    edit_stamp(own_run, city_dir="../city")
    assert viz_map.build(own_run).is_file()


def test_precision_gives_way_before_vehicles_are_left_out(run_dir, monkeypatch):
    run = viz_map._open(run_dir)
    samples = viz_map.fcd.read(run_dir / "fcd.parquet", run.city)
    pieces = trips.ways(samples, viz_map._plans(run), run.city)
    length = run.city.roads["length_m"].to_numpy(float)
    (meta, _), fine = viz_map._vehicles(pieces, length, run.begin_s, 1e9)
    (meta_small, _), coarse = viz_map._vehicles(pieces, length, run.begin_s, 1.0)
    assert (fine.slack_s, fine.one_in) == (0.0, 1)
    assert (coarse.slack_s, coarse.one_in) == (trips.SLACKS_S[-1], 1)
    assert meta_small["points"] < meta["points"]
    assert meta_small["pieces"] == meta["pieces"]
    monkeypatch.setattr(viz_map, "WARN_MB", encode.packed_bytes(pieces) / 4e6)
    (meta_thin, _), thin = viz_map._vehicles(pieces, length, run.begin_s, 1.0)
    assert thin.one_in >= 2
    assert thin.shown < thin.vehicles == fine.shown
    assert meta_thin["pieces"] < meta["pieces"]


def test_a_large_page_warns(own_run, monkeypatch):
    monkeypatch.setattr(viz_map, "WARN_MB", 1.0)
    with pytest.warns(UserWarning, match=r"map.html is \d+ MB; browsers may open it slowly"):
        viz_map.build(own_run)


# -- wrong input ---------------------------------------------------------------------------------------


def test_not_a_run_folder(tmp_path):
    with pytest.raises(MapError, match=r"stamp.json: missing; .* is not a run folder"):
        viz_map.build(tmp_path)


@pytest.mark.parametrize("name", ["events.parquet", "fcd.parquet"])
def test_an_incomplete_run_folder(own_run, name):
    (own_run / name).unlink()
    with pytest.raises(MapError, match=f"{name}: missing"):
        viz_map.build(own_run)


@pytest.mark.parametrize(
    ("text", "words"), [("{", "not readable as JSON"), ("[1]", "expected an object"), ("{}", "lacks city_dir, start_s")]
)
def test_a_broken_stamp(own_run, text, words):
    (own_run / "stamp.json").write_text(text)
    with pytest.raises(MapError, match=words):
        viz_map.build(own_run)


def test_an_end_before_the_start(own_run):
    edit_stamp(own_run, end_s=100)
    with pytest.raises(MapError, match=r"end_s \(100\) must be after start_s \(23400\)"):
        viz_map.build(own_run)


def test_a_city_that_is_gone(own_run):
    edit_stamp(own_run, city_dir=str(own_run / "nowhere"))
    with pytest.raises(CityError, match="its city cannot be read"):
        viz_map.build(own_run)


def test_a_city_that_was_built_anew(own_run, city):
    routes = pq.read_table(own_run / "routes.parquet")
    far = pa.array([[len(city.roads) + 5]] * len(routes), pa.list_(pa.int32()))
    pq.write_table(routes.set_column(3, "roads", far), own_run / "routes.parquet")
    with pytest.raises(MapError, match=r"names road \d+, the city has 0\.\."):
        viz_map.build(own_run)


def test_an_unknown_language(run_dir):
    with pytest.raises(MapError, match="'fr' is not known; allowed: en, zh"):
        viz_map.build(run_dir, lang="fr")


def test_an_output_that_cannot_be_written(run_dir, tmp_path):
    with pytest.raises(MapError, match="cannot be written"):
        viz_map.build(run_dir, tmp_path / "no" / "such" / "map.html")
