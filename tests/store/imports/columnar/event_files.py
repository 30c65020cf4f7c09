"""Event files for trying the columns' way: rows of all kinds, and what an import made of them."""

import csv
import io
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from recommendations.models import Customer, CustomerAlias, Import, Item, RejectedRow
from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.imports import event_import, event_rows
from recommendations.store.temp_tables import Report, rows, silent

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
COLUMNS = [name for name in event_rows.FORM.known if name != "line"]
ITEMS = [f"{letter}{number}" for letter in "Aa-é" for number in range(12)]
HOSTILE = [
    "", " ", "NaN", "-Infinity", "1e3", "1e999", "1e-999", "1_000", "0x1F", "-0", "+1", "-1", "9" * 40,
    "9999999999.994", "9999999999.99", "2147483648", "32768", "32767", "1.5", ".5", "5.", "0", "00", "0.0005",
    "1000001", "1.0000001", "0001-01-01T00:00:00Z", "294277-01-01T00:00:00Z", "2026-08-01T24:00:00Z",
    "2026-02-30T12:00:00Z", "2026-06-30T23:59:60Z", "2026-08-01T12:00:00 +05:30", "2026-08-01T12:00:00+15:59",
    "2026-08-01 12:00:00.5Z", "2026-08-01", "infinity", "now", "1785585600", "1785585600123", "17855856001",
    "1785585600123456", "178558560012.5", "too long", "USD", "EUR", "x" * 65, "x" * 129, "x" * 513, "\ufeff",
    "\x7f\x01", "\u200b", "𝄞\u202e", "'=1",
    "11111111-1111-4111-8111-111111111111", "{11111111111141118111111111111111}",
    "11111111111141118111111111111111", "11111111-1111-4111-8111-11111111111",
    "AAAAAAAA-1111-4111-8111-11111111111A", "event 7", 'a "quoted" one',
    "view_item", "Product Viewed", "page_view", "purchase", "Purchase", "A1", "a1", "brand", "customer", "nobody",
]  # fmt: skip


class ImportMade(NamedTuple):
    """What an import made: its figures, and all that it left in the record."""

    figures: tuple[Any, ...]
    refused: list[tuple[Any, ...]]
    events: list[tuple[Any, ...]]
    due: list[tuple[Any, ...]]
    customers: list[tuple[Any, ...]]
    aliases: list[tuple[Any, ...]]


def open_shop() -> None:
    """Make items, and people who are not plain: who object, are not measured, were erased, are blocked."""
    Item.objects.bulk_create(Item(shop_id=shop_id, title=shop_id) for shop_id in ITEMS)
    for name, known in {"u1": {}, "u2": {"personalise": False}, "u3": {"measure": False}, "u4": {}, "u5": {}}.items():
        Customer.objects.create(pseudonym=pseudonym(name), kind="signed_in", **known)
    bury(subject_of("u4", []), mode=EraseMode.FORGET, now=datetime(2026, 6, 1, tzinfo=UTC))
    bury(subject_of("u5", []), mode=EraseMode.BLOCK, now=datetime(2026, 6, 1, tzinfo=UTC))


def sound(chance: random.Random) -> list[dict[str, str]]:
    """The rows of a sound event, one or several."""
    at = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(
        seconds=chance.randrange(120 * 86_400), milliseconds=chance.randrange(1000)
    )
    moment = chance.choice(
        [at.isoformat(), at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), str(int(at.timestamp()))]
    )
    ident = str(uuid.UUID(bytes=chance.randbytes(16), version=4))
    row = {"event_id": chance.choice([ident] * 8 + [ident.upper(), f"event {ident[:6]}", ""]), "timestamp": moment}
    row |= {
        "name": chance.choice(["view_item", "Product Viewed", "select_item", "add_to_cart", "purchase", "purchase"])
    }
    person = chance.randrange(40)
    if person % 3:
        row["user_id"] = f"u{person}"
    if person % 3 != 1:
        row["anonymous_id"] = f"a{person % 5}"
    row |= {"session_id": f"s{person}", "recommendation_id": chance.choice(["", "", "r1"])}
    if row["name"] == "view_item":
        return [row | {"item_id": chance.choice(ITEMS), "position": chance.choice(["", "3"])}]
    row |= {"transaction_id": f"t{ident[:4]}", "currency": chance.choice(["", "USD"])}
    return [row | worth(chance) | {"item_id": chance.choice(ITEMS)} for _ in range(chance.choice([1, 1, 2, 3, 5]))]


