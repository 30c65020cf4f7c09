"""The customer of an event follows from its ids and from what its consent says: mergers and objections."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from recommendations.models import Customer, CustomerAlias, Event
from recommendations.store.process_held import drop_all
from recommendations.terms import CustomerKind
from tests.api.conftest import ApiClient
from tests.api.events.conftest import EVENTS, accepted, event, key_of, results, when


def test_an_anonymous_visitor(api: ApiClient) -> None:
    row = accepted(api, event(user_id=..., anonymous_id="a1"))
    customer = Customer.objects.get()
    assert (row.customer_id, customer.kind) == (customer.pk, "anonymous")


def test_both_ids_are_the_user_and_make_a_merger(api: ApiClient) -> None:
    early, late = when(hours=3), when(hours=2)
    accepted(api, event(user_id=..., anonymous_id="a1"))
    results(api.post(EVENTS, {"events": [event(anonymous_id="a1", timestamp=stamp) for stamp in (late, early)]}))
    alias = CustomerAlias.objects.get()
    assert (alias.anonymous_id, alias.customer_id) == (key_of("a1", CustomerKind.ANONYMOUS), key_of("u1"))
    assert (alias.source, alias.since) == ("event", datetime.fromisoformat(early))
    assert Event.objects.filter(customer=alias.customer_id).count() == 2
    results(api.post(EVENTS, event(user_id="u2", anonymous_id="a1")))  # a shared device: the first stays
    assert CustomerAlias.objects.get() == alias


def test_a_merger_that_was_undone_stays_undone(api: ApiClient) -> None:
    results(api.post(EVENTS, event(anonymous_id="a1")))
    CustomerAlias.objects.update(undone_at=timezone.now())
    results(api.post(EVENTS, event(anonymous_id="a1")))
    assert CustomerAlias.objects.get().undone_at is not None
    results(api.post(EVENTS, event(user_id="u2", anonymous_id="a1")))
    assert CustomerAlias.objects.get(undone_at=None).customer_id == key_of("u2")


def said(yes: bool | None, **fields: Any) -> dict[str, Any]:
    return event(consent={"personalisation": yes}, **fields)


def may(shop_id: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> bool:
    return Customer.objects.get(pk=key_of(shop_id, kind)).personalise


def test_an_objection_stores_the_event_without_the_customer(api: ApiClient) -> None:
    row = accepted(api, said(False, session_id="s1"))
    assert (row.customer_id, row.session_id, row.item_id is None) == (None, None, False)
    assert not may("u1")


def test_an_objection_holds_until_it_is_taken_back(api: ApiClient) -> None:
    accepted(api, said(False, timestamp=when(hours=5)))
    row = accepted(api, event(timestamp=when(hours=4), session_id="s1"))  # says nothing: unchanged
    assert (row.customer_id, row.session_id) == (None, None)
    row = accepted(api, said(True, timestamp=when(hours=3), session_id="s1"))
    assert (row.customer_id, row.session_id) == (key_of("u1"), "s1")
    assert may("u1")


def test_an_older_agreement_that_comes_late_changes_nothing(api: ApiClient) -> None:
    accepted(api, said(True, timestamp=when(hours=9)))
    accepted(api, said(False, timestamp=when(hours=5)))
    accepted(api, said(False, timestamp=when(hours=3)))
    row = accepted(api, said(True, timestamp=when(hours=4)))
    assert row.customer_id is None
    assert not may("u1")
    drop_all()  # nor in a process that knows nothing
    assert results(api.post(EVENTS, said(True, timestamp=when(hours=4))))[0]["verdict"] == "accepted"
    assert not may("u1")


def test_the_newest_consent_of_a_batch_counts(api: ApiClient) -> None:
    rows = [said(False, timestamp=when(hours=1)), said(True, timestamp=when(hours=2))]
    results(api.post(EVENTS, {"events": rows}))
    assert not may("u1")
    assert list(Event.objects.values_list("customer_id", flat=True)) == [None, None]


def test_an_objection_holds_for_all_merged_ids(api: ApiClient) -> None:
    accepted(api, event(anonymous_id="a1", timestamp=when(hours=9)))  # joins a1 to u1
    accepted(api, said(False, timestamp=when(hours=8), user_id=..., anonymous_id="a1"))
    assert not may("u1")
    assert not may("a1", CustomerKind.ANONYMOUS)
    accepted(api, said(True, timestamp=when(hours=7)))
    assert may("a1", CustomerKind.ANONYMOUS)


def test_an_objection_with_both_ids_makes_no_merger(api: ApiClient) -> None:
    accepted(api, said(False, anonymous_id="a1"))
    assert not CustomerAlias.objects.exists()
    accepted(api, event(anonymous_id="a1"))
    assert not CustomerAlias.objects.exists()


def test_an_objection_needs_no_id(api: ApiClient) -> None:
    assert accepted(api, said(False, user_id=...)).customer_id is None
    assert not Customer.objects.exists()


def test_a_row_that_is_refused_changes_no_consent(api: ApiClient) -> None:
    accepted(api, event())
    results(api.post(EVENTS, said(False, items=[])), 400)
    assert may("u1")
