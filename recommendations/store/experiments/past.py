"""Visitors of the last four weeks at some placements and what came of each, day by day: what plans are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from recommendations.store.attribution.statements import ASIDE, COUNTS, WORDS
from recommendations.store.temp_tables import MEMORY, rows, run, temporary
from recommendations.terms import CustomerKind

DAYS = 28
MOST = 20_000
"""Visitors whose days are looked at; of more than that a fixed part stands for all."""
PARTS = 1_024  # in which that part is measured

UNIT = "('x' || encode(substring(named.pseudonym from 1 for 8), 'hex'))::bit(64)::bigint"
# Answers of the window, each with its visitor: the person where the record knows one, else the unit of the slate.
_ANSWERS = f"""
INSERT INTO past_answer (visitor, person, served_at, listed, seen, clicked)
SELECT coalesce(person.id, slate.unit), person.id, slate.served_at, coalesce(outcome.listed, false),
       coalesce(outcome.seen <> '{{}}', false), coalesce(outcome.clicked <> '{{}}', false)
FROM recommendations_slate slate
LEFT JOIN recommendations_customer named ON slate.customer_id IS NULL AND {UNIT} = slate.unit
LEFT JOIN (
  SELECT anonymous_id, min(customer_id) AS customer_id FROM recommendations_customeralias
  WHERE undone_at IS NULL GROUP BY anonymous_id
) whole ON whole.anonymous_id = coalesce(slate.customer_id, named.id)
CROSS JOIN LATERAL (SELECT coalesce(whole.customer_id, slate.customer_id, named.id) AS id) person
LEFT JOIN recommendations_customer customer ON customer.id = person.id
LEFT JOIN recommendations_slateoutcome outcome ON outcome.recommendation_id = slate.recommendation_id
WHERE slate.served_at >= %(start)s AND slate.served_at < %(now)s AND slate.placement = ANY(%(placements)s)
  AND coalesce(person.id, slate.unit) IS NOT NULL AND customer.personalise IS NOT FALSE
  AND customer.measure IS NOT FALSE
  AND (%(signed_in)s::boolean IS NULL
    OR (customer.kind IS NOT DISTINCT FROM '{CustomerKind.SIGNED_IN}') = %(signed_in)s)
  AND (cardinality(%(segments)s::integer[]) = 0 OR EXISTS (
    SELECT FROM recommendations_liveprofile profile
    JOIN recommendations_segment segment ON segment.id = profile.segment_id
    WHERE profile.customer_id = person.id AND segment.number = ANY(%(segments)s)))
