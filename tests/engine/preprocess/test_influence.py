"""How many of those who were merely seen are believed, by what the confirmed bear out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommendations.engine.frames import Interactions
from recommendations.engine.preprocess.influence import FREE, SLACK, borne_out, is_bounded
from recommendations.terms import Level
from tests.shop import Act, interactions

STAPLE, TARGET = 0, 1


def shop(*, confirmed: int, seen: int, of_target: int, who: int = 0) -> tuple[Interactions, NDArray[np.int8]]:
    """Confirmed people buy the staple, those who were seen look at it, and ``of_target`` of them at the target."""
    acts = [Act(user, STAPLE, user) for user in range(confirmed)]
    acts += [Act(confirmed + user, STAPLE, 1_000 + user) for user in range(seen)]
    acts += [Act(confirmed + (who + user) % seen, TARGET, 5_000 + user) for user in range(of_target)]
    level = np.array([Level.CONFIRMED] * confirmed + [Level.SEEN] * seen, np.int8)
    return interactions(acts, n_users=confirmed + seen, n_items=2), level


def believed(acts: Interactions, level: NDArray[np.int8], item: int) -> int:
    return int((borne_out(acts, level) & (acts.item == item) & (level[acts.user] == Level.SEEN)).sum())


def test_no_more_are_believed_than_are_borne_out() -> None:
    acts, level = shop(confirmed=100, seen=50, of_target=40)  # half a seen person for each confirmed one
    assert believed(acts, level, STAPLE) == 50  # 3 × ½ × 100 + 3 are more than there are
    assert believed(acts, level, TARGET) == FREE  # nobody confirmed has it
    few, level = shop(confirmed=100, seen=50, of_target=3)
    assert believed(few, level, TARGET) == 3


def test_what_the_confirmed_want_may_be_wanted_three_times_as_much() -> None:
    acts, level = shop(confirmed=100, seen=100, of_target=90)
    extra = [Act(user, TARGET, 9_000 + user) for user in range(10)]
    rows = [Act(int(u), int(i), int(b)) for u, i, b in zip(acts.user, acts.item, acts.basket, strict=True)]
    both = interactions([*rows, *extra], n_users=200, n_items=2)
    ratio = np.median([100 / 100, 90 / 10])
    assert believed(both, level, TARGET) == min(90, int(SLACK * ratio * 10 + FREE))


def test_the_confirmed_are_always_believed() -> None:
    acts, level = shop(confirmed=100, seen=50, of_target=40)
    assert borne_out(acts, level)[level[acts.user] == Level.CONFIRMED].all()


def test_of_a_person_all_acts_on_an_item_are_believed_or_none() -> None:
    acts, level = shop(confirmed=100, seen=20, of_target=200)  # ten times each
    taught = borne_out(acts, level) & (acts.item == TARGET)
    assert len(np.unique(acts.user[taught])) == FREE
    assert taught.sum() == 10 * FREE


def test_without_enough_confirmed_people_everybody_is_believed() -> None:
    acts, level = shop(confirmed=5, seen=50, of_target=40)
    assert not is_bounded(level)
    assert borne_out(acts, level).all()
    assert is_bounded(np.array([Level.CONFIRMED] * 100 + [Level.SEEN] * 100_000))  # a flood does not undo it
    assert not is_bounded(np.array([], np.int8))


@given(st.integers(100, 140), st.integers(1, 60), st.integers(0, 200), st.integers(0, 60))
def test_more_of_the_seen_never_take_from_the_confirmed(confirmed: int, seen: int, of_target: int, who: int) -> None:
    acts, level = shop(confirmed=confirmed, seen=seen, of_target=of_target, who=who)
    keep = borne_out(acts, level)
    assert keep[level[acts.user] == Level.CONFIRMED].all()
    people = len(np.unique(acts.user[keep & (acts.item == TARGET)]))
    assert people == min(FREE, seen, of_target)


@pytest.mark.parametrize("times", [1, 3])
def test_the_draw_does_not_depend_on_the_order_or_number_of_acts(times: int) -> None:
    acts, level = shop(confirmed=100, seen=50, of_target=50 * times)
    keep = borne_out(acts, level) & (acts.item == TARGET)
    once, _ = shop(confirmed=100, seen=50, of_target=50)
    kept_once = borne_out(once, level) & (once.item == TARGET)
    assert set(acts.user[keep].tolist()) == set(once.user[kept_once].tolist())
