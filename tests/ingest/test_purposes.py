"""What people say of purposes: the ledger, what holds, and what is left of their acts afterwards."""

import uuid
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import ConsentForm, EventContextForm, EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.ingest.waiting import join_waiting
from recommendations.ingest.whole_refunds import with_items
from recommendations.models import Customer, CustomerAlias, Event, Item, PurposeWord, WaitingLine
from recommendations.privacy_terms import DataPurpose, PurposeState
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.purpose_words import Consent, note_consent
from recommendations.store.live import fetch, writes
from recommendations.store.live.writes import told_of_words
from recommendations.store.temp_tables import rows
from recommendations.terms import CustomerKind, Side
from tests.event_frames import event_frame

NOW = timezone.now().replace(microsecond=0)
MINUTE = timedelta(minutes=1)
SERVER, PAGE = Sender(), Sender(side=Side.PAGE)
NO, YES = ConsentForm(personalisation=False), ConsentForm(personalisation=True)
UNMEASURED = ConsentForm(measure=False)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def items(db: None) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="x") for number in range(3))


def act(name: str = "view_item", *, ago: float = 0, item: str = "SKU1", **fields: Any) -> EventForm:
    """An act so many minutes ago."""
    order = {"transaction_id": "order 7"} if name in {"purchase", "refund"} else {}
    plain: dict[str, Any] = {
        "event_id": uuid.uuid4(), "timestamp": NOW - ago * MINUTE, "user_id": "ada", "session_id": "s1",
        "recommendation_id": "r" * 32, "context": EventContextForm(page="/shoes"), "items": [EventItemForm(item)],
    }  # fmt: skip
    return EventForm(name=name, **plain | order | fields)


def send(*forms: EventForm, sender: Sender = SERVER) -> list[str]:
    return [verdict.verdict for verdict in accept(with_items(forms, sender), sender, now=NOW)]


def ada() -> Customer:
    return Customer.objects.get(pseudonym=pseudonym("ada"))


def said() -> list[tuple[str, str, str]]:
    return list(PurposeWord.objects.order_by("at", "pk").values_list("purpose", "state", "source"))


def bought() -> list[int]:
    return sorted(fetch.state_of(ada().pk, since=NOW - timedelta(days=1)).state.bought)


@pytest.mark.usefixtures("valkey")
def test_of_who_objects_nothing_is_kept_that_leads_to_them() -> None:
    send(act(ago=3), act("purchase", ago=2))
    send(act("add_to_cart", consent=NO, ago=1), act("purchase", transaction_id="order 8"))
    assert send(act("purchase", ago=1, transaction_id="order 9"))  # they object by now
    later = Event.objects.filter(customer=None)
    assert later.count() == 3
    for event in later:
        assert (event.session_id, event.recommendation_id, event.attributes) == (None, None, None)
        assert event.transaction_id == (str(event.event_id) if event.name == "purchase" else None)
    assert set(Event.objects.filter(customer=ada()).values_list("transaction_id", flat=True)) == {None, "order 7"}
    state = fetch.state_of(ada().pk, since=NOW - timedelta(days=1)).state
    assert state.objected
    assert (state.bought, state.recent) == ({}, ())
    assert set(event_frame(until=NOW + MINUTE)["user"]) == {-1}


def test_an_order_of_who_objects_is_still_taken_once() -> None:
    one, order = uuid.uuid4(), act("purchase", consent=NO)
    order.event_id = one
    assert send(order) == ["accepted"]
    again = act("purchase", ago=5, consent=NO)
    again.event_id = one
    assert send(again) == ["duplicate"]


