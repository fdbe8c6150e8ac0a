"""Run folders as the command line sees them: where a run goes by default, and its indicators."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.log import Facts


def default_folder(name: str, seed: int, root: Path = Path("runs")) -> Path:
    """Return runs/NAME-SEED, or with -2, -3 … the first that is free."""
    folder = root / f"{name}-{seed}"
    n = 1
    while os.path.lexists(folder):
        n += 1
        folder = root / f"{name}-{seed}-{n}"
    return folder


def write_kpis(folder: Path, log: Facts) -> list[dict[str, Any]]:
    """Compute all indicators from the log, write kpis.json, and return them."""
    from scenarios import kpis

    summary = kpis.summary(log)
    text = json.dumps(summary, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "kpis.json").write_text(text + "\n", encoding="utf-8")
    return summary["kpis"]
