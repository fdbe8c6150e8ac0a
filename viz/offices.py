"""Service offices, cases and companies of a run as one container of the page.

A run without services and companies has none of this: the page is as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from geo.city import City
from twin.events import Fact, companies, kinds, services
from twin.log import Facts
from viz import climate
from viz.fleet import Tables
from viz.geometry import Frame, Names
from viz.pack import pack

SWITCHES: dict[str, tuple[tuple[str, ...], bool]] = {"offices": (("offices",), True)} | climate.SWITCHES
#: colours of a queue: nobody, up to 2, 7, 19, more
COLOURS = [[150, 190, 240], [255, 230, 150], [255, 196, 90], [255, 140, 70], [255, 84, 84]]
#: where a case is: not accepted yet, with the office, with the applicant, result given, closed
GROUPS = ("filed", "office", "applicant", "given", "closed")
_LEFT_OUT = (services.TaskBegan, services.TaskEnded, services.CaseOpen, services.MatterOpen, services.OfficersReminded)
Word = Callable[[Any], int]


def look() -> dict[str, Any]:
    """Return what the page's scripts need to know of badges: colours of queues, shapes and colours of findings."""
    return {"colours": COLOURS, "climate": [list(badge) for badge in climate.BADGES]}


def facts_of(file: Path) -> Facts | None:
    """Return the facts of offices and companies alone, read at once from the log ``file``; None where there are none.

    Steps of cases are left out: they are many, and the page does not show them one by one.
    """
    if "matter_no" not in pq.read_schema(file).names:
        return None
    facts = Facts(path=file)
    if not any(facts.table(kind, ["t_s"]).num_rows for kind in ("MatterBegan", "OfficeQueue", "CompaniesCounted")):
        return None
    names = [
        name
        for module in (services, companies)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, Fact) and kind is not Fact and kind not in _LEFT_OUT
    ]
    columns = {f for name in names for f in kinds()[name].__dataclass_fields__}  # type: ignore[attr-defined]
    return Facts(table=pq.read_table(file, columns=["t_s", "fact", *sorted(columns)], filters=[("fact", "in", names)]))


def rows(facts: Facts, kind: type[Fact]) -> list[dict[str, Any]]:
    """Return facts of one kind as dictionaries, in the order of the log."""
    return list(facts.table(kind).to_pylist())


def place_rows(city: City, names: list[str], hall: str = "") -> list[int]:
    """Return for each office the row of its place in the city, −1 for a channel without one (phone, video, proxy).

    The hall is ``hall`` (a place's id or name) or the first service hall; ``point-3`` is the third service point.
    """
    places = city.places
    kind = places["kind"].to_numpy()
    named = (places["place"] == hall).to_numpy() | (places["name"] == hall).to_numpy()
    halls = np.flatnonzero(named if hall and named.any() else kind == "service_hall")
    first = int(halls[0]) if len(halls) else -1
    points = [int(p) for p in np.flatnonzero(kind == "service_point") if p != first]
    out = []
    for name in names:
        word, _, number = name.partition("-")
        if name == "hall":
            out.append(first)
        else:
            at = int(number) - 1 if word == "point" and number.isdigit() else -1
            out.append(points[at] if 0 <= at < len(points) else -1)
    return out


def container(facts: Facts, city: City, frame: Frame, begin_s: int, hall: str = "") -> str:
    """Return the container text of offices and companies; times are seconds from ``begin_s``, −1 for never."""
    tables, names = Tables(), Names()

    def word(text: Any) -> int:
        return int(names.add([text])[0])

    _offices(tables, facts, city, frame, word, begin_s, hall)
    _companies(tables, facts, word, begin_s)
    climate.put(tables, facts, city, frame, word, begin_s)
    return pack({"tables": tables.meta, "groups": list(GROUPS), "words": names.texts}, tables.streams)


def _offices(tables: Tables, facts: Facts, city: City, frame: Frame, word: Word, begin_s: int, hall: str) -> None:
    queues, visits, filed = (rows(facts, k) for k in (services.OfficeQueue, services.OfficeVisited, services.CaseFiled))
    found = {str(r["office"]) for r in (*queues, *visits, *filed)}
    offices = sorted(found, key=lambda n: (n != "hall", not n.startswith("point-"), len(n), n))
    number = {name: i for i, name in enumerate(offices)}
    place = place_rows(city, offices, hall)
    xy = np.column_stack([city.places.geometry.centroid.x, city.places.geometry.centroid.y])
    unit = frame.units(city, xy[np.maximum(place, 0)]).tolist() if offices and len(xy) else [[0, 0]] * len(offices)
    tables.put(
        "offices",
        "name place x y",
        [(word(n), p, *(u if p >= 0 else (0, 0))) for n, p, u in zip(offices, place, unit, strict=True)],
    )
    tables.put(
        "queues",
        "office t waiting serving",
        sorted((number[r["office"]], r["t_s"] - begin_s, int(r["waiting"]), int(r["serving"])) for r in queues),
    )
    tables.put(
        "visits",
        "office t why way",
        sorted((number[r["office"]], r["t_s"] - begin_s, word(r["why"]), int(r["way_s"])) for r in visits),
    )
    _cases(tables, facts, filed, number, word, begin_s)


