"""A large experiment in an empty database: its people, answers and events, invented by PostgreSQL itself.

Two people in five have a key, the others only ever looked. Half of the answers go to a few: of the people drawn after
each has had one, the share u has the numbers below u². Who is one person under two keys, objects, or saw two arms is
there too. The same sizes give the same rows.
"""

from datetime import datetime, timedelta

from bench.meter import Progress
from recommendations.models import Arm, Experiment, Item, ModelVersion, Placement, Run, Segment
from recommendations.models.customers import UNIT
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.temp_tables import run
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric

ITEMS, SEGMENTS = 2_000, 8
DAYS = timedelta(days=28)
VIEWS = 25  # events without effect of each person with a key
ORDERS = 3  # of each fourth person with a key, two lines each
CAP = 150.0
_SPREAD = "((hashint8extended({0}, {1}) & 1048575) / 1048576.0::float8)"
"""A number in [0, 1) that belongs to column {0}, another for another seed {1}."""

_PEOPLE = f"""
CREATE TEMP TABLE person AS
SELECT n, pseudonym, {UNIT} AS unit, hashint8extended(n, 7) & 1 AS arm, n %% 5 < 2 AS has_key,
       n %% 10 < 3 AS signed_in
FROM (SELECT n, sha256(convert_to('person ' || n, 'UTF8')) AS pseudonym FROM generate_series(1, %(people)s) AS n) each
"""  # noqa: S608 - parts of our own
_CUSTOMERS = """
INSERT INTO recommendations_customer (id, pseudonym, kind, personalise, created_at, properties)
SELECT n, pseudonym, CASE WHEN signed_in THEN 'signed_in' ELSE 'anonymous' END, n %% 401 <> 1, %(start)s, '{}'
FROM person WHERE has_key
"""
_ALIASES = """
INSERT INTO recommendations_customeralias (anonymous_id, customer_id, since, source, changed_at)
SELECT n, n - 5, %(start)s, 'api', %(start)s FROM person WHERE n %% 100 = 5 AND n > 5 AND n - 5 <= %(people)s
"""
_PROFILES = """
INSERT INTO recommendations_liveprofile (customer_id, segment_id, weight, shift)
SELECT n, (SELECT id FROM recommendations_segment WHERE number = n %% 8), 1, 0 FROM person WHERE has_key
"""
_LIST = ", ".join(f"1 + (answer.i * 31 + {place * 37}) %% {ITEMS}" for place in range(10))
_SLATES = f"""
INSERT INTO recommendations_slate (served_at, recommendation_id, customer_id, placement, source, personalised,
  fallback_reason, items, scores, propensities, places, unit, arms, latency_us, rules_version)
SELECT %(start)s + {_SPREAD.format("answer.i", 2)} * %(days)s::interval, 'r-' || md5(answer.i::text),
       CASE WHEN has_key THEN n END, 'home', 'model', has_key, CASE WHEN answer.i %% 50 = 0 THEN 'no_model' ELSE '' END,
       ARRAY[{_LIST}], '{{.9,.8,.7,.6,.5,.4,.3,.2,.1,0}}', '{{1,1,1,1,1,1,1,1,.95,.95}}', '{{0,1,2,3,4,5,6,7,8,9}}',
       unit,
       ARRAY[(%(arms)s::bigint[])[1 + CASE WHEN n %% 500 = 0 AND answer.i > %(people)s THEN 1 - arm ELSE arm END]],
       2000 + answer.i %% 20000, 0
FROM (
  SELECT i, CASE WHEN i <= %(people)s THEN i ELSE 1 + floor(%(people)s * {_SPREAD.format("i", 1)} ^ 2)::bigint END AS n
  FROM generate_series(1::bigint, %(slates)s) AS i
) answer JOIN person USING (n)
"""  # noqa: S608
_OUTCOMES = """
INSERT INTO recommendations_slateoutcome (recommendation_id, placement, at, replay, listed, seen, clicked, carted,
  bought, revenues, purchases)
SELECT 'r-' || md5(i::text), 'home', %(start)s, false, true, '{1,2,3,4,5}',
       CASE WHEN hashint8extended(i, 3) & 15 = 0 THEN '{2}'::smallint[] ELSE '{}' END, '{}', '{}', '{}', 0
FROM generate_series(1::bigint, %(slates)s) AS i WHERE i %% 5 < 3
"""
_MOMENT = f"%(start)s - %(days)s::interval + {_SPREAD.format('n * 100 + k', 4)} * %(days)s::interval * 2"
_EVENTS = """
INSERT INTO recommendations_event (occurred_at, event_id, line, name, customer_id, item_id, quantity, price, amount,
  transaction_id, source, trust, received_at)
"""
_VIEWS = f"""
{_EVENTS} SELECT {_MOMENT}, md5('view ' || n || ' ' || k)::uuid, 0,
       CASE WHEN k = 1 AND n %% 100 = 1 THEN 'dislike_item' ELSE 'view_item' END, n, 1 + (n * 7 + k) %% {ITEMS}, NULL,
       NULL, NULL, NULL, 'api', 2, %(start)s
FROM person CROSS JOIN generate_series(1, %(views)s) AS k WHERE has_key
"""  # noqa: S608
_PURCHASES = f"""
{_EVENTS} SELECT {_MOMENT}, md5('order ' || n || ' ' || k)::uuid, line, 'purchase', n, 1 + (n + k + line) %% {ITEMS}, 1,
       5 + n %% 90, 5 + n %% 90, 't' || n || '-' || k, 'api', 2, %(start)s
FROM person CROSS JOIN generate_series(51, 50 + %(orders)s) AS k CROSS JOIN generate_series(0, 1) AS line
WHERE has_key AND n %% 4 = 0
"""  # noqa: S608
_REFUNDS = f"""
{_EVENTS} SELECT occurred_at + interval '1 hour', md5('refund ' || event_id)::uuid, 0, 'refund', customer_id, item_id,
       NULL, NULL, NULL, transaction_id, 'api', 2, %(start)s
FROM recommendations_event WHERE name = 'purchase' AND line = 0 AND customer_id %% 40 = 0
"""  # noqa: S608
_TIED = """
INSERT INTO recommendations_attributedline (occurred_at, event_id, line, name, item_id, transaction_id, quantity,
  amount, refunded, kept, replay, recommendation_id, placement, position, touch)
SELECT event.occurred_at, event.event_id, 0, 'purchase', event.item_id, event.transaction_id, 1, event.amount, 0, true,
       false, 'r-' || md5(event.customer_id::text), 'home', 1, 'event'
FROM recommendations_event event
WHERE event.name = 'purchase' AND event.line = 0 AND event.customer_id %% 40 <> 0 AND event.occurred_at >= %(start)s
"""


