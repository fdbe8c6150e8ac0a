"""Names on the map: none overlaps another at the zoom from which it shows."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point, box

from viz import labels as room
from viz.geometry import Frame
from viz.labels import STYLES, labels, text


def boxes(found, frame, zoom, lang):
    """(left, right, low, high) in px of the labels that show at a zoom."""
    px = 512 * 2**zoom / 360
    out = []
    for f in found:
        if f.zoom > zoom:
            continue
        size = STYLES[f.style][0]
        width = size * sum(1.0 if ord(c) > 0x2E7F else 0.55 for c in text(f.name, f.name_en, lang))
        turn = np.radians(f.angle)
        wide = width * abs(np.cos(turn)) + size * abs(np.sin(turn))
        high = width * abs(np.sin(turn)) + size * abs(np.cos(turn))
        x = (f.lon - frame.lon) * px
        y = (f.lat - frame.lat) * px / np.cos(np.radians(frame.lat))
        y -= room.BELOW_PX if f.style in {"landmark", "place", "place_small"} else 0
        out.append((x - wide / 2, x + wide / 2, y - high / 2, y + high / 2))
    return out


@pytest.fixture(scope="module")
def crowded(city):
    """The toy city with 60 shops on one crossing."""
    middle = city.places.geometry.iloc[0]
    rows = city.places.iloc[[0] * 60].copy()
    rows["kind"], rows["name"], rows["name_en"] = (
        "shop",
        [f"店{i}" for i in range(60)],
        [f"Shop {i}" for i in range(60)],
    )
    rows["geometry"] = [Point(middle.x + 12 * (i % 8), middle.y + 12 * (i // 8)) for i in range(60)]
    return dataclasses.replace(city, places=gpd.GeoDataFrame(rows, crs=city.crs))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("zoom", [11.0, 13.5, 16.0])
def test_no_two_labels_overlap(crowded, lang, zoom):
    frame = Frame.of(crowded)
    found = labels(crowded, frame, lang)
    shown = boxes(found, frame, zoom, lang)
    for a, b in combinations(shown, 2):
        apart = a[1] <= b[0] + 0.01 or b[1] <= a[0] + 0.01 or a[3] <= b[2] + 0.01 or b[3] <= a[2] + 0.01
        assert apart


def test_zooming_in_only_adds_labels_and_some_wait(crowded):
    frame = Frame.of(crowded)
    found = labels(crowded, frame, "en")
    zooms = np.array([f.zoom for f in found if f.style == "place_small"])
    assert len(zooms) > 5
    assert len(np.unique(zooms)) > 1  # not all fit at once
    assert all(f.zoom >= STYLES[f.style][1] for f in found)


def test_reaches_of_a_river_are_named_once(city):
    x, y = city.roads.total_bounds[:2]
    waters = gpd.GeoDataFrame(
        {"name": ["大河1段", "大河2段", "小塘"], "name_en": ["Big River reach 1", "Big River reach 2", "Pond"],
         "kind": ["river", "river", "pond"]},
        geometry=[box(x, y, x + 90, y + 900), box(x + 100, y, x + 500, y + 900), box(x, y - 99, x + 9, y - 90)],
        crs=city.crs,
    )  # fmt: skip
    wet = dataclasses.replace(city, waters=waters)
    found = [f for f in labels(wet, Frame.of(wet), "en") if f.style.startswith("water")]
    assert sorted((f.name, f.name_en) for f in found) == [("大河", "Big River"), ("小塘", "Pond")]


@pytest.mark.parametrize(
    ("name", "name_en", "lang", "want"),
    [
        ("黄河大道", "Huanghe Avenue", "en", "黄河大道 Huanghe Avenue"),
        ("黄河大道", "Huanghe Avenue", "zh", "黄河大道"),
        ("Main St", "Main St", "en", "Main St"),
        ("", "Main St", "zh", "Main St"),
    ],
)
def test_what_stands_on_the_map(name, name_en, lang, want):
    assert text(name, name_en, lang) == want
