"""Events of ids that were erased: what was before does not come back, what is after is of somebody new or of nobody."""

import uuid
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from recommendations.ingest.accept import accept
from recommendations.ingest.event_lines import EventResult
from recommendations.ingest.event_schema import ConsentForm, EventContextForm, EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.ingest.waiting import join_waiting
from recommendations.models import Customer, CustomerAlias, Event, Item, WaitingLine
from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure.burial import bury, lift_block
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.tombstones import digest_of
from recommendations.store.process_held import drop_all
from recommendations.terms import Side

NOW = timezone.now().replace(microsecond=0)
MINUTE = timedelta(minutes=1)
SERVER, PAGE = Sender(), Sender(side=Side.PAGE)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def items(db: None) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="x") for number in range(4))


def act(name: str = "view_item", *, ago: int = 0, item: str = "SKU1", **fields: Any) -> EventForm:
    """An act so many minutes ago."""
    order = {"transaction_id": "order 7"} if name == "purchase" else {}
    plain: dict[str, Any] = {
        "event_id": uuid.uuid4(), "timestamp": NOW - ago * MINUTE, "user_id": "ada", "session_id": "s1",
        "recommendation_id": "r" * 32, "context": EventContextForm(page="/shoes"),
    }  # fmt: skip
    return EventForm(name=name, items=[EventItemForm(item)], **plain | order | fields)


def send(*forms: EventForm, sender: Sender = SERVER) -> list[EventResult]:
    return accept(forms, sender, now=NOW)


def verdicts(*forms: EventForm, sender: Sender = SERVER) -> list[str]:
    return [verdict.verdict for verdict in send(*forms, sender=sender)]


def erase(user_id: str | None = "ada", *anonymous: str, mode: EraseMode = EraseMode.FORGET, at: datetime = NOW) -> None:
    """Erase in another process: this one has not heard of it."""
    bury(subject_of(user_id, anonymous), mode=mode, now=at)


def hear() -> None:
    """Let this process hear of an erasure, as a new one does."""
    drop_all()


def stored(form: EventForm) -> Event:
    return Event.objects.get(event_id=form.event_id)


def ids() -> set[UUID]:
    return set(Event.objects.values_list("event_id", flat=True))


def assert_joined_to_nothing(event: Event) -> None:
    assert (event.customer_id, event.session_id, event.recommendation_id, event.attributes or None) == (None,) * 4
    assert event.transaction_id in {None, str(event.event_id)}


def test_an_erased_id_comes_back_as_somebody_new_whose_past_is_not_taken() -> None:
    early = act(ago=9)
    send(early)
    old = Customer.objects.get()
    erase(at=NOW - 5 * MINUTE)
    hear()

    before, after = act(ago=6), act("purchase", ago=4)
    results = send(before, after, early)

    assert [result.verdict for result in results] == ["ignored", "accepted", "ignored"]
    assert results[0].pointer == "/timestamp"
    assert "erased" in (results[0].reason or "")
    new = Customer.objects.get(pseudonym=pseudonym("ada"))
    assert new.pk != old.pk
    assert new.not_before == NOW - 5 * MINUTE
    assert stored(after).customer_id == new.pk
    assert ids() == {early.event_id, after.event_id}  # the first is for the holder of events to delete


def test_the_past_of_who_objects_does_not_come_back_without_a_name() -> None:
    """The number of an order would, which leads to them."""
    send(act("purchase", ago=9))
    erase(at=NOW - 5 * MINUTE)
    Event.objects.all().delete()
    hear()
    send(act(ago=4))

    objecting = ConsentForm(personalisation=False)
    before, after = (act("purchase", ago=ago, consent=objecting) for ago in (6, 3))
    assert verdicts(before, after) == ["ignored", "accepted"]
    assert not Event.objects.filter(event_id=before.event_id).exists()
    assert stored(after).customer_id is None


def test_an_objection_is_heard_by_a_process_that_has_not_heard_of_the_erasure() -> None:
    send(act(ago=9))
    old = Customer.objects.get()
    erase(at=NOW - 5 * MINUTE)

    send(act(ago=0, consent=ConsentForm(personalisation=False)))

    new = Customer.objects.exclude(pk=old.pk).get()
    assert (new.pseudonym, new.personalise) == (pseudonym("ada"), False)


@pytest.mark.parametrize("who", [{"user_id": "ada"}, {"user_id": None, "anonymous_id": "v1"}], ids=["named", "visitor"])
def test_the_past_alone_makes_nobody_of_an_erased_id(who: dict[str, str | None]) -> None:
    """A replay would else write down the pseudonyms of all who were erased."""
    send(act(ago=9, **who))
    erase("ada", "v1", at=NOW - 5 * MINUTE)
    Customer.objects.all().delete()
    hear()

    assert verdicts(act(ago=8, **who), act(ago=6, **who)) == ["ignored", "ignored"]
    assert not Customer.objects.exists()
    assert verdicts(act(ago=7, **who), act(ago=5, **who)) == ["ignored", "accepted"]
    assert Customer.objects.get().not_before == NOW - 5 * MINUTE


