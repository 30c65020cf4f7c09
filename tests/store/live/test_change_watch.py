"""What a process holds of people is made anew after an erasure; while Valkey is away, every few seconds."""

from itertools import count

import pytest
import redis

from recommendations.store.live.change_watch import ALONE, LOOK, HeldOfPeople, Watch, people_cache
from recommendations.store.live.fetch import Changed, announce
from tests.dead_servers import dead_valkey

pytestmark = pytest.mark.usefixtures("valkey")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += LOOK
        return self.now


def test_a_watch_sees_each_move_once() -> None:
    watch = Watch(Changed.PEOPLE, clock=Clock())
    assert [watch.moved() for _ in range(3)] == [True, False, False]
    announce(Changed.CATALOGUE)
    assert not watch.moved()
    announce(Changed.PEOPLE)
    assert [watch.moved() for _ in range(3)] == [True, False, False]


def test_without_valkey_a_watch_of_people_believes_a_few_seconds() -> None:
    clocks = Clock(), Clock()
    people, others = (Watch(Changed.PEOPLE, alone=ALONE, clock=clocks[0]), Watch(Changed.PEOPLE, clock=clocks[1]))
    assert people.moved()
    assert others.moved()
    with dead_valkey():
        times = [clocks[0].now for _ in range(60) if people.moved()]
        assert times == pytest.approx([LOOK + ALONE, LOOK + 2 * ALONE, LOOK + 3 * ALONE])
        assert not any(others.moved() for _ in range(60))


def test_a_mark_that_moved_while_valkey_was_away_is_seen_when_it_is_back(valkey: redis.Redis) -> None:
    watch = Watch(Changed.PEOPLE, clock=Clock())
    watch.moved()
    with dead_valkey():
        assert not watch.moved()
        valkey.hset("live:changed", "people", "moved")
    assert watch.moved()


def test_all_that_is_held_of_people_hears_of_one_erasure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.store.live.change_watch.LOOK", 0.0)
    numbers, counts = count(), count()
    held = HeldOfPeople(lambda: next(numbers))
    cached = people_cache(10)(lambda name: (name, next(counts)))
    assert [held(), held(), cached("a"), cached("b"), cached("a")] == [0, 0, ("a", 0), ("b", 1), ("a", 0)]
    announce(Changed.CATALOGUE)
    assert [held(), cached("a")] == [0, ("a", 0)]
    announce(Changed.PEOPLE)
    assert [held(), held(), cached("a"), cached("a")] == [1, 1, ("a", 2), ("a", 2)]
