"""What a version learned of how people look at lists: their patience κ, and how attention falls with the slot, η."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.models import ModelVersion
from recommendations.store.temp_tables import rows
from recommendations.terms import Way

KAPPA, ETA = 20.0, 0.6
"""What holds before anything was measured: of patience in looks, and of attention as the power of the slot."""

PERIOD = timedelta(days=28)
MOST_PAIRS = 30_000
MOST_SLOTS = 30
MOST_ANSWERS = 200_000

# Pairs of a person and an item that they saw more than once, the newest of them first; a row each slot.
_PAIRS = """
WITH showing AS (
  SELECT coalesce(alias.customer_id, slate.customer_id) AS person, slate.items[seen.slot] AS item, seen.slot,
         seen.slot = ANY(outcome.clicked) AS clicked, outcome.at
  FROM recommendations_slateoutcome outcome
  JOIN recommendations_slate slate USING (recommendation_id)
  LEFT JOIN recommendations_customeralias alias
    ON alias.anonymous_id = slate.customer_id AND alias.undone_at IS NULL
  CROSS JOIN LATERAL unnest(outcome.seen) AS seen(slot)
  WHERE outcome.at >= %(since)s AND outcome.at < %(until)s AND NOT outcome.replay AND slate.customer_id IS NOT NULL
    AND slate.served_at >= %(since)s::timestamptz - interval '1 day' AND seen.slot <= %(slots)s
), pair AS (
  SELECT person, item, row_number() OVER (ORDER BY max(at) DESC, person, item) - 1 AS number
  FROM showing GROUP BY person, item HAVING count(*) > 1
)
SELECT pair.number, showing.slot, count(*) FILTER (WHERE clicked), count(*) FILTER (WHERE NOT clicked)
FROM pair JOIN showing USING (person, item) WHERE pair.number < %(pairs)s GROUP BY pair.number, showing.slot
"""
_ANSWERS = """
SELECT slate.weights_version, slate.placement, slate.places, outcome.clicked
FROM recommendations_slateoutcome outcome JOIN recommendations_slate slate USING (recommendation_id)
WHERE outcome.at >= %(since)s AND outcome.at < %(until)s AND NOT outcome.replay AND outcome.listed
  AND slate.served_at >= %(since)s::timestamptz - interval '1 day' AND slate.way = ANY(%(ways)s)
ORDER BY outcome.at DESC LIMIT %(most)s
"""


@dataclass(frozen=True, kw_only=True)
class LearnedFeedback:
    """Patience and attention as a version uses them; what was not measured is the last version's, or the usual."""

    kappa: float = KAPPA  # looks without a click after which an item is believed in by half
    eta: float = ETA  # slot k is looked at with chance k^−η
    pairs: int = 0  # of a customer and an item that was shown to them twice, in the 28 days
    answers: int = 0  # as ranked or shuffled, in the 28 days
    kappa_measured: bool = False  # in this run
    eta_measured: bool = False


class RepeatedShowings(NamedTuple):
    """Items that people saw more than once: clicks [pairs], and times without one [pairs, slots]."""

    clicks: NDArray[np.int64]
    ignored: NDArray[np.int64]


class RankedAnswers(NamedTuple):
    """Places in the ranking, −1 where nothing ranked stands, and clicks [answers, slots]; the kind of each answer."""

    places: NDArray[np.int64]
    clicks: NDArray[np.float64]
    versions: NDArray[np.int64]


def feedback_of(version: int | None) -> LearnedFeedback:
    """What a version uses; the usual where it is of before such things were measured, or None."""
    if version is None:
        return LearnedFeedback()
    return LearnedFeedback(**ModelVersion.objects.values_list("feedback", flat=True).get(pk=version))


def last_feedback(before: ModelVersion) -> LearnedFeedback:
    """What the newest version before uses."""
    earlier = ModelVersion.objects.ready().filter(pk__lt=before.pk).order_by("-pk").values_list("pk", flat=True).first()
    return feedback_of(earlier)


def save_feedback(version: ModelVersion, learned: LearnedFeedback) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(feedback=asdict(learned))


def repeated_showings(*, until: datetime) -> RepeatedShowings:
    """Repeated showings of the 28 days before a moment, of at most 30,000 pairs; what the replay showed nobody saw."""
    values = {"since": until - PERIOD, "until": until, "slots": MOST_SLOTS, "pairs": MOST_PAIRS}
    table = np.array(rows(_PAIRS, **values), np.int64).reshape(-1, 4)
    number, slot, clicked, ignored = table.T
    size = int(number.max(initial=-1)) + 1
    by_slot = np.zeros((size, MOST_SLOTS), np.int64)
    by_slot[number, slot - 1] = ignored
    return RepeatedShowings(np.bincount(number, clicked, minlength=size).astype(np.int64), by_slot)


def ranked_answers(*, until: datetime) -> RankedAnswers:
    """The newest answers as ranked and shuffled of the 28 days before a moment, at most 200,000."""
    ways = [int(Way.AS_RANKED), int(Way.SHUFFLED)]
    answers = rows(_ANSWERS, since=until - PERIOD, until=until, ways=ways, most=MOST_ANSWERS)
    places = np.full((len(answers), MOST_SLOTS), -1, np.int64)
    clicks = np.zeros((len(answers), MOST_SLOTS))
    for row, (_version, _placement, own, clicked) in enumerate(answers):
        places[row, : len(own)] = own[:MOST_SLOTS]
        clicks[row, [slot - 1 for slot in clicked if slot <= MOST_SLOTS]] = 1
    kinds = {kind: number for number, kind in enumerate({each[:2]: None for each in answers})}
    versions = np.array([kinds[each[:2]] for each in answers], np.int64)
    return RankedAnswers(places, clicks, versions)
