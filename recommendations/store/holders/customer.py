"""The customer: what is said of them, whom they were joined with, and the row itself, whose pseudonym is random by now.

The row goes last, when every process has heard of it (``delete_husks``).
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Greatest

from recommendations.models import Customer, CustomerAlias, PurposeWord, StatedTaste
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.protocol import ROWS, Erased, Sheet, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder

RANDOM = "decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')"


def _joined(subject: Subject) -> Q:
    return Q(customer__in=subject.key_list) | Q(anonymous__in=subject.key_list)


def _themselves(subject: Subject) -> Q:
    return Q(pk__in=subject.key_list)


TASTE = OwnRows(model=StatedTaste, columns=("categories", "item_ids", "tags", "stated_at"))
WORDS = OwnRows(model=PurposeWord, columns=("purpose", "state", "at", "source", "resume", "proof", "recorded_at"))
ALIASES = OwnRows(model=CustomerAlias, whose=_joined, columns=("since", "source", "undone_at"))
THEMSELVES = OwnRows(
    model=Customer, whose=_themselves,
    columns=("kind", "personalise", "consent_at", "resumed_at", "measure", "measure_at", "created_at", "properties"),
)  # fmt: skip
SAID_NOTHING: Mapping[str, Any] = {
    "properties": {}, "personalise": False, "consent_at": None, "resumed_at": None, "measure": False,
    "measure_at": None,
}  # fmt: skip
BLANK = {**SAID_NOTHING, "erased_at__isnull": False}
"""All rows of who is erased are alike; whoever does not know of erasures takes them for people who object."""


class CustomerHolder(TableHolder):
    """A customer, and who they were joined with."""

    def __init__(self) -> None:
        super().__init__(HolderCode.CUSTOMER, TASTE, WORDS, ALIASES, also=[Customer])

    def export(self, subject: Subject) -> Iterator[Sheet]:
        yield THEMSELVES.sheet(subject)
        yield from super().export(subject)

    def find(self, subject: Subject) -> int:
        return super().find(subject) + THEMSELVES.of(subject).exclude(**BLANK).count()

    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        """Erase what is said of them; of the rows nothing is left that says anything, until they go."""
        rows = THEMSELVES.of(subject)
        rows.filter(erased_at=None).update(pseudonym=RawSQL(RANDOM, ()))  # noqa: S611 - no id leads there any more
        changed = rows.exclude(**BLANK).update(
            **SAID_NOTHING, erased_at=Coalesce("erased_at", now),
            not_before=Greatest("not_before", Coalesce("erased_at", now)),
        )  # fmt: skip
        return super().erase(subject, now=now) + Erased(changed=changed)


def delete_husks(before: datetime, *, but: Collection[int] = ()) -> int:
    """Delete the rows of customers who were erased before a moment, with all that still hangs on them; how many.

    ``but``: keys of those whose holders are not done yet, who have to find it themselves.
    """
    deleted = 0
    old = Customer.objects.filter(erased_at__lt=before).exclude(pk__in=list(but))
    while husks := old.values_list("pk", flat=True)[:ROWS]:
        deleted += Customer.objects.filter(pk__in=list(husks)).delete()[1].get(Customer._meta.label, 0)
    return deleted


CUSTOMER = CustomerHolder()
