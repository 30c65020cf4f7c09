"""Figures of what was learned of messages: areas under the curve, best shares and calibration, with 95 % intervals.

Rows hang together by somebody or something, a customer or a campaign; whole groups of them are drawn.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.intervals import TAIL, Measure, resamples
from recommendations.engine.frames import IdArray

DRAWS = 300
LEARNED = "learned"
"""Name of the model among its baselines."""

type Weighted = Callable[[NDArray[np.float64]], float]
"""A figure, given how often each row counts; NaN where it has none."""


class Tenth(NamedTuple):
    """Rows of about equal chance: what was said of them, what was so, with its interval, and how many there are."""

    said: float
    was: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class ModelFigures:
    """Figures of a model and its baselines, by name and measure; ``gains`` are the model's minus a baseline's."""

    table: Mapping[str, Mapping[str, Measure]]
    gains: Mapping[str, Mapping[str, Measure]] = field(default_factory=dict)
    tenths: Sequence[Tenth] = ()
    counts: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The figures as they are stored; what is none is null."""
        table, gains = (
            {name: {key: _storable(each) for key, each in of.items()} for name, of in of_all.items()}
            for of_all in (self.table, self.gains)
        )
        return {
            "table": table, "gains": gains, "tenths": [_storable(each) for each in self.tenths],
            "counts": dict(self.counts),
        }  # fmt: skip

    def beats(self, baseline: str, measure: str) -> bool:
        """Whether the model is better than a baseline beyond chance."""
        return self.gains[baseline][measure].low > 0


def compared(
    scores: Mapping[str, NDArray[np.float64]],
    measures: Callable[[NDArray[np.float64]], Mapping[str, Weighted]],
    *,
    group: IdArray,
    seed: int,
) -> tuple[dict[str, dict[str, Measure]], dict[str, dict[str, Measure]]]:
    """The figures of each score, and the gains of ``learned`` over the others, by the same draws of groups.

    ``measures`` makes the figures of a score; ``group`` numbers the rows' groups 0 … n − 1.
    """
    number = int(group.max()) + 1 if len(group) else 0
    draws = resamples(number, seed=seed, n=DRAWS)
    table, drawn = dict[str, dict[str, Measure]](), dict[str, dict[str, NDArray[np.float64]]]()
    for name, score in scores.items():
        table[name], drawn[name] = {}, {}
        for key, figure in measures(score).items():
            values = np.array([figure(row[group].astype(np.float64)) for row in draws])
            table[name][key] = _measure(figure(np.ones(len(group))), values)
            drawn[name][key] = values
    gains = {
        name: {
            key: _measure(table[LEARNED][key].value - own.value, drawn[LEARNED][key] - drawn[name][key])
            for key, own in of.items()
        }
        for name, of in table.items()
        if name != LEARNED
    }
    return table, gains


def area(score: NDArray[np.float64], answers: NDArray[np.bool_]) -> Weighted:
    """Area under the ROC curve: how often who answers has the higher score; ties count half. One class alone: NaN."""
    order = np.argsort(score, kind="stable")
    ranked, answered = score[order], answers[order]
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))

    def figure(weights: NDArray[np.float64]) -> float:
        own = weights[order]
        yes = np.diff(np.cumsum(np.where(answered, own, 0.0))[ends], prepend=0.0)
        no = np.diff(np.cumsum(np.where(answered, 0.0, own))[ends], prepend=0.0)
        below = np.cumsum(no) - no / 2
        pairs = float(yes.sum() * no.sum())
        return float((yes * below).sum()) / pairs if pairs else float("nan")

    return figure


def best_share(score: NDArray[np.float64], answers: NDArray[np.bool_], share: float) -> Weighted:
    """Share of all answers that is among the rows of the highest scores, as many as ``share`` of all."""
    order = np.argsort(-score, kind="stable")
    answered = answers[order]

    def figure(weights: NDArray[np.float64]) -> float:
        own = weights[order]
        total = float((own * answered).sum())
        before = np.cumsum(own) - own
        part = np.clip(share * float(own.sum()) - before, 0.0, own)
        return float((part * answered).sum()) / total if total else float("nan")

    return figure


def lift(score: NDArray[np.float64], answers: NDArray[np.bool_], share: float) -> Weighted:
    """How many times as often as all the rows of the highest scores answer."""
    kept = best_share(score, answers, share)
    return lambda weights: kept(weights) / share


def tenths(
    said: NDArray[np.float64], was: NDArray[np.bool_], *, group: IdArray, seed: int, parts: int = 10
) -> list[Tenth]:
    """Rows by what was said of them, in parts of about equal size, with what was so; equals stay together."""
    if not len(said):
        return []
    borders = np.unique(np.quantile(said, np.linspace(0, 1, parts + 1)[1:-1]))
    part = np.searchsorted(borders, said, side="right")
    draws = resamples(int(group.max()) + 1, seed=seed, n=DRAWS)
    parts_of = []
    for number in np.unique(part):
        own = np.flatnonzero(part == number)
        hits = np.bincount(group[own], was[own], minlength=draws.shape[1])
        rows = np.bincount(group[own], minlength=draws.shape[1])
        total = draws @ rows
        values = np.divide(draws @ hits, total, out=np.full(len(draws), np.nan), where=total > 0)
        rate = _measure(float(was[own].mean()), values)
        parts_of.append(Tenth(float(said[own].mean()), rate.value, rate.low, rate.high, len(own)))
    return parts_of


def _storable(values: Sequence[float]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values]


def _measure(value: float, draws: NDArray[np.float64]) -> Measure:
    known = draws[~np.isnan(draws)]
    if not len(known):
        return Measure(value, float("nan"), float("nan"))
    low, high = np.percentile(known, [TAIL, 100 - TAIL])
    return Measure(value, float(low), float(high))
