"""Figures per customer behind the Quality page; the tables themselves are ``Evaluation`` and ``Measurement``."""

from collections.abc import Sequence

import pandas as pd

from recommendations.models import Customer
from recommendations.store.domain import shop_domain
from recommendations.store.models import live_version, measurements
from recommendations.terms import Task


class NotMeasuredError(Exception):
    """The live version's evaluation has no row of this name; ``name`` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was not measured for the live version")
        self.name = name


def served_tasks() -> Sequence[Task]:
    """The tasks whose blend makes lists that the shop serves, the first one first."""
    return shop_domain().tasks


def differences(*, task: Task, a: str, b: str) -> pd.DataFrame:
    """NDCG@10 of two rows of the live version's test window by customer, where they differ most first.

    Columns: customer (key), a, b, difference (a − b). Customers who are gone since then are left out. Raises
    NotMeasuredError.
    """
    live = live_version.live_version()
    if live is None:
        raise NotMeasuredError(a)
    scores, customers = measurements.load_per_customer(live.pk, task)
    for name in (a, b):
        if name not in scores:
            raise NotMeasuredError(name)
    frame = pd.DataFrame({"customer": customers, "a": scores[a].astype(float), "b": scores[b].astype(float)})
    frame["difference"] = frame["a"] - frame["b"]
    keys = Customer.objects.filter(pk__in=frame["customer"].tolist()).values_list("pk", flat=True)
    frame = frame[frame["customer"].isin(set(keys))]
    return frame.sort_values("difference", key=lambda column: -column.abs(), kind="stable", ignore_index=True)