@pytest.mark.parametrize(("order", "of_whole"), [("order 7", "accepted"), ("order 8", "ignored")])
def test_what_comes_back_of_who_objects_leads_to_nobody(order: str, of_whole: str) -> None:
    """Of an order of before their no, and of one after it: with a name, without, and by the number alone."""
    send(act("purchase", ago=9))
    send(act(consent=NO, ago=8), act("purchase", ago=7, transaction_id="order 8"))
    named, unnamed = act("refund", transaction_id=order), act("refund", transaction_id=order, user_id=None)
    whole = act("refund", transaction_id=order, user_id=None, items=[])
    later = act("refund", transaction_id=order, user_id=None, item="new")
    assert send(named, unnamed, whole, later) == ["accepted", "accepted", of_whole, "accepted"]
    assert send(unnamed, named) == ["duplicate", "duplicate"]
    back = Event.objects.filter(name="refund")
    assert back.count() == 2 + (of_whole == "accepted")
    assert {(row.customer_id, row.session_id, row.recommendation_id) for row in back} == {(None, None, None)}
    assert all(row.transaction_id == str(row.event_id) for row in back)
    [waits] = WaitingLine.objects.all()
    assert (waits.customer_id, waits.sent["transaction_id"]) == (None, str(later.event_id))


def test_what_comes_back_of_others_is_theirs() -> None:
    send(act("purchase", ago=9), act("purchase", ago=9, user_id=None, anonymous_id="a1", transaction_id="order 5"))
    send(act("purchase", transaction_id="order 8"), act("refund", transaction_id="order 8", user_id=None))
    send(act("refund", user_id=None, items=[]), act("refund", user_id=None, transaction_id="order 5", consent=YES))
    back = Event.objects.filter(name="refund").order_by("transaction_id")
    whose = [(row.transaction_id, row.customer.kind) for row in back]
    signed_in, visitor = CustomerKind.SIGNED_IN, CustomerKind.ANONYMOUS
    assert whose == [("order 5", visitor), ("order 7", signed_in), ("order 8", signed_in)]


def test_a_no_is_heard_with_an_order_that_nobody_knows() -> None:
    assert send(act(ago=1), act("refund", transaction_id="order 6", items=[], consent=NO)) == ["accepted", "ignored"]
    assert not ada().personalise


def test_a_line_that_waits_loses_the_same() -> None:
    send(act(consent=NO, ago=1))
    send(act("purchase", item="new", user_id="ada"), act("purchase", item="new", consent=UNMEASURED, user_id="bob"))
    one, other = WaitingLine.objects.order_by("customer_id")  # nulls last
    assert {*other.sent} & {"customer_id", "session_id", "recommendation_id"} == set()
    assert other.sent["transaction_id"] == str(other.event_id)
    assert "recommendation_id" not in one.sent
    assert one.sent["session_id"] == "s1"
    Item.objects.create(shop_id="new", title="x")
    join_waiting()
    assert Event.objects.filter(recommendation_id__isnull=False).count() == 0
    assert Event.objects.exclude(customer=None).count() == 1


@pytest.mark.usefixtures("valkey")
def test_who_is_not_measured_is_known_and_tied_to_nothing() -> None:
    send(act("purchase", consent=UNMEASURED, ago=1), act(consent=ConsentForm(measure=True), user_id="bob"))
    send(act(transaction_id=None))
    assert set(Event.objects.filter(customer=ada()).values_list("recommendation_id", "session_id")) == {(None, "s1")}
    assert Event.objects.exclude(recommendation_id=None).count() == 1
    assert ada().personalise
    assert not ada().measure
    state = fetch.state_of(ada().pk, since=NOW - timedelta(days=1)).state
    assert (state.objected, state.unmeasured) == (False, True)
    assert len(state.bought) == 1
    assert [purpose for (purpose,) in rows("SELECT DISTINCT name FROM events_to_measure")] == ["view_item"]


def test_a_visitor_of_who_is_not_measured_is_not_measured() -> None:
    send(act(consent=UNMEASURED, ago=2), act(user_id=None, anonymous_id="a1", ago=2))
    send(act(anonymous_id="a1"))
    assert CustomerAlias.objects.count() == 1
    assert not Customer.objects.get(kind=CustomerKind.ANONYMOUS).measure


def test_the_newest_word_holds_whatever_order_they_come_in() -> None:
    words = [(3, NO), (2, YES), (1, NO), (1, YES)]
    for number, order in enumerate(permutations(words)):
        for ago, consent in order:
            send(act(user_id=f"u{number}", consent=consent, ago=ago))
        customer = Customer.objects.get(pseudonym=pseudonym(f"u{number}"))
        assert (customer.personalise, customer.consent_at) == (False, NOW - MINUTE), order


