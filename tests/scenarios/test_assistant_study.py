"""The question set of the assistant, its halves, and what is measured."""

import csv
from collections import Counter

import pytest

from scenarios.assistant_study import HANDOVER, HERE, TEST, TUNING, half, measure, questions, shipped
from twin.control.services.catalogue.generate import generated


@pytest.fixture(scope="module")
def huang():
    return shipped()


def test_the_question_set_is_as_large_and_as_mixed_as_was_said(huang):
    asked = questions()
    styles = Counter(q.style for q in asked)
    assert len(asked) >= 240
    assert styles["colloquial"] >= len(asked) / 3
    assert styles["misspelt"] >= len(asked) / 6
    assert sum(q.expected == (HANDOVER,) for q in asked) >= 20
    assert len({q.question for q in asked}) == len({q.id for q in asked}) == len(asked)
    codes = {c for q in asked for c in q.expected} - {HANDOVER}
    assert codes <= set(huang.pages)
    assert {c.split("-")[1] for c in codes if c.startswith("370100-")} == {d.code for d in generated().departments}


def test_halves_are_a_function_of_the_id_and_about_equal():
    tuning, test = questions(TUNING), questions(TEST)
    assert {q.id for q in tuning} | {q.id for q in test} == {q.id for q in questions()}
    assert abs(len(tuning) - len(test)) < 0.1 * len(questions())
    assert [half("q001"), half("q002"), half("q003")] == [half(q.id) for q in questions()[:3]]


def test_the_test_half_reaches_what_is_promised_and_each_question_is_quick(huang):
    score = measure(huang, questions(TEST))
    assert score.at_3 >= 0.90
    assert score.ms <= 20
    assert score.at_1 <= score.at_3 <= 1 - score.handed_over


def test_a_miss_is_told_and_a_wrong_expectation_is_a_miss(huang, tmp_path):
    path = tmp_path / "questions.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("id", "question", "expected", "style"), ("q1", "身份证掉了咋补", "scene-01", "colloquial"),
             ("q2", "今天天气怎么样", HANDOVER, "colloquial"), ("q3", "今天天气怎么样", "scene-01", "colloquial")]
        )  # fmt: skip
    wrong = []
    score = measure(huang, questions(path=path), wrong)
    assert (score.at_1, score.at_3, score.handed_over, score.caught) == (0.0, 0.0, 0.5, 1.0)
    assert [line[:2] for line in wrong] == ["q1", "q3"]


def test_without_words_that_people_say_the_letters_alone_find_far_less(huang):
    """What the tables are for: BM25 over the names alone, on the colloquial questions of the tuning half."""
    from twin.control.services.assistant.answering import Assistant
    from twin.control.services.assistant.ranking import Words

    bare = Assistant(tuple(huang.pages.values()), Words((), (), (), ()), sure=0.0)
    asked = tuple(q for q in questions(TUNING) if q.style == "colloquial" and q.expected != (HANDOVER,))
    assert measure(bare, asked).at_3 < measure(huang, asked).at_3 - 0.2
    assert (HERE / "assistant_questions.csv").exists()
