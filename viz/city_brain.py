"""The city brain of a run as one container of the page: hazards in truth, channels, alerts, incidents, responders.

Truth (hazards) and perception (alerts, incidents) are kept apart in the page as they are in the log. A run without a
city brain has none of this: the page is as it was. Incidents and responders are told by :mod:`viz.incidents`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from geo.city import City
from twin.domain.city_brain import RISKS, SEVERITIES, THEMES, TOPICS, ChannelMap
from twin.errors import ScenarioError
from twin.events import RunEnded, city_brain, incidents, kinds
from twin.events.base import Fact
from twin.hosts import read_journal
from twin.log import Facts
from viz.fleet import Tables
from viz.geometry import Frame, Names
from viz.incidents import META, STATE_SHAPES, put_incidents
from viz.pack import pack

#: switches of the page for these layers: id → (layers it shows, on at first)
SWITCHES: dict[str, tuple[tuple[str, ...], bool]] = {
    "brain_hazards": (("brain_hazards",), True),
    "brain_alerts": (("brain_alerts",), True),
    "brain_incidents": (("brain_incidents",), True),
    "brain_responders": (("brain_responders",), True),
    "brain_channels": (("brain_channels", "brain_reach"), False),
    "brain_dropped": (("brain_dropped",), False),
}

#: theme → (shape of the badge, glyph): what a hazard is, is told by its shape
THEME_SHAPES: dict[str, tuple[str, str]] = {
    "water": ("drop", "person"), "fire": ("triangle", "flame"), "site": ("triangle", "crane"),
    "dust": ("circle", "grains"), "bikes": ("circle", "wheels"), "level": ("drop", "bars"), "ponding": ("drop", "bar"),
    "crowd": ("circle", "crowd"), "straw": ("diamond", "flame"), "garbage": ("square", "bag"),
    "road": ("octagon", "cross_out"), "vendors": ("pentagon", "bag"), "thrown": ("diamond", "down"),
    "fire_lane": ("octagon", "bar"), "manhole": ("round", "ring"), "ebike": ("square", "bolt"),
    "gas": ("hexagon", "mark"), "lift": ("square", "person"),
}  # fmt: skip
TOPIC_COLOUR, RISK_COLOUR = [255, 176, 72], [236, 140, 255]
SEVERITY_COLOURS = {
    "Minor": [120, 200, 255], "Moderate": [255, 220, 96], "Severe": [255, 150, 66], "Extreme": [255, 76, 86],
}  # fmt: skip
#: what an alert is at a moment
ALERT_STATES = ("raised", "unknown", "inhibited", "flapping", "resolved")
#: themes of words that are no topic of their own (a silent device)
_OTHER = "other"
Xy = npt.NDArray[np.float64]
Word = Callable[[Any], int]


def facts_of(file: Path) -> Facts | None:
    """Return the facts of the city brain alone, read at once from the log ``file``; None for a run without one.

    Logs from before there was one have not even the columns.
    """
    if "hazard" not in pq.read_schema(file).names:
        return None
    facts = Facts(path=file)
    if not any(facts.table(kind, ["t_s"]).num_rows for kind in ("ChannelsPlaced", "HazardBegan", "IncidentCreated")):
        return None
    names = [
        name
        for module in (city_brain, incidents)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, Fact) and kind is not Fact
    ]
    names.append(RunEnded.__name__)
    columns = {f for name in names for f in kinds()[name].__dataclass_fields__}  # type: ignore[attr-defined]
    return Facts(table=pq.read_table(file, columns=["t_s", "fact", *sorted(columns)], filters=[("fact", "in", names)]))


def channels_of(folder: Path) -> ChannelMap | None:
    """Return the channels as alerting was told them, from the journal of the run; None where there is no journal."""
    file = folder / "journal" / "alerting.jsonl"
    if not file.is_file():
        return None
    try:
        _, messages, _ = next(read_journal(file))
    except (StopIteration, ScenarioError):
        return None
    return next((m for m in messages if isinstance(m, ChannelMap)), None)


def container(facts: Facts, folder: Path, city: City, frame: Frame, begin_s: int, end_s: int) -> str:
    """Return the container text of the city brain; times are seconds from ``begin_s``, −1 for never."""
    tables, names = Tables(), Names()

    def word(text: Any) -> int:
        return int(names.add([text])[0])

    def units(x_m: Any, y_m: Any) -> npt.NDArray[np.int64]:
        xy = np.column_stack([np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)])
        return frame.units(city, xy) if len(xy) else np.zeros((0, 2), dtype=np.int64)

    themes = [*THEMES, _OTHER]
    theme = {name: i for i, name in enumerate(themes)}
    number = _hazards(tables, facts, theme, word, units, begin_s)
    spots = _channels(tables, facts, channels_of(folder), word, units, begin_s)
    alerts = _alerts(tables, facts, theme, number, spots, word, units, begin_s)
    put_incidents(tables, facts, theme, number, alerts, word, units, begin_s, end_s)
    meta = {
        "tables": tables.meta,
        "themes": themes,
        "theme_names": {k: list(v) for k, v in THEMES.items()},
        "severities": list(SEVERITIES),
        "alert_states": list(ALERT_STATES),
        **META,
        "words": names.texts,
    }
    return pack(meta, tables.streams)


def look() -> dict[str, Any]:
    """Return what badges look like, for the page."""
    colour = {theme: TOPIC_COLOUR if theme in TOPICS else RISK_COLOUR for theme in (*TOPICS, *RISKS)}
    return {
        "themes": {theme: [*THEME_SHAPES[theme], colour[theme]] for theme in THEMES},
        "severities": SEVERITY_COLOURS,
        "states": STATE_SHAPES,
    }


def rows(facts: Facts, kind: type[Fact]) -> list[dict[str, Any]]:
    """Return facts of one kind as dictionaries, in the order of the log."""
    return list(facts.table(kind).to_pylist())


def severity_code(severity: str) -> int:
    """Return the place of a severity in SEVERITIES (0 where it is none)."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


