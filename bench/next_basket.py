"""The demo's data as a question for the next basket: everybody's last one is held out, and asked for.

It makes the files of the demo's wheel, and takes the options of `bench/accuracy.py` on own data. As nothing is cut in
time, the last baskets of some are older than what others are known to have done, as in use.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import accuracy
from demo.complete_journey.wheel import read_journey


def main(argv: Sequence[str] | None = None) -> int:
    journey = read_journey()
    with TemporaryDirectory() as folder:
        files = written(Path(folder), journey.purchases, journey.products)
        del journey
        return accuracy.main([*files, *(sys.argv[1:] if argv is None else argv)])


def written(folder: Path, purchases: pd.DataFrame, products: pd.DataFrame) -> list[str]:
    """Write the files, and return the options that name them."""
    acts = pd.DataFrame(
        {
            "user_id": purchases.household_id,
            "item_id": purchases.product_id,
            "timestamp": purchases.transaction_timestamp.astype("datetime64[s]").astype("int64"),
            "session_id": purchases.basket_id,
            "quantity": purchases.quantity.clip(lower=1),
        }
    )
    newest = acts.sort_values(["user_id", "timestamp"], kind="stable").groupby("user_id").session_id.last()
    is_last = acts.session_id.eq(acts.user_id.map(newest))
    train = acts[~is_last]
    truth = acts[is_last & acts.user_id.isin(train.user_id)]
    asked = train[train.user_id.isin(truth.user_id)].groupby("user_id").tail(1)  # the rest of a history is in train
    of_item = {"product_id": "item_id", "title": "title", "brand_name": "brand", "path": "category"}
    tables = {
        "train": train,
        "queries": asked,
        "truth": truth[["user_id", "item_id"]].drop_duplicates(),
        "items": products[list(of_item)].rename(columns=of_item),
    }
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return [f"--{name}={folder / name}.parquet" for name in tables]


if __name__ == "__main__":
    sys.exit(main())
