"""Robots against people over whole days and seeds: what a parcel costs (F24), how clean the streets stay (F25).

``python -m scenarios.baselines.whole_days parcels --seeds 8`` runs ``hour_delivery`` and ``hour_couriers`` under each
seed, with the same orders, and prices both by ``scenarios/costs.yaml``: cost per parcel, shares within the hour and
undelivered, the saving of each day with its interval, and the tornado over the mean day. ``… sweeping --seeds 4`` runs
``sanitation`` with the coverage policy, with fixed tours and with a crew, and gives cleanliness by the hour of the day.
All differences are paired by seed, with 95 % intervals.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from scenarios import kpis, load
from scenarios.costs import (
    Price,
    Quantities,
    all_at_worst,
    cost,
    courier_pace,
    load_prices,
    quantities,
    saving,
    tornado,
    verdict,
)
from scenarios.experiment import Comparison
from scenarios.kpis.base import Kpi
from twin.log import Facts
from twin.scenario import Scenario
from twin.simulation import run

PARCELS: tuple[Kpi, ...] = (
    kpis.parcel_cost_cny, kpis.delivery_within_hour, kpis.parcels_delivered_share, kpis.parcels_refused_share,
    kpis.parcels_undelivered_share, kpis.parcel_time_min, kpis.parcel_km,
)  # fmt: skip
SWEEPING: tuple[Kpi, ...] = (kpis.cleanliness, kpis.clean_share)
HOUR_S, DAY_S = 3600, 86_400
SHARE = 0.2  # of the people: enough to know who is at home; orders, lorries and through traffic stay whole
TARGET = 0.30


def parcel_days(share: float = SHARE) -> dict[str, Scenario]:
    """Return the two days that are compared: the same orders brought by robots and by couriers."""
    return {
        name: load(name, people={"share": share}, traffic={"fcd_period_s": 0})
        for name in ("hour_couriers", "hour_delivery")
    }


def sweeping_days(share: float = SHARE) -> dict[str, Scenario]:
    """Return the ways of keeping the streets clean that are compared; ``coverage`` is the one they are held against.

    In free flow: dust comes from who passes, not from how fast, and sweepers are slower than any queue here (F29).
    """
    base = load("sanitation", people={"share": share}, traffic={"mode": "free-flow", "fcd_period_s": 0})
    return {
        "crew": base.changed(sanitation={"by": "crew"}),
        "fixed_tour": base.changed(sanitation={"policy": "fixed_tour"}),
        "coverage": base,
    }


def mean_day(days: Sequence[Quantities]) -> Quantities:
    """Return what a fleet did on all days together: sums of what was done, the fleet as it is."""
    held = ("fleet", "robots", "trikes", "vans", "operators")
    values: dict[str, Any] = {
        f.name: getattr(days[0], f.name) if f.name in held else sum(getattr(d, f.name) for d in days)
        for f in fields(Quantities)
    }
    return Quantities(**values)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return mean and 95 % interval (Student's t) of independent values; unbounded for one."""
    n, mean = len(values), math.fsum(values) / len(values)
    if n < 2:
        return mean, -math.inf, math.inf
    from scipy.stats import t

    half = float(t.ppf(0.975, n - 1)) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return mean, mean - half, mean + half


def by_hour(facts: Facts) -> dict[int, float]:
    """Return cleanliness (0..1) by hour of the day, mean over areas and over all days but the first, if there is one.

    The first day begins with clean streets, so a run of one day has no other.
    """
    told = facts.frame("CleanlinessMeasured")
    if told["t_s"].max() >= DAY_S + HOUR_S:
        told = told[told["t_s"] >= DAY_S]
    hour = told["t_s"].to_numpy() % DAY_S // HOUR_S
    return {int(h): float(v) for h, v in told.groupby(hour)["cleanliness"].mean().items()}


def comparisons(
    values: Mapping[tuple[str, int], Mapping[str, float]], base: str, variant: str, measures: Sequence[Kpi]
) -> list[Comparison]:
    """Return base against variant in each measure, paired by seed; a seed without a value is left out."""
    seeds = sorted({seed for _, seed in values})
    out = []
    for kpi in measures:
        pairs = [(s, values[base, s][kpi.name], values[variant, s][kpi.name]) for s in seeds]
        sound = tuple(p for p in pairs if np.isfinite(p[1]) and np.isfinite(p[2]))
        if sound:
            out.append(Comparison(kpi, sound, tuple(p[0] for p in pairs if p not in sound)))
    return out


