"""All that competes for the slots of an answer, with what rules add to the scores."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ranking.pins import Pin
from recommendations.engine.ranking.rules import Rule, boosts
from recommendations.engine.ranking.scores import Standardised


@dataclass(frozen=True, kw_only=True)
class Contenders:
    """The pool, and behind it what is pinned from outside."""

    items: IntArray
    z: Standardised
    scores: FloatArray  # with boosts; −inf where a candidate may not be shown
    boosts: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)  # key of the rule → [candidates]
    pins: Mapping[int, Pin] = field(default_factory=dict)  # by slot


def with_boosts(plain: Contenders, step: float, rules: Iterable[Rule]) -> Contenders:
    """The contenders with the boosts of the rules in their scores; ``step`` is what a boost of 100 adds."""
    added = boosts(plain.items, rules, unit=step)
    if not added:
        return plain
    return replace(plain, scores=(plain.scores + sum(added.values())).astype(np.float32), boosts=added)
