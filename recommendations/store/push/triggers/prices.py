"""Cheaper now: the price of an item fell below what it was when the customer looked at it or put it into the cart."""

from collections.abc import Collection
from datetime import UTC, timedelta

from recommendations.event_types import EventName
from recommendations.push_terms import COUNTING, MessageState
from recommendations.store.push.triggers.look import ALIAS, BOUGHT_SINCE, IN_VIEW, KEYS_OF, Happening, TriggerLook, acts
from recommendations.store.temp_tables import rows

LOOKS_BACK = timedelta(days=60)  # from the change of the price to the last look
ONCE_IN = timedelta(days=30)  # a message about an item
LEAST = 1  # unit of currency

_CHEAPER = f"({{new}} <= {{old}} - {LEAST} AND 100 * {{new}} <= (100 - %(percent)s) * {{old}})"
# Prices that changed of late and are lower now than some price before in that time. What counts is the price of now: of
# everybody only the last change, of people who were told of one that one, as long as it is as cheap.
_DROPS = f"""
{{asked}}
SELECT changed.item_id, changed.valid_from, present.price
FROM recommendations_itemprice changed
JOIN LATERAL (
  SELECT price, valid_from FROM recommendations_itemprice
  WHERE item_id = changed.item_id AND valid_from <= %(now)s ORDER BY valid_from DESC LIMIT 1) present ON true
WHERE changed.valid_from >= %(oldest)s AND changed.valid_from <= %(newest)s
  AND (%(standing)s OR present.valid_from = changed.valid_from)
  AND EXISTS (
    SELECT FROM recommendations_itemprice before
    WHERE before.item_id = changed.item_id AND before.valid_from < changed.valid_from
      AND {_CHEAPER.format(new="present.price", old="before.price")})
  {{looked_at}}
"""  # noqa: S608 - parts of our own
# Of a few people, what they looked at.
_LOOKED_AT = f"""
AND changed.item_id IN (
  SELECT event.item_id FROM recommendations_event event
  WHERE event.customer_id IN (SELECT key FROM asked_key) AND event.occurred_at <= %(now)s
    AND event.occurred_at >= %(oldest)s::timestamptz - %(looks_back)s
    AND event.name IN ('{EventName.VIEW_ITEM}', '{EventName.ADD_TO_CART}'))
"""  # noqa: S608
# Who looked at the item in 60 days before the change, and at which price; who did so after it knows the new one. No
# index leads from an item to its events: they are read by their moments, once for all items, where a price fell.
_LOOKERS = f"""
WITH {{asked}} fell AS MATERIALIZED (
  SELECT * FROM unnest(%(items)s::bigint[], %(moments)s::timestamptz[], %(prices)s::numeric[]) AS fell(item, at, price)
), act AS MATERIALIZED (
  SELECT coalesce(alias.customer_id, each.key) AS person, item, fell_at, price, max(before) AS before,
    bool_or(again) AS again
  FROM (
    SELECT event.customer_id AS key, fell.item, fell.at AS fell_at, fell.price,
      max(event.occurred_at) FILTER (WHERE event.occurred_at < fell.at) AS before,
      bool_or(event.occurred_at >= fell.at) AS again
    FROM recommendations_event event JOIN fell ON fell.item = event.item_id
    WHERE event.occurred_at >= %(begin)s AND event.occurred_at <= %(now)s
      AND event.occurred_at >= fell.at - %(looks_back)s AND event.item_id = ANY(%(items)s)
      AND event.customer_id IS NOT NULL {{theirs}} AND {acts(EventName.VIEW_ITEM, EventName.ADD_TO_CART)}
    GROUP BY 1, 2, 3, 4
  ) each LEFT JOIN {ALIAS} = each.key GROUP BY 1, 2, 3, 4
)
SELECT act.person, act.item, act.fell_at FROM act
JOIN recommendations_customer customer ON customer.id = act.person
JOIN LATERAL (
  SELECT price FROM recommendations_itemprice
  WHERE item_id = act.item AND valid_from <= act.before ORDER BY valid_from DESC LIMIT 1) seen ON true
WHERE (%(standing)s OR NOT act.again) AND {_CHEAPER.format(new="act.price", old="seen.price")} AND {IN_VIEW}
  AND NOT {BOUGHT_SINCE.format(person="act.person", since="act.before", item="act.item")}
ORDER BY act.person, act.fell_at, act.item
"""  # noqa: S608
# Messages of the campaign about an item, sent or on their way, of the last days.
_MESSAGES = f"""
SELECT asked.person, message.trigger_item, message.key
FROM unnest(%(people)s::bigint[]) AS asked(person) CROSS JOIN LATERAL {KEYS_OF.format("asked.person")} each
JOIN recommendations_message message ON message.customer_id = each.key
WHERE message.campaign_id = %(campaign)s AND message.due_at > %(since)s AND message.state = ANY(%(states)s)
  AND message.trigger_item IS NOT NULL
"""  # noqa: S608


def price_drops(look: TriggerLook, *, percent: int, campaign: int, sellable: Collection[int]) -> list[Happening]:
    """Whose item costs less by so much than when they last looked, and who has not bought it since.

    The campaign (by key) writes about an item once in thirty days.
    """
    bounds = look.bounds() | {"percent": percent, "looks_back": LOOKS_BACK}
    changes = _DROPS.format(asked=look.only_asked, looked_at=_LOOKED_AT if look.standing else "")
    fell = [row for row in rows(changes, **bounds) if row[0] in sellable]
    if not fell:
        return []
    items, moments, prices = zip(*fell, strict=True)
    lookers = rows(
        _LOOKERS.format(asked=look.asked, theirs=look.theirs), **bounds, items=list(items), moments=list(moments),
        prices=list(prices), begin=min(moments) - LOOKS_BACK,
    )  # fmt: skip
    drops = [Happening(person, f"{item}:{at.astimezone(UTC).isoformat()}", item, at) for person, item, at in lookers]
    told = _messages({each.customer for each in drops}, campaign=campaign, look=look) if drops else set()
    others = {(person, item) for person, item, _key in told - {(one.customer, one.item, one.key) for one in drops}}
    return [each for each in drops if look.standing or (each.customer, each.item) not in others]


def _messages(people: Collection[int], *, campaign: int, look: TriggerLook) -> set[tuple[int, int, str]]:
    """Person, item and occasion of the campaign's messages that are too young for another one."""
    states = sorted(state.value for state in (*COUNTING, MessageState.HELD))
    return set(rows(_MESSAGES, people=sorted(people), campaign=campaign, since=look.now - ONCE_IN, states=states))
