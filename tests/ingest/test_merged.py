"""A visitor signs in and out: the next answer knows, in this process and in another; and Valkey can be filled again."""

import io
import uuid
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.models import Customer, CustomerAlias, Item, ModelVersion
from recommendations.services.customers import merge_customers, unmerge_customers
from recommendations.serving.serve import serve
from recommendations.serving.types import Answer, Request
from recommendations.store.events.known_customers import customer_key, known_by
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, record, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import LiveEvent
from recommendations.store.live.valkey import Link
from recommendations.store.models.directory_files import save_directory
from recommendations.store.serving.snapshot_holder import SnapshotHolder, snapshot_holder
from recommendations.terms import CustomerKind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def ask(placement: str = "discover", **who: Any) -> Answer:
    return serve(Request(placement=placement, **who), now=timezone.now())


def items(answer: Answer) -> list[int]:
    return [slot.item for slot in answer.shown]


def did(name: str, item: int, **who: Any) -> None:
    form = EventForm(
        event_id=uuid.uuid4(), name=name, timestamp=timezone.now() - timedelta(minutes=1), transaction_id="t",
        items=[EventItemForm(Item.objects.get(pk=item).shop_id)], **who,
    )  # fmt: skip
    assert [verdict.verdict for verdict in accept([form], Sender(), now=timezone.now())] == ["accepted"]


