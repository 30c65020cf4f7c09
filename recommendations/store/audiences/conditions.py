"""Conditions of an audience as SQL: each gives the customers that meet it, and what of theirs does.

Whatever a visitor did who was merged into a customer counts for that customer. What is set aside counts for nobody, nor
does a purchase of a source that is not believed. A statement has ``person`` and ``fact``, a text: a moment in ISO 8601,
an amount, a percentage, a number.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Count, Q

from recommendations.engine.preprocess.levels import CONFIRMING
from recommendations.event_types import EventName
from recommendations.models import Aside, Category, Item, ModelVersion, Quarantine
from recommendations.store.attribution.statements import ITEM_ASIDE, KEY_ASIDE, PERSON_ASIDE, REPLAY, WHOLE
from recommendations.store.models.main_interests import TASTE, load_main_interests
from recommendations.store.rules.conditions import as_query, parsed
from recommendations.terms import PATH_SEPARATOR, AudienceKind, Operator, Trust

type Condition = Mapping[str, Any]
type Query = tuple[str, list[Any]]
"""A statement with ``%s`` for each of the values."""

_COMPARED = {Operator.AT_LEAST: ">=", Operator.AT_MOST: "<="}

# Everybody who can be in an audience: no visitor who is somebody else by now, nobody who objects or is set aside.
PEOPLE = f"""
SELECT customer.id FROM recommendations_customer customer
WHERE customer.personalise AND customer.erased_at IS NULL AND NOT {PERSON_ASIDE.format("customer.id")} AND NOT EXISTS (
  SELECT FROM recommendations_customeralias alias WHERE alias.anonymous_id = customer.id AND alias.undone_at IS NULL)
"""  # noqa: S608 - parts of our own
_EVENTS = """
FROM recommendations_event event
WHERE event.name = ANY(%s) AND event.occurred_at > %s AND event.occurred_at <= %s AND event.customer_id IS NOT NULL
"""
# Of what an event tells is believed. The server adds up before it asks whose a key is, so that it can share the work.
_BELIEVED = f"""
AND (event.name <> '{EventName.PURCHASE}' OR event.trust >= %s)
AND (event.source <> '{REPLAY}' OR event.name = '{EventName.PURCHASE}')
"""
_NO_KEY_ASIDE = f"AND NOT {KEY_ASIDE}"
_NO_ITEM_ASIDE = f"""
AND NOT (event.trust < {Trust.SERVER} AND {ITEM_ASIDE} AND NOT EXISTS (
  SELECT FROM recommendations_event bought WHERE bought.customer_id = {WHOLE.format("event.customer_id")}
    AND bought.name IN ({", ".join(f"'{name}'" for name in CONFIRMING)}) AND bought.trust >= {Trust.SERVER}))
"""
# Of a purchase that was told twice the word of the better source counts, of a page's two the first.
_TOLD_BEST = f"""
AND (event.trust >= {Trust.SERVER} OR NOT EXISTS (
  SELECT FROM recommendations_event other
  WHERE other.transaction_id = event.transaction_id AND other.item_id IS NOT DISTINCT FROM event.item_id
    AND other.name = event.name AND (other.trust > event.trust
      OR other.trust = event.trust AND other.customer_id = event.customer_id AND other.event_id <> event.event_id
        AND (other.received_at, other.event_id) < (event.received_at, event.event_id))))
