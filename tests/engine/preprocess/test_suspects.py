"""Suspects among real-looking people: planted fakes are found, and nobody else."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from recommendations.engine.preprocess.held import Held
from recommendations.engine.preprocess.levels import levels
from recommendations.engine.preprocess.suspects import Suspicion, suspicions
from recommendations.event_types import EventName
from recommendations.terms import SuspicionRule, Trust
from tests.engine.preprocess.events import DAY, act, frame

VIEW = EventName.VIEW_ITEM
TODAY = int(DAY)
ITEMS, RARE = 200, 150  # items from RARE on have hardly any buyers
FAKES = 50_000  # the first number of a fake


def customers(seed: int = 0, *, n: int = 300, visitors: int = 60) -> list[dict[str, Any]]:
    """Buyers of two years, and visitors of the last weeks; both want what is popular, now and then something rare."""
    rng = np.random.default_rng(seed)
    chance = np.concatenate([1 / np.arange(1, RARE + 1), np.full(ITEMS - RARE, 0.002)])
    chance /= chance.sum()
    rows = []
    for user in range(n):
        for day in rng.choice(300, 6, replace=False):
            rows += [act(user, int(item), at=DAY - 30 - int(day)) for item in rng.choice(ITEMS, 4, p=chance)]
        rows += [act(user, int(item), at=DAY - float(rng.uniform(0, 20))) for item in rng.choice(ITEMS, 3, p=chance)]
    for user in range(n, n + visitors):
        for day in (1, 5, 9):
            rows += [seen(user, int(item), day) for item in rng.choice(ITEMS, 4, p=chance)]
    return rows


def seen(user: int, item: int, days_ago: int, **known: Any) -> dict[str, Any]:
    return act(user, item, VIEW, at=DAY - days_ago + (user % 97) / 100, trust=Trust.PAGE, day=TODAY - days_ago, **known)


def look(rows: Sequence[dict[str, Any]]) -> list[Suspicion]:
    events = frame(rows)
    return list(suspicions([events], levels([events]), until=DAY + 1))


def people_of(found: Sequence[Suspicion], rule: SuspicionRule) -> set[int]:
    return {int(user) for one in found if one.rule is rule for user in one.people}


@pytest.mark.parametrize("seed", range(8))
def test_nobody_real_is_set_aside(seed: int) -> None:
    assert look(customers(seed)) == []


@pytest.mark.parametrize("size", [5, 40])
def test_those_who_push_the_same_rare_items_are_twins(size: int) -> None:
    rng, targets = np.random.default_rng(size), (160, 170, 180, 190)
    fakes = []
    for user in range(FAKES, FAKES + size):
        fakes += [seen(user, int(item), int(day)) for item, day in zip(rng.choice(60, 9), [1, 5, 9] * 3, strict=True)]
        fakes += [seen(user, item, 2) for item in targets]
    found = look([*customers(), *fakes])
    assert people_of(found, SuspicionRule.TWINS) == set(range(FAKES, FAKES + size))
    [twins] = [one for one in found if one.rule is SuspicionRule.TWINS]
    assert set(twins.items.tolist()) == set(targets)
    assert all(user >= FAKES for one in found for user in one.people)


def test_new_buyers_can_be_twins_and_old_ones_cannot() -> None:
    def buys(*, days_ago: float) -> list[dict[str, Any]]:
        return [
            act(FAKES + user, item, at=DAY - days_ago, basket=9_000 + user, trust=Trust.IMPORT)
            for user in range(12)
            for item in (160, 170, 180, 190, user)
        ]

    assert people_of(look([*customers(), *buys(days_ago=3)]), SuspicionRule.TWINS) == set(range(FAKES, FAKES + 12))
    assert look([*customers(), *buys(days_ago=40)]) == []


def test_a_rush_on_one_item_holds_the_item() -> None:
    """Each of a hundred visitors looks at ordinary things and at the target: nobody is accused of it."""
    rng, target = np.random.default_rng(3), 175
    fakes = []
    for user in range(FAKES, FAKES + 100):
        days = [1, 4, 9] * 3
        fakes += [seen(user, int(item), int(day)) for item, day in zip(rng.choice(80, 9), days, strict=True)]
        fakes += [seen(user, target, 2)]
    [rush] = look([*customers(), *fakes])
    assert (rush.rule, rush.people.tolist(), rush.items.tolist(), rush.since) == (
        SuspicionRule.RUSH, [], [target], TODAY - 5,
    )  # fmt: skip


def test_who_came_for_the_rush_alone_is_set_aside_too() -> None:
    fakes = [seen(user, item, day) for user in range(FAKES, FAKES + 60) for item, day in ((175, 1), (175, 4), (3, 9))]
    found = look([*customers(), *fakes])
    assert people_of(found, SuspicionRule.RUSH) == set(range(FAKES, FAKES + 60))


def once(item: int, *, n: int = 40, **known: Any) -> list[dict[str, Any]]:
    """Orders of new customers by the word of a file, each of one item and a popular one."""
    return [
        act(FAKES + user, wanted, at=DAY - user % 5 - 0.5, basket=9_000 + user, trust=Trust.IMPORT, **known)
        for user in range(n)
        for wanted in (item, user % 3)
    ]


def test_new_buyers_who_came_for_one_old_item_are_a_rush() -> None:
    """A partner's file: each invented customer has one order, and shares one rare item with the others."""
    found = look([*customers(), *once(175)])
    assert people_of(found, SuspicionRule.RUSH) == set(range(FAKES, FAKES + 40))
    assert look([*customers(), *once(175, n=8)]) == []


