"""The desk alone, without a world: what it answers to what it is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from twin.control.services.calendars import week
from twin.control.services.catalogue.generate import generated
from twin.control.services.catalogue.items import DECIDE, MAKE, REVIEW, VISIT, Catalogue, Item, Step
from twin.control.services.catalogue.told import items_told
from twin.control.services.desk import ServiceDesk
from twin.control.services.groups import back, window
from twin.control.services.levers import BEFORE, TODAY, Levers
from twin.control.services.plans import compile_plan, core, cores
from twin.control.services.ports import Assignment
from twin.domain.commands import WakeAt
from twin.domain.services import (
    OK,
    REFUSE,
    RETURN,
    AcceptCase,
    AppealMade,
    ApplicantCame,
    AskApplicant,
    BeginTask,
    CasesFiled,
    ConcludeCase,
    DeliverResult,
    HoursTold,
    OfficerChanged,
    OfficeRules,
    RemindOfficers,
    ResultTaken,
    StaffTold,
    SystemChanged,
    TasksDone,
    TaskStopped,
    TasksWorked,
)
from twin.domain.wire import decode, encode

H = 3600
OPEN = 9 * H
STEPS = (
    Step("check", "check", "MR", work_min=10),
    Step("own", "review", "MR", ("check",), 30, 0.4),
    Step("other", "review", "TX", ("check",), 30, 0.3),
    Step("visit", "visit", "MR", ("own", "other"), 60),
    Step("decide", "decide", "MR", ("visit",), 10, 0.3),
    Step("make", "make", "MR", ("decide",), 5),
)
MR, TX = 0, 5


def catalogue(*steps: Step, **changes) -> Catalogue:
    c = generated()
    materials = ("form", "id-card")
    item = Item("one", "one", "MR", "licence", "person", steps or STEPS, materials, 10, 5, 0.0, True, "nobody")
    return Catalogue(c.departments, c.materials, (replace(item, **{"promised_days": 0, **changes}),), ())


class Office:
    """Tells a desk things and sorts what it answers."""

    def __init__(self, levers: Levers = TODAY, of: Catalogue | None = None, officers: int = 2, policy=None) -> None:
        self.desk, self.n = ServiceDesk(policy), 0
        hours = week([(9 * H, 12 * H), (13 * H, 17 * H)])
        groups = [window(0), window(0, MR), window(0, TX)]
        groups += [back(d, k) for d in (MR, TX) for k in (REVIEW, VISIT, DECIDE, MAKE, 7)]
        pairs = [(1000 * i + o, g) for i, g in enumerate(groups) for o in range(officers)]
        who = tuple(o for o, _ in pairs)
        self.told(
            0,
            OfficeRules(0, "rules", levers.on, 0, 20, 0.8, 10),
            HoursTold(0, "hours", 0, *zip(*((h.weekday, h.from_s, h.until_s) for h in hours), strict=True), ()),
            items_told(list(cores(of or catalogue()).values()), 0, "items"),
            StaffTold(0, "staff", who, (0,) * len(who), who, tuple(g for _, g in pairs)),
        )  # fmt: skip

    def told(self, now_s: int, *messages):
        self.answer = [c for c in self.desk.decide(now_s, messages) if not isinstance(c, WakeAt)]
        return self.answer

    def key(self) -> str:
        self.n += 1
        return f"m{self.n}"

    def file(self, now_s: int, *numbers: int):
        return self.told(now_s, *(CasesFiled(now_s, self.key(), (n,), (0,), (n,), (0,), (), (), ()) for n in numbers))

    def done(self, now_s: int, begun: BeginTask, outcome: int = OK):
        key = self.key()
        worked = TasksWorked(now_s, f"{key}w", (begun.case,), (begun.step,), (begun.officer,))
        return self.told(now_s, worked, TasksDone(now_s, key, (begun.case,), (begun.step,), (outcome,)))

    def begun(self) -> list[BeginTask]:
        return [c for c in self.answer if isinstance(c, BeginTask)]


def kinds(answer) -> list[str]:
    return [type(c).__name__ for c in answer]


def test_a_case_goes_its_way() -> None:
    o = Office()
    check = o.file(OPEN, 1)[0]
    assert isinstance(check, BeginTask)
    o.done(OPEN + 600, check)
    assert kinds(o.answer) == ["AcceptCase", "BeginTask", "BeginTask"]  # both reviews side by side
    assert o.answer[0].due_s == 14 * 86_400 + 17 * H  # ten working days: Monday in two weeks
    first, second = o.begun()
    assert o.done(OPEN + 3000, first) == []  # the visit waits for both
    visit = o.done(OPEN + 3100, second)[0]
    decide = o.done(OPEN + 7000, visit)[0]
    make = o.done(OPEN + 7700, decide)[0]
    out = o.done(OPEN + 8100, make)
    assert kinds(out) == ["DeliverResult"]
    assert (out[0].result, out[0].electronic) == ("granted", True)
    assert kinds(o.told(OPEN + 8200, ResultTaken(0, "taken", 1))) == ["ConcludeCase"]
    assert o.desk.open_cases == 0
    assert o.desk.odd == 0


def test_without_parallel_review_one_follows_the_other() -> None:
    o = Office(TODAY.but(parallel_review=False))
    o.done(OPEN + 600, o.file(OPEN, 1)[0])
    assert len(o.begun()) == 1


def test_without_one_window_the_applicant_carries_the_papers_on() -> None:
    o = Office(TODAY.but(one_window=False))
    check = o.file(OPEN, 1)[0]
    assert check.officer // 1000 == 1  # the counter of the department
    o.done(OPEN + 600, check)
    ask = next(c for c in o.answer if isinstance(c, AskApplicant))
    assert ask.what == "carry"
    again = o.told(OPEN + 9000, ApplicantCame(0, "came", (1,), (ask.step,)))
    assert [b.officer // 1000 for b in again] == [2]  # the counter of the other department
    assert kinds(o.done(OPEN + 9700, again[0])) == ["BeginTask"]


def test_a_return_names_all_and_the_case_waits_for_the_applicant() -> None:
    o = Office()
    out = o.done(OPEN + 600, o.file(OPEN, 1)[0], RETURN)
    assert kinds(out) == ["AskApplicant"]
    assert out[0].what == "correct"
    assert kinds(o.told(OPEN + 5000, ApplicantCame(0, "came", (1,), (0,)))) == ["BeginTask"]


def test_the_limit_stands_still_while_a_supplement_is_missing() -> None:
    o = Office()
    accept = o.done(OPEN + 600, o.file(OPEN, 1)[0])[0]
    review = o.begun()[0]
    assert kinds(o.done(OPEN + 3000, review, RETURN)) == ["AskApplicant"]
    o.told(3 * 86_400 + OPEN, ApplicantCame(0, "came", (1,), (review.step,)))
    assert o.desk._cases[1].due_s > accept.due_s


def test_what_is_never_corrected_expires() -> None:
    o = Office()
    o.done(OPEN + 600, o.file(OPEN, 1)[0], RETURN)
    out = o.told(42 * 86_400 + OPEN)
    assert [(c.case, c.state) for c in out if isinstance(c, ConcludeCase)] == [(1, "expired")]


def test_reminders_when_the_limit_is_near_and_when_it_has_passed() -> None:
    o = Office(of=catalogue(legal_days=5))
    o.done(OPEN + 600, o.file(OPEN, 1)[0])
    levels = []
    for day in range(12):
        levels += [(day, c.late) for c in o.told(day * 86_400 + 10 * H) if isinstance(c, RemindOfficers)]
    assert levels == [(7, False), (8, True)]  # Monday: 80 % of the time until Monday 17:00 has passed; Tuesday: late


def test_an_officer_who_leaves_gives_the_task_to_another_and_it_keeps_its_place() -> None:
    o = Office(officers=1)
    o.file(OPEN, 1, 2)
    first = o.begun()[0]
    assert first.case == 1  # case 2 waits
    o.told(OPEN + 60, OfficerChanged(0, "a", first.officer, False), TaskStopped(0, "s", 1, 0, first.officer, "away"))
    assert o.begun() == []
    back_again = o.told(OPEN + 900, OfficerChanged(0, "b", first.officer, True))
    assert [b.case for b in back_again] == [1]


def test_nothing_begins_while_the_system_is_down() -> None:
    o = Office()
    o.told(OPEN - 10, SystemChanged(0, "d", -1, False))
    assert o.file(OPEN, 1) == []
    assert kinds(o.told(OPEN + 900, SystemChanged(0, "u", -1, True))) == ["BeginTask"]


def test_nothing_begins_outside_the_hours() -> None:
    o = Office()
    assert o.file(7 * H, 1) == []
    assert kinds(o.told(OPEN)) == ["BeginTask"]
    o = Office()
    assert o.file(12 * H, 2) == []


def test_a_refusal_can_be_appealed_against() -> None:
    o = Office(of=catalogue(Step("check", "check", "MR"), Step("decide", "decide", "MR", ("check",), 5)))
    decide = o.done(OPEN + 60, o.file(OPEN, 1)[0])[1]
    out = o.done(OPEN + 900, decide, REFUSE)
    assert [c.result for c in out if isinstance(c, DeliverResult)] == ["refused"]
    appeal = o.told(OPEN + 2000, AppealMade(0, "appeal", 1))[0]
    assert kinds(o.done(OPEN + 4000, appeal)) == ["DeliverResult"]  # upheld: nothing else was left to do
    assert o.answer[0].result == "granted"


def test_a_result_frees_nobody_only_putting_the_work_down_does() -> None:
    """The result of an earlier turn may come while an officer is at the same step again."""
    o = Office(officers=1)
    check = o.file(OPEN, 1, 2)[0]
    out = o.told(OPEN + 60, TasksDone(0, "early", (1,), (0,), (OK,)))
    assert not any(b.officer == check.officer for b in out if isinstance(b, BeginTask))
    assert [b.case for b in o.told(OPEN + 90, TasksWorked(0, "w", (1,), (0,), (check.officer,)))] == [2]


def test_a_running_case_keeps_the_version_it_was_filed_under() -> None:
    old, new = catalogue(), catalogue(legal_days=1, promised_days=1, version=2)
    o = Office(of=old)
    check = o.file(OPEN, 1)[0]
    o.told(OPEN + 10, items_told(list(cores(new).values()), 0, "v2"))
    other = o.file(OPEN + 20, 2)[0]
    due = {}
    for begun in (check, other):
        due |= {c.case: c.due_s for c in o.done(OPEN + 600, begun) if isinstance(c, AcceptCase)}
    assert due == {1: 14 * 86_400 + 17 * H, 2: 86_400 + 17 * H}


def test_a_notice_takes_its_days() -> None:
    steps = (Step("check", "check", "MR"), Step("notice", "notice", "MR", ("check",), wait_days=45))
    o = Office(of=catalogue(*steps))
    o.done(OPEN + 60, o.file(OPEN, 1)[0])
    assert o.told(45 * 86_400 + OPEN + 59) == [] or "DeliverResult" not in kinds(o.answer)
    assert "DeliverResult" in kinds(o.told(45 * 86_400 + OPEN + 60))


def test_a_policy_that_gives_a_task_twice_is_told_so() -> None:
    class Twice:
        def assign(self, view):
            return [Assignment(officer.officer, view.waiting[0]) for officer in view.idle]

    o = Office(policy=Twice())
    with pytest.raises(ValueError, match=r"officer \d+ was given step 0 of case 1 at 32400 s, which does not wait"):
        o.file(OPEN, 1)


def test_the_desk_is_a_fold_of_its_journal() -> None:
    """Told the same again through JSON, a new desk gives the same answers."""

    class Taped(ServiceDesk):
        tape: list = []  # noqa: RUF012

        def decide(self, now_s, messages):
            out = super().decide(now_s, messages)
            self.tape.append((now_s, [json.dumps(encode(m)) for m in messages], [encode(c) for c in out]))
            return out

    from twin.world.offices.months import Months, run

    run(Months(matters=25, levers=BEFORE), desk=Taped)
    again = ServiceDesk()
    for now_s, messages, commands in Taped.tape:
        out = again.decide(now_s, [decode(json.loads(m)) for m in messages])
        assert [encode(c) for c in out] == commands


def test_plans_under_the_levers() -> None:
    c = generated()
    scene = next(s for s in c.scenes if len(s.items) == 5 and s.needs)
    items = [core(c, c.item(code)) for code in scene.items]
    today, before = (compile_plan(items, scene.needs, v) for v in (TODAY, BEFORE))
    for plan in (today, before):
        assert sum(s.kind == 0 and s.item < 0 and s.slot == 0 for s in plan.steps) == 1  # one intake
        for row, s in enumerate(plan.steps):
            assert s.after < 1 << row  # no step waits for a later one, or for itself
    assert today.copies == 0
    assert before.copies > 0
    assert len(before.steps) > len(today.steps)