"""  # noqa: S608
_MOMENT = "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"') AS fact"
_PERSON = "coalesce(alias.customer_id, act.key)"
_OF_KEYS = "LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = act.key AND alias.undone_at IS NULL"
_LAST = f"""
SELECT {_PERSON} AS person, {_MOMENT.format("max(act.at)")}
FROM (SELECT event.customer_id AS key, max(event.occurred_at) AS at {{events}} GROUP BY 1) act {_OF_KEYS} GROUP BY 1
"""  # noqa: S608
_OFTEN = f"""
SELECT person, count(*)::text AS fact FROM (
  SELECT {_PERSON} AS person
  FROM (SELECT event.customer_id AS key, event.{{told_as}} {{events}} GROUP BY 1, 2) act {_OF_KEYS}
  GROUP BY 1, act.{{told_as}}
) often GROUP BY 1 HAVING count(*) >= %s
"""  # noqa: S608
_AMOUNT = f"sum(CASE event.name WHEN '{EventName.REFUND}' THEN -event.amount ELSE event.amount END)"
_SPENT = f"""
SELECT people.id AS person, coalesce(spent.amount, 0)::text AS fact FROM ({PEOPLE}) people
LEFT JOIN (
  SELECT {_PERSON} AS person, sum(CASE WHEN act.doubtful THEN
    (SELECT {_AMOUNT} {{events}} AND event.customer_id = act.key {_TOLD_BEST}) ELSE act.amount END) AS amount
  FROM (
    SELECT event.customer_id AS key, {_AMOUNT} AS amount, bool_or(event.trust < {Trust.SERVER}) AS doubtful
    {{events}} GROUP BY 1
  ) act {_OF_KEYS} GROUP BY 1
) spent ON spent.person = people.id
WHERE coalesce(spent.amount, 0) {{compared}} %s
"""  # noqa: S608
_FIRST = "min(coalesce(first.occurred_at, customer.created_at))"
_SINCE = f"""
SELECT coalesce(alias.customer_id, customer.id) AS person, {_MOMENT.format(_FIRST)}
FROM recommendations_customer customer
LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = customer.id AND alias.undone_at IS NULL
LEFT JOIN LATERAL (
  SELECT event.occurred_at FROM recommendations_event event WHERE event.customer_id = customer.id
  ORDER BY event.occurred_at LIMIT 1
) first ON true
GROUP BY 1 HAVING {_FIRST} > %s AND {_FIRST} <= %s
"""  # noqa: S608
_INTEREST = """
SELECT profile.customer_id AS person, round((100 * met.share)::numeric, 1)::text AS fact
FROM unnest(%s::bigint[], %s::float8[]) AS met(customer, share)
JOIN recommendations_liveprofile profile ON profile.customer_id = met.customer
"""
_SEGMENT = """
SELECT profile.customer_id AS person, segment.number::text AS fact
FROM recommendations_liveprofile profile JOIN recommendations_segment segment ON segment.id = profile.segment_id
WHERE segment.number = ANY(%s)
"""
_PROPERTY = """
SELECT id AS person, properties ->> %s AS fact FROM recommendations_customer WHERE properties ? %s AND {met}
"""
_NUMBER = "CASE jsonb_typeof(properties -> %s) WHEN 'number' THEN (properties ->> %s)::numeric {compared} %s END"
_ACTS = {AudienceKind.BOUGHT: EventName.PURCHASE, AudienceKind.VIEWED: EventName.VIEW_ITEM}


def as_statement(condition: Condition, *, now: datetime) -> Query:
    """The statement of a condition as it is stored. Raises ConditionError where its items mean nothing."""
    return _STATEMENTS[AudienceKind(condition["kind"])](condition, now)


def _did(condition: Condition, now: datetime) -> Query:
    """Customers who bought or viewed such items; an order counts once, whatever it held of them."""
    events, values = _events([_ACTS[condition["kind"]]], days=condition["days"], now=now)
    if condition["items"]:
        wanted = Item.objects.filter(as_query(parsed(condition["items"]), now=now)).values("pk")
        items, more = wanted.query.sql_with_params()
        events, values = f"{events} AND event.item_id IN ({items})", [*values, *more]
    if condition["times"] == 1:
        return _LAST.format(events=events), values
    told_as = "transaction_id" if condition["kind"] == AudienceKind.BOUGHT else "event_id"
    return _OFTEN.format(events=events, told_as=told_as), [*values, condition["times"]]


def _spent(condition: Condition, now: datetime) -> Query:
    """Customers who spent so much, less what they gave back; who spent nothing spent little, too."""
    events, values = _events([EventName.PURCHASE, EventName.REFUND], days=condition["days"], now=now)
    spent = _SPENT.format(events=events, compared=_COMPARED[condition["operator"]])
    return spent, [*values, *values, condition["amount"]]


def _last_purchase(condition: Condition, now: datetime) -> Query:
    events, values = _events([EventName.PURCHASE], days=condition["to_days"], now=now)
    statement = f"{_LAST.format(events=events)} HAVING max(act.at) <= %s"
    return statement, [*values, now - timedelta(days=condition["from_days"])]


def _customer_since(condition: Condition, now: datetime) -> Query:
    """Customers who did something for the first time then; who never did came when they were first known."""
    return _SINCE, [now - timedelta(days=condition[name]) for name in ("to_days", "from_days")]


def _interest(condition: Condition, _now: datetime) -> Query:
    """Customers of whose interests so much goes to the category and what lies under it, by the live version."""
    path = condition["category"]
    below = Category.objects.filter(Q(path=path) | Q(path__startswith=f"{path}{PATH_SEPARATOR}"))
    live = ModelVersion.objects.live().values_list("pk", flat=True).first()
    interests = load_main_interests(live) if live else None
    if interests is None:
        return _INTEREST, [[], []]
    columns = np.flatnonzero(np.isin(interests.categories, list(below.values_list("pk", flat=True))))
    taste = interests.by_half_life[TASTE]
    inside = np.isin(taste.categories, columns)
    shares = np.where(inside, taste.shares, 0).sum(axis=1, dtype=np.float64)
    met = inside.any(axis=1) & (100 * shares >= condition["percent"])
    return _INTEREST, [interests.users[met].tolist(), shares[met].tolist()]


def _segment(condition: Condition, _now: datetime) -> Query:
    return _SEGMENT, [list(condition["segments"])]


def _property(condition: Condition, _now: datetime) -> Query:
    """Customers of whom the shop said so; of whom it said nothing, nothing is met, not even “is not”."""
    name, operator = condition["property"], condition["operator"]
    if operator in _COMPARED:
        met = _NUMBER.format(compared=_COMPARED[operator])
        return _PROPERTY.format(met=met), [name, name, name, name, float(condition["values"][0])]
    met = f"{'NOT ' if operator == Operator.IS_NOT else ''}lower(properties ->> %s) = ANY(%s)"
    return _PROPERTY.format(met=met), [name, name, name, [value.lower() for value in condition["values"]]]


_STATEMENTS: Mapping[AudienceKind, Callable[[Condition, datetime], Query]] = {
    AudienceKind.BOUGHT: _did,
    AudienceKind.VIEWED: _did,
    AudienceKind.SPENT: _spent,
    AudienceKind.LAST_PURCHASE: _last_purchase,
    AudienceKind.CUSTOMER_SINCE: _customer_since,
    AudienceKind.INTEREST: _interest,
    AudienceKind.SEGMENT: _segment,
    AudienceKind.PROPERTY: _property,
}


def _events(names: Sequence[EventName], *, days: int, now: datetime) -> Query:
    held = Aside.objects.filter(quarantine__in=Quarantine.objects.in_force())
    counts = held.aggregate(keys=Count("key_id"), items=Count("item"))
    events = f"{_EVENTS}{_BELIEVED}{_NO_KEY_ASIDE if counts['keys'] else ''}{_NO_ITEM_ASIDE if counts['items'] else ''}"
    return events, [[name.value for name in names], now - timedelta(days=days), now, int(settings.PURCHASES_FROM)]
