"""Live state on a real Valkey and a real PostgreSQL."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
import redis
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import Customer, Event, Item, ModelVersion, Run
from recommendations.store.live import fetch, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import LiveEvent, state_from, times_of
from recommendations.store.live.valkey import Breaker, Link
from recommendations.store.live.writes import Objection
from recommendations.terms import VersionStatus
from tests.recsite.processes import wait_for

T0 = datetime(2026, 9, 1, 12, tzinfo=UTC)
CUSTOMER = 7


def act(name: EventName, item: int | None, minutes: float, customer: int = CUSTOMER) -> LiveEvent:
    return LiveEvent(customer=customer, name=name, item=item, at=T0 + timedelta(minutes=minutes))


def at(minutes: float) -> float:
    return (T0 + timedelta(minutes=minutes)).timestamp()


def test_purchases_views_and_dislikes_are_read_back_in_one_go(built: None) -> None:
    writes.remember(
        [
            act(EventName.PURCHASE, 1, 0),
            act(EventName.PURCHASE, 1, 5),
            act(EventName.VIEW_ITEM, 2, 1),
            act(EventName.ADD_TO_CART, 3, 2),
            act(EventName.DISLIKE_ITEM, 4, 3),
            act(EventName.SEARCH, None, 6),
            act(EventName.PURCHASE, 9, 0, customer=8),
        ]
    )
    state = fetch.state_of(CUSTOMER, since=None).state
    assert state.bought == {1: at(5)}
    assert state.recent == ((3, EventName.ADD_TO_CART, at(2)), (2, EventName.VIEW_ITEM, at(1)))
    assert state.disliked == {4: at(3)}
    assert state.objected is None
    assert state.known


def test_the_order_in_which_events_come_does_not_matter(built: None) -> None:
    acts = [act(EventName.PURCHASE, 1, 0), act(EventName.REFUND, 1, 1), act(EventName.PURCHASE, 1, 2)]
    states = []
    for number, order in enumerate(permutations(acts), start=1):
        for event in [*order, order[0]]:  # and one of them twice
            writes.remember([LiveEvent(customer=number, name=event.name, item=event.item, at=event.at)])
        states.append(fetch.state_of(number, since=None).state)
    assert len(states) == 6
    assert {(tuple(state.bought.items()), tuple(state.refunded.items())) for state in states} == {
        (((1, at(2)),), ((1, at(1)),))
    }


def test_only_the_last_fifty_acts_of_interest_are_kept(built: None) -> None:
    writes.remember([act(EventName.VIEW_ITEM, item, item) for item in range(1, 81)])
    recent = fetch.state_of(CUSTOMER, since=None).state.recent
    assert [one.item for one in recent] == list(range(80, 30, -1))
    writes.remember([act(EventName.VIEW_ITEM, 5, 0.5)])  # late, and older than all of them
    assert fetch.state_of(CUSTOMER, since=None).state.recent == recent


def test_who_has_done_one_thing_only_is_remembered_for_a_week(built: None, valkey: redis.Redis) -> None:
    """Invented visitors look at one thing; what they leave in Valkey goes soon, and a second act keeps both."""
    days = []
    for event in (act(EventName.VIEW_ITEM, 1, 0), act(EventName.VIEW_ITEM, 1, 1), act(EventName.VIEW_ITEM, 2, 2)):
        writes.remember([event])
        days.append(round(valkey.ttl(f"live:recent:{CUSTOMER}") / 86_400))
    assert days == [7, 7, 30]
    assert len(fetch.state_of(CUSTOMER, since=None).state.recent) == 2
    writes.remember([act(EventName.PURCHASE, 1, 0, customer=8)])
    assert valkey.ttl("live:bought:8") > 30 * 86_400


def test_an_objection_is_heard_and_taken_back(built: None) -> None:
    writes.remember([Objection(CUSTOMER, True)])
    assert fetch.state_of(CUSTOMER, since=None).state.objected is True
    writes.remember([Objection(CUSTOMER, False)])
    assert fetch.state_of(CUSTOMER, since=None).state.objected is False


def test_a_mark_moves_with_every_announcement_and_only_its_own(valkey: redis.Redis) -> None:
    before = fetch.state_of(None, since=None).changed
    fetch.announce(Changed.CATALOGUE)
    first = fetch.state_of(None, since=None).changed
    fetch.announce("catalogue", "keys")
    second = fetch.state_of(None, since=None).changed
    assert before == {}
    assert first is not None
    assert second is not None
    assert first.keys() == {"catalogue"}
    assert second.keys() == {"catalogue", "keys"}
    assert first["catalogue"] != second["catalogue"]
    with pytest.raises(ValueError, match="catalog"):
        fetch.announce("catalog")


@pytest.fixture
def built(valkey: redis.Redis) -> None:
    """Valkey has lost nothing."""
    valkey.set("live:built", 1)


@pytest.fixture
def live_version(db: None) -> ModelVersion:
    """Its history ends ten days ago."""
    cut = timezone.now() - timedelta(days=10)
    return ModelVersion.objects.create(
        run=Run.objects.create(now=cut), status=VersionStatus.READY, is_live=True,
        windows={"cuts": {"live": cut.isoformat()}},
    )  # fmt: skip


def recorded(name: EventName, item: Item, days: float, customer: Customer) -> None:
    Event.objects.create(
        occurred_at=timezone.now() - timedelta(days=days),
        event_id=uuid.uuid4(),
        name=name,
        customer=customer,
        item=item,
        transaction_id="t" if name == EventName.PURCHASE else None,
    )


@pytest.fixture
def history(live_version: ModelVersion) -> tuple[Customer, list[Item]]:
    customer = Customer.objects.create(pseudonym=b"c" * 32, measure=False)
    items = [Item.objects.create(shop_id=f"i{number}", title=f"Item {number}") for number in range(4)]
    recorded(EventName.PURCHASE, items[0], 20, customer)  # the model knows of it
    recorded(EventName.PURCHASE, items[1], 5, customer)
    recorded(EventName.VIEW_ITEM, items[2], 20, customer)
    recorded(EventName.VIEW_ITEM, items[3], 40, customer)  # too old
    return customer, items


def test_the_live_state_that_valkey_lost_is_rebuilt_from_the_record(
    history: tuple[Customer, list[Item]], valkey: redis.Redis
) -> None:
    customer, items = history
    assert writes.rebuild_if_lost() == 2
    state = fetch.state_of(customer.pk, since=None).state
    assert set(state.bought) == {items[1].pk}
    assert [act.item for act in state.recent] == [items[2].pk]
    assert (state.objected, state.unmeasured) == (False, True)
    assert writes.rebuild_if_lost() == 0
    valkey.flushdb()
    assert writes.rebuild_if_lost() == 2
    assert fetch.state_of(customer.pk, since=None).state == state


def test_the_watch_recovers_the_acts_of_a_killed_process(
    history: tuple[Customer, list[Item]], live_version: ModelVersion
) -> None:
    customer, items = history
    writes.rebuild()
    recorded(EventName.PURCHASE, items[2], 1, customer)  # committed; then its process died
    writes.reset()
    assert writes.rebuild_if_lost() == 0  # nobody can know
    writes.remember([act(EventName.VIEW_ITEM, items[0].pk, 0, customer=customer.pk)])  # by the next process
    assert writes.rebuild_if_lost() == 3
    assert set(fetch.state_of(customer.pk, since=None).state.bought) == {items[1].pk, items[2].pk}
    assert writes.rebuild_if_lost() == 0


def test_the_watch_recovers_a_commit_whose_answer_was_lost(history: tuple[Customer, list[Item]]) -> None:
    customer, items = history
    writes.remember([act(EventName.VIEW_ITEM, items[0].pk, 0)])
    writes.rebuild()
    recorded(EventName.PURCHASE, items[2], 1, customer)
    writes.mark_incomplete()
    writes.remember([act(EventName.VIEW_ITEM, items[0].pk, 1)])  # the next request's
    assert writes.rebuild_if_lost() == 3
    assert set(fetch.state_of(customer.pk, since=None).state.bought) == {items[1].pk, items[2].pk}


def test_the_watch_rebuilds_after_an_outage_of_valkey(
    history: tuple[Customer, list[Item]], monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, items = history
    writes.rebuild()
    writes.remember([act(EventName.VIEW_ITEM, items[0].pk, 0)])
    assert writes.rebuild_if_lost() == 2  # of the new process
    with monkeypatch.context() as away:
        away.setattr(writes, "valkey", lambda: Link("redis://127.0.0.1:1/0"))
        assert writes.remember([act(EventName.VIEW_ITEM, items[1].pk, 0)]) is False
        assert writes.remember([Objection(customer.pk, objected=False)]) is False
    Customer.objects.filter(pk=customer.pk).update(personalise=True, consent_at=T0)
    assert writes.remember([]) is True
    assert writes.rebuild_if_lost() == 2
    assert fetch.state_of(customer.pk, since=None).state.objected is False
    assert writes.rebuild_if_lost() == 0


def test_the_live_state_after_a_loss_is_merged_with_the_record(
    history: tuple[Customer, list[Item]], live_version: ModelVersion, valkey: redis.Redis
) -> None:
    customer, items = history
    now = timezone.now()
    writes.remember(
        [
            LiveEvent(customer=customer.pk, name=EventName.PURCHASE, item=items[0].pk, at=now),
            LiveEvent(customer=customer.pk, name=EventName.VIEW_ITEM, item=items[2].pk, at=now),
        ]
    )
    writes.remember([Objection(customer.pk, False)])  # the record still says otherwise
    since = datetime.fromisoformat(live_version.windows["cuts"]["live"])
    state = fetch.state_of(customer.pk, since=since).state
    assert set(state.bought) == {items[0].pk, items[1].pk}
    assert state.recent == ((items[2].pk, EventName.VIEW_ITEM, now.timestamp()),)
    assert state.objected is False
    assert state.known


def test_without_valkey_the_state_comes_from_the_record(
    history: tuple[Customer, list[Item]], live_version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, items = history
    monkeypatch.setattr(fetch, "valkey", lambda: dead)
    dead = Link("redis://127.0.0.1:1/0")
    since = datetime.fromisoformat(live_version.windows["cuts"]["live"])
    reading = fetch.state_of(customer.pk, since=since)
    assert reading.changed is None
    assert set(reading.state.bought) == {items[1].pk}
    assert [act.item for act in reading.state.recent] == [items[2].pk]
    assert (reading.state.objected, reading.state.unmeasured) == (False, True)
    assert dead.breaker.failures == 1
    fetch.state_of(customer.pk, since=since)
    assert dead.breaker.failures == 1  # it was left alone


def test_acts_wait_for_valkey_to_come_back(built: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as away:
        away.setattr(writes, "valkey", lambda: Link("redis://127.0.0.1:1/0"))
        assert writes.remember([act(EventName.PURCHASE, 1, 0)]) is False
        assert writes.remember([act(EventName.PURCHASE, 2, 1)]) is False
    assert fetch.state_of(CUSTOMER, since=None).state.bought == {}
    assert writes.remember([act(EventName.PURCHASE, 3, 2)]) is True
    assert fetch.state_of(CUSTOMER, since=None).state.bought == {1: at(0), 2: at(1), 3: at(2)}


def test_waiting_acts_are_written_without_another_event(
    built: None, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "SOON", 0.2)
    with monkeypatch.context() as away:
        away.setattr(writes, "valkey", lambda: Link("redis://127.0.0.1:1/0"))
        assert writes.remember([act(EventName.PURCHASE, 1, 0)]) is False
        time.sleep(0.5)  # tries that fail
    assert wait_for(lambda: fetch.state_of(CUSTOMER, since=None).state.bought == {1: at(0)}, seconds=2)
    assert valkey.smembers(writes.DOUBTED)


def test_a_doubt_alone_is_written_soon(built: None, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "SOON", 0.1)
    writes.mark_incomplete()
    assert wait_for(lambda: bool(valkey.exists(writes.DOUBTED)), seconds=2)


def test_the_breaker_opens_for_its_pause_and_closes_again() -> None:
    now = [100.0]
    breaker = Breaker("thing", pause=1.0, clock=lambda: now[0])
    assert breaker
    breaker.trip(OSError())
    now[0] = 100.9
    assert not breaker
    now[0] = 101.0
    assert breaker
    assert breaker.failures == 1


def test_a_full_valkey_refuses_writes_and_goes_on_answering_reads(db: None, built: None, valkey: redis.Redis) -> None:
    writes.remember([act(EventName.PURCHASE, 1, 0)])
    limit = valkey.config_get("maxmemory")["maxmemory"]
    valkey.config_set("maxmemory", 1)
    try:
        assert writes.remember([act(EventName.PURCHASE, 2, 0)]) is False
        assert not fetch.fetch_raw(CUSTOMER).complete  # so that answers ask the record, too
        assert fetch.state_of(CUSTOMER, since=None).state.bought == {1: at(0)}
        assert writes.rebuild_if_lost() == 0
    finally:
        valkey.config_set("maxmemory", limit)
    assert writes.remember([]) is True
    writes.rebuild_if_lost()
    assert fetch.fetch_raw(CUSTOMER).complete
    assert fetch.state_of(CUSTOMER, since=None).state.bought == {1: at(0), 2: at(0)}


def test_an_answer_may_be_called_anything() -> None:
    """The id of an answer is the shop's to send back, and a page may send what it likes."""
    for answer in ("a:b:c", "::::::::", "r-1", "“r”"):
        seen = LiveEvent(1, EventName.VIEW_ITEM_LIST, 7, T0, 2, answer)
        [shown] = state_from(1, times_of([seen]), objected=False).shown
        assert (shown.item, shown.slot, shown.answer) == (7, 2, answer[-8:])
