"""What sells at present: the order in which items are offered where somebody looks for one."""

import numpy as np

from recommendations.engine.frames import FloatArray, IdArray
from recommendations.engine.ids import IdMap
from recommendations.models import ModelVersion
from recommendations.store.live.array_cache import Arrays, cached
from recommendations.store.models.artefacts import load_arrays
from recommendations.terms import Cut

HALF_LIFE = 28.0  # days


def sold(items: IdArray) -> FloatArray:
    """Purchases of each of these items, by key, as the live model has them, each halved every 28 days.

    An item that the model does not know, and before the first run every item, sold nothing.
    """
    version = ModelVersion.objects.live().values_list("pk", flat=True).first() if len(items) else None
    if version is None:
        return np.zeros(len(items), np.float32)
    arrays = cached(f"sold:m{version}", lambda: _sold(version))
    rows = IdMap(ids=arrays["items"]).rows(items)
    known = np.append(arrays["sold"], np.float32(0))  # the last is that of an item with row −1
    return np.asarray(known[rows], np.float32)


def _sold(version: int) -> Arrays:
    names = {"items": "ids/items", **{name: f"interactions/{name}" for name in ("item", "age", "bought")}}
    arrays = load_arrays(version, Cut.LIVE, prefix=tuple(names.values()))
    if len(arrays) < len(names):  # a version that learned nothing
        return {"items": np.empty(0, np.int64), "sold": np.empty(0, np.float32)}
    items, item, age, bought = (arrays[name] for name in names.values())
    counts = np.bincount(item[bought], 0.5 ** (age[bought] / HALF_LIFE), minlength=len(items))
    return {"items": items, "sold": counts.astype(np.float32)}
