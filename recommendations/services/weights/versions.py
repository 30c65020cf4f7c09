"""Versions of weights to look at, to compare and to start from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.panel_measures import ACCURACY
from recommendations.models import AuditEntry, BlendWeights, Group
from recommendations.services.access.audit import FOR_TEST
from recommendations.services.weights.panels import HeldPanel, PanelSettings
from recommendations.services.weights.values import Values, WeightDifference, differences
from recommendations.services.weights.what_if import Unmeasured, held_for
from recommendations.store.models import weight_versions
from recommendations.terms import BlendName, WeightsStatus

MOST = 50


@dataclass(frozen=True, kw_only=True)
class WeightsVersion:
    """A version; ``changes``: yours is this one, theirs the one it was made from. ``figures`` are of today's panel.

    ``for_test``: it was published for an experiment, and never for all.
    """

    weights: BlendWeights
    changes: Sequence[WeightDifference]
    for_test: bool = False
    figures: Mapping[str, Measure] = field(default_factory=dict)


def versions(
    blend: BlendName, group: Group = None, *, measured: bool = False, most: int = MOST
) -> list[WeightsVersion]:
    """Versions of the blend (and the group), the newest first, drafts left out.

    ``measured`` asks today's tuning panel about each of them: some 15 ms for one that it was not asked about before.
    """
    rows = (
        BlendWeights.objects.of_group(group)
        .filter(blend__name=blend)
        .exclude(status=WeightsStatus.DRAFT)
        .select_related("blend", "segment", "audience", "author", "parent__blend")
        .order_by("-number")[:most]
    )
    held = held_for(blend, group) if measured else None
    tested = _only_tested(rows)
    return [
        WeightsVersion(
            weights=row,
            for_test=row.pk in tested,
            changes=differences(Values.of(row), Values.of(row.parent)) if row.parent else [],
            figures=held.summary(PanelSettings.of(Values.of(row))) if isinstance(held, HeldPanel) else {},
        )
        for row in rows
    ]


def _only_tested(rows: Iterable[BlendWeights]) -> set[int]:
    """Keys of those that were published for an experiment and not for all, as the trail tells."""
    keys = [str(row.pk) for row in rows if row.status == WeightsStatus.PUBLISHED and not row.is_default]
    entries = AuditEntry.objects.filter(object_type="blendweights", object_id__in=keys)
    verbs = set(entries.filter(verb__in=["publish", FOR_TEST]).values_list("object_id", "verb"))
    return {int(key) for key, verb in verbs if verb == FOR_TEST and (key, "publish") not in verbs}


def best_single(blend: BlendName, group: Group = None) -> tuple[str, Values] | None:
    """The recommender that does best alone on the panel, and the values that give it all weight; None without a panel.

    What is set beside the weights is as served.
    """
    held, live = held_for(blend, group), weight_versions.served_weights(blend, group)
    if isinstance(held, Unmeasured):
        return None
    exploration, cards = (live.exploration, live.cards) if live else (0.0, 0.0)
    alone = {name: Values(weights={name: 1.0}, exploration=exploration, cards=cards) for name in held.panel.instances}
    best = max(alone, key=lambda name: held.summary(PanelSettings.of(alone[name]))[ACCURACY].value)
    return best, alone[best]
