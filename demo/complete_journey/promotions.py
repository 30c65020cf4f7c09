"""Complete Journey's promotions: 20.9 million rows of item, store and week as shares of the stores per item and week.

Read in batches and counted in a table of bits, so that neither the order of the rows nor a store that lists an item
twice matters, and no more than a batch of rows is ever held.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from demo.complete_journey.wheel import file_of
from recommendations.store.temp_tables import Report, silent

FIRST_WEEK = date(2016, 12, 26)  # week 1 of the source ends on 2017-01-01
BATCH = 1 << 20
DISPLAY, MAILER = np.uint8(1), np.uint8(2)


@dataclass(frozen=True, kw_only=True)
class Shares:
    """``frame``: one row per week and item, in this order: ``week`` (its first day), ``item`` (place among the products
    asked for), ``display`` and ``mailer`` (shares of the stores), ``line`` (of the first such row in the source).
    """

    frame: pd.DataFrame
    rows: int  # of the source, for the products asked for


def read_shares(product_ids: NDArray[np.int64], *, report: Report = silent) -> Shares:
    """Shares of all stores of the source, also of those that promote none of these products."""
    source = pyarrow.parquet.ParquetFile(file_of("promotions"), read_dictionary=["display_location", "mailer_location"])
    products, stores, weeks = pd.Index(product_ids), _distinct(source, "store_id"), _distinct(source, "week")
    bits = np.zeros((len(weeks), len(products), len(stores)), np.uint8)
    first = np.zeros(bits.shape[:2], np.int32)
    done = rows = 0
    for batch in source.iter_batches(batch_size=BATCH):
        item = products.get_indexer(batch["product_id"].to_numpy())
        wanted = np.flatnonzero(item >= 0)
        week, store = weeks.get_indexer(batch["week"].to_numpy()), stores.get_indexer(batch["store_id"].to_numpy())
        flags = DISPLAY * _is_shown(batch["display_location"]) | MAILER * _is_shown(batch["mailer_location"])
        at = np.ravel_multi_index((week[wanted], item[wanted], store[wanted]), bits.shape)
        np.bitwise_or.at(bits.reshape(-1), at, flags[wanted])
        _note_first(first.reshape(-1), at // len(stores), done + 1 + wanted)
        done, rows = done + len(batch), rows + len(wanted)
        report("shares", done, source.metadata.num_rows)
    week, item = np.nonzero(first)
    frame = pd.DataFrame(
        {
            "week": np.datetime64(FIRST_WEEK) + 7 * (weeks.to_numpy()[week] - 1),
            "item": item,
            "display": _stores_with(DISPLAY, bits)[week, item] / len(stores),
            "mailer": _stores_with(MAILER, bits)[week, item] / len(stores),
            "line": first[week, item],
        }
    )
    return Shares(frame=frame, rows=rows)


def _distinct(source: pyarrow.parquet.ParquetFile, column: str) -> pd.Index:
    batches = source.iter_batches(batch_size=BATCH, columns=[column])
    values = np.unique(np.concatenate([batch[column].unique().to_numpy() for batch in batches]))
    index: pd.Index = pd.Index(values)
    return index


def _is_shown(places: pa.DictionaryArray) -> NDArray[np.bool_]:
    """Mask of the rows whose item is in such a place; the source writes "0" where it is in none."""
    somewhere = np.asarray(places.dictionary) != "0"
    mask: NDArray[np.bool_] = somewhere[places.indices.to_numpy()]
    return mask


def _note_first(first: NDArray[np.int32], at: NDArray[np.int64], lines: NDArray[np.int64]) -> None:
    """Note the number of each line where none stands yet; of several in one place the first."""
    new = np.flatnonzero(first[at] == 0)[::-1]
    first[at[new]] = lines[new]


def _stores_with(bit: np.uint8, bits: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number of stores with the bit, per week and item."""
    return np.array([np.count_nonzero(of_week & bit, axis=1) for of_week in bits])
