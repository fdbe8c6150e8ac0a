"""Named draws: published test vectors, independence of entities, distributions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twin.dice import Dice, Stream, philox_4x32

# known-answer vectors of Random123 (kat_vectors, philox4x32 10 rounds)
VECTORS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_philox_gives_the_published_words(counter, key, expected):
    words = philox_4x32(tuple(np.asarray([c], dtype=np.uint64) for c in counter), key)
    assert tuple(int(w[0]) for w in words) == expected


@given(seed=st.integers(0, 2**31), n=st.integers(1, 500), extra=st.integers(1, 500))
def test_more_entities_change_nobody_elses_draw(seed, n, extra):
    a = Stream(seed, "x").uniform(np.arange(n))
    b = Stream(seed, "x").uniform(np.arange(n + extra))
    assert (a == b[:n]).all()


@given(seed=st.integers(0, 2**31), entity=st.integers(0, 2**40), occurrence=st.integers(0, 2**40))
def test_one_draw_is_the_same_alone_and_in_an_array(seed, entity, occurrence):
    stream = Stream(seed, "x")
    alone = stream.uniform(entity, occurrence)[0]
    assert stream.uniform(np.asarray([7, entity]), np.asarray([3, occurrence]))[1] == alone
    assert 0.0 <= alone < 1.0


def test_purpose_seed_entity_and_occurrence_all_matter():
    base = Stream(1, "a").uniform(5, 2)[0]
    others = [Stream(2, "a").uniform(5, 2), Stream(1, "b").uniform(5, 2), Stream(1, "a").uniform(6, 2)]
    others.append(Stream(1, "a").uniform(5, 3))
    assert all(o[0] != base for o in others)


def test_distributions_are_what_they_say():
    n = 100_000
    s = Dice(7).stream("test")
    ids = np.arange(n)
    assert stats.kstest(s.uniform(ids), "uniform").pvalue > 1e-4
    assert stats.kstest(s.normal(ids, 1), "norm").pvalue > 1e-4
    assert stats.kstest(s.exponential(30.0, ids, 2), "expon", args=(0, 30.0)).pvalue > 1e-4
    counts = np.bincount(s.choice([1, 2, 0, 7], ids, 3), minlength=4)
    assert counts[2] == 0
    assert stats.chisquare(counts[[0, 1, 3]], np.asarray([1, 2, 7]) * n / 10).pvalue > 1e-4
    whole = s.integers(-2, 3, ids, 4)
    assert set(np.unique(whole)) == {-2, -1, 0, 1, 2}


def test_neighbouring_entities_are_uncorrelated():
    u = Stream(3, "corr").uniform(np.arange(100_001))
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4 / np.sqrt(100_000)


def test_the_same_name_twice_is_refused():
    dice = Dice(1)
    dice.stream("people.mode")
    with pytest.raises(ValueError, match=r"'people\.mode' is already in use"):
        dice.stream("people.mode")


def test_weights_without_a_positive_sum_are_refused():
    with pytest.raises(ValueError, match="positive sum"):
        Stream(1, "x").choice([0.0, 0.0], 1)
