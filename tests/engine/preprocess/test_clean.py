import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.preprocess.clean import CleaningReport, Removed, clean
from recommendations.event_types import EventName
from tests.engine.preprocess.events import DAY, MINUTE, SECOND, act, frame

VIEW, BUY, REFUND = EventName.VIEW_ITEM, EventName.PURCHASE, EventName.REFUND


def cleaned(*rows: dict[str, object], until: float = DAY + 10) -> tuple[pd.DataFrame, CleaningReport]:
    return clean(frame(rows), until=until)


def removed(report: CleaningReport) -> dict[Removed, int]:
    return {reason: count for reason, count in report.removed.items() if count}


def test_good_events_stay_as_they_are() -> None:
    rows = [act(1, 5, at=DAY, basket=77, quantity=2, amount=9), act(2, 5, VIEW, at=DAY, basket=3, price=4.5)]
    events, report = cleaned(*rows)
    pd.testing.assert_frame_equal(events, frame(rows))
    assert (report.total, report.kept, report.sessions) == (2, 2, 0)
    assert not removed(report)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (act(-1, 5, VIEW), Removed.ORPHAN),
        (act(1, -1, VIEW), Removed.ORPHAN),
        (act(1, 5, VIEW, at=DAY + 10), Removed.IMPOSSIBLE_TIME),
        (act(1, 5, VIEW, at=np.nan), Removed.IMPOSSIBLE_TIME),
        (act(1, 5, VIEW, at=300.0), Removed.IMPOSSIBLE_TIME),
        (act(1, 5, quantity=0), Removed.IMPOSSIBLE_VALUE),
        (act(1, 5, quantity=-2), Removed.IMPOSSIBLE_VALUE),
        (act(1, 5, quantity=np.inf), Removed.IMPOSSIBLE_VALUE),
        (act(1, 5, price=-0.01), Removed.IMPOSSIBLE_VALUE),
        (act(1, 5, amount=np.inf), Removed.IMPOSSIBLE_VALUE),
    ],
)
def test_impossible_events_are_removed_and_counted(row: dict[str, object], reason: Removed) -> None:
    events, report = cleaned(act(2, 6), row)
    assert events["user"].tolist() == [2]
    assert removed(report) == {reason: 1}
    assert report.kept + sum(report.removed.values()) == report.total


@pytest.mark.parametrize("row", [act(1, -1, EventName.SEARCH), act(1, 5, price=0, amount=0), act(1, 5, at=DAY + 9.99)])
def test_unusual_but_possible_events_stay(row: dict[str, object]) -> None:
    assert not removed(cleaned(row)[1])


def test_a_view_sent_twice_counts_once() -> None:
    events, report = cleaned(act(1, 5, VIEW), act(1, 5, VIEW), act(2, 5, VIEW), act(1, 6, VIEW))
    assert removed(report) == {Removed.DUPLICATE: 1}
    assert events[["user", "item"]].to_numpy().tolist() == [[1, 5], [2, 5], [1, 6]]


def test_the_same_act_within_a_second_is_a_near_duplicate_and_the_first_stays() -> None:
    later = [act(1, 5, VIEW, at=DAY + seconds * SECOND) for seconds in (0.9, 0, 3)]
    events, report = cleaned(*later)
    assert removed(report) == {Removed.NEAR_DUPLICATE: 1}
    assert events["at"].tolist() == [DAY, DAY + 3 * SECOND]


def test_the_same_act_with_another_value_at_the_same_time_is_a_near_duplicate() -> None:
    rows = [act(1, 5, EventName.ADD_TO_CART, quantity=1), act(1, 5, EventName.ADD_TO_CART, quantity=2)]
    assert removed(cleaned(*rows)[1]) == {Removed.NEAR_DUPLICATE: 1}


@pytest.mark.parametrize("basket", [77, 78])
def test_lines_of_transactions_are_never_duplicates(basket: int) -> None:
    rows = [act(1, 5, basket=77, quantity=1, amount=3), act(1, 5, basket=basket, quantity=1, amount=3)]
    assert not removed(cleaned(*rows)[1])


