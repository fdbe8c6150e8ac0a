"""Personal push 个性推送: which items, scenes and policies fit who somebody is, each with the reason (F42).

Persons by age and circumstances (a small table, assumed); companies by stage, and by the policies' own decision tables:
a rule whose cells all hold fits; one whose known cells hold, with something unknown, may fit and says what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twin.control.companies.tables import Table, TableError, parse
from twin.control.services.assistant.pages import POLICY, Page

PERSON, COMPANY = "person", "company"
_YEARS = 200

#: age from, age below, circumstance ("": any), name of the page, reason
BY_LIFE: tuple[tuple[int, int, str, str, str], ...] = (
    (0, 1, "", "新生儿出生一件事", "未满1岁"),
    (3, 4, "", "入园一件事", "3岁，到入园年龄"),
    (6, 7, "", "小学入学一件事", "6岁，到小学入学年龄"),
    (12, 13, "", "初中入学一件事", "12岁，到初中入学年龄"),
    (16, 17, "", "居民身份证设立登记", "16岁，应当领取身份证"),
    (18, 30, "graduate", "高校毕业生就业一件事", "应届毕业"),
    (18, 36, "graduate", "大学生补贴一件事", "应届毕业"),
    (18, 46, "graduate", "人才落户一件事", "有学历"),
    (16, 60, "unemployed", "失业一件事", "失业登记中"),
    (16, 60, "unemployed", "失业保险待遇申领", "失业登记中"),
    (16, 60, "founder", "创业贷款一件事", "正在创业"),
    (16, 60, "gig", "灵活就业一件事", "灵活就业"),
    (0, _YEARS, "moved-in", "居住证办理一件事", "新到本地"),
    (0, _YEARS, "veteran", "退役军人服务一件事", "退役军人"),
    (0, _YEARS, "disabled", "残疾人服务一件事", "残疾人"),
    (0, _YEARS, "poor", "社会救助一件事", "生活困难"),
    (0, _YEARS, "parent", "新生儿出生一件事", "家有新生儿"),
    (18, _YEARS, "car", "新车上牌一件事", "新购车辆"),
    (18, _YEARS, "home", "新房交付一件事", "新购住房"),
    (60, 64, "employed", "企业职工退休一件事", "60岁起，将办退休"),
    (60, _YEARS, "", "养老保险待遇申领", "60岁起"),
    (60, _YEARS, "", "异地就医一件事", "60岁起，常随子女异地居住"),
    (80, _YEARS, "", "高龄津贴一件事", "满80岁"),
)
CIRCUMSTANCES = tuple(dict.fromkeys(row[2] for row in BY_LIFE if row[2]))
#: stage of a company (F44), name of the page, reason
BY_STAGE: tuple[tuple[str, str, str], ...] = (
    ("founded", "新设企业公章刻制备案", "新设企业"),
    ("founded", "税务登记及发票申领", "新设企业"),
    ("founded", "社会保险参保登记", "新设企业"),
    ("growing", "公司变更登记", "成长期，常有增资扩股、迁址"),
    ("growing", "人才引进补贴申领", "成长期，用人增加"),
    ("mature", "出口退税备案", "成熟期，开拓外贸"),
    ("leaving", "税务注销（清税）", "拟退出"),
    ("leaving", "社会保险登记注销", "拟退出"),
    ("leaving", "公司注销登记", "拟退出"),
    ("leaving", "印章缴销", "拟退出"),
)


class ProfileError(ValueError):
    """A profile is not what it should be: one sentence."""


@dataclass(frozen=True)
class Profile:
    """Who asks. ``kind``: "person" or "company"; ``age``: years (-1: unknown); ``circumstances``: of a person.

    ``company``: fields that policies read, as the register has them (industry, stage, jobs …); absent: unknown.
    Raises ProfileError.
    """

    kind: str
    age: int = -1
    circumstances: tuple[str, ...] = ()
    company: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in (PERSON, COMPANY):
            raise ProfileError(f"a profile is of a '{self.kind}'; allowed: {PERSON}, {COMPANY}")
        if not -1 <= self.age < _YEARS:
            raise ProfileError(f"an age of {self.age} years is none; 0 to {_YEARS - 1} are allowed")
        for name in self.circumstances:
            if name not in CIRCUMSTANCES:
                raise ProfileError(f"'{name}' is no circumstance; allowed: {', '.join(CIRCUMSTANCES)}")


@dataclass(frozen=True)
class Pushed:
    """A page that fits a profile: why, the amount where a policy says one (CNY), and what is ``missing`` to be sure."""

    code: str
    name: str
    reason: str
    amount_cny: float = 0.0
    missing: tuple[str, ...] = ()


class Pusher:
    """Pages and rules; made once. :meth:`push` has no state."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._by_name = {p.name: p for p in pages}
        self._policies: list[tuple[Page, Table]] = []
        for page in pages:
            if page.kind == POLICY:
                try:
                    self._policies.append((page, parse(page.code, page.table)))
                except TableError:
                    continue  # the policy desk refuses it and says why

    def push(self, profile: Profile, at_most: int = 10) -> tuple[Pushed, ...]:
        """Return what fits, sure things first."""
        if profile.kind == PERSON:
            out = [
                self._named(name, reason)
                for low, high, circumstance, name, reason in BY_LIFE
                if low <= profile.age < high and (not circumstance or circumstance in profile.circumstances)
            ]
        else:
            stage = profile.company.get("stage")
            out = [self._named(name, reason) for s, name, reason in BY_STAGE if s == stage]
            out += [fit_of(page, table, profile.company) for page, table in self._policies]
        found: dict[str, Pushed] = {}
        for pushed in out:
            if pushed is not None:
                found.setdefault(pushed.code, pushed)
        return tuple(sorted(found.values(), key=lambda p: len(p.missing)))[:at_most]

    def _named(self, name: str, reason: str) -> Pushed | None:
        page = self._by_name.get(name)
        return None if page is None else Pushed(page.code, page.name, reason)


def fit_of(page: Page, table: Table, company: Mapping[str, Any]) -> Pushed | None:
    """Return how a policy fits a company: surely, perhaps (something is unknown, the rest holds), or not (None).

    Rules are looked at in order, as the table's hit policy "first" does; one that may hold goes before a later one that
    does. A policy of which nothing known holds is not pushed.
    """
    columns = {name: np.array([value]) for name, value in company.items()}
    for n, (cells, tests) in enumerate(zip(table.rules, table.tests, strict=False)):
        pairs = [(f, test) for (f, _), test in zip([c for c in cells if c[1]], tests, strict=True)]
        known = [(f, test) for f, test in pairs if f in columns]
        missing = tuple(f for f, _ in pairs if f not in columns)
        try:
            holds = all(bool(np.all(test(columns))) for _, test in known)
        except (TypeError, ValueError):
            holds = False
        if not holds or (missing and not known):
            continue
        why = "，".join(f"{f} {cell}" for f, cell in cells if cell and f in columns) or "所有企业"
        if missing:
            return Pushed(page.code, page.name, f"已符合：{why}；还需确认：{'、'.join(missing)}", 0.0, missing)
        try:
            amount = round(float(np.atleast_1d(table.values[n](columns))[0]), 2)
        except (KeyError, TypeError, ValueError):
            amount = 0.0
        return Pushed(page.code, page.name, f"符合第{n + 1}条：{why}", amount)
    return None
