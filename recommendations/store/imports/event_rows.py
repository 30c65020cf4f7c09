"""Rows of an event file: the form, the rules in SQL, and the way from text to ready lines."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import LiteralString, TypedDict

from django.utils.translation import gettext as _
from psycopg import sql

from recommendations import fields
from recommendations.event_types import NAMES, UNUSED, EventName, ItemNeed
from recommendations.privacy_terms import RetentionKind
from recommendations.store.events.bulk_append import Month
from recommendations.store.events.made_ids import made_of
from recommendations.store.events.partitions import month_after
from recommendations.store.imports import erased_ids
from recommendations.store.imports.hidden_ids import first_of, hidden_id
from recommendations.store.imports.row_checks import (
    ITEM_JOIN,
    RowCheck,
    all_broken,
    checks_of,
    column,
    moment,
    needed,
)
from recommendations.store.imports.table_files import Header
from recommendations.store.imports.validate import Form, Hidden
from recommendations.store.retention_rules import archived_files, events_kept_from
from recommendations.terms import CustomerKind

_hidden_user = partial(hidden_id, CustomerKind.SIGNED_IN)
FORM = Form(
    known=[
        "event_id", "line", "name", "timestamp", "user_id", "anonymous_id", "session_id", "item_id", "quantity",
        "price", "amount", "currency", "transaction_id", "rating", "rating_scale", "search_term",
        "recommendation_id", "position", "progress", "target_type", "target_id",
    ],
    needed=["name", "timestamp"],
    hidden=[
        Hidden("user_id", _hidden_user),
        Hidden("anonymous_id", partial(hidden_id, CustomerKind.ANONYMOUS)),
        Hidden("target_id", _hidden_user, unless=("target_type", fields.TARGETS[1:])),  # a customer is a person too
    ],
)  # fmt: skip
JOINS = sql.SQL("""
LEFT JOIN jsonb_each_text({names}::jsonb) AS known(alias, called) ON known.alias = staged.name
{item}
""").format(names=sql.Literal(json.dumps(NAMES)), item=ITEM_JOIN)
WHO = ("user_id", "anonymous_id")
JUDGING_JOINS = JOINS + erased_ids.joins(*WHO)


def _needed_by(names: Iterable[EventName], field: LiteralString) -> RowCheck:
    lacking = sql.SQL("{} IS NULL AND known.called = ANY({})")
    return RowCheck(field, "missing", lacking.format(column(field), sql.Literal([name.value for name in names])))


def _missing(field: LiteralString) -> RowCheck:
    return _needed_by((name for name in EventName if field in name.facts.fields), field)


RULES = [
    *needed("name"),
    RowCheck("name", "unknown_name", "known.called IS NULL"),
    *needed("timestamp"),
    *moment("timestamp"),
    RowCheck("timestamp", "future", "timestamp::timestamptz > %(latest)s"),
    RowCheck("timestamp", "too_old", "timestamp::timestamptz < %(earliest)s"),
    RowCheck("timestamp", "not_kept", "timestamp::timestamptz < %(kept_from)s"),
    RowCheck("timestamp", "month_closed", "date_trunc('month', timestamp::timestamptz, 'UTC') = ANY(%(closed)s)"),
    erased_ids.BEFORE,
    RowCheck("user_id", "nobody", "user_id IS NULL AND anonymous_id IS NULL"),
    RowCheck("user_id", "too_long", "user_id = 'too long'"),
    RowCheck("anonymous_id", "too_long", "anonymous_id = 'too long'"),
    RowCheck("target_id", "too_long", "target_id = 'too long'"),
    _needed_by((name for name in EventName if name.facts.item is ItemNeed.REQUIRED), "item_id"),
    RowCheck("item_id", "unknown_item", "item_id IS NOT NULL AND item.id IS NULL"),
    *checks_of(fields.Id, "event_id"),
    *checks_of(fields.Position, "line", code="not_a_position"),
    *checks_of(fields.Id, "session_id", "transaction_id", "target_id"),
    *checks_of(fields.SlateId, "recommendation_id"),
    *checks_of(fields.SearchTerm, "search_term"),
    _missing("transaction_id"),
    _missing("search_term"),
    RowCheck(
        "quantity",
        "not_a_quantity",
        "staged.quantity IS NOT NULL AND NOT coalesce(CASE WHEN pg_input_is_valid(staged.quantity, 'numeric') "
        "THEN round(staged.quantity::numeric, 3) BETWEEN 0.001 AND 1000000 END, false)",
    ),
    *checks_of(fields.Money, "price", "amount", code="negative"),
    RowCheck(
        "amount",
        "too_large",
        sql.SQL("round(staged.price::numeric * round(coalesce(staged.quantity, '1')::numeric, 3), 2) > {}").format(
            fields.LARGEST_AMOUNT
        ),
        joint=True,
    ),
    RowCheck("currency", "foreign_currency", "currency <> %(currency)s"),
    *checks_of(fields.Rating, "rating", "rating_scale", code="not_a_rating"),
    _missing("rating"),
    _missing("rating_scale"),
    RowCheck(
        "rating",
        "rating_above_scale",
        "rating::numeric > rating_scale::numeric OR rating_scale::numeric = 0",
        joint=True,
    ),
    *checks_of(fields.Position, "position", code="not_a_position"),
    *checks_of(fields.Progress, "progress", code="not_a_progress"),
    _missing("target_type"),
    RowCheck("target_type", "unknown_target", sql.SQL("target_type <> ALL({})").format(list(fields.TARGETS))),
    _missing("target_id"),
]
VERDICT = all_broken(RULES)

NEW_CUSTOMERS = """
INSERT INTO recommendations_customer (pseudonym, kind, personalise, created_at, properties, not_before)
SELECT decode(named.hash, 'hex'), kind, true, %(now)s::timestamptz, '{}', erased_id.at FROM (
  SELECT DISTINCT user_id, 'signed_in' FROM staged WHERE user_id IS NOT NULL
  UNION ALL SELECT DISTINCT anonymous_id, 'anonymous' FROM staged WHERE anonymous_id IS NOT NULL
) AS named(hash, kind) LEFT JOIN erased_id ON erased_id.hash = named.hash
WHERE erased_id.blocked IS NOT TRUE ORDER BY 1
ON CONFLICT DO NOTHING
"""
MERGERS = sql.SQL("""
SELECT unnamed.id, signed_in.id, min(staged.timestamp::timestamptz) FROM staged
JOIN recommendations_customer signed_in ON signed_in.pseudonym = decode(staged.user_id, 'hex')
JOIN recommendations_customer unnamed ON unnamed.pseudonym = decode(staged.anonymous_id, 'hex')
WHERE {knowable}
GROUP BY 1, 2
""")
EVERYBODY: LiteralString = "true"
"""Condition over the rows whose customers may be known, in a file that says nothing of it."""
# Who does not want to be known, or is an id that is blocked, is counted: nothing is kept that could join one act to
# another. Who does not want to be measured did not act because of an answer.
READY = sql.SQL("""
INSERT INTO ready_event (
  occurred_at, event_id, line, name, customer_id, item_id, quantity, price, amount, rating, rating_scale, search_term,
  transaction_id, session_id, recommendation_id, position, target_type, target_id, progress)
