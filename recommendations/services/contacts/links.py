"""Links that name an address: how one is made, and whose it is."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from recommendations.models import Address
from recommendations.push_terms import AddressState
from recommendations.services.contacts.tokens import LinkKind, SignedLink, opened, token_of

GENERATIONS = 256  # that a token tells apart
PAGES = {
    LinkKind.PREFERENCES: "preference_centre",
    LinkKind.CONFIRM: "confirm_address",
    LinkKind.OWN_DATA: "own_data",
    LinkKind.CLICK: "follow_link",
    LinkKind.UNSUBSCRIBE: "unsubscribe",
    LinkKind.DISLIKE: "dislike_item",
    LinkKind.OBJECT: "object",
    LinkKind.MY_DATA: "my_data",
}


def link_path(address: Address, kind: LinkKind, *, now: datetime) -> str:
    """Path of a page for the owner of an address."""
    return path_of(SignedLink(kind, address.pk, generation=address.contact.link_generation), now=now)


def path_of(link: SignedLink, *, now: datetime) -> str:
    return reverse(PAGES[link.kind], args=[token_of(link, now=now)])


def link_to(link: SignedLink, *, now: datetime) -> str:
    """Whole web address of a link in a message or an answer; it leads to ``PUBLIC_URL``."""
    return f"{settings.PUBLIC_URL}{path_of(link, now=now)}"


def link_for(address: Address, kind: LinkKind, *, now: datetime) -> str:
    """Whole web address of a page for whoever reads the mail; it leads to ``PUBLIC_URL``."""
    return f"{settings.PUBLIC_URL}{link_path(address, kind, now=now)}"


def address_of_token(token: str, kind: LinkKind, *, now: datetime) -> Address | None:
    """The address that a token opens; None for one that is not ours, too old, void, or of an address that is gone."""
    link = opened(token, kind, now=now)
    if link is None:
        return None
    living = Address.objects.exclude(state=AddressState.GONE).select_related("contact__customer")
    address = living.filter(pk=link.key).first()
    return address if address and address.contact.link_generation % GENERATIONS == link.generation else None