def _first(facts: Facts, kind: type[Fact]) -> dict[int, dict[str, Any]]:
    out: dict[int, dict[str, Any]] = {}
    for r in rows(facts, kind):
        out.setdefault(int(r["case_no"]), r)
    return out


def _cases(
    tables: Tables, facts: Facts, filed: list[dict[str, Any]], number: dict[str, int], word: Word, begin_s: int
) -> None:
    accepted, given = _first(facts, services.CaseAccepted), _first(facts, services.ResultGiven)
    closed = _first(facts, services.CaseConcluded)
    row = {int(r["case_no"]): i for i, r in enumerate(filed)}
    out = []
    for r in filed:
        at = [
            book[int(r["case_no"])]["t_s"] - begin_s if int(r["case_no"]) in book else -1
            for book in (accepted, given, closed)
        ]
        end = closed.get(int(r["case_no"]))
        due = accepted[int(r["case_no"])]["due_s"] - begin_s if int(r["case_no"]) in accepted else -1
        out.append(
            (
                r["t_s"] - begin_s, number[r["office"]], word(r["item"]), *at, word(end["state"] if end else ""), due,
                int(bool(end and end["overdue"])), int(r["handed_in"]), int(r["reused"]),
            )
        )  # fmt: skip
    tables.put("cases", "t office item accepted given closed state due late handed reused", out)
    asked = [
        (row[int(r["case_no"])], r["t_s"] - begin_s, back)
        for kind, back in ((services.ApplicantAsked, 0), (services.ApplicantAnswered, 1))
        for r in rows(facts, kind)
        if int(r["case_no"]) in row
    ]
    tables.put("asked", "case t back", sorted(asked))


#: what is told of one company: fact → (word, its own words, an amount)
_TOLD: tuple[tuple[type[Fact], str, tuple[str, ...], str], ...] = (
    (companies.CompanyFounded, "founded", ("industry",), "jobs"),
    (companies.CompanyStageChanged, "stage", ("stage",), ""),
    (companies.CompanyClosed, "closed", (), "jobs"),
    (companies.PaymentOrdered, "ordered", ("policy", "reason"), "amount_cny"),
    (companies.PaymentReceived, "paid", ("policy",), "amount_cny"),
    (companies.PaymentFailed, "pay_failed", ("policy",), "amount_cny"),
    (companies.ExpertsVisited, "visited", ("theme",), ""),
    (companies.LoanDecided, "loan", ("bank",), "amount_cny"),
)
TOLD = tuple(what for _, what, _, _ in _TOLD)


def _companies(tables: Tables, facts: Facts, word: Word, begin_s: int) -> None:
    told = []
    for kind, what, fields, amount in _TOLD:
        for r in rows(facts, kind):
            said = " · ".join(str(r[f]) for f in fields if r[f])
            value = round(float(r[amount])) if amount and np.isfinite(r[amount]) else -1
            told.append((int(r["company"]), r["t_s"] - begin_s, TOLD.index(what), word(said), value))
    tables.put("told", "company t what word value", sorted(told))
    counted = [
        (r["t_s"] - begin_s, *(int(r[s]) for s in ("founded", "growing", "mature", "leaving")), round(r["jobs"]))
        for r in rows(facts, companies.CompaniesCounted)
    ]
    tables.put("counted", "t founded growing mature leaving jobs", counted)
    budget: dict[str, list[tuple[int, int]]] = {}
    for r in rows(facts, companies.PolicyOpened):
        budget.setdefault(str(r["policy"]), []).append((r["t_s"] - begin_s, round(r["amount_cny"])))
    policies = sorted({*budget, *(str(r["policy"]) for r in rows(facts, companies.PolicyMatched))})
    index = {p: i for i, p in enumerate(policies)}
    tables.put("policies", "name", [(word(p),) for p in policies])
    tables.put("budgets", "policy t amount", [(index[p], t, a) for p in policies for t, a in budget.get(p, [])])
    matched = [
        (
            index[str(r["policy"])], r["t_s"] - begin_s, int(r["fit"]), int(r["paid"]), int(r["no_account"]),
            int(r["no_budget"]), round(r["balance_cny"]),
        )
        for r in rows(facts, companies.PolicyMatched)
    ]  # fmt: skip
    tables.put("matched", "policy t fit paid no_account no_budget balance", sorted(matched))
