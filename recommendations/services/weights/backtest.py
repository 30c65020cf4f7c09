"""What was estimated of versions before they were published, beside what came."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from recommendations.engine.experiments.off_policy import NORMAL
from recommendations.models import BlendWeights, DraftEstimate, group_fields
from recommendations.store.experiments.answered_versions import VersionClicks, clicks_of
from recommendations.terms import BlendName, WeightsStatus

LAST = 5  # versions
FEWEST = 100
"""Answers below which nothing is said of what came."""


@dataclass(frozen=True, kw_only=True)
class TestedEstimate:
    """An estimate of a version and what came, both in clicks an answer more than what was live before.

    ``is_inside``: what came lies in the interval, as far as it is known itself.
    """

    version: BlendWeights
    value: float
    low: float
    high: float
    live: float
    came: float
    is_inside: bool


def backtest(draft: BlendWeights, placement: str) -> list[TestedEstimate]:
    """The last published versions of the draft's blend and group that were estimated before, the newest first."""
    published = DraftEstimate.objects.succeeded().filter(
        draft__blend=draft.blend, draft__status=WeightsStatus.PUBLISHED, draft__published_at__isnull=False,
        placement=placement, **{f"draft__{name}": value for name, value in group_fields(draft.group).items()},
    ).exclude(draft=draft).select_related("draft")  # fmt: skip
    newest: dict[int, DraftEstimate] = {}
    for estimate in published.order_by("-draft__published_at", "-created_at"):
        if estimate.result.get("clicks") and not estimate.result.get("refusal"):
            newest.setdefault(estimate.draft_id, estimate)
    chosen = list(newest.values())[:LAST]
    came = clicks_of(
        placement,
        [(each.draft.number, each.draft.published_at) for each in chosen if each.draft.published_at],
        visits=draft.blend.name == BlendName.SESSION,
    )
    return _tested(chosen, came)


def _tested(estimates: Sequence[DraftEstimate], came: dict[int, VersionClicks]) -> list[TestedEstimate]:
    tested = []
    for estimate in estimates:
        version, clicks = estimate.draft, estimate.result["clicks"]
        own = came.get(version.number)
        if own is None or own.answers < FEWEST:
            continue
        difference = own.mean - clicks["live"]
        half = (clicks["high"] - clicks["low"]) / 2
        reach = math.hypot(half, NORMAL * math.sqrt(own.variance / own.answers))
        tested.append(
            TestedEstimate(
                version=version,
                value=clicks["value"],
                low=clicks["low"],
                high=clicks["high"],
                live=clicks["live"],
                came=difference,
                is_inside=abs(difference - clicks["value"]) <= reach,
            )
        )
    return tested
