"""What a customer says they like: the shop asks who is new, and their next answer is made of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction

from recommendations.models import Category, Customer, Item, Staff, StatedTaste
from recommendations.services.access import audit
from recommendations.services.customers import locked_customer
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import writes
from recommendations.store.live.writes import liked_now


@dataclass(frozen=True, kw_only=True)
class Taste:
    """Categories by their whole paths, items by the shop's ids, and tags, in the order in which they came."""

    categories: Sequence[str] = ()
    item_ids: Sequence[str] = ()
    tags: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.categories or self.item_ids or self.tags)


@dataclass(frozen=True, kw_only=True)
class TasteOfCustomer:
    """What a customer stated and when; ``counts`` is False of somebody who objects to personalisation."""

    taste: Taste = Taste()
    stated_at: datetime | None = None
    counts: bool = True


class NothingKnownError(Exception):
    """The catalogue knows nothing of what was stated, so nothing was changed."""

    def __init__(self, unknown: Taste) -> None:
        super().__init__("nothing of it is in the catalogue")
        self.unknown = unknown


def state_taste(user_id: str, stated: Taste, *, now: datetime) -> tuple[TasteOfCustomer, Taste]:
    """Put what a customer says they like in the place of what they said before; who is unknown is added.

    Returns what is kept, and what of it the catalogue does not know. Raises NothingKnownError and BlockedIdError.
    """
    known = _of_catalogue(stated)
    unknown = Taste(
        categories=_without(stated.categories, known.categories),
        item_ids=_without(stated.item_ids, known.item_ids),
        tags=_without(stated.tags, known.tags),
    )
    if known.is_empty:
        raise NothingKnownError(unknown)
    fields = {"categories": list(known.categories), "item_ids": list(known.item_ids), "tags": list(known.tags)}
    with locked_customer(user_id) as customer:
        row, _new = StatedTaste.objects.update_or_create(customer=customer, defaults={**fields, "stated_at": now})
    tell_live(customer.pk)
    return TasteOfCustomer(taste=known, stated_at=row.stated_at, counts=customer.personalise), unknown


def taste_of(user_id: str) -> TasteOfCustomer:
    """What a customer stated; nothing of who is unknown or stated nothing."""
    customer = Customer.objects.filter(pseudonym=pseudonym(user_id)).select_related("stated_taste").first()
    row = getattr(customer, "stated_taste", None)
    if customer is None or row is None:
        return TasteOfCustomer(counts=customer is None or customer.personalise)
    taste = Taste(categories=row.categories, item_ids=row.item_ids, tags=row.tags)
    return TasteOfCustomer(taste=taste, stated_at=row.stated_at, counts=customer.personalise)


def withdraw_taste(user_id: str) -> bool:
    """Forget what a customer stated; False where there was nothing."""
    customer = Customer.objects.filter(pseudonym=pseudonym(user_id)).first()
    return customer is not None and forget_taste(customer.pk)


def forget_taste(customer: int) -> bool:
    """Delete what a customer stated, by their key; False where there was nothing. The next answer knows of it."""
    deleted, _kinds = StatedTaste.objects.filter(customer=customer).delete()
    if deleted:
        transaction.on_commit(partial(tell_live, customer))
    return bool(deleted)


@transaction.atomic
def forget_stated_taste(customer: Customer, *, by: Staff) -> bool:
    """Forget what a customer stated, at their word to staff; False where there was nothing. The trail has no names."""
    row = StatedTaste.objects.select_for_update().filter(customer=customer).first()
    if row is None:
        return False
    before = {"categories": len(row.categories), "items": len(row.item_ids), "tags": len(row.tags)}
    audit.record(by=by, verb=audit.ERASED, subject=row, before=before)
    return forget_taste(customer.pk)


def tell_live(customer: int) -> None:
    """Have the next answers know what a customer says they like now, as the record has it."""
    writes.remember(liked_now([customer]))


def _of_catalogue(stated: Taste) -> Taste:
    """What the catalogue has of it."""
    paths = Category.objects.filter(path__in=stated.categories).values_list("path", flat=True)
    items = Item.objects.filter(shop_id__in=stated.item_ids, retired_at=None).values_list("shop_id", flat=True)
    tags = [tag for tag in dict.fromkeys(stated.tags) if Item.objects.filter(tags__contains=[tag]).exists()]
    return Taste(
        categories=_of(stated.categories, set(paths)), item_ids=_of(stated.item_ids, set(items)), tags=tags,
    )  # fmt: skip


def _of(named: Iterable[str], known: set[str]) -> list[str]:
    return [name for name in dict.fromkeys(named) if name in known]


def _without(named: Iterable[str], known: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(named) if name not in known]
