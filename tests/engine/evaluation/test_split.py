import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.evaluation.split import Windows, truths, without
from recommendations.engine.preprocess.matrix import EventWeights, snapshot
from recommendations.event_types import EventName
from recommendations.terms import Cut, Task
from tests.engine.preprocess.events import DAY, SECOND, act, attributes, frame

CUT = DAY


def test_windows_end_with_the_last_full_day() -> None:
    """Newest event at noon of day 100; on day 101 that day is over, at 18 h of day 100 only day 99 is."""
    over = Windows.up_to(100.5, now=101.2)
    assert dict(over.cuts) == {Cut.TUNING: 45, Cut.TEST: 73, Cut.LIVE: 101}
    assert over.window(Cut.TUNING) == (45, 73)
    assert over.window(Cut.TEST) == (73, 101)
    running = Windows.up_to(100.5, now=100.75)
    assert running.window(Cut.TEST) == (72, 100)
    assert 100.5 < running.cuts[Cut.LIVE] == pytest.approx(100.5 + SECOND)


def test_data_that_ended_long_ago_keep_their_windows() -> None:
    assert Windows.up_to(100.5, now=900.0).window(Cut.TEST) == (73, 101)


def test_the_live_cut_has_no_truth_window() -> None:
    with pytest.raises(ValueError, match="live"):
        Windows.up_to(100.5, now=101.2).window(Cut.LIVE)


def test_truth_is_what_known_customers_bought_of_known_items() -> None:
    before = [
        act(1, 1, at=CUT - 1, basket=1),
        act(2, 2, at=CUT - 1, basket=2),
        act(2, 3, EventName.VIEW_ITEM, CUT - 1, basket=3),
    ]
    after = [
        act(1, 1, at=CUT, basket=4, amount=2),  # again, on the first moment
        act(1, 2, at=CUT + 5, basket=5, amount=3), act(1, 2, at=CUT + 6, basket=6, amount=4),  # new to 1, twice
        act(1, 3, EventName.VIEW_ITEM, CUT + 5, basket=7),  # not a purchase
        act(1, 3, at=CUT + 28, basket=8, amount=1),  # after the window
        act(2, 3, at=CUT + 5, basket=9, amount=np.nan),  # seen before, not bought; money unknown
        act(2, 4, at=CUT + 5, basket=9, amount=7),  # listed, but without history
        act(2, 99, at=CUT + 5, basket=9, amount=7),  # not in the catalogue then
        act(3, 1, at=CUT + 5, basket=10, amount=7),  # a stranger
    ]  # fmt: skip
    events = frame(before + after)
    about = attributes([1, 2, 3, 4], [CUT - 1] * 4)
    past = snapshot(events, about, cut=CUT, weights=EventWeights())
    by_task = truths(events, past, window=(CUT, CUT + 28))
    assert by_task[Task.HOME].spent.toarray().tolist() == [[2, 7, 0, 0], [0, 0, 0, 0]]
    assert by_task[Task.HOME].users.tolist() == [0, 1]
    assert by_task[Task.HOME].spent.nnz == 3  # the purchase without money is there
    assert by_task[Task.DISCOVER].spent.toarray().tolist() == [[0, 7, 0, 0], [0, 0, 0, 0]]
    assert np.diff(by_task[Task.DISCOVER].per_user.indptr).tolist() == [1, 1]


def test_an_item_that_history_does_not_know_is_no_truth() -> None:
    events = frame([act(1, 1, at=CUT - 1, basket=1), act(1, 9, at=CUT + 1, basket=2), act(7, 1, at=CUT + 1, basket=3)])
    past = snapshot(events, attributes([1]), cut=CUT, weights=EventWeights())
    by_task = truths(events, past, window=(CUT, CUT + 28))
    assert by_task[Task.HOME].spent.nnz == 0


def test_the_truth_is_empty_where_no_customer_came_back() -> None:
    events = frame([act(1, 1, at=CUT - 1, basket=1), act(2, 1, at=CUT + 1, basket=2)])
    past = snapshot(events, attributes([1]), cut=CUT, weights=EventWeights())
    by_task = truths(events, past, window=(CUT, CUT + 28))
    assert all(not len(truth.users) and truth.per_user.shape == (0, 1) for truth in by_task.values())


def test_without_keeps_stored_zeros_and_other_rows() -> None:
    a = sparse.csr_matrix((np.array([0, 1, 2], np.float32), [0, 1, 1], [0, 2, 3]), shape=(2, 3))
    b = sparse.csr_matrix((np.array([9, 9], np.float32), [1, 0], [0, 1, 2]), shape=(2, 3))
    rest = without(a, b)
    assert rest.nnz == 2
    assert rest.indices.tolist() == [0, 1]
    assert rest.toarray().tolist() == [[0, 0, 0], [0, 2, 0]]
