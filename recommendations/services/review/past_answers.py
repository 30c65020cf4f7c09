"""A past answer then and now, and which part of the shop is why they differ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.conf import settings

from recommendations.engine.evaluation.stability import rbo, shapley
from recommendations.engine.frames import IntArray
from recommendations.models import BlendWeights, ModelVersion, RuleBook, Slate
from recommendations.serving.past.again import (
    Again,
    CannotMakeError,
    Instead,
    Missing,
    Part,
    Reconstruction,
    Sameness,
    again,
)
from recommendations.serving.types import Answer
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.wording import past_answers as words

__all__ = ["CannotMakeError", "Missing", "Part", "PastAnswer", "Sameness"]

NEGLIGIBLE = 1e-9


class UnknownVersionError(Exception):
    """There is no such version of the weights of the answer's blend, or no such rules; ``field`` says which."""

    def __init__(self, field: str, version: int) -> None:
        super().__init__(field, version)
        self.field, self.version = field, version


@dataclass(frozen=True, kw_only=True)
class PastAnswer:
    """An answer made again, what the same request gets now, and how much of the change each part brought.

    ``change`` is 1 − RBO(.9) of the lists of then and now; ``causes``, the largest first, add up to it. ``idle`` are
    parts that are others now, or may be, and change nothing; all that is in neither is as it was.
    """

    made: Again
    now: Answer
    change: float
    causes: Mapping[Part, float]
    idle: Sequence[Part]


def past_answer(slate: Slate, *, now: datetime) -> PastAnswer:
    """Make an answer again and say why it would be another one now. Raises CannotMakeError."""
    made_of = Reconstruction.of(slate, live=current_snapshot(), now=now)
    made = again(made_of)
    answers: dict[frozenset[Part], Answer] = {frozenset(): made.answer}

    def change(parts: frozenset[Part]) -> float:
        if parts not in answers:
            answers[parts] = made_of.answer(Instead(now=parts))
        return 1 - _likeness(made.answer, answers[parts])

    causes = shapley(change, made_of.changed)
    ordered = sorted(causes.items(), key=lambda pair: -abs(pair[1]))
    telling = {part: share for part, share in ordered if abs(share) > NEGLIGIBLE}
    every = frozenset(made_of.changed)
    return PastAnswer(
        made=made,
        now=answers[every],
        change=change(every),
        causes=telling,
        idle=[part for part in made_of.changed if part not in telling],
    )


def find_slate(recommendation: str) -> Slate | None:
    """The slate of an answer; of who does not want to be known by now it is nobody's."""
    if "\x00" in recommendation:  # which no text of PostgreSQL holds
        return None
    slate = Slate.objects.filter(recommendation_id=recommendation).select_related("customer").first()
    if slate is not None and slate.customer is not None and not slate.customer.personalise:
        slate.customer = slate.request = slate.state = slate.unit = None
    return slate


def made_again(slate: Slate, *, weights: int | None = None, rules: int | None = None, now: datetime) -> Again:
    """Make an answer again, or one under another version of its blend's weights or another book of rules, by number.

    Raises CannotMakeError, and UnknownVersionError.
    """
    made_of = Reconstruction.of(slate, live=current_snapshot(), now=now)
    if rules and not RuleBook.objects.filter(number=rules).exists():
        raise UnknownVersionError("rules", rules)
    key = None if weights is None else _key_of(weights, beside=made_of.parts.basis.weights)
    return again(made_of, instead=Instead(weights=key, rules=rules))


def why_not(error: CannotMakeError, slate: Slate, *, written: Callable[[datetime], str]) -> str:
    """Why an answer cannot be made again, in words; ``written`` writes a day."""
    days = settings.ANSWERS_DAYS
    match error.missing:
        case Missing.MODEL_GONE:
            at = ModelVersion.objects.filter(pk=error.model or 0).values_list("created_at", flat=True).first()
            return words.model_gone(model=error.model, made=written(at) if at else "–", days=days)
        case Missing.NAMELESS:
            return words.nameless()
        case Missing.ERASED:
            return words.erased()
        case Missing.PAGE_INCOMPLETE:
            return words.page_incomplete()
        case _:
            return words.older_than_record() if slate.basis is None else words.expired(days=days)


def _key_of(number: int, *, beside: int | None) -> int:
    """Key of a version by its number among those of its blend, which is that of the version with the key ``beside``."""
    rows = BlendWeights.objects.filter(blend__versions=beside, number=number)
    key = rows.values_list("pk", flat=True).first() if beside is not None else None
    if key is None:
        raise UnknownVersionError("weights", number)
    return key


def _likeness(one: Answer, other: Answer) -> float:
    """RBO of two lists, with items numbered as they come."""
    numbers: dict[int, int] = {}
    return float(rbo(_numbered(one, numbers), _numbered(other, numbers))[0])


def _numbered(answer: Answer, numbers: dict[int, int]) -> IntArray:
    rows: Sequence[int] = [numbers.setdefault(shown.item, len(numbers)) for shown in answer.shown]
    return np.array([rows], np.int32).reshape(1, len(rows))
