"""The shipped catalogue: 1,436 items of 14 departments and 98 scenes, made by code from small tables (generated).

No random numbers: what an item looks like is a function of its number, so the catalogue is the same everywhere.
"""

from __future__ import annotations

from functools import cache

from twin.control.services.catalogue.conversion import CONVERSION, conversion_items
from twin.control.services.catalogue.items import Catalogue, Item, Scene, Step
from twin.control.services.catalogue.tables import (
    ACTIONS,
    AGENT,
    BUSINESS,
    CROSS_REGION,
    DEPARTMENTS,
    FORM,
    ID,
    LIFE,
    MATERIALS,
    OFTEN_COMPANY,
    OFTEN_PERSON,
    REGISTRAR,
    SURRENDERING,
    TRADE_ACTS,
    TRADES,
    Pattern,
    departments,
)

#: minutes of an officer, by kind of step (assumed)
WORK_MIN = {"check": 12.0, "review": 35.0, "visit": 120.0, "decide": 12.0, "notice": 0.0, "make": 6.0}


def mix(*numbers: int) -> int:
    """Return a number below 2³² that looks drawn but is a function of ``numbers`` (the finaliser of splitmix64)."""
    z = 0
    for n in numbers:
        z = (z + n + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        z ^= z >> 31
    return z & 0xFFFFFFFF


def chosen(few: int, of: tuple[str, ...], *key: int) -> tuple[str, ...]:
    """Return ``few`` different elements, chosen by ``key``, in the order of the table."""
    ranked = sorted(range(len(of)), key=lambda i: mix(*key, i))[:few]
    return tuple(of[i] for i in sorted(ranked))


def usual_steps(dept: str, others: tuple[str, ...], visit: bool, days: int) -> tuple[Step, ...]:
    """Return the steps of an ordinary item: check, reviews, perhaps a visit, decision, result.

    An item that is done on the spot (a limit of one day, nobody else) has a check and a decision. Papers circulate in
    reviews and at the decision; the department's own review takes twice the time of another's opinion (assumed).
    """
    check = Step("check", "check", dept, work_min=WORK_MIN["check"])
    if days <= 1 and not others and not visit:
        decide = Step("decide", "decide", dept, ("check",), 4.0, 0.0)
        return (check, decide)
    weights = [2.0, *[1.0] * len(others), 1.0]  # own review, opinions, decision
    shares = [w / sum(weights) for w in weights]
    reviews = [
        Step(f"review-{d}", "review", d, ("check",), WORK_MIN["review"] * (1.0 if d == dept else 0.6), share)
        for d, share in zip((dept, *others), shares, strict=False)
    ]
    out = [check, *reviews]
    last = tuple(s.name for s in reviews)
    if visit:
        out.append(Step("visit", "visit", dept, last, WORK_MIN["visit"]))
        last = ("visit",)
    out.append(Step("decide", "decide", dept, last, WORK_MIN["decide"], shares[-1]))
    out.append(Step("make", "make", dept, ("decide",), WORK_MIN["make"]))
    return tuple(out)


def _item(number: int, dept: int, index: int) -> Item:
    code, _, _, _, subjects = DEPARTMENTS[dept]
    subject, pattern = subjects[index % len(subjects)], ACTIONS[index // len(subjects) % len(ACTIONS)]
    turn = index // (len(subjects) * len(ACTIONS))  # departments with few subjects: a second form
    target = "person" if mix(number, 1) % 10 < pattern.person else "company"
    days = pattern.legal_days[mix(number, 2) % len(pattern.legal_days)]
    most = min(pattern.others, 3)
    others = mix(number, 3) % (most + 1)
    codes = tuple(d[0] for d in DEPARTMENTS if d[0] != code)
    visit = pattern.visit and mix(number, 4) % 2 == 0
    materials = _materials(number, target, pattern)
    steps = usual_steps(code, chosen(others, codes, number, 5), visit, days)
    return Item(
        code=f"370100-{code}-{index + 1:03d}",
        name=subject + pattern.name + ("" if turn == 0 else f"（第{turn + 1}类）"),
        dept=code,
        kind=pattern.kind,
        target=target,
        steps=steps,
        materials=materials,
        legal_days=days,
        promised_days=max(1, days * 6 // 10) if days > 1 else days,
        fee_cny=float((0, 0, 0, 0, 10, 20, 50)[mix(number, 6) % 7]),
        parallel=others > 0,
        decides=f"{DEPARTMENTS[dept][1]}: " + ("首席代表" if days <= 10 else "分管负责人"),
        electronic=mix(number, 7) % 10 < 7,
        weight=pattern.often * 40.0 / (40.0 + mix(number, 8) % 400),
        surrendered=_surrendered(code, pattern.name, materials),
    )


def _materials(number: int, target: str, pattern: Pattern) -> tuple[str, ...]:
    few, most = pattern.more
    more = few + mix(number, 9) % (most - few + 1)
    basic = (FORM, ID) if target == "person" else (FORM, BUSINESS, AGENT)
    return (*basic, *chosen(more, OFTEN_PERSON if target == "person" else OFTEN_COMPANY, number, 10))


def _surrendered(dept: str, action: str, materials: tuple[str, ...]) -> tuple[str, ...]:
    """Return the papers that an item takes back: the permit it replaces or ends, or the business licence itself."""
    if action not in SURRENDERING:
        return ()
    back = ("permit", BUSINESS) if dept == REGISTRAR else ("permit",)
    return tuple(m for m in materials if m in back)


def _places(number: int) -> int:
    """Return how many other places take part in an item across regions: none of half of them, one or two (assumed)."""
    return (0, 0, 0, 1, 1, 2)[mix(number, 32) % 6]


def _scenes(items: tuple[Item, ...]) -> list[Scene]:
    names = [(f"{act}{trade}", "company") for act in TRADE_ACTS for trade in TRADES]
    names += [(life, "person") for life in LIFE]
    by_target = {t: [i for i in items if i.target == t] for t in ("person", "company")}
    out = []
    for n, (name, target) in enumerate(names):
        pool, many = by_target[target], 3 + mix(n, 21) % 4  # three to six items (assumed)
        ranked = sorted(range(len(pool)), key=lambda i, n=n: mix(n, 22, i))  # type: ignore[misc]
        picked: list[Item] = []
        for i in ranked:
            if len({p.dept for p in picked}) < 2 or pool[i].dept in {p.dept for p in picked} or len(picked) % 2 == 0:
                picked.append(pool[i])
            if len(picked) == many:
                break
        # about half of the later items need what the first one gives (assumed)
        needs = tuple((i, 0) for i in range(1, many) if mix(n, 23, i) % 2 == 0)
        codes = tuple(p.code for p in picked)
        out.append(Scene(f"scene-{n + 1:02d}", f"{name}一件事", target, codes, needs, weight=30.0 / (10.0 + n % 21)))
    return out


@cache
def generated() -> Catalogue:
    """Return the shipped catalogue; the same object each time."""
    named = conversion_items(usual_steps)
    items: list[Item] = []
    for dept, (code, _, _, count, _) in enumerate(DEPARTMENTS):
        own = [i for i in named if i.dept == code]
        items += own
        items += [_item(len(items) + k, dept, k) for k in range(count - len(own))]
    far = set(sorted(range(len(items)), key=lambda i: (items[i].dept in ("NP", "EE"), mix(i, 31)))[:CROSS_REGION])
    from dataclasses import replace

    rows = tuple(
        replace(item, cross_region=i in far, places=_places(i) if i in far else 0) for i, item in enumerate(items)
    )
    plain = tuple(i for i in rows if i.generated)
    return Catalogue(departments(), MATERIALS, rows, (*_scenes(plain), CONVERSION))
