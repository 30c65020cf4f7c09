"""Files that help to mend an import: a template to begin with, and the refused rows with a column that says why."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from django.conf import settings
from django.db.models import Func
from django.utils.translation import gettext as _

from recommendations.domains.protocol import DomainName
from recommendations.models import Import, RejectedRow
from recommendations.services.catalogue.spreadsheets import harmless
from recommendations.services.contacts import file_rows
from recommendations.store.domain import shop_domain
from recommendations.store.imports import customer_rows, event_rows, item_rows, promotion_rows, receipt_rows
from recommendations.store.imports.reasons import REASONS
from recommendations.store.imports.validate import Form

__all__ = [
    "BYTE_ORDER_MARK", "CONTACT_COLUMNS", "REASONS", "RECEIPT_COLUMNS", "columns", "contact_template", "filled_columns",
    "receipt_template", "refused_file", "template",
]  # fmt: skip

BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets read Chinese as something else

FORMS: Mapping[str, Form] = {
    Import.Kind.ITEMS: item_rows.FORM,
    Import.Kind.EVENTS: event_rows.FORM,
    Import.Kind.PROMOTIONS: promotion_rows.FORM,
    Import.Kind.CONTACTS: file_rows.FORM,
    Import.Kind.CUSTOMERS: customer_rows.FORM,
    Import.Kind.RECEIPTS: receipt_rows.FORM,
}
LINE, FILE_LINE, WHY, ROW = "line", "file_line", "why", "row"
"""Columns of the file of refused rows that are no columns of an import, which does not read them."""
EXAMPLE: Mapping[str, str] = {
    "item_id": "SKU-1001", "title": "Green tea, 20 bags", "description": "Sencha from Shizuoka, in bags of 2 g.",
    "brand": "Leaf & Co", "categories": "Drinks > Tea | Gifts", "price": "4.90", "original_price": "5.90",
    "cost": "2.10", "availability": "in_stock", "available_quantity": "120",
    "available_time": "2026-09-01T08:00:00Z", "expire_time": "2027-09-01T08:00:00Z",
    "image_url": "https://shop.example/images/1001.jpg", "url": "https://shop.example/tea/1001",
    "tags": "organic|vegan", "attributes": '{"bags": 20, "origin": "Japan"}', "creator": "", "collection": "",
    "collection_number": "", "duration": "", "published_at": "", "language": "en", "item_kind": "",
    "rating_average": "4.6", "rating_count": "87", "parent_id": "", "item_group_id": "green-tea",
}  # fmt: skip
"""An item of a template; the currency is the shop's."""
PLAYED: Mapping[DomainName, Mapping[str, str]] = {
    DomainName.ARTICLES: {
        "item_id": "A-1001", "title": "Why tides turn", "description": "The moon pulls twice a day.",
        "categories": "Science > Oceans", "url": "https://paper.example/tides", "tags": "sea|moon",
        "creator": "Ada Moss", "collection": "Plain physics", "item_kind": "article",
        "published_at": "2026-09-01T08:00:00Z",
    },
    DomainName.MUSIC: {
        "item_id": "T-1001", "title": "Low tide", "categories": "Jazz > Piano", "url": "https://radio.example/t/1001",
        "tags": "slow|live", "creator": "Ada Moss Trio", "collection": "Harbour", "collection_number": "3",
        "duration": "245", "item_kind": "track", "published_at": "2026-09-01T00:00:00Z",
    },
    DomainName.VIDEO: {
        "item_id": "F-1001", "title": "The long tide, part 2", "description": "The boat comes back without its crew.",
        "categories": "Drama | Sea", "url": "https://films.example/1001", "tags": "award", "creator": "Ada Moss",
        "collection": "The long tide", "collection_number": "2", "duration": "3120", "item_kind": "episode",
        "published_at": "2026-09-01T00:00:00Z",
    },
}  # fmt: skip
"""What a template shows in the place of goods, with a picture and a language as they have."""
CONTACT_EXAMPLE: Mapping[str, str] = {
    "user_id": "u1", "email": "ann@example.com", "language": "en", "time_zone": "Europe/Paris", "channel": "email",
    "purposes": "for_you, news", "consent_at": "2026-08-01T10:00:00Z", "source": "checkout", "proof": "order 1017",
    "confirmed": "no", "endpoint": "",
}  # fmt: skip
RECEIPT_EXAMPLE: Mapping[str, str] = {
    "campaign": "Spring sale", "user_id": "u1", "sent_at": "2026-03-02T08:00:00Z", "channel": "email", "opened_at": "",
    "clicked_at": "2026-03-02T09:10:00Z", "answered_at": "2026-03-03T18:40:00Z",
}  # fmt: skip
CONTACT_COLUMNS = [(name, name in file_rows.FORM.needed, CONTACT_EXAMPLE[name]) for name in file_rows.FORM.known]
RECEIPT_COLUMNS = [(name, name in receipt_rows.NEEDED, RECEIPT_EXAMPLE[name]) for name in receipt_rows.COLUMNS]


