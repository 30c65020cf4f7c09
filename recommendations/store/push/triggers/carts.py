"""Left in the cart: something was put in, nothing was bought since, and the customer went away."""

from datetime import timedelta

from recommendations.event_types import EventName
from recommendations.store.push.triggers.look import BOUGHT, Happening, TriggerLook, acts, people_by_acts
from recommendations.store.temp_tables import rows

LOOKS_BACK = timedelta(days=365)  # for the last purchase: the cart begins after it, or then

# Of whom something came into the cart lately, the last purchase and then the cart's events since are read by the index
# of a customer's events. What was taken out without a number is out; a number is taken off.
_CARTS = f"""
{{people}}, bought AS MATERIALIZED (
  SELECT key.person, coalesce(max(last.at), %(begin)s) AS at
  FROM key LEFT JOIN LATERAL (
    SELECT event.occurred_at AS at FROM recommendations_event event
    WHERE event.customer_id = key.key AND event.occurred_at > %(begin)s AND event.occurred_at <= %(now)s AND {BOUGHT}
    ORDER BY event.occurred_at DESC LIMIT 1
  ) last ON true GROUP BY 1
), act AS MATERIALIZED (
  SELECT key.person, each.*, max(each.at) FILTER (WHERE NOT each.put AND each.quantity IS NULL)
    OVER (PARTITION BY key.person, each.item) AS emptied
  FROM key JOIN bought USING (person) CROSS JOIN LATERAL (
    SELECT event.event_id, event.occurred_at AS at, event.item_id AS item, event.quantity,
      event.name = '{EventName.ADD_TO_CART}' AS put
    FROM recommendations_event event
    WHERE event.customer_id = key.key AND event.occurred_at > bought.at AND event.occurred_at <= %(now)s
      AND {acts(EventName.ADD_TO_CART, EventName.REMOVE_FROM_CART)}
    OFFSET 0
  ) each
), inside AS (
  SELECT person, item, max(at) FILTER (WHERE put) AS put_at FROM act GROUP BY 1, 2
  HAVING bool_or(put) AND (
    coalesce(max(at) FILTER (WHERE put) > max(at) FILTER (WHERE NOT put), bool_and(put))
    OR sum(CASE WHEN put THEN coalesce(quantity, 1) ELSE -quantity END)
      FILTER (WHERE emptied IS NULL OR at > emptied) > 0)
), cart AS (
  SELECT person, (array_agg(event_id ORDER BY at, event_id))[1]::text AS key, max(at) AS last
  FROM act WHERE put GROUP BY 1
)
SELECT DISTINCT ON (person) person, cart.key, inside.item, cart.last FROM cart JOIN inside USING (person)
WHERE cart.last >= %(oldest)s AND cart.last <= %(newest)s
ORDER BY person, inside.put_at DESC, inside.item DESC
"""  # noqa: S608 - parts of our own


def carts_left(look: TriggerLook, *, hours: int) -> list[Happening]:
    """Whose last item came into the cart so many hours ago, with the last one that is still in it.

    The key is the id of the first event of the cart: a purchase ends it, and an empty cart is none.
    """
    wait = timedelta(hours=hours)
    statement = _CARTS.format(people=people_by_acts(look, EventName.ADD_TO_CART))
    left = rows(statement, **look.bounds(wait), begin=look.now - LOOKS_BACK)
    return [Happening(person, key, item, last + wait) for person, key, item, last in left]
