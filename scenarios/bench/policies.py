"""How quickly a register of companies is matched with all policies; the register is made of the twin's own draws."""

from __future__ import annotations

import time

import numpy as np

from twin.control.companies.register import Register
from twin.control.companies.tables import by_zen, parse
from twin.dice import Dice, Stream
from twin.scenario.companies import FIELDS
from twin.world.companies.life import Life
from twin.world.companies.policies import shipped
from twin.world.people.companies import INDUSTRIES, CompanyArrays


def register_of(count: int, seed: int = 1) -> Register:
    """Return a register of made companies."""
    draw, who = Stream(seed, "bench.policies"), np.arange(count)
    none = np.zeros(0)
    arrays = CompanyArrays(
        block=np.zeros(count, np.int64),
        industry=draw.integers(0, len(INDUSTRIES), who, 0).astype(np.int8),
        jobs=np.maximum(np.exp(2 + draw.normal(who, 1)), 1).astype(np.int32),
        stage=draw.integers(0, 3, who, 2).astype(np.int8),
        weight=np.ones(count),
        order=who,
        block_cumulative=none,
        has=np.ones(1, dtype=bool),
        block_industry=np.zeros(1, np.int8),
    )
    life = Life(arrays, (np.zeros(1), np.zeros(1)), Dice(seed), agreed=0.62)
    register = Register()
    register.take(life.records(life.alive(), 0, 0))
    return register


def measure(count: int) -> dict[str, float]:
    """Match ``count`` companies with the shipped policies; return processor time, pairs, fits, and zen's time."""
    register = register_of(count)
    begun = time.process_time()
    tables = [parse(p.policy, p.jdm, FIELDS) for p in shipped()]
    fits = sum(int((t.match(register.columns, count)[0] >= 0).sum()) for t in tables)
    cpu_s = time.process_time() - begun
    begun = time.process_time()
    some = min(count, 40)
    for table in tables:
        by_zen(table, {f: c[:some] for f, c in register.columns.items()}, some)
    zen_s = (time.process_time() - begun) / some * count
    return {"cpu_s": cpu_s, "pairs": float(count * len(tables)), "fits": float(fits), "zen_s": zen_s}
