"""The catalogue: sizes of the facts, checks in one sentence, versions, three faces of one source."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from twin.control.services.catalogue.book import Book, directory, guide, implementation
from twin.control.services.catalogue.generate import generated, mix
from twin.control.services.catalogue.items import Catalogue, CatalogueError, Scene, Step
from twin.control.services.catalogue.told import cores_of, items_told
from twin.control.services.plans import cores
from twin.domain.wire import decode, encode
from twin.errors import ScenarioError
from twin.scenario.catalogue_file import as_data, catalogue_of, read_catalogue


def test_sizes_are_those_of_the_facts() -> None:
    c = generated()
    assert (len(c.departments), len(c.items)) == (14, 1436)  # F34
    assert len(c.scenes) == 98  # F35
    assert sum(i.cross_region for i in c.items) == 42  # F39
    assert min(Counter(i.dept for i in c.items).values()) > 0
    assert all(len(s.items) >= 2 for s in c.scenes)
    assert len({i.name for i in c.items}) == len(c.items)


def test_items_look_like_real_ones() -> None:
    for i in generated().items:
        kinds = [s.kind for s in i.steps]
        assert kinds[0] == "check"
        assert kinds.count("decide") == 1
        assert i.promised_days <= i.legal_days
        assert len(set(i.materials)) == len(i.materials) > 0
        shares = sum(s.share for s in i.steps)
        assert shares == pytest.approx(1.0) or i.legal_days <= 1


def test_a_number_looks_drawn_but_is_a_function() -> None:
    assert mix(3, 4) == mix(3, 4)
    values = [mix(i, 1) % 10 for i in range(10_000)]
    # a chi-squared test of uniformity: 9 degrees of freedom, 99.9 % point 27.9
    expected = 1000.0
    assert sum((v - expected) ** 2 / expected for v in Counter(values).values()) < 27.9


def small(**changes) -> Catalogue:
    c = generated()
    item = replace(c.items[0], **changes)
    return Catalogue(c.departments, c.materials, (item,), ())


STEP = Step("check", "check", "MR")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": ()}, "has no steps"),
        ({"steps": (Step("a", "review", "MR", ("b",)), Step("b", "review", "MR", ("a",)))}, "in a circle: a → b → a"),
        ({"steps": (Step("a", "review", "MR", ("a",)),)}, "in a circle: a → a"),
        ({"steps": (Step("check", "check", "XX"),)}, "names the department 'XX', which is not in the table"),
        ({"materials": ("passport",)}, "names the material 'passport', which is not in the table"),
        ({"steps": (Step("check", "look", "MR"),)}, "is of kind 'look'; allowed: check, review"),
        ({"steps": (STEP, STEP)}, "two steps of one name"),
        ({"steps": (Step("a", "review", "MR", ("z",)),)}, "names the step 'z'"),
        ({"target": "dog"}, "is for 'dog'; allowed: person, company"),
        ({"promised_days": 99}, "promises 99 working days of"),
    ],
)
def test_bad_items_get_one_sentence(changes, said) -> None:
    with pytest.raises(CatalogueError, match=r"^(item|step)") as error:
        small(**changes)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_scene_cannot_need_what_comes_later() -> None:
    c = generated()
    bad = Scene("s", "s", "person", (c.items[0].code, c.items[1].code), needs=((0, 1),))
    with pytest.raises(CatalogueError, match="item 0 cannot need item 1"):
        Catalogue(c.departments, c.materials, c.items[:2], (bad,))


def test_a_change_makes_a_version_and_keeps_the_old_one() -> None:
    book = Book(generated())
    code = book.catalogue.items[5].code
    old = book.catalogue.item(code)
    new = book.change(code, "2026-05-01", "limit shortened", legal_days=old.legal_days + 5)
    assert (new.version, new.since) == (2, "2026-05-01")
    assert book.as_of(code, "2026-04-30") == old
    assert book.as_of(code, "2026-05-01") == new
    assert book.record[0].what == ("legal_days",)
    # three faces of one source: all of them show the new version
    assert next(r for r in directory(book.catalogue) if r["code"] == code)["version"] == 2
    assert implementation(book.catalogue, code)["legal_days"] == new.legal_days
    assert f"法定{new.legal_days}个工作日" in guide(book.catalogue, code)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"since": "2026-05-01", "reason": " ", "legal_days": 99}, "without a reason"),
        ({"since": "2020-01-01", "reason": "x", "legal_days": 99}, "cannot change on 2020-01-01"),
        ({"since": "2026-05-01", "reason": "x", "limit": 3}, "has no 'limit'"),
        ({"since": "2026-05-01", "reason": "x"}, "everything is as before"),
        ({"since": "2026-05-01", "reason": "x", "steps": ()}, "has no steps"),
    ],
)
def test_changes_are_under_control(change, said) -> None:
    book = Book(generated())
    with pytest.raises(CatalogueError, match=said):
        book.change(book.catalogue.items[5].code, **change)
    assert not book.record


def test_items_come_through_a_message_unchanged() -> None:
    table = cores(generated())
    message = decode(encode(items_told(list(table.values()), 0, "items")))
    assert cores_of(message) == table


def test_a_file_holds_a_catalogue(tmp_path) -> None:
    from ruamel.yaml import YAML

    c = generated()
    few = Catalogue(c.departments, c.materials, c.items, c.scenes[-1:])
    data = as_data(
        replace(
            few,
            items=c.items[:40]
            + tuple(
                c.item(x)
                for x in (*c.scenes[-1].items, *c.scenes[-1].merged)
                if x not in {i.code for i in c.items[:40]}
            ),
        )
    )
    file = tmp_path / "items.yaml"
    with file.open("w", encoding="utf-8") as out:
        YAML(typ="safe", pure=True).dump(data, out)
    assert as_data(read_catalogue(str(file))) == data


def test_a_bad_file_gets_one_sentence(tmp_path) -> None:
    c = generated()
    data = as_data(Catalogue(c.departments, c.materials, c.items[:3], ()))
    data["items"][1]["steps"] = []
    with pytest.raises(ScenarioError, match=r"mine: item '370100-MR-P04' has no steps; an item has 1 to 12"):
        catalogue_of(data, "mine")
    data["items"][1]["steps"] = "none"
    with pytest.raises(ScenarioError, match=r"mine: items\.1\.steps"):
        catalogue_of(data, "mine")
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_catalogue(str(tmp_path / "nothing.yaml"))
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(ScenarioError, match="is no YAML"):
        read_catalogue(str(tmp_path / "broken.yaml"))
