"""A city's own construction projects from a CSV file, one line a project; every mistake is one sentence.

Columns: ``project`` (a number from 1 to 9999, no two alike), ``name``, ``kind`` (building, municipal, garden, water),
``library`` (reserve, current, post), ``lon``, ``lat`` (WGS-84), ``investment_cny`` (above 0), ``start``, ``finish``
(planned dates, YYYY-MM-DD), ``contractor``. Others are passed over.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from twin.domain.construction import LIBRARIES, PROJECT_KINDS
from twin.errors import ScenarioError

COLUMNS = ("project", "name", "kind", "library", "lon", "lat", "investment_cny", "start", "finish", "contractor")
MOST = 9_999


@dataclass(frozen=True)
class ProjectRow:
    """One line of the file, checked."""

    project: int
    name: str
    kind: str
    library: str
    lon: float
    lat: float
    investment_cny: float
    start: date
    finish: date
    contractor: str


def read_projects(path: str | Path) -> tuple[ProjectRow, ...]:
    """Return the projects of a file. Raises ScenarioError: file, line, value, what is allowed."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{file}: cannot be read as a UTF-8 text file ({error})") from None
    rows = csv.DictReader(text.splitlines())
    missing = [c for c in COLUMNS if c not in (rows.fieldnames or ())]
    if missing:
        raise ScenarioError(f"{file}: has no column {missing[0]}; the columns are {', '.join(COLUMNS)}")
    out: list[ProjectRow] = []
    seen: set[int] = set()
    for line in rows:
        row = _row(f"{file}: line {rows.line_num}", line)
        if row.project in seen:
            raise ScenarioError(f"{file}: line {rows.line_num}: project {row.project} is there twice")
        seen.add(row.project)
        out.append(row)
    if not out:
        raise ScenarioError(f"{file}: holds no project")
    return tuple(out)


def _row(where: str, line: dict[str, str | None]) -> ProjectRow:
    text = {c: (line[c] or "").strip() for c in COLUMNS}
    number = _number(where, "project", text["project"])
    if number != int(number) or not 1 <= number <= MOST:
        raise ScenarioError(f"{where}: project is {text['project']}; allowed: a whole number from 1 to {MOST}")
    here = f"{where}: project {int(number)}"
    for column, allowed in (("kind", PROJECT_KINDS), ("library", LIBRARIES)):
        if text[column] not in allowed:
            raise ScenarioError(f'{here}: {column} is "{text[column]}"; allowed: {", ".join(allowed)}')
    money = _number(here, "investment_cny", text["investment_cny"])
    if not money > 0:
        raise ScenarioError(f"{here}: investment_cny is {text['investment_cny']}; allowed: a number above 0")
    start, finish = _date(here, "start", text["start"]), _date(here, "finish", text["finish"])
    if finish <= start:
        raise ScenarioError(f"{here}: finish is {finish}, but the project starts on {start}; it must end later")
    lon, lat = _number(here, "lon", text["lon"]), _number(here, "lat", text["lat"])
    return ProjectRow(
        int(number), text["name"], text["kind"], text["library"], lon, lat, money, start, finish, text["contractor"]
    )


def _number(where: str, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e15:
        raise ScenarioError(f'{where}: {column} is "{text}"; allowed: a number')
    return value


def _date(where: str, column: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ScenarioError(f'{where}: {column} is "{text}"; allowed: a date such as 2025-07-30') from None
