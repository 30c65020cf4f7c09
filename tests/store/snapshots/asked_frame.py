"""The frame of events as one query of the record gives it: what files of events must be equal to."""

from datetime import datetime

import pandas as pd
from django.conf import settings

from recommendations.store.models.training_data import copy_table
from recommendations.store.snapshots.frames import COLUMNS
from recommendations.terms import QuarantineState, Trust

EVENTS = """
COPY (
  SELECT coalesce(event.person_id, -1), coalesce(event.item_id, -1), event.name,
         extract(epoch FROM event.occurred_at) / 86400.0,
         coalesce(hashtextextended(coalesce('t' || event.transaction_id, 's' || event.session_id), 0)
                  & x'7fffffffffffffff'::bigint, -1),
         event.quantity, event.price, event.amount,
         coalesce(event.rating / nullif(event.rating_scale, 0), event.progress), event.trust,
         (CASE WHEN event.trust >= {server} THEN event.occurred_at ELSE event.received_at END
          AT TIME ZONE {zone})::date - date '1970-01-01'
  FROM events_to_personalise event
  LEFT JOIN (
    SELECT DISTINCT aside.customer_id FROM recommendations_aside aside
    JOIN recommendations_quarantine quarantine ON quarantine.id = aside.quarantine_id
    WHERE quarantine.state <> {restored}
  ) held ON held.customer_id = event.person_id
  WHERE event.occurred_at < {until} AND (event.source <> 'replay' OR event.name = 'purchase')
    AND (event.name <> 'purchase' OR event.trust >= {believed})
    AND held.customer_id IS NULL AND NOT EXISTS (
      SELECT FROM recommendations_aside aside
      JOIN recommendations_quarantine quarantine ON quarantine.id = aside.quarantine_id
      WHERE quarantine.state <> {restored} AND aside.key_id = event.key_id AND event.received_at >= aside.since
        AND (aside.until IS NULL OR event.received_at < aside.until))
  ORDER BY event.occurred_at, event.event_id, event.line
) TO STDOUT (FORMAT csv)
"""


def asked_frame(*, until: datetime) -> pd.DataFrame:
    """The events before ``until`` by one query."""
    values: dict[str, int | str] = {
        "restored": QuarantineState.RESTORED,
        "believed": int(settings.PURCHASES_FROM),
        "server": int(Trust.SERVER),
        "zone": settings.SHOP_TIME_ZONE,
    }
    return pd.DataFrame(copy_table(EVENTS, COLUMNS, until=until, **values).to_pandas())
