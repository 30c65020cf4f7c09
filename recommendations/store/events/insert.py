"""Insertion of accepted events: one statement a request, each line once, committed when it returns."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from django.db import IntegrityError, OperationalError, connection
from psycopg import errors
from psycopg_pool import PoolTimeout

from recommendations.event_types import TRADES, EventName
from recommendations.store.attribution.statements import NOTED
from recommendations.store.events.partitions import months_gone, prepare_partitions
from recommendations.store.live.valkey import Breaker
from recommendations.store.process_held import at_drop
from recommendations.terms import Trust

_record = Breaker("postgresql", pause=0.5)
at_drop(_record.close)


class EventPlace(msgspec.Struct, omit_defaults=True, gc=False):
    """Where an event happened, and what the whole of it was worth."""

    channel: str | None = None
    locale: str | None = None
    source: str | None = None
    page: str | None = None
    value: Decimal | None = None


class EventLine(msgspec.Struct, omit_defaults=True, gc=False):
    """A row of ``Event``, without what the database adds."""

    occurred_at: datetime
    event_id: UUID
    line: int
    name: str  # of an EventName
    customer_id: int | None = None
    item_id: int | None = None
    quantity: float | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    rating: float | None = None
    rating_scale: float | None = None
    search_term: str | None = None
    transaction_id: str | None = None
    session_id: str | None = None
    recommendation_id: str | None = None
    position: int | None = None
    target_type: str | None = None
    target_id: str | None = None
    source: str | None = None
    attributes: EventPlace | None = None
    trust: int = Trust.SERVER
    progress: float | None = None


class Inserted(NamedTuple):
    """What became of lines, by their numbers.

    ``new``: whom the next answers may know of, None for nobody; ``erased``: those of an id that was erased after they
    happened, which are not kept.
    """

    new: dict[int, int | None]
    erased: frozenset[int] = frozenset()


@contextmanager
def reachable() -> Iterator[None]:
    """Refuse at once what would wait for a PostgreSQL that gave no connection a moment ago.

    Who waits holds a thread that recommendations need. Raises OperationalError.
    """
    if not _record:
        raise OperationalError("PostgreSQL gave no connection a moment ago")
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, PoolTimeout):
            _record.trip(error)
        raise


_TYPES = (
    *("timestamptz", "uuid", "smallint", "text", "bigint", "bigint", "numeric", "numeric", "numeric"),
    *("double precision", "double precision", "text", "text", "text", "text", "smallint", "text", "text"),
    *("text", "jsonb", "smallint", "double precision"),
)
_NAMES = EventLine.__struct_fields__
# Who does not want to be known is counted: of their act nothing is kept that could be joined to another, and a purchase
# has the event's id for an order. So it is where a process that has not heard yet of an erasure sends the key of
# somebody who is gone. Who does not want to be measured did not act because of an answer.
GONE = "sent.customer_id IS NOT NULL AND (customer.id IS NULL OR customer.erased_at IS NOT NULL)"
UNNAMED = f"({GONE} OR customer.personalise IS FALSE)"
ERASED = "coalesce(sent.occurred_at < customer.not_before, false)"
_TRADED = ", ".join(f"'{name}'" for name in TRADES)
_KEPT = {
    "customer_id": "CASE WHEN NOT unnamed THEN customer_id END",
    "session_id": "CASE WHEN NOT unnamed THEN session_id END",
    "transaction_id": f"CASE WHEN NOT unnamed THEN transaction_id WHEN name IN ({_TRADED}) THEN event_id::text END",
    "recommendation_id": "CASE WHEN NOT unnamed AND measure IS NOT FALSE THEN recommendation_id END",
    "attributes": "CASE WHEN unnamed THEN nullif(attributes - 'page', '{}') ELSE attributes END",
    "trust": f"coalesce(trust, {Trust.SERVER})",
}
# Lines go in one order: two requests with the same events never lock crosswise. Of two with the same key the first
# counts. One JSON text costs a web process an eighth of what arrays of the columns do.
_INSERT = f"""
WITH line AS MATERIALIZED (
  SELECT DISTINCT ON (event_id, occurred_at, line) sent.*, customer.measure, {UNNAMED} AS unnamed, {ERASED} AS erased
  FROM ROWS FROM (
    json_to_recordset(%t::json) AS ({", ".join(f"{name} {kind}" for name, kind in zip(_NAMES, _TYPES, strict=True))})
  ) WITH ORDINALITY AS sent({", ".join(_NAMES)}, number)
  LEFT JOIN recommendations_customer customer ON customer.id = sent.customer_id
  ORDER BY event_id, occurred_at, line, number
), new AS (
  INSERT INTO recommendations_event ({", ".join(_NAMES)}, key_id)
  SELECT {", ".join(_KEPT.get(name, name) for name in _NAMES)}, %b::integer FROM line
  WHERE NOT erased
  ON CONFLICT DO NOTHING
  RETURNING occurred_at, event_id, line, customer_id, name, recommendation_id
), due AS (
  INSERT INTO recommendations_dueline (occurred_at, event_id, line)
  SELECT occurred_at, event_id, line FROM new WHERE {NOTED}
)
SELECT line.number - 1, coalesce(alias.customer_id, new.customer_id), false
FROM new JOIN line USING (occurred_at, event_id, line) LEFT JOIN recommendations_customeralias alias
  ON alias.anonymous_id = new.customer_id AND alias.undone_at IS NULL
