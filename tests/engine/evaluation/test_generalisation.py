"""Generalisation: the hidden tenth is counted by hand, learning by heart is seen, and only certain growth is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommendations.engine.evaluation.generalisation import FEWEST, HiddenTenth, gaps, growth, hidden_acts
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.frames import IntArray, Sparse
from tests.shop import Act, training_set

DRAW = np.random.default_rng


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(0, 5))
def test_a_tenth_of_each_history_is_hidden_and_at_least_one_where_two_were_taken(counts: list[int], seed: int) -> None:
    acts = [Act(user, item, 100 * user + item) for user, count in enumerate(counts) for item in range(count)]
    training = training_set(acts, n_users=len(counts), category_of=[0] * 40)
    mask = hidden_acts(training.interactions, DRAW(seed))
    hidden = np.bincount(training.interactions.user[mask], minlength=len(counts))
    assert hidden.tolist() == [0 if count < 2 else max(1, round(count / 10)) for count in counts]


def test_what_was_only_looked_at_stays_in_the_question() -> None:
    acts = [Act(0, item, 1, bought=False) for item in range(5)] + [Act(0, 5, 2), Act(0, 6, 3)]
    training = training_set(acts, n_users=1, category_of=[0] * 7)
    mask = hidden_acts(training.interactions, DRAW(0))
    assert np.count_nonzero(mask) == 1
    assert training.interactions.item[mask][0] in {5, 6}


def test_what_else_is_in_a_history_is_no_find_for_new_items() -> None:
    """Item 0 was bought twice: whichever time is hidden, the other one is known."""
    training = training_set([Act(0, 0, 1), Act(0, 0, 2)], n_users=1, category_of=[0, 0])
    tenth = HiddenTenth.of(training, np.array([0]), DRAW(0))
    assert tenth.hidden.toarray().astype(bool).tolist() == [[True, False]]
    assert tenth.rest.toarray().tolist() == [[1, 0]]
    assert tenth.unknown.nnz == 0
    assert len(tenth.queries.histories) == 1
    assert tenth.queries.training_rows.tolist() == [0]


def one_each(items: IntArray, n_items: int) -> Sparse:
    rows = np.arange(len(items))
    return sparse.csr_matrix((np.ones(len(items), np.float32), (rows, items)), shape=(len(items), n_items))


def test_a_list_that_knows_the_past_by_heart_and_nothing_else_has_a_gap_of_one() -> None:
    past = np.arange(FEWEST, dtype=np.int32)
    future = past + FEWEST
    lists = np.stack([past, future], axis=1)[:, :, None]  # the first row tells the past, the second what came after
    rows = gaps(
        ("by heart", "ahead"), refound=(lists, one_each(past, 2 * FEWEST)), after=(lists, one_each(future, 2 * FEWEST)),
        seed=0,
    )  # fmt: skip
    assert [row.value for row in rows["by heart"]] == [1, 0, 1]
    assert [row.value for row in rows["ahead"]] == [0, 1, -1]


def test_who_has_nothing_on_one_side_stands_on_none_and_of_few_nothing_is_said() -> None:
    past = np.arange(FEWEST, dtype=np.int32)
    lists = past[:, None, None]
    after = one_each(past, FEWEST)[np.r_[1:FEWEST]]
    after.resize(FEWEST, FEWEST)  # the last one bought nothing
    assert gaps(("one",), refound=(lists, one_each(past, FEWEST)), after=(lists, after), seed=0) == {}


@pytest.mark.parametrize(
    ("now", "compared", "grown"),
    [
        (0.35, 1, 0.05),  # reach of both: √(.03² + .04²) = .05 / … of half widths .015, .02: .025
        (0.32, 1, None),
        (0.335, 1, 0.035),
        (0.335, 40, None),  # among forty it has to be 1.65 times as wide
        (0.25, 1, None),  # a gap that shrinks is good news
    ],
)
def test_only_what_grows_beyond_its_interval_is_growth(now: float, compared: int, grown: float | None) -> None:
    before = Measure(0.30, 0.28, 0.32)
    own = Measure(now, now - 0.015, now + 0.015)
    assert growth(own, before, compared=compared) == (None if grown is None else pytest.approx(grown))