def worth(chance: random.Random) -> dict[str, str]:
    price = f"{chance.randrange(1, 9_000) / 100:.2f}"
    quantity = chance.choice(["", "1", "2", "3", "7", "0.333", "12.5"])
    return chance.choice([{"price": price, "quantity": quantity}, {"amount": price, "quantity": quantity}, {}])


def strange(chance: random.Random) -> list[dict[str, str]]:
    """The rows of an event of which something may be wrong."""
    made = sound(chance)
    for row in made[: chance.choice([1, len(made)])]:
        for name in chance.sample(COLUMNS, chance.choice([1, 1, 2])):
            row[name] = chance.choice(HOSTILE)
    return made


def rare(chance: random.Random) -> list[dict[str, str]]:
    """The rows of an event of a rarer kind."""
    row = sound(chance)[0] | {"item_id": chance.choice(ITEMS)}
    return chance.choice([
        [row | {"name": "rate_item", "rating": "4.5", "rating_scale": "5"}],
        [row | {"name": "play", "progress": "0.25"}],
        [row | {"name": "search", "search_term": "rød thé"}],
        [row | {"name": "follow", "target_type": "customer", "target_id": "u1"}],
        [row | {"name": "follow", "target_type": "brand", "target_id": "Acme"}],
        [row | {"name": "page_view"}],
        [row] * 3,
    ])  # fmt: skip


def crowded(chance: random.Random) -> list[dict[str, str]]:
    """The rows of an event with too many lines."""
    row = sound(chance)[0] | {"event_id": "22222222-1111-4111-8111-111111111111", "name": "view_item"}
    return [row | {"item_id": chance.choice(ITEMS), "position": str(number)} for number in range(230)]


def mixed(chance: random.Random, *, events: int, scattered: bool) -> list[dict[str, str]]:
    """Rows of all kinds in order of their events, or with some rows far from those of the same event."""
    kinds = [sound] * 12 + [strange] * 3 + [rare] * 2
    made = [row for _ in range(events) for row in chance.choice(kinds)(chance)] + crowded(chance)
    if scattered:
        for _ in range(len(made) // 20):
            made.insert(chance.randrange(len(made)), made.pop(chance.randrange(len(made))))
        made += [dict(chance.choice(made)) for _ in range(20)]
    return made


def write(path: Path, made: Sequence[dict[str, str]], columns: Sequence[str] = COLUMNS) -> Path:
    """Write a file of CSV, some rows with quotes."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(made)
    path.write_text(buffer.getvalue(), encoding="utf-8")
    return path


def load(path: Path, *, report: Report = silent) -> Import:
    return event_import.import_events(path, currency="USD", now=NOW, report=report)


def left(imported: Import) -> ImportMade:
    """What is there after an import."""
    figures = (imported.rows, imported.kept, imported.duplicates, imported.rejected, imported.reasons, imported.message)
    refused = RejectedRow.objects.filter(source=imported).order_by("line", "field", "reason")
    people = Customer.objects.filter(erased_at=None).order_by("pseudonym")  # others have hashes that say nothing
    joined = CustomerAlias.objects.order_by("anonymous__pseudonym", "customer__pseudonym")
    return ImportMade(
        figures,
        list(refused.values_list("line", "field", "reason", "content", "given")),
        rows(_EVENTS),
        rows(_DUE),
        list(people.values_list("pseudonym", "kind", "personalise", "measure", "not_before", "erased_at")),
        list(joined.values_list("anonymous__pseudonym", "customer__pseudonym", "since", "source", "undone_at")),
    )


_EVENTS = """
SELECT occurred_at, event_id, line, name, customer.pseudonym, item.shop_id, quantity, event.price, amount, rating,
  rating_scale, search_term, transaction_id, session_id, recommendation_id, position, target_type, target_id, source,
  trust, progress, key_id, event.attributes
FROM recommendations_event event LEFT JOIN recommendations_customer customer ON customer.id = customer_id
LEFT JOIN recommendations_item item ON item.id = item_id ORDER BY 1, 2, 3
"""
_DUE = "SELECT DISTINCT occurred_at, event_id, line FROM recommendations_dueline ORDER BY 1, 2, 3"
