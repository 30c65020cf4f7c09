"""What a final score is made of, term by term: the recommenders, the promotion plan, boosts, diversity."""

from dataclasses import dataclass

from recommendations.engine.ranking.scores import PROMOTION
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.loop.answer import Shown
from recommendations.terms import TermKind


@dataclass(frozen=True, kw_only=True)
class Term:
    kind: TermKind
    name: str  # of the recommender instance or the rule; "" for diversity
    value: float | None  # None: it moves the item without a value


def waterfall(shown: Shown) -> list[Term]:
    """The parts of the score, the largest |part| first, then what happens after it; the values add up to ``final``."""
    kinds = {PROMOTION: TermKind.PROMOTION, SECOND_STAGE: TermKind.SECOND_STAGE}
    parts = sorted(shown.contributions.items(), key=lambda part: -abs(part[1]))
    terms = [Term(kind=kinds.get(name, TermKind.RECOMMENDER), name=name, value=value) for name, value in parts]
    if shown.final != shown.score:
        terms.append(Term(kind=TermKind.DIVERSITY, name="", value=shown.final - shown.score))
    return terms
