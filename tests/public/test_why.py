"""Why did I get this mail? Only who holds the mail is told, and no purchase stands on the page."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Campaign, Message, Slate
from recommendations.push_terms import CampaignKind, Purpose, Trigger
from recommendations.services.contacts.links import link_path
from recommendations.services.contacts.tokens import LASTS, LinkKind, SignedLink, token_of
from tests.public.pages import do, shown, undone
from tests.public.test_unsubscribe import sent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
UNKNOWN = "We no longer know the mail that led you here."


def handed(name: str = "ann", *, personalised: bool = True, **fields: object) -> Message:
    """A message that left, with its list."""
    now = timezone.now()
    message = sent(name, handed_at=now, recommendation_id=f"r-{name}", **fields)
    Slate.objects.create(
        served_at=now + timedelta(seconds=1), recommendation_id=message.recommendation_id, placement="email",
        source="model", personalised=personalised, items=[], scores=[], propensities=[],
    )  # fmt: skip
    return message


def page(message: Message, token: str, *, whose: Message | None = None) -> str:
    address = (whose or message).address
    assert address is not None
    path = link_path(address, LinkKind.PREFERENCES, now=timezone.now())
    return shown(Client().get(path, {"why": token}))


def token(message: Message, *, kind: LinkKind = LinkKind.REASON, age: timedelta = timedelta()) -> str:
    return token_of(SignedLink(kind, message.pk), now=timezone.now() - age)


def test_the_page_says_what_called_for_the_mail() -> None:
    message = handed(purpose=Purpose.REMINDERS)
    text = page(message, token(message))
    assert "You said yes to “Reminders” on " in text
    assert "It is a mail that was sent once, and does not come again." in text
    assert "A program chose the products by what you bought" in text
    Campaign.objects.update(kind=CampaignKind.RECURRING)
    assert "It is one of the mails that come on set days." in page(message, token(message))
    message.campaign.kind, message.campaign.trigger = CampaignKind.TRIGGERED, Trigger.CART_LEFT
    message.campaign.save()
    assert "You had put something into the cart and not bought it yet." in page(message, token(message))


def test_what_was_the_same_for_all_is_said_to_be_so() -> None:
    message = handed(personalised=False)
    assert "nothing that you bought was used to choose them" in page(message, token(message))


def test_a_yes_that_was_taken_back_is_said_to_be() -> None:
    message = handed(purpose=Purpose.REMINDERS)
    Client().post(link_path(message.address, LinkKind.PREFERENCES, now=timezone.now()), {"act": "stop"})  # type: ignore[arg-type]
    assert "have taken that back since" in page(message, token(message))


def test_a_yes_that_is_said_anew_is_not_that_of_the_mail() -> None:
    message = handed(purpose=Purpose.REMINDERS)
    before = page(message, token(message))
    centre = link_path(message.address, LinkKind.PREFERENCES, now=timezone.now())  # type: ignore[arg-type]
    undone(centre, do(centre, act="stop"))
    said = r"You said yes to “Reminders” on [^<]+?\."
    assert re.search(said, page(message, token(message)))[0] == re.search(said, before)[0]  # type: ignore[index]


def test_nobody_is_told_of_a_mail_that_they_do_not_hold() -> None:
    ann, bob = handed(), handed("bob")
    waiting = sent("eve")
    for wrong in (str(ann.pk), token(bob), token(ann, kind=LinkKind.CLICK), "x", token(ann)[:-1]):
        assert UNKNOWN in page(ann, wrong)
    assert UNKNOWN in page(ann, token(ann, age=LASTS[LinkKind.REASON] + timedelta(minutes=2)))
    assert UNKNOWN in page(waiting, token(waiting))
    assert "Why did I get this mail?" not in page(ann, "")
