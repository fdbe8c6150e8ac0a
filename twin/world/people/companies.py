"""Companies: about 6,000, on the blocks that have jobs, with an industry and a heavy-tailed size.

How many a block gets follows from its jobs and the usual size of companies on such a block (Adams'
apportionment: every block with jobs has one before any has a second; company 6,001 moves nobody). Sizes are
lognormal draws, scaled so that the companies of a block have exactly its jobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.world.people.draws import Draws, apportion

Ints = npt.NDArray[Any]  # whole numbers

#: industries; the first three are the lead industries (F47). Only append.
INDUSTRIES = (
    "new_energy_vehicles",
    "aviation",
    "new_materials",
    "logistics",
    "construction",
    "commerce",
    "services",
    "education",
    "health",
    "public",
    "agriculture",
)
LEAD = 3
(NEV, AVIATION, MATERIALS, LOGISTICS, CONSTRUCTION, COMMERCE, SERVICES, EDUCATION, HEALTH, PUBLIC, FARM) = range(11)
#: a company's stage of life (F44); shares assumed
STAGES = ("founded", "growing", "mature", "leaving")
_STAGE_SHARES = (0.18, 0.34, 0.42, 0.06)

#: block kind → (people in a usual company there, share of each industry); assumed
_KINDS: dict[str, tuple[float, dict[int, float]]] = {
    "village": (2.5, {COMMERCE: 0.55, SERVICES: 0.25, FARM: 0.20}),
    "housing": (4.0, {COMMERCE: 0.6, SERVICES: 0.4}),
    "mixed": (6.0, {COMMERCE: 0.6, SERVICES: 0.4}),
    "commerce": (9.0, {COMMERCE: 0.75, SERVICES: 0.25}),
    "industry": (55.0, {NEV: 0.38, AVIATION: 0.22, MATERIALS: 0.40}),
    "logistics": (35.0, {LOGISTICS: 1.0}),
    "office": (24.0, {NEV: 0.18, AVIATION: 0.12, MATERIALS: 0.15, SERVICES: 0.45, PUBLIC: 0.10}),
    "school": (60.0, {EDUCATION: 1.0}),
    "public": (40.0, {PUBLIC: 0.55, HEALTH: 0.45}),
    "construction": (45.0, {CONSTRUCTION: 1.0}),
    "farm": (12.0, {FARM: 1.0}),
}
_SIGMA = 1.0  # of the logarithm of sizes


@dataclass(frozen=True)
class CompanyArrays:
    """Columns, one row per company: ``block`` row, ``industry`` index, ``jobs``, ``stage`` index.

    ``weight`` is the share of its block's jobs; ``order``/``block_cumulative`` find a company in a block by one
    draw (see :meth:`choose`).
    """

    block: Ints
    industry: npt.NDArray[np.int8]
    jobs: npt.NDArray[np.int32]
    stage: npt.NDArray[np.int8]
    weight: npt.NDArray[np.float64]
    order: Ints
    block_cumulative: npt.NDArray[np.float64]
    has: npt.NDArray[np.bool_]  # per block
    block_industry: npt.NDArray[np.int8]  # per block: what people do there who work for no company

    def __len__(self) -> int:
        return len(self.block)

    def choose(self, block: Ints, u: npt.NDArray[np.float64]) -> Ints:
        """Return a company on each block row (-1: none there), in proportion to size, by numbers in [0, 1)."""
        if len(self.block) == 0:
            return np.full(len(block), -1, dtype=np.int64)
        inside = np.maximum(block, 0)
        at = np.searchsorted(self.block_cumulative, inside + u, side="right")
        found = self.order[np.minimum(at, len(self.order) - 1)]
        return np.where((block >= 0) & self.has[inside], found, -1)


def build(city: City, draws: Draws, count: int) -> CompanyArrays:
    """Place ``count`` companies on the blocks of ``city`` that have jobs (none, if no block has)."""
    kinds = city.blocks["kind"].tolist()
    jobs = city.blocks["jobs"].to_numpy(np.float64)
    usual = np.array([_KINDS[k][0] for k in kinds])
    block = apportion(np.where(jobs > 0, jobs / usual, 0.0), count, first=0.0)
    company = np.arange(len(block), dtype=np.int64)
    names = sorted(_KINDS)
    shares = np.zeros((len(names), len(INDUSTRIES)))
    for i, name in enumerate(names):
        for code, share in _KINDS[name][1].items():
            shares[i, code] = share
    kind_row = np.array([names.index(k) for k in kinds], dtype=np.int64)
    industry = _choose(draws, "company.industry", company, shares[kind_row[block]] if len(block) else shares[:0])
    stage = _choose(draws, "company.stage", company, np.tile(_STAGE_SHARES, (len(block), 1)))
    raw = np.exp(_SIGMA * draws["company.size"].normal(company)) if len(block) else np.empty(0)
    total = np.bincount(block, raw, len(kinds))
    weight = raw / total[block]
    order = np.lexsort((company, block))
    running = np.cumsum(weight[order])
    before = np.concatenate([[0.0], np.cumsum(np.bincount(block, weight, len(kinds)))])[block[order]]
    return CompanyArrays(
        block=block,
        industry=industry.astype(np.int8),
        jobs=np.maximum(np.rint(weight * jobs[block]), 1).astype(np.int32),
        stage=stage.astype(np.int8),
        weight=weight,
        order=order,
        block_cumulative=np.minimum(running - before, 1.0) + block[order],
        has=np.bincount(block, minlength=len(kinds)) > 0,
        block_industry=np.argmax(shares, axis=1)[kind_row].astype(np.int8),
    )


def _choose(draws: Draws, name: str, company: Ints, shares: npt.NDArray[np.float64]) -> Ints:
    """One column per row of ``shares``, by a draw per company."""
    if len(company) == 0:
        return np.empty(0, dtype=np.int64)
    cumulative = np.cumsum(shares, axis=1)
    u = draws.uniform(name, company) * cumulative[:, -1]
    return np.asarray(np.minimum((cumulative <= u[:, None]).sum(axis=1), shares.shape[1] - 1), dtype=np.int64)