Units = Callable[[Any, Any], npt.NDArray[np.int64]]


def _hazards(
    tables: Tables, facts: Facts, theme: dict[str, int], word: Word, units: Units, begin_s: int
) -> dict[int, int]:
    """Put hazards and what became of them; return number of a hazard → row."""
    began = rows(facts, city_brain.HazardBegan)
    number = {int(r["hazard"]): i for i, r in enumerate(began)}
    ended = {int(r["hazard"]): r for r in rows(facts, city_brain.HazardEnded)}
    first: dict[str, dict[int, dict[str, Any]]] = {}
    for kind in (city_brain.HazardInView, city_brain.HazardSensed, city_brain.HazardContained):
        found = first.setdefault(kind.__name__, {})
        for r in rows(facts, kind):
            found.setdefault(int(r["hazard"]), r)
    spot = units([r["x_m"] for r in began], [r["y_m"] for r in began])
    out = []
    for r, (x, y) in zip(began, spot.tolist(), strict=True):
        h = int(r["hazard"])
        end, view = ended.get(h), first["HazardInView"].get(h)
        sensed, held = first["HazardSensed"].get(h), first["HazardContained"].get(h)
        out.append(
            (
                theme.get(r["theme"], len(theme) - 1), word(r["kind"]), x, y, r["t_s"] - begin_s,
                end["t_s"] - begin_s if end else -1, word(end["outcome"] if end else ""), severity_code(r["severity"]),
                round(10 * r["amount"]), word(r["cause"]), word(r["place"]), word(r["community"]), int(r["road"]),
                int(view["channels"]) if view else -1, sensed["t_s"] - begin_s if sensed else -1,
                int(sensed["channel"]) if sensed else -1, held["t_s"] - begin_s if held else -1,
            )
        )  # fmt: skip
    fields = "theme kind x y t end outcome severity amount cause place community road view sensed channel held"
    tables.put("hazards", fields, out)
    grew = [
        (number[int(r["hazard"])], r["t_s"] - begin_s, round(10 * r["amount"]))
        for r in rows(facts, city_brain.HazardGrew)
        if int(r["hazard"]) in number
    ]
    tables.put("grew", "hazard t amount", sorted(grew))
    harmed = [
        (number[int(r["hazard"])], r["t_s"] - begin_s, word(r["what"]), int(r["people"]))
        for r in rows(facts, city_brain.HazardHarmed)
        if int(r["hazard"]) in number
    ]
    tables.put("harmed", "hazard t what people", sorted(harmed))
    return number


