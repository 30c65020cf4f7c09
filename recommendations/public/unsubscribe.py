"""One-click unsubscribe (RFC 8058): a POST withdraws, without a cookie or another page; opening the link asks first."""

from django.http import HttpResponse

from recommendations.public.door import AddressGuest, door
from recommendations.public.sentences import word
from recommendations.push_terms import ConsentSource
from recommendations.services.contacts import acts
from recommendations.services.contacts.links import link_path
from recommendations.services.contacts.tokens import LinkKind
from recommendations.services.push.unsubscribing import (
    address_of_unsubscribing,
    message_of_token,
    purpose_of,
    take_back,
    unsubscribe,
)
from recommendations.wording import push_labels


@door(LinkKind.UNSUBSCRIBE, whose=address_of_unsubscribing)
def unsubscribe_page(guest: AddressGuest) -> HttpResponse:
    """Page with a button. Whatever is posted to it unsubscribes, as mail programs do, unless it asks for the undo."""
    message = message_of_token(guest.token, now=guest.now)
    if message is None:
        raise ValueError("whoever is let in has a message")
    context = {
        "purpose": word(push_labels.PURPOSES, purpose_of(message)),
        "centre": link_path(guest.address, LinkKind.PREFERENCES, now=guest.now),
    }
    if guest.request.method != "POST":
        return guest.answer("unsubscribe", context)
    was = acts.of_signed(guest.request.POST.get("was", ""), guest.address, now=guest.now)
    if was is not None:
        take_back(message, was, now=guest.now)
        return guest.answer("resubscribed", context)
    by_page = "on_page" in guest.request.POST  # anything else is posted by a mail program
    source = ConsentSource.PREFERENCES if by_page else ConsentSource.ONE_CLICK
    act = unsubscribe(message, now=guest.now, source=source)
    signed = acts.signed(act, guest.address, now=guest.now) if act.before != act.after else ""
    return guest.answer("unsubscribed", {**context, "was": signed})
