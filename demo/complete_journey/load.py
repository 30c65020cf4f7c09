"""Import of Complete Journey: catalogue, customers, purchases, promotions. Loading it again changes nothing."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from demo.complete_journey import wheel
from demo.complete_journey.promotions import read_shares
from demo.complete_journey.wheel import DISCOUNTS, Journey
from recommendations.event_types import EventName
from recommendations.models import Import, ShopSetting
from recommendations.store.events import bulk_append
from recommendations.store.events.known_customers import ensure_customers
from recommendations.store.events.pseudonyms import first_pseudonym
from recommendations.store.imports import import_record, item_merge, promotion_merge, validate
from recommendations.store.temp_tables import Report, copy, csv_block, heavy, rows, temporary
from recommendations.terms import CustomerKind

DEMO_CLOCK = "demo_clock"
BATCH = 100_000
ITEM_COLUMNS = [
    "shop_id",
    "title",
    "brand",
    "price",
    "cost",
    "available_quantity",
    "attributes",
    "listed_at",
    "url",
]
EVENT_COLUMNS = [
    "occurred_at", "event_id", "line", "name", "customer_id", "item_id", "quantity", "price", "amount",
    "transaction_id", "attributes",
]  # fmt: skip
PROMOTION_COLUMNS = ["item_id", "week", "display", "mailer"]
REFUSED_COLUMNS = ["file_line", "fault", "content"]


class ClockIsSetError(Exception):
    """The data were loaded with another shift; ``weeks`` is the one that holds."""

    def __init__(self, weeks: int) -> None:
        super().__init__(f"the demo's data are loaded with --shift-weeks {weeks}; an empty database takes another")
        self.weeks = weeks


def set_clock(weeks: int | None, *, now: datetime) -> int:
    """Set the shift in weeks: that with which the data were loaded before, else the one asked for, else the latest."""
    shift = wheel.weeks_to_move(now.date()) if weeks is None else weeks
    last = wheel.LAST_FULL_DAY + pd.Timedelta(weeks=shift)
    clock, _created = ShopSetting.objects.get_or_create(
        key=DEMO_CLOCK, defaults={"value": {"shift_weeks": shift, "last_full_day": last.isoformat()}}
    )
    stored = int(clock.value["shift_weeks"])
    if weeks not in (None, stored):
        raise ClockIsSetError(stored)
    return stored


def clock_is_set() -> bool:
    """Whether these data were ever loaded here."""
    return ShopSetting.objects.filter(key=DEMO_CLOCK).exists()


def load_catalogue(journey: Journey, *, weeks: int, now: datetime, report: Report) -> Import:
    """Load items, categories and prices. What the shop changed since the last time stays as it is."""
    imported = import_record.begin(kind="items", file=wheel.PACKAGE)
    products = journey.products
    report("items", 0, len(products))
    with heavy(), temporary(item_merge.READY, item_merge.DEFINITION):
        copy(item_merge.READY, ITEM_COLUMNS, [csv_block(_item_table(products, weeks=weeks))])
        keys = item_merge.category_keys(products["path"].unique(), names=wheel.category_names(products))
        links = pd.DataFrame({"item": products["product_id"], "category": products["path"].map(keys)})
        merged = item_merge.merge_ready(
            given=ITEM_COLUMNS, links=links.to_csv(header=False, index=False).encode(), now=now, update=False
        )
        new = len(merged.new)
        import_record.finish(imported, rows=len(products), kept=new, duplicates=len(products) - new, reasons={})
    report("items", len(products), len(products))
    return imported


def load_purchases(journey: Journey, *, weeks: int, report: Report, hold_from: pd.Timestamp | None = None) -> Import:
    """Load purchases; those from ``hold_from`` on stay out for the replay. A basket, one moment, is never torn."""
    imported = import_record.begin(kind="events", file=wheel.PACKAGE)
    lines = journey.purchases
    if hold_from is not None:
        lines = lines[lines["transaction_timestamp"] < hold_from]
    total, held = len(lines), len(journey.purchases) - len(lines)
    customers, item_keys = _customers(lines["household_id"]), dict(rows("SELECT shop_id, id FROM recommendations_item"))
    with temporary(bulk_append.READY, bulk_append.DEFINITION):
        copy(
            bulk_append.READY,
            EVENT_COLUMNS,
            _blocks(lines, customers=customers, items=item_keys, weeks=weeks, report=report),
        )
        months = bulk_append.months_of()
        bulk_append.prepare_months(months)
        with heavy(), temporary(validate.REFUSED, validate.REFUSED_COLUMNS):
            new = bulk_append.append(months, source="demo", report=report, step="purchases")
            copy(validate.REFUSED, REFUSED_COLUMNS, [csv_block(_refused_table(journey.refused))])
            reasons = validate.refused_counts()
            validate.list_refused(imported)
            import_record.finish(
                imported, rows=total + held + len(journey.refused), kept=new, duplicates=total - new, held=held,
                reasons=reasons,
            )  # fmt: skip
    bulk_append.refresh_statistics(months, new=new)
    return imported


def load_promotions(journey: Journey, *, weeks: int, report: Report) -> Import:
    """Load promoted weeks of items. What the shop changed since the last time stays as it is."""
    imported = import_record.begin(kind="promotions", file=wheel.PACKAGE)
    listed = journey.products["product_id"]
    products = np.concatenate([listed, journey.excluded])
    shares = read_shares(products, report=report)
    sold = shares.frame["item"].to_numpy() < len(listed)
    planned, refused = shares.frame[sold], shares.frame[~sold]
    item_keys = dict(rows("SELECT shop_id, id FROM recommendations_item"))
    keys = np.array([item_keys[shop_id] for shop_id in listed.astype(str)], np.int64)
    report("promotions", 0, len(planned))
    with heavy(), temporary(promotion_merge.READY, promotion_merge.DEFINITION):
        ready = _promotion_table(planned, keys=keys, weeks=weeks)
        copy(promotion_merge.READY, PROMOTION_COLUMNS, map(csv_block, ready.to_batches(max_chunksize=BATCH)))
        new = promotion_merge.merge_ready(given=())
        with temporary(validate.REFUSED, validate.REFUSED_COLUMNS):
            copy(validate.REFUSED, REFUSED_COLUMNS, [csv_block(_unsold_table(refused, products=products))])
            import_record.finish(
                imported,
                rows=len(shares.frame),
                kept=new,
                duplicates=len(planned) - new,
                reasons=validate.refused_counts(),
                message=_("%(rows)s rows of item, store and week.") % {"rows": f"{shares.rows:,}"},
            )
            validate.list_refused(imported)
    promotion_merge.refresh_statistics(changed=new)
    report("promotions", len(planned), len(planned))
    return imported


def _customers(households: pd.Series) -> dict[int, int]:
    hashes = {int(household): first_pseudonym(str(household)) for household in households.unique()}
    keys = ensure_customers(hashes.values(), kind=CustomerKind.SIGNED_IN)
    return {household: keys[value] for household, value in hashes.items()}


def _item_table(products: pd.DataFrame, *, weeks: int) -> pa.Table:
    sizes, makers = products["size"], products["manufacturer_id"].astype(str)
    attributes = [f'{{"size": "{size}", "manufacturer": "{maker}"}}' for size, maker in zip(sizes, makers, strict=True)]
    columns = [
        products["product_id"].astype(str), products["title"], products["brand_name"], products["price"],
        products["cost"], products["stock"].astype("Int64"), attributes,
        wheel.moved(products["first_sale"], weeks=weeks).astype("datetime64[s, UTC]"),
        "/item/" + products["product_id"].astype(str),  # of the demo's shop
    ]  # fmt: skip
    return pa.table(dict(zip(ITEM_COLUMNS, map(pa.array, columns), strict=True)))


def _promotion_table(planned: pd.DataFrame, *, keys: NDArray[np.int64], weeks: int) -> pa.Table:
    first_days = (planned["week"] + pd.Timedelta(weeks=weeks)).to_numpy("datetime64[D]")
    columns = [keys[planned["item"]], first_days, planned["display"], planned["mailer"]]
    return pa.table(dict(zip(PROMOTION_COLUMNS, map(pa.array, columns), strict=True)))


def _blocks(
    lines: pd.DataFrame, *, customers: dict[int, int], items: dict[str, int], weeks: int, report: Report
) -> Iterator[bytes]:
    lines = lines.assign(
        customer=lines["household_id"].map(customers),
        item=lines["product_id"].map({int(shop_id): key for shop_id, key in items.items() if shop_id.isdigit()}),
        occurred_at=wheel.moved(lines["transaction_timestamp"], weeks=weeks).astype("datetime64[s, UTC]"),
    )
    for start in range(0, len(lines), BATCH):
        report("reading", start, len(lines))
        yield csv_block(_event_table(lines.iloc[start : start + BATCH]))
    report("reading", len(lines), len(lines))


def _event_table(lines: pd.DataFrame) -> pa.Table:
    ids = wheel.purchase_ids(lines["basket_id"].tolist(), lines["product_id"].tolist())
    same_again = lines.groupby(["basket_id", "product_id"]).cumcount()
    columns = [
        lines["occurred_at"], pa.array(ids, pa.string()), same_again, [EventName.PURCHASE.value] * len(lines),
        lines["customer"], lines["item"], lines["quantity"], (lines["sales_value"] / lines["quantity"]).round(2),
        lines["sales_value"].round(2), lines["basket_id"].astype(str), _attributes(lines),
    ]  # fmt: skip
    return pa.table(dict(zip(EVENT_COLUMNS, map(pa.array, columns), strict=True)))


def _refused_table(lines: pd.DataFrame) -> pa.Table:
    fields = [f"{name}=" + lines[name].astype(str) for name in ("basket_id", "product_id", "quantity", "sales_value")]
    content = pd.Series([", ".join(parts) for parts in zip(*fields, strict=True)], dtype=str)
    return pa.table(dict(zip(REFUSED_COLUMNS, map(pa.array, [lines["line"], lines["fault"], content]), strict=True)))


def _unsold_table(promoted: pd.DataFrame, *, products: NDArray[np.int64]) -> pa.Table:
    weeks = promoted["week"].dt.strftime("%Y-%m-%d")
    content = [
        f"product_id={product}, week={week}" for product, week in zip(products[promoted["item"]], weeks, strict=True)
    ]
    faults = ["product_id:not_merchandise"] * len(promoted)
    return pa.table(dict(zip(REFUSED_COLUMNS, [promoted["line"].to_numpy(), faults, content], strict=True)))


def _attributes(lines: pd.DataFrame) -> pa.Array:
    """Attributes as JSON: the store, and each discount that is not zero."""
    parts = [pa.array(lines["store_id"].astype(str)).cast(pa.string())]
    for column, name in DISCOUNTS.items():
        amount = pc.cast(pa.array(lines[column].round(2)), pa.string())
        text = pc.binary_join_element_wise(f', "{name}": ', amount, "")
        parts.append(pc.if_else(pa.array(lines[column] != 0), text, ""))
    return pc.binary_join_element_wise('{"store": ', *parts, "}", "")
