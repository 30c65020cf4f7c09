"""Rows of contacts about people who were erased: what was before does not come back with an address or a consent."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from recommendations.ingest.refusal import Refusal
from recommendations.models import Customer
from recommendations.store.events.generations import generation
from recommendations.store.events.pseudonyms import first_pseudonyms, layered
from recommendations.store.events.tombstones import comebacks_of
from recommendations.store.imports.reasons import ERASED, REASONS
from recommendations.terms import CustomerKind


def refusals_of_erased(moments: Mapping[str, Sequence[datetime | None]], *, back: bool) -> dict[str, Sequence[Refusal]]:
    """What is wrong with rows of erased ids, by id; ``moments``: of the consents of each, in their order.

    ``back``: the shop says it now, so that the id is somebody new, where it is not blocked; a file brings nobody back.
    """
    firsts, layers = first_pseudonyms(moments, kind=CustomerKind.SIGNED_IN), generation()
    first_of = {layered(first, until=layers): first for first in firsts.values()}
    named = {first: user_id for user_id, first in firsts.items()}
    known = Customer.objects.filter(pseudonym__in=first_of).values_list("pseudonym", "not_before")
    since = {first_of[bytes(value)]: not_before for value, not_before in known}
    refusals: dict[str, Sequence[Refusal]] = {}
    for value, gone in comebacks_of(value for value in named if value not in since).items():
        if gone.blocked:
            text = _("This id was erased and is blocked; nothing is kept of it until the block is lifted.")
            refusals[named[value]] = [Refusal("/user_id", text)]
        elif not back:
            refusals[named[value]] = [Refusal("/user_id", str(REASONS[ERASED]))]
        else:
            since[value] = gone.at
    for value, not_before in since.items():
        early = [
            Refusal(f"/consents/{place}/at", str(REASONS[ERASED]))
            for place, at in enumerate(moments[named[value]])
            if at is not None and not_before is not None and at < not_before
        ]
        if early:
            refusals[named[value]] = early
    return refusals
