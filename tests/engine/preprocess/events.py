"""Event frames in the engine's columns, written as short rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from recommendations.terms import EventName

DAY = 20_000.0  # 2024-10-04
SECOND = 1 / 86_400
MINUTE = 60 * SECOND


def act(user: int, item: int, name: EventName = EventName.PURCHASE, at: float = DAY, **known: Any) -> dict[str, Any]:
    row = {"basket": -1, "quantity": np.nan, "price": np.nan, "amount": np.nan, "rating": np.nan}
    return {"user": user, "item": item, "name": name, "at": at} | row | known


def frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    columns = ["user", "item", "name", "at", "basket", "quantity", "price", "amount", "rating"]
    kinds = dict.fromkeys(["user", "item", "basket"], np.int64) | dict.fromkeys(columns[5:], np.float32)
    made = pd.DataFrame(list(rows), columns=columns).astype(kinds | {"at": np.float64})
    return made.assign(name=made["name"].astype("category"))
