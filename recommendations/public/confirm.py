"""The page behind a confirmation mail: its button confirms. Scanners of mails open links, and press no buttons."""

from django.http import HttpResponse

from recommendations.public.door import AddressGuest, door
from recommendations.public.sentences import word, words
from recommendations.services.contacts.confirming import confirm, deny, wanted_purposes
from recommendations.services.contacts.links import link_path
from recommendations.services.contacts.preferences import preferences_of
from recommendations.services.contacts.tokens import LinkKind
from recommendations.wording import push_labels


@door(LinkKind.CONFIRM)
def confirm_address(guest: AddressGuest) -> HttpResponse:
    """Page that asks, and answers the button. Whoever has confirmed is told so, however often they come."""
    deed = guest.deed
    own = preferences_of(guest.address, now=guest.now)  # before, as a denial lets the address go
    if deed == "deny" and deny(guest.address, now=guest.now):
        return guest.answer("denied", {"address": own.address})
    did = deed == "confirm" and confirm(guest.address, now=guest.now)
    if did:
        guest.address.refresh_from_db()
        own = preferences_of(guest.address, now=guest.now)
    if own.waits or own.asked:
        names = [word(push_labels.PURPOSES, purpose) for purpose in wanted_purposes(guest.address)]
        return guest.answer("confirm", {"address": own.address, "names": names})
    context = {
        "address": own.address,
        "did": did,
        "names": words(push_labels.PURPOSES, (purpose for purpose, given in own.given.items() if given)),
        "centre": link_path(guest.address, LinkKind.PREFERENCES, now=guest.now),
    }
    return guest.answer("confirmed", context)