def test_a_page_learns_of_no_erasure() -> None:
    """Its visitor and a stranger get the same words for what happened before."""
    send(act(user_id=None, anonymous_id="v1", ago=30), sender=PAGE)
    erase(None, "v1", at=NOW - 5 * MINUTE)
    hear()

    known, strange = (act(user_id=None, anonymous_id=name, ago=9) for name in ("v1", "v2"))
    first, second = send(known, sender=PAGE), send(strange, sender=PAGE)

    assert first == [EventResult("accepted", known.event_id, ignored=[])]
    assert second == [EventResult("accepted", strange.event_id, ignored=[])]
    assert known.event_id not in ids()


@pytest.mark.parametrize("missing", [False, True], ids=["husk", "row deleted"])
def test_a_key_that_a_process_still_holds_is_nobodys(*, missing: bool) -> None:
    """The shop's tab is still open: what is told now could not be joined to anything."""
    send(act(ago=9))
    erase(at=NOW - 5 * MINUTE)
    if missing:
        Customer.objects.all().delete()

    late, seen, bought = act(ago=6), act(ago=2), act("purchase", ago=1)
    told = verdicts(late, seen, bought)

    assert told == ["accepted" if missing else "ignored", "accepted", "accepted"]
    assert_joined_to_nothing(stored(seen))
    assert_joined_to_nothing(stored(bought))
    assert stored(bought).transaction_id == str(bought.event_id)
    if missing:
        assert_joined_to_nothing(stored(late))


def test_a_blocked_id_is_counted_and_is_nobody_until_the_block_is_lifted() -> None:
    erase("ada", "v1", mode=EraseMode.BLOCK, at=NOW - 5 * MINUTE)
    old, seen, bought = act(ago=6), act(anonymous_id="v2", ago=3), act("purchase", ago=2)
    visit = act(user_id=None, anonymous_id="v1", ago=2)

    assert verdicts(old, seen, bought, visit) == ["ignored", "accepted", "accepted", "accepted"]
    assert verdicts(seen, bought) == ["duplicate", "duplicate"]
    for form in (seen, bought, visit):
        assert_joined_to_nothing(stored(form))
    assert set(Customer.objects.values_list("pseudonym", flat=True)) == {pseudonym("v2", kind="anonymous")}  # type: ignore[arg-type]
    assert not CustomerAlias.objects.exists()

    assert lift_block(digest_of(pseudonym("ada")), now=NOW)
    again = act(ago=1)
    assert verdicts(again, old) == ["accepted", "ignored"]
    assert stored(again).customer_id == Customer.objects.get(pseudonym=pseudonym("ada")).pk


def test_a_page_of_a_blocked_visitor_is_told_what_every_page_is() -> None:
    erase(None, "v1", mode=EraseMode.BLOCK, at=NOW - 5 * MINUTE)
    old, new = (act(user_id=None, anonymous_id="v1", ago=ago) for ago in (6, 1))

    assert send(old, new, sender=PAGE) == [EventResult("accepted", form.event_id, ignored=[]) for form in (old, new)]
    assert ids() == {new.event_id}


def test_lines_that_wait_for_their_item_are_no_way_back() -> None:
    send(act(ago=9), waiting := act("purchase", ago=8, item="SKU9"))
    assert WaitingLine.objects.count() == 1
    erase(at=NOW - 5 * MINUTE)

    late, stale = act(ago=6, item="SKU8"), act("purchase", ago=1, item="SKU8")
    assert verdicts(late, stale) == ["ignored", "accepted"]  # with the key of before
    hear()
    assert verdicts(act(ago=7, item="SKU8")) == ["ignored"]  # as somebody new
    Item.objects.bulk_create(Item(shop_id=name, title="x") for name in ("SKU8", "SKU9"))
    join_waiting()

    assert not ids() & {waiting.event_id, late.event_id}
    assert_joined_to_nothing(stored(stale))


def test_what_was_joined_before_is_not_joined_by_a_replay() -> None:
    both = act(anonymous_id="v1", ago=9)
    send(both)
    assert CustomerAlias.objects.count() == 1
    erase("ada", at=NOW - 5 * MINUTE)
    CustomerAlias.objects.all().delete()
    hear()

    assert verdicts(both) == ["ignored"]
    assert not CustomerAlias.objects.exists()
    assert verdicts(act(anonymous_id="v1", ago=1)) == ["accepted"]
    assert CustomerAlias.objects.filter(customer__pseudonym=pseudonym("ada")).count() == 1


def test_nobody_is_merged_into_a_row_that_is_erased() -> None:
    send(act(ago=9))
    erase(at=NOW - 5 * MINUTE)

    send(act(anonymous_id="v1", ago=1))  # with the key of before

    assert not CustomerAlias.objects.exists()


def test_an_agreement_does_not_wake_a_row_that_is_erased() -> None:
    send(act(ago=9))
    erase(at=NOW - 5 * MINUTE)

    send(act(ago=1, consent=ConsentForm(personalisation=True)))

    assert not Customer.objects.get().personalise


def test_a_visitor_whom_the_quota_turns_away_brings_no_past_either() -> None:
    erase(None, "v1", at=NOW - 5 * MINUTE)
    full = Sender(side=Side.PAGE, newcomers=lambda count, *, proven: 0)
    old, new = (act(user_id=None, anonymous_id="v1", ago=ago) for ago in (6, 1))

    assert verdicts(old, new, sender=full) == ["accepted", "accepted"]
    assert ids() == {new.event_id}
    assert stored(new).customer_id is None
