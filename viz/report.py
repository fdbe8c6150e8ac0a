"""``report.html``: a comparison or single runs on one sheet that prints to A4 and asks for nothing.

:func:`build` reads result.json, run folders and the city they name, and nothing else. Page 1 holds the question, the
answer in a sentence, the interval, the number of runs, what is not modelled, whether it is calibrated, seeds and
digest; then tables, charts, the map of differences, examples, and what changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError
from twin.run_folder import read_stamp
from viz.errors import MapError
from viz.report_compare import comparison
from viz.report_html import Markup, join, page
from viz.report_run import runs
from viz.report_sweep import sheet
from viz.report_text import words

RESULT, SWEEP = "result.json", "sweep.json"
LANGS = ("en", "zh")


def build(folders: Sequence[Path], out: Path | None = None, lang: str = "en") -> Path:
    """Write the report of comparisons and runs, and return its path (default: report.html in the first folder).

    Raises :class:`MapError` when a folder is neither, or cannot be written.
    """
    if lang not in LANGS:
        raise MapError(f"lang: '{lang}' is not known; allowed: {', '.join(LANGS)}")
    if not folders:
        raise MapError("give at least one folder: a comparison, or a run")
    word = words(lang)
    parts: list[Markup] = []
    stamps: list[tuple[Path, dict[str, Any]]] = []
    titles: list[str] = []
    for folder in map(Path, folders):
        if (folder / RESULT).is_file():
            result = read_result(folder)
            titles.append(", ".join([result["base"]["name"], *(v["name"] for v in result["variants"])]))
            parts += [comparison(folder, result, variant, lang) for variant in result["variants"]]
        elif (folder / SWEEP).is_file():
            data = _read_sweep(folder)
            titles.append(", ".join(data["parameters"]))
            parts.append(sheet(data, lang))
        else:
            try:
                stamps.append((folder, read_stamp(folder)))
            except ScenarioError as error:
                raise MapError(f"{error}; a report is of run folders or of a folder of 'twin compare'") from None
    if stamps:
        parts.append(runs(stamps, lang))
        titles += [str(stamp.get("name", "")) for _, stamp in stamps]
    target = out if out is not None else Path(folders[0]) / "report.html"
    text = page(f"{word['report']}: {', '.join(titles)[:150]}", lang, join(parts))
    try:
        part = target.with_name(f".{target.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        raise MapError(f"{target}: cannot be written ({error.strerror})") from None
    return target


def _read_sweep(folder: Path) -> dict[str, Any]:
    file = folder / SWEEP
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        known = data["format"] == 1 and isinstance(data["points"], list)
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise MapError(f"{file}: is not a result of 'twin sweep' of this version")
    return data  # type: ignore[no-any-return]


def read_result(folder: Path) -> dict[str, Any]:
    """Read ``result.json``; MapError when it is none."""
    file = folder / RESULT
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        known = data["format"] == 1 and isinstance(data["variants"], list) and "name" in data["base"]
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise MapError(f"{file}: is not a result of 'twin compare' of this version")
    return data  # type: ignore[no-any-return]
