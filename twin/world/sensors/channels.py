"""All channels of a city: which kind stands where, with which tags (F5, F6, F8-F10, F12).

Channel numbers follow the table of kinds; within a kind they follow the sites, spread over the heaviest. High and low
cameras of one water or fire point share a place, so that a rule can confirm one by the other (高低点监控).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.domain.city_brain import ChannelMap
from twin.scenario.city_brain import Sensors
from twin.world.city_brain.sites import Places, Texts, spread
from twin.world.sensors.channel_kinds import AT_FIRE_POINTS, AT_WATERS, CHANNEL_KINDS, counts

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LIST_OF = {name: i for i, name in enumerate(dict.fromkeys(k.sites for k in CHANNEL_KINDS))}
BESIDE_M = 45.0  # between cameras of one place


@dataclass(frozen=True)
class Channels:
    """Equal-length columns, row = channel: ``kind`` is a row of CHANNEL_KINDS, ``site`` a row of the kind's list."""

    kind: npt.NDArray[np.int64]
    site: Ints
    x_m: Floats
    y_m: Floats
    place: Texts
    grid: Texts
    community: Texts

    def __len__(self) -> int:
        """Return the number of channels."""
        return len(self.kind)

    def of(self, column: str, dtype: type = float) -> npt.NDArray[np.float64]:
        """Return a property of the kinds for each channel."""
        values: npt.NDArray[np.float64] = np.asarray([getattr(k, column) for k in CHANNEL_KINDS], dtype=dtype)
        return np.asarray(values[self.kind])

    def rows_of(self, name: str) -> Ints:
        """Return the channels of a kind."""
        index = [k.name for k in CHANNEL_KINDS].index(name)
        return np.flatnonzero(self.kind == index).astype(np.int64)


def place_channels(places: Places, settings: Sensors) -> Channels:
    """Place exactly ``settings.channels`` channels."""
    nowhere = frozenset(name for name in LIST_OF if not len(places[name]))
    many = counts(settings.channels, settings.waters, settings.fire_points, nowhere)
    columns: list[tuple[Ints, Ints, Floats, Floats, Texts, Texts, Texts]] = []
    for index, kind in enumerate(CHANNEL_KINDS):
        n = many[kind.name]
        if n == 0:
            continue
        sites = places[kind.sites]
        at_each = AT_WATERS.get(kind.name) or AT_FIRE_POINTS.get(kind.name)
        if at_each:
            rows = np.repeat(spread(sites, n // at_each), at_each)
            turn = np.tile(np.arange(at_each), n // at_each)
            point = np.repeat(np.arange(n // at_each), at_each)
            word = "水域" if kind.sites == "waters" else "火点"
            place = _objects([f"{word}{p + 1:03d} {sites.place[r]}".strip() for p, r in zip(point, rows, strict=True)])
        else:
            rows = spread(sites, n)
            turn = np.arange(n) // max(len(sites), 1)
            place = sites.place[rows]
        aside = BESIDE_M * (turn - (at_each - 1) / 2 if at_each else turn * 0.1)
        columns.append(
            (
                np.full(n, index), rows, sites.x_m[rows] + aside, sites.y_m[rows], place, sites.grid[rows],
                sites.community[rows],
            )
        )  # fmt: skip
    kind_, site, x, y, place, grid, community = (np.concatenate(c) for c in zip(*columns, strict=True))
    return Channels(kind_.astype(np.int64), site.astype(np.int64), x, y, place, grid, community)


def _objects(values: list[str]) -> Texts:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def channel_map(city: City, channels: Channels, now_s: int) -> ChannelMap:
    """Return the message that tells alerting all channels with their tags (F6)."""
    communities = city.communities
    of_community = dict(zip(communities["community"], communities["subdistrict"], strict=True))
    community_name = dict(zip(communities["community"], communities["name"], strict=True))
    subdistrict_name = dict(zip(city.subdistricts["subdistrict"], city.subdistricts["name"], strict=True))
    where = [
        f"place:{subdistrict_name.get(of_community.get(c, ''), c)}/{community_name.get(c, c)}" if c else ""
        for c in channels.community.tolist()
    ]
    where = [w.replace(" ", "_").replace("街道/", "/") for w in where]  # people say 大桥
    tag_channel: list[int] = []
    tags: list[str] = []
    for row, (k, at) in enumerate(zip(channels.kind.tolist(), where, strict=True)):
        kind = CHANNEL_KINDS[k]
        for tag in (
            at,
            f"theme:{kind.theme}" if kind.theme else "",
            f"owner:{kind.owner}",
            f"point:{kind.height}" if kind.height else "",
            "power:battery" if kind.battery_days else "power:mains",
            f"device:{kind.kind}/{kind.name}",
        ):
            if tag:
                tag_channel.append(row)
                tags.append(tag)
    names = np.asarray([k.name for k in CHANNEL_KINDS], dtype=object)[channels.kind]
    return ChannelMap(
        now_s,
        "channels",
        np.arange(len(channels), dtype=np.int64),
        tuple(f"{n}-{i}" for i, n in enumerate(names.tolist())),
        tuple(CHANNEL_KINDS[k].kind for k in channels.kind.tolist()),
        tuple(channels.place.tolist()),
        tuple(channels.grid.tolist()),
        channels.x_m,
        channels.y_m,
        tuple(CHANNEL_KINDS[k].unit for k in channels.kind.tolist()),
        channels.of("period_s", int).astype(np.int64),
        np.asarray(tag_channel, dtype=np.int64),
        tuple(tags),
    )
