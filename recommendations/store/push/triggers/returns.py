"""Back in stock: an item can be bought again that the customer wished for, or looked at while it was away."""

from collections.abc import Collection
from datetime import UTC, timedelta

from recommendations.event_types import EventName
from recommendations.store.push.triggers.look import ALIAS, BOUGHT_SINCE, IN_VIEW, Happening, TriggerLook, acts
from recommendations.store.temp_tables import rows

LOOKS_BACK = timedelta(days=90)  # before the return: for wishes, and for looks while it was away

# A return counts as long as the item is not away again; of several the last one.
_RETURNS = """
SELECT item_id, since, until FROM (
  SELECT item_id, since, until, row_number() OVER (PARTITION BY item_id ORDER BY until DESC) AS place
  FROM recommendations_itemabsence WHERE until >= %(oldest)s AND until <= %(newest)s
) back
WHERE (%(standing)s OR place = 1) AND NOT EXISTS (
  SELECT FROM recommendations_itemabsence away WHERE away.item_id = back.item_id AND away.until IS NULL)
"""
# No index leads from an item to its events: those of the last 90 days are read by their moments, once for all items,
# and only where something came back.
_ASKERS = f"""
WITH {{asked}} back AS MATERIALIZED (
  SELECT * FROM unnest(%(items)s::bigint[], %(sinces)s::timestamptz[], %(untils)s::timestamptz[])
    AS back(item, since, until)
), act AS MATERIALIZED (
  SELECT coalesce(alias.customer_id, each.key) AS person, item, until, max(each.at) AS at
  FROM (
    SELECT event.customer_id AS key, back.item, back.until, max(event.occurred_at) AS at
    FROM recommendations_event event JOIN back ON back.item = event.item_id
    WHERE event.occurred_at >= %(begin)s AND event.occurred_at <= %(end)s AND event.occurred_at <= back.until
      AND event.item_id = ANY(%(items)s) AND event.customer_id IS NOT NULL {{theirs}}
      AND (event.name = '{EventName.ADD_TO_WISHLIST}' OR event.occurred_at >= back.since)
      AND {acts(EventName.ADD_TO_WISHLIST, EventName.VIEW_ITEM)}
    GROUP BY 1, 2, 3
  ) each LEFT JOIN {ALIAS} = each.key GROUP BY 1, 2, 3
)
SELECT act.person, act.item, act.until FROM act JOIN recommendations_customer customer ON customer.id = act.person
WHERE {IN_VIEW} AND NOT {BOUGHT_SINCE.format(person="act.person", since="act.at", item="act.item")}
ORDER BY act.person, act.until, act.item
"""  # noqa: S608 - parts of our own


def back_in_stock(look: TriggerLook, *, sellable: Collection[int]) -> list[Happening]:
    """Who asked for an item that came back, and has not bought it since."""
    bounds = look.bounds()
    back = [row for row in rows(_RETURNS, **bounds) if row[0] in sellable]
    if not back:
        return []
    items, sinces, untils = zip(*back, strict=True)
    askers = rows(
        _ASKERS.format(asked=look.asked, theirs=look.theirs), **bounds, items=list(items), sinces=list(sinces),
        untils=list(untils), begin=min(untils) - LOOKS_BACK, end=max(untils),
    )  # fmt: skip
    return [
        Happening(person, f"{item}:{until.astimezone(UTC).isoformat()}", item, until) for person, item, until in askers
    ]