def test_new_buyers_of_what_is_new_in_the_shop_are_no_rush() -> None:
    launched = ITEMS + 1
    assert people_of(look([*customers(), *once(launched)]), SuspicionRule.RUSH) == set()


def test_who_shares_something_with_each_of_four_is_no_group() -> None:
    """They share nothing with each other: a group of one would be left."""
    rows = [seen(FAKES, ITEMS + number, 1 + number % 9) for number in range(12)]
    for number in range(12):
        rows += [seen(FAKES + 1 + number // 3, ITEMS + number, day) for day in (1, 5, 9)]
    assert look([*customers(), *rows]) == []


def test_a_clockwork_is_no_hand() -> None:
    every_minute = [seen(FAKES, number % 50, 1) | {"at": DAY - 1 + number / 1440} for number in range(40)]
    rest = [seen(FAKES, 1, 5), seen(FAKES, 2, 9)]
    found = look([*customers(), *every_minute, *rest])
    assert [(one.rule, one.people.tolist()) for one in found] == [(SuspicionRule.PACE, [FAKES])]
    rng = np.random.default_rng(1)
    by_hand = [row | {"at": DAY - 1 + float(when)} for row, when in zip(every_minute, rng.random(40) / 30, strict=True)]
    assert look([*customers(), *by_hand, *rest]) == []


def test_a_young_shop_accuses_nobody_of_the_unusual() -> None:
    fakes = [seen(user, item, day) for user in range(FAKES, FAKES + 60) for item, day in ((175, 1), (175, 4), (3, 9))]
    assert look([*customers(n=60), *fakes]) == []


def test_what_is_held_is_of_people_and_of_the_unconfirmed_on_an_item() -> None:
    rows = [*customers(n=30, visitors=0), seen(900, 5, 9), seen(900, 5, 5), seen(900, 5, 1), seen(901, 5, 1)]
    events = frame(rows)
    known = levels([events])
    item = Held(items=np.array([5]), since=np.array([TODAY - 5]))
    held = events[item.of(events, known)]
    assert held[["user", "day"]].to_numpy().tolist() == [[900, TODAY - 5], [900, TODAY - 1], [901, TODAY - 1]]
    people = Held(people=np.array([7, 901]))
    left = people.without(events, known)
    assert not left["user"].isin([7, 901]).any()
    assert len(left) == len(events) - int(events["user"].isin([7, 901]).sum())
    assert Held().without(events, known) is events
