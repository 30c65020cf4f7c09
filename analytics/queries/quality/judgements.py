"""Staff's judgements of the recommendations, by the versions that made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from analytics.charts.marks import MeasuredRow
from recommendations.models import Judgement
from recommendations.services.review import judgements
from recommendations.terms import JudgementKind
from recommendations.wording import labels
from recommendations.wording.labels import placement_label

WORDS: Mapping[str, Promise] = {str(code): words for code, words in labels.JUDGEMENTS}
SHOWN_VERSIONS = 10


@dataclass(frozen=True, kw_only=True)
class Said:
    """Judgements of one model with one set of weights; ``shares`` of good, odd and wrong with their 95 % intervals."""

    model: int | None
    weights: str  # blend and version; empty where no weights counted
    total: int
    counts: Sequence[int]  # as the shares
    shares: Sequence[MeasuredRow]

    @property
    def cells(self) -> list[tuple[int, MeasuredRow]]:
        return list(zip(self.counts, self.shares, strict=True))


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """An item judged wrong; ``rank``: where the customer would see it now; None: nowhere."""

    judgement: Judgement
    placement: str
    rank: int | None


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """Judgements of the newest model as a whole, and of the newest versions one by one."""

    newest: Said
    versions: Sequence[Said]


def opinion() -> Opinion | None:
    """Judgements by model and weights; None before the first."""
    versions = judgements.judged()
    newest = judgements.judged_of_newest(versions)
    if newest is None:
        return None
    return Opinion(newest=_said(newest), versions=[_said(one) for one in versions[:SHOWN_VERSIONS]])


def _said(one: judgements.JudgedItem) -> Said:
    return Said(
        model=one.model,
        weights=str(one.weights) if one.weights else "",
        total=one.total,
        counts=[one.counts.get(judgement, 0) for judgement in JudgementKind],
        shares=[
            MeasuredRow(name=judgement, words=str(WORDS[judgement]), **one.share(judgement)._asdict())
            for judgement in JudgementKind
        ],
    )


def wrong_items() -> list[Wrong]:
    """Items judged wrong, those still shown first. Raises ``services.review.review.NotLoadedError``."""
    return [
        Wrong(judgement=one.judgement, placement=placement_label(one.judgement.placement), rank=one.rank)
        for one in judgements.wrong_items()
    ]
