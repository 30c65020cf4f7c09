"""The reach of a person: contacts of all their keys, addresses with stars and why they are silent, what was said."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from pytest_django import DjangoAssertNumQueries

from recommendations.models import Address, Contact
from recommendations.push_terms import (
    AddressState,
    Channel,
    ConsentSource,
    ConsentState,
    Obstacle,
    Purpose,
    SuppressionReason,
)
from recommendations.services.contacts.reach import MOST_STATEMENTS, Reach, reach_of
from recommendations.store.contacts import ledger, silence
from tests.services.contacts.addresses import NOW, PROOF, address_of, said

pytestmark = pytest.mark.django_db


def reach(*keys: int) -> list[Reach]:
    return reach_of(keys or list(Contact.objects.values_list("pk", flat=True)), now=NOW)


def test_nobody_without_a_contact() -> None:
    assert reach(17) == []


def test_what_is_known_of_a_contact(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    address_of(email="first@example.com", confirmed=True)
    address_of(
        email="second@example.com", confirmed=True, time_zone="Asia/Tokyo",
        consents=[said("news"), said("news", "withdrawn", at="2026-08-02T10:00:00Z"), said("for_you")],
        now=NOW + timedelta(hours=1),
    )  # fmt: skip
    contact = Contact.objects.get().pk
    with django_assert_num_queries(5):
        [one] = reach(contact)
    [address] = one.addresses
    assert (address.masked, address.address.state, address.silent) == ("s•••@example.com", AddressState.ACTIVE, None)
    assert address.since == NOW + timedelta(hours=1)
    assert one.gone == 1
    assert [(each.permission.purpose, each.permission.state) for each in one.said] == [
        (Purpose.FOR_YOU, ConsentState.GIVEN), (Purpose.REMINDERS, ""), (Purpose.NEWS, ConsentState.WITHDRAWN),
    ]  # fmt: skip
    assert [(each.statement.purpose, each.statement.state) for each in one.statements] == [
        ("news", "withdrawn"), ("for_you", "given"), ("news", "given"),
    ]  # fmt: skip
    assert all(each.proof == PROOF for each in one.statements)
    assert not one.older


def test_a_yes_beside_a_new_address_that_nobody_confirmed_is_held() -> None:
    address_of(confirmed=True, consents=[said("news")])
    assert [each.held_by for each in reach()[0].said] == [None, None, None]
    address = address_of(email="new@example.com")
    assert [each.held_by for each in reach()[0].said] == [None, None, Obstacle.UNCONFIRMED]
    assert not reach()[0].addresses[0].asked_in_vain
    Address.objects.filter(pk=address.pk).update(confirmations=2)
    assert reach()[0].addresses[0].asked_in_vain


def test_a_channel_stands_beside_mail_once_something_is_said_of_it() -> None:
    address_of(consents=[{**said("news"), "channel": "webhook"}])
    [one] = reach()
    assert [(each.address.channel, each.masked) for each in one.addresses] == [
        ("email", "u•••@example.com"), ("webhook", "•••"),
    ]  # fmt: skip
    assert [(each.permission.channel, each.permission.purpose, each.permission.state) for each in one.said][3:] == [
        ("webhook", "for_you", ""), ("webhook", "reminders", ""), ("webhook", "news", "given"),
    ]  # fmt: skip
    [hook] = [each for each in one.addresses if each.address.channel == "webhook"]
    silence.silence(Channel.WEBHOOK, bytes(hook.address.digest), reason=SuppressionReason.STAFF, now=NOW)
    assert [each.silent is not None for each in reach()[0].addresses] == [False, True]
    assert one.said[5].held_by is None
    assert reach()[0].said[5].held_by is Obstacle.SILENT


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_a_silent_address_says_why_and_who_may_end_it(reason: SuppressionReason) -> None:
    address = address_of()
    silence.silence(Channel.EMAIL, bytes(address.digest), reason=reason, now=NOW)
    [one] = reach()[0].addresses
    assert one.silent
    assert (one.silent.reason, one.silent.at) == (reason, NOW)
    assert one.may_speak == (reason in {SuppressionReason.STAFF, SuppressionReason.HARD_BOUNCE})
    assert one.owner_may_speak == (reason == SuppressionReason.UNSUBSCRIBED_ALL)


def test_contacts_stand_in_the_order_of_the_keys() -> None:
    first, second = address_of("u1").contact_id, address_of("u2").contact_id
    assert [each.contact.pk for each in reach(second, first)] == [second, first]


@pytest.mark.parametrize("keys", [["another key of at least 32 characters"], []])
def test_an_address_that_no_key_opens_has_no_text(settings: LazySettings, keys: list[str]) -> None:
    address_of()
    settings.CONTACT_KEYS = keys
    assert [each.masked for each in reach()[0].addresses] == [""]


def test_an_address_in_a_proof_has_stars() -> None:
    proof = {"form": "mail of bo@example.com", "ann@example.com": "checkout"}
    address_of(consents=[said("news") | {"proof": proof}])
    assert reach()[0].statements[0].proof == {"form": "mail of b•••@example.com", "a•••@example.com": "checkout"}


def test_the_latest_statements_are_there_and_that_there_are_older() -> None:
    contact = address_of().contact_id
    ledger.record(
        [
            ledger.Statement(
                contact=contact, channel=Channel.EMAIL, purpose=Purpose.NEWS, state=ConsentState.WITHDRAWN,
                at=NOW - timedelta(days=day), source=ConsentSource.API,
            )
            for day in range(MOST_STATEMENTS + 1)
        ]
    )  # fmt: skip
    [one] = reach()
    assert one.older
    assert [each.statement.at for each in one.statements] == [NOW - timedelta(days=d) for d in range(MOST_STATEMENTS)]


def test_a_pause_that_is_over_is_none() -> None:
    contact = address_of().contact_id
    for days, expected in ((-1, None), (1, NOW + timedelta(days=1))):
        Contact.objects.filter(pk=contact).update(paused_until=NOW + timedelta(days=days))
        assert reach()[0].paused_until == expected
