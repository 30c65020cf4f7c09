"""Response: who answers a campaign that is sent to them, learned from campaigns that are over.

It says who answers, not who does so because of the message: nobody was held out of what it learned from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.push.figures import (
    LEARNED,
    ModelFigures,
    Weighted,
    area,
    best_share,
    compared,
    lift,
    tenths,
)
from recommendations.engine.push.logistic import Columns, Logistic, shifted

FEATURES = (
    "trips", "spend", "own_lines", "since_trip", "answer_rate", "coupon_lines", "size", "broad", "chosen",
)  # fmt: skip
"""Of the 84 days before: days with a purchase, money, lines of the campaign's items, days since the last purchase, the
own answer rate, lines with a coupon; items of the campaign; whether it goes to all alike (A), or to chosen ones (B)."""
PLAIN = ("answer_rate", "broad", "chosen")
LOGGED = np.array([name not in PLAIN for name in FEATURES])
SPAN_DAYS = 84
LEAST_CAMPAIGNS, LEAST_ANSWERS = 5, 200
TENTH, HALF = 0.1, 0.5
OWN_RATE, TRIPS, KIND = "own_rate", "trips", "kind"


@dataclass(frozen=True, kw_only=True, eq=False)
class Receipts:
    """Who got which campaign, and answered it or not; campaigns are numbered 0 … n − 1, times are days."""

    campaign: IntArray
    columns: Columns  # [receipts, 9], as ``logged`` gives them
    answered: BoolArray
    starts: NDArray[np.float64]  # [campaigns]
    ends: NDArray[np.float64]  # [campaigns]: when all answers are known

    def __len__(self) -> int:
        return len(self.campaign)

    def where(self, keep: BoolArray) -> Self:
        return type(self)(
            campaign=self.campaign[keep], columns=self.columns[keep], answered=self.answered[keep], starts=self.starts,
            ends=self.ends,
        )  # fmt: skip

    def column(self, name: str) -> NDArray[np.float64]:
        return self.columns[:, FEATURES.index(name)]


@dataclass(frozen=True, kw_only=True, eq=False)
class ResponseModel:
    """A fitted model; ``base`` is the share of its lessons that were answered."""

    logistic: Logistic
    base: float

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        return cls(logistic=Logistic.of(parameters), base=float(parameters["base"]))

    def parameters(self) -> dict[str, Any]:
        return {**self.logistic.parameters(), "base": self.base}

    def chances(self, columns: Columns, *, rate: float) -> NDArray[np.float64]:
        """Chances of people whom a campaign goes to of which ``rate`` is answered: the model only says who."""
        return shifted(self.logistic.chances(columns), base=self.base, rate=rate)


def logged(columns: Columns) -> Columns:
    """Features as the model has them: logarithms of all but rates and kinds."""
    table = columns.astype(np.float64)
    table[:, LOGGED] = np.log1p(np.maximum(table[:, LOGGED], 0.0))
    return table


def later_half(receipts: Receipts) -> float:
    """The start from which on campaigns are tested: half of them began before it."""
    own = np.unique(receipts.campaign)
    return float(np.median(receipts.starts[own])) if len(own) else 0.0


def fit_response(receipts: Receipts) -> ResponseModel | None:
    """Fit to campaigns that are over; None where there is too little to learn from."""
    campaigns, answers = len(np.unique(receipts.campaign)), int(receipts.answered.sum())
    if campaigns < LEAST_CAMPAIGNS or answers < LEAST_ANSWERS or answers == len(receipts):
        return None
    model = Logistic.fit(receipts.columns, receipts.answered, FEATURES)
    return ResponseModel(logistic=model, base=float(receipts.answered.mean()))


def judged(receipts: Receipts, *, cut: float, seed: int) -> ModelFigures | None:
    """The model fitted to campaigns that were over by the cut, on those that began from then on, beside baselines.

    Whole campaigns are drawn, which is the interval for the next one. None where there is nothing on a side.
    """
    taught = receipts.where((receipts.starts < cut)[receipts.campaign] & (receipts.ends <= cut)[receipts.campaign])
    tested = receipts.where((receipts.starts >= cut)[receipts.campaign])
    if not 0 < taught.answered.sum() < len(taught) or not 0 < tested.answered.sum() < len(tested):
        return None
    said = Logistic.fit(taught.columns, taught.answered, FEATURES).chances(tested.columns)
    scores = {
        LEARNED: said,
        OWN_RATE: tested.column("answer_rate"),
        TRIPS: tested.column("trips"),
        KIND: _rate_by_kind(taught)[_kind(tested)],
    }
    answered = tested.answered

    def measures(score: NDArray[np.float64]) -> dict[str, Weighted]:
        return {
            "area": area(score, answered), "best_tenth": lift(score, answered, TENTH),
            "half": best_share(score, answered, HALF),
        }  # fmt: skip

    _, group = np.unique(tested.campaign, return_inverse=True)
    table, gains = compared(scores, measures, group=group.astype(np.int64), seed=seed)
    counts = {
        "lessons": len(taught), "lesson_campaigns": len(np.unique(taught.campaign)), "tested": len(tested),
        "campaigns": len(np.unique(tested.campaign)), "answers": int(answered.sum()),
    }  # fmt: skip
    calibrated = tenths(said, answered, group=group.astype(np.int64), seed=seed)
    return ModelFigures(table=table, gains=gains, tenths=calibrated, counts=counts)


def _kind(receipts: Receipts) -> NDArray[np.intp]:
    return np.asarray(receipts.column("broad") + 2 * receipts.column("chosen"), np.intp)


def _rate_by_kind(receipts: Receipts) -> NDArray[np.float64]:
    """Answer rate by kind, [4]; of one that is not there that of all."""
    kind = _kind(receipts)
    sent = np.bincount(kind, minlength=4)
    answered = np.bincount(kind, receipts.answered, minlength=4)
    return np.where(sent > 0, answered / np.maximum(sent, 1), receipts.answered.mean())
