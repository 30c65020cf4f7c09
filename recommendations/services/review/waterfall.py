"""Terms that a final score is made of: the recommenders, the promotion plan, goals, fatigue, boosts, diversity."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.serving.types import Shown
from recommendations.terms import Lift


class TermKind(StrEnum):
    """Origin of a term of a final score; ``PLACED`` moves an item without any value."""

    RECOMMENDER = "recommender"
    SECOND_STAGE = "second_stage"
    PROMOTION = "promotion"
    GOAL = "goal"  # revenue, margin or stock to clear
    FATIGUE = "fatigue"  # shown before and not clicked
    BOOST = "boost"
    DIVERSITY = "diversity"
    PLACED = "placed"  # a pin, a cap or a minimum share


KINDS = {
    **dict.fromkeys(map(str, Lift), TermKind.GOAL), Lift.PROMOTION: TermKind.PROMOTION,
    SECOND_STAGE: TermKind.SECOND_STAGE,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Term:
    kind: TermKind
    name: str  # of the recommender instance or the rule; "" for fatigue and diversity
    value: float | None  # None: it moves the item without a value
    rule: int | None = None  # key of the rule; 0: of one that was never saved; below 0: of a boost of the request
    times: int = 0  # of fatigue: how often it was shown and not clicked


def waterfall(shown: Shown, *, rules: Mapping[int, str]) -> list[Term]:
    """The parts of the score, the largest |part| first, then what happens after it; the values add up to ``final``.

    ``rules`` are names by key. What pins an item, or gives it the place that a cap or a share takes from another, comes
    last and has no value.
    """
    parts = sorted(shown.contributions.items(), key=lambda part: -abs(part[1]))
    terms = [Term(kind=KINDS.get(name, TermKind.RECOMMENDER), name=name, value=value) for name, value in parts]
    if shown.fatigue:
        terms.append(Term(kind=TermKind.FATIGUE, name="", value=shown.fatigue, times=shown.ignored))
    terms += [
        Term(kind=TermKind.BOOST, name=rules.get(key, ""), value=value, rule=key)
        for key, value in shown.boosts.items()
    ]  # fmt: skip
    if shown.diversity:
        terms.append(Term(kind=TermKind.DIVERSITY, name="", value=shown.diversity))
    return terms + [
        Term(kind=TermKind.PLACED, name=rules.get(key, ""), value=None, rule=key)
        for key in shown.rules
        if key not in shown.boosts
    ]
