"""What messages taught so far: the last model of each kind with its figures, and whether it is in use or why not."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.push.figures import LEARNED, Tenth
from recommendations.models import PushModel
from recommendations.push_terms import PushModelKind
from recommendations.store.push import learned

__all__ = ["LEARNED", "LearnedModel", "learned_models"]


@dataclass(frozen=True, kw_only=True)
class LearnedModel:
    """The last model of a kind. ``table`` and ``gains`` hold figures by name of the score and of the measure.

    ``refusal`` is the code of why it is not used; without one and not ``in_use`` it waits for its version to go live.
    """

    kind: PushModelKind
    fitted_at: datetime
    lessons_until: datetime | None
    in_use: bool
    refusal: str
    parameters: Mapping[str, Any]
    table: Mapping[str, Mapping[str, Measure]]
    gains: Mapping[str, Mapping[str, Measure]]
    tenths: Sequence[Tenth]
    counts: Mapping[str, float]


def learned_models() -> dict[PushModelKind, LearnedModel]:
    """The last model of each kind that was ever learned."""
    return {kind: _as_read(kind, stored) for kind, stored in learned.latest().items()}


def _as_read(kind: PushModelKind, stored: PushModel) -> LearnedModel:
    figures = stored.figures
    return LearnedModel(
        kind=kind, fitted_at=stored.fitted_at, lessons_until=stored.lessons_until, in_use=stored.in_use,
        refusal=stored.refusal, parameters=stored.parameters, table=_measures(figures.get("table", {})),
        gains=_measures(figures.get("gains", {})), counts=figures.get("counts", {}),
        tenths=[Tenth(*_numbers(each)) for each in figures.get("tenths", [])],
    )  # fmt: skip


def _measures(stored: Mapping[str, Mapping[str, Sequence[float | None]]]) -> dict[str, dict[str, Measure]]:
    return {name: {key: Measure(*_numbers(each)) for key, each in of.items()} for name, of in stored.items()}


def _numbers(stored: Sequence[float | None]) -> list[Any]:
    """Numbers as they were; null is none."""
    return [math.nan if value is None else value for value in stored]
