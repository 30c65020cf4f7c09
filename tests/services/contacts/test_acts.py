"""Acts on one's own preferences: what holds after each, and that undoing gives back exactly what was before."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest

from recommendations.models import Contact, Customer, CustomerAlias, Permission, Suppression
from recommendations.push_terms import Channel, Purpose, SuppressionReason
from recommendations.services.contacts import acts
from recommendations.services.contacts.acts import OwnAct
from recommendations.services.contacts.preferences import preferences_of
from recommendations.store.contacts import silence
from recommendations.store.live import fetch
from recommendations.terms import CustomerKind
from tests.services.contacts.addresses import NOW, address_of, said

pytestmark = pytest.mark.django_db

YES = [said("for_you"), said("news", "refused")]
LATER = NOW + timedelta(hours=2)
MOST_LATER = LATER + timedelta(days=29)

type Deed = Callable[..., OwnAct]

DEEDS: dict[str, Deed] = {
    "a purpose off": lambda address, now: acts.switch(address, Purpose.FOR_YOU, on=False, now=now),
    "a refused purpose on": lambda address, now: acts.switch(address, Purpose.NEWS, on=True, now=now),
    "a purpose on that nobody spoke of": lambda address, now: acts.switch(address, Purpose.REMINDERS, on=True, now=now),
    "everything": lambda address, now: acts.stop(address, now=now),
    "a limit": lambda address, now: acts.limit(address, 1, now=now),
    "no limit": lambda address, now: acts.limit(address, None, now=now),
    "a pause": lambda address, now: acts.pause(address, now=now),
    "no pause": lambda address, now: acts.go_on(address, now=now),
    "quiet hours": lambda address, now: acts.keep_quiet(address, time(22), time(7), time_zone="Asia/Tokyo", now=now),
    "no quiet hours": lambda address, now: acts.keep_quiet(address, None, None, time_zone="", now=now),
    "no traits": lambda address, now: acts.recommend_by_traits(address, on=False, now=now),
    "traits": lambda address, now: acts.recommend_by_traits(address, on=True, now=now),
}


def everything() -> dict[str, Any]:
    """What holds, but for the moments at which it was said."""
    return {
        "contact": Contact.objects.values(
            "most_a_week", "paused_until", "quiet_from", "quiet_until", "time_zone"
        ).get(),
        "states": {
            purpose: state
            for purpose, state in Permission.objects.values_list("purpose", "state")
            if state != "withdrawn"
        },
        "silent": sorted(Suppression.objects.values_list("reason", flat=True)),
        "personalise": dict(Customer.objects.values_list("pk", "personalise")),
    }


def with_all_set() -> None:
    Contact.objects.update(
        most_a_week=3, paused_until=NOW + timedelta(days=9), quiet_from=time(21, 30), quiet_until=time(6),
        time_zone="Europe/Paris",
    )  # fmt: skip


@pytest.mark.parametrize("furnished", [False, True])
@pytest.mark.parametrize("deed", DEEDS)
def test_undoing_gives_back_exactly_what_was_before(deed: str, *, furnished: bool) -> None:
    address = address_of(consents=YES, confirmed=True)
    if furnished:
        with_all_set()
    before = everything()
    act = DEEDS[deed](address, LATER)
    assert acts.holds(address, act, now=LATER)
    assert (everything() == before) == (act.before == act.after)
    text = acts.signed(act, address, now=LATER)
    again = acts.of_signed(text, address, now=MOST_LATER)
    assert again == act
    undone = acts.undo(address, again, now=MOST_LATER)
    assert everything() == before
    assert (undone.undoes, undone.respect) == (True, act.respect)
    acts.undo(address, undone, now=MOST_LATER + timedelta(minutes=1))
    assert acts.holds(address, act, now=MOST_LATER)


def test_what_was_only_asked_is_asked_again() -> None:
    address = address_of(consents=YES)
    act = acts.stop(address, now=LATER)
    assert Permission.objects.get(purpose="for_you").state == "withdrawn"
    acts.undo(address, act, now=LATER + timedelta(days=1))
    assert Permission.objects.get(purpose="for_you").state == "asked"


def test_stopping_everything_silences_the_address_and_a_yes_lets_it_speak() -> None:
    address = address_of(consents=YES, confirmed=True)
    act = acts.stop(address, now=LATER)
    own = preferences_of(address, now=LATER)
    assert (any(own.given.values()), own.silent_for) == (False, SuppressionReason.UNSUBSCRIBED_ALL)
    acts.switch(address, Purpose.NEWS, on=True, now=LATER + timedelta(minutes=1))
    assert preferences_of(address, now=LATER).silent_for is None
    assert not acts.holds(address, act, now=LATER)


def test_undoing_speaks_for_no_address_that_is_silent_for_another_reason() -> None:
    address = address_of(consents=YES, confirmed=True)
    act = acts.stop(address, now=LATER)
    Suppression.objects.all().delete()
    silence.silence(Channel.EMAIL, bytes(address.digest), reason=SuppressionReason.COMPLAINT, now=LATER)
    acts.undo(address, act, now=LATER + timedelta(days=1))
    assert Suppression.objects.get().reason == SuppressionReason.COMPLAINT


def test_a_statement_of_a_shop_whose_clock_is_ahead_does_not_stand_against_a_no() -> None:
    address = address_of(consents=[said("for_you", at=(NOW + timedelta(minutes=9)).isoformat())], confirmed=True)
    acts.switch(address, Purpose.FOR_YOU, on=False, now=NOW + timedelta(minutes=1))
    assert Permission.objects.get().state == "withdrawn"


def merged(address: Any, *, personalise: bool, name: bytes) -> Customer:
    visitor = Customer.objects.create(pseudonym=name * 32, kind=CustomerKind.ANONYMOUS, personalise=personalise)
    CustomerAlias.objects.create(anonymous=visitor, customer=address.contact.customer, source="api", since=NOW)
    return visitor


@pytest.mark.usefixtures("valkey")
def test_the_next_answer_knows_of_an_objection_and_of_its_end() -> None:
    address = address_of(consents=YES, confirmed=True)
    act = acts.recommend_by_traits(address, on=False, now=LATER)
    assert fetch.state_of(address.contact_id, since=None).state.objected is True
    acts.undo(address, act, now=LATER + timedelta(minutes=1))
    assert fetch.state_of(address.contact_id, since=None).state.objected is False


def test_an_objection_is_of_all_keys_of_the_person_and_undone_key_by_key() -> None:
    address = address_of(consents=YES, confirmed=True)
    agrees, objects = merged(address, personalise=True, name=b"a"), merged(address, personalise=False, name=b"o")
    act = acts.recommend_by_traits(address, on=False, now=LATER)
    assert set(Customer.objects.values_list("personalise", flat=True)) == {False}
    acts.undo(address, act, now=LATER + timedelta(days=1))
    states = dict(Customer.objects.values_list("pk", "personalise"))
    assert states == {address.contact_id: True, agrees.pk: True, objects.pk: False}


def test_a_signed_act_is_of_one_address_and_lasts_30_days() -> None:
    address, other = address_of(consents=YES, confirmed=True), address_of("u2", consents=YES, confirmed=True)
    text = acts.signed(acts.stop(address, now=LATER), address, now=LATER)
    assert acts.of_signed(text, address, now=LATER + timedelta(days=30)) is not None
    assert acts.of_signed(text, address, now=LATER + timedelta(days=30, minutes=1)) is None
    assert acts.of_signed(text, other, now=LATER) is None
    for forged in ("", "x", text[:-1], text + "A", text.replace(":", "."), "ünsinn:x", "\x00"):
        assert acts.of_signed(forged, address, now=LATER) is None


def test_two_acts_at_one_moment_leave_what_the_second_says() -> None:
    address = address_of(consents=YES, confirmed=True)
    acts.switch(address, Purpose.FOR_YOU, on=False, now=LATER)
    acts.switch(address, Purpose.FOR_YOU, on=True, now=LATER)
    assert Permission.objects.get(purpose="for_you").state == "given"