def test_a_purchase_without_transaction_next_to_one_with_it_is_a_near_duplicate() -> None:
    rows = [act(1, 5, quantity=1), act(1, 5, at=DAY + SECOND / 2, basket=77, quantity=1)]
    assert removed(cleaned(*rows)[1]) == {Removed.NEAR_DUPLICATE: 1}


def test_equal_purchases_without_transaction_are_duplicates() -> None:
    assert removed(cleaned(act(1, 5, quantity=1), act(1, 5, quantity=1))[1]) == {Removed.DUPLICATE: 1}


def test_equal_views_of_one_session_are_duplicates() -> None:
    assert removed(cleaned(act(1, 5, VIEW, basket=9), act(1, 5, VIEW, basket=9))[1]) == {Removed.DUPLICATE: 1}


def test_a_robots_burst_is_removed_and_a_large_shopping_trip_stays() -> None:
    """The threshold is 500 events on one day, as 50 times the median day (1) is less."""
    robot = [act(9, item, VIEW, at=DAY + 0.0001 * item) for item in range(501)]
    trip = [act(8, item, basket=4) for item in range(500)]
    people = [act(user, 1, VIEW) for user in range(1, 5)] + [act(9, 3, VIEW, at=DAY - 1)]
    events, report = cleaned(*robot, *trip, *people)
    assert report.burst_threshold == 500
    assert removed(report) == {Removed.BURST: 501}
    assert report.bursts[:, [0, 2]].tolist() == [[9, 501]]
    assert (events["user"] == 9).sum() == 1  # the robot's quiet day before


def test_the_burst_threshold_rises_with_the_median_day() -> None:
    rows = [act(user, item, VIEW, at=DAY + item * MINUTE) for user in range(5) for item in range(20)]
    assert cleaned(*rows)[1].burst_threshold == 50 * 20


def test_sessions_end_with_half_an_hour_of_silence() -> None:
    times = {"a": 0, "b": 29.9, "c": 59.8, "d": 90}
    rows = [act(1, item, VIEW, at=DAY + minutes * MINUTE) for item, minutes in enumerate(times.values())]
    events, report = cleaned(*reversed(rows), act(2, 1, VIEW), act(1, 9, basket=55))
    baskets = dict(zip(events["item"], events["basket"], strict=True))
    assert report.sessions == 3
    assert baskets[0] == baskets[1 + 1]
    assert events["basket"].tolist().count(55) == 1
    sessions = events.loc[events["user"] == 1].set_index("item")["basket"]
    assert sessions[0] == sessions[1] == sessions[2] != sessions[3]
    assert set(events["basket"]) == {-2, -3, -4, 55}


def test_cleaning_no_events_gives_an_empty_frame_and_report() -> None:
    events, report = clean(frame([]), until=DAY)
    assert len(events) == report.total == report.kept == report.sessions == 0
    assert list(events.columns) == list(frame([]).columns)


rows_of_a_shop = st.builds(
    act,
    st.integers(-1, 3),
    st.integers(-1, 3),
    st.sampled_from([VIEW, BUY, REFUND, EventName.SEARCH]),
    st.sampled_from([DAY, DAY + SECOND / 2, DAY + MINUTE, DAY + 0.5, DAY + 99, np.nan]),
    basket=st.sampled_from([-1, 1, 2]),
    quantity=st.sampled_from([np.nan, 1, 0, -1]),
    amount=st.sampled_from([np.nan, 0, 2.5, -1, np.inf]),
)


@given(st.lists(rows_of_a_shop, max_size=25))
def test_every_event_is_kept_or_counted_and_cleaning_twice_removes_no_more(rows: list[dict[str, object]]) -> None:
    events, report = cleaned(*rows)
    assert report.kept + sum(report.removed.values()) == report.total == len(rows)
    again, second = clean(events, until=DAY + 10)
    assert not removed(second)
    pd.testing.assert_frame_equal(events, again)
    assert (events["basket"] != -1).all()