def key_of(shop_id: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return Customer.objects.get(pseudonym=pseudonym(shop_id, kind=kind)).pk


def test_a_visitors_purchase_leaves_the_customers_answer_until_unmerged() -> None:
    before = items(ask(user_id="u0"))
    did("purchase", before[0], anonymous_id="a1")
    assert items(ask(user_id="u0")) == before
    merge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
    assert before[0] not in items(ask(user_id="u0"))
    unmerge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
    assert items(ask(user_id="u0")) == before
    assert before[0] not in items(ask(anonymous_id="a1"))


def test_an_event_with_both_ids_is_a_sign_in() -> None:
    before = items(ask(user_id="u0"))
    did("purchase", before[0], anonymous_id="a1")
    did("view_item", before[5], anonymous_id="a1", user_id="u0")
    assert before[0] not in items(ask(user_id="u0"))
    did("purchase", before[1], anonymous_id="a1")
    assert before[1] not in items(ask(user_id="u0"))


def test_every_process_learns_of_a_merger_with_its_next_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    did("view_item", Item.objects.get(shop_id="tea-0").pk, anonymous_id="a1")
    ask(anonymous_id="a1")
    here, other = snapshot_holder(), SnapshotHolder()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("recommendations.store.serving.snapshot_holder.snapshot_holder", lambda: other)
        elsewhere.setattr("recommendations.serving.serve.snapshot_holder", lambda: other)
        own = ask(anonymous_id="a1")
    assert here is not other
    merge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
    customers = items(ask(user_id="u0"))
    assert customers != items(own)
    for holder in (here, other):
        monkeypatch.setattr("recommendations.serving.serve.snapshot_holder", lambda holder=holder: holder)
        assert items(ask(anonymous_id="a1")) == customers
    unmerge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
    for holder in (here, other):
        monkeypatch.setattr("recommendations.serving.serve.snapshot_holder", lambda holder=holder: holder)
        assert items(ask(anonymous_id="a1")) == items(own)


def test_a_visitor_who_came_after_the_snapshot_is_found_as_the_customer(valkey: redis.Redis) -> None:
    customers = known_by(snapshot_holder().current(None).customers.directory)
    did("view_item", Item.objects.get(shop_id="tea-0").pk, anonymous_id="a8")
    merge_customers(anonymous_id="a8", user_id="u0", now=timezone.now())
    valkey.delete(fetch.BUILT)
    kind = CustomerKind.ANONYMOUS
    assert customer_key(customers, "a8", kind=kind, layers=1) == key_of("u0")
    assert customer_key(customers, "a9", kind=kind, layers=1) is None


def test_an_old_merger_stays_when_the_record_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    did("view_item", Item.objects.get(shop_id="tea-0").pk, anonymous_id="a8")
    merge_customers(anonymous_id="a8", user_id="u0", now=timezone.now())
    CustomerAlias.objects.update(changed_at=timezone.now() - timedelta(days=1))
    save_directory(ModelVersion.objects.live().get())
    for name, value in (("RECHECK", 0.0), ("OVERLAP", timedelta())):
        monkeypatch.setattr(f"recommendations.store.serving.snapshot_holder.{name}", value)
    holder, visitor = SnapshotHolder(), pseudonym("a8", kind=CustomerKind.ANONYMOUS)
    assert [holder.current({}).customers.get(visitor) for _ in range(3)] == [key_of("u0")] * 3


def test_another_customers_sign_in_leaves_the_snapshot_as_it_is() -> None:
    ask(user_id="u0")
    before = snapshot_holder().snapshot
    merge_customers(anonymous_id="a1", user_id="u5", now=timezone.now())
    ask(user_id="u0")
    assert snapshot_holder().snapshot is before


def test_a_sign_in_costs_one_query(django_assert_max_num_queries: Any) -> None:
    holder = SnapshotHolder()
    holder.current({})
    merge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
    changed = fetch.state_of(None, since=None).changed
    with django_assert_max_num_queries(1):
        snapshot = holder.current(changed)
    assert snapshot.customers.get(pseudonym("a1", kind=CustomerKind.ANONYMOUS)) == key_of("u0")
    read_at = snapshot.read_at
    fetch.announce(Changed.PLACEMENTS)
    assert holder.current(fetch.state_of(None, since=None).changed).read_at > read_at


def test_answers_are_the_same_after_a_rebuild_of_valkey(valkey: redis.Redis) -> None:
    slate = items(ask(user_id="u0"))
    did("purchase", slate[0], anonymous_id="a1")
    did("view_item", slate[4], anonymous_id="a2")
    did("purchase", slate[2], user_id="u1")
    did("dislike_item", slate[3], user_id="u0")
    merge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
    Customer.objects.filter(pk=key_of("u2")).update(personalise=False)
    writes.rebuild()
    who: list[dict[str, Any]] = [{"user_id": f"u{number}"} for number in range(4)]
    who += [{"anonymous_id": "a1"}, {"anonymous_id": "a2"}]
    before = [(items(ask(**one)), ask(**one).personalised) for one in who]
    valkey.flushdb()
    valkey.zadd(f"live:bought:{key_of('u3')}", {str(slate[5]): 1.0})  # what the record does not have
    output = io.StringIO()
    call_command("rebuild_live", stdout=output)
    assert "4 acts" in output.getvalue()
    assert valkey.exists("live:built")
    assert [(items(ask(**one)), ask(**one).personalised) for one in who] == before


def test_a_visitors_purchase_before_the_cut_is_the_customers_after_a_rebuild(valkey: redis.Redis) -> None:
    """The model knows the purchase, but not whose it was."""
    slate = items(ask(user_id="u0"))
    ended = record.end_of_history()
    assert ended is not None
    form = EventForm(
        event_id=uuid.uuid4(), name="purchase", timestamp=ended - timedelta(days=60), transaction_id="t",
        anonymous_id="a1", items=[EventItemForm(Item.objects.get(pk=slate[0]).shop_id)],
    )  # fmt: skip
    accept([form], Sender(), now=timezone.now())
    merge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
    valkey.flushdb()
    writes.rebuild()
    assert slate[0] not in items(ask(user_id="u0"))


def test_live_writes_go_on_during_a_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    tea = Item.objects.get(shop_id="tea-0").pk
    did("purchase", tea, user_id="u1")
    customer, late = key_of("u1"), Item.objects.get(shop_id="tea-1").pk
    recorded = record.recorded

    def meanwhile(**options: Any) -> Any:
        yield from recorded(**options)
        writes.remember([LiveEvent(customer, "purchase", late, timezone.now())])

    monkeypatch.setattr(record, "recorded", meanwhile)
    writes.rebuild(afresh=True)
    assert fetch.state_of(customer, since=None).state.bought.keys() == {tea, late}


def test_mergers_wait_while_valkey_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    slate = items(ask(user_id="u0"))
    did("purchase", slate[0], anonymous_id="a1")
    with monkeypatch.context() as away:
        away.setattr(writes, "valkey", lambda: Link("redis://127.0.0.1:1/0"))
        merge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
        unmerge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
        merge_customers(anonymous_id="a1", user_id="u0", now=timezone.now())
    assert writes.remember([])
    assert slate[0] in fetch.state_of(key_of("u0"), since=None).state.bought


def test_the_command_says_that_valkey_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "valkey", lambda: Link("redis://127.0.0.1:1/0"))
    with pytest.raises(CommandError, match="Valkey does not answer"):
        call_command("rebuild_live", stdout=io.StringIO())
