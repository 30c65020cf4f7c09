"""Statements of totals: who was in an experiment, and the sums of what they did by arm, segment and metric.

``MEMBERS`` are the people of an experiment with their arms; ``VISITORS`` are those who came in a past stretch, as if
all were in one arm, to plan with. They are put into a table of their own first, so that PostgreSQL knows how many they
are when it plans the sums. Values in ``%(…)s`` are those of ``totals.py``.
"""

from recommendations.store.attribution.statements import COUNTS, CUSTOMER_OF, KEY_ASIDE, PERSON_ASIDE

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
SEAT_COLUMNS = """
(unit bigint, person bigint, leads boolean, customer bigint, first_customer bigint, arm_id bigint,
 first_at timestamptz, until timestamptz, mixed boolean, objected boolean, aside boolean)
"""
# Units, each with the person of all keys that were merged, who goes by the first of them: its arm and its moment are
# the person's, and it decides whether the person is in a sample.
_SEATED = f"""
named AS MATERIALIZED (
  SELECT member.*, coalesce(alias.customer_id, member.customer_id) AS customer
  FROM member LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = member.customer_id AND {_JOINED}
), seated AS (
  SELECT unit, customer, first_value(unit) OVER own AS person, row_number() OVER own = 1 AS leads,
         first_value(customer_id) OVER own AS first_customer, first_value(arm_id) OVER own AS arm_id,
         first_value(first_at) OVER own AS first_at,
         bool_or(mixed) OVER own OR min(arm_id) OVER own <> max(arm_id) OVER own AS mixed
  FROM named
  WINDOW own AS (PARTITION BY customer, CASE WHEN customer IS NULL THEN unit END ORDER BY first_at, stored
                 ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
), objector AS (
  SELECT DISTINCT coalesce(alias.customer_id, own.id) AS customer FROM recommendations_customer own
  LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = own.id AND {_JOINED}
  WHERE NOT own.personalise OR NOT own.measure
)
SELECT unit, person, leads, customer, first_customer, arm_id, first_at, least(first_at + %(window)s, %(now)s), mixed,
       objector.customer IS NOT NULL, {PERSON_ASIDE.format("seated.customer")}
FROM seated LEFT JOIN objector USING (customer)
WHERE (hashint8extended(person, 28) & 1048575) < %(share)s::float8 * 1048576
"""  # noqa: S608
# Who saw two arms, objected since, to personalisation or to being measured, or is set aside is left out.
_PEOPLE = """
seat AS NOT MATERIALIZED (
  SELECT *, (hashint8extended(person, 29) & 1048575) < %(items_share)s::float8 * 1048576 AS itemised
  FROM experiment_seat WHERE NOT (mixed OR objected OR aside)
), person AS NOT MATERIALIZED (
  SELECT person AS id, customer, first_customer, arm_id, first_at, until FROM seat WHERE leads
)
"""
# What people bought, disliked and gave back. Whether a purchase counts is asked of theirs only. Refunds take back a
# share of what was bought of the item in the transaction, as in attribution; those of before the exposure only from
# the spending before it.
_ACTS = f"""
own AS MATERIALIZED (
  SELECT person.id AS person, person.first_at, event.*
  FROM events_to_measure event
  LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = event.customer_id AND {_JOINED}
  JOIN person ON person.customer = coalesce(alias.customer_id, event.customer_id)
  WHERE event.name = ANY(%(acts)s) AND event.occurred_at >= %(earliest)s AND event.occurred_at <= %(now)s
    AND event.occurred_at BETWEEN person.first_at - %(window)s AND person.until AND NOT {KEY_ASIDE}
), act AS MATERIALIZED (
  SELECT person, name, transaction_id, item_id, coalesce(quantity, 1) AS quantity, coalesce(amount, 0) AS amount,
         occurred_at, event.occurred_at < event.first_at AS earlier
  FROM own event WHERE {_COUNTS}
), refund AS (
  SELECT event.transaction_id, event.item_id, event.amount, event.quantity, event.occurred_at,
         coalesce(alias.customer_id, event.customer_id) AS customer
  FROM events_to_measure event
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
# Answers at the placements touched, until the experiment ended, whether they were under the arm or not. They are many:
# one pass sums them without storing any, another takes the few that are looked at again: out of which something was
# bought, without anybody's id, and of a part of the people with their items. Which are within a person's stretch is
# asked of each as it is summed; as a condition of the join it would let PostgreSQL expect a ninth of them.
_AT_PLACEMENTS = """
slate.served_at >= %(start)s AND slate.served_at <= %(served_until)s
AND (slate.placement = ANY(%(placements)s) OR slate.arms && %(arms)s::bigint[])
"""
_ANSWERS = f"""
answered AS (
  SELECT person, count(*) FILTER (WHERE inside)::float8 AS answers,
         count(*) FILTER (WHERE inside AND fallback_reason <> '')::float8 AS fallbacks,
         sum(least(latency_us / 1000.0::float8, %(slowest)s))
           FILTER (WHERE inside AND latency_us IS NOT NULL) AS waited,
         count(latency_us) FILTER (WHERE inside)::float8 AS timed,
         count(outcome.recommendation_id) FILTER (WHERE inside)::float8 AS seen,
         count(*) FILTER (WHERE inside AND outcome.clicked <> '{{}}')::float8 AS clicked,
         count(*) FILTER (WHERE inside AND outcome.listed) AS listed,
         count(*) FILTER (WHERE inside AND outcome.replay) AS replayed,
         min(outcome.at) FILTER (WHERE inside AND outcome.replay) AS replayed_from,
         max(outcome.at) FILTER (WHERE inside AND outcome.replay) AS replayed_until,
         min(answer.placement) FILTER (WHERE inside AND served_at = first_at) AS placement
  FROM (
    SELECT seat.person, seat.first_at, slate.*, slate.served_at BETWEEN seat.first_at AND seat.until AS inside
    FROM recommendations_slate slate JOIN seat ON seat.unit = slate.unit WHERE {_AT_PLACEMENTS}
  ) answer
  LEFT JOIN recommendations_slateoutcome outcome ON outcome.recommendation_id = answer.recommendation_id
  GROUP BY person
), bought AS (
  SELECT recommendation_id, array_agg(occurred_at) AS moments, array_agg(amount - refunded) AS amounts
  FROM recommendations_attributedline WHERE name = ANY(%(bought)s) AND kept GROUP BY recommendation_id
), chosen AS MATERIALIZED (
  SELECT seat.person, seat.arm_id, seat.first_at, seat.until, slate.unit, slate.placement, bought.moments,
         bought.amounts, CASE WHEN seat.itemised THEN slate.items END AS items
  FROM recommendations_slate slate
  LEFT JOIN seat ON seat.unit = slate.unit AND slate.served_at BETWEEN seat.first_at AND seat.until
  LEFT JOIN bought ON bought.recommendation_id = slate.recommendation_id
  WHERE {_AT_PLACEMENTS}
    AND (seat.itemised OR slate.unit IS NULL OR seat.person IS NOT NULL AND bought.moments IS NOT NULL)
), tied AS (
  SELECT person, sum(line.amount)::float8 AS attributed
  FROM chosen CROSS JOIN unnest(moments, amounts) AS line(occurred_at, amount)
  WHERE line.occurred_at BETWEEN first_at AND until GROUP BY person
)
"""  # noqa: S608
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
         coalesce(answered.listed, 0) AS listed, coalesce(answered.replayed, 0) AS replayed,
         answered.replayed_from, answered.replayed_until
  FROM person
  LEFT JOIN spent ON spent.person = person.id LEFT JOIN disliked ON disliked.person = person.id
  LEFT JOIN answered ON answered.person = person.id LEFT JOIN tied ON tied.person = person.id
  LEFT JOIN recommendations_customer visitor ON visitor.id = person.first_customer
  LEFT JOIN recommendations_liveprofile profile ON profile.customer_id = person.customer
  LEFT JOIN recommendations_segment segment ON segment.id = profile.segment_id
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
  SELECT arm_id, segment, count(*) AS n,
    {",".join(_SUM.format(name=name, y=y, x=x) for name, (y, x) in _COLUMNS.items())}
  FROM did GROUP BY arm_id, segment
)
"""  # noqa: S608
# Rows of (kind, arm, segment, name, n, y, yy, x, xx, xy, people with y > 0); those of everybody are sums of the
# segments', so that each person is summed once.
_SUMS = f"""
SELECT 'metric', arm_id, segment, metric.name, sum(n)::float8, sum(y), sum(yy), sum(x), sum(xx), sum(xy),
       sum(successes)::bigint
FROM summed CROSS JOIN LATERAL (VALUES
  {", ".join(f"('{name}', {name}_y, {name}_yy, {name}_x, {name}_xx, {name}_xy, {name}_some)" for name in _COLUMNS)}
) AS metric(name, y, yy, x, xx, xy, successes)
GROUP BY GROUPING SETS ((arm_id, metric.name), (arm_id, segment, metric.name))
HAVING GROUPING(segment) = 1 OR segment IS NOT NULL
"""  # noqa: S608
_PARTS = """
SELECT 'kind', arm_id, NULL, kind, count(*), 0, 0, 0, 0, 0, 0 FROM did GROUP BY arm_id, kind
UNION ALL
SELECT 'placement', arm_id, NULL, placement, count(*), 0, 0, 0, 0, 0, 0 FROM did WHERE placement IS NOT NULL
GROUP BY arm_id, placement
"""
_COVERAGE = """
SELECT 'coverage', arm_id, NULL, 'coverage', count(*), shown.times, asked.answers, 0, 0, 0, 0
FROM (
  SELECT arm_id, count(*) AS times FROM chosen CROSS JOIN unnest(items) AS item GROUP BY arm_id, item
) shown JOIN (
  SELECT arm_id, count(*) AS answers FROM chosen WHERE items IS NOT NULL GROUP BY arm_id
) asked USING (arm_id)
GROUP BY arm_id, shown.times, asked.answers
"""
_FACTS = """
SELECT 'fact', 0, NULL, fact.name, fact.value, 0, 0, 0, 0, 0, 0
FROM (
  SELECT count(*) FILTER (WHERE mixed) AS mixed, count(*) FILTER (WHERE objected AND NOT mixed) AS objected,
         count(*) FILTER (WHERE aside AND NOT objected AND NOT mixed) AS aside
  FROM experiment_seat WHERE leads
) left_out CROSS JOIN (
  SELECT coalesce(sum(listed), 0) AS listed, coalesce(sum(answers), 0) AS answers, coalesce(sum(seen), 0) AS seen,
         coalesce(sum(replayed), 0) AS replayed,
         coalesce(floor(extract(epoch FROM max(replayed_until) - min(replayed_from)) / 86400), 0) AS days
  FROM did
) every CROSS JOIN (
  SELECT coalesce(sum(answers), 0) AS answers FROM (SELECT answers FROM did ORDER BY answers DESC LIMIT 3) few
) heaviest
CROSS JOIN (
  SELECT count(*) AS nameless FROM chosen WHERE unit IS NULL AND placement = ANY(%(placements)s)
) other
CROSS JOIN LATERAL (VALUES
  ('mixed', left_out.mixed), ('objected', left_out.objected), ('set_aside', left_out.aside), ('listed', every.listed),
  ('answers', every.answers), ('heaviest_answers', heaviest.answers), ('answers_without_id', other.nameless),
  ('seen', every.seen), ('replayed', every.replayed), ('replayed_days', every.days)
) AS fact(name, value)
"""


def seats_statement(people: str) -> str:
    """Statement that puts the units of people, ``MEMBERS`` or ``VISITORS``, into ``experiment_seat``."""
    return f"INSERT INTO experiment_seat WITH member AS MATERIALIZED ({people}), {_SEATED}"


_PARTS_OF_TOTALS = ",\n".join((_PEOPLE, _ACTS, _ANSWERS, _PER_PERSON, _SUMMED))
_ROWS_OF_TOTALS = "\nUNION ALL\n".join((_SUMS, _PARTS, _COVERAGE, _FACTS))
TOTALS = f"WITH {_PARTS_OF_TOTALS}\n{_ROWS_OF_TOTALS}"
"""Statement of the totals of those in ``experiment_seat``."""
