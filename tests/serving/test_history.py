"""What somebody did lately, as recommenders are asked with it."""

import numpy as np
import pytest

from recommendations.engine.recommenders.sequence_net import in_order
from recommendations.event_types import EventName
from recommendations.serving.history import DAY, HistoryEvent, appended, interactions_of

TICK = 1_760_000_400.0  # a full half hour; ages count back from it


def acts(*rows: tuple[int, float]) -> tuple[HistoryEvent, ...]:
    """Views of items, so many seconds after the tick."""
    return tuple(HistoryEvent(item, EventName.VIEW_ITEM, TICK + seconds) for item, seconds in rows)


def test_what_was_done_since_the_tick_is_in_the_order_of_time_and_behind_all_before() -> None:
    """As Valkey tells of acts, the newest first; and item 1 was looked at again."""
    told = acts((1, 1_500), (7, 900), (3, 600), (1, 300), (5, -1), (8, -7_200))
    history = interactions_of(told, until=TICK, n_items=9)
    assert in_order(history, np.ones(9, np.bool_)).item.tolist() == [8, 5, 3, 7, 1]
    assert history.age.max() == pytest.approx(7_200 / DAY)
    assert history.age.min() == 0
    before = interactions_of(acts((2, -90_000), (4, -80_000)), until=TICK, n_items=9)
    both = appended(before, interactions_of(told, until=TICK, n_items=9))
    assert in_order(both, np.ones(9, np.bool_)).item.tolist() == [2, 4, 8, 5, 3, 7, 1]


def test_nobody_s_acts_are_none() -> None:
    assert len(interactions_of((), until=TICK, n_items=9)) == 0
