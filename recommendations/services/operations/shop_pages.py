"""Pages of the shop as staff arrange them: which placements stand on one, in which order."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recommendations.models import PageSlot, Placement, ShopPage, Staff
from recommendations.models.pages import MOST_SLOTS
from recommendations.services.access import audit
from recommendations.store.live import fetch

type Slots = Sequence[tuple[Placement, int | None]]
"""Placements in order, each with how many items it shows; None: as the placement has it."""


@transaction.atomic
def arrange_page(*, page: ShopPage, slots: Slots, by: Staff | None) -> None:
    """Put these placements on a page, for the next answer. Raises ValidationError."""
    stored = ShopPage.objects.select_for_update().get(pk=page.pk)
    if not slots:
        raise ValidationError(_("A page needs at least one list."))
    if len(slots) > MOST_SLOTS:
        raise ValidationError(_("A page has at most %(most)s lists.") % {"most": MOST_SLOTS})
    held: Any = stored.slots.order_by("position").values_list("placement__name", "n")
    before, after = [_words(name, n) for name, n in held], [_words(placement.name, n) for placement, n in slots]
    if before == after:
        return
    stored.slots.all().delete()
    rows = [
        PageSlot(page=stored, placement=placement, position=position, n=n)
        for position, (placement, n) in enumerate(slots, 1)
    ]
    for row in rows:
        row.full_clean(validate_constraints=False)
    PageSlot.objects.bulk_create(rows)
    audit.record(by=by, verb="change", subject=stored, before={"slots": before}, after={"slots": after})
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.PLACEMENTS))


def _words(name: str, n: int | None) -> str:
    return name if n is None else f"{name} {n}"
