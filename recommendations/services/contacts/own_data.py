"""What is kept of somebody to write to them, as a file, and the link to it, which is mailed to their own address."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from recommendations.channels.protocol import Later, Outcome
from recommendations.models import Address, ConsentStatement, Customer, StatedTaste
from recommendations.push_terms import Channel
from recommendations.services.access.keys import rates
from recommendations.services.access.rates import HOUR
from recommendations.services.contacts.links import link_for
from recommendations.services.contacts.own_messages import everything_of
from recommendations.services.contacts.tokens import LinkKind
from recommendations.services.mails.line import mail_line, missing_settings
from recommendations.services.mails.service import ServiceMail, parcel_of
from recommendations.store.contacts.book import LIVING
from recommendations.store.contacts.sealing import OWN, masked, unseal

TASK = "recommendations.tasks.send_own_data_link"
LINKS_AN_HOUR = 3
log = structlog.get_logger(__name__)


class CannotMailError(Exception):
    """The installation cannot send e-mail now."""


class NotConfirmedError(Exception):
    """An address whose owner never said that it is theirs may be anybody's, so nothing is shown there."""


class TooManyLinksError(Exception):
    """A contact was sent so many links that the next one has to wait, ``wait`` seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"wait {wait:.0f} s")
        self.wait = wait


class NotTakenError(Exception):
    """The mail server asks to come again."""


def ask_for_link(address: Address) -> None:
    """Have a worker send the link. Raises NotConfirmedError, CannotMailError and TooManyLinksError."""
    if address.confirmed_at is None:
        raise NotConfirmedError
    if missing_settings():
        raise CannotMailError
    rate = rates().take(f"own-data:{address.contact_id}", limit=LINKS_AN_HOUR, window=HOUR)
    if rate.wait is not None:
        raise TooManyLinksError(rate.wait)
    try:
        current_app.send_task(TASK, args=[address.pk], queue="default", expires=HOUR)
    except OperationalError as error:
        raise CannotMailError from error


def send_link(address_pk: int, *, now: datetime) -> Outcome | None:
    """Send the mail; what the server said, None where the address is gone. Raises NotTakenError, to try again."""
    address = Address.objects.select_related("contact").filter(pk=address_pk).exclude(sealed=b"").first()
    if address is None:
        return None
    with translation.override(address.contact.language):
        mail = _mail(address, now=now)
    parcel = parcel_of(mail, address=address.pk, opened=unseal(address.sealed), key=f"own-data-{address.pk}", now=now)
    with closing(mail_line()) as line:
        outcome = line.hand_over(parcel)
    log.info("link to own data", outcome=type(outcome).__name__)
    if isinstance(outcome, Later):
        raise NotTakenError(outcome.reason)
    return outcome


def statements_of(address: Address) -> Sequence[ConsentStatement]:
    """Everything that was ever said, the latest first."""
    return list(ConsentStatement.objects.filter(contact=address.contact_id).order_by("-at", "-pk"))


def address_of_customer(customer: Customer) -> Address | None:
    """The address in use that comes first; None where nothing is kept to write to them."""
    return next(iter(addresses_of(customer.pk)), None)


def addresses_of(contact: int) -> Sequence[Address]:
    """The addresses in use of a contact, those of mail first."""
    in_use = Address.objects.filter(contact=contact, state__in=LIVING).exclude(sealed=b"")
    each = in_use.select_related("contact__customer").order_by("pk")
    return sorted(each, key=lambda address: address.channel != Channel.EMAIL)


def masked_address(address: Address) -> str:
    """The address as its owner knows it again, and nobody else learns it."""
    return masked(unseal(address.sealed))


def file_of(address: Address, *, now: datetime) -> dict[str, Any]:
    """All that is kept to write to somebody, their addresses in full, as JSON has it."""
    contact = address.contact
    return {
        "shop": settings.SHOP_NAME,
        "made_at": now,
        "contact": {
            "language": contact.language,
            "time_zone": contact.time_zone or settings.TIME_ZONE,
            "most_a_week": contact.most_a_week,
            "paused_until": contact.paused_until,
            "quiet_from": contact.quiet_from,
            "quiet_until": contact.quiet_until,
            "recommendations_by_traits": contact.customer.personalise,
            "created_at": contact.created_at,
            "changed_at": contact.changed_at,
        },
        "stated_taste": _taste(contact.customer_id),
        "addresses": [
            {
                "channel": each.channel,
                "address": unseal(each.sealed)[OWN[Channel(each.channel)]] if each.sealed else None,
                "state": each.state,
                "created_at": each.created_at,
                "confirmed_at": each.confirmed_at,
                "confirmation_mails": each.confirmations,
                "asked_at": each.asked_at,
            }
            for each in contact.addresses.order_by("pk")
        ],
        "permissions": list(
            contact.permissions.order_by("channel", "purpose").values("channel", "purpose", "state", "since", "source")
        ),
        "statements": [
            {
                name: getattr(each, name)
                for name in ("channel", "purpose", "state", "at", "source", "proof", "recorded_at")
            }
            for each in statements_of(address)
        ],
        **everything_of(address.contact_id),
    }


def _taste(customer: int) -> dict[str, Any] | None:
    stated = StatedTaste.objects.filter(customer=customer).values("categories", "item_ids", "tags", "stated_at")
    return next(map(dict, stated), None)


def _mail(address: Address, *, now: datetime) -> ServiceMail:
    return ServiceMail(
        language=address.contact.language,
        subject=_("What %(shop)s stores about you") % {"shop": settings.SHOP_NAME},
        preheader=_("The link works for an hour."),
        intro=_(
            "The link shows what is kept to write to you; you can download it or have it erased. It works for an hour."
        ),
        button=_("See what is kept"),
        link=link_for(address, LinkKind.OWN_DATA, now=now),
        why=_(
            "You get this because somebody asked for it on the page of your preferences. If it was not you, do nothing."
        ),
    )
