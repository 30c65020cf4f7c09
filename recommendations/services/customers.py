"""Customers: their search by their code or the shop's own id, what the shop says of them, and mergers of a visitor.

The shop's ids are hashed and never stored.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from recommendations.customer_codes import customer_key
from recommendations.fields import MOST_PROPERTIES
from recommendations.models import Customer, CustomerAlias
from recommendations.store.events import id_cache, mergers, pseudonyms
from recommendations.store.events.mergers import MergedElsewhereError, Merger, Told
from recommendations.store.live import writes
from recommendations.store.live.writes import Joined, liked_now
from recommendations.terms import CustomerKind

__all__ = [
    "BlockedIdError", "FoundCustomer", "MergedElsewhereError", "Told", "TooManyPropertiesError", "find_customers",
    "locked_customer", "merge_customers", "set_properties", "unmerge_customers",
]  # fmt: skip


class TooManyPropertiesError(Exception):
    """The customer would have more properties than are kept."""

    def __init__(self, number: int) -> None:
        super().__init__(f"{number} properties of a customer")
        self.number = number


class BlockedIdError(Exception):
    """The id was erased and is blocked: it is no customer until the block is lifted."""


class FoundCustomer(NamedTuple):
    """A customer, and the id of the shop by which they were found; none where it was the code."""

    customer: Customer
    shop_id: str = ""


def find_customers(*, typed: str) -> list[FoundCustomer]:
    """Customers with this id of the shop, who is signed in first, then the one with this code; each once.

    A visitor who was merged into a customer is that customer.
    """
    typed = typed.strip()
    if not typed:
        return []
    named = [FoundCustomer(customer, typed) for customer in _whole(pseudonyms.known_customers(typed))]
    key = customer_key(typed)
    if key is not None:
        named += [FoundCustomer(customer) for customer in _whole(Customer.objects.filter(pk=key, erased_at=None))]
    return list({one.customer: one for one in reversed(named)}.values())[::-1]


def _whole(customers: Iterable[Customer]) -> list[Customer]:
    """The customers that these are now, who is signed in first."""
    known = list(customers)
    if not known:
        return []
    aliases = CustomerAlias.objects.filter(anonymous__in=known, undone_at=None).select_related("customer")
    owner = {alias.anonymous_id: alias.customer for alias in aliases}
    now = [owner.get(customer.pk, customer) for customer in known]
    return sorted(dict.fromkeys(now), key=lambda customer: customer.kind != CustomerKind.SIGNED_IN)


def merge_customers(*, anonymous_id: str, user_id: str, now: datetime, told: Told = Told.API) -> None:
    """Merge a visitor into a customer, for whom the visitor's events count from the next answer on; new ones are added.

    Doing it twice changes nothing. The shop itself asks for it, so it also holds where the two were unmerged before;
    events that name both leave those unmerged. Who objects to personalisation is not merged, nor is an id that was
    erased and is blocked. Raises MergedElsewhereError where the visitor is another customer already, and not merely by
    the word of a page.
    """
    pair = _keys(anonymous_id, user_id)
    if pair is None:
        return
    merger = Merger(*pair, now)
    change = mergers.merge_again(merger, told=told)
    for pair in change.parted:
        writes.unmerge(*pair)
    writes.remember([Joined(*pair) for pair in change.joined])
    writes.remember(liked_now([whose for _visitor, whose in change.joined]))


def unmerge_customers(*, anonymous_id: str, user_id: str, now: datetime) -> None:
    """Undo a merger: each has its own events again, as the record has them under the key that they came with.

    Doing it twice, or where the two were never merged, changes nothing. What the model has learned of them together it
    forgets with the next run.
    """
    if (pair := _keys(anonymous_id, user_id)) is not None:
        mergers.undo(*pair, now=now)
        writes.unmerge(*pair)


def set_properties(
    *, user_id: str, properties: Mapping[str, str | float | bool | None], at: datetime | None = None
) -> bool:
    """Change what the shop says of a customer, None deletes; whether anything differs. Who is unknown is added.

    What was said ``at`` a moment before the id was erased changes nothing. Raises TooManyPropertiesError and
    BlockedIdError.
    """
    whole = {name: int(value) for name, value in properties.items() if isinstance(value, float) and value.is_integer()}
    with locked_customer(user_id) as customer:
        together = {**customer.properties, **properties, **whole}  # 3.0 is 3
        told = {name: value for name, value in together.items() if value is not None}
        late = at is not None and customer.not_before is not None and at < customer.not_before
        if late or told == customer.properties:
            return False
        if len(told) > MOST_PROPERTIES:
            raise TooManyPropertiesError(len(told))
        customer.properties = told
        customer.save(update_fields=["properties"])
        return True


@contextmanager
def locked_customer(user_id: str) -> Iterator[Customer]:
    """A transaction in which nobody else changes this customer; who is unknown is added. Raises BlockedIdError."""
    # Before the transaction: the process remembers the key, so a rollback must not take the customer back.
    keys = id_cache.living_keys([user_id], CustomerKind.SIGNED_IN)
    with transaction.atomic():
        customer = Customer.objects.select_for_update().filter(pk__in=keys.values(), erased_at=None).first()
        if customer is None:
            raise BlockedIdError
        yield customer


def _keys(anonymous_id: str, user_id: str) -> tuple[int, int] | None:
    """The keys of both; None where one was erased and is blocked."""
    visitor = id_cache.living_keys([anonymous_id], CustomerKind.ANONYMOUS).get(anonymous_id)
    customer = id_cache.living_keys([user_id], CustomerKind.SIGNED_IN).get(user_id)
    return None if visitor is None or customer is None else (visitor, customer)
