"""How good are warnings of late projects: precision, recall and lead time of what the desk said, from the facts (F16).

A project is *late* when it was finished more than ``late_share`` of its planned time after its planned day. It is
*warned of* when a schedule warning was raised before that day: afterwards everybody knows. Counted are projects that
were being built or begun, and whose planned day lies in the run; those neither finished nor late enough to tell are
left out and counted as ``open``.

``python -m scenarios.lag_scores --seeds 11 12 13`` runs 720 days of the shipped district under each shipped policy,
without traffic, hazards or builders who answer warnings, and prints the scores side by side.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.log import Facts

DAY_S = 86_400


@dataclass(frozen=True)
class LagScore:
    """Counts of projects, and what follows; ``lead_days``: from the first warning to the planned day, median."""

    projects: int
    late: int
    warned: int
    right: int
    open: int
    lead_days: float | None

    @property
    def precision(self) -> float | None:
        """Share of the warned that were late."""
        return self.right / self.warned if self.warned else None

    @property
    def recall(self) -> float | None:
        """Share of the late that were warned of."""
        return self.right / self.late if self.late else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both."""
        return 2 * self.right / (self.warned + self.late) if self.warned + self.late else None


def lag_score(facts: Facts, late_share: float = 0.10) -> LagScore:
    """Return the score of a run's schedule warnings."""
    filed = facts.frame("ProjectFiled").drop_duplicates("project").set_index("project")
    finish, days = filed["finish_day"], filed["finish_day"] - filed["start_day"]
    ended = facts.table("SitesAtEnd", ["t_s"]).column("t_s").to_pylist()
    last = ended[-1] / DAY_S if ended else 0.0
    first = float(filed["t_s"].min()) / DAY_S
    done = facts.frame("ProjectFinished").set_index("project")["late_days"].reindex(filed.index)
    seen = (filed["library"] != "post") & (finish > first) & (finish <= last)
    surely = last - finish > late_share * days  # not finished, and late already
    known = seen & (done.notna() | surely)
    late = known & ((done > late_share * days) | (done.isna() & surely))
    warned = facts.frame("ProjectWarned")
    warned = warned[warned["warning"] == "schedule"].groupby("project")["t_s"].min().reindex(filed.index) / DAY_S
    early = known & (warned <= finish)
    right = early & late
    lead = (finish - warned)[right]
    return LagScore(
        projects=int(known.sum()),
        late=int(late.sum()),
        warned=int(early.sum()),
        right=int(right.sum()),
        open=int((seen & ~known).sum()),
        lead_days=float(np.median(lead)) if len(lead) else None,
    )


def main() -> None:
    """Print the scores of the shipped policies, seed by seed."""
    from scenarios import load
    from twin.cities import city_folder
    from twin.scenario.construction import POLICIES
    from twin.world.sites.months import run_months

    parser = argparse.ArgumentParser(description="precision, recall and lead time of warnings of late projects")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--days", type=int, default=720)
    given = parser.parse_args()
    for policy in POLICIES:
        part = {"policy": policy, "hazards_per_site_day": 0, "contractors_respond": False}
        scenario = load("weekday", construction=part)
        city = _city(city_folder(scenario))
        for seed in given.seeds:
            s = lag_score(run_months(scenario, city, seed, given.days))
            said = " ".join(f"{v:.2f}" if v is not None else "-" for v in (s.precision, s.recall, s.f1))
            print(f"{policy:20s} seed {seed}: precision recall F1 {said}, lead {s.lead_days} d, {s}")


def _city(folder: Any) -> Any:
    from geo.city import City

    return City.load(folder)


if __name__ == "__main__":
    main()
