"""The kinds of sensor channels of the shipped district and what each can do; 19,000 in all (F5, F8, F9, F12).

How many of each there are is assumed beside the facts (160 waters, 320 fire points, smart manhole covers, cameras in
communities); so is how well each works, where no source is named.
"""

from __future__ import annotations

from dataclasses import dataclass

#: cameras that facts count one by one: at each water one high and two low, at each fire point one high and one low
AT_WATERS = {"water_high": 1, "water_low": 2}
AT_FIRE_POINTS = {"fire_high": 1, "fire_low": 1}


@dataclass(frozen=True)
class ChannelKind:
    """One kind.

    ``kind`` of the channel map; ``sites``: the list where they stand; ``count`` in the shipped district; ``period_s``
    between readings when nothing happens; ``looks``: the theme that it can see, a score each ``frame_s``;
    ``measures``: the quantity that it reads (a signal of :mod:`.signals`), "" none. ``reach_m``: beyond it sees
    nothing; ``sees``: probability per frame that something right before it is seen by clear day, which falls with
    distance; ``night`` and ``wet`` (per mm/h) are factors on it; ``full_size``: a smaller thing is seen in proportion.
    ``false_a_day``: false sightings; ``latency_s``: mean; ``noise``/``drift_day``: standard deviations in ``unit``,
    the latter a day; ``step``: resolution; ``mtbf_h``/``repair_h``: mean time between outages, median of them;
    ``battery_days``: mean life, 0: on the mains.
    """

    name: str
    kind: str
    sites: str
    count: int
    owner: str
    theme: str
    unit: str = ""
    period_s: int = 600
    frame_s: int = 10
    looks: str = ""
    measures: str = ""
    reach_m: float = 0.0
    sees: float = 0.9
    night: float = 1.0
    wet: float = 0.0
    full_size: float = 0.0
    false_a_day: float = 0.0
    latency_s: float = 1.5
    noise: float = 0.0
    drift_day: float = 0.0
    step: float = 0.01
    spikes_a_day: float = 0.0
    mtbf_h: float = 1500.0
    repair_h: float = 4.0
    battery_days: float = 0.0
    height: str = ""


