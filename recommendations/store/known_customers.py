"""Who asks: the keys of customers by pseudonym, as a process has them in memory."""

from collections.abc import Sequence
from datetime import datetime

from django.db import DatabaseError
from django.db.models import BigIntegerField, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from recommendations.models import Customer, CustomerAlias
from recommendations.store.pseudonyms import pseudonym
from recommendations.store.snapshot import Snapshot
from recommendations.store.valkey import Breaker
from recommendations.terms import CustomerKind

_newcomers = Breaker("postgresql", pause=5.0)


def customer_key(held: Snapshot, shop_id: str, *, kind: CustomerKind) -> int | None:
    """The key of a customer; who came after the snapshot was read is looked up. None where nobody is known so."""
    value = pseudonym(shop_id, kind=kind)
    known = held.customers.get(value)
    if known is None and _newcomers:
        try:
            known = _known_as([value]).get(value)
        except DatabaseError as error:
            _newcomers.trip(error)
        if known is not None:
            held.customers[value] = known
    return known


def customer_keys(held: Snapshot, named: Sequence[tuple[str, CustomerKind]]) -> list[int | None]:
    """As ``customer_key`` of each; who came after the snapshot was read is looked up in one query."""
    values = [pseudonym(shop_id, kind=kind) for shop_id, kind in named]
    unknown = [value for value in values if value not in held.customers]
    if unknown and _newcomers:
        try:
            held.customers.update(_known_as(unknown))
        except DatabaseError as error:
            _newcomers.trip(error)
    return [held.customers.get(value) for value in values]


def forget() -> None:
    """Hold nothing, as a new process does."""
    _newcomers.close()


def customers_after(key: int) -> dict[bytes, int]:
    rows = Customer.objects.filter(pk__gt=key).values_list("pseudonym", "pk")
    return {bytes(value): key for value, key in rows}


def merged_since(moment: datetime | None) -> dict[bytes, int]:
    """Anonymous keys that became a customer's, and those that became their own again, from this moment on."""
    aliases = CustomerAlias.objects.all()
    aliases = aliases.filter(undone_at=None) if moment is None else aliases.filter(changed_at__gte=moment)
    rows = aliases.order_by(F("undone_at").asc(nulls_last=True)).values_list(  # a new one is a later word
        "anonymous__pseudonym", "anonymous_id", "customer_id", "undone_at"
    )
    return {bytes(value): own if undone else customer for value, own, customer, undone in rows}


def _known_as(values: Sequence[bytes]) -> dict[bytes, int]:
    """Pseudonym → its key, or that of the customer that it was merged into; without those who are unknown."""
    alias = CustomerAlias.objects.filter(anonymous=OuterRef("pk"), undone_at=None).values("customer")
    keys = Customer.objects.filter(pseudonym__in=values).values_list(
        "pseudonym", Coalesce(Subquery(alias), F("pk"), output_field=BigIntegerField())
    )
    return {bytes(value): key for value, key in keys}
