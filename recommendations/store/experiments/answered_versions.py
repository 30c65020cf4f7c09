"""Clicks that answers of versions of weights got in their first weeks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from recommendations.store.temp_tables import rows

WEEKS = timedelta(days=28)

_CLICKS = """
SELECT version.number, count(*), avg(cardinality(outcome.clicked)), var_samp(cardinality(outcome.clicked))
FROM unnest(%(numbers)s::bigint[], %(starts)s::timestamptz[]) AS version (number, start)
JOIN recommendations_slate slate ON slate.placement = %(placement)s AND version.number = CASE
    WHEN NOT %(visits)s THEN CASE WHEN slate.source <> 'session' THEN slate.weights_version END
    ELSE coalesce(slate.visit_weights, CASE WHEN slate.source = 'session' THEN slate.weights_version END) END
  AND slate.served_at >= version.start AND slate.served_at < version.start + %(weeks)s
JOIN recommendations_slateoutcome outcome USING (recommendation_id)
WHERE outcome.listed AND NOT slate.replay
GROUP BY version.number
"""


@dataclass(frozen=True, kw_only=True)
class VersionClicks:
    """Clicks an answer of a version, and the variance of an answer's."""

    answers: int
    mean: float
    variance: float


def clicks_of(
    placement: str, versions: Sequence[tuple[int, datetime]], *, visits: bool = False
) -> dict[int, VersionClicks]:
    """Clicks of versions by number, each with the moment from which its four weeks count.

    With ``visits`` they are versions of the weights of visits; the numbers of other weights are others.
    """
    told = rows(
        _CLICKS, placement=placement, numbers=[number for number, _ in versions],
        starts=[start for _, start in versions], weeks=WEEKS, visits=visits,
    )  # fmt: skip
    return {
        number: VersionClicks(answers=count, mean=float(mean), variance=float(variance or 0.0))
        for number, count, mean, variance in told
    }