def _channels(
    tables: Tables, facts: Facts, told: ChannelMap | None, word: Word, units: Units, begin_s: int
) -> dict[str, tuple[int, int]]:
    """Put channels with their reach and outages; return name → units of their place."""
    reach = {str(r["kind"]): float(r["reach_m"]) for r in rows(facts, city_brain.ChannelsPlaced)}
    spots: dict[str, tuple[int, int]] = {}
    out: list[tuple[int, ...]] = []
    kind_names: dict[str, int] = {}
    if told is not None:
        spot = units(told.x_m, told.y_m)
        for name, (x, y) in zip(told.name, spot.tolist(), strict=True):
            kind = kind_names.setdefault(name.rpartition("-")[0], len(kind_names))
            spots[name] = (x, y)
            out.append((kind, x, y))
    tables.put("channels", "kind x y", out)
    tables.put("channel_kinds", "name reach", [(word(k), round(reach.get(k, 0.0))) for k in kind_names])
    down = [(int(r["channel"]), r["t_s"] - begin_s, 1) for r in rows(facts, city_brain.SensorFailed)]
    down += [(int(r["channel"]), r["t_s"] - begin_s, 0) for r in rows(facts, city_brain.SensorRestored)]
    tables.put("outages", "channel t down", sorted(down, key=lambda d: (d[1], d[0], d[2])))
    muted = rows(facts, city_brain.ChannelsMuted)
    tables.put(
        "muted",
        "t until query channels cause",
        [
            (r["t_s"] - begin_s, r["until_s"] - begin_s, word(r["query"]), int(r["channels"]), word(r["cause"]))
            for r in muted
        ],
    )
    return spots


def _label(alert: str, key: str) -> str:
    """Return the value of a label in the name of an alert, such as that of ``channel``; "" where it has none."""
    _, found, rest = alert.partition(f'{key}="')
    return rest.partition('"')[0] if found else ""


def _alerts(
    tables: Tables,
    facts: Facts,
    theme: dict[str, int],
    number: dict[int, int],
    spots: dict[str, tuple[int, int]],
    word: Word,
    units: Units,
    begin_s: int,
) -> dict[tuple[str, int], int]:
    """Put episodes that were raised and those that were dropped; return (alert, episode) → row of one raised."""
    raised = rows(facts, city_brain.AlertRaised)
    resolved = {(str(r["alert"]), int(r["episode"])): r for r in rows(facts, city_brain.AlertResolved)}
    row = {(str(r["alert"]), int(r["episode"])): i for i, r in enumerate(raised)}
    spot = units([r["x_m"] for r in raised], [r["y_m"] for r in raised])
    out, where = [], {}
    for r, (x, y) in zip(raised, spot.tolist(), strict=True):
        end = resolved.get((str(r["alert"]), int(r["episode"])))
        where[str(r["alert"])] = (x, y)
        out.append(
            (
                word(r["alert"]), int(r["episode"]), word(r["alert_rule"]), theme.get(r["theme"], len(theme) - 1),
                word(r["theme"]), severity_code(r["severity"]), r["since_s"] - begin_s, r["t_s"] - begin_s,
                end["t_s"] - begin_s if end else -1, word(end["reason"] if end else ""), int(r["channel"]), x, y,
                number.get(int(r["hazard"]), -1),
            )
        )  # fmt: skip
    tables.put("alerts", "alert episode rule theme said severity since t end reason channel x y hazard", out)
    dropped = []
    for r in rows(facts, city_brain.AlertDropped):
        name, hazard = str(r["alert"]), number.get(int(r["hazard"]), -1)
        at = where.get(name) or spots.get(_label(name, "channel")) or spots.get(_label(name, "anchor"))
        dropped.append(
            (
                word(name), int(r["episode"]), word(r["alert_rule"]), theme.get(r["theme"], len(theme) - 1),
                word(r["theme"]), severity_code(r["severity"]), r["t_s"] - begin_s, word(r["reason"]),
                int(at is not None), *(at or (0, 0)), hazard,
            )
        )  # fmt: skip
    tables.put("dropped", "alert episode rule theme said severity t reason placed x y hazard", dropped)
    updates = [
        (row[key], r["t_s"] - begin_s, word(r["what"]))
        for r in rows(facts, city_brain.AlertUpdated)
        if (key := (str(r["alert"]), int(r["episode"]))) in row
    ]
    tables.put("updates", "alert t what", sorted(updates))
    covered = [
        (row[key], r["t_s"] - begin_s, number[int(r["hazard"])])
        for r in rows(facts, city_brain.AlertCovered)
        if (key := (str(r["alert"]), int(r["episode"]))) in row and int(r["hazard"]) in number
    ]
    tables.put("covered", "alert t hazard", sorted(covered))
    return row
