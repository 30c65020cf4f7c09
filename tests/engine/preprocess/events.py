"""Event frames in the engine's columns, written as short rows, and items to go with them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recommendations.engine.preprocess.matrix import ItemAttributes
from recommendations.event_types import EventName
from recommendations.terms import Trust

DAY = 20_000.0  # 2024-10-04
SECOND = 1 / 86_400
MINUTE = 60 * SECOND


def act(user: int, item: int, name: EventName = EventName.PURCHASE, at: float = DAY, **known: Any) -> dict[str, Any]:
    row = {"basket": -1, "quantity": np.nan, "price": np.nan, "amount": np.nan, "rating": np.nan, "trust": Trust.SERVER}
    return {"user": user, "item": item, "name": name, "at": at, "day": int(np.nan_to_num(at))} | row | known


def frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    columns = ["user", "item", "name", "at", "basket", "quantity", "price", "amount", "rating", "trust", "day"]
    kinds = dict.fromkeys(["user", "item", "basket"], np.int64) | dict.fromkeys(columns[5:9], np.float32)
    events = pd.DataFrame(list(rows), columns=columns).astype(
        kinds | {"at": np.float64, "trust": np.int8, "day": np.int32}
    )
    return events.assign(name=events["name"].astype("category"))


def attributes(ids: list[int], listed_at: list[float] | None = None) -> ItemAttributes:
    """Item n of the list is the only one of category n, has its one term n + 1 times and costs n."""
    n = len(ids)
    return ItemAttributes(
        ids=np.array(ids, np.int64),
        categories=sparse.csr_matrix(np.eye(n, dtype=np.float32)),
        terms=sparse.csr_matrix(np.arange(1, n + 1, dtype=np.float32)[:, None]),
        price=np.arange(n, dtype=np.float32),
        listed_at=np.array(listed_at or [np.nan] * n, np.float64),
    )
