"""Holders of real tables for tests of what is done with any holder, and a person with something in each."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from recommendations.models import Customer, CustomerAlias, StatedTaste
from recommendations.privacy_terms import HolderCode, Kept
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.protocol import Erased, Holds, Sheet, Subject
from recommendations.terms import CustomerKind


class TasteHolder:
    """What somebody said they like; it falls over before it erases, as often as it is told to."""

    code = HolderCode.INTERESTS
    holds = Holds(models=("StatedTaste",))

    def __init__(self, *, falls: int = 0, leaves: int = 0) -> None:
        self.falls, self.leaves = falls, leaves

    def export(self, subject: Subject) -> Iterator[Sheet]:
        rows = StatedTaste.objects.filter(customer__in=subject.key_list).order_by("pk")
        yield Sheet(
            "tastes", ["tags", "categories", "stated_at"],
            ([each.tags, "".join(each.categories), each.stated_at] for each in rows),
        )  # fmt: skip

    def find(self, subject: Subject) -> int:
        return StatedTaste.objects.filter(customer__in=subject.key_list).count()

    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        del now
        own = list(StatedTaste.objects.filter(customer__in=subject.key_list).order_by("pk"))
        if self.falls:
            self.falls -= 1
            own[0].delete()
            raise RuntimeError("killed")
        if self.leaves:
            self.leaves -= 1
            own.pop()
        for each in own:
            each.delete()
        return Erased(deleted=len(own))


class JoinHolder:
    """Who was joined to whom; it keeps an entry on purpose."""

    code = HolderCode.CUSTOMER
    holds = Holds(models=("CustomerAlias",))

    def export(self, subject: Subject) -> Iterator[Sheet]:
        rows: Any = self._rows(subject).order_by("pk").values_list("source", "since")
        yield Sheet("joined", ["source", "since"], rows)

    def find(self, subject: Subject) -> int:
        return self._rows(subject).count()

    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        del now
        return Erased(deleted=self._rows(subject).delete()[0], kept=1, why=Kept.ENTRY_OF_TRAIL)

    def _rows(self, subject: Subject) -> Any:
        return CustomerAlias.objects.filter(customer__in=subject.key_list)


def somebody(shop_id: str = "ada", *visits: str) -> Customer:
    """A customer with these anonymous ids, each of whom has said a taste."""
    customer, *visitors = (
        Customer.objects.create(pseudonym=pseudonym(name, kind=kind), kind=kind)
        for name, kind in [(shop_id, CustomerKind.SIGNED_IN), *((visit, CustomerKind.ANONYMOUS) for visit in visits)]
    )
    for visitor in visitors:
        CustomerAlias.objects.create(anonymous=visitor, customer=customer, source="=api")
    for each in [customer, *visitors]:
        StatedTaste.objects.create(customer=each, tags=["ümlaut"], categories=["=1+1"])
    return customer
