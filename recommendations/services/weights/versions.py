"""Versions of weights to look at, to compare and to start from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.measures import MAIN
from recommendations.engine.feedback.presets import PRESETS, PROMOTION
from recommendations.models import BlendWeights, Segment
from recommendations.services.weights.panels import HeldPanel, PanelSettings
from recommendations.services.weights.values import Values, WeightDifference, differences
from recommendations.services.weights.what_if import Unmeasured, held_for
from recommendations.store.models import weight_versions
from recommendations.terms import BlendName, WeightsStatus

MOST = 50


@dataclass(frozen=True, kw_only=True)
class WeightsVersion:
    """A version; ``changes``: yours is this one, theirs the one it was made from. ``figures`` are of today's panel."""

    weights: BlendWeights
    changes: Sequence[WeightDifference]
    figures: Mapping[str, Measure] = field(default_factory=dict)


class PresetKind(StrEnum):
    LIVE = "live"
    PREVIOUS = "previous"  # served before it
    PROPOSED = "proposed"  # the newest of the tuner, where it is newer than what is served
    SHIPPED = "shipped"
    BEST_SINGLE = "best_single"  # the one recommender that does best alone on the panel


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Values to start from; ``version`` where they are those of one, ``instance`` of the best single."""

    kind: PresetKind
    values: Values
    version: BlendWeights | None = None
    instance: str | None = None


def versions(
    blend: BlendName, segment: Segment | None = None, *, measured: bool = False, most: int = MOST
) -> list[WeightsVersion]:
    """Versions of the blend (and the segment), the newest first, drafts left out.

    ``measured`` asks today's tuning panel about each of them: some 15 ms for one that it was not asked about before.
    """
    rows = (
        BlendWeights.objects.filter(blend__name=blend, segment=segment)
        .exclude(status=WeightsStatus.DRAFT)
        .select_related("blend", "segment", "author", "parent__blend")
        .order_by("-number")[:most]
    )
    held = held_for(blend, segment) if measured else None
    return [
        WeightsVersion(
            weights=row,
            changes=differences(Values.of(row), Values.of(row.parent)) if row.parent else [],
            figures=held.summary(PanelSettings.of(Values.of(row))) if isinstance(held, HeldPanel) else {},
        )
        for row in rows
    ]


def presets(blend: BlendName, segment: Segment | None = None) -> list[Preset]:
    """Presets that there are, in the order of ``PresetKind``."""
    available = []
    live = weight_versions.served_weights(blend, segment)
    if live:
        available.append(Preset(kind=PresetKind.LIVE, values=Values.of(live), version=live))
    rows = BlendWeights.objects.filter(blend__name=blend, segment=segment).select_related("blend", "segment")
    previous = rows.filter(status=WeightsStatus.PUBLISHED, is_default=False).order_by("-published_at").first()
    if previous:
        available.append(Preset(kind=PresetKind.PREVIOUS, values=Values.of(previous), version=previous))
    newer = rows.filter(status=WeightsStatus.PROPOSED, number__gt=live.number if live else 0)
    proposed = newer.order_by("-number").first()
    if proposed:
        available.append(Preset(kind=PresetKind.PROPOSED, values=Values.of(proposed), version=proposed))
    beside = Values.of(live) if live else Values(weights={})
    shipped = Values(weights=PRESETS[blend], promotion=PROMOTION[blend], diversity=0.0, exploration=beside.exploration)
    available.append(Preset(kind=PresetKind.SHIPPED, values=shipped))
    held = held_for(blend, segment)
    if not isinstance(held, Unmeasured):
        available.append(_best_single(held, beside))
    return available


def _best_single(held: HeldPanel, beside: Values) -> Preset:
    alone = {name: Values(weights={name: 1.0}, exploration=beside.exploration) for name in held.panel.instances}
    best = max(alone, key=lambda name: held.summary(PanelSettings.of(alone[name]))[MAIN].value)
    return Preset(kind=PresetKind.BEST_SINGLE, values=alone[best], instance=best)
