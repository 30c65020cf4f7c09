"""Who left after a message: unsubscribed and did not come back, or complained, by the messages of four weeks before."""

from datetime import datetime, timedelta

from recommendations.engine.push.fatigue import COUNTS, SPAN_DAYS
from recommendations.push_terms import MessageEventKind, MessageState
from recommendations.store.temp_tables import rows

SPAN = timedelta(days=SPAN_DAYS)
LEARNED_FROM = timedelta(days=400)  # as long as messages are stored

_LEFT = f"""
WITH own AS MATERIALIZED (
  SELECT id, customer_id, handed_at, least(%(most)s, count(*) OVER (
      PARTITION BY customer_id ORDER BY handed_at RANGE BETWEEN %(span)s PRECEDING AND CURRENT ROW) - 1) AS before
  FROM recommendations_message
  WHERE state = '{MessageState.TAKEN}' AND handed_at IS NOT NULL AND handed_at > %(since)s AND handed_at <= %(now)s
), latest AS (
  SELECT DISTINCT ON (event.message_id) event.message_id, event.kind FROM recommendations_messageevent event
  JOIN own ON own.id = event.message_id
  WHERE event.kind IN ('{MessageEventKind.UNSUBSCRIBED}', '{MessageEventKind.RESUBSCRIBED}')
  ORDER BY event.message_id, event.at DESC, event.id DESC
), gone AS (
  SELECT message_id FROM latest WHERE kind = '{MessageEventKind.UNSUBSCRIBED}'
  UNION
  SELECT event.message_id FROM recommendations_messageevent event JOIN own ON own.id = event.message_id
  WHERE event.kind = '{MessageEventKind.COMPLAINED}'
)
SELECT before, count(*), count(gone.message_id) FROM own LEFT JOIN gone ON gone.message_id = own.id GROUP BY 1
"""  # noqa: S608 - words of our own


def leaving_counts(*, now: datetime) -> tuple[list[int], list[int]]:
    """Messages after which somebody left, and all that were taken, by the messages of 28 days before: 0, 1, 2, 3+."""
    left, taken = [0] * COUNTS, [0] * COUNTS
    for before, messages, gone in rows(_LEFT, now=now, since=now - LEARNED_FROM, span=SPAN, most=COUNTS - 1):
        taken[before], left[before] = messages, gone
    return left, taken
