"""A person's numbers: what is known of somebody, on the scales that were fixed when the belief was learned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.push.agent.terms import SLOTS, AgentTermKind, Menu, Values

PRIOR_MESSAGES = 20.0  # by which somebody's own rate of answers is shrunk to everybody's
MIDDLE_28, MIDDLE_SILENCE = 1.0, 2.0  # logarithms of usual numbers of messages and of days
BANDS = (1 / 3, 2 / 3)
MOST = 8.0  # standard deviations that somebody counts at most


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonNumbers:
    """What is known of people before anything is chosen; NaN where it is not."""

    log_rate: Values  # [people]: ln of purchases a day
    browsing: Values  # [people]: share of visits without a purchase
    newness: Values  # [people], of any unit: it is standardised, as is ``due``
    due: Values  # [people]: how likely something runs low
    sent_7: Values  # [people]: messages of seven days
    sent_28: Values  # [people]
    silence: Values  # [people]: days since the last act
    hours: Values  # [people, slots]: shares of somebody's acts, summing to 1
    taken: Values  # [people, channels]: messages whose answers are known
    answers: Values  # [people, channels]
    extras: tuple[Values, ...] = ()  # [people] each, as the menu's; what ``response`` says as log odds over the rate's


@dataclass(frozen=True, kw_only=True)
class Scales:
    """Means and standard deviations of what is standardised, thirds of the buying rate, and the rate of answers."""

    means: tuple[float, ...]  # of log_rate, browsing, newness, due
    deviations: tuple[float, ...]
    edges: tuple[float, float]  # of the bands of standardised buying rates
    rate: float  # answers a message, of all


def scales_of(numbers: PersonNumbers, *, rate: float) -> Scales:
    """The scales that these people give; what is constant or unknown keeps its unit."""
    columns = [numbers.log_rate, numbers.browsing, numbers.newness, numbers.due]
    finite = [column[np.isfinite(column)] for column in columns]
    means = tuple(float(column.mean()) if len(column) else 0.0 for column in finite)
    spreads = [float(column.std()) if len(column) else 0.0 for column in finite]
    deviations = tuple(spread if spread > 1e-12 else 1.0 for spread in spreads)
    buying = (finite[0] - means[0]) / deviations[0]
    low, high = np.quantile(buying, BANDS) if len(buying) else (0.0, 0.0)
    return Scales(means=means, deviations=deviations, edges=(float(low), float(high)), rate=rate)


def features_of(numbers: PersonNumbers, scales: Scales, menu: Menu) -> Values:
    """The menu's columns [people, columns]; what is not known counts as usual (0)."""
    columns = (numbers.log_rate, numbers.browsing, numbers.newness, numbers.due)
    standard = [
        (column - mean) / deviation
        for column, mean, deviation in zip(columns, scales.means, scales.deviations, strict=True)
    ]
    rate = max(scales.rate, 1e-6)
    own = np.log((numbers.answers + PRIOR_MESSAGES * rate) / (numbers.taken + PRIOR_MESSAGES) / rate)
    features = np.column_stack([
        *standard, numbers.sent_7, np.log1p(numbers.sent_28) - MIDDLE_28,
        np.log1p(np.maximum(numbers.silence, 0)) - MIDDLE_SILENCE, *numbers.extras,
        2 * (numbers.hours - 1 / len(SLOTS)), own,
    ]).astype(np.float64)  # fmt: skip
    if features.shape[1] != len(menu.columns):
        raise ValueError(f"{features.shape[1]} numbers of a person, the menu has {len(menu.columns)}")
    return np.clip(np.nan_to_num(features, nan=0.0, posinf=MOST, neginf=-MOST), -MOST, MOST)


def band_of(features: Values, scales: Scales, menu: Menu) -> NDArray[np.int64]:
    """Bands [people] of buying rate: 0 rare, 1 middling, 2 frequent."""
    return np.digitize(features[:, menu.columns.index(AgentTermKind.BUYS_OFTEN)], scales.edges).astype(np.int64)
