"""Pages behind *Why this?*: they ask, and a button answers. Scanners open links, and press no buttons."""

from django.http import HttpResponse

from recommendations.models import Customer, Item
from recommendations.public.door import CustomerGuest, Guest, customer_door, nothing
from recommendations.services.contacts.tokens import LinkKind
from recommendations.services.privacy import own_acts


@customer_door(LinkKind.DISLIKE)
def dislike_item(guest: CustomerGuest) -> HttpResponse:
    """Page that takes an item out of the lists of its reader; whoever comes again is told that it is out of them."""
    item = Item.objects.filter(pk=guest.link.item).first()
    if guest.customer is None or item is None:
        return nothing(guest.request)
    may, asked = guest.customer.personalise, guest.deed == "dislike"
    did = may and (asked or own_acts.is_disliked(guest.customer, item))
    if did and asked:
        own_acts.dislike(guest.customer, item, now=guest.now)
    return guest.answer("dislike", {"item": item, "did": did, "objected": not may})


@customer_door(LinkKind.OBJECT)
def object_to_use(guest: CustomerGuest) -> HttpResponse:
    """Page that ends and begins again that lists go by what their reader did."""
    if guest.customer is None:
        return nothing(guest.request)
    follow_word(guest, guest.customer)
    return guest.answer("object", {"objected": not guest.customer.personalise, "said": guest.deed})


def follow_word(guest: Guest, customer: Customer) -> bool:
    """Do what the form says of the use of what somebody did; False where it says nothing of it."""
    if guest.deed not in {"object", "allow"}:
        return False
    act = own_acts.object_to_use if guest.deed == "object" else own_acts.allow_use
    act(customer, now=guest.now)
    customer.refresh_from_db()
    return True