def fill(people: int, slates: int, *, now: datetime, tell: Progress) -> Experiment:
    """Fill the database; the experiment ran for 28 days up to now."""
    start = now - DAYS
    prepare_partitions(start - DAYS, now + timedelta(days=1))
    own = _experiment(start)
    _furnish(now)
    values = {
        "people": people, "slates": slates, "start": start, "days": DAYS, "views": VIEWS, "orders": ORDERS,
        "arms": list(own.arms.order_by("position").values_list("pk", flat=True)),
    }  # fmt: skip
    statements = {
        "people": _PEOPLE, "customers": _CUSTOMERS, "mergers": _ALIASES, "segments": _PROFILES, "answers": _SLATES,
        "outcomes": _OUTCOMES, "views": _VIEWS, "purchases": _PURCHASES, "refunds": _REFUNDS, "attributed": _TIED,
    }  # fmt: skip
    for words, statement in statements.items():
        tell(f"{words}: {run(statement, **values):,}")
    run("ANALYZE")
    return own


def _experiment(start: datetime) -> Experiment:
    own = Experiment.objects.create(
        name="Large", kind=ExperimentKind.AB, salt=b"s" * 16, primary=Metric.REVENUE, status=ExperimentStatus.RUNNING,
        started_at=start, caps={Metric.REVENUE: CAP, Metric.ATTRIBUTED: CAP}, planned_days=28,
        guardrails={Metric.REFUNDS: 0.1, Metric.FALLBACK: 0.1},
    )  # fmt: skip
    own.placements.set(Placement.objects.filter(name="home"))
    Arm.objects.bulk_create(Arm(experiment=own, position=place, share=0.5) for place in range(2))
    return own


def _furnish(now: datetime) -> None:
    """Items numbered from 1, segments, and a live version without a model."""
    Item.objects.bulk_create(
        (Item(pk=number, shop_id=f"SKU{number}", title=f"Item {number}", price=20) for number in range(1, ITEMS + 1)),
        batch_size=1_000,
    )
    Segment.objects.bulk_create(Segment(number=number) for number in range(SEGMENTS))
    ModelVersion.objects.create(run=Run.objects.create(now=now), is_live=True, status="ready")
