"""SampledVisits of a window: their first items, and what was taken after these."""

import numpy as np
import pandas as pd
import pytest

from recommendations.engine.evaluation.visits import MOST, SampledVisits, visits_in
from recommendations.engine.preprocess.matrix import EventWeights, snapshot
from recommendations.event_types import EventName
from tests.engine.preprocess.events import DAY, act, attributes, frame

CUT = DAY
MINUTE = 1 / 1440
WINDOW = (CUT, CUT + 28)
ITEMS = 6
VIEW = EventName.VIEW_ITEM


def history(users: int) -> pd.DataFrame:
    """Everybody bought every item once."""
    return frame([act(user, item, at=CUT - 1, basket=user) for user in range(users) for item in range(ITEMS)])


def cut(*rows: dict[str, object], users: int = 3, seed: int = 0) -> SampledVisits:
    before = history(users)
    past = snapshot(before, attributes(range(ITEMS), [CUT - 1.0] * ITEMS), cut=CUT, weights=EventWeights())
    events = pd.concat([before, frame(list(rows))], ignore_index=True)
    return visits_in(events, past, window=WINDOW, weights=EventWeights(), seed=seed)


def visit_of_three(user: int, *, at: float) -> list[dict[str, object]]:
    """A look at 0, then a purchase of 1 and of 2."""
    return [
        act(user, 0, VIEW, at), act(user, 1, at=at + MINUTE, basket=user, amount=3),
        act(user, 2, at=at + 2 * MINUTE, basket=user, amount=4),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_first_one_or_two_are_known_and_what_is_taken_after_them_is_the_truth(seed: int) -> None:
    found = cut(*visit_of_three(1, at=CUT + 3), seed=seed)
    known = {(0, -1): [[0, 3, 4, 0, 0, 0]], (1, 0): [[0, 0, 4, 0, 0, 0]]}  # the newest first
    assert found.user.tolist() == [1]
    assert found.spent.toarray().tolist() == known[tuple(found.seen[0].tolist())]


def test_both_lengths_come_up() -> None:
    lengths = {int((cut(*visit_of_three(1, at=CUT + 3), seed=seed).seen >= 0).sum()) for seed in range(12)}
    assert lengths == {1, 2}


def test_half_an_hour_of_silence_ends_a_visit_whatever_its_receipt_says() -> None:
    rows = [act(1, 0, VIEW, CUT + 3), act(1, 1, at=CUT + 3 + 31 * MINUTE, basket=9, amount=3)]
    assert len(cut(*rows)) == 0
    rows = [act(1, 0, VIEW, CUT + 3), act(1, 1, at=CUT + 3 + 29 * MINUTE, basket=9, amount=3)]
    lengths = [len(cut(*rows, seed=seed)) for seed in range(12)]
    assert set(lengths) == {0, 1}  # with both items known nothing is left to ask for


def test_what_is_only_looked_at_refunded_or_unknown_is_no_truth() -> None:
    rows = [
        act(1, 0, VIEW, CUT + 3), act(1, 1, VIEW, CUT + 3 + MINUTE), act(1, 2, VIEW, CUT + 3 + 2 * MINUTE),
        act(2, 0, VIEW, CUT + 3), act(2, 1, EventName.REFUND, CUT + 3 + MINUTE, basket=2),
        act(99, 0, VIEW, CUT + 3), act(99, 1, at=CUT + 3 + MINUTE, basket=3),  # a stranger
    ]  # fmt: skip
    assert len(cut(*rows)) == 0


def test_a_look_and_the_purchase_after_it_are_one_item() -> None:
    rows = [act(1, 0, VIEW, CUT + 3), act(1, 0, at=CUT + 3 + MINUTE, basket=2), *visit_of_three(2, at=CUT + 3)]
    assert cut(*rows).user.tolist() == [2]


def test_nothing_outside_of_the_window_counts() -> None:
    early, late = visit_of_three(1, at=CUT - 0.5), visit_of_three(1, at=CUT + 28)
    assert len(cut(*early, *late)) == 0
    within = visit_of_three(2, at=CUT + 3)
    alone, among = cut(*within), cut(*late, *within)
    assert (alone.user.tolist(), alone.seen.tolist()) == (among.user.tolist(), among.seen.tolist())


def test_one_visit_of_each_customer_and_of_some_where_there_are_many() -> None:
    users = MOST + 200
    rows = [row for user in range(users) for at in (CUT + 3, CUT + 9) for row in visit_of_three(user, at=at)]
    found = cut(*rows, users=users)
    assert len(found) == MOST
    assert len(np.unique(found.user)) == MOST
    assert found.user.max() > MOST  # not the first ones of the file
    assert (np.diff(found.spent.indptr) > 0).all()
