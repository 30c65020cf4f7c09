"""Each leak injected and seen; the same data without it raises no alarm."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import roc_auc_score

from recommendations.engine.evaluation.leaks import (
    LeakError,
    LeakKind,
    future_acts,
    mean_auc,
    refuse,
    shared_baskets,
    target_in_features,
)
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.ranking.candidates import Candidates
from recommendations.event_types import EventName
from tests.shop import checkerboard

N_USERS, N_ITEMS, KEPT = 60, 200, 50


def purchases(n: int = 400) -> pd.DataFrame:
    """One basket of three items per row and day, of ten users, over 100 days; the cut is at 72."""
    draw = np.random.default_rng(0)
    basket = np.repeat(np.arange(n), 3)
    return pd.DataFrame(
        {
            "user": basket % 10,
            "item": draw.integers(0, 50, 3 * n),
            "name": pd.Categorical([EventName.PURCHASE.value] * 3 * n),
            "at": basket * 100 / n,
            "basket": basket,
        }
    )


def test_clean_purchases_share_no_basket() -> None:
    assert shared_baskets([purchases()], cut=72, until=100, where="test") == []


def test_baskets_of_the_window_copied_into_the_history_are_a_leak() -> None:
    """Ten of the 112 baskets of the window stand in the history as well: imported twice, once with a wrong time."""
    events = purchases()
    copies = events[(events["at"] >= 72) & (events["basket"] % 11 == 0)].assign(at=lambda rows: rows["at"] - 40)
    leaks = shared_baskets([pd.concat([events, copies])], cut=72, until=100, where="test")
    assert [leak.kind for leak in leaks] == [LeakKind.SHARED_BASKETS]
    assert leaks[0].size == pytest.approx(copies["basket"].nunique() / 112)
    with pytest.raises(LeakError, match="of the window's baskets are in the history, too") as caught:
        refuse(leaks)
    assert caught.value.leaks == tuple(leaks)


def test_a_basket_at_the_cut_and_events_other_than_purchases_are_no_leak() -> None:
    events = purchases(4000)
    one = events["basket"] == 2880  # at 72.0
    events.loc[one & ~one.shift(fill_value=False), "at"] -= 0.001
    assert shared_baskets([events], cut=72, until=100, where="test") == []
    viewed = purchases().assign(name=pd.Categorical([EventName.VIEW_ITEM.value] * 1200), basket=1)
    assert shared_baskets([viewed], cut=72, until=100, where="test") == []
    loose = purchases().assign(basket=-2)
    assert shared_baskets([loose], cut=72, until=100, where="test") == []


def test_acts_of_the_future_are_counted() -> None:
    acts = checkerboard(6).interactions
    assert future_acts(acts, where="test") == []
    age = acts.age.copy()
    age[[1, 4]] = -0.5, np.nan
    (leak,) = future_acts(replace(acts, age=age), where="test")
    assert (leak.kind, leak.size) == (LeakKind.FUTURE_ACTS, 2)
    assert str(leak) == "test: 2 acts after the end of the history"
    refuse([])


def records(*, leaking: bool) -> tuple[Candidates, Truth, dict[str, float]]:
    """Two honest instances that know a little, and a third that knows nothing, or has looked at the truth."""
    draw = np.random.default_rng(0)
    items = np.sort(draw.permuted(np.tile(np.arange(N_ITEMS), (N_USERS, 1)), axis=1)[:, :KEPT], axis=1)
    relevant = draw.random(items.shape) < 0.2
    rows, places = np.nonzero(relevant)
    spent = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, items[rows, places])), shape=(N_USERS, N_ITEMS))
    spent.sort_indices()
    z = draw.normal(size=(N_USERS, 3, KEPT))
    z[:, :2] += relevant[:, None]
    if leaking:
        z[:, 2] += 20 * relevant
    record = Candidates(
        instances=("a", "b", "c"), items=items.astype(np.int32), z=z.astype(np.float16),
        own=np.full((N_USERS, 3, 20), -1, np.int32),
    )  # fmt: skip
    return record, Truth(spent=spent), {"a": 0.4, "b": 0.45, "c": 1.0 if leaking else 0.2, "popular": 0.2}


def test_a_recommender_that_knows_the_truth_is_a_leak() -> None:
    record, truth, ndcg = records(leaking=True)
    (leak,) = target_in_features(record, truth, ndcg=ndcg)
    assert (leak.kind, leak.where) == (LeakKind.TARGET_IN_FEATURES, "c")
    assert leak.size > 0.995
    assert "c: knows what was bought in the window (AUC" in str(leak)


def test_honest_recommenders_are_no_leak() -> None:
    record, truth, ndcg = records(leaking=False)
    assert target_in_features(record, truth, ndcg=ndcg) == []


def test_near_perfect_scores_of_several_recommenders_are_no_leak() -> None:
    """A shop of regular habits: near-perfect lists from several recommenders are skill."""
    record, truth, _ = records(leaking=True)
    assert target_in_features(record, truth, ndcg={"a": 0.93, "b": 0.94, "c": 0.97, "popular": 0.9}) == []


def test_auc_is_that_of_scikit_learn_user_by_user() -> None:
    draw = np.random.default_rng(3)
    scores = draw.integers(0, 6, (30, 25)).astype(np.float32)  # with ties
    relevant = draw.random((30, 25)) < 0.3
    relevant[0] = False  # nothing to compare
    pooled = draw.random((30, 25)) < 0.8
    relevant &= pooled
    expected = [
        roc_auc_score(relevant[user, pooled[user]], scores[user, pooled[user]])
        for user in range(30)
        if 0 < relevant[user, pooled[user]].sum() < pooled[user].sum()
    ]
    assert mean_auc(scores, relevant, known=pooled) == pytest.approx(np.mean(expected))


def test_auc_takes_silence_for_the_lowest_score() -> None:
    scores = np.array([[np.nan, 1.0, np.nan]], np.float32)
    everything = np.ones((1, 3), np.bool_)
    assert mean_auc(scores, np.array([[False, True, False]]), known=everything) == 1
    assert mean_auc(scores, np.array([[True, False, False]]), known=everything) == 0.25  # below one, tied with one
    assert mean_auc(scores, np.zeros((1, 3), np.bool_), known=everything) == 0.5
