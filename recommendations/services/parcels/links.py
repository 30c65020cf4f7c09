"""Links of a message: each is signed, says which message and place it is of, and holds no address."""

from datetime import datetime

from recommendations.models import Address
from recommendations.services.contacts.links import link_for, link_to
from recommendations.services.contacts.tokens import LinkKind, SignedLink, token_of
from recommendations.services.parcels.rendering import Links

HOME = 255  # place of the link to the shop, beside those of the items


def links_of(message: int, address: Address, *, now: datetime) -> Links:
    """Links of a message (by key) that leaves for an address now."""
    generation = address.contact.link_generation
    page = link_for(address, LinkKind.PREFERENCES, now=now)
    return Links(
        home=link_to(SignedLink(LinkKind.CLICK, message, HOME), now=now),
        item=lambda place: link_to(SignedLink(LinkKind.CLICK, message, place), now=now),
        unsubscribe=link_to(SignedLink(LinkKind.UNSUBSCRIBE, message, generation=generation), now=now),
        preferences=page,
        reasons=f"{page}?why={token_of(SignedLink(LinkKind.REASON, message), now=now)}",
    )


def preview_links() -> Links:
    """Links of a preview, which lead nowhere."""
    return Links(home="#", item=lambda _place: "#", unsubscribe="#", preferences="#", reasons="#")
