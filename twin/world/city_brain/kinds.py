"""The kinds of hazards: how often, where, when, how they grow, whom they harm, who is needed (F7, F12).

``rate`` is per unit of the site's weight and day, at the shares of the day in ``hours``; ``rain`` and ``dark`` are
factors (rain: per mm/h). Rates cite a source or are assumed, at a size at which an average district of 235,000 people
sees a few to a few dozen cases a day; they are inputs, not findings.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.city_brain import SEVERITIES

FLAT = (1.0,) * 24
DAYTIME = (0.1,) * 6 + (0.6, 1.2, 1.6, 1.6, 1.6, 1.5, 1.3, 1.4, 1.6, 1.7, 1.8, 1.8, 1.6, 1.3, 1.0, 0.7, 0.4, 0.2)
WORKING = (0.0,) * 7 + (1.0, 2.4, 2.6, 2.6, 2.2, 1.2, 2.0, 2.6, 2.6, 2.2, 1.4, 0.6, 0.3, 0.2, 0.1, 0.0, 0.0)
EVENING = (0.8, 0.4, 0.2, 0.2, 0.2, 0.3, 0.5, 0.7, 0.6, 0.5, 0.5, 0.6, 0.8, 0.6, 0.5, 0.6, 0.9, 1.6, 2.4, 2.8, 2.8,
           2.4, 1.8, 1.2)  # fmt: skip
BATHING = (0.1, 0.1, 0.0, 0.0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.9, 2.3, 2.6, 2.6, 2.2, 1.6, 1.0, 0.6,
           0.4, 0.2)  # fmt: skip
BURNING = (0.3, 0.2, 0.2, 0.2, 0.3, 0.8, 1.0, 0.7, 0.5, 0.5, 0.6, 0.6, 0.5, 0.6, 0.7, 1.0, 1.6, 2.4, 2.8, 2.6, 2.0, 1.3,
           0.9, 0.6)  # fmt: skip


@dataclass(frozen=True)
class HazardKind:
    """One kind of a theme.

    ``sites``: where (a list of :mod:`.sites`); ``rate``: per unit of weight and day; ``lasts_min``: median of how long
    it is there if nobody comes (log-normal, sigma ``lasts_sigma``), after which it is ``fate``. ``unit`` of ``size``;
    ``size``: median at the beginning; ``growth_min``: a minute, or, where it ``spreads``, metres a minute of its
    radius; ``most``: as large as it can get. ``moves``: nature drives it (water, dust, crowds), not chance.
    Handling takes ``handling_min`` + ``per_size_min`` × size.
    """

    theme: str
    sites: str
    unit: str
    skills: tuple[str, ...]
    handling_min: float
    severity: str
    rate: float = 0.0
    hours: tuple[float, ...] = FLAT
    rain: float = 0.0
    dark: float = 1.0
    lasts_min: float = 60.0
    lasts_sigma: float = 0.6
    fate: str = "expired"
    size: float = 1.0
    size_sigma: float = 0.0
    growth_min: float = 0.0
    growth_sigma: float = 0.0
    spreads: bool = False
    most: float = 1e9
    per_size_min: float = 0.0
    harm: str = ""
    harm_share: float = 0.0
    harm_min: float = 0.0
    harm_sigma: float = 0.5
    moves: bool = False
    worse: tuple[float, float, float] = (float("inf"),) * 3
    source: str = "assumed"

    def handling_s(self, size: float) -> float:
        """Return how long handling takes, s."""
        return 60.0 * (self.handling_min + self.per_size_min * size)

    def severity_of(self, size: float) -> str:
        """Return the severity at a size: one word more severe at each size of ``worse`` that it has reached."""
        step = SEVERITIES.index(self.severity) + sum(size >= limit for limit in self.worse)
        return SEVERITIES[min(step, len(SEVERITIES) - 1)]


KINDS: dict[str, HazardKind] = {
    # people in water where they must not be: most come out again, some get into trouble and drown within minutes
    "bather": HazardKind(
        "water", "waters", "people", ("rescue",), 10, "Severe", rate=0.002, hours=BATHING, rain=-0.2, lasts_min=18,
        fate="got out", source="assumed: 3 or 4 a day along all shores",
    ),
    "drowning": HazardKind(
        "water", "waters", "people", ("rescue",), 12, "Extreme", rate=2.5e-5, hours=BATHING, lasts_min=40,
        lasts_sigma=0.2, fate="got out", harm="drowned", harm_share=0.75, harm_min=7.0, harm_sigma=0.45,
        source="submersion of 5-10 min kills or maims (Szpilman et al. 2012, NEJM 366); 57,000 drowned a year in China,"
        " 1.1e-7 a person and day; spread over shores by who lives near",
    ),
    # fires: area of a circle whose radius grows (a t-squared fire), within what there is to burn
    "fire": HazardKind(
        "fire", "homes", "m2", ("fire",), 8, "Severe", rate=1.6e-6, hours=EVENING, rain=-0.03, lasts_min=150,
        lasts_sigma=0.3, fate="burnt out", size=0.3, size_sigma=0.4, growth_min=0.22, growth_sigma=0.5, spreads=True,
        most=900.0, per_size_min=0.12, harm="injured", harm_share=0.06, harm_min=12.0, worse=(30.0, 1e9, 1e9),
        source="825,000 fires in China in 2022 (National Fire and Rescue Administration): 1.6 a day and million people",
    ),
    "open_fire": HazardKind(
        "fire", "fire_points", "m2", ("fire",), 6, "Moderate", rate=0.0015, hours=DAYTIME, rain=-0.2, lasts_min=70,
        fate="burnt out", size=0.5, size_sigma=0.5, growth_min=0.3, growth_sigma=0.5, spreads=True, most=2500.0,
        per_size_min=0.05, worse=(40.0, 400.0, 1e9),
    ),
    "violation": HazardKind(
        "site", "works", "people", ("order",), 15, "Moderate", rate=0.8, hours=WORKING, lasts_min=45, fate="over",
    ),
    "site_dust": HazardKind(
        "dust", "works", "ug/m3", ("order",), 15, "Moderate", rate=0.25, hours=WORKING, rain=-0.5, lasts_min=80,
        fate="settled", size=350.0, size_sigma=0.35, worse=(900.0, 1e9, 1e9),
    ),
    "bikes": HazardKind(
        "bikes", "kerbs", "bikes", ("order",), 6, "Minor", rate=0.05, hours=DAYTIME, rain=-0.08, lasts_min=150,
        fate="ridden away", size=9.0, size_sigma=0.4, growth_min=0.05, growth_sigma=0.6, most=80.0, per_size_min=0.7,
        worse=(40.0, 1e9, 1e9),
    ),
    "high_water": HazardKind(
        "level", "gauges", "m", ("rescue",), 30, "Severe", moves=True, fate="fell", worse=(1.0, 1e9, 1e9),
    ),
    "ponded_road": HazardKind(
        "ponding", "dips", "m", ("repair",), 25, "Moderate", moves=True, fate="drained", per_size_min=60.0,
        worse=(0.27, 0.5, 1e9),
        source="signs for road users in China begin at 0.15 m; 0.27 m stalls cars (assumed limits of the grades)",
    ),
    "crowd": HazardKind(
        "crowd", "squares", "x normal", ("order",), 20, "Moderate", moves=True, fate="dispersed",
        worse=(2.0, 3.0, 1e9),
    ),
    "straw": HazardKind(
        "straw", "fields", "m2", ("order",), 8, "Moderate", rate=0.001, hours=BURNING, rain=-0.5, lasts_min=55,
        fate="burnt out", size=4.0, size_sigma=0.5, growth_min=0.5, growth_sigma=0.4, spreads=True, most=4000.0,
        per_size_min=0.02, worse=(600.0, 1e9, 1e9),
    ),
    "garbage": HazardKind(
        "garbage", "bins", "kg", ("clean",), 8, "Minor", rate=0.008, hours=DAYTIME, lasts_min=420, fate="collected",
        size=25.0, size_sigma=0.6, growth_min=0.05, growth_sigma=0.4, most=400.0, per_size_min=0.1,
        worse=(150.0, 1e9, 1e9),
    ),
    "pothole": HazardKind(
        "road", "pavement", "m2", ("repair",), 35, "Minor", rate=0.0018, hours=DAYTIME, rain=0.08, lasts_min=20_000,
        fate="repaired by plan", size=0.25, size_sigma=0.5, growth_min=2e-5, most=6.0, per_size_min=20.0,
        worse=(1.0, 1e9, 1e9),
    ),
    "vendor": HazardKind(
        "vendors", "kerbs", "stalls", ("order",), 12, "Minor", rate=0.02, hours=EVENING, rain=-0.15, lasts_min=110,
        fate="moved on", size=1.5, size_sigma=0.4,
    ),
    "thrown": HazardKind(
        "thrown", "towers", "objects", ("inspect",), 25, "Severe", rate=2.2e-5, hours=EVENING, lasts_min=30,
        fate="unexplained", harm="injured", harm_share=0.01, harm_min=0.05,
    ),
    "fire_lane": HazardKind(
        "fire_lane", "lanes", "vehicles", ("tow",), 10, "Moderate", rate=2.6e-4, hours=EVENING, lasts_min=75,
        lasts_sigma=0.8, fate="drove away",
    ),
    "manhole": HazardKind(
        "manhole", "covers", "covers", ("repair",), 25, "Severe", rate=1.6e-4, hours=DAYTIME, rain=0.25,
        lasts_min=5_000, fate="put back by chance", harm="injured", harm_share=0.08, harm_min=90.0, harm_sigma=1.0,
    ),
    "ebike": HazardKind(
        "ebike", "towers", "bikes", ("order",), 12, "Moderate", rate=2e-4, hours=EVENING, rain=0.05,
        lasts_min=240, fate="taken out again",
    ),
    "gas": HazardKind(
        "gas", "homes", "%LEL", ("repair",), 20, "Severe", rate=5e-6, hours=EVENING, lasts_min=120, fate="aired",
        size=12.0, size_sigma=0.5, growth_min=0.1, growth_sigma=0.5, most=90.0, harm="injured", harm_share=0.03,
        harm_min=60.0, worse=(50.0, 1e9, 1e9), source="kitchens' limit 25 %LEL (GB 15322); rate assumed",
    ),
    "lift": HazardKind(
        "lift", "towers", "people", ("rescue",), 20, "Severe", rate=8e-6, hours=DAYTIME, lasts_min=150,
        fate="freed by neighbours", size=1.3, size_sigma=0.3,
    ),
}  # fmt: skip


def kinds_of(theme: str) -> tuple[str, ...]:
    """Return the kinds of a theme."""
    return tuple(name for name, kind in KINDS.items() if kind.theme == theme)
