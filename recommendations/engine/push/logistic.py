"""Logistic regression on standardised features, as numbers that a table of the database can hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

type Columns = NDArray[np.float64]
"""Features, [rows, features]; one that is not known is NaN, and counts as the mean of the lessons."""

INVERSE_PENALTY = 0.1
MOST_STEPS = 1_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Logistic:
    """A fitted model: the chance is 1 / (1 + exp(−(intercept + Σ coefficient × (feature − mean) / scale)))."""

    names: tuple[str, ...]
    means: NDArray[np.float64]
    scales: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercept: float

    @classmethod
    def fit(cls, columns: Columns, answers: NDArray[np.bool_], names: Sequence[str]) -> Self:
        """Fit to lessons; a feature that is the same in all of them counts for nothing."""
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to load

        known = ~np.isnan(columns)
        count = np.maximum(known.sum(axis=0), 1)
        means = np.where(known, columns, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (columns - means) ** 2, 0.0).sum(axis=0) / count)
        scales = np.where(spread > 0, spread, 1.0)
        fitted = LogisticRegression(C=INVERSE_PENALTY, max_iter=MOST_STEPS)
        fitted.fit(np.where(known, (columns - means) / scales, 0.0), answers)
        return cls(
            names=tuple(names), means=means, scales=scales, coefficients=np.asarray(fitted.coef_[0], np.float64),
            intercept=float(fitted.intercept_[0]),
        )  # fmt: skip

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """The model of stored parameters."""
        means, scales, coefficients = (
            np.array(parameters[name], np.float64) for name in ("means", "scales", "coefficients")
        )
        return cls(
            names=tuple(parameters["names"]), means=means, scales=scales, coefficients=coefficients,
            intercept=float(parameters["intercept"]),
        )  # fmt: skip

    def parameters(self) -> dict[str, Any]:
        return {
            "names": list(self.names), "means": self.means.tolist(), "scales": self.scales.tolist(),
            "coefficients": self.coefficients.tolist(), "intercept": self.intercept,
        }  # fmt: skip

    def chances(self, columns: Columns) -> NDArray[np.float64]:
        """Chance of each row, [rows]."""
        standard = (columns - self.means) / self.scales
        margin = self.intercept + np.where(np.isnan(standard), 0.0, standard) @ self.coefficients
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(margin, -50.0, 50.0))))


def shifted(chances: NDArray[np.float64], *, base: float, rate: float) -> NDArray[np.float64]:
    """Chances whose odds are those of a place where ``rate`` of all answer, learned where ``base`` did.

    The order stays; how many answer, the rate says.
    """
    odds = chances / (1.0 - chances) * (rate / (1.0 - rate)) / (base / (1.0 - base))
    return np.asarray(odds / (1.0 + odds))
