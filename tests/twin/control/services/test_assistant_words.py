"""The parts of the assistant alone: tables of words, sounds, spotting, names taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.assistant_study import shipped
from twin.control.services.assistant.pages import taken_apart
from twin.control.services.assistant.ranking import Ranker, Words, by_age, grams
from twin.control.services.assistant.sounds import TABLE, look, sound, sound_table
from twin.control.services.assistant.spotting import (
    BY_SOUND,
    EXACT,
    LONGEST,
    NEARLY,
    Spotter,
    plain,
    strengths,
)
from twin.control.services.assistant.subjects import Said, WordsError, read


def test_a_line_of_words_means_each_official_word_with_its_strength():
    (one, two) = read("公司 合伙企业=0.5 : 执照 几个+合伙")
    assert one == Said(("执照",), (("公司", 1.0), ("合伙企业", 0.5)))
    assert two.parts == ("几个", "合伙")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("公司 执照", "words, line 1: '公司 执照' is not 'official words : words people say'"),
        ("公司 :", "words, line 1: '公司 :' is not 'official words : words people say'"),
        ("\n公司=0 : 执照", "no strength above 0 and up to 1"),
        ("公司=x : 执照", "'公司=x' has no strength above 0 and up to 1"),
    ],
)
def test_a_bad_line_is_one_sentence(table, said):
    with pytest.raises(WordsError, match=r".") as error:
        read(table)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("居民身份证证书补发", ("居民身份证", "证书补发")),
        ("食品经营许可延续", ("食品经营", "许可延续")),
        ("合伙企业注销登记（清算完结）", ("合伙企业", "注销登记")),
        ("税务注销（清税）", ("税务", "注销登记")),
        ("公司名称申报", ("公司名称申报", "")),
        ("备案", ("备案", "")),
    ],
)
def test_names_are_taken_apart(name, parts):
    assert taken_apart(name) == parts


def test_homophones_sound_alike_and_others_do_not():
    assert sound("营业职照") == sound("营业执照")
    assert sound("居主证") == sound("居住证")
    assert sound("营业执照") != sound("食品许可")
    assert look("户囗") == look("户口")


@given(st.text(max_size=40))
def test_sounds_keep_the_length_and_are_their_own_sound(text):
    assert len(sound(text)) == len(text)
    assert sound(sound(text)) == sound(text)


def test_the_head_of_a_group_stands_for_itself():
    assert sound_table("甲乙 丙甲")[ord("丙")] == "丙"
    assert all(TABLE.get(ord(head), head) == head for head in TABLE.values())


def spotted(words, text):
    return {s.said: s for s in Spotter(read(words)).spots(text)}


def test_exact_by_sound_and_nearly_are_worth_less_in_this_order():
    table = "公积金 : 住房公积金"
    (exact,), (heard,), (near,) = (
        spotted(table, text).values() for text in ("取住房公积金", "取住房公基金", "取住公积金了")
    )
    assert exact.how == EXACT > heard.how == BY_SOUND > near.how == NEARLY
    assert spotted(table, "取住的公钱") == {}


def test_a_word_within_a_longer_word_does_not_count():
    assert list(spotted("甲 : 公司\n乙 : 劳务公司", "开劳务公司")) == ["劳务公司"]
    assert set(spotted("甲 : 公司\n乙 : 劳务公司", "开公司")) == {"公司"}


def test_exact_words_go_before_those_that_sound_alike_in_the_same_place():
    assert set(strengths(Spotter(read("工伤保险 : 工伤\n公司 : 工商")).spots("工商注册"))) == {"公司"}


def test_words_joined_by_a_plus_must_both_be_there():
    assert spotted("抵押权 : 房贷+还完", "房贷怎么还") == {}
    assert "房贷+还完" in spotted("抵押权 : 房贷+还完", "房贷终于还完了")


def test_plain_takes_off_tags_and_signs_and_is_bounded():
    assert plain("<b>身份证</b>，掉了！！") == "身份证掉了"
    assert plain("<script>alert('公司')</script>身份证") == "身份证"
    assert len(plain("证" * 10_000)) == LONGEST
    assert plain("Ｋ Ｔ Ｖ") == "ktv"


@given(st.text(max_size=300))
def test_plain_of_anything_is_plain(text):
    once = plain(text)
    assert plain(once) == once or "&" in text or "<" in text
    assert len(once) <= LONGEST


def test_ages_from_eighty_on_stand_for_the_allowance():
    assert by_age("我92岁了") == (("高龄津贴", 0.9),)
    assert by_age("我29岁了") == ()


def test_grams_are_characters_and_pairs():
    assert grams("补办证") == ["补", "办", "证", "补办", "办证"]


def test_every_official_word_of_the_shipped_table_is_the_subject_of_a_page():
    assistant_pages = tuple(shipped().pages.values())
    subjects = {p.subject for p in assistant_pages}
    words = Words.shipped()
    unknown = {name for said in words.subjects for name, _ in said.meant} - subjects
    assert unknown == set()
    assert Ranker(assistant_pages, words).read("身份证掉了").subjects["居民身份证"] > 0.8
