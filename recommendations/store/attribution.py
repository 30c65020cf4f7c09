"""Attribution of clicks, carts, purchases and revenue to the slates that were served, and to positions in them.

A cart or purchase line counts for one slate at most. An event that carries ``recommendation_id`` counts for that slate
if its item stands in it. Otherwise the last touch counts: the newest click on that item by that customer, at most the
placement's attribution window before the line. Times are those of the events, whenever they or the slate came in.
Without a click nothing is attributed; to have been shown is not enough.

``settle`` takes what is new, in whatever order it came, and makes all that depends on it again, so that it may be done
twice. The daily counts are moved by what changed.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from recommendations.event_types import TRADES, EventName, Outcome
from recommendations.store.temp_tables import rows, run

BATCH = 2_000
LOCK = 7_264_102  # daily counts are moved by one process at a time
LONGEST_HOURS = 720  # of an attribution window
PATIENCE = 600  # seconds that an event waits for the slate it names
ATTRIBUTED = [name for name in EventName if name.facts.outcome in {Outcome.CARTED, Outcome.BOUGHT}]
REPLAY = "replay"

KEYS = "unnest(%(at)s::timestamptz[], %(event)s::uuid[], %(line)s::smallint[]) AS key(occurred_at, event_id, line)"
EVENTS = f"{KEYS} JOIN recommendations_event event USING (occurred_at, event_id, line)"
# All keys of the person whose key stands in column {0}, as rows of person(key).
PERSON = """
LATERAL (
  SELECT coalesce(min(alias.customer_id), {0}) AS id FROM recommendations_customeralias alias
  WHERE alias.anonymous_id = {0} AND alias.undone_at IS NULL
) AS whole
JOIN LATERAL (
  SELECT whole.id UNION ALL
  SELECT alias.anonymous_id FROM recommendations_customeralias alias
  WHERE alias.customer_id = whole.id AND alias.undone_at IS NULL
) AS person(key) ON true
"""
TAKE = """
DELETE FROM recommendations_dueline WHERE id IN (
  SELECT id FROM recommendations_dueline WHERE due_at <= clock_timestamp() ORDER BY due_at, id LIMIT %(batch)s
) RETURNING occurred_at, event_id, line, noted_at
"""
# Lines whose slate may have changed: they are new themselves, or follow a click that is new.
AFFECTED = f"""
SELECT occurred_at, event_id, line FROM {EVENTS} WHERE event.name = ANY(%(attributed)s)
UNION
SELECT line.occurred_at, line.event_id, line.line
FROM {EVENTS} CROSS JOIN {PERSON.format("event.customer_id")}
JOIN recommendations_event line ON line.customer_id = person.key AND line.item_id = event.item_id
  AND line.occurred_at BETWEEN event.occurred_at AND event.occurred_at + make_interval(hours => %(longest)s)
  AND line.name = ANY(%(attributed)s)
WHERE event.name = ANY(%(clicked)s) AND event.recommendation_id IS NOT NULL
"""  # noqa: S608 - parts of our own
TRANSACTIONS = f"""
SELECT DISTINCT event.transaction_id FROM {EVENTS} WHERE event.name = ANY(%(trades)s)
"""  # noqa: S608
NAMED = f"SELECT DISTINCT event.recommendation_id FROM {EVENTS} WHERE event.recommendation_id IS NOT NULL"  # noqa: S608
FORGET = f"""
DELETE FROM recommendations_attributedline line USING {KEYS}
WHERE (line.occurred_at, line.event_id, line.line) = (key.occurred_at, key.event_id, key.line)
RETURNING line.recommendation_id
"""  # noqa: S608
ATTRIBUTE = f"""
INSERT INTO recommendations_attributedline (
  occurred_at, event_id, line, name, item_id, transaction_id, quantity, amount, refunded, kept, replay,
  recommendation_id, placement, position, touch, touched_at
)
SELECT event.occurred_at, event.event_id, event.line, event.name, event.item_id, event.transaction_id, event.quantity,
       coalesce(event.amount, 0), 0, true, event.source = %(replay)s, touch.*
