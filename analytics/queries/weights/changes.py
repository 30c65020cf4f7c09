"""The effect of a change of weights, told before it is made; and what somebody else did meanwhile."""

from collections.abc import Mapping
from typing import Any

from analytics.queries.experiments.holding import Holding, holdings
from analytics.queries.weights.desk import live_of
from analytics.queries.weights.effect import effect_of
from analytics.templatetags.weights import WEIGHT, field_name, plain
from recommendations.models import BlendWeights
from recommendations.services.weights.blending import gate_result_on
from recommendations.services.weights.drafts import StaleDraftError
from recommendations.services.weights.values import MOST, Values, differences
from recommendations.terms import BlendName, WeightsStatus


def draft_conflict(error: StaleDraftError, given: Mapping[str, str], *, edited: int | None) -> dict[str, Any]:
    """Context of a conflict over a draft: ``draft`` as it is by now, None where it was published or discarded.

    ``given`` and ``edited`` are the fields and the revision that were sent; both sides agree on the fields ``agreed``.
    """
    current = error.current
    disputed = {field_name(each.name) for each in error.differences}
    return {
        "draft": current if current is not None and current.status == WeightsStatus.DRAFT else None,
        "edited": edited,
        "differences": error.differences,
        "agreed": {field: text for field, text in _shares(given).items() if field not in disputed},
    }


def publication(draft: BlendWeights) -> dict[str, Any] | None:
    """Context of what publishing the draft would do; None where nothing is live to compare it with."""
    live = live_of(BlendName(draft.blend.name), draft.group)
    if live is None:
        return None
    return {
        "draft": draft,
        "live": live,
        "changes": differences(Values.of(draft), Values.of(live)),
        "effects": effect_of(draft),
        "gate": gate_result_on(draft),
        "holdings": _holdings(draft),
    }


def way_back(version: BlendWeights) -> dict[str, Any]:
    """Context of what rolling back to a version would do."""
    live = live_of(BlendName(version.blend.name), version.group)
    changes = differences(Values.of(version), Values.of(live)) if live else []
    return {
        "version": version,
        "live": live,
        "changes": changes,
        "effects": effect_of(version),
        "holdings": _holdings(version),
    }


def _holdings(weights: BlendWeights) -> list[Holding]:
    """Experiments on the blend; weights of a group come before what they test."""
    return [] if weights.group else holdings(f"weights:{weights.blend.name}")


def _shares(given: Mapping[str, str]) -> dict[str, str]:
    """Fields as they were sent, weights as percent of their sum: what they count as."""
    weights = {field: float(text) for field, text in given.items() if field.startswith(WEIGHT)}
    whole = sum(weights.values())
    return dict(given) | {field: plain(MOST * value / whole) for field, value in weights.items()}
