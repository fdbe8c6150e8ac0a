"""The small tables behind the schematic district, and the one way to draw a random number from them.

All hand-set coordinates are kilometres in UTM 50N; everything that is handed on is metres. A generator is
named by its purpose, so adding one more pond never moves a street.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.interpolate import CubicSpline
from shapely.geometry import LineString

HERE = Path(__file__).parent
CRS = "EPSG:32650"
Floats = npt.NDArray[np.float64]
_SEED = 2025_07_30  # the day on which the facts were published


@cache
def anchors() -> dict[str, Any]:
    """Return ``anchors.json``: outline, river, waters and centres (kilometres)."""
    data: dict[str, Any] = json.loads((HERE / "anchors.json").read_text(encoding="utf-8"))
    return data


@cache
def roads_table() -> dict[str, Any]:
    """Return ``arterials.json``: the hand-set main roads, bridges and gates (kilometres)."""
    data: dict[str, Any] = json.loads((HERE / "arterials.json").read_text(encoding="utf-8"))
    return data


def read_csv(name: str) -> pd.DataFrame:
    """Return one of the small csv tables of this folder."""
    return pd.read_csv(HERE / name, dtype={"name": str, "name_en": str}, keep_default_na=False)


def rng(*purpose: object) -> np.random.Generator:
    """Return the generator for one purpose, always the same."""
    key = hashlib.blake2b("/".join(map(str, purpose)).encode(), digest_size=8).digest()
    return np.random.Generator(np.random.PCG64([_SEED, int.from_bytes(key, "little")]))


def metres(points_km: Any) -> Floats:
    """Kilometres as a table holds them → array (n, 2) of metres."""
    return np.asarray(points_km, dtype=np.float64) * 1000.0


def smooth(points_m: Floats, step_m: float = 60.0) -> LineString:
    """Return a curved line through the points (cubic spline over chord length), one vertex each ``step_m``."""
    if len(points_m) < 3:
        return LineString(points_m)
    chord = np.sqrt(np.hypot(*np.diff(points_m, axis=0).T))  # centripetal: no loops at uneven spacing
    t = np.concatenate([[0.0], np.cumsum(chord)])
    length = float(np.hypot(*np.diff(points_m, axis=0).T).sum())
    spline = CubicSpline(t, points_m, bc_type="natural")
    at = np.linspace(0.0, t[-1], max(int(length / step_m), 2) + 1)
    return LineString(np.round(spline(at), 2))


def shares(weights: npt.ArrayLike, total: int) -> npt.NDArray[np.int64]:
    """Split ``total`` into whole numbers in proportion to ``weights`` (largest remainder); the sum is exact."""
    w = np.asarray(weights, dtype=np.float64)
    exact = w / w.sum() * total
    out: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    rest = int(total - out.sum())
    out[np.argsort(-(exact - out), kind="stable")[:rest]] += 1
    return out
