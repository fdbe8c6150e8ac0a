"""``twin check --faults``: the fault matrix as a table, and what to type to see a broken cell again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from scenarios.checks.matrix import Cell
    from scenarios.checks.model import Property
    from twin.scenario import Scenario


def matrix(
    ready: Scenario, seeds: list[int], demanded: list[Property], spec: str, workers: int | None, out: Path | None
) -> int:
    """Run the matrix, print it, and return the exit code: 1 when a counting cell broke a property or did not end."""
    from scenarios.checks.matrix import kinds
    from scenarios.checks.matrix import matrix as carry_out
    from scenarios.runner.telling import Show

    of = kinds(spec)
    with Show(0) as show:
        cells = carry_out(ready, seeds, of, demanded, out, workers, show, about=show.grow)
    folder = out if out is not None else Path("runs") / f"faults-{ready.name}"
    wrong = [c for c in cells if c.failed or (c.counts and c.broken)]
    idle = [c for c in cells if not c.failed and not c.counts]
    typer.echo(
        f"{ready.name}: {len(cells)} cells of {len(of)} faults on {len(seeds)} seed(s), {len(demanded)} properties"
    )
    width = max(len(" + ".join(c.faults)) for c in cells)
    for c in cells:
        typer.echo(f"  {' + '.join(c.faults):<{width}}  seed {c.seed}  {_said(c)}")
    held = len(cells) - len(wrong) - len(idle)
    typer.echo(f"{held} held, {len(wrong)} broken, {len(idle)} do not count because a fault never struck.")
    for c in wrong[:3]:
        typer.echo("")
        for line in _shown(c, ready, folder):
            typer.echo(line)
    return int(bool(wrong))


def _said(c: Cell) -> str:
    if c.failed:
        return f"DID NOT END: {c.failed}"
    struck = ", ".join(f"{n:,}×" for n in c.fired.values())
    if not c.counts:
        return f"does not count (struck {struck})"
    return f"BROKEN: {', '.join(c.broken)} (struck {struck})" if c.broken else f"held (struck {struck})"


def _shown(c: Cell, ready: Scenario, folder: Path) -> list[str]:
    """Write the cell's scenario beside its runs and return what to type."""
    import json

    from scenarios.checks.matrix import with_faults

    file = folder / f"{'-'.join(c.faults)}.yaml"
    whole: dict[str, Any] = with_faults(ready, c.faults).resolved()
    file.write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")  # JSON is YAML
    lines = [f"BROKEN under {' + '.join(c.faults)}, seed {c.seed}:"]
    lines += [f"  {n}: {v.what}" for n in c.broken for v in c.outcomes[n].violations[:2]]
    lines.append(f"  see it: twin check {file} --seed {c.seed}")
    return lines
