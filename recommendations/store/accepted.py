"""Accepted events into the record: one statement a request, each line once, committed when it returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import IntegrityError, connection
from psycopg import errors

from recommendations.store.attribution import NOTED
from recommendations.store.partitions import prepare_partitions


class Line(NamedTuple):
    """A row of ``Event``, without what the database adds."""

    occurred_at: datetime
    event_id: UUID
    line: int
    name: str  # of an EventName
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
WITH new AS (
  INSERT INTO recommendations_event ({", ".join(_NAMES)})
  SELECT {", ".join(_KEPT.get(name, f"line.{name}") for name in _NAMES)}
  FROM unnest({", ".join(f"%b::{kind}[]" for kind in _TYPES)}) AS line({", ".join(_NAMES)})
  LEFT JOIN recommendations_customer customer ON customer.id = line.customer_id
  ON CONFLICT DO NOTHING
  RETURNING occurred_at, event_id, line, customer_id, name, recommendation_id
), due AS (
  INSERT INTO recommendations_dueline (occurred_at, event_id, line)
  SELECT occurred_at, event_id, line FROM new WHERE {NOTED}
)
SELECT occurred_at, event_id, line, coalesce(alias.customer_id, new.customer_id)
FROM new LEFT JOIN recommendations_customeralias alias
  ON alias.anonymous_id = new.customer_id AND alias.undone_at IS NULL
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


def insert(lines: Sequence[Line]) -> dict[int, int | None]:
    """Which of the lines, by their number here, are new, and of whom the next answers may know: None for nobody.

    Somebody is the customer whom an anonymous key was merged into; who objects is nobody. Of two lines with the same
    key the first counts.
    """
    if not lines:
        return {}
    numbers: dict[tuple[Any, ...], int] = {}
    for number, line in enumerate(lines):
        numbers.setdefault(line[:3], number)
    # In one order: two requests with the same events never lock crosswise.
    ordered = [lines[number] for number in sorted(numbers.values(), key=lambda number: _order(lines[number]))]
    columns = [_column(values) for values in zip(*ordered, strict=True)]
    try:
        rows = run(_INSERT, columns)
    except IntegrityError as error:
        if not isinstance(error.__cause__, errors.CheckViolation):
            raise
        times = [line.occurred_at for line in ordered]
        prepare_partitions(min(times), max(times))
        rows = run(_INSERT, columns)
    return {numbers[row[:3]]: row[3] for row in rows}


def note_consent(words: Sequence[Consent]) -> dict[int, bool]:
    """Keep what customers said; every key that changed or objected again, and whether it may be personalised.

    Nearly every word is an agreement of somebody who has never objected, which changes nothing.
    """
    agreed = [word.customer for word in words if word.personalise]
    objecting = {key for (key,) in run(_OBJECTING, [agreed])} if agreed else set()
    due = [word for word in words if not word.personalise or word.customer in objecting]
    columns = [[word.customer for word in due], [word.personalise for word in due], [word.at for word in due]]
    return dict(run(_CONSENT, columns)) if due else {}


def _order(line: Line) -> tuple[int, datetime, int]:
    return line.event_id.int, line.occurred_at, line.line


def _column(values: tuple[Any, ...]) -> list[Any] | None:
    """A column without any value is sent as one NULL; ``unnest`` fills it up."""
    return None if values.count(None) == len(values) else list(values)


def run(statement: str, values: Sequence[Any]) -> list[Any]:
    """What it returns, on a cursor that sends values apart from the statement, which the server then keeps prepared."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), values, prepare=True, binary=True)
        return cursor.fetchall()
