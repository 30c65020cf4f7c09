"""The stock as it was at a moment: the live one with the later entries of the trail undone, and whether that is it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from recommendations.models import AuditEntry, Category
from recommendations.store.process_held import ProcessHeld
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.store.serving.stock import Stock, StockRow, mark_of, stock_rows

LATE = timedelta(minutes=2)
"""How long before the moment a change may have been written that the answer did not know of yet."""

MOST_HELD = 4
"""Past stocks that a process holds, by mark; a stock shares what it has in common with the live one."""

CENTS = Decimal("0.01")
MOMENTS = frozenset({"available_at", "expires_at", "retired_at"})


class StockThen(NamedTuple):
    """A stock of the past; ``certain`` says whether it is the very one, by its mark."""

    stock: Stock
    certain: bool


past_stocks: ProcessHeld[dict[int, Stock]] = ProcessHeld(dict)


def stock_at(moment: datetime, *, mark: int) -> StockThen:
    """Make the stock of a moment, which had this mark, from the live one and the rows that the trail tells of since.

    Changes outside of the trail cannot be undone; then the stock is what the trail can tell, and not certain.
    """
    live = current_snapshot().stock
    held = live if mark == live.mark else past_stocks().get(mark)
    if held is not None:
        return StockThen(held, certain=True)
    rows, certain = _undone(moment, mark=mark, live=live)
    stock = _with_rows(live, rows)
    if certain:
        past_stocks()[mark] = stock
        while len(past_stocks()) > MOST_HELD:
            del past_stocks()[next(iter(past_stocks()))]
    return StockThen(stock, certain)


def _undone(moment: datetime, *, mark: int, live: Stock) -> tuple[Mapping[int, StockRow | None], bool]:
    """Rows by key, of all items that the trail tells of since the moment, as they were then; None: not there so far.

    And whether the stock with them has the mark.
    """
    wanted = AuditEntry.objects.filter(object_type="item", at__gt=moment - LATE).order_by("-at", "-pk")
    entries, paths = list(wanted), dict(Category.objects.values_list("path", "pk"))
    rows: dict[int, StockRow | None] = dict.fromkeys(int(entry.object_id) for entry in entries)
    rows |= {row.pk: row for row in stock_rows(only=list(rows))}
    now = live.mark
    for key, row in rows.items():
        now ^= live.mark_at(key) ^ _mark(row)
    guess = None
    for entry in entries:
        if entry.at <= moment:
            guess = guess or dict(rows)
            if now == mark:
                break
        row = rows[int(entry.object_id)]
        before = None if row is None else _before(row, entry, paths, live)
        now ^= _mark(row) ^ _mark(before)
        rows[int(entry.object_id)] = before
    certain = now == mark
    return rows if certain or guess is None else guess, certain


def _with_rows(live: Stock, rows: Mapping[int, StockRow | None]) -> Stock:
    """The live stock with these rows, and without those that were not there so far: as a rule the last ones."""
    gone = {key for key, row in rows.items() if row is None and live.mark_at(key)}
    first = len(live) - len(gone)
    if gone and gone != set(live.ids.ids[first:].tolist()):
        return Stock.of([rows.get(row.pk, row) or row for row in stock_rows() if row.pk not in gone])
    others = [row for key, row in sorted(rows.items()) if row is not None and _mark(row) != live.mark_at(key)]
    return (live.first(first) if gone else live).updated(others)


def _mark(row: StockRow | None) -> int:
    return 0 if row is None else mark_of(row)


def _before(row: StockRow, entry: AuditEntry, paths: Mapping[str, int], live: Stock) -> StockRow | None:
    """The row as it was before an entry; None where the entry is its creation."""
    if entry.before is None:
        return None if entry.verb in {"create", "import"} and entry.after is not None else row
    values: dict[str, Any] = {}
    for name, value in entry.before.items():
        if name == "categories":
            values["of_categories"] = [paths[path] for path in value if path in paths]
        elif name == "parent":
            at = -1 if value is None else live.ids.row(int(value))
            values["parent_id"] = live.products[at].shop_id if at >= 0 else None
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
