"""Weight versions: appended, never edited; one default per blend, and one per segment that has weights of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from recommendations.engine.feedback.presets import PRESETS
from recommendations.models import Blend, BlendWeights, Segment, Staff
from recommendations.terms import BlendName, WeightsStatus


def default_weights(blend: BlendName) -> BlendWeights | None:
    return BlendWeights.objects.defaults().filter(blend__name=blend, segment=None).first()


def served_weights(blend: BlendName, segment: Segment | None) -> BlendWeights | None:
    """The weights of a segment's customers: its own default where it has one, else everybody's."""
    own = BlendWeights.objects.defaults().filter(blend__name=blend, segment=segment).first() if segment else None
    return own or default_weights(blend)


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
    diversity: float | None = None  # None: as the default has it
    exploration: float | None = None
    note: str = ""
    expected: Mapping[str, Any] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def append_weights(
    *, blend: BlendName, made: Made, author: Staff | None, now: datetime, publish: bool, segment: Segment | None = None
) -> BlendWeights:
    """Append a version: the published default (of the segment, if one is given), or a proposal for staff to publish."""
    row = locked(blend)
    parent = served_weights(blend, segment)
    if publish:
        row.versions.filter(is_default=True, segment=segment).update(is_default=False)
    return BlendWeights.objects.create(
        blend=row,
        segment=segment,
        number=next_number(row),
        weights=dict(made.weights),
        promotion=made.promotion,
        diversity=_else(made.diversity, parent.diversity if parent else 0.0),
        exploration=_else(made.exploration, parent.exploration if parent else 0.0),
        status=WeightsStatus.PUBLISHED if publish else WeightsStatus.PROPOSED,
        is_default=publish,
        parent=parent,
        reason=made.reason,
        note=made.note,
        expected=dict(made.expected),
        gate=dict(made.gate),
        author=author,
        published_at=now if publish else None,
    )


def locked(blend: BlendName) -> Blend:
    """The blend, whose versions nobody else changes until the transaction ends."""
    return Blend.objects.select_for_update().get(name=blend)


def next_number(row: Blend) -> int:
    """Number of the version to come: none is given out twice. The blend has to be ``locked``."""
    row.last_number += 1
    row.save(update_fields=["last_number"])
    return row.last_number


def _else(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


@transaction.atomic
def make_default(
    weights: BlendWeights,
    *,
    now: datetime,
    gate: Mapping[str, Any],
    note: str = "",
    expected: Mapping[str, Any] | None = None,
) -> BlendWeights:
    """Publish the version in place of its blend's (and segment's) default; ``expected`` is kept where it is given."""
    row = locked(BlendName(weights.blend.name))
    row.versions.filter(is_default=True, segment=weights.segment_id).update(is_default=False)
    row.versions.filter(pk=weights.pk).update(
        status=WeightsStatus.PUBLISHED, is_default=True, published_at=now, gate=dict(gate), note=note,
        expected=weights.expected if expected is None else dict(expected),
    )  # fmt: skip
    weights.refresh_from_db()
    return weights
