from pathlib import Path

import pandas as pd

from bench.next_basket import written

PURCHASES = pd.DataFrame(
    [
        (1, 11, 1, "2017-01-01", 0),
        (1, 12, 2, "2017-01-09", 2),
        (1, 13, 2, "2017-01-09", 1),
        (2, 12, 3, "2017-01-02", 1),
        (2, 11, 5, "2017-01-05", 1),
        (1, 11, 4, "2017-01-04", 1),
        (3, 11, 6, "2017-01-08", 1),
    ],
    columns=["household_id", "product_id", "basket_id", "transaction_timestamp", "quantity"],
).astype({"transaction_timestamp": "datetime64[ns]"})
PRODUCTS = pd.DataFrame({"product_id": [11], "title": ["Tea"], "brand": [0], "brand_name": ["Own"], "path": ["A > B"]})


def test_the_newest_basket_of_everybody_with_two_is_the_truth(tmp_path: Path) -> None:
    options = written(tmp_path, PURCHASES, PRODUCTS)
    assert options[0] == f"--train={tmp_path / 'train.parquet'}"
    names = [option.partition("=")[0][2:] for option in options]
    assert names == ["train", "queries", "truth", "items"]
    train, queries, truth, items = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in names)
    assert train[["user_id", "item_id", "quantity"]].to_numpy().tolist() == [[1, 11, 1], [2, 12, 1], [1, 11, 1]]
    assert truth.to_numpy().tolist() == [[1, 12], [1, 13], [2, 11]]
    assert sorted(queries.user_id) == [1, 2]
    assert train.timestamp.iloc[0] == pd.Timestamp("2017-01-01").timestamp()
    assert items.to_numpy().tolist() == [[11, "Tea", "Own", "A > B"]]