SELECT occurred_at, {event_id}, {line}, called,
  CASE WHEN NOT unnamed THEN customer_id END, item_id, quantity,
  coalesce(price, round(amount / coalesce(quantity, 1), 2)),
  coalesce(amount, round(price * coalesce(quantity, 1), 2)), rating, rating_scale,
  search_term, CASE WHEN NOT unnamed THEN transaction_id WHEN transaction_id IS NOT NULL THEN ({event_id})::text END,
  CASE WHEN customer_id IS NOT NULL AND NOT unnamed THEN session_id END,
  CASE WHEN NOT unnamed AND measure IS NOT FALSE THEN recommendation_id END, position, target_type, target_id, progress
FROM (
  SELECT staged.timestamp::timestamptz AS occurred_at,
    CASE WHEN pg_input_is_valid(staged.event_id, 'uuid') THEN staged.event_id::uuid ELSE {text_id} END AS event_id,
    trunc(staged.line::numeric)::smallint AS line, known.called, customer.id AS customer_id,
    customer.measure, coalesce(staged.user_id, staged.anonymous_id) IS NOT NULL
      AND NOT coalesce(customer.personalise AND {knowable}, false) AS unnamed,
    item.id AS item_id,
    round(staged.quantity::numeric, 3)::numeric(10, 3) AS quantity,
    round(staged.price::numeric, 2) AS price, round(staged.amount::numeric, 2) AS amount,
    staged.rating::numeric::float AS rating, staged.rating_scale::numeric::float AS rating_scale, staged.search_term,
    staged.transaction_id, staged.session_id, staged.recommendation_id,
    trunc(staged.position::numeric)::smallint AS position, staged.target_type, staged.target_id,
    staged.progress::numeric::float AS progress,
    coalesce(staged.user_id, staged.anonymous_id) AS hash, staged.item_id AS shop_id
  FROM staged {joins}
  LEFT JOIN recommendations_customer customer
    ON customer.pseudonym = decode(coalesce(staged.user_id, staged.anonymous_id), 'hex')
) typed
""")
# RFC 9562 version 8: the first 128 bits of SHA-256 over all that makes the row; what newer versions added only where it
# is given, and people as under the first key, so that a file of before makes the ids of before.
MADE_ID = sql.SQL("""overlay(overlay(encode(substr(sha256(convert_to((jsonb_build_array(
  extract(epoch FROM occurred_at), called, {hash}, session_id, shop_id, trim_scale(quantity), price, amount, rating,
  rating_scale, search_term, transaction_id, recommendation_id, position, target_type, {target}
) || CASE WHEN progress IS NULL THEN '[]' ELSE to_jsonb(progress) END)::text,
'UTF8')), 1, 16), 'hex') PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid""")
ONE_LINE = sql.SQL("0")
# Lines of one event are told apart by what stands in them, so that a row that stands there twice is one line.
NUMBERED = sql.SQL("""CASE WHEN event_id IS NULL THEN 0 ELSE dense_rank() OVER (
  PARTITION BY occurred_at, event_id ORDER BY called, shop_id, quantity, price, amount, position, {hash}) - 1 END""")
# Refused lines hold their places, or the others would be numbered anew when the file comes again with all items there.
HOLD_PLACES = """
WITH held AS (
  SELECT file_line, given FROM refused WHERE given ? 'event_id' AND fault NOT LIKE 'event_id:%%'
), lines AS (
  SELECT file_line, given ->> 'event_id' AS event_id, given ->> 'timestamp' AS timestamp, given ->> 'name' AS name,
    given ->> 'item_id' AS item_id, given ->> 'quantity' AS quantity, given ->> 'price' AS price,
    given ->> 'amount' AS amount, given ->> 'position' AS position
  FROM held
  UNION ALL SELECT file_line, event_id, timestamp, name, item_id, quantity, price, amount, position
  FROM staged WHERE event_id IN (SELECT given ->> 'event_id' FROM held)
)
UPDATE staged SET line = numbered.place FROM (
  SELECT file_line, dense_rank() OVER (
    PARTITION BY timestamp, event_id ORDER BY name, item_id, quantity, price, amount, position) - 1 AS place
  FROM lines
) numbered WHERE numbered.file_line = staged.file_line AND staged.line IS NULL
"""
CROWDED = """
UPDATE staged SET fault = 'event_id:too_many_lines' FROM (
  SELECT file_line, row_number() OVER (PARTITION BY event_id, timestamp ORDER BY file_line) AS place FROM staged
  WHERE event_id IN (SELECT event_id FROM staged GROUP BY event_id HAVING count(*) > %(most)s)
) numbered WHERE place > %(most)s AND numbered.file_line = staged.file_line AND fault IS NULL
"""
# Seconds, milli-, micro- or nanoseconds since 1970; a time as people write it has a sign after the year.
EPOCHS = """
UPDATE staged SET timestamp = to_char(to_timestamp(number / (CASE
    WHEN number < 1e11 THEN 1 WHEN number < 1e14 THEN 1e3 WHEN number < 1e17 THEN 1e6 ELSE 1e9 END)) AT TIME ZONE 'UTC',
  'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
FROM (
  SELECT file_line AS place, timestamp::numeric AS number FROM staged
  WHERE translate(left(timestamp, 5), '0123456789', '') = '' AND timestamp ~ '^\\d{5,19}(\\.\\d{1,9})?$'
) epoch WHERE epoch.place = staged.file_line
"""
LEAVE_OUT = sql.SQL("""
WITH gone AS (DELETE FROM staged WHERE fault IS NULL AND name = ANY({names}) RETURNING name)
SELECT name, count(*) FROM gone GROUP BY name ORDER BY count(*) DESC, name
""").format(names=sql.Literal([name for names in UNUSED.values() for name in names]))


class RuleValues(TypedDict):
    """What the rules hold rows against beside the catalogue: the shop's currency, and times."""

    currency: str
    latest: datetime
    earliest: datetime
    kept_from: datetime
    closed: list[datetime]
    after_closed: datetime


_KEPT = (RetentionKind.EVENTS, RetentionKind.EVENT_FILES)


def rule_values(*, currency: str, now: datetime) -> RuleValues:
    """Values that the rules go by; ``closed``: months that are in files, to which nothing is added."""
    archived = archived_files()
    return {
        "currency": currency, "latest": now + fields.AHEAD, "earliest": fields.EARLIEST,
        "kept_from": events_kept_from(now=now, kind=RetentionKind.EVENT_FILES) or fields.EARLIEST,
        "closed": [file.month for file in archived],
        "after_closed": archived[-1].end if archived else fields.EARLIEST,
    }  # fmt: skip


def expiry_text(months: Iterable[Month], *, now: datetime) -> str:
    """What becomes of lines that were taken and are older than events are kept, as in a first file; "" for none."""
    told, limits = list(months), [events_kept_from(now=now, kind=kind) for kind in _KEPT]
    older, gone = (sum(each.lines for each in told if at and month_after(each.start) <= at) for at in limits)
    move = _(
        "Events that are older than the database keeps them: %(count)s. They move into files with the next night, from "
        "which models learn (Privacy → Retention)."
    )
    go = _(
        "Events that are older than they are kept: %(count)s. They go with the next night, unless a longer rule is set "
        "before (Privacy → Retention)."
    )
    counts = ((move, older - gone), (go, gone))
    return " ".join(text % {"count": f"{count:,}"} for text, count in counts if count)


def mergers(*, knowable: LiteralString = EVERYBODY) -> sql.Composable:
    """Query for visitors and the customers that they turned out to be."""
    return MERGERS.format(knowable=sql.SQL(knowable))


def ready_statement(header: Header, *, layers: int = 1, knowable: LiteralString = EVERYBODY) -> sql.Composable:
    """Statement from the stage to ready lines; ids and line numbers are made where the file has none.

    ``layers`` is the generation of the hashes in the stage.
    """
    people: dict[str, sql.Composable] = {"hash": sql.Identifier("hash"), "target": sql.Identifier("target_id")}
    if layers > 1:
        people = {name: first_of(sql.SQL("typed.{}").format(column)) for name, column in people.items()}
    line = sql.SQL("coalesce(line, {})")
    otherwise = NUMBERED.format(**people) if "event_id" in header.places else ONE_LINE
    event_id = sql.SQL("coalesce(event_id, {})").format(MADE_ID.format(**people))
    text_id = made_of(sql.SQL("staged.event_id"))
    parts = {"joins": JOINS, "event_id": event_id, "text_id": text_id, "line": line.format(otherwise)}
    return READY.format(**parts, knowable=sql.SQL(knowable))
