"""A replaced key goes on for a time beside its successor, which may do the same."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from recommendations.models import ApiKey, AuditEntry
from recommendations.services.access import keys
from recommendations.terms import Scope
from tests.api.test_keys import wait_until


@pytest.mark.django_db
def test_a_replaced_key_and_its_successor_may_do_the_same() -> None:
    old, secret = keys.create_key(
        name="Shop", scopes=[Scope.EVENTS_WRITE], origins=["https://shop.example"], requests_per_minute=7, by=None
    )
    before = timezone.now()
    new, other = keys.rotate_key(key=old, by=None)
    assert (new.prefix, other) != (old.prefix, secret)
    both = [keys.find_key(f"{old.prefix}.{secret}"), keys.find_key(f"{new.prefix}.{other}")]
    facts = [(key.scopes, key.origins, key.requests_per_minute) for key in both if key]
    assert facts == [({Scope.EVENTS_WRITE}, {"https://shop.example"}, 7)] * 2
    old.refresh_from_db()
    assert old.expires_at is not None
    assert timedelta(0) <= old.expires_at - before - keys.GRACE < timedelta(seconds=5)
    assert new.expires_at is None
    entry = AuditEntry.objects.get(verb="rotate")
    assert (entry.object_id, entry.after) == (
        str(old.pk),
        {"expires_at": old.expires_at.isoformat(), "replaced_by": new.prefix},
    )
    assert not any(word in json.dumps(list(AuditEntry.objects.values("after", "label"))) for word in (secret, other))


@pytest.mark.django_db
def test_a_replaced_key_expires_to_the_microsecond() -> None:
    old, _secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], origins=["https://shop.example"], by=None)
    keys.rotate_key(key=old, by=None)
    old.refresh_from_db()
    assert old.expires_at is not None
    ApiKey.objects.exclude(pk=old.pk).update(origins=[])
    ends, now = old.expires_at, [timezone.now()]
    ring = keys.KeyRing(now=lambda: now[0])
    for moment, valid in [(now[0], True), (ends - timedelta(microseconds=1), True), (ends, False)]:
        now[0] = moment
        assert (ring.find(old.prefix) is not None) == valid
        assert ring.knows_origin("https://shop.example", scope=Scope.EVENTS_WRITE) == valid


@pytest.mark.django_db
def test_a_key_is_replaced_once_and_while_it_is_valid() -> None:
    key, _ = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    newer, _ = keys.rotate_key(key=key, by=None)
    with pytest.raises(keys.NotReplaceableError):
        keys.rotate_key(key=key, by=None)
    keys.revoke_key(key=newer, by=None)
    with pytest.raises(keys.NotReplaceableError):
        keys.rotate_key(key=newer, by=None)
    assert ApiKey.objects.count() == 2


def test_replacing_a_key_twice_at_once_makes_one_key(transactional_db: None) -> None:
    key, _ = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    successors, refused = [], []

    def replace() -> None:
        try:
            successors.append(keys.rotate_key(key=key, by=None))
        except keys.NotReplaceableError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=replace) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(successors), len(refused), ApiKey.objects.count()) == (1, 3, 2)


def test_every_process_learns_of_a_replaced_key_within_a_second(transactional_db: None) -> None:
    old, _secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    process = keys.KeyRing()
    assert process.find(old.prefix) is not None
    new, _ = keys.rotate_key(key=old, by=None, grace=timedelta(seconds=0))
    assert wait_until(lambda: process.find(old.prefix) is None, 1)
    assert wait_until(lambda: process.find(new.prefix) is not None, 1)
