"""The statement of totals: what each person of an experiment did, and the sums of it by arm, segment and metric.

``MEMBERS`` are the people of an experiment with their arms; ``VISITORS`` are those who came in a past stretch, as if
all were in one arm, to plan with. Values in ``%(…)s`` are those of ``totals.py``.
"""

from recommendations.store.attribution.statements import COUNTS, KEY_ASIDE, PERSON_ASIDE
from recommendations.store.experiments.units import CUSTOMER_OF

# Whether a purchase counts, asked within the stretch that is summed, which needs few partitions.
_COUNTS = COUNTS.replace(
    "WHERE other.transaction_id", "WHERE other.occurred_at BETWEEN %(earliest)s AND %(now)s AND other.transaction_id"
)
_JOINED = "alias.undone_at IS NULL"
MEMBERS = f"""
SELECT unit.id AS stored, unit.unit, unit.arm_id, unit.first_at, unit.mixed,
       coalesce(unit.customer_id, {CUSTOMER_OF.format("unit.unit")}) AS customer_id
FROM recommendations_unit unit WHERE unit.experiment_id = %(experiment)s
"""  # noqa: S608 - an expression of our own
VISITORS = f"""
SELECT 0::bigint AS stored, visit.unit, 0::bigint AS arm_id, visit.first_at, false AS mixed,
       {CUSTOMER_OF.format("visit.unit")} AS customer_id
FROM (
  SELECT slate.unit, min(slate.served_at) AS first_at FROM recommendations_slate slate
  WHERE slate.served_at >= %(start)s AND slate.served_at < %(now)s AND slate.placement = ANY(%(placements)s)
    AND slate.unit IS NOT NULL
  GROUP BY slate.unit
) visit
"""  # noqa: S608
# People, each once under all keys that were merged: the arm and the moment are those of the earliest exposure. A
# person is left out who saw two arms, objected since, or is set aside. A sample is fixed by the first unit.
_PEOPLE = f"""
named AS (
  SELECT member.*, coalesce(alias.customer_id, member.customer_id) AS customer
  FROM member LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = member.customer_id AND {_JOINED}
), grouped AS (
  SELECT row_number() OVER () AS id, customer, array_agg(unit) AS units, min(first_at) AS first_at,
         (array_agg(unit ORDER BY first_at, stored))[1] AS unit,
         (array_agg(arm_id ORDER BY first_at, stored))[1] AS arm_id,
         (array_agg(customer_id ORDER BY first_at, stored))[1] AS first_customer,
         bool_or(mixed) OR min(arm_id) <> max(arm_id) AS mixed
  FROM named GROUP BY customer, CASE WHEN customer IS NULL THEN unit END
), objector AS (
  SELECT DISTINCT coalesce(alias.customer_id, own.id) AS customer FROM recommendations_customer own
  LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = own.id AND {_JOINED}
  WHERE NOT own.personalise
), judged AS MATERIALIZED (
  SELECT grouped.*, least(grouped.first_at + %(window)s, %(now)s) AS until, objector.customer IS NOT NULL AS objected,
         {PERSON_ASIDE.format("grouped.customer")} AS aside
  FROM grouped LEFT JOIN objector USING (customer)
  WHERE (hashint8extended(grouped.unit, 28) & 1048575) < %(share)s::float8 * 1048576
), person AS MATERIALIZED (
  SELECT * FROM judged WHERE NOT (mixed OR objected OR aside)
)
"""  # noqa: S608
# What people bought, disliked and gave back. Refunds take back a share of what was bought of the item in the
# transaction, as in attribution; those of before the exposure only from the spending before it.
_ACTS = f"""
key AS (
  SELECT id AS person, customer AS id, first_at, until FROM person WHERE customer IS NOT NULL
  UNION ALL
  SELECT person.id, alias.anonymous_id, first_at, until
  FROM person JOIN recommendations_customeralias alias ON alias.customer_id = person.customer AND {_JOINED}
), act AS MATERIALIZED (
  SELECT key.person, event.name, event.transaction_id, event.item_id, coalesce(event.quantity, 1) AS quantity,
         coalesce(event.amount, 0) AS amount, event.occurred_at, event.occurred_at < key.first_at AS earlier
  FROM key JOIN recommendations_event event ON event.customer_id = key.id
  WHERE event.name = ANY(%(acts)s) AND event.occurred_at >= %(earliest)s AND event.occurred_at <= %(now)s
    AND event.occurred_at BETWEEN key.first_at - %(window)s AND key.until AND NOT {KEY_ASIDE} AND {_COUNTS}
), refund AS (
  SELECT event.transaction_id, event.item_id, event.amount, event.quantity, event.occurred_at,
         coalesce(alias.customer_id, event.customer_id) AS customer
  FROM recommendations_event event
  LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = event.customer_id AND {_JOINED}
  WHERE event.name = 'refund' AND event.occurred_at >= %(earliest)s AND event.occurred_at <= %(now)s
), order_line AS (
  SELECT act.person, act.earlier, act.transaction_id, act.item_id, sum(act.amount) AS amount,
         sum(act.quantity) AS quantity, min(act.occurred_at) AS occurred_at
  FROM act WHERE act.name = ANY(%(bought)s) GROUP BY 1, 2, 3, 4
), taken AS (
  SELECT line.person, line.earlier, line.transaction_id, line.item_id, least(1, CASE
           WHEN bool_or(refund.amount IS NULL AND refund.quantity IS NULL) OR sum(refund.quantity) >= line.quantity
             THEN 1
           WHEN sum(refund.amount) IS NOT NULL AND line.amount > 0 THEN sum(refund.amount) / line.amount
           WHEN line.quantity > 0 THEN sum(refund.quantity)::numeric / line.quantity
           ELSE 1 END) AS share
  FROM order_line line JOIN refund USING (transaction_id, item_id) JOIN person ON person.id = line.person
  WHERE refund.occurred_at >= line.occurred_at AND (refund.customer IS NULL OR refund.customer = person.customer)
    AND CASE WHEN line.earlier THEN refund.occurred_at < person.first_at ELSE refund.occurred_at <= person.until END
  GROUP BY 1, 2, 3, 4, line.amount, line.quantity
), net AS (
  SELECT line.*, round(line.amount * coalesce(taken.share, 0), 2) AS refunded, coalesce(taken.share, 0) < 1 AS stays
  FROM order_line line LEFT JOIN taken USING (person, earlier, transaction_id, item_id)
), spent AS (
  SELECT person,
         coalesce(sum(amount - refunded) FILTER (WHERE NOT earlier), 0)::float8 AS revenue,
         coalesce(sum(amount) FILTER (WHERE NOT earlier), 0)::float8 AS paid,
         coalesce(sum(refunded) FILTER (WHERE NOT earlier), 0)::float8 AS refunded,
         count(DISTINCT transaction_id) FILTER (WHERE stays AND NOT earlier)::float8 AS orders,
         coalesce(sum(quantity) FILTER (WHERE stays AND NOT earlier), 0)::float8 AS items,
         coalesce(sum(amount - refunded) FILTER (WHERE earlier), 0)::float8 AS before
  FROM net GROUP BY person
), disliked AS (
  SELECT person, count(*)::float8 AS dislikes FROM act WHERE name = 'dislike_item' AND NOT earlier GROUP BY person
)
"""  # noqa: S608
# Answers at the placements touched, until the experiment ended, whether they were under the arm or not. Of a part of
# the people they have their items.
_ANSWERS = """
seat AS MATERIALIZED (
  SELECT person.id AS person, person.arm_id, own.unit, person.first_at, person.until,
         (hashint8extended(person.unit, 29) & 1048575) < %(items_share)s::float8 * 1048576 AS itemised
  FROM person CROSS JOIN unnest(person.units) AS own(unit)
), answer AS MATERIALIZED (
  SELECT seat.person, seat.arm_id, seat.first_at, seat.until, slate.recommendation_id,
         slate.fallback_reason <> '' AS fallback, slate.latency_us,
         CASE WHEN slate.served_at = seat.first_at THEN slate.placement END AS first_placement,
         CASE WHEN seat.itemised THEN slate.items END AS items
  FROM recommendations_slate slate JOIN seat ON seat.unit = slate.unit
  WHERE slate.served_at >= %(start)s AND slate.served_at <= %(served_until)s
    AND slate.served_at BETWEEN seat.first_at AND seat.until
    AND (slate.placement = ANY(%(placements)s) OR slate.arms && %(arms)s::bigint[])
), answered AS (
  SELECT answer.person, count(*)::float8 AS answers, count(*) FILTER (WHERE fallback)::float8 AS fallbacks,
         sum(least(latency_us / 1000.0::float8, %(slowest)s)) FILTER (WHERE latency_us IS NOT NULL) AS waited,
         count(latency_us)::float8 AS timed, count(outcome.recommendation_id)::float8 AS seen,
         count(*) FILTER (WHERE outcome.clicked <> '{}')::float8 AS clicked,
         count(*) FILTER (WHERE outcome.listed) AS listed, min(first_placement) AS placement
  FROM answer
  LEFT JOIN recommendations_slateoutcome outcome ON outcome.recommendation_id = answer.recommendation_id
  GROUP BY answer.person
), tied AS (
  SELECT answer.person, sum(line.amount - line.refunded)::float8 AS attributed
  FROM answer JOIN recommendations_attributedline line ON line.recommendation_id = answer.recommendation_id
  WHERE line.name = ANY(%(bought)s) AND line.kept AND line.occurred_at BETWEEN answer.first_at AND answer.until
  GROUP BY answer.person
)
"""
_PER_PERSON = """
did AS MATERIALIZED (
  SELECT person.arm_id, segment.number AS segment, coalesce(visitor.kind, 'anonymous') AS kind, answered.placement,
         coalesce(spent.revenue, 0) AS revenue, least(coalesce(spent.revenue, 0), %(cap)s) AS capped,
         least(coalesce(spent.before, 0), %(cap)s) AS before, coalesce(spent.orders, 0) AS orders,
         coalesce(spent.items, 0) AS items, coalesce(spent.paid, 0) AS paid, coalesce(spent.refunded, 0) AS refunded,
         least(1, %(cap)s / nullif(spent.paid, 0)) AS within, coalesce(disliked.dislikes, 0) AS dislikes,
         least(coalesce(tied.attributed, 0), %(attributed_cap)s) AS attributed,
         coalesce(answered.answers, 0) AS answers, coalesce(answered.fallbacks, 0) AS fallbacks,
         coalesce(answered.waited, 0) AS waited, coalesce(answered.timed, 0) AS timed,
         coalesce(answered.seen, 0) AS seen, coalesce(answered.clicked, 0) AS clicked,
         coalesce(answered.listed, 0) AS listed
  FROM person
  LEFT JOIN spent ON spent.person = person.id LEFT JOIN disliked ON disliked.person = person.id
  LEFT JOIN answered ON answered.person = person.id LEFT JOIN tied ON tied.person = person.id
  LEFT JOIN recommendations_customer visitor ON visitor.id = person.first_customer
  LEFT JOIN recommendations_segmentmembership membership
    ON membership.customer_id = person.customer AND membership.version_id = %(version)s
  LEFT JOIN recommendations_segment segment ON segment.id = membership.segment_id
)
"""
_COLUMNS = {
    "revenue": ("capped", "before"), "converted": ("(orders > 0)::integer", "0"), "orders": ("orders", "0"),
    "items_per_basket": ("items", "orders"), "basket_value": ("capped", "orders"), "ctr": ("clicked", "seen"),
    "ctr_served": ("clicked", "answers"), "attributed": ("attributed", "0"),
    "refunds": ("refunded * within", "paid * within"), "fallback": ("fallbacks", "answers"),
    "latency": ("waited", "timed"), "dislikes": ("dislikes", "0"), "uncapped": ("revenue", "0"),
    "above_cap": ("(revenue > %(cap)s)::integer", "0"),
}  # fmt: skip
"""Per person y and x of each metric."""
_SUM = """
sum({y}) AS {name}_y, sum(({y}) * ({y})) AS {name}_yy, sum({x}) AS {name}_x, sum(({x}) * ({x})) AS {name}_xx,
sum(({x}) * ({y})) AS {name}_xy, count(*) FILTER (WHERE ({y}) > 0) AS {name}_some
"""
_SUMMED = f"""
summed AS (
  SELECT arm_id, segment, GROUPING(segment) = 1 AS whole, count(*) AS n,
    {",".join(_SUM.format(name=name, y=y, x=x) for name, (y, x) in _COLUMNS.items())}
  FROM did GROUP BY GROUPING SETS ((arm_id), (arm_id, segment))
)
"""  # noqa: S608
# Rows of (kind, arm, segment, name, n, y, yy, x, xx, xy, people with y > 0).
_SUMS = f"""
SELECT 'metric', arm_id, segment, metric.name, n::float8, y, yy, x, xx, xy, successes
FROM summed CROSS JOIN LATERAL (VALUES
  {", ".join(f"('{name}', {name}_y, {name}_yy, {name}_x, {name}_xx, {name}_xy, {name}_some)" for name in _COLUMNS)}
) AS metric(name, y, yy, x, xx, xy, successes)
WHERE whole OR segment IS NOT NULL
"""  # noqa: S608
_PARTS = """
SELECT 'kind', arm_id, NULL, kind, count(*), 0, 0, 0, 0, 0, 0 FROM did GROUP BY arm_id, kind
UNION ALL
SELECT 'placement', arm_id, NULL, placement, count(*), 0, 0, 0, 0, 0, 0 FROM did WHERE placement IS NOT NULL
GROUP BY arm_id, placement
"""
_COVERAGE = """
SELECT 'coverage', shown.arm_id, NULL, 'coverage', shown.different, asked.answers, 0, 0, 0, 0, 0
FROM (
  SELECT arm_id, count(*) AS different
  FROM (SELECT DISTINCT arm_id, item FROM answer CROSS JOIN unnest(items) AS item) each GROUP BY arm_id
) shown JOIN (
  SELECT arm_id, count(*) AS answers FROM answer WHERE items IS NOT NULL GROUP BY arm_id
) asked USING (arm_id)
"""
_FACTS = """
SELECT 'fact', 0, NULL, fact.name, fact.value, 0, 0, 0, 0, 0, 0
FROM (
  SELECT count(*) FILTER (WHERE mixed) AS mixed, count(*) FILTER (WHERE objected AND NOT mixed) AS objected,
         count(*) FILTER (WHERE aside AND NOT objected AND NOT mixed) AS aside
  FROM judged
) left_out CROSS JOIN (SELECT coalesce(sum(listed), 0) AS listed, coalesce(sum(answers), 0) AS answers FROM did) every
CROSS JOIN (
  SELECT coalesce(sum(answers), 0) AS answers FROM (SELECT answers FROM did ORDER BY answers DESC LIMIT 3) few
) heaviest
CROSS JOIN (
  SELECT count(*) AS nameless FROM recommendations_slate slate
  WHERE slate.served_at >= %(start)s AND slate.served_at <= %(served_until)s
    AND slate.placement = ANY(%(placements)s) AND slate.unit IS NULL
) other
CROSS JOIN LATERAL (VALUES
  ('mixed', left_out.mixed), ('objected', left_out.objected), ('set_aside', left_out.aside), ('listed', every.listed),
  ('answers', every.answers), ('heaviest_answers', heaviest.answers), ('answers_without_id', other.nameless)
) AS fact(name, value)
"""


def totals_statement(people: str) -> str:
    """Statement of the totals of people, ``MEMBERS`` or ``VISITORS``."""
    parts = ",\n".join((_PEOPLE, _ACTS, _ANSWERS, _PER_PERSON, _SUMMED))
    rows = "\nUNION ALL\n".join((_SUMS, _PARTS, _COVERAGE, _FACTS))
    return f"WITH member AS ({people}), {parts}\n{rows}"
