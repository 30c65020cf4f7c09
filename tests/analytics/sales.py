"""Purchases as a live model has them, without a run: what the order of offered items is made from."""

from collections.abc import Mapping, Sequence

import numpy as np

from recommendations.models import Item, ModelVersion
from recommendations.store.models.artefacts import save_arrays
from recommendations.terms import Cut
from tests.analytics import records


def sell(ages: Mapping[Item, Sequence[float]]) -> ModelVersion:
    """Make a version live that knows these purchases, each by its age in days."""
    version = records.version(records.run())
    items = sorted(ages, key=lambda item: item.pk)
    lines = [(row, age) for row, item in enumerate(items) for age in ages[item]]
    arrays = {
        "ids/items": np.array([item.pk for item in items], np.int64),
        "interactions/item": np.array([row for row, _age in lines], np.int32),
        "interactions/age": np.array([age for _row, age in lines], np.float32),
        "interactions/bought": np.ones(len(lines), np.bool_),
    }
    save_arrays(version, Cut.LIVE, arrays)
    return version
