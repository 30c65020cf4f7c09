"""Texts as vectors: what is alike is near, nothing of other items is known, and no text breaks anything."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.describe.text import count_texts, text_of, text_space

SHELF = ["red wool scarf", "blue wool scarf", "red wool hat", "blue wool hat", "steel pan", "iron pan", "steel pot"]


def vectors_of(texts: list[str]) -> np.ndarray:
    counts, every = count_texts(texts), np.arange(len(texts))
    return text_space(counts, every).vectors(counts, every).astype(np.float32)


def test_items_described_alike_are_near() -> None:
    likeness = vectors_of(SHELF) @ vectors_of(SHELF).T
    scarves, pots = likeness[0], likeness[6]
    assert np.argsort(-scarves)[:2].tolist() == [0, 1]
    assert pots[4] > 0.3 > np.abs(pots[[0, 1, 2, 3]]).max()  # a steel pan; nothing of wool


def test_rows_have_length_one_or_none() -> None:
    vectors = vectors_of([*SHELF, "", "…", "x" * 100_000, "🧶", "围巾", "羊毛围巾"])
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths[:7], 1, atol=2e-3)
    assert lengths[7] == lengths[8] == 0
    assert np.isfinite(vectors).all()


def test_a_word_that_is_spelt_otherwise_is_still_near() -> None:
    vectors = vectors_of([*SHELF, "woolly scarves"])
    likeness = vectors @ vectors[7]
    assert set(np.argsort(-likeness)[1:3].tolist()) == {0, 1}


def test_items_of_one_text_have_one_vector_and_count_as_often() -> None:
    twice = vectors_of([*SHELF, "red wool scarf", "red wool scarf"])
    np.testing.assert_array_equal(twice[0], twice[7])
    np.testing.assert_array_equal(twice[0], twice[8])
    named = vectors_of([*SHELF, "red wool scarf ", " red wool scarf"])  # the same words, as texts of their own
    np.testing.assert_allclose(np.abs(twice @ twice.T), np.abs(named @ named.T), atol=5e-3)


def test_an_item_placed_later_changes_nothing_that_was_learned() -> None:
    counts, more = count_texts(SHELF), count_texts([*SHELF, "steel scarf of blue iron", "quite unknown"])
    every, later = np.arange(len(SHELF)), np.array([7, 8, -1])
    before, after = text_space(counts, every), text_space(more, every)
    np.testing.assert_array_equal(before.vectors(counts, every), after.vectors(more, every))
    placed = after.vectors(more, later)
    assert np.linalg.norm(placed.astype(np.float32), axis=1).round(2).tolist() == [1, 0, 0]


def test_ten_thousand_items_of_one_title_are_described() -> None:
    vectors = vectors_of(["milk"] * 10_000)
    np.testing.assert_allclose(np.abs(vectors[0] @ vectors[-1]), 1, atol=2e-3)
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["a"], ["a", "a"], ["a", "b"]])
def test_hardly_any_text(texts: list[str]) -> None:
    vectors = vectors_of(texts)
    assert len(vectors) == len(texts)
    assert np.isfinite(vectors).all()


@given(st.lists(st.text(max_size=30), max_size=12))
def test_no_text_breaks_anything(texts: list[str]) -> None:
    vectors = vectors_of(texts)
    assert vectors.shape[0] == len(texts)
    lengths = np.linalg.norm(vectors, axis=1)
    assert (np.isclose(lengths, 1, atol=5e-3) | (lengths == 0)).all()


def test_the_text_of_an_item_that_was_not_counted_is_none() -> None:
    counts = count_texts(["b", "", "b", "a"])
    assert text_of(counts, np.array([0, 1, 2, 3, -1])).tolist() == [0, -1, 0, 1, -1]


def test_a_changed_item_is_placed_in_a_moment() -> None:
    many = [f"{word} number {number}" for number in range(500) for word in ("pan", "pot", "scarf", "hat")]
    space = text_space(count_texts(many), np.arange(len(many)))
    seconds = []
    for number in range(9):
        began = time.perf_counter()
        one = count_texts([f"pan number {number} of steel"])
        space.vectors(one, np.array([0]))
        seconds.append(time.perf_counter() - began)
    assert sorted(seconds)[4] < 0.1
