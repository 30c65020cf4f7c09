"""Counts of the whole record that say what can be learned from it: people, orders, kinds of events, and their dates."""

import json
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from recommendations.event_types import EventName
from recommendations.store.domain import shop_domain
from recommendations.store.temp_tables import rows

COUNTS = """
SELECT
  (SELECT to_jsonb(people) FROM (
    SELECT count(*) AS everyone, count(*) FILTER (WHERE acts >= 2) AS with_two, count(first_bought) AS buyers,
           count(*) FILTER (WHERE first_bought < last_bought) AS again
    FROM (
      SELECT coalesce(alias.customer_id, event.customer_id) AS person,
             count(*) FILTER (WHERE event.name = ANY(%(acts)s)) AS acts,
             (min(event.occurred_at) FILTER (WHERE event.name = %(purchase)s) AT TIME ZONE %(zone)s)::date
               AS first_bought,
             (max(event.occurred_at) FILTER (WHERE event.name = %(purchase)s) AT TIME ZONE %(zone)s)::date
               AS last_bought
      FROM recommendations_event event
      LEFT JOIN recommendations_customeralias alias
        ON alias.anonymous_id = event.customer_id AND alias.undone_at IS NULL
      WHERE event.customer_id IS NOT NULL GROUP BY 1
    ) person
  ) people),
  (SELECT to_jsonb(sold) FROM (
    SELECT count(*) AS orders, count(*) FILTER (WHERE first_item < last_item) AS of_two
    FROM (
      SELECT min(item_id) AS first_item, max(item_id) AS last_item FROM recommendations_event
      WHERE name = %(purchase)s GROUP BY transaction_id
    ) basket
  ) sold),
  (SELECT coalesce(jsonb_object_agg(name, lines), '{}') FROM (
    SELECT name, count(*) AS lines FROM recommendations_event GROUP BY name
  ) kinds),
  (SELECT min(occurred_at) FROM recommendations_event),
  (SELECT coalesce(max(users), 0) FROM recommendations_modelversion WHERE is_live)
"""


class RecordRow(NamedTuple):
    """The counts as the database gives them."""

    people: dict[str, int]
    orders: dict[str, int]
    kinds: dict[str, int]
    since: datetime | None
    modelled: int


def count_record() -> RecordRow:
    """Count the record, in one pass for each of people, orders and kinds. On millions of lines it takes seconds."""
    acts = [str(name) for name, points in shop_domain().points.items() if points > 0]
    row = rows(COUNTS, acts=acts, purchase=str(EventName.PURCHASE), zone=settings.TIME_ZONE)[0]
    people, orders, kinds = (json.loads(each) for each in row[:3])
    return RecordRow(people, orders, kinds, *row[3:])