def test_a_word_of_tomorrow_is_of_today() -> None:
    send(act(consent=NO, ago=-5))
    assert ada().consent_at == NOW
    assert note_consent([Consent(ada().pk, PurposeState.GIVEN, NOW + MINUTE)])


def test_the_ledger_has_what_is_news_and_all_that_is_said_apart() -> None:
    for ago in (9, 8, 7):
        send(act(consent=YES, ago=ago))
    for ago in (6, 5):
        send(act(consent=NO, ago=ago))
    send(act(user_id=None, anonymous_id="a1", consent=NO, ago=4), sender=PAGE)
    assert said() == [
        ("personalise", "given", "server"), ("personalise", "refused", "server"), ("personalise", "refused", "page"),
    ]  # fmt: skip
    assert ada().consent_at == NOW - 5 * MINUTE
    again = Consent(ada().pk, PurposeState.WITHDRAWN, NOW, proof={"form": "letter"})
    note_consent([again])
    note_consent([again])
    assert said()[-1] == ("personalise", "withdrawn", "server")
    assert len(said()) == 4


def test_words_are_only_added() -> None:
    send(act(consent=NO))
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
        PurposeWord.objects.update(state=PurposeState.GIVEN)


@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("resume", [False, True])
def test_the_past_comes_back_only_where_it_may(*, resume: bool) -> None:
    send(act("purchase", ago=9))
    send(act(consent=NO, ago=6), act("purchase", item="SKU2", ago=5))
    assert bought() == []
    word = Consent(ada().pk, PurposeState.GIVEN, NOW - 3 * MINUTE, resume=resume, proof={"form": "account"})
    writes.remember(told_of_words(note_consent([word])))
    assert len(bought()) == resume
    send(act("purchase", item="SKU0", ago=1))
    learned = event_frame(until=NOW + MINUTE)
    assert len(learned[(learned["user"] == ada().pk)]) == 1 + resume
    writes.rebuild(afresh=True)
    assert len(bought()) == 1 + resume
    send(act("purchase", ago=8, transaction_id="order 3"))  # late, and of before
    learned = event_frame(until=NOW + MINUTE)
    assert len(learned[learned["user"] == ada().pk]) == 1 + 2 * resume


def test_the_views_and_the_querysets_leave_out_the_same() -> None:
    send(*(act(user_id=name, ago=9) for name in ("ada", "bob", "cleo", "dan")), act(user_id="eve", consent=NO))
    of_events = [Consent(key, state, NOW - ago * MINUTE, purpose) for key, state, ago, purpose in (
        (key_of("ada"), PurposeState.REFUSED, 5, DataPurpose.PERSONALISE),
        (key_of("bob"), PurposeState.REFUSED, 5, DataPurpose.PERSONALISE),
        (key_of("bob"), PurposeState.GIVEN, 4, DataPurpose.PERSONALISE),
        (key_of("cleo"), PurposeState.REFUSED, 5, DataPurpose.MEASURE),
    )]  # fmt: skip
    for word in of_events:
        note_consent([word])
    send(act(user_id="bob", ago=1))
    for view, own in (
        ("events_to_personalise", Event.objects.to_personalise()), ("events_to_measure", Event.objects.to_measure()),
    ):  # fmt: skip
        seen = {event for (event,) in rows(f"SELECT event_id FROM {view}")}
        assert seen == set(own.values_list("event_id", flat=True))
    whose = [key for (key,) in rows("SELECT person_id FROM events_to_personalise ORDER BY 1 NULLS FIRST")]
    assert whose == [None, *sorted([key_of("bob"), key_of("cleo"), key_of("dan")])]
    whose = [key for (key,) in rows("SELECT DISTINCT person_id FROM events_to_measure ORDER BY 1 NULLS FIRST")]
    assert whose == [None, *sorted([key_of("ada"), key_of("bob"), key_of("dan")])]


def key_of(name: str) -> int:
    return Customer.objects.get(pseudonym=pseudonym(name)).pk
