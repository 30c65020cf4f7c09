"""The stock as it was at a moment: today's rows with the later entries of the trail undone, and whether that is it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from recommendations.models import AuditEntry, Category
from recommendations.store.serving.stock import Stock, StockRow, mark_of, stock_rows

LATE = timedelta(minutes=2)
"""How long before the moment a change may have been written that the answer did not know of yet."""

CENTS = Decimal("0.01")
MOMENTS = frozenset({"available_at", "expires_at", "retired_at"})


class StockThen(NamedTuple):
    """A stock of the past; ``certain`` says whether it is the very one, by its mark."""

    stock: Stock
    certain: bool


def stock_at(moment: datetime, *, mark: int) -> StockThen:
    """Make the stock of a moment from today's rows, which had this mark.

    Changes outside of the trail cannot be undone; then the stock is what the trail can tell, and not certain.
    """
    rows = {row.pk: row for row in stock_rows()}
    entries = AuditEntry.objects.filter(object_type="item", at__gt=moment - LATE).order_by("-at", "-pk")
    paths = dict(Category.objects.values_list("path", "pk"))
    now = _mark(rows.values())
    guess = None
    for entry in entries.iterator():
        if entry.at <= moment and guess is None:
            guess = dict(rows)
        if now == mark and (entry.at <= moment):
            break
        key = int(entry.object_id)
        if key in rows:
            now ^= mark_of(rows[key])
            before = _before(rows.pop(key), entry, paths)
            if before is not None:
                rows[key] = before
                now ^= mark_of(before)
    certain = now == mark
    wanted = rows if certain or guess is None else guess
    return StockThen(Stock.of(sorted(wanted.values(), key=lambda row: row.pk)), certain)


def _mark(rows: Iterable[StockRow]) -> int:
    mark = 0
    for row in rows:
        mark ^= mark_of(row)
    return mark


def _before(row: StockRow, entry: AuditEntry, paths: Mapping[str, int]) -> StockRow | None:
    """The row as it was before an entry; None where the entry is its creation."""
    if entry.before is None:
        return None if entry.verb in {"create", "import"} and entry.after is not None else row
    values: dict[str, Any] = {}
    for name, value in entry.before.items():
        if name == "categories":
            values["of_categories"] = [paths[path] for path in value if path in paths]
        elif name in StockRow._fields:
            values[name] = _value(name, value)
    return row._replace(**values)


def _value(name: str, value: Any) -> Any:
    """A value of the trail as the database has it."""
    if value is None:
        return None
    if name == "price":
        return Decimal(value).quantize(CENTS)
    if name in MOMENTS:
        return datetime.fromisoformat(value).astimezone(UTC)
    return value
