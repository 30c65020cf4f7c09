"""Accepted events into the record: one statement a request, each line once, committed when it returns."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import IntegrityError, connection
from psycopg import errors

from recommendations.store.attribution import NOTED
from recommendations.store.lookups import KeyCache
from recommendations.store.partitions import prepare_partitions
from recommendations.terms import EventName


class LineKey(NamedTuple):
    occurred_at: datetime
    event_id: UUID
    line: int


class Line(NamedTuple):
    """A row of ``Event``, without what the database adds."""

    occurred_at: datetime
    event_id: UUID
    line: int
    name: EventName
    customer_id: int | None
    item_id: int | None
    quantity: int | None
    price: Decimal | None
    amount: Decimal | None
    rating: float | None
    rating_scale: float | None
    search_term: str | None
    transaction_id: str | None
    session_id: str | None
    recommendation_id: str | None
    position: int | None
    target_type: str | None
    target_id: str | None
    source: str
    attributes: str | None


@dataclass(frozen=True)
class Consent:
    """What a customer said about personalisation, and when."""

    customer: int
    personalise: bool
    at: datetime


@dataclass(frozen=True)
class Merger:
    """An anonymous key and the signed-in customer that it was seen with."""

    anonymous: int
    customer: int
    since: datetime


_TYPES = (
    *("timestamptz", "uuid", "smallint", "text", "bigint", "bigint", "integer", "numeric", "numeric"),
    *("double precision", "double precision", "text", "text", "text", "text", "smallint", "text", "text"),
    *("text", "text"),
)
_NAMES = Line._fields
# Who has objected to personalisation is counted and not known: neither the customer's key nor the session is kept.
_KEPT = {
    "customer_id": "CASE WHEN customer.personalise THEN line.customer_id END",
    "session_id": "CASE WHEN line.customer_id IS NULL OR customer.personalise THEN line.session_id END",
    "attributes": "line.attributes::jsonb",
}
_INSERT = f"""
WITH kept AS (
  INSERT INTO recommendations_event ({", ".join(_NAMES)})
  SELECT {", ".join(_KEPT.get(name, f"line.{name}") for name in _NAMES)}
  FROM unnest({", ".join(f"%b::{kind}[]" for kind in _TYPES)}) AS line({", ".join(_NAMES)})
  LEFT JOIN recommendations_customer customer ON customer.id = line.customer_id
  ON CONFLICT DO NOTHING
  RETURNING occurred_at, event_id, line, customer_id, name, recommendation_id
), due AS (
  INSERT INTO recommendations_dueline (occurred_at, event_id, line)
  SELECT occurred_at, event_id, line FROM kept WHERE {NOTED}
)
SELECT occurred_at, event_id, line, customer_id FROM kept
"""  # noqa: S608 - names and types of our own
# Somebody is all the keys that were merged into one. A word counts where it is the newest; an objection is always dated
# anew, so that an older agreement that comes late does not undo it.
_CONSENT = """
WITH word AS (
  SELECT * FROM unnest(%b::bigint[], %b::boolean[], %b::timestamptz[]) AS word(customer, personalise, at)
), person AS (
  SELECT coalesce(alias.customer_id, word.customer) AS id, personalise, at
  FROM word LEFT JOIN recommendations_customeralias alias
    ON alias.anonymous_id = word.customer AND alias.undone_at IS NULL
), said AS (
  SELECT customer AS id, personalise, at FROM word
  UNION ALL SELECT * FROM person
  UNION ALL SELECT alias.anonymous_id, personalise, at
  FROM person JOIN recommendations_customeralias alias ON alias.customer_id = person.id AND alias.undone_at IS NULL
), newest AS (
  SELECT DISTINCT ON (id) id, personalise, at FROM said ORDER BY id, at DESC, personalise
), due AS (
  SELECT id, newest.personalise, newest.at FROM newest JOIN recommendations_customer customer USING (id)
  WHERE (consent_at IS NULL OR consent_at < newest.at)
    AND (customer.personalise <> newest.personalise OR NOT newest.personalise)
  ORDER BY id FOR UPDATE OF customer
)
UPDATE recommendations_customer customer SET personalise = due.personalise, consent_at = due.at
FROM due WHERE customer.id = due.id
RETURNING customer.id, customer.personalise
"""
_OBJECTING = "SELECT id FROM recommendations_customer WHERE NOT personalise AND id = ANY(%b::bigint[])"
_MERGED = """
SELECT anonymous_id, customer_id FROM recommendations_customeralias
WHERE (anonymous_id, customer_id) IN (SELECT * FROM unnest(%b::bigint[], %b::bigint[]))
"""
_MERGE = """
INSERT INTO recommendations_customeralias (anonymous_id, customer_id, since, source)
SELECT anonymous, customer, since, %s
FROM unnest(%b::bigint[], %b::bigint[], %b::timestamptz[]) AS pair(anonymous, customer, since)
JOIN recommendations_customer known ON known.id = customer AND known.personalise
JOIN recommendations_customer unnamed ON unnamed.id = anonymous AND unnamed.personalise
WHERE NOT EXISTS (
  SELECT FROM recommendations_customeralias WHERE anonymous_id = pair.anonymous AND customer_id = pair.customer)
