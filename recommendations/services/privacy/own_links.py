"""Links that a customer gets with an answer, or from the shop: whose they are, and where they lead."""

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse

from recommendations.models import Customer, CustomerAlias
from recommendations.services.contacts.links import link_to
from recommendations.services.contacts.tokens import MINUTE, LinkKind, SignedLink, opened
from recommendations.store.events.generations import settled
from recommendations.store.events.pseudonyms import pseudonym

NOBODY = 0
"""Instead of a customer's key: the id is known to nobody, and its page says so."""

type OpenedLink = tuple[SignedLink, Customer | None]


def customer_of_token(token: str, kind: LinkKind, *, now: datetime) -> OpenedLink | None:
    """The link of a token and its customer, who is None where it was made for an id that nobody knows.

    None where the link opens nothing: it is not ours or too old, or its customer was erased, or was a visitor who has
    signed in since. A link that was left in a browser must not lead to whoever signs in there next.
    """
    link = opened(token, kind, now=now)
    if link is None:
        return None
    if link.key == NOBODY:
        return (link, None) if kind is LinkKind.MY_DATA else None
    joined = CustomerAlias.objects.filter(anonymous=OuterRef("pk"), undone_at=None)
    themselves = Customer.objects.select_related("contact").filter(~Exists(joined), pk=link.key, erased_at=None)
    customer = themselves.first()
    return None if customer is None else (link, customer)


def is_joined(customer: Customer) -> bool:
    """Whether a visitor became somebody else, whose data whoever was before that browser need not see."""
    return CustomerAlias.objects.filter(anonymous=customer, undone_at=None).exists()


def own_address(kind: LinkKind, customer: int, *, item: int = 0, language: str = "", now: datetime) -> str:
    """Whole web address of a page for a customer, who reads it in this language, else in their own."""
    return _in_language(link_to(SignedLink(kind, customer, item=item), now=now), language)


def link_to_my_data(user_id: str, *, minutes: int, language: str = "", now: datetime) -> tuple[str, datetime]:
    """Web address of all that is held of a customer, for them to see, take along or have erased; and how long it works.

    Whoever has it can do all of this, so the shop gives it to nobody but the customer, who is signed in there. Raises
    RotatingError, as nobody is to read that nothing is held while it cannot be known.
    """
    with settled() as layers:
        named = Customer.objects.filter(pseudonym=pseudonym(user_id, layers=layers), erased_at=None)
        known = named.values_list("pk", flat=True).first()
    link = SignedLink(LinkKind.MY_DATA, known or NOBODY, minutes=minutes)
    made = now.replace(second=0, microsecond=0)  # tokens know the minute
    return _in_language(link_to(link, now=made), language), made + minutes * MINUTE


def address_of_statement(language: str) -> str:
    """Whole web address of the page that says what recommendations go by."""
    return f"{settings.PUBLIC_URL}{reverse('how_we_recommend')}?{urlencode({'lang': language})}"


def _in_language(address: str, language: str) -> str:
    return f"{address}?{urlencode({'language': language})}" if language else address
