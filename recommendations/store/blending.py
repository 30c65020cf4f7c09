"""Weight versions: appended, never edited; one default per blend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a new version holds, and how it came about."""

    weights: Mapping[str, float]
    reason: str
    promotion: float = 0.0
    expected: Mapping[str, Any] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def append_weights(
    *,
    blend: BlendName,
    made: Made,
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
        weights=dict(made.weights),
        promotion=made.promotion,
        diversity=parent.diversity if parent else 0.0,
        exploration=parent.exploration if parent else 0.0,
        status=WeightsStatus.PUBLISHED if publish else WeightsStatus.PROPOSED,
        is_default=publish,
        parent=parent,
        reason=made.reason,
        expected=dict(made.expected),
        gate=dict(made.gate),
        author=author,
        published_at=now if publish else None,
    )


@transaction.atomic
def make_default(weights: BlendWeights, *, now: datetime, gate: Mapping[str, Any]) -> BlendWeights:
    """Publish the version in place of its blend's (and segment's) default."""
    row = Blend.objects.select_for_update().get(pk=weights.blend_id)
    row.versions.filter(is_default=True, segment=weights.segment_id).update(is_default=False)
    row.versions.filter(pk=weights.pk).update(
        status=WeightsStatus.PUBLISHED, is_default=True, published_at=now, gate=dict(gate)
    )
    weights.refresh_from_db()
    return weights
