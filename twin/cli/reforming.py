"""``twin reform``: the office before the reform against today's – targets, simulated values, levers (F36, F37)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.common import LangOption, check_lang, plain_errors
from twin.errors import ScenarioError


@plain_errors
def reform(
    seeds: Annotated[int, typer.Option("--seeds", help="seeds 1 to N; the levers one at a time on five of them")] = 10,
    out: Annotated[Path | None, typer.Option("--out", help="run folder: reform.json, services.html")] = None,
    lang: LangOption = "en",
) -> None:
    """Compare the service office before the reform with today's, over months, and say which levers carry it."""
    from scenarios.reform import save_reform, study, told_study
    from twin.log import Facts
    from twin.run_folder import read_stamp

    check_lang(lang)
    if out is not None:
        read_stamp(out)
        if not Facts.read(out).table("CaseFiled", ["t_s"]).num_rows:
            raise ScenarioError(f"--out {out}: no case was filed in this run; switch on 'services' in its scenario")
    done = study(seeds)
    for line in told_study(done):
        typer.echo(line)
    if out is None:
        return
    from viz import services_page

    file = out / "reform.json"
    try:
        save_reform(done.rows, file, done.levers)
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be written ({error.strerror})") from None
    typer.echo(f"Comparison: {file}")
    typer.echo(f"Services: {services_page.build(out, lang=lang)}")