FROM {EVENTS}
JOIN LATERAL (
  (
    SELECT slate.recommendation_id, slate.placement, array_position(slate.items, event.item_id) AS position,
           'event' AS touch, NULL::timestamptz AS touched_at
    FROM recommendations_slate slate
    WHERE slate.recommendation_id = event.recommendation_id AND event.item_id = ANY(slate.items)
    LIMIT 1
  ) UNION ALL (
    SELECT slate.recommendation_id, slate.placement, array_position(slate.items, event.item_id), 'click',
           click.occurred_at
    FROM {PERSON.format("event.customer_id")}
    JOIN recommendations_event click ON click.customer_id = person.key AND click.item_id = event.item_id
      AND click.occurred_at BETWEEN event.occurred_at - make_interval(hours => %(longest)s) AND event.occurred_at
      AND click.name = ANY(%(clicked)s) AND click.recommendation_id IS NOT NULL
    JOIN recommendations_slate slate
      ON slate.recommendation_id = click.recommendation_id AND event.item_id = ANY(slate.items)
    JOIN recommendations_placement placement ON placement.name = slate.placement
    WHERE click.occurred_at >= event.occurred_at - make_interval(hours => placement.attribution_window::integer)
    ORDER BY click.occurred_at DESC, click.event_id DESC LIMIT 1
  ) ORDER BY touch DESC LIMIT 1
) AS touch ON true
WHERE event.name = ANY(%(attributed)s) AND event.item_id IS NOT NULL
RETURNING recommendation_id
"""  # noqa: S608
# A refund without amount and quantity takes back all that was bought of the item in the transaction.
TAKE_BACK = """
WITH refund AS (
  SELECT transaction_id, item_id, sum(amount) AS amount, sum(quantity) AS quantity,
         bool_or(amount IS NULL AND quantity IS NULL) AS whole
  FROM recommendations_event
  WHERE name = 'refund' AND transaction_id = ANY(%(transactions)s) GROUP BY transaction_id, item_id
), bought AS (
  SELECT transaction_id, item_id, sum(amount) AS amount, sum(quantity) AS quantity
  FROM recommendations_attributedline
  WHERE name = 'purchase' AND transaction_id = ANY(%(transactions)s) GROUP BY transaction_id, item_id
), taken AS (
  SELECT transaction_id, item_id, least(1, CASE
           WHEN refund.whole OR refund.quantity >= bought.quantity THEN 1
           WHEN refund.amount IS NOT NULL AND bought.amount > 0 THEN refund.amount / bought.amount
           WHEN bought.quantity > 0 THEN refund.quantity::numeric / bought.quantity
           ELSE 1 END) AS share
  FROM bought JOIN refund USING (transaction_id, item_id)
)
UPDATE recommendations_attributedline line
SET refunded = round(line.amount * taken.share, 2), kept = taken.share < 1
FROM taken
WHERE line.name = 'purchase' AND line.transaction_id = taken.transaction_id AND line.item_id = taken.item_id
RETURNING line.recommendation_id
"""
OUTCOMES = """
INSERT INTO recommendations_slateoutcome (
  recommendation_id, placement, at, replay, listed, seen, clicked, carted, bought, revenues, purchases
)
SELECT slate.recommendation_id, slate.placement, tied.at, tied.replay, tied.listed,
       ARRAY(
         SELECT DISTINCT place FROM unnest(
           CASE WHEN tied.whole THEN ARRAY(SELECT generate_series(1, cardinality(slate.items))) ELSE tied.shown END
           || tied.clicked || got.positions
         ) AS place WHERE place IS NOT NULL ORDER BY place),
       ARRAY(SELECT DISTINCT place FROM unnest(tied.clicked) AS place WHERE place IS NOT NULL ORDER BY place),
       coalesce(got.carted, '{}'), coalesce(got.bought, '{}'), coalesce(got.revenues, '{}'), coalesce(got.purchases, 0)
FROM recommendations_slate slate
JOIN LATERAL (
  SELECT min(occurred_at) AS at, bool_or(source = %(replay)s) AS replay, bool_or(name = ANY(%(shown)s)) AS listed,
         bool_or(name = ANY(%(shown)s) AND item_id IS NULL) AS whole,
         array_agg(array_position(slate.items, item_id)) FILTER (WHERE name = ANY(%(shown)s)) AS shown,
         array_agg(array_position(slate.items, item_id)) FILTER (WHERE name = ANY(%(clicked)s)) AS clicked
  FROM recommendations_event WHERE recommendation_id = slate.recommendation_id
) AS tied ON tied.at IS NOT NULL
JOIN LATERAL (
  SELECT array_agg(position) AS positions,
         array_agg(position ORDER BY position) FILTER (WHERE carts > 0) AS carted,
         array_agg(position ORDER BY position) FILTER (WHERE purchases > 0) AS bought,
         array_agg(revenue ORDER BY position) FILTER (WHERE purchases > 0) AS revenues,
         sum(purchases) AS purchases
  FROM (
    SELECT position, count(*) FILTER (WHERE name = ANY(%(carted)s)) AS carts,
           count(*) FILTER (WHERE name = ANY(%(bought)s) AND kept) AS purchases,
           sum(amount - refunded) FILTER (WHERE name = ANY(%(bought)s) AND kept) AS revenue
    FROM recommendations_attributedline WHERE recommendation_id = slate.recommendation_id GROUP BY position
  ) AS places
) AS got ON true
WHERE slate.recommendation_id = ANY(%(slates)s)
"""
# Added with sign −1 before the outcomes are made again, and with 1 after.
COUNT = """
INSERT INTO recommendations_placementday AS known
  (day, placement, replay, position, listed, seen, clicked, carted, bought, purchases, revenue, squares)
SELECT (at AT TIME ZONE %(zone)s)::date, placement, replay, place.position,
       %(sign)s * count(*) FILTER (WHERE listed), %(sign)s * count(*), %(sign)s * count(*) FILTER (WHERE place.clicked),
       %(sign)s * count(*) FILTER (WHERE place.carted), %(sign)s * count(*) FILTER (WHERE place.bought),
       %(sign)s * sum(place.purchases), %(sign)s * sum(place.revenue), %(sign)s * sum(place.revenue ^ 2)
