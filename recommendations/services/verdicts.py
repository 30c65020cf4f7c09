"""What staff think of a recommendation: good, odd or wrong, with a note."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from recommendations.models import Customer, Item, Staff, Verdict
from recommendations.store.versions import live_version
from recommendations.terms import Judgement


@transaction.atomic
def judge(
    *,
    customer: Customer,
    item: Item,
    placement: str,
    judgement: Judgement,
    note: str = "",
    rank: int | None,
    by: Staff,
    now: datetime,
) -> Verdict | None:
    """One view of each member of staff: another replaces it, and the same again takes it back (then None)."""
    own = Verdict.objects.filter(customer=customer, item=item, placement=placement, staff=by).first()
    if own is not None and own.judgement == judgement and own.note == note.strip():
        own.delete()
        return None
    verdict, _made = Verdict.objects.update_or_create(
        customer=customer,
        item=item,
        placement=placement,
        staff=by,
        defaults={
            "judgement": judgement,
            "note": note.strip(),
            "rank": rank,
            "model": live_version(),
            "judged_at": now,
        },
    )
    return verdict


def verdicts_of(*, customer: int, placement: str, by: Staff) -> dict[int, Verdict]:
    """By item: what this member of staff said."""
    found = Verdict.objects.filter(customer=customer, placement=placement, staff=by)
    return {verdict.item_id: verdict for verdict in found}


def all_verdicts_of(*, customer: int, placement: str) -> dict[int, Sequence[Verdict]]:
    """By item: what everybody said, newest first."""
    found: dict[int, list[Verdict]] = {}
    for verdict in Verdict.objects.filter(customer=customer, placement=placement).select_related("staff"):
        found.setdefault(verdict.item_id, []).append(verdict)
    return dict(found)
