"""Who is confirmed, seen or new, by what nobody can invent."""

from collections.abc import Sequence
from typing import Any

import pytest

from recommendations.engine.preprocess.levels import FEWEST, levels
from recommendations.event_types import EventName
from recommendations.terms import Level, Trust
from tests.engine.preprocess.events import DAY, act, frame

VIEW, REFUND, RATE = EventName.VIEW_ITEM, EventName.REFUND, EventName.RATE_ITEM
TODAY = int(DAY)
CROWD = [act(1_000 + number, 1) for number in range(FEWEST)]
"""Buyers, so many that there are levels at all."""


def view(user: int, day: int, **known: Any) -> dict[str, Any]:
    return act(user, 1, VIEW, **{"trust": Trust.PAGE, "day": TODAY + day, **known})


def level(*rows: dict[str, Any]) -> Level:
    found = levels([frame([*rows, *CROWD])])
    assert found.of(found.users).tolist() == found.level.tolist()
    return Level(int(found.level[found.users == 1][0]))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([act(1, 1)], Level.CONFIRMED),
        ([act(1, 1, RATE, rating=0.8)], Level.CONFIRMED),
        ([act(1, 1, trust=Trust.IMPORT)], Level.CONFIRMED),
        ([act(1, 1), act(1, 1, REFUND)], Level.NEW),  # all was taken back
        ([act(1, 1), act(1, 2), act(1, 1, REFUND)], Level.CONFIRMED),
        ([act(1, 1), act(1, 1, REFUND, trust=Trust.PAGE)], Level.CONFIRMED),
        ([act(1, 1, trust=Trust.PROVEN)], Level.NEW),
        ([act(1, 1, VIEW)], Level.NEW),  # a server tells of visitors, too
        ([act(1, 1, VIEW, trust=Trust.IMPORT)], Level.SEEN),
        ([view(1, 0), view(1, 3), view(1, 7)], Level.SEEN),
        ([view(1, 0), view(1, 3), view(1, 6)], Level.NEW),
        ([view(1, 0), view(1, 7)] * 40, Level.NEW),
        ([view(1, 0, at=DAY - 300), view(1, 0, at=DAY - 200), view(1, 0, at=DAY - 100)], Level.NEW),
    ],
)
def test_a_level_is_what_the_shop_knows(rows: Sequence[dict[str, Any]], expected: Level) -> None:
    assert level(*rows) is expected


def test_who_is_not_there_is_new() -> None:
    assert levels([frame(CROWD)]).of(levels([frame(CROWD)]).users[:2] - 5).tolist() == [0, 0]
    assert levels([frame([])]).of(levels([frame(CROWD)]).users).tolist() == [0] * FEWEST


def test_a_shop_that_knows_hardly_anybody_learns_from_all() -> None:
    few = [act(number, 1) for number in range(FEWEST - 1)] + [view(500, 0)]
    assert levels([frame(few)]).of(levels([frame(few)]).users).min() == Level.SEEN
    assert levels([frame(few)]).counts() == {"new": 0, "seen": 1, "confirmed": FEWEST - 1}


def test_nobody_is_an_event_without_a_customer() -> None:
    assert levels([frame([act(-1, 1), *CROWD])]).users.min() == 1_000
