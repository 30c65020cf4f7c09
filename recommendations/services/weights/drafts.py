"""Drafts of weights, one at most per blend and group: edited by several people, and nobody's work is overwritten."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from recommendations.models import BlendWeights, Group, Staff, group_fields
from recommendations.services.access import audit
from recommendations.services.weights.values import Values, WeightDifference, differences, values_of
from recommendations.store.models import weight_versions
from recommendations.terms import BlendName, WeightsStatus

BY_HAND = "Set by hand"


class StaleDraftError(Exception):
    """Somebody has changed, published or discarded the draft meanwhile.

    ``current`` is what stands there now: the draft as it is, or where there is none any more what is served (None:
    nothing is). ``differences`` are those between what was sent and ``current``.
    """

    def __init__(self, current: BlendWeights | None, differences: Sequence[WeightDifference]) -> None:
        super().__init__(f"the draft has changed meanwhile; now there is {current}")
        self.current, self.differences = current, differences


def draft_of(blend: BlendName, group: Group = None) -> BlendWeights | None:
    return (
        BlendWeights.objects.of_group(group)
        .filter(blend__name=blend, status=WeightsStatus.DRAFT)
        .select_related("blend", "segment", "audience", "author", "parent")
        .first()
    )


@transaction.atomic
def save_draft(
    *,
    blend: BlendName,
    group: Group = None,
    values: Mapping[str, Any],
    revision: int | None,
    by: Staff | None,
    now: datetime,
) -> BlendWeights:
    """Make the draft, or change it; ``values`` as ``values.values_of`` reads them.

    ``revision`` is that of the draft the values were made from, None where there was none. Raises ValidationError by
    field, and StaleDraftError.
    """
    row = weight_versions.locked(blend)
    draft, served = draft_of(blend, group), weight_versions.served_weights(blend, group)
    begun = draft or served
    start = Values.of(begun) if begun else Values(weights={})
    instances = [*start.weights, *(served.weights if served else ())]
    wanted = values_of(values, blend=blend, otherwise=start, known=instances)
    if revision != (draft.revision if draft else None):
        raise _stale(wanted, draft, served)
    if draft is None:
        new = BlendWeights.objects.create(
            blend=row, number=weight_versions.next_number(row), status=WeightsStatus.DRAFT,
            parent=served, reason=BY_HAND, author=by, created_at=now, **wanted.as_fields(),
            **group_fields(group),
        )  # fmt: skip
        audit.record(by=by, verb="draft", subject=new, after=wanted.as_fields())
        return new
    before, after = audit.apply(draft, wanted.as_fields())
    if after:
        draft.revision, draft.author = draft.revision + 1, by
        draft.save(update_fields=[*after, "revision", "author"])
        audit.record(by=by, verb="draft", subject=draft, before=before, after=after)
    return draft


@transaction.atomic
def discard_draft(*, draft: BlendWeights, revision: int, by: Staff | None) -> Values:
    """Delete the draft; returns its values, from which ``save_draft`` can make it again. Raises StaleDraftError."""
    blend = BlendName(draft.blend.name)
    weight_versions.locked(blend)
    stored, served = draft_of(blend, draft.group), weight_versions.served_weights(blend, draft.group)
    if stored is None or stored.revision != revision:
        raise _stale(Values.of(draft), stored, served)
    values = Values.of(stored)
    audit.record(by=by, verb="discard", subject=stored, before=values.as_fields())
    stored.delete()
    return values


def _stale(yours: Values, draft: BlendWeights | None, served: BlendWeights | None) -> StaleDraftError:
    current, base = draft or served, Values.of(served) if served else None
    return StaleDraftError(current, differences(yours, Values.of(current), before=base) if current else ())
