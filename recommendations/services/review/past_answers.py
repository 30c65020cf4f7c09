"""A past answer then and now, and which part of the shop is why they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from recommendations.engine.evaluation.stability import rbo, shapley
from recommendations.engine.frames import IntArray
from recommendations.models import Slate
from recommendations.serving.again import Again, CannotMakeError, Instead, Missing, Part, Reconstruction, again
from recommendations.serving.types import Answer
from recommendations.store.serving.snapshot_holder import current_snapshot

__all__ = ["CannotMakeError", "Missing", "Part", "PastAnswer", "instead_of", "past_answer"]

NEGLIGIBLE = 1e-9


@dataclass(frozen=True, kw_only=True)
class PastAnswer:
    """An answer made again, what the same request gets now, and how much of the change each part brought.

    ``change`` is 1 − RBO(.9) of the lists of then and now; ``causes``, the largest first, add up to it.
    """

    made: Again
    now: Answer
    change: float
    causes: Mapping[Part, float]


def past_answer(slate: Slate, *, now: datetime) -> PastAnswer:
    """Make an answer again and say why it would be another one now. Raises CannotMakeError."""
    made_of = Reconstruction.of(slate, live=current_snapshot(), now=now)
    made = again(made_of)
    answers: dict[frozenset[Part], Answer] = {frozenset(): made.answer}

    def change(parts: frozenset[Part]) -> float:
        if parts not in answers:
            answers[parts] = made_of.answer(Instead(now=parts))
        return 1 - _likeness(made.answer, answers[parts])

    causes = shapley(change, list(Part))
    ordered = sorted(causes.items(), key=lambda pair: -abs(pair[1]))
    every = frozenset(Part)
    return PastAnswer(
        made=made,
        now=answers[every],
        change=change(every),
        causes={part: share for part, share in ordered if abs(share) > NEGLIGIBLE},
    )


def instead_of(slate: Slate, *, weights: int | None, rules: int | None, now: datetime) -> Again:
    """Make an answer again under another version of the weights (by key) or of the rules. Raises CannotMakeError."""
    made_of = Reconstruction.of(slate, live=current_snapshot(), now=now)
    return again(made_of, instead=Instead(weights=weights, rules=rules))


def _likeness(one: Answer, other: Answer) -> float:
    """RBO of two lists, with items numbered as they come."""
    numbers: dict[int, int] = {}
    return float(rbo(_numbered(one, numbers), _numbered(other, numbers))[0])


def _numbered(answer: Answer, numbers: dict[int, int]) -> IntArray:
    rows: Sequence[int] = [numbers.setdefault(shown.item, len(numbers)) for shown in answer.shown]
    return np.array([rows], np.int32).reshape(1, len(rows))
