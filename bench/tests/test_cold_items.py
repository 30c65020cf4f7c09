"""Cold items: vectors of words stand beside those of texts, for one contender, where the extra is installed."""

from dataclasses import replace

import numpy as np
import pytest

from bench.cold_items import contenders, sets
from bench.files.parts import undescribed
from bench.growth.synthetic import shop
from recommendations.engine.describe.items import KnownVectors
from recommendations.engine.frames import IdArray, TrainingSet
from recommendations.engine.preprocess.terms import term_counts

SMALL = shop(1_000).training
TEXTS = [f"red thing{item % 5}" if item else "" for item in range(SMALL.n_items)]


@pytest.fixture
def data() -> sets.ColdSet:
    terms = term_counts(text.split() for text in TEXTS)
    catalogue = undescribed(SMALL.n_items)
    training = TrainingSet(interactions=SMALL.interactions, catalogue=replace(catalogue, terms=terms))
    return sets.with_a_cold_tenth(training, TEXTS, name="small", seed=0, most=50)


def test_words_stand_beside_texts(data: sets.ColdSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def known(ids: IdArray, texts: list[str]) -> list[KnownVectors]:
        there = np.array([text != "" for text in texts])
        return [KnownVectors("words", ids[there], np.tile(np.array([0, 1], np.float16), (there.sum(), 1)))]

    monkeypatch.setattr(sets, "word_vectors", known)
    both = data.with_words()
    assert both is not None
    np.testing.assert_array_equal(both.vectors[:, :-2], data.vectors)
    assert both.vectors[0, -2:].tolist() == [0, 0]
    assert both.vectors[1, -2:].tolist() == [0, 1]
    assert both.training.catalogue.vectors is both.vectors
    assert contenders.WORDS in dict(contenders.lists(data, seed=0))


def test_without_the_extra_nobody_ranks_by_words(data: sets.ColdSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "word_vectors", lambda ids, texts: [])
    ranked = dict(contenders.lists(data, seed=0))
    assert contenders.WORDS not in ranked
    cold = set(np.flatnonzero(data.cold).tolist()) | {-1}
    assert all(set(items.ravel().tolist()) <= cold for items in ranked.values())
