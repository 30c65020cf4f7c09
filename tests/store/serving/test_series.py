"""What is gone on with: works that were begun, and the next part of what was finished."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from recommendations.store.live.state import WHOLE, Begun
from recommendations.store.serving.series import GoingOn, Watched
from recommendations.store.serving.stock import Stock, StockRow
from recommendations.terms import ItemKind

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
PILOT, SECOND, THIRD, FOURTH, FILM, SEQUEL, TALK, OTHER_TALK, OTHER_PILOT = range(9)
EPISODE = ItemKind.EPISODE.value


def row(pk: int, **what: Any) -> StockRow:
    return StockRow(
        pk=pk, shop_id=f"i{pk}", title=f"Title {pk}", brand="", price=None, image_url="", url="", parent_id=None,
        availability="in_stock", available_quantity=None, available_at=None, expires_at=None, retired_at=None,
        listed_at=FIRST_DAY, updated_at=FIRST_DAY, of_categories=[], **what,
    )  # fmt: skip


@pytest.fixture(scope="module")
def stock() -> Stock:
    """A series of four episodes, a film and what follows it, two episodes without numbers, and another pilot."""
    series = [row(number, kind=EPISODE, collection="Harbour", number=number + 1) for number in range(4)]
    films = [row(4 + number, kind="film", collection="Dunes", number=number + 1) for number in range(2)]
    talks = [row(6 + number, kind=EPISODE, collection="Talks") for number in range(2)]
    return Stock.of([*series, *films, *talks, row(8, kind=EPISODE, collection="Valley", number=1)])


def watched(*plays: tuple[int, int, float], stock: Stock) -> Watched:
    return Watched().with_plays([Begun(*play) for play in plays], stock)


def going_on(who: Watched, stock: Stock, *, gone: Iterable[int] = ()) -> list[GoingOn]:
    return who.goes_on(stock, sellable=offered(stock, gone))


def offered(stock: Stock, gone: Iterable[int] = ()) -> np.ndarray[Any, np.dtype[np.bool_]]:
    sellable = np.ones(len(stock), np.bool_)
    sellable[list(gone)] = False
    return sellable


def test_what_was_begun_comes_newest_first_with_the_most_of_it(stock: Stock) -> None:
    who = watched((FILM, 3, 10.0), (TALK, 5, 20.0), (FILM, 2, 30.0), stock=stock)
    assert going_on(who, stock) == [GoingOn(FILM, 30.0, 3), GoingOn(TALK, 20.0, 5)]


def test_what_was_finished_is_not_offered_again_though_it_was_begun_anew(stock: Stock) -> None:
    assert going_on(watched((TALK, WHOLE, 10.0), (TALK, 2, 20.0), stock=stock), stock) == []
    before = Watched({TALK: 1.0}).with_plays([Begun(TALK, 2, 20.0)], stock)
    assert going_on(before, stock) == []


def test_the_next_part_leads_after_the_furthest_that_was_finished(stock: Stock) -> None:
    who = watched((SECOND, WHOLE, 10.0), (PILOT, WHOLE, 20.0), stock=stock)
    assert going_on(who, stock) == [GoingOn(THIRD, 20.0, after=SECOND)]
    assert going_on(watched((FILM, WHOLE, 5.0), stock=stock), stock) == [GoingOn(SEQUEL, 5.0, after=FILM)]
    assert going_on(watched((FOURTH, WHOLE, 5.0), stock=stock), stock) == []


def test_a_part_that_is_not_for_sale_is_passed_over(stock: Stock) -> None:
    who = watched((PILOT, WHOLE, 10.0), stock=stock)
    assert going_on(who, stock, gone=[SECOND]) == [GoingOn(THIRD, 10.0, after=PILOT)]
    assert going_on(who, stock, gone=[SECOND, THIRD, FOURTH]) == []


def test_a_series_has_one_tile(stock: Stock) -> None:
    who = watched((PILOT, WHOLE, 10.0), (THIRD, 4, 20.0), (SECOND, 6, 30.0), stock=stock)
    assert going_on(who, stock) == [GoingOn(SECOND, 30.0, 6)]
    talks = watched((TALK, 4, 20.0), (OTHER_TALK, 6, 30.0), stock=stock)
    assert going_on(talks, stock) == [GoingOn(OTHER_TALK, 30.0, 6)]


def test_an_episode_is_left_behind_by_who_finished_a_later_one_since(stock: Stock) -> None:
    who = watched((PILOT, 8, 10.0), (SECOND, WHOLE, 20.0), stock=stock)  # who skips the credits
    assert going_on(who, stock) == [GoingOn(THIRD, 20.0, after=SECOND)]
    again = watched((PILOT, 8, 30.0), (SECOND, WHOLE, 20.0), stock=stock)
    assert going_on(again, stock) == [GoingOn(PILOT, 30.0, 8)]
    earlier = watched((THIRD, 3, 10.0), (SECOND, WHOLE, 20.0), stock=stock)
    assert going_on(earlier, stock) == [GoingOn(THIRD, 10.0, 3)]
    films = watched((FILM, 8, 10.0), (SEQUEL, WHOLE, 20.0), stock=stock)
    assert going_on(films, stock) == [GoingOn(FILM, 10.0, 8)]


def test_an_episode_that_is_no_longer_for_sale_does_not_keep_its_series_back(stock: Stock) -> None:
    who = watched((PILOT, WHOLE, 10.0), (SECOND, 4, 20.0), stock=stock)
    assert going_on(who, stock, gone=[SECOND]) == [GoingOn(THIRD, 10.0, after=PILOT)]


def test_without_numbers_no_part_comes_next(stock: Stock) -> None:
    assert going_on(watched((TALK, WHOLE, 10.0), stock=stock), stock) == []


def test_of_a_series_the_next_episode_is_offered_alone(stock: Stock) -> None:
    def left(who: Watched) -> list[int]:
        out = who.out_of_turn(stock, sellable=offered(stock)).tolist()
        return [row for row in range(len(stock)) if row not in out]

    others = [FILM, SEQUEL, TALK, OTHER_TALK, OTHER_PILOT]
    assert left(Watched()) == [PILOT, *others]
    assert left(watched((SECOND, WHOLE, 1.0), stock=stock)) == [THIRD, *others]
    assert left(watched((FOURTH, WHOLE, 1.0), stock=stock)) == others


def test_goods_have_no_series() -> None:
    goods = Stock.of([row(1), row(2)])
    sellable = offered(goods)
    assert not len(Watched({0: 1.0}).out_of_turn(goods, sellable=sellable))
    assert Watched({0: 1.0}).goes_on(goods, sellable=sellable) == []
