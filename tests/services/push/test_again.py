"""What nobody knows of is settled by the provider's word, or sent again by staff a day later."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from demo.settling import settle_unknown
from recommendations.models import Address, AuditEntry, Campaign, Message, Occurrence
from recommendations.push_terms import MessageState, Purpose
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.campaigns.form import as_json, frozen_of
from recommendations.services.campaigns.lifecycle import CampaignOverError
from recommendations.services.mails.letters import message_id
from recommendations.services.mails.returns import ReturnedTo, id_part, message_of_id, return_path, returned_to
from recommendations.services.push import again
from tests.demo.mails import mail, put
from tests.push_records import campaign, contact
from tests.services.campaigns.test_form import draft
from tests.store.push.test_outbox import reserve, withdraw

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=24)


def unknown(*names: str, settled: timedelta = DAY) -> Occurrence:
    """Messages of a campaign of which nobody knows since so long ago whether they arrived."""
    made = campaign(**as_json(frozen_of(draft(), recurring=False, triggered=False)))
    reserve(made, *(contact(name) for name in names))
    then = timezone.now() - settled
    Message.objects.update(
        state=MessageState.UNKNOWN, settled_at=then, handed_at=then, expires_at=then, reason="the sender ended"
    )
    return made


def test_staff_send_again_what_nobody_has_known_for_a_day() -> None:
    made = unknown("ann", "bo")
    Message.objects.filter(contact=Address.objects.last().contact_id).update(settled_at=timezone.now())  # type: ignore[union-attr]
    assert again.sendable(made.campaign) == 1
    with pytest.raises(NoteNeededError):
        again.send_again(made.campaign, by=None, note=" ")
    assert again.send_again(made.campaign, by=None, note="The provider knows nothing.") == 1
    ann, bo = Message.objects.order_by("pk")
    assert (ann.state, ann.settled_at, bo.state) == (MessageState.DUE, None, MessageState.UNKNOWN)
    assert timedelta(hours=71) < ann.expires_at - timezone.now() <= timedelta(hours=72)
    entry = AuditEntry.objects.get(verb="send again")
    assert (entry.after, entry.note) == ({"messages": 1}, "The provider knows nothing.")
    assert again.sendable(made.campaign) == 0


def test_who_said_no_meanwhile_gets_no_second_one() -> None:
    made = unknown("ann")
    again.send_again(made.campaign, by=None, note="Again.")
    withdraw(Address.objects.get(), Purpose.FOR_YOU)
    assert Message.objects.get().state == MessageState.WITHDRAWN


def test_a_campaign_that_is_over_sends_nothing_again() -> None:
    made = unknown("ann")
    Campaign.objects.update(ended_at=timezone.now())
    with pytest.raises(CampaignOverError):
        again.send_again(made.campaign, by=None, note="Again.")


@pytest.mark.parametrize(
    ("state", "handed", "expected"),
    [
        ("unknown", True, "taken"), ("due", True, "taken"), ("due", False, "due"), ("refused", True, "refused"),
        ("handing", True, "handing"),
    ],
)  # fmt: skip
def test_a_late_word_of_the_provider_counts_for_what_is_not_known(state: str, handed: bool, expected: str) -> None:
    unknown("ann")
    key = Message.objects.get().pk
    Message.objects.update(state=state, handed_at=timezone.now() if handed else None)
    assert again.taken_after_all([key]) == (expected == "taken")
    assert Message.objects.get().state == expected
    assert again.taken_after_all([key, key + 1]) == 0


def test_the_demo_settles_by_what_its_post_office_took(tmp_path: Path) -> None:
    unknown("ann", "bo")
    first, second = again.unknown_messages()
    assert settle_unknown(tmp_path) == 0
    put(tmp_path, mail(Message_ID=message_id(str(first), id_part(first))))
    put(tmp_path, mail(Message_ID=message_id(str(second), "0" * 16)))
    assert settle_unknown(tmp_path) == 1
    assert Message.objects.get(pk=first).state == MessageState.TAKEN
    assert again.unknown_messages() == [second]


def test_ids_and_return_paths_say_which_message_it_was_and_cannot_be_made_up(settings: LazySettings) -> None:
    settings.BOUNCE_DOMAIN, settings.PUSH_FROM = "bounce.shop.example", "hello@shop.example"
    own = message_id("12", id_part(12))
    assert message_of_id(own) == 12
    assert [message_of_id(text) for text in (own.replace("12.", "13."), "<12.0@x>", "", "<x>", "<12." + "0" * 16)] == (
        [None] * 5
    )
    for to in (ReturnedTo(True, 12), ReturnedTo(False, 12)):
        path = return_path(to)
        assert path.endswith("@bounce.shop.example")
        assert len(path.partition("@")[0]) <= 64
        assert returned_to(path) == returned_to(path.upper()) == to
        assert returned_to(path.replace("12", "13")) is None
    assert return_path(ReturnedTo(True, 1)).partition("-")[2] != return_path(ReturnedTo(False, 1)).partition("-")[2]
    settings.LINK_KEYS = ["another-key-of-at-least-32-characters", *settings.LINK_KEYS]
    assert message_of_id(own) == 12
    settings.LINK_KEYS = settings.LINK_KEYS[:1]
    assert message_of_id(own) is None
    settings.BOUNCE_DOMAIN = ""
    assert return_path(ReturnedTo(True, 12)) == "hello@shop.example"
