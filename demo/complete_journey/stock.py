"""Costs and stocks of the demo's items: the source has neither, so they are invented, by what the item is and sells.

Nine of ten items have a cost and nine of ten a stock; a twelfth of the stocks lasts for months. An item has the same
ones whatever part of the source is loaded.
"""

import zlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MARGINS: Mapping[str, float] = {
    "COSMETICS": 0.42, "DELI": 0.42, "DRUG GM": 0.36, "FLORAL": 0.45, "GROCERY": 0.27, "MEAT": 0.24, "MEAT-PCKGD": 0.28,
    "NUTRITION": 0.33, "PASTRY": 0.48, "PRODUCE": 0.35, "SALAD BAR": 0.5, "SEAFOOD": 0.25, "SEAFOOD-PCKGD": 0.28,
}  # fmt: skip
"""Share of the price that an item of a department leaves in the middle."""

OTHER = 0.3
SPREAD = 0.1  # of an item's share around its department's
OWN_BRAND = 0.08  # that the shop's own brand leaves more
KNOWN = 0.9
TOO_MUCH = 1 / 12
WEEKS = 8  # of sales that a stock goes by
USUAL_COVER, LONG_COVER = (2.0, 9.0), (16.0, 40.0)  # weeks


def costs(products: pd.DataFrame) -> NDArray[np.float64]:
    """Cost by product, with ``department``, ``brand`` and ``price``; NaN where it is unknown."""
    middle = products["department"].map(MARGINS).fillna(OTHER).to_numpy()
    share = middle + SPREAD * (2 * _drawn(products, "margin") - 1) + OWN_BRAND * (products["brand"] == "Private")
    known = _drawn(products, "cost known") < KNOWN
    return np.where(known, (products["price"] * (1 - share)).round(2), np.nan)


def stocks(products: pd.DataFrame, lines: pd.DataFrame) -> NDArray[np.float64]:
    """Units in stock by product; NaN where that is unknown. ``lines`` are the purchases of the whole source."""
    since = lines["transaction_timestamp"].max() - pd.Timedelta(weeks=WEEKS)
    recent = lines[lines["transaction_timestamp"] > since]
    sold = products["product_id"].map(recent.groupby("product_id")["quantity"].sum()).fillna(0).to_numpy()
    long = _drawn(products, "too much") < TOO_MUCH
    low, high = (np.where(long, ends[1], ends[0]) for ends in zip(USUAL_COVER, LONG_COVER, strict=True))
    cover = low + (high - low) * _drawn(products, "cover")
    known = _drawn(products, "stock known") < KNOWN
    return np.where(known, np.ceil(np.maximum(sold, 1) * cover / WEEKS), np.nan)


def _drawn(products: pd.DataFrame, what: str) -> NDArray[np.float64]:
    """A number from 0 to 1 for each product that depends on it alone."""
    drawn = (zlib.crc32(f"{what}/{product}".encode()) for product in products["product_id"].tolist())
    return np.fromiter(drawn, np.float64, len(products)) / 2**32
