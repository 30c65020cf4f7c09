"""Why an item is not in a customer's answer, and the smallest single change that would bring it in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from recommendations.engine.ranking.selection import Lost
from recommendations.models import BlendWeights, Rule, Staff
from recommendations.services.review import Draft, review
from recommendations.terms import AnswerStage


@dataclass(frozen=True, kw_only=True)
class Question:
    """Why is the item not in this customer's answer?"""

    customer: int
    placement: str
    item: int
    n: int | None = None
    context_items: tuple[int, ...] = ()


class ChangeKind(StrEnum):
    """What a suggestion changes."""

    WEIGHT = "weight"
    DIVERSITY = "diversity"
    BOOST = "boost"
    LIMIT = "limit"  # a rule no longer matches the item
    WITHDRAW = "withdraw"  # a rule is withdrawn
    PIN = "pin"


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A change that brings the item in, tried with ``recommend`` itself."""

    key: str  # names the change when it is asked for again, such as ``weight:als``
    kind: ChangeKind
    size: float  # how much it disturbs other lists; the smaller, the earlier
    words: str
    rank: int  # of the item after the change
    draft: Draft


@dataclass(frozen=True, kw_only=True)
class WhyNot:
    """``stage`` is the step that lost the item; SHOWN: it is in the answer, at ``rank``."""

    question: Question
    stage: AnswerStage
    n: int  # how many items the answer has room for
    words: str  # what happened
    remedy: str  # what to do where no change of weights or rules helps; else empty
    lost: Lost | None = None  # at ELIGIBILITY
    rule: int | None = None  # key of the rule that took it out or gave its place away
    rank: int | None = None  # place in the answer, or by score among the ``eligible``
    eligible: int = 0
    gap: float | None = None  # from the item's score to that of the last item shown
    speaking: Sequence[tuple[str, float]] = ()  # recommender and its part compared with the last item shown's
    suggestions: Sequence[Suggestion] = field(default_factory=tuple)  # the smallest first

    @property
    def suggestion(self) -> Suggestion | None:
        return next(iter(self.suggestions), None)


class SuggestionGoneError(Exception):
    """The change no longer brings the item in: something else changed meanwhile."""


class DraftExistsError(Exception):
    """There is a draft of these weights already; ``draft`` would be lost."""

    def __init__(self, draft: BlendWeights) -> None:
        super().__init__(f"{draft} is a draft already")
        self.draft = draft


def why_not(
    *, customer: int, placement: str, item: int, n: int | None = None, context_items: Sequence[int] = ()
) -> WhyNot:
    """Raises UnknownPlacementError and NotLoadedError."""
    question = Question(customer=customer, placement=placement, item=item, n=n, context_items=tuple(context_items))
    seen = review(customer=customer, placement=placement, n=n, context_items=context_items)
    rank = next((card.rank for card in seen.cards if card.item.pk == item), None)
    stage = AnswerStage.SHOWN if rank else AnswerStage.RANKING
    return WhyNot(question=question, stage=stage, n=len(seen.cards), words="", remedy="", rank=rank)


def apply_suggestion(
    *, question: Question, key: str, by: Staff, now: datetime, replace_draft: bool = False
) -> BlendWeights | Rule:
    """Make the change a draft: of the weights, or of a rule; nothing is served differently yet.

    Raises SuggestionGoneError, and DraftExistsError where a draft of these weights says something else and may not be
    replaced.
    """
    raise SuggestionGoneError
