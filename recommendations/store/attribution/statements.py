"""Statements of attribution: which event lines are due, which slate each counts for, what came of a slate.

Values in ``%(…)s`` are those of ``WORDS`` beside the keys of the lines.
"""

from recommendations.event_types import TRADES, EventName, Outcome
from recommendations.fields import AHEAD, ODD_AMOUNT, ODD_FACTOR
from recommendations.models.customers import UNIT
from recommendations.terms import QuarantineState, Trust

LONGEST_HOURS = 720  # of an attribution window
PATIENCE = 600  # seconds that an event waits for the slate it names
ATTRIBUTED = [name for name in EventName if name.facts.outcome in {Outcome.CARTED, Outcome.BOUGHT}]
REPLAY = "replay"

KEYS = "unnest(%(at)s::timestamptz[], %(event)s::uuid[], %(line)s::smallint[]) AS key(occurred_at, event_id, line)"
EVENTS = f"{KEYS} JOIN events_to_measure event USING (occurred_at, event_id, line)"
ALL_EVENTS = EVENTS.replace("events_to_measure", "recommendations_event")
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
# The person whose key stands in column {0}.
WHOLE = """
coalesce((SELECT min(customer_id) FROM recommendations_customeralias
          WHERE anonymous_id = {0} AND undone_at IS NULL), {0})
"""
UNIT_OF = UNIT.replace("pseudonym", "{0}")
"""Unit of the pseudonym in column {0}."""
CUSTOMER_OF = f"""
(SELECT min(customer.id) FROM recommendations_customer customer WHERE {UNIT_OF.format("customer.pseudonym")} = {{0}})
"""  # noqa: S608 - an expression of our own
# Whose slate it is: of its customer, else of whom its unit names by now.
_OWNER = WHOLE.format(f"coalesce(slate.customer_id, {CUSTOMER_OF.format('slate.unit')})")
# Whether an event is set aside, with the person or with the key that it came with: two questions, an index for each.
# What is set aside of an item is so of those only who are not confirmed.
_HELD = f"""
SELECT FROM recommendations_aside aside JOIN recommendations_quarantine held ON held.id = aside.quarantine_id
WHERE held.state <> '{QuarantineState.RESTORED}' AND held.emptied_at IS NULL
"""
PERSON_ASIDE = f"EXISTS ({_HELD} AND aside.customer_id = {{0}})"
KEY_ASIDE = f"""
EXISTS ({_HELD} AND aside.key_id = event.key_id AND event.received_at >= aside.since
  AND (aside.until IS NULL OR event.received_at < aside.until))
"""
ITEM_ASIDE = f"EXISTS ({_HELD} AND aside.item_id = event.item_id AND event.received_at >= aside.since)"
ASIDE = f"({PERSON_ASIDE.format(WHOLE.format('event.customer_id'))} OR {KEY_ASIDE})"
# Whether an event may count for a slate: it is not set aside, came after it (of a page the moment of arrival is
# known, the other one only said; the replay has a time of its own), and from its owner. From a visitor who is nobody's
# it counts for the slate of a customer, too, whose page told the number: many shops name customers to us by their
# server alone. For another visitor's slate it does not: numbers stand in pages and links.
MEANT = f"""
NOT {ASIDE} AND (event.source = '{REPLAY}' OR slate.served_at <= interval '{AHEAD.total_seconds()} seconds'
  + greatest(event.occurred_at, CASE WHEN event.trust < {Trust.SERVER} THEN event.received_at END))
AND ({_OWNER} IS NULL OR {WHOLE.format("event.customer_id")} = {_OWNER}
  OR NOT EXISTS (SELECT FROM recommendations_customer WHERE id = {_OWNER} AND kind = 'anonymous')
  AND (event.customer_id IS NULL OR EXISTS (
    SELECT FROM recommendations_customer visitor
    WHERE visitor.id = event.customer_id AND visitor.kind = 'anonymous' AND NOT EXISTS (
      SELECT FROM recommendations_customeralias WHERE anonymous_id = visitor.id AND undone_at IS NULL))))
"""  # noqa: S608 - parts of our own
# Whether a purchase counts: by a source that is believed, of a page no fantastic amount, and an order's item once: told
# twice, the word of the better source holds, of equal ones the first. A file is the shop's own list: all its rows do.
COUNTS = f"""
(event.name <> ALL(%(bought)s) OR (
  event.trust >= %(believed)s
  AND (event.trust >= {Trust.SERVER} OR coalesce(event.amount, 0) <= least({ODD_AMOUNT}, {ODD_FACTOR} * (
    SELECT coalesce(price, {ODD_AMOUNT}) * coalesce(event.quantity, 1) FROM recommendations_item
    WHERE id = event.item_id)))
  AND NOT EXISTS (
    SELECT FROM events_to_measure other
    WHERE other.transaction_id = event.transaction_id AND other.item_id = event.item_id AND other.name = event.name
      AND other.event_id <> event.event_id
      AND (other.trust > event.trust OR other.trust = event.trust AND event.trust <> {Trust.IMPORT}
        AND (event.trust = {Trust.SERVER} OR other.customer_id IS NOT DISTINCT FROM event.customer_id)
        AND (other.received_at, other.event_id) < (event.received_at, event.event_id)))))
"""  # noqa: S608
DUE = "SELECT id FROM recommendations_dueline WHERE fault = '' AND due_at <= clock_timestamp() ORDER BY due_at, id"
TAKE = f"""
DELETE FROM recommendations_dueline WHERE id IN ({DUE} LIMIT %(batch)s) RETURNING occurred_at, event_id, line, noted_at
"""  # noqa: S608
PUT_ASIDE = f"""
UPDATE recommendations_dueline SET fault = %(fault)s WHERE id IN ({DUE} LIMIT 1) RETURNING event_id
"""  # noqa: S608
# Lines whose slate may have changed: they are new themselves, follow a click that is new, or are of an order of which
# something new was told. Which of them may be measured is asked as they are attributed: asked here, for all lines that
# are joined, it takes six times as long.
AFFECTED = f"""
SELECT occurred_at, event_id, line FROM {ALL_EVENTS} WHERE event.name = ANY(%(attributed)s)
UNION
SELECT line.occurred_at, line.event_id, line.line
FROM {ALL_EVENTS} CROSS JOIN {PERSON.format("event.customer_id")}
JOIN recommendations_event line ON line.customer_id = person.key AND line.item_id = event.item_id
  AND line.occurred_at BETWEEN event.occurred_at AND event.occurred_at + make_interval(hours => %(longest)s)
  AND line.name = ANY(%(attributed)s)
WHERE event.name = ANY(%(clicked)s) AND event.recommendation_id IS NOT NULL
UNION
SELECT told.occurred_at, told.event_id, told.line
FROM {ALL_EVENTS}
JOIN recommendations_event told
  ON told.transaction_id = event.transaction_id AND told.item_id = event.item_id AND told.name = event.name
WHERE event.name = ANY(%(bought)s)
"""  # noqa: S608
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
    WHERE slate.recommendation_id = event.recommendation_id AND event.item_id = ANY(slate.items) AND {MEANT}
    LIMIT 1
  ) UNION ALL (
    SELECT slate.recommendation_id, slate.placement, array_position(slate.items, event.item_id), 'click',
           click.occurred_at
    FROM {PERSON.format("event.customer_id")}
    JOIN events_to_measure click ON click.customer_id = person.key AND click.item_id = event.item_id
      AND click.occurred_at BETWEEN event.occurred_at - make_interval(hours => %(longest)s) AND event.occurred_at
      AND click.name = ANY(%(clicked)s) AND click.recommendation_id IS NOT NULL
    JOIN recommendations_slate slate
      ON slate.recommendation_id = click.recommendation_id AND event.item_id = ANY(slate.items)
      AND {MEANT.replace("event.", "click.")}
    JOIN recommendations_placement placement ON placement.name = slate.placement
    WHERE click.occurred_at >= event.occurred_at - make_interval(hours => placement.attribution_window::integer)
    ORDER BY click.occurred_at DESC, click.event_id DESC LIMIT 1
  ) ORDER BY touch DESC LIMIT 1
) AS touch ON true
WHERE event.name = ANY(%(attributed)s) AND event.item_id IS NOT NULL AND NOT {ASIDE} AND {COUNTS}
RETURNING recommendation_id
"""  # noqa: S608
# A refund without amount and quantity takes back all that was bought of the item in the transaction. It is the buyer's,
# or the shop does not say whose; another's takes nothing back, nor does one of before the purchase. Only transactions
# of which something came back are looked at. An item's lines go along as arrays: joined again to what was taken, which
# PostgreSQL expects to be a single row, all were compared with all.
TAKE_BACK = f"""
WITH refund AS MATERIALIZED (
  SELECT transaction_id, item_id, amount, quantity, occurred_at, {WHOLE.format("event.customer_id")} AS person
  FROM events_to_measure event WHERE name = 'refund' AND transaction_id = ANY(%(transactions)s)
), bought AS MATERIALIZED (
  SELECT occurred_at, event_id, line, attributed.transaction_id, attributed.item_id, attributed.amount,
         attributed.quantity, {WHOLE.format("event.customer_id")} AS person
  FROM recommendations_attributedline attributed JOIN events_to_measure event USING (occurred_at, event_id, line)
  WHERE attributed.name = 'purchase'
    AND attributed.transaction_id = ANY(ARRAY(SELECT DISTINCT transaction_id FROM refund))
), order_line AS MATERIALIZED (
  SELECT transaction_id, item_id, person, sum(amount) AS amount, sum(quantity) AS quantity,
         min(occurred_at) AS occurred_at, array_agg(occurred_at) AS moments, array_agg(event_id) AS events,
         array_agg(line) AS lines
  FROM bought GROUP BY transaction_id, item_id, person
), taken AS MATERIALIZED (
  SELECT order_line.moments, order_line.events, order_line.lines, least(1, CASE
           WHEN bool_or(refund.amount IS NULL AND refund.quantity IS NULL)
             OR sum(refund.quantity) >= order_line.quantity THEN 1
           WHEN sum(refund.amount) IS NOT NULL AND order_line.amount > 0 THEN sum(refund.amount) / order_line.amount
           WHEN order_line.quantity > 0 THEN sum(refund.quantity)::numeric / order_line.quantity
           ELSE 1 END) AS share
  FROM order_line JOIN refund USING (transaction_id, item_id)
  WHERE refund.occurred_at >= order_line.occurred_at
    AND (refund.person IS NULL OR order_line.person IS NULL OR refund.person = order_line.person)
  GROUP BY order_line.moments, order_line.events, order_line.lines, order_line.amount, order_line.quantity
)
UPDATE recommendations_attributedline line
SET refunded = round(line.amount * taken.share, 2), kept = taken.share < 1
FROM taken CROSS JOIN unnest(taken.moments, taken.events, taken.lines) AS key(occurred_at, event_id, line)
WHERE (line.occurred_at, line.event_id, line.line) = (key.occurred_at, key.event_id, key.line)
RETURNING line.recommendation_id
"""  # noqa: S608
OUTCOMES = f"""
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
       coalesce(got.carted, '{{}}'), coalesce(got.bought, '{{}}'), coalesce(got.revenues, '{{}}'),
       coalesce(got.purchases, 0)
FROM recommendations_slate slate
JOIN LATERAL (
  SELECT min(occurred_at) AS at, bool_or(source = %(replay)s) AS replay, bool_or(name = ANY(%(shown)s)) AS listed,
         bool_or(name = ANY(%(shown)s) AND item_id IS NULL) AS whole,
         array_agg(array_position(slate.items, item_id)) FILTER (WHERE name = ANY(%(shown)s)) AS shown,
         array_agg(array_position(slate.items, item_id)) FILTER (WHERE name = ANY(%(clicked)s)) AS clicked
  FROM events_to_measure event WHERE recommendation_id = slate.recommendation_id AND {MEANT}
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
"""  # noqa: S608
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
WORDS = {
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
