"""Vectors from outside lie beside those of texts, and neither knows anything that happened later."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from recommendations.engine.describe.items import (
    FEWEST_PICTURES,
    MOST_DIMENSIONS,
    OWN,
    PICTURE_DIMENSIONS,
    KnownVectors,
    place_vectors,
    with_vectors,
)
from recommendations.engine.describe.neighbours import PICTURE
from recommendations.engine.describe.text import count_texts
from recommendations.engine.frames import Space
from recommendations.engine.ids import IdMap, id_map
from recommendations.engine.preprocess.matrix import EventWeights, ItemAttributes, TrainingSnapshot, snapshot
from recommendations.engine.recommenders.content_ridge import Config, ContentRidge
from recommendations.engine.rng import generator
from recommendations.event_types import EventName

IDS = np.arange(10, 18)
TEXTS = ["red wool scarf", "blue wool scarf", "red wool hat", "blue wool hat", "steel pan", "iron pan", "steel pot", ""]
CUT = 20_000.0


def events(*rows: tuple[int, int, float]) -> pd.DataFrame:
    """Purchases of one item each: customer, item, days before the cut."""
    frame = pd.DataFrame(rows, columns=["user", "item", "age"])
    return frame.assign(
        name=EventName.PURCHASE, at=CUT - frame["age"], basket=np.arange(len(frame)), quantity=1.0, price=1.0,
        amount=1.0, rating=np.nan,
    )  # fmt: skip


PAST = events((1, 10, 3), (1, 12, 3), (2, 11, 2), (2, 14, 2), (3, 15, 1), (3, 17, 1))


def made_of(past: pd.DataFrame) -> TrainingSnapshot:
    nothing = sparse.csr_matrix((len(IDS), 1), dtype=np.float32)
    attributes = ItemAttributes(
        ids=IDS, categories=nothing, terms=nothing, price=np.ones(len(IDS), np.float32),
        listed_at=np.full(len(IDS), CUT - 5), texts=TEXTS,
    )  # fmt: skip
    return snapshot(past, attributes, cut=CUT, weights=EventWeights())


def drawn(n: int, dimensions: int, *, space: str = "own", first: int = 10) -> KnownVectors:
    vectors = generator(3, space).standard_normal((n, dimensions))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return KnownVectors(space, np.arange(first, first + n), vectors.astype(np.float16))


def test_spaces_lie_side_by_side_in_unit_rows() -> None:
    own, other = drawn(3, 4), drawn(9, 5, space="service", first=12)
    alone = with_vectors(made_of(PAST), texts=count_texts(TEXTS), ids=IDS).training.catalogue
    both = with_vectors(made_of(PAST), texts=count_texts(TEXTS), ids=IDS, beside=[own, other]).training.catalogue
    assert alone.vectors is not None
    assert both.vectors is not None
    width = alone.vectors.shape[1]
    assert both.spaces == (
        Space(OWN, 0, width), Space("own", width, width + 4), Space("service", width + 4, width + 9),
    )  # fmt: skip
    np.testing.assert_array_equal(both.vectors[:, :width], alone.vectors)
    np.testing.assert_array_equal(both.vectors[:3, width : width + 4], own.vectors)
    assert not both.vectors[3:, width : width + 4].any()
    np.testing.assert_array_equal(both.vectors[2:, width + 4 :], other.vectors[:6])  # of the others the shop knows none


def test_a_shop_without_vectors_is_as_before() -> None:
    alone = with_vectors(made_of(PAST), texts=count_texts(TEXTS), ids=IDS).training.catalogue
    elsewhere = with_vectors(made_of(PAST), texts=count_texts(TEXTS), ids=IDS, beside=[drawn(3, 4, first=90)])
    np.testing.assert_array_equal(elsewhere.training.catalogue.vectors, alone.vectors)
    assert alone.spaces == elsewhere.training.catalogue.spaces == ()


def test_no_description_changes_with_what_happens_after_the_cut() -> None:
    later = events((1, 16, -1), (4, 17, -2), (2, 13, -30))
    beside = [drawn(6, MOST_DIMENSIONS + 40)]
    before, after = (
        with_vectors(made_of(acts), texts=count_texts(TEXTS), ids=IDS, beside=beside)
        for acts in (PAST, pd.concat([PAST, later], ignore_index=True))
    )
    np.testing.assert_array_equal(before.items.ids, after.items.ids)
    np.testing.assert_array_equal(before.training.catalogue.vectors, after.training.catalogue.vectors)


def test_an_item_that_texts_say_nothing_of_is_recommended_by_its_vector() -> None:
    values = np.eye(8, dtype=np.float16)
    values[7] = values[4]  # what says nothing is as the steel pan
    made = with_vectors(made_of(PAST), texts=count_texts(TEXTS), ids=IDS, beside=[KnownVectors("own", IDS, values)])
    acts = made.training.interactions
    training = replace(made.training, interactions=acts.where(acts.item < 7))
    model = ContentRidge(Config()).fit(training, seed=0)
    scores = model.score(training.queries(np.array([1])))[0]  # who bought a blue scarf and a steel pan
    assert scores[7] > 0
    without = with_vectors(made_of(PAST), texts=count_texts(TEXTS), ids=IDS).training
    assert np.isnan(ContentRidge(Config()).fit(without, seed=0).score(training.queries(np.array([1])))[0][7])


@pytest.mark.parametrize("n", [5, 400])
def test_a_wide_space_keeps_its_cosines(n: int) -> None:
    """Of fewer items than directions nothing is lost; of more, the least that all have in common."""
    random = generator(1, "wide")
    plain = random.standard_normal((n, 40)) @ random.standard_normal((40, MOST_DIMENSIONS + 100))
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    ids = id_map(np.arange(n))
    narrow = place_vectors(KnownVectors("own", ids.ids, plain.astype(np.float16)), ids)
    assert narrow is not None
    assert narrow.shape == (n, MOST_DIMENSIONS)
    rows = narrow.astype(np.float64)
    np.testing.assert_allclose(rows @ rows.T, plain @ plain.T, atol=5e-3)


def test_vectors_of_other_items_alone_are_none() -> None:
    assert place_vectors(drawn(3, 4), IdMap(ids=np.array([1, 2]))) is None


def picture_vectors(n: int) -> np.ndarray:
    """Pictures of two kinds of things that have nearly all in common, as a net that knows everything sees them."""
    draw = generator(n, "pictures")
    seen = draw.normal(0, 0.02, (n, 1_280)) + 1
    seen[::2, :40] += 0.2
    return (seen / np.linalg.norm(seen, axis=1, keepdims=True)).astype(np.float16)


def test_many_pictures_are_seen_from_their_middle() -> None:
    seen = picture_vectors(FEWEST_PICTURES)
    known = KnownVectors(PICTURE, np.arange(len(seen)), seen)
    placed = place_vectors(known, IdMap(ids=known.ids))
    assert placed is not None
    assert placed.shape == (len(seen), PICTURE_DIMENSIONS)
    cosines = placed.astype(np.float32) @ placed[0].astype(np.float32)
    assert (seen[0].astype(np.float32) @ seen[1].astype(np.float32)) > 0.99
    assert cosines[2::2].mean() - cosines[1::2].mean() > 0.3


def test_few_pictures_are_seen_as_they_are() -> None:
    seen = picture_vectors(FEWEST_PICTURES - 1)
    placed = place_vectors(KnownVectors(PICTURE, np.arange(len(seen)), seen), IdMap(ids=np.arange(len(seen))))
    assert placed is not None
    whole = seen.astype(np.float32) @ seen[0].astype(np.float32)
    np.testing.assert_allclose(placed.astype(np.float32) @ placed[0].astype(np.float32), whole, atol=3e-3)
