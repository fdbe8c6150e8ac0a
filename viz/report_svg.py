"""Charts of a report as SVG: intervals of many indicators, pairs of one, and the map of differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from viz.report_html import Markup, join, tag

if TYPE_CHECKING:
    from geo.city import City

Floats = npt.NDArray[np.float64]
WIDTH = 720
MARK = {"better": "▲", "worse": "▼", "different": "◆", "indistinguishable": "○", "inconclusive": "?"}


def nice_step(span: float, steps: int = 6) -> float:
    """Return a round step for an axis."""
    raw = max(span, 1e-12) / steps
    power = 10 ** math.floor(math.log10(raw))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= raw))


def intervals(rows: Sequence[Mapping[str, Any]], axis: str, label: str) -> Markup:
    """Return the differences of indicators with their intervals, in percent of the base's mean.

    rows: ``title``, ``low``, ``mid``, ``high`` (percent), ``verdict``.
    """
    reach = max((max(abs(r["low"]), abs(r["high"])) for r in rows), default=1.0) or 1.0
    reach = min(reach, 100.0)
    left, right, line = 250, WIDTH - 16, 22
    height = 30 + line * len(rows) + 24

    def x(value: float) -> float:
        return round(left + (max(-reach, min(reach, value)) + reach) / (2 * reach) * (right - left), 1)

    parts: list[Markup] = []
    step = nice_step(2 * reach)
    for k in range(math.ceil(-reach / step), math.floor(reach / step) + 1):
        at = x(k * step)
        parts.append(tag("line", x1=at, x2=at, y1=24, y2=height - 22, class_="zero" if k == 0 else "grid"))
        parts.append(
            tag("text", f"{k * step:+g} %" if k else "0", x=at, y=height - 8, text_anchor="middle", class_="pale")
        )
    parts.append(tag("text", axis, x=right, y=14, text_anchor="end", class_="pale"))
    for i, r in enumerate(rows):
        y = 38 + line * i
        name = r["title"] if len(r["title"]) <= 38 else r["title"][:37] + "…"
        parts.append(tag("text", f"{MARK[r['verdict']]} {name}", x=0, y=y + 4))
        a, b = x(r["low"]), x(r["high"])
        parts.append(tag("line", x1=a, x2=max(b, a + 0.5), y1=y, y2=y, class_=f"bar {r['verdict']}"))
        parts.append(tag("circle", cx=x(r["mid"]), cy=y, r=3.5, class_=f"dot {r['verdict']}"))
    return tag("svg", *parts, viewbox=f"0 0 {WIDTH} {height}", role="img", aria_label=label)


def pairs(values: Sequence[Sequence[float]], names: tuple[str, str], unit: str, label: str) -> Markup:
    """Return every pair of one indicator: base left, variant right, one line a seed. values: (seed, base, variant)."""
    numbers = [v for row in values for v in row[1:]]
    low, high = min(numbers), max(numbers)
    if high == low:
        low, high = low - 1, high + 1
    height, top, bottom, a, b = 210, 26, 186, 150, WIDTH - 150

    def y(value: float) -> float:
        return round(bottom - (value - low) / (high - low) * (bottom - top), 1)

    parts: list[Markup] = []
    step = nice_step(high - low, 4)
    for k in range(math.ceil(low / step), math.floor(high / step) + 1):
        parts.append(tag("line", x1=a - 40, x2=b + 40, y1=y(k * step), y2=y(k * step), class_="grid"))
        parts.append(tag("text", f"{k * step:,g}", x=a - 46, y=y(k * step) + 4, text_anchor="end", class_="pale"))
    for _, base, variant in values:
        parts.append(tag("line", x1=a, x2=b, y1=y(base), y2=y(variant), class_="pair"))
        parts.append(tag("circle", cx=a, cy=y(base), r=2.5, class_="dot"))
        parts.append(tag("circle", cx=b, cy=y(variant), r=2.5, class_="dot"))
    for at, name in zip((a, b), names, strict=True):
        parts.append(tag("text", name if len(name) < 40 else name[:39] + "…", x=at, y=205, text_anchor="middle"))
    parts.append(tag("text", unit, x=a - 46, y=14, text_anchor="end", class_="pale"))
    return tag("svg", *parts, viewbox=f"0 0 {WIDTH} {height}", role="img", aria_label=label)


Box = tuple[float, float, float, float]


def frame(city: City, shown: Sequence[Floats]) -> Box:
    """Return the box (x0, y0, x1, y1) around what changed most in any of ``shown`` (sizes by road), with some room."""
    x0, y0, x1, y1 = (float(v) for v in city.roads.total_bounds)
    strong = np.zeros(len(city.roads), dtype=bool)
    for size in shown:
        if size.any():
            strong |= size >= np.quantile(size[size > 0], 0.25)
    strong &= np.any([size > 0 for size in shown], axis=0) if shown else False
    if not strong.any():
        return x0, y0, x1, y1
    box = city.roads.geometry[strong].bounds.to_numpy()
    room = 0.12 * max(float(np.ptp(box[:, [0, 2]])), float(np.ptp(box[:, [1, 3]])), 2000.0)
    return (
        max(x0, float(box[:, 0].min()) - room),
        max(y0, float(box[:, 1].min()) - room),
        min(x1, float(box[:, 2].max()) + room),
        min(y1, float(box[:, 3].max()) + room),
    )


def classes(shown: Floats) -> tuple[float, float, float]:
    """Return the limits of three classes of a size by road: least, three quarters, 95 % of those that are shown."""
    if not shown.any():
        return 0.0, 0.0, 0.0
    low, middle, high = (float(v) for v in np.quantile(shown[shown > 0], [0.0, 0.75, 0.95]))
    return low, middle, high


def roads_map(
    city: City, difference: Floats, shown: Floats, known: npt.NDArray[np.bool_], box: Box, label: str, worse: int = 1
) -> Markup:
    """Return the city's roads in a box, coloured by a difference in the classes of :func:`classes`.

    ``shown``: size of what is clear, 0 elsewhere; ``known``: roads of which anything is known, the others are paler.
    ``worse``: the sign that is drawn in red.
    """
    import shapely

    lines = city.roads.geometry.to_numpy()
    x0, y0, x1, y1 = box
    span = max(x1 - x0, y1 - y0, 1.0)
    scale = WIDTH / max(x1 - x0, 0.6 * span)
    height = round(max(120.0, (y1 - y0) * scale))
    limits = classes(shown)
    paths: dict[str, list[str]] = {}
    tolerance = 0.6 / scale
    for i, geometry in enumerate(lines):
        bx0, by0, bx1, by1 = geometry.bounds
        if bx1 < x0 or bx0 > x1 or by1 < y0 or by0 > y1:
            continue
        kind = "rk" if known[i] else "r0"
        if shown[i] > 0:
            level = 1 + int(np.searchsorted(limits[1:], shown[i], side="right"))
            kind = f"{'u' if difference[i] * worse > 0 else 'd'}{level}"
        xy = shapely.get_coordinates(shapely.simplify(geometry, tolerance))
        px = np.rint((xy[:, 0] - x0) * scale).astype(int).tolist()
        py = np.rint((y1 - xy[:, 1]) * scale).astype(int).tolist()
        points = list(dict.fromkeys(zip(px, py, strict=True)))
        if len(points) > 1:
            paths.setdefault(kind, []).append("M" + "L".join(f"{x} {y}" for x, y in points))
    order = ["r0", "rk", "d1", "u1", "d2", "u2", "d3", "u3"]
    drawn = [tag("path", d="".join(paths[k]), class_=f"road {k}") for k in order if k in paths]
    return tag("svg", join(drawn), viewbox=f"0 0 {WIDTH} {height}", role="img", aria_label=label)