"""  # noqa: S608 - parts of our own
_DAY = "floor(extract(epoch FROM {0} - %(start)s) / 86400)::integer"
_FIRST_DAYS = f"""
SELECT day, count(*) FROM (
  SELECT {_DAY.format("min(served_at)")} AS day FROM past_answer GROUP BY visitor
) AS first GROUP BY day
"""  # noqa: S608
_CHOSEN = f"(hashint8extended(visitor, 0) & {PARTS - 1}) < %(parts)s"
_ANSWERS_BY_DAY = f"""
SELECT visitor, {_DAY.format("served_at")}, count(*), count(*) FILTER (WHERE seen), count(*) FILTER (WHERE clicked)
FROM past_answer WHERE {_CHOSEN} GROUP BY 1, 2
"""  # noqa: S608
# Purchases that count, of each visitor since four weeks before their first answer, less what was given back of those
# since: on the day of the first refund. −1 stands for the days before the first answer.
_MONEY_BY_DAY = f"""
WITH visitor AS (
  SELECT visitor, person, min(served_at) AS first_at FROM past_answer
  WHERE person IS NOT NULL AND {_CHOSEN} GROUP BY visitor, person
), key AS (
  SELECT visitor, person AS id, first_at FROM visitor UNION ALL
  SELECT visitor, alias.anonymous_id, first_at FROM visitor
  JOIN recommendations_customeralias alias ON alias.customer_id = person AND alias.undone_at IS NULL
), line AS (
  SELECT key.visitor, key.first_at, event.occurred_at, event.transaction_id, event.item_id,
         coalesce(event.amount, 0) AS amount, event.quantity
  FROM key JOIN events_to_measure event ON event.customer_id = key.id
  WHERE event.occurred_at >= key.first_at - %(before)s AND event.occurred_at < %(now)s
    AND event.name = ANY(%(bought)s) AND NOT {ASIDE} AND {COUNTS}
), order_line AS (
  SELECT visitor, transaction_id, item_id, min(occurred_at) AS at, sum(amount) AS amount, sum(quantity) AS quantity
  FROM line WHERE occurred_at >= first_at GROUP BY visitor, transaction_id, item_id
), taken AS (
  SELECT order_line.visitor, min(refund.occurred_at) AS at, order_line.amount * least(1, CASE
           WHEN bool_or(refund.amount IS NULL AND refund.quantity IS NULL)
             OR sum(refund.quantity) >= order_line.quantity THEN 1
           WHEN sum(refund.amount) IS NOT NULL AND order_line.amount > 0 THEN sum(refund.amount) / order_line.amount
           WHEN order_line.quantity > 0 THEN sum(refund.quantity)::numeric / order_line.quantity
           ELSE 1 END) AS amount
  FROM order_line JOIN events_to_measure refund USING (transaction_id, item_id)
  WHERE refund.name = 'refund' AND refund.occurred_at >= order_line.at AND refund.occurred_at < %(now)s
  GROUP BY order_line.visitor, order_line.transaction_id, order_line.item_id, order_line.amount, order_line.quantity
)
SELECT visitor, CASE WHEN occurred_at < first_at THEN -1 ELSE {_DAY.format("occurred_at")} END, sum(amount), count(*)
FROM line GROUP BY 1, 2
UNION ALL
SELECT visitor, {_DAY.format("at")}, -sum(amount), 0 FROM taken GROUP BY 1, 2
"""  # noqa: S608

type Table = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PastVisitors:
    """Visitors of the window and their days [visitor, day]; day 0 begins ``DAYS`` before its end.

    ``newcomers`` [day] counts all visitors by the day of their first answer; the other arrays are of those who were
    chosen. ``before`` is what they spent in the four weeks before that answer; ``spent`` is less what was given back.
    ``seen`` are the lists that they saw, or all that they were served where the shop does not tell which were.
    """

    keys: NDArray[np.int64]
    newcomers: NDArray[np.int64]
    first_day: NDArray[np.int64]
    before: Table
    spent: Table
    purchases: Table
    seen: Table
    clicked: Table
    listed: bool

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def curve(self) -> NDArray[np.int64]:
        """Different visitors of the first 1, 2 … days, from the first day on which one came."""
        return np.cumsum(self.newcomers)[self.first :]

    @property
    def first(self) -> int:
        """The first day on which a visitor came."""
        return int(np.argmax(self.newcomers > 0))


def past_visitors(
    placements: Sequence[str], *, segments: Sequence[int], signed_in: bool | None, now: datetime, most: int = MOST
) -> PastVisitors:
    """Visitors who were answered at these placements in the four weeks before ``now``, as an experiment counts them.

    ``segments`` by number, of the live model, empty: everybody; ``signed_in`` None: whoever they are.
    """
    window: dict[str, Any] = {
        "start": now - timedelta(days=DAYS), "now": now, "before": timedelta(days=DAYS),
        "placements": list(placements), "segments": list(segments), "signed_in": signed_in,
        "believed": settings.PURCHASES_FROM, "bought": WORDS["bought"],
    }  # fmt: skip
    columns = "(visitor bigint, person bigint, served_at timestamptz, listed boolean, seen boolean, clicked boolean)"
    with transaction.atomic(), temporary("past_answer", columns):
        run(MEMORY)
        run(_ANSWERS, **window)
        run("ANALYZE past_answer")
        newcomers = np.zeros(DAYS, np.int64)
        for day, count in rows(_FIRST_DAYS, **window):
            newcomers[day] = count
        parts = PARTS if newcomers.sum() <= most else max(1, int(PARTS * most / newcomers.sum()))
        ((listed,),) = rows("SELECT coalesce(bool_or(listed), false) FROM past_answer")
        answers, money = (rows(text, parts=parts, **window) for text in (_ANSWERS_BY_DAY, _MONEY_BY_DAY))
    return _arrays(answers, money, newcomers=newcomers, listed=listed)


def _arrays(
    answers: Sequence[tuple[Any, ...]],
    money: Sequence[tuple[Any, ...]],
    *,
    newcomers: NDArray[np.int64],
    listed: bool,
) -> PastVisitors:
    """Rows of visitor, day and sums as arrays of visitor × day; visitors in the order of their keys."""
    days = np.asarray([row[:5] for row in answers], np.int64).reshape(-1, 5)
    keys, row = np.unique(days[:, 0], return_inverse=True)
    served, seen, clicked, spent, purchases = np.zeros((5, len(keys), DAYS))
    for table, column in ((served, 2), (seen, 3), (clicked, 4)):
        table[row, days[:, 1]] = days[:, column]
    first_day = np.full(len(keys), DAYS, np.int64)
    np.minimum.at(first_day, row, days[:, 1])
    before = np.zeros(len(keys))
    whose = np.searchsorted(keys, np.asarray([each[0] for each in money], np.int64))
    for visitor, (_key, day, amount, lines) in zip(whose.tolist(), money, strict=True):
        if day < 0:
            before[visitor] = float(amount)
        else:
            spent[visitor, day] += float(amount)
            purchases[visitor, day] += lines
    return PastVisitors(
        keys=keys, newcomers=newcomers, first_day=first_day, before=before, spent=spent, purchases=purchases,
        seen=seen if listed else served, clicked=clicked, listed=listed,
    )  # fmt: skip