CHANNEL_KINDS: tuple[ChannelKind, ...] = (
    ChannelKind(
        "water_high", "camera", "waters", 160, "水务", "water", looks="water", reach_m=700, sees=0.85, night=0.45,
        wet=0.01, false_a_day=0.25, height="high",
    ),
    ChannelKind(
        "water_low", "low-camera", "waters", 320, "水务", "water", looks="water", reach_m=220, sees=0.95, night=0.6,
        wet=0.01, false_a_day=0.12, height="low",
    ),
    ChannelKind(
        "fire_high", "camera", "fire_points", 320, "应急", "fire", looks="fire", reach_m=1500, sees=0.9, night=1.1,
        wet=0.01, full_size=6.0, false_a_day=0.2, height="high",
    ),
    ChannelKind(
        "fire_low", "low-camera", "fire_points", 320, "应急", "fire", looks="fire", reach_m=250, sees=0.95, night=1.05,
        wet=0.01, full_size=1.5, false_a_day=0.08, height="low",
    ),
    ChannelKind(
        "straw_high", "camera", "fields", 100, "生态", "straw", looks="straw", reach_m=2000, sees=0.85, night=0.9,
        wet=0.01, full_size=40.0, false_a_day=0.15, frame_s=30, height="high",
    ),
    ChannelKind(
        "site_camera", "camera", "works", 400, "住建", "site", looks="site", reach_m=120, sees=0.6, night=0.4,
        wet=0.005, frame_s=60, false_a_day=0.05,
    ),
    ChannelKind(
        "lane_camera", "camera", "lanes", 900, "社区", "fire_lane", looks="fire_lane", reach_m=45, sees=0.9, night=0.7,
        wet=0.005, frame_s=60, false_a_day=0.02,
    ),
    ChannelKind(
        "tower_camera", "camera", "towers", 1200, "社区", "thrown", looks="thrown", reach_m=50, sees=0.9, night=0.75,
        wet=0.01, false_a_day=0.03,
    ),
    ChannelKind(
        "lift_ebike", "camera", "towers", 700, "社区", "ebike", looks="ebike", reach_m=60, sees=0.95, frame_s=20,
        false_a_day=0.01,
    ),
    ChannelKind(
        "lift_stop", "lift", "towers", 400, "物业", "lift", looks="lift", reach_m=60, sees=0.97, frame_s=20,
        false_a_day=0.005,
    ),
    ChannelKind(
        "street_bikes", "camera", "kerbs", 700, "城管", "bikes", looks="bikes", reach_m=160, sees=0.75, night=0.6,
        wet=0.01, frame_s=120, full_size=12.0, false_a_day=0.015,
    ),
    ChannelKind(
        "street_vendors", "camera", "kerbs", 700, "城管", "vendors", looks="vendors", reach_m=160, sees=0.7, night=0.6,
        wet=0.01, frame_s=120, false_a_day=0.015,
    ),
    ChannelKind(
        "street_garbage", "camera", "bins", 900, "城管", "garbage", looks="garbage", reach_m=130, sees=0.7, night=0.5,
        wet=0.01, frame_s=120, full_size=30.0, false_a_day=0.015,
    ),
    ChannelKind(
        "road_camera", "camera", "pavement", 400, "市政", "road", looks="road", reach_m=200, sees=0.4, night=0.3,
        wet=0.02, frame_s=300, full_size=0.6, false_a_day=0.01,
    ),
    ChannelKind(
        "smoke", "smoke", "homes", 3600, "消防", "fire", looks="fire", period_s=3600, reach_m=25, sees=0.8,
        full_size=0.6, false_a_day=0.001, battery_days=1100,
    ),
    ChannelKind(
        "manhole", "manhole", "covers", 2800, "市政", "manhole", looks="manhole", period_s=1800, frame_s=30, reach_m=13,
        sees=0.97, false_a_day=0.002, battery_days=900,
    ),
    ChannelKind(
        "gas", "gas", "homes", 1600, "燃气", "gas", unit="%LEL", measures="gas", reach_m=25, noise=0.25,
        drift_day=0.05, step=0.1, spikes_a_day=0.0005,
    ),
    ChannelKind(
        "level", "level", "gauges", 180, "水务", "level", unit="m", period_s=300, measures="level", noise=0.008,
        drift_day=0.004, step=0.001, spikes_a_day=0.01, battery_days=365,
    ),
    ChannelKind(
        "rain", "rain", "gauges", 60, "水务", "ponding", unit="mm/h", period_s=300, measures="rain",
        noise=0.2, step=0.2,
    ),
    ChannelKind(
        "ponding", "ponding", "dips", 420, "市政", "ponding", unit="m", period_s=300, measures="depth", noise=0.004,
        drift_day=0.001, step=0.001, spikes_a_day=0.003, battery_days=500,
    ),
    ChannelKind(
        "dust", "dust", "works", 120, "住建", "dust", unit="ug/m3", period_s=60, measures="dust", reach_m=250,
        noise=9.0, drift_day=1.0, step=1.0, spikes_a_day=0.02,
    ),
    ChannelKind(
        "air", "air", "fire_points", 60, "生态", "straw", unit="ug/m3", period_s=300, measures="air", reach_m=1500,
        noise=4.0, drift_day=0.5, step=1.0,
    ),
    ChannelKind(
        "counter", "counter", "squares", 140, "公安", "crowd", unit="x normal", period_s=300, measures="crowd",
        noise=0.03, step=0.01,
    ),
    ChannelKind(
        "lamp", "lamp", "pavement", 2500, "市政", "", unit="W", period_s=900, measures="lamp", noise=1.5, step=0.1,
        mtbf_h=6000, repair_h=20,
    ),
)  # fmt: skip
BY_NAME = {k.name: k for k in CHANNEL_KINDS}


def counts(channels: int, waters: int, fire_points: int, nowhere: frozenset[str] = frozenset()) -> dict[str, int]:
    """Return how many channels of each kind there are: exactly ``channels``.

    Cameras at waters and fire points come first; the rest keeps the proportions of the table (largest remainders).
    ``nowhere``: lists of sites that the city does not have.
    """
    fixed = {**{k: n * waters for k, n in AT_WATERS.items()}, **{k: n * fire_points for k, n in AT_FIRE_POINTS.items()}}
    fixed = {k: 0 if BY_NAME[k].sites in nowhere else n for k, n in fixed.items()}
    rest = [k for k in CHANNEL_KINDS if k.name not in fixed and k.sites not in nowhere]
    left, whole = channels - sum(fixed.values()), sum(k.count for k in rest)
    exact = [left * k.count / whole for k in rest]
    many = [int(e) for e in exact]
    order = sorted(range(len(rest)), key=lambda i: (many[i] - exact[i], i))
    for i in order[: left - sum(many)]:
        many[i] += 1
    found = {**fixed, **{k.name: n for k, n in zip(rest, many, strict=True)}}
    return {k.name: found.get(k.name, 0) for k in CHANNEL_KINDS}
