"""What is set aside does not count for a slate; what is restored does again, and what is deleted never."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from recommendations.engine.preprocess.suspects import Suspicion
from recommendations.ingest.facts import Sender
from recommendations.models import ApiKey, Customer, Event, Quarantine, Run
from recommendations.services.operations import quarantine as service
from recommendations.store.attribution.settle import settle
from recommendations.store.events import quarantine as store
from recommendations.store.events.id_cache import person_keys
from recommendations.store.events.quarantine import Case
from recommendations.terms import CustomerKind, Scope, Side, SuspicionRule
from tests.store.test_attribution import HOUR, NOW, act, counted, items, slate, take

__all__ = ["items"]
pytestmark = pytest.mark.django_db
LATELY = NOW - timedelta(hours=2)


def person(name: str = "u1") -> Customer:
    return Customer.objects.get(pk=person_keys([name], CustomerKind.SIGNED_IN)[name])


def figures() -> tuple[int, int, int]:
    while settle():
        pass
    seen = counted()
    return seen["seen"], seen["clicked"], seen["purchases"]


@pytest.fixture
def two_buyers() -> None:
    """Each has a slate of their own, a click and, an hour later, a purchase that follows it."""
    for user in ("u1", "u2"):
        slate(f"r-{user}", at=LATELY)
        take(
            act("select_item", "SKU1", of=f"r-{user}", at=LATELY, user_id=user),
            act("purchase", "SKU1", at=LATELY + HOUR, user_id=user, transaction_id=user),
        )


def set_aside(name: str = "u1") -> Quarantine:
    return service.set_aside_customer(customer=person(name), by=None, note="a robot")


def test_who_is_set_aside_counts_no_more_and_once_restored_again(two_buyers: None) -> None:
    assert figures() == (2, 2, 2)
    kept = set_aside()
    assert figures() == (1, 1, 1)
    take(act("select_item", "SKU2", of="r-u1", at=LATELY + HOUR))
    assert figures() == (1, 1, 1)
    service.restore(quarantine=kept, by=None, note="no robot", now=timezone.now())
    assert figures() == (2, 2, 2)


def test_what_a_run_sets_aside_counts_no_more(two_buyers: None) -> None:

    run = Run.objects.create(now=NOW)
    found = Suspicion(rule=SuspicionRule.PACE, people=np.array([person().pk]))
    store.keep(run, [Case(found, 2)])
    assert figures() == (1, 1, 1)


def test_what_a_visitor_did_goes_with_the_customer(two_buyers: None) -> None:
    slate("r-a", at=LATELY)
    take(act("select_item", "SKU1", of="r-a", at=LATELY, user_id=None, anonymous_id="a1"))
    take(act("view_item", "SKU1", anonymous_id="a1"))
    assert figures() == (3, 3, 2)
    set_aside()
    assert figures() == (1, 1, 1)


def test_what_a_key_sent_counts_no_more(two_buyers: None) -> None:
    key = ApiKey.objects.create(name="stolen", prefix="p", digest="d", side=Side.PAGE, scopes=[Scope.EVENTS_WRITE])
    slate("r-a", at=LATELY)
    sender = Sender(key=key.pk, side=Side.PAGE)
    take(act("select_item", "SKU1", of="r-a", at=LATELY, user_id=None, anonymous_id="a1"), sender=sender)
    assert figures() == (3, 3, 2)
    kept = service.set_aside_key(key=key, since=NOW - HOUR, until=None, by=None, note="it was stolen")
    assert figures() == (2, 2, 2)
    service.restore(quarantine=kept, by=None, note="it was not", now=timezone.now())
    assert figures() == (3, 3, 2)


def test_what_comes_once_a_key_was_deleted_stays() -> None:
    key = ApiKey.objects.create(name="stolen", prefix="p", digest="d", side=Side.PAGE, scopes=[Scope.EVENTS_WRITE])
    sender = Sender(key=key.pk, side=Side.PAGE)
    view = {"at": LATELY, "user_id": None, "anonymous_id": "a1"}
    take(act("view_item", "SKU1", **view), sender=sender)
    kept = service.set_aside_key(key=key, since=NOW - HOUR, until=None, by=None, note="it was stolen")
    service.delete(quarantine=kept, by=None, note="invented", now=timezone.now())
    Event.objects.update(received_at=timezone.now() - HOUR / 60)  # a minute before it was decided
    later = act("view_item", "SKU2", **view)
    take(later, sender=sender)
    Event.objects.filter(event_id=later.event_id).update(received_at=timezone.now() + HOUR / 60)
    assert service.sweep() == 1
    assert Event.objects.get().event_id == later.event_id


def test_what_is_deleted_does_not_count(two_buyers: None) -> None:
    kept = set_aside()
    service.delete(quarantine=kept, by=None, note="invented", now=timezone.now())
    assert service.sweep() == 2
    assert figures() == (1, 1, 1)


def test_who_is_set_aside_twice_counts_once_both_are_restored(two_buyers: None) -> None:
    first, second = set_aside(), set_aside()
    service.restore(quarantine=first, by=None, note="one", now=timezone.now())
    assert figures() == (1, 1, 1)
    service.restore(quarantine=second, by=None, note="other", now=timezone.now())
    assert figures() == (2, 2, 2)
