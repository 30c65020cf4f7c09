"""Weight versions: appended, never edited; one default per blend."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from recommendations.engine.feedback.presets import PRESETS
from recommendations.models import Blend, BlendWeights, Staff
from recommendations.terms import BlendName, WeightsStatus


def default_weights(blend: BlendName) -> BlendWeights | None:
    return BlendWeights.objects.defaults().filter(blend__name=blend, segment=None).first()


def starting_weights(blend: BlendName) -> Mapping[str, float]:
    """The default's weights, else the shipped preset."""
    default = default_weights(blend)
    return default.weights if default else PRESETS[blend]


@transaction.atomic
def append_weights(
    *,
    blend: BlendName,
    weights: Mapping[str, float],
    reason: str,
    expected: Mapping[str, Any],
    author: Staff | None,
    now: datetime,
    publish: bool,
) -> BlendWeights:
    """A new version: the published default, or a proposal that staff may publish."""
    row = Blend.objects.select_for_update().get(name=blend)
    parent = default_weights(blend)
    number = (row.versions.aggregate(highest=Max("number"))["highest"] or 0) + 1
    if publish:
        row.versions.filter(is_default=True, segment=None).update(is_default=False)
    return BlendWeights.objects.create(
        blend=row,
        number=number,
        weights=dict(weights),
        diversity=parent.diversity if parent else 0.0,
        exploration=parent.exploration if parent else 0.0,
        status=WeightsStatus.PUBLISHED if publish else WeightsStatus.PROPOSED,
        is_default=publish,
        parent=parent,
        reason=reason,
        expected=dict(expected),
        author=author,
        published_at=now if publish else None,
    )
