"""How well items fit customers on average, by what the catalogue says of them."""

from collections.abc import Mapping, Sequence

import numpy as np

from recommendations.engine.frames import FloatArray
from recommendations.engine.ranking.graduation import graduation
from recommendations.models import ModelVersion
from recommendations.serving.candidates import candidate_source
from recommendations.store.live.array_cache import cached
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model, acts_of_items
from recommendations.store.serving.snapshot_holder import NotLoadedError, current_snapshot


def fits_of(items: Sequence[int]) -> Mapping[int, float]:
    """The share of the catalogue that fits customers less than each of these items, by its key.

    An item that the model does not know, or that nothing is said of, has none.
    """
    try:
        model = current_snapshot().model if items else None
    except NotLoadedError:
        return {}
    if model is None:
        return {}
    standing = _standing(model)
    rows = model.items.rows(np.array(items, np.int64))
    known = [(item, standing[row]) for item, row in zip(items, rows.tolist(), strict=True) if row >= 0]
    return {item: float(place) for item, place in known if not np.isnan(place)}


def graduation_of(items: Sequence[int]) -> Mapping[int, float]:
    """How far each item is ordered among new ones by what people do with it, by its key; 0 of one the model lacks."""
    version = ModelVersion.objects.live().values_list("pk", flat=True).first() if items else None
    if version is None:
        return dict.fromkeys(items, 0.0)
    arrays = cached(f"acts:m{version}", lambda: acts_of_items(version))
    acts = dict(zip(arrays["items"].tolist(), arrays["acts"].tolist(), strict=True))
    n_acts = np.array([acts.get(item, 0) for item in items])
    return dict(zip(items, graduation(n_acts).tolist(), strict=True))


@held_by_model
def _standing(model: Model) -> FloatArray:
    """Standing of each item of a model among all that are described, 0 … 1; NaN for the others."""
    descriptions = candidate_source(model).descriptions
    if descriptions is None:
        return np.full(len(model.items), np.nan, np.float32)
    scores = descriptions.mean_score(model.training.queries(np.arange(model.training.n_users)))
    ordered = np.sort(scores[~np.isnan(scores)])
    place = np.searchsorted(ordered, scores) / max(len(ordered), 1)
    return np.where(np.isnan(scores), np.nan, place).astype(np.float32)
