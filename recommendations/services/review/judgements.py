"""Judgements of staff on a recommendation (good, odd or wrong, with a note), and their shares by version."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from recommendations.engine.evaluation.intervals import Measure, wilson
from recommendations.models import BlendWeights, Customer, Item, Judgement, Staff
from recommendations.services.review.review import live_ready
from recommendations.serving.past.again import versions_of
from recommendations.serving.pipeline import complete
from recommendations.serving.serve import NotLoadedError, UnknownPlacementError
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import JudgementKind

MOST_CHECKED = 20
"""Most answers that are made to see whether wrong items are still shown: some milliseconds each."""


@transaction.atomic
def judge(
    *,
    customer: Customer,
    item: Item,
    placement: str,
    judgement: JudgementKind,
    note: str = "",
    rank: int | None,
    by: Staff,
    now: datetime,
) -> Judgement | None:
    """Store the one view of a member of staff: another replaces it, the same again takes it back (then None)."""
    note = note.strip()
    own = Judgement.objects.filter(customer=customer, item=item, placement=placement, staff=by).first()
    if own is not None and (own.kind, own.note) == (judgement, note):
        own.delete()
        return None
    model, weights = _versions(customer.pk, placement)
    given, _made = Judgement.objects.update_or_create(
        customer=customer,
        item=item,
        placement=placement,
        staff=by,
        defaults={
            "kind": judgement, "note": note, "rank": rank, "model_id": model, "weights_id": weights,
            "judged_at": now,
        },
    )  # fmt: skip
    return given


def judgements_of(*, customer: int, placement: str, by: Staff) -> dict[int, Judgement]:
    """Judgements of this member of staff on the answer, by item key."""
    rows = Judgement.objects.filter(customer=customer, placement=placement, staff=by)
    return {judgement.item_id: judgement for judgement in rows}


@dataclass(frozen=True, kw_only=True)
class JudgedItem:
    """Judgements of the answers of one model with one set of weights; None where a version is gone."""

    model: int | None
    weights: BlendWeights | None
    counts: Mapping[JudgementKind, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def share(self, judgement: JudgementKind) -> Measure:
        """Share of one judgement among all, with its 95 % interval (Wilson)."""
        return wilson(self.counts.get(judgement, 0), self.total)

    @property
    def shares(self) -> dict[JudgementKind, Measure]:
        return {kind: self.share(kind) for kind in JudgementKind}


def judged() -> list[JudgedItem]:
    """Counts of judgements by model and weights, the newest model first."""
    rows = Judgement.objects.order_by().values_list("model", "weights", "kind").annotate(Count("pk"))
    counts: dict[tuple[int | None, int | None], Counter[JudgementKind]] = {}
    for model, weights, judgement, count in rows:
        counts.setdefault((model, weights), Counter())[JudgementKind(judgement)] += count
    versions = versions_of([weights for _, weights in counts if weights])
    newest = sorted(counts, key=lambda pair: (-(pair[0] or 0), -(pair[1] or 0)))
    return [
        JudgedItem(model=model, weights=versions.get(weights) if weights else None, counts=counts[model, weights])
        for model, weights in newest
    ]


def judged_of_newest(found: Sequence[JudgedItem]) -> JudgedItem | None:
    """Counts of judgements of the newest model, whatever the weights; None where there are none."""
    if not found:
        return None
    counts: Counter[JudgementKind] = Counter()
    for one in found:
        counts.update(one.counts if one.model == found[0].model else {})
    return JudgedItem(model=found[0].model, weights=None, counts=counts)


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """An item that somebody called wrong; ``rank`` is where the customer would see it now, None: nowhere."""

    judgement: Judgement
    rank: int | None


def wrong_items() -> list[Wrong]:
    """The newest verdicts "wrong", each item of a customer and placement once, those still shown first.

    Placements that need an item in view are left out: a verdict does not know which it was. Raises NotLoadedError.
    """
    rows = (
        Judgement.objects.filter(kind=JudgementKind.WRONG)
        .select_related("customer", "item", "staff")
        .order_by("customer", "item", "placement", "-judged_at")
        .distinct("customer", "item", "placement")
    )
    newest = sorted(rows, key=lambda judgement: judgement.judged_at, reverse=True)
    ranks: dict[tuple[int, str], Mapping[int, int]] = {}
    items = []
    for judgement in newest:
        key = judgement.customer_id, judgement.placement
        if key not in ranks:
            if len(ranks) == MOST_CHECKED:
                continue
            ranks[key] = _ranks(*key)
        if ranks[key]:
            items.append(Wrong(judgement=judgement, rank=ranks[key].get(judgement.item_id)))
    return sorted(items, key=lambda wrong: wrong.rank is None)


def _ranks(customer: int, placement: str) -> Mapping[int, int]:
    """Ranks of the items that the customer would see; empty where the placement is switched off or needs an item."""
    try:
        prepared = live_ready(customer=customer, placement=placement)
    except UnknownPlacementError:
        return {}
    if prepared.snapshot.placements[placement].needs_context:
        return {}
    return {entry.item: entry.rank for entry in complete(prepared).shown}


def _versions(customer: int, placement: str) -> tuple[int | None, int | None]:
    """Keys of the model and of the weights that the customer's answer is made with."""
    try:
        held = current_snapshot()
    except NotLoadedError:
        return None, None
    place, model = held.placements.get(placement), held.model
    if model is None or place is None or place.blend is None:
        return (None if model is None else model.version_id), None
    row = held.row_of(customer)
    segment = int(model.segments[row]) if row >= 0 else -1
    weights = held.weights_for(place.blend, segment=segment, audiences=held.audiences.of(customer))
    return model.version_id, weights.key if weights else None
