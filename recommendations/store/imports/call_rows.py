"""Rows of a file of another system's calls: those of an event file, and what calls say of people beside their acts."""

from dataclasses import replace
from datetime import datetime
from typing import LiteralString

from django.db import transaction
from django.utils.translation import gettext as _
from psycopg import sql

from recommendations.event_types import NAMES, EventName
from recommendations.fields import MOST_LINES
from recommendations.privacy_terms import PurposeState, WordSource
from recommendations.store.events.orders import bought_in
from recommendations.store.events.purpose_words import Consent, note_consent
from recommendations.store.imports import event_rows
from recommendations.store.imports.row_checks import RowCheck, all_broken
from recommendations.store.live import writes
from recommendations.store.live.writes import told_of_words
from recommendations.store.temp_tables import rows, run

PARTS, EACH = 20, 256  # bits of a row's number that are its place in its line, and numbers that a call may have
YES = "yes"
FORM = replace(event_rows.FORM, known=[*event_rows.FORM.known, "person", "objects"], parts=PARTS)
"""``person``: the call tells of no act; ``objects``: who acted objects to personalisation."""
NOBODY: LiteralString = "user_id IS NULL AND anonymous_id IS NULL AND objects IS NULL"
VERDICT = all_broken(
    RowCheck(rule.field, rule.code, NOBODY) if rule.code == "nobody" else rule for rule in event_rows.RULES
)


def _written(name: EventName) -> list[str]:
    """What an event may be called that is one of this name."""
    return [written for written, called in NAMES.items() if called is name]


WHOLE = sql.SQL(
    "staged.name = ANY({}) AND staged.item_id IS NULL AND staged.transaction_id IS NOT NULL AND staged.fault IS NULL"
).format(sql.Literal(_written(EventName.REFUND)))
"""Condition of refunds that tell of an order by its number alone."""
# Who objects in a call is nobody in its event, and not joined by it.
KNOWABLE: LiteralString = "objects IS NULL"
OBJECTIONS = """
SELECT customer.id, least(max(said.at), %(now)s) FROM (
  SELECT unnest(ARRAY[user_id, anonymous_id]) AS hash, timestamp::timestamptz AS at FROM staged
  WHERE objects IS NOT NULL
) said JOIN recommendations_customer customer ON customer.pseudonym = decode(said.hash, 'hex')
GROUP BY customer.id
"""
# Lines of an order that is there more than once are those of its first event.
ORDERED = sql.SQL("""
SELECT transaction_id, item_id, quantity, price FROM (
  SELECT DISTINCT transaction_id, item_id, quantity, price, line::int AS line, event_id,
    first_value(event_id) OVER (PARTITION BY transaction_id ORDER BY timestamp, event_id) AS first
  FROM staged WHERE name = ANY({purchase}) AND item_id IS NOT NULL AND fault IS NULL
    AND transaction_id IN (SELECT transaction_id FROM staged WHERE {whole})
) ordered WHERE event_id = first ORDER BY transaction_id, line
""").format(purchase=sql.Literal(_written(EventName.PURCHASE)), whole=WHOLE)
UNKNOWN = sql.SQL(
    "SELECT DISTINCT transaction_id FROM staged WHERE {whole} AND transaction_id <> ALL(%(known)s::text[])"
)
FILL = sql.SQL("""
INSERT INTO staged (file_line, {columns}, line, item_id, quantity, price)
SELECT staged.file_line + bought.place, {staged}, (bought.place - 1)::text,
  bought.item_id, bought.quantity, bought.price
FROM staged JOIN (
  SELECT *, row_number() OVER (PARTITION BY transaction_id ORDER BY at) AS place
  FROM unnest(%(orders)s::text[], %(items)s::text[], %(quantities)s::text[], %(prices)s::text[])
    WITH ORDINALITY AS item(transaction_id, item_id, quantity, price, at)
) bought USING (transaction_id)
WHERE {whole} AND bought.place <= %(most)s
""")
EMPTY = sql.SQL("DELETE FROM staged WHERE {whole} AND transaction_id = ANY(%(orders)s::text[])").format(whole=WHOLE)


def fill_refunds() -> int:
    """Give refunds of whole orders the items of these, from the file or from the record; how many rows more it is."""
    ordered = [(order, item, quantity, price) for order, item, quantity, price in rows(ORDERED)]
    known = [order for order, *_item in ordered]
    if others := [order for (order,) in rows(UNKNOWN.format(whole=WHOLE), known=known)]:
        ordered += [(one.transaction, one.shop_id, one.quantity, one.price) for one in bought_in(others)]
    if not ordered:
        return 0
    orders, items, quantities, prices = ([*map(_text, column)] for column in zip(*ordered, strict=True))
    same = [name for name in FORM.known if name not in {"line", "item_id", "quantity", "price", "amount"}]
    parts = {
        "columns": sql.SQL(", ").join(map(sql.Identifier, same)),
        "staged": sql.SQL(", ").join(sql.Identifier("staged", name) for name in same),
        "whole": WHOLE,
    }
    values = {"orders": orders, "items": items, "quantities": quantities, "prices": prices, "most": MOST_LINES}
    added = run(FILL.format(**parts), **values)
    return added - run(EMPTY, orders=orders)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def take_people(*, now: datetime) -> int:
    """Note who objects to personalisation, and remove the rows that tell of no act; how many those were."""
    said = [Consent(key, PurposeState.REFUSED, at, source=WordSource.IMPORT) for key, at in rows(OBJECTIONS, now=now)]
    permitted = note_consent(said)
    transaction.on_commit(lambda: writes.remember(told_of_words(permitted)))
    return run("DELETE FROM staged WHERE person IS NOT NULL")


def people_text(count: int) -> str:
    """What became of calls that tell of no act; "" where there were none."""
    if not count:
        return ""
    text = _(
        "Calls that only say who somebody is: %(count)s. Their ids are joined; what people are like comes in with "
        "manage.py import_customers."
    )
    return text % {"count": f"{count:,}"}