UNION ALL SELECT number - 1, NULL, true FROM line WHERE erased
"""  # noqa: S608 - names and types of our own
_BUYERS = f"""
SELECT transaction_id, (array_agg(customer_id ORDER BY trust DESC, received_at)
  FILTER (WHERE customer_id IS NOT NULL AND trust >= {Trust.SERVER}))[1]
FROM recommendations_event event
WHERE transaction_id = ANY(%b::text[]) AND name = '{EventName.PURCHASE}' AND NOT EXISTS (
  SELECT FROM recommendations_customer WHERE id = event.customer_id AND NOT personalise)
GROUP BY transaction_id
"""  # noqa: S608 - words of our own
_TAKEN_SINCE = """
SELECT id, not_before FROM recommendations_customer WHERE erased_at IS NULL AND id = ANY(%b::bigint[])
"""
# A shop that repeats an order with a new clock says the same again; of who is not known, the order has the event's id.
_TOLD = """
SELECT sent.number - 1 FROM unnest(%b::text[], %b::uuid[], %b::smallint[], %b::timestamptz[])
  WITH ORDINALITY AS sent(transaction_id, event_id, line, at, number)
WHERE EXISTS (
  SELECT FROM recommendations_event told
  WHERE told.transaction_id = ANY(ARRAY[sent.transaction_id, sent.event_id::text])
    AND told.event_id = sent.event_id AND told.line = sent.line
    AND told.occurred_at BETWEEN sent.at - interval '30 days' AND sent.at + interval '30 days'
    AND told.occurred_at <> sent.at)
"""


def insert(lines: Sequence[EventLine], *, key: int | None) -> Inserted:
    """Insert event lines.

    ``key`` is the API key that they came with. An anonymous key is the customer whom it was merged into; who objects is
    nobody. Of two lines with the same key the first counts; a line of a transaction that is there under the same
    ``event_id`` within a month is no new one, whatever its time.
    """
    trades = [number for number, line in enumerate(lines) if line.transaction_id is not None and line.name in TRADES]
    if not trades or not (again := _told_again(lines, trades)):
        return _insert(lines, key=key)
    rest = [number for number in range(len(lines)) if number not in again]
    inserted = _insert([lines[number] for number in rest], key=key)
    new = {rest[number]: whose for number, whose in inserted.new.items()}
    return Inserted(new, frozenset(rest[number] for number in inserted.erased))


def _told_again(lines: Sequence[EventLine], trades: Sequence[int]) -> set[int]:
    chosen = [lines[number] for number in trades]
    names = ("transaction_id", "event_id", "line", "occurred_at")
    return {trades[place] for (place,) in run(_TOLD, [[getattr(line, name) for line in chosen] for name in names])}


def _insert(lines: Sequence[EventLine], *, key: int | None) -> Inserted:
    if not lines:
        return Inserted({})
    values = [msgspec.json.encode(lines).decode(), key]
    try:
        rows = run(_INSERT, values)
    except IntegrityError as error:
        if not isinstance(error.__cause__, errors.CheckViolation):
            raise
        return _insert_where_months_are(lines, key=key)
    return _inserted(rows)


def _insert_where_months_are(lines: Sequence[EventLine], *, key: int | None) -> Inserted:
    """Insert lines once their months are made; those of months that were dropped are not new, and nothing else."""
    times = [line.occurred_at for line in lines]
    prepare_partitions(min(times), max(times), tables=("recommendations_event",))
    gone = months_gone(times)
    places = [place for place, at in enumerate(times) if at not in gone]
    if not places:
        return Inserted({})
    kept = _inserted(run(_INSERT, [msgspec.json.encode([lines[place] for place in places]).decode(), key]))
    new = {places[number]: whose for number, whose in kept.new.items()}
    return Inserted(new, frozenset(places[number] for number in kept.erased))


def _inserted(rows: Sequence[Any]) -> Inserted:
    new = {number: whose for number, whose, erased in rows if not erased}
    if len(new) == len(rows):
        return Inserted(new)
    return Inserted(new, frozenset(number for number, _whose, erased in rows if erased))


def buyers_of(transactions: Collection[str]) -> dict[str, int | None]:
    """Transaction → the key that it was bought under, as the best source tells; None where nobody's name was told.

    Transactions that are not there, and of who does not want to be known, are missing.
    """
    return dict(run(_BUYERS, [list(transactions)]))


def taken_since(customers: Collection[int]) -> dict[int, datetime | None]:
    """The moments from which on acts of these count, None for always; who was erased is not among them."""
    return dict(run(_TAKEN_SINCE, [list(customers)])) if customers else {}


def run(statement: str, values: Sequence[Any]) -> list[Any]:
    """Rows of a statement, on a cursor that sends values apart from it, so that the server keeps it prepared."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), values, prepare=True, binary=True)
        return cursor.fetchall()
