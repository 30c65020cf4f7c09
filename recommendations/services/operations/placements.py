"""Placements as staff set them: what a place shows, how long a click counts, whether it answers at all."""

from collections.abc import Callable, Mapping

from django.db import transaction

from recommendations.models import Placement, Staff
from recommendations.services.access import audit
from recommendations.statement_terms import StatementCause
from recommendations.store.live import fetch, writes
from recommendations.store.statements.ledger import note_statement

CHANGEABLE = (
    "repeat", "variants", "cool_down", "fatigue", "diversity", "explores", "n", "attribution_window", "enabled",
)  # fmt: skip


@transaction.atomic
def set_placement(
    *,
    placement: Placement,
    changes: Mapping[str, str | float | bool | None],
    by: Staff | None,
    check: Callable[[Placement], None] | None = None,
) -> Placement:
    """Apply ``changes`` of ``CHANGEABLE`` fields to the next answer, the window to what is attributed from now on.

    ``check`` gets the placement as it is stored and locked; what it raises keeps the change from being made. Raises
    ValidationError for an impossible value.
    """
    stored = Placement.objects.select_for_update(of=("self",)).get(pk=placement.pk)
    if check:
        check(stored)
    before, values = audit.apply(stored, {name: changes[name] for name in CHANGEABLE if name in changes})
    if not values:
        return stored
    stored.full_clean()
    stored.save(update_fields=list(values))
    note_statement(StatementCause.PLACEMENT, stored.name)
    audit.record(by=by, verb="change", subject=stored, before=before, after=values)
    if values.get("fatigue") and not before["fatigue"]:
        transaction.on_commit(writes.mark_incomplete)  # what was shown is not remembered where nothing asks for it
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.PLACEMENTS))
    return stored