def columns() -> list[tuple[str, bool, str]]:
    """Columns of a file of items, whether each is needed, and an example of what this shop offers."""
    own = PLAYED.get(shop_domain().name)
    shown = {name: EXAMPLE[name] for name in ("image_url", "language")} | {**own} if own else EXAMPLE
    money = {} if own else {"currency": settings.SHOP_CURRENCY}
    return [(name, name in item_rows.FORM.needed, {**shown, **money}.get(name, "")) for name in item_rows.FORM.known]


def template() -> str:
    """A CSV file with every column that an import of items reads, and an item as an example."""
    return _template(item_rows.FORM, {name: example for name, _needed, example in columns()})


def contact_template() -> str:
    """A CSV file with every column that an import of contacts reads, and a contact as an example."""
    return _template(file_rows.FORM, CONTACT_EXAMPLE)


def receipt_template() -> str:
    """A CSV file with every column that an import of another system's campaigns reads, and a row as an example."""
    return _template(receipt_rows.FORM, RECEIPT_EXAMPLE)


def refused_file(flaws: Iterable[RejectedRow], *, kind: str, filled: Collection[str]) -> Iterator[str]:
    """Lines of a CSV file with a row for each that was refused: as it was, and all that is wrong with it.

    ``flaws`` are in the order of their lines. What could not be cut into columns stands as it was read, and a file that
    was mended can be imported: it does not read the columns that are new. An empty cell clears its field, so that the
    file has those columns alone that are needed or ``filled`` in some of the rows, and of events those whose values are
    stored nowhere, which are empty.
    """
    form = FORMS[kind]
    if kind == Import.Kind.CUSTOMERS:  # whose columns have any name
        form = replace(form, known=[*form.known, *sorted(filled)])
    shown = {name for name in form.visible if name in form.needed or name in filled}
    if kind == Import.Kind.EVENTS:
        shown |= {column.name for column in form.hidden}
    names = [name for name in form.known if name in shown]
    yield from _written([[FILE_LINE if LINE in form.known else LINE, WHY, *names, ROW]])
    for row in _rows(flaws):
        first, whole = row[0], not row[0].given
        values = [str(first.given.get(name, "")) for name in names]
        yield from _written([[str(first.line), " ".join(map(_why, row)), *values, first.content if whole else ""]])


def filled_columns(imported: Import) -> set[str]:
    """Columns that some of its refused rows have a value in."""
    keys = imported.rejected_rows.annotate(key=Func("given", function="jsonb_object_keys"))
    return set(keys.order_by().values_list("key", flat=True).distinct())


def _template(form: Form, example: Mapping[str, str]) -> str:
    return "".join(_written([form.known, [example[name] for name in form.known]]))


def _rows(flaws: Iterable[RejectedRow]) -> Iterator[list[RejectedRow]]:
    """Flaws of each row."""
    row: list[RejectedRow] = []
    for flaw in flaws:
        if row and flaw.line != row[0].line:
            yield row
            row = []
        row.append(flaw)
    if row:
        yield row


def _why(flaw: RejectedRow) -> str:
    return _("%(field)s: %(reason)s") % {"field": flaw.field, "reason": flaw.reason} if flaw.field else flaw.reason


def _written(lines: Iterable[Iterable[str]]) -> Iterator[str]:
    for line in lines:
        buffer = io.StringIO()
        csv.writer(buffer).writerow([harmless(value) for value in line])
        yield buffer.getvalue()