FROM recommendations_slateoutcome outcome
JOIN LATERAL (
  SELECT 0 AS position, outcome.clicked <> '{}' AS clicked, outcome.carted <> '{}' AS carted,
         outcome.bought <> '{}' AS bought, outcome.purchases AS purchases,
         coalesce((SELECT sum(each) FROM unnest(outcome.revenues) AS each), 0) AS revenue
  UNION ALL
  SELECT position, position = ANY(outcome.clicked), position = ANY(outcome.carted), position = ANY(outcome.bought),
         (position = ANY(outcome.bought))::integer,
         coalesce(outcome.revenues[array_position(outcome.bought, position)], 0)
  FROM unnest(outcome.seen) AS position
) AS place ON true
WHERE recommendation_id = ANY(%(slates)s)
GROUP BY 1, 2, 3, 4
ON CONFLICT (day, placement, replay, position) DO UPDATE SET
  listed = known.listed + excluded.listed, seen = known.seen + excluded.seen,
  clicked = known.clicked + excluded.clicked, carted = known.carted + excluded.carted,
  bought = known.bought + excluded.bought, purchases = known.purchases + excluded.purchases,
  revenue = known.revenue + excluded.revenue, squares = known.squares + excluded.squares
"""
DROP = "DELETE FROM recommendations_slateoutcome WHERE recommendation_id = ANY(%(slates)s)"
MARK = """
UPDATE recommendations_slate slate SET replay = true FROM recommendations_slateoutcome outcome
WHERE slate.recommendation_id = outcome.recommendation_id AND outcome.replay AND NOT slate.replay
  AND outcome.recommendation_id = ANY(%(slates)s)
"""
WAIT = f"""
INSERT INTO recommendations_dueline (occurred_at, event_id, line, noted_at, due_at)
SELECT occurred_at, event_id, line, noted.at, clock_timestamp() + greatest(clock_timestamp() - noted.at, '1 second')
FROM {EVENTS}
JOIN unnest(%(event)s::uuid[], %(line)s::smallint[], %(noted)s::timestamptz[]) AS noted(event_id, line, at)
  USING (event_id, line)
WHERE event.recommendation_id IS NOT NULL AND noted.at > clock_timestamp() - make_interval(secs => %(patience)s)
  AND NOT EXISTS (
    SELECT FROM recommendations_slate slate WHERE slate.recommendation_id = event.recommendation_id)
"""  # noqa: S608
_WORDS = {
    **{outcome.name.lower(): [name for name in EventName if name.facts.outcome is outcome] for outcome in Outcome},
    "attributed": ATTRIBUTED,
    "trades": list(TRADES),
    "longest": LONGEST_HOURS,
    "replay": REPLAY,
}


NOTED = f"""
(recommendation_id IS NOT NULL OR name = 'refund'
 OR customer_id IS NOT NULL AND name IN ({", ".join(f"'{name}'" for name in ATTRIBUTED)}))
"""
"""Condition on a new event line that may change what is attributed."""


def settle() -> int:
    """Take the event lines that are due and make again all that depends on them; how many they were.

    Call it until it gives less than ``BATCH``. Of two processes one does nothing.
    """
    with transaction.atomic():
        run("SET LOCAL jit = off")
        if not rows("SELECT pg_try_advisory_xact_lock(%(lock)s)", lock=LOCK)[0][0]:
            return 0
        taken = rows(TAKE, batch=BATCH)
        if taken:
            due = _keys(taken) | _WORDS
            lines = rows(AFFECTED, **due)
            slates = {key for (key,) in rows(NAMED, **due)} | _attribute(lines)
            transactions = [key for (key,) in rows(TRANSACTIONS, **_keys([*taken, *lines]), **_WORDS)]
            slates |= {key for (key,) in rows(TAKE_BACK, transactions=transactions)}
            _count(sorted(slates))
            run(WAIT, noted=[row[3] for row in taken], patience=PATIENCE, **due)
        return len(taken)


def _attribute(lines: Sequence[tuple[Any, ...]]) -> set[str]:
    """Tie the lines to their slates anew; the slates that they counted for, or count for now."""
    keys = _keys(lines) | _WORDS
    before, now = rows(FORGET, **keys), rows(ATTRIBUTE, **keys)
    return {slate for (slate,) in (*before, *now)}


def _count(slates: list[str]) -> None:
    """Make the outcomes of the slates anew, and move the daily counts by what changed."""
    values = {"slates": slates, "zone": settings.SHOP_TIME_ZONE} | _WORDS
    run(COUNT, sign=-1, **values)
    run(DROP, **values)
    run(OUTCOMES, **values)
    run(COUNT, sign=1, **values)
    run(MARK, **values)


def _keys(lines: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [line[place] for line in lines] for place, name in enumerate(("at", "event", "line"))}