ORDER BY anonymous
ON CONFLICT DO NOTHING
"""
# What either key did may count for another slate now that they are one person.
_NOTE_MERGED = f"""
INSERT INTO recommendations_dueline (occurred_at, event_id, line)
SELECT occurred_at, event_id, line FROM recommendations_event WHERE customer_id = ANY(%b::bigint[]) AND {NOTED}
"""  # noqa: S608 - a condition of our own


def insert(lines: Sequence[Line]) -> dict[LineKey, int | None]:
    """The lines that are new, and under which customer they are kept: None for somebody who objects.

    Of two lines with the same key the first counts.
    """
    ordered = sorted({line[:3]: line for line in reversed(lines)}.values(), key=itemgetter(0, 1, 2))
    columns = [_column(values) for values in zip(*ordered, strict=True)]
    try:
        rows = _run(_INSERT, columns)
    except IntegrityError as error:
        if not isinstance(error.__cause__, errors.CheckViolation):
            raise
        prepare_partitions(ordered[0].occurred_at, ordered[-1].occurred_at)
        rows = _run(_INSERT, columns)
    return {LineKey(*row[:3]): row[3] for row in rows}


def note_consent(words: Sequence[Consent]) -> dict[int, bool]:
    """Keep what customers said; every key that changed or objected again, and whether it may be personalised.

    Nearly every word is an agreement of somebody who has never objected, which changes nothing.
    """
    agreed = [word.customer for word in words if word.personalise]
    objecting = {key for (key,) in _run(_OBJECTING, [agreed])} if agreed else set()
    due = [word for word in words if not word.personalise or word.customer in objecting]
    columns = [[word.customer for word in due], [word.personalise for word in due], [word.at for word in due]]
    return dict(_run(_CONSENT, columns)) if due else {}


def merge(mergers: Sequence[Merger], *, source: str) -> None:
    """Join anonymous keys to customers, unless the two were joined before: a merger that staff undid stays undone."""
    known = _merged().keys_of({(pair.anonymous, pair.customer) for pair in mergers}) if mergers else {}
    new = [pair for pair in mergers if (pair.anonymous, pair.customer) not in known]
    columns = [[pair.anonymous for pair in new], [pair.customer for pair in new], [pair.since for pair in new]]
    if new:
        _run(_MERGE, [source, *columns], returns=False)
        _run(_NOTE_MERGED, [columns[0]], returns=False)


@cache
def _merged() -> KeyCache[tuple[int, int]]:
    """The pairs of keys that were joined at any time."""
    return KeyCache(_look_up_merged)


def _look_up_merged(pairs: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], int]:
    columns = [[anonymous for anonymous, _ in pairs], [customer for _, customer in pairs]]
    return {(anonymous, customer): customer for anonymous, customer in _run(_MERGED, columns)}


def forget() -> None:
    """Hold nothing, as a new process does."""
    _merged.cache_clear()


def _column(values: tuple[Any, ...]) -> list[Any] | None:
    """A column without any value is sent as one NULL; ``unnest`` fills it up."""
    return None if values.count(None) == len(values) else list(values)


def _run(statement: str, values: Sequence[Any], *, returns: bool = True) -> list[Any]:
    """On a cursor that sends values apart from the statement, which the server then keeps prepared."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), values, prepare=True, binary=True)
        return cursor.fetchall() if returns else []
