"""Which junctions to upgrade first (F19): what vehicles lose there in a run, what a grade saves, and what it costs.

Delay and volume come from the facts of a run (``ApproachDelayed``), prices from ``scenarios/junction_costs.yaml`` or a
copy of it. What an upgrade saves is measured where a second run – the same morning with all junctions upgraded – is
given, junction by junction; else it is an assumed share of the delay. ``python -m scenarios.junction_costs RUN
[UPGRADED [GRADE [COUNT]]]`` prints the ranking.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scenarios.costs import Price
from scenarios.readings import Memory
from twin import events
from twin.errors import ScenarioError
from twin.log import Facts

PRICES = Path(__file__).with_name("junction_costs.yaml")
GRADES = ("L0", "L1", "L2", "L3")
DAY_S = 86_400
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Upgrade:
    """One junction of the ranking. Delay and volume per day of the run; money CNY a year.

    ``benefit_cost``: value of the time saved ÷ cost.
    """

    junction: str
    grade: str
    to: str
    passed_veh: float
    delay_s: float
    saved_veh_h_day: float
    benefit_year: float
    cost_year: float

    @property
    def benefit_cost(self) -> float:
        """Value of the time saved ÷ cost; 0 where there is nothing to upgrade."""
        return self.benefit_year / self.cost_year if self.cost_year > 0 else 0.0


def load_junction_prices(file: str | Path = PRICES) -> dict[str, Price]:
    """Read prices. Raises ScenarioError that names the file, the key and what is wrong."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = Path(file)
    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror})") from None
    except YAMLError as error:
        raise ScenarioError(f"{path}: is not YAML ({' '.join(str(error).split())[:200]})") from None
    known = set(data) if path == PRICES else set(load_junction_prices())
    if not isinstance(data, dict) or set(data) != known:
        wrong = sorted(set(map(str, data or ())) ^ known)
        raise ScenarioError(f"{path}: prices missing or unknown: {', '.join(wrong)}")
    out = {}
    for name, entry in data.items():
        if not isinstance(entry, dict) or set(entry) != {"value", "low", "high", "unit", "source"}:
            raise ScenarioError(f"{path}: {name}: needs exactly value, low, high, unit, source")
        numbers = [entry[k] for k in ("low", "value", "high")]
        if not all(isinstance(x, int | float) and x >= 0 for x in numbers) or sorted(numbers) != numbers:
            raise ScenarioError(f"{path}: {name}: 0 <= low <= value <= high is needed, not {numbers}")
        out[name] = Price(
            name, float(entry["value"]), float(entry["low"]), float(entry["high"]), entry["unit"], entry["source"]
        )  # fmt: skip
    return out


def cost_year(prices: dict[str, Price], grade: str, to: str, which: str = "value") -> float:
    """Return what it costs a year to have a junction of ``grade`` at ``to``: equipment over its life, and upkeep.

    ``which``: value, low or high. What is there already is paid for: its equipment counts against the new one's.
    """
    life = float(getattr(prices["life"], {"low": "high", "high": "low"}.get(which, which)))

    def of(g: str) -> float:
        if g == "L0":
            return 0.0
        price = float(getattr(prices[f"{g}_equipment"], which))
        return price / life + price * float(getattr(prices[f"{g}_upkeep"], which))

    return max(of(to) - of(grade), 0.0)


def delays(log: Facts | Memory) -> tuple[tuple[str, ...], tuple[str, ...], Floats, Floats]:
    """Return (names, grades, vehicle-hours lost a day, vehicles a day) of the junctions of a run.

    Raises ScenarioError where the run had no junctions.
    """
    m = Memory(log)
    known, rows = m.columns(events.JunctionGraded), m.columns(events.ApproachDelayed)
    n = known["t_s"].size
    if n == 0:
        raise ScenarioError("the run says nothing of junctions: its scenario needs the key 'junctions'")
    started = m.columns(events.RunStarted)["t_s"]
    days = max(m.end_s() - int(started[0]), 1) / DAY_S
    junction = rows["junction"].astype(np.int64)
    lost = np.bincount(junction, weights=rows["delay_veh_s"], minlength=n) / 3600.0
    passed = np.bincount(junction, weights=rows["passed_veh"], minlength=n)
    return tuple(known["name"].astype(str)), tuple(known["grade"].astype(str)), lost / days, passed / days


def upgrades(
    log: Facts | Memory, to: str = "L2", count: int = 20, upgraded: Facts | Memory | None = None,
    prices: dict[str, Price] | None = None,
) -> list[Upgrade]:  # fmt: skip
    """Return the ``count`` junctions whose upgrade to grade ``to`` is worth most per yuan, the best first.

    ``upgraded``: a run of the same time with all of them upgraded; None: savings are assumed shares of the delay.
    Days of a run that is shorter than a day are scaled up by its length: compare runs of the same hours only.
    """
    if to not in GRADES[1:]:
        raise ScenarioError(f"grade '{to}' is not one to upgrade to; allowed: {', '.join(GRADES[1:])}")
    prices = prices or load_junction_prices()
    names, grades, lost, passed = delays(log)
    if upgraded is None:
        saved = lost * prices[f"saved_{to}"].value
    else:
        other = dict(zip(*[delays(upgraded)[i] for i in (0, 2)], strict=True))
        if set(other) != set(names):
            raise ScenarioError("the two runs are of different networks: their junctions are not the same")
        saved = lost - np.array([other[name] for name in names])
    out = [
        Upgrade(
            name, grade, to, float(veh), 3600.0 * float(h) / veh if veh > 0 else 0.0, float(gain),
            float(gain) * prices["time"].value * prices["days"].value, cost_year(prices, grade, to),
        )
        for name, grade, h, veh, gain in zip(names, grades, lost, passed, saved, strict=True)
        if GRADES.index(grade) < GRADES.index(to)
    ]  # fmt: skip
    return sorted(out, key=lambda u: (-u.benefit_cost, u.junction))[:count]


def show(rows: list[Upgrade]) -> str:
    """Return the ranking as text."""
    lines = ["junction  grade    veh/day  delay s  saved veh-h/day   CNY/year saved     cost  benefit/cost"]
    lines += [
        f"{u.junction:9} {u.grade}→{u.to} {u.passed_veh:10,.0f} {u.delay_s:8.1f} {u.saved_veh_h_day:16.1f}"
        f" {u.benefit_year:16,.0f} {u.cost_year:8,.0f} {u.benefit_cost:13.1f}"
        for u in rows
    ]
    return "\n".join(lines)


def main(run: str, upgraded: str | None = None, to: str = "L2", count: str = "20") -> None:
    """Print the ranking of a run folder."""
    after = None if upgraded is None else Facts.read(upgraded)
    print(show(upgrades(Facts.read(run), to, int(count), after)))


if __name__ == "__main__":
    main(*sys.argv[1:])
