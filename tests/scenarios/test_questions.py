"""The questions of the catalogue: whole, askable, on the page, and covering every field of the facts."""

import pytest

from scenarios import kpis
from scenarios.checks.files import find_properties
from scenarios.questions import FIELDS, LETTERS, PAGE, page, question, questions
from twin.errors import ScenarioError

ALL = questions()


@pytest.mark.parametrize("name", ALL)
def test_a_question_can_be_asked(name):
    q = ALL[name]
    base, variants = q.scenarios()
    for variant in variants:
        told = {k: v for k, v in variant.resolved().items() if k not in ("name", "title", "title_zh")}
        assert told != {k: v for k, v in base.resolved().items() if k not in ("name", "title", "title_zh")}
    assert all(kpis.by_name(k) for k in (*q.kpis, *q.guardrails))
    assert all(find_properties(p) for p in q.properties)
    assert q.question.endswith("?")
    assert q.question_zh.endswith("？")
    assert bool(q.answer) == (q.pairs > 0)
    if q.answer:
        assert 1 <= q.answer.count(". ") + q.answer.endswith(".") <= 3


#: beginning of an indicator's name → the part of the city without which it has no value
NEEDS = {
    "shuttle_": "bus", "parcel": "delivery", "delivery_": "delivery", "clean": "sanitation",
    "violations_": "supervision", "water_": "city_brain", "fire_": "city_brain", "incident": "city_brain",
    "hazards_": "city_brain", "alert_": "city_brain", "signal_delay": "junctions",
}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_every_indicator_has_a_value_on_both_sides_of_the_comparison(name):
    """What only the variant has cannot be compared: no pair of runs would give both a value."""
    base, variants = ALL[name].scenarios()
    for kpi in (*ALL[name].kpis, *ALL[name].guardrails):
        part = next((p for start, p in NEEDS.items() if kpi.startswith(start)), None)
        lacking = [s.name for s in (base, *variants) if part is not None and getattr(s, part) is None]
        assert not lacking, f"{kpi} has no value in {', '.join(lacking)}, where {part} is off"


def test_every_field_of_the_facts_has_a_question():
    assert len(ALL) >= 18
    assert set("".join(q.letters for q in ALL.values())) == set(LETTERS) == set(FIELDS)


def test_the_page_is_what_the_file_says():
    assert PAGE.read_text(encoding="utf-8") == page(ALL), "run: python -m scenarios.questions"


def test_an_unknown_question_is_told():
    with pytest.raises(ScenarioError, match="did you mean 'drowning'"):
        question("drownin")
