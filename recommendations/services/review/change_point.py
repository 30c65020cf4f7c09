"""The moment since when a customer buys from other departments, as the live model takes it."""

from datetime import datetime, timedelta

import numpy as np

from recommendations.engine.preprocess.change_points import ChangePoints
from recommendations.store.models.measurements import departments
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import NotLoadedError, current_snapshot


def changed_since(customer: int) -> datetime | None:
    """The time when a customer (by key) first bought otherwise; None: no change, or no model knows them."""
    try:
        return change_in(current_snapshot(), customer)
    except NotLoadedError:
        return None


def change_in(snapshot: Snapshot, customer: int) -> datetime | None:
    """The time when the customer first bought otherwise, by the model of a snapshot."""
    model = snapshot.model
    row = snapshot.row_of(customer)
    if model is None or row < 0:
        return None
    paths = {key: path for key, (path, _name) in snapshot.names.categories.items()}
    parts = model.training.catalogue.departments(departments(model.categories, paths=paths)[1])
    since = float(ChangePoints.of(model.training.queries(np.array([row])).histories, parts).since[0])
    return None if np.isinf(since) else model.as_of - timedelta(days=since)
