"""Other regions whose halls work together with this one: 20 provinces, 57 cities, 177 counties (F38).

Provinces and cities are real names at approximate coordinates; *which* of them take part is not in the facts and is
assumed, and counties are numbers (区县1 … 示意: schematic). Halls keep usual hours; in the far west those of its day.
The three ways of the State Council's guidance on services across provinces (国办发〔2020〕35号): everything online
全程网办, handed in at the hall where one is and sent on 异地代收代办, several places together 多地联办.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from twin.control.services.calendars import Calendar, Hours, week

PROVINCES, CITIES, COUNTIES = 20, 57, 177
HERE = (117.0, 36.7)  # longitude, latitude
DETOUR = 1.25  # of rails against the straight line (assumed)
TRAIN_KM_H, ACCESS_H = 180.0, 3.0  # with changes; to and from stations on both ends (assumed)
DAY_H = 8.0  # of travelling in a day (assumed)
GRAVITY_KM = 400.0  # halves how many come from so far away (assumed)
_H = 3600
USUAL, EARLY, WEST = range(3)
HOURS: tuple[tuple[Hours, ...], ...] = (
    week([(9 * _H, 12 * _H), (13 * _H, 17 * _H)]),
    week([(17 * _H // 2, 12 * _H), (27 * _H // 2, 17 * _H)]),
    week([(10 * _H, 14 * _H), (31 * _H // 2, 39 * _H // 2)]),
)

#: province, hours of its halls, its cities with longitude and latitude
_TABLE: tuple[tuple[str, int, str], ...] = (
    ("山东", USUAL, "青岛 120.4 36.1 淄博 118.0 36.8 烟台 121.4 37.5 潍坊 119.2 36.7 济宁 116.6 35.4 泰安 117.1 36.2 "
     "临沂 118.4 35.1 德州 116.3 37.4 聊城 116.0 36.5 滨州 118.0 37.4"),
    ("河北", EARLY, "石家庄 114.5 38.0 沧州 116.8 38.3 邯郸 114.5 36.6 唐山 118.2 39.6"),
    ("河南", EARLY, "郑州 113.6 34.8 洛阳 112.5 34.6 商丘 115.7 34.4 濮阳 115.0 35.8"),
    ("江苏", USUAL, "南京 118.8 32.1 徐州 117.2 34.3 苏州 120.6 31.3 连云港 119.2 34.6"),
    ("安徽", EARLY, "合肥 117.3 31.9 宿州 117.0 33.6 阜阳 115.8 32.9"),
    ("山西", EARLY, "太原 112.5 37.9 长治 113.1 36.2 大同 113.3 40.1"),
    ("北京", USUAL, "北京 116.4 39.9"),
    ("天津", EARLY, "天津 117.2 39.1"),
    ("上海", USUAL, "上海 121.5 31.2"),
    ("浙江", EARLY, "杭州 120.2 30.3 宁波 121.6 29.9 温州 120.7 28.0 金华 119.6 29.1"),
    ("湖北", USUAL, "武汉 114.3 30.6 襄阳 112.1 32.0 宜昌 111.3 30.7"),
    ("陕西", USUAL, "西安 108.9 34.3 榆林 109.7 38.3"),
    ("辽宁", EARLY, "沈阳 123.4 41.8 大连 121.6 38.9 锦州 121.1 41.1"),
    ("内蒙古", EARLY, "呼和浩特 111.7 40.8 赤峰 118.9 42.3"),
    ("四川", USUAL, "成都 104.1 30.7 绵阳 104.7 31.5"),
    ("重庆", USUAL, "重庆 106.6 29.6"),
    ("广东", USUAL, "广州 113.3 23.1 深圳 114.1 22.5 佛山 113.1 23.0 东莞 113.8 23.0"),
    ("福建", USUAL, "福州 119.3 26.1 厦门 118.1 24.5"),
    ("湖南", USUAL, "长沙 112.9 28.2 岳阳 113.1 29.4"),
    ("新疆", WEST, "乌鲁木齐 87.6 43.8"),
)  # fmt: skip


@dataclass(frozen=True)
class County:
    """A county elsewhere. ``km``: from here by rail; ``hours``: index of HOURS that its hall keeps."""

    number: int
    name: str
    city: str
    province: str
    km: float
    hours: int

    @property
    def way_days(self) -> float:
        """Working days that the way here takes, one way."""
        return (ACCESS_H + self.km / TRAIN_KM_H) / DAY_H

    @property
    def journey_days(self) -> float:
        """Working days of a journey here and back, at least one."""
        return max(1.0, 2.0 * self.way_days)

    @property
    def courier_days(self) -> float:
        """Calendar days of an express courier between the halls: one, and one more for each 1,000 km (assumed)."""
        return 1.0 + self.km / 1000.0


@cache
def counties() -> tuple[County, ...]:
    """Return the 177 counties: three of each city, a fourth of the first six."""
    out: list[County] = []
    city_number = 0
    for province, hours, cities in _TABLE:
        words = cities.split()
        for name, lon, lat in zip(words[::3], words[1::3], words[2::3], strict=True):
            km = DETOUR * _apart_km(HERE, (float(lon), float(lat)))
            few = COUNTIES // CITIES + (city_number < COUNTIES % CITIES)
            for k in range(few):
                out.append(County(len(out), f"{name}区县{k + 1}（示意）", name, province, km, hours))
            city_number += 1
    return tuple(out)


def _apart_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the great-circle distance of two points (longitude, latitude in degrees), km."""
    (x1, y1), (x2, y2) = ((math.radians(v) for v in p) for p in (a, b))
    h = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(h))


@cache
def shares() -> npt.NDArray[np.float64]:
    """Return how often people of each county come, relative: fewer from far away (assumed, a gravity model)."""
    return np.array([1.0 / (1.0 + c.km / GRAVITY_KM) for c in counties()])


@cache
def calendars(first_weekday: int) -> tuple[Calendar, ...]:
    """Return the calendars of HOURS, for a run that begins on this weekday."""
    return tuple(Calendar(hours, first_weekday) for hours in HOURS)
