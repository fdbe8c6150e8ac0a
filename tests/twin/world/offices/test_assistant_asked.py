"""The assistant is asked before people apply, by its own control code behind messages: it changes what they bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from scenarios.assistant_effect import effects
from scenarios.kpis import by_name
from twin.control.services.assistant.desk import AssistantDesk, pages_told
from twin.control.services.assistant.pages import pages_of
from twin.control.services.catalogue.generate import generated
from twin.control.services.levers import BEFORE, TODAY
from twin.control.services.plans import Plans, cores
from twin.dice import Dice
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.services import AnswerQuestion, QuestionAsked
from twin.world.offices.matters import Matter
from twin.world.offices.months import Months, run
from twin.world.offices.questions import STYLES, Questions
from twin.world.offices.settings import Behaviour
from twin.world.offices.truth import Truth

MONTHS = Months(matters=60, consult=1.0)


class Says:
    """An assistant that always says the same."""

    def __init__(self, *code: str, handed_over: bool = False) -> None:
        self._code, self._over = code, handed_over

    def __call__(self) -> Says:
        return self

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:
        asked = [m for m in messages if isinstance(m, QuestionAsked)]
        return [AnswerQuestion(f"a/{m.key}", m.key, self._code, (), self._over, "") for m in asked]


class Silent:
    """An assistant that never answers."""

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:
        return []


def rows(ran, fact: str) -> list[dict]:
    return ran.log.table(fact).to_pylist()


def test_everybody_who_asks_is_answered_and_questions_of_a_minute_go_together() -> None:
    ran = run(MONTHS, 1)
    asked, said = rows(ran, "AssistantAsked"), rows(ran, "AssistantAnswered")
    assert {r["matter_no"] for r in asked} == {r["matter_no"] for r in said}
    assert len(asked) == 60
    assert all(r["t_s"] % 60 == 0 for r in asked)
    assert {r["style"] for r in asked} == set(STYLES)
    assert by_name("assistant_asked")(ran.log) == 60
    assert by_name("assistant_right_first")(ran.log) > 70.0
    # some of those who asked take it for another matter; nobody is lost for it
    assert ran.log.table("MatterEnded").num_rows == 60


def test_who_does_not_ask_meets_the_same_office(monkeypatch) -> None:
    """A share of 0 asks nobody and changes no draw; the digest is that of an office without an assistant."""
    without = run(replace(MONTHS, consult=0.0), 2)
    silent = run(replace(MONTHS, consult=0.5), 2, assistant=Silent)
    papers = {r["case_no"]: (r["handed_in"], r["reused"], r["item"]) for r in rows(without, "CaseFiled")}
    for r in rows(silent, "CaseFiled"):
        assert papers[r["case_no"]] == (r["handed_in"], r["reused"], r["item"])
    assert silent.log.table("MatterEnded").num_rows == 60  # after an hour they file as if they had not asked


def test_right_answers_spare_returns_and_wrong_ones_cause_them() -> None:
    c = generated()
    flawed = Behaviour(flaw=0.3, precheck_catches=0.0, withdraw=0.0)
    m = replace(MONTHS, behaviour=flawed, matters=80)
    none = by_name("service_returned_share")(run(replace(m, consult=0.0), 3).log)
    over = by_name("service_returned_share")(run(m, 3, assistant=Says(handed_over=True)).log)  # a person knows it
    fewest = min(range(len(c.items)), key=lambda k: len(c.items[k].materials))
    wrong = run(replace(m, behaviour=replace(flawed, notices=0.0)), 3, assistant=Says(c.items[fewest].code))
    assert over < none < by_name("service_returned_share")(wrong.log)
    assert "misled" in {r["effect"] for r in rows(wrong, "AssistantAnswered")}
    assert by_name("assistant_handed_over")(run(m, 3, assistant=Says(handed_over=True)).log) == 100.0


def test_what_an_answer_does_to_papers_is_exact() -> None:
    """``avoids`` 1: every flaw is gone; being misled adds one at the check, and only if something is missing."""
    c = generated()
    truth = Truth(Dice(1), c, Plans(cores(c), TODAY), TODAY, Behaviour(flaw=1.0, precheck_catches=0.0, avoids=1.0))
    item = max(range(len(c.items)), key=lambda k: len(c.items[k].materials))
    matter = Matter(1, 0, 0, -1, (item,), ())
    truth.draw([matter])
    (a,) = matter.cases
    assert any(1 in o for o in a.outcomes)
    truth.papers.informed(matter)
    assert not any(1 in o for o in a.outcomes)
    assert not a.flaws
    assert not truth.papers.misled(matter, item)
    few = min(range(len(c.items)), key=lambda k: len(c.items[k].materials))
    assert truth.papers.misled(matter, few)
    assert a.outcomes[0][0] == 1


def test_the_desk_keeps_answers_it_gave_and_no_more_than_it_may() -> None:
    pages = pages_told(pages_of(generated())[:40], 0, "pages")
    desk = AssistantDesk(kept=2)
    desk.decide(0, [pages])
    texts = ["公司设立登记怎么办理", "合伙企业变更登记", "公司设立登记怎么办理", "食品经营许可"]
    said = [desk.decide(k, [QuestionAsked(k, f"q{k}", t)])[0] for k, t in enumerate(texts)]
    assert len(desk._kept) == 2
    fresh = AssistantDesk()
    fresh.decide(0, [pages])
    for k, (t, s) in enumerate(zip(texts, said, strict=True)):
        (again,) = fresh.decide(k, [QuestionAsked(k, f"q{k}", t)])
        assert (again.code, again.text, again.handed_over) == (s.code, s.text, s.handed_over)


def test_questions_belong_to_the_matter_alone() -> None:
    c = generated()
    questions = Questions(c, Dice(4))
    matters = [Matter(k, 0, 0, -1, (k * 17 % len(c.items),), ()) for k in range(40)]
    assert questions.of(matters)[7] == questions.of(matters[7:8])[0]
    assert all(c.items[m.items[0]].code in questions.right(m) for m in matters)
    scene = Matter(99, 0, 1, 5, tuple(c.item_row[i] for i in c.scenes[5].items), ())
    assert c.scenes[5].code in questions.right(scene)


def test_the_study_compares_the_same_people() -> None:
    found, quality = effects((1, 2), 1.0, 60)
    assert quality["assistant_asked"] == 60
    by_measure = {e.measure: e for e in found}
    returned = by_measure["service_returned_share"]
    assert returned.difference == pytest.approx(returned.with_it - returned.without)
    assert np.isfinite(returned.low)
    assert run(Months(matters=10, levers=BEFORE), 1).log.table("AssistantAsked").num_rows == 0
