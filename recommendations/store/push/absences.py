"""When items were not for sale: written down at each look at the stock, as far as it changed."""

from datetime import datetime

import numpy as np
from django.db import transaction

from recommendations.engine.frames import BoolArray, IdArray
from recommendations.store.temp_tables import rows, run

_OPEN = "SELECT item_id FROM recommendations_itemabsence WHERE until IS NULL"
_BEGIN = """
INSERT INTO recommendations_itemabsence (item_id, since)
SELECT item.id, %(now)s FROM recommendations_item item WHERE item.id = ANY(%(items)s) ON CONFLICT DO NOTHING
"""
_END = """
UPDATE recommendations_itemabsence SET until = greatest(since, %(now)s)
WHERE item_id = ANY(%(items)s) AND until IS NULL
"""


@transaction.atomic
def follow_stock(items: IdArray, *, sellable: BoolArray, now: datetime) -> tuple[int, int]:
    """Begin absences of what is not for sale any more, and end those of what is again; how many of each.

    ``items`` are the keys of the whole stock, ``sellable`` says which are for sale. Only differences are written.
    """
    away = np.fromiter((key for (key,) in rows(_OPEN)), np.int64)
    gone = np.setdiff1d(items[~sellable], away)
    back = np.intersect1d(items[sellable], away)
    begun = run(_BEGIN, items=gone.tolist(), now=now) if len(gone) else 0
    ended = run(_END, items=back.tolist(), now=now) if len(back) else 0
    return begun, ended