def _measured(facts: Facts, measures: Sequence[Kpi]) -> dict[str, float]:
    return {k.name: math.nan if (v := k(facts)) is None else float(v) for k in measures}


def parcels(seeds: Sequence[int], prices: Mapping[str, Price], share: float = SHARE) -> list[str]:
    """Run robots and couriers under every seed and return what came out, in lines."""
    values: dict[tuple[str, int], Mapping[str, float]] = {}
    did: dict[str, list[Quantities]] = {}
    for seed in seeds:
        for name, day in parcel_days(share).items():
            began_s = time.process_time()
            facts = run(day, seed).log
            values[name, seed] = _measured(facts, PARCELS)
            did.setdefault(name, []).append(quantities(facts))
            _show(name, seed, values[name, seed], time.process_time() - began_s)
    return parcel_lines(values, did, prices)


def parcel_lines(
    values: Mapping[tuple[str, int], Mapping[str, float]],
    did: Mapping[str, Sequence[Quantities]],
    prices: Mapping[str, Price],
) -> list[str]:
    """Return comparison, cost sheets, saving and tornado in lines."""
    out = [str(c) for c in comparisons(values, "hour_couriers", "hour_delivery", PARCELS)]
    robots, couriers = mean_day(did["hour_delivery"]), mean_day(did["hour_couriers"])
    for name, q in (("robots", robots), ("couriers", couriers)):
        sheet = cost(q, prices)
        parts = ", ".join(f"{item} {value / q.days:.0f}" for item, value in sheet.items.items())
        out.append(f"{name}: {sheet.per_parcel:.2f} CNY per parcel; CNY a day: {parts}")
    each = [saving(a, b, prices) for a, b in zip(did["hour_delivery"], did["hour_couriers"], strict=True)]
    mean, low, high = interval(each)
    out.append(f"saving per parcel: {mean:.1%} [{low:.1%}, {high:.1%}] over {len(each)} days")
    bars = tornado(robots, couriers, prices)
    for bar in bars:
        p = bar.price
        out.append(f"  {p.name} {p.low:g} to {p.high:g} {p.unit}: {bar.at_low:.1%} to {bar.at_high:.1%}")
    out.append(verdict(saving(robots, couriers, prices), bars, TARGET))
    out.append(f"with every price at its worse end at once: {all_at_worst(robots, couriers, prices):.1%}")
    pace, needed = courier_pace(robots, couriers, prices, TARGET)
    out.append(f"a courier brings {pace:.1f} parcels an hour; at {needed:.1f} the saving would be {TARGET:.0%}")
    return out


def sweeping(seeds: Sequence[int], share: float = SHARE) -> list[str]:
    """Run the three ways of cleaning under every seed and return what came out, in lines."""
    values: dict[tuple[str, int], Mapping[str, float]] = {}
    hours: dict[str, list[dict[int, float]]] = {}
    for seed in seeds:
        for name, day in sweeping_days(share).items():
            began_s = time.process_time()
            facts = run(day, seed).log
            values[name, seed] = _measured(facts, SWEEPING)
            hours.setdefault(name, []).append(by_hour(facts))
            _show(name, seed, values[name, seed], time.process_time() - began_s)
    out = []
    for base in ("crew", "fixed_tour"):
        out += [f"against {base}: {c}" for c in comparisons(values, base, "coverage", SWEEPING)]
    out.append("cleanliness by hour of the second day, % " + " ".join(f"{h:02d}" for h in sorted(hours["crew"][0])))
    for name, told in hours.items():
        means = [100 * float(np.mean([day[h] for day in told])) for h in sorted(told[0])]
        out.append(f"  {name}: " + " ".join(f"{m:.0f}" for m in means))
    return out


def _show(name: str, seed: int, values: Mapping[str, float], cpu_s: float) -> None:
    told = ", ".join(f"{k} {v:.4g}" for k, v in values.items())
    print(f"seed {seed:2d} {name:13s} {told} ({cpu_s:.0f} s CPU)", flush=True)


def main(arguments: Iterable[str] | None = None) -> None:
    """Run one of the two comparisons over seeds and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("what", choices=("parcels", "sweeping"))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--share", type=float, default=SHARE, help="share of the people (orders are never scaled)")
    parser.add_argument("--prices", default=None, help="your table of prices (a copy of costs.yaml)")
    given = parser.parse_args(None if arguments is None else list(arguments))
    seeds = range(1, given.seeds + 1)
    if given.what == "parcels":
        lines = parcels(seeds, load_prices(given.prices), given.share)
    else:
        lines = sweeping(seeds, given.share)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
