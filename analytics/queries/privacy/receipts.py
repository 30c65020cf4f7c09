"""Receipts, the newest first, each with whether its signature is good and whether it follows the one before it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator

from recommendations.models import Receipt
from recommendations.services.privacy.receipts import envelope, stored_anchor, verify

PER_PAGE = 10


@dataclass(frozen=True)
class CheckedReceipt:
    receipt: Receipt
    is_signed: bool  # by a key of ours, and not changed since
    is_chained: bool  # holds the hash of the one before, also of the last that went by its rule

    @property
    def is_restored(self) -> bool:
        """Whether it says that those before it went with a database that was restored."""
        return self.is_signed and not self.is_chained and "restored_after" in self.receipt.document

    @property
    def fits(self) -> bool:
        return self.is_signed and (self.is_chained or self.is_restored)


def receipts(*, page: int) -> tuple[Page[Any], list[CheckedReceipt]]:
    shown = Paginator(Receipt.objects.order_by("-serial"), PER_PAGE).get_page(page)
    return shown, checked(shown)


def checked(receipts: Iterable[Receipt]) -> list[CheckedReceipt]:
    """Check receipts, in their order; those before them are read with one query."""
    rows = list(receipts)
    before = {each.serial: each for each in Receipt.objects.filter(serial__in=[row.serial - 1 for row in rows])}
    return [CheckedReceipt(row, _is_signed(row), _is_chained(row, before.get(row.serial - 1))) for row in rows]


def _is_signed(receipt: Receipt) -> bool:
    return not verify([envelope(receipt)])


def _is_chained(receipt: Receipt, before: Receipt | None) -> bool:
    if before is None:
        return not verify([envelope(receipt)], whole=True, anchor=stored_anchor())
    return not verify([envelope(before), envelope(receipt)])
