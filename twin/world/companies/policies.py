"""The policies of the shipped city: a few written by hand after well-known kinds of policy, the rest generated.

None is a real policy of the district: hand-written ones follow kinds that many Chinese cities have (a reward for newly
recognised high-tech enterprises, for specialised and new ones, R&D subsidies, rent for founders), with assumed amounts;
the others are drawn from a small grammar and say ``generated``. ``python -m twin.world.companies.policies FOLDER``
writes them all as JDM files that a city can edit and name in ``companies.policies``.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from twin.dice import Stream
from twin.scenario.policy_file import PolicyFile, policy_of

COUNT = 50
PILOT = "high-tech-reward"  # the first run of 直达快享 (F45) is this policy alone
Row = tuple[dict[str, str], str]

_BY_HAND: tuple[tuple[str, str, str, float, int, bool, tuple[Row, ...]], ...] = (
    ("high-tech-reward", "Reward for newly recognised high-tech enterprises", "高新技术企业认定奖励", 4e6, 0, True, (
        ({"high_tech": "true", "recognised_days": "[0..365]", "rd_share": ">= 0.05", "jobs": ">= 50"}, "400000"),
        ({"high_tech": "true", "recognised_days": "[0..365]", "rd_share": ">= 0.03"}, "300000"),
    )),
    ("specialised-and-new", "Reward for specialised and new enterprises", "专精特新企业奖励", 6e6, 0, True, (
        ({"specialised": "true", "industry": "'new_energy_vehicles', 'aviation', 'new_materials'"}, "250000"),
        ({"specialised": "true"}, "200000"),
    )),
    ("rd-subsidy", "Subsidy on research and development", "研发投入补助", 2e7, 365, True, (
        ({"high_tech": "true", "rd_cny": ">= 1000000", "age_years": "< 10"}, "min([rd_cny * 0.05, 500000])"),
        ({"high_tech": "true", "rd_cny": ">= 1000000"}, "min([rd_cny * 0.03, 300000])"),
    )),
    ("founders-rent", "Rent of founders", "初创企业租金补贴", 5e6, 365, True, (
        ({"stage": "'founded'", "age_years": "< 2", "jobs": "[3..20]", "incubated": "true"}, "jobs * 1200"),
    )),
)  # fmt: skip

#: theme, titles, field and its three steps, amount, its three rates (all assumed)
_THEMES: tuple[tuple[str, str, str, str, tuple[float, ...], str, tuple[float, ...]], ...] = (
    ("jobs", "Jobs created", "稳岗扩岗补助", "new_jobs", (3, 8, 20), "new_jobs * {0}", (500, 1000, 1500)),
    ("tax", "Growth of tax", "税收增长奖励", "tax_cny", (5e5, 2e6, 8e6), "min([tax_cny * {0}, 200000])",
     (0.01, 0.02, 0.03)),
    ("export", "Export", "外贸稳增长补助", "export_cny", (1e6, 5e6, 2e7), "min([export_cny * {0}, 300000])",
     (0.002, 0.005, 0.01)),
    ("upgrade", "Technical upgrade", "技术改造补助", "investment_cny", (1e6, 5e6, 2e7),
     "min([investment_cny * {0}, 1000000])", (0.02, 0.04, 0.06)),
    ("loan", "Interest on loans", "贷款贴息", "loan_cny", (1e6, 3e6, 1e7), "min([loan_cny * {0}, 400000])",
     (0.005, 0.01, 0.015)),
    ("scale", "Above-scale step", "小升规奖励", "revenue_cny", (2e7, 5e7, 2e8), "{0}", (50000, 100000, 200000)),
)  # fmt: skip
_INDUSTRIES = (
    "new_energy_vehicles", "aviation", "new_materials", "logistics", "construction", "commerce", "services",
)  # fmt: skip
_STAGES = ("'founded'", "'growing'", "'mature'", "'growing', 'mature'", "")


def jdm(rows: tuple[Row, ...]) -> dict[str, Any]:
    """Return a JDM graph of one decision table; rows are (cell by field, amount)."""
    fields = tuple(dict.fromkeys(f for cells, _ in rows for f in cells))
    rules = []
    for n, (cells, amount) in enumerate(rows):
        rules.append({"_id": f"r{n + 1}", **{f"i{k}": cells.get(f, "") for k, f in enumerate(fields)}, "o": amount})
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "in", "name": "company", "type": "inputNode", "position": {"x": 0, "y": 0}},
            {
                "id": "table", "name": "policy", "type": "decisionTableNode", "position": {"x": 300, "y": 0},
                "content": {
                    "hitPolicy": "first",
                    "inputs": [{"id": f"i{k}", "name": f, "field": f} for k, f in enumerate(fields)],
                    "outputs": [{"id": "o", "name": "amount", "field": "amount_cny"}],
                    "rules": rules,
                },
            },
            {"id": "out", "name": "payment", "type": "outputNode", "position": {"x": 600, "y": 0}},
        ],
        "edges": [
            {"id": "e1", "sourceId": "in", "targetId": "table", "type": "edge"},
            {"id": "e2", "sourceId": "table", "targetId": "out", "type": "edge"},
        ],
    }  # fmt: skip


def _generated(n: int) -> dict[str, Any]:
    """Return the n-th generated policy, the same for every seed."""
    draw = Stream(0, "companies.policy_files")
    theme, title, title_zh, field, steps, amount, rates = _THEMES[n % len(_THEMES)]
    industry = _INDUSTRIES[int(draw.integers(0, len(_INDUSTRIES), n, 0)[0])]
    stage = _STAGES[int(draw.integers(0, len(_STAGES), n, 1)[0])]
    high = bool(draw.uniform(n, 2)[0] < 0.4)
    rows: list[Row] = []
    for k in (2, 1, 0):
        cells = {field: f">= {int(steps[k])}", "industry": f"'{industry}'"}
        if stage:
            cells["stage"] = stage
        if high and k == 2:
            cells["high_tech"] = "true"
        rows.append((cells, amount.format(rates[k])))
    budget = float(draw.integers(2, 30, n, 3)[0]) * 1e6
    return {
        "title": f"{title} in {industry.replace('_', ' ')} (generated {n + 1})",
        "title_zh": f"{title_zh}（生成{n + 1}）",
        "generated": True,
        "budget_cny": budget,
        "period_days": 365,
        "direct": bool(draw.uniform(n, 4)[0] < 0.5),
        **jdm(tuple(rows)),
    } | {"theme": theme}


def as_files() -> dict[str, dict[str, Any]]:
    """Return the content of all policy files by name."""
    out: dict[str, dict[str, Any]] = {}
    for name, title, title_zh, budget, period, direct, rows in _BY_HAND:
        said = {"title": title, "title_zh": title_zh, "generated": False, "budget_cny": budget}
        out[name] = {**said, "period_days": period, "direct": direct, **jdm(rows)}
    for n in range(COUNT - len(_BY_HAND)):
        policy = _generated(n)
        out[f"{policy['theme']}-{n + 1:02d}"] = policy
    return out


@cache
def shipped() -> tuple[PolicyFile, ...]:
    """Return the policies of the shipped city, those written by hand first."""
    return tuple(policy_of(name, name, data) for name, data in as_files().items())


def write(folder: Path) -> None:
    """Write all policies as JDM files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in as_files().items():
        text = json.dumps(data, ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
