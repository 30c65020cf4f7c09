"""Items that are like another one: by their texts, their pictures, and who bought them; nobody is asked for."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from django.conf import settings

from recommendations.engine.describe.neighbours import Neighbourhood
from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.interests.shared_buyers import Bought, SharedBuyers
from recommendations.engine.ranking.rules import left_in
from recommendations.engine.ranking.variants import siblings
from recommendations.serving.candidates import candidate_source
from recommendations.serving.types import Product
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model, load_bought
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.vector_terms import LikenessBy

PLACEMENT = "item"  # whose rules hold
LOOKED_AT = 400  # of the most alike, of which those that may be shown are shown
HELD = 2_048  # items whose most alike are held


class ItemLikeness(NamedTuple):
    """How alike two items are, each 0 … 1; None where that cannot be known."""

    text: float | None
    picture: float | None
    behaviour: float | None


class SimilarItem(NamedTuple):
    product: Product
    likeness: ItemLikeness


class SimilarItems(NamedTuple):
    model_version: int | None
    items: Sequence[SimilarItem]  # the most alike first


class _MostAlike(NamedTuple):
    """Rows of the model, the most alike first, with their likeness by each of its parts; NaN where unknown."""

    rows: IntArray
    parts: Sequence[FloatArray]  # as in ItemLikeness


def similar_items(shop_id: str, *, by: LikenessBy, n: int, now: datetime, but: Collection[str] = ()) -> SimilarItems:
    """Items that may be shown and are like one of the catalogue; none where the model knows nothing of it.

    What is sold out, or what a rule of the placement of similar items leaves out for everybody, is not among them, nor
    what is ``but`` excluded, nor a variant of the item. Raises NotLoadedError where this process has read nothing yet.
    """
    snapshot = current_snapshot()
    model, stock = snapshot.model, snapshot.stock
    own = stock.row_of.get(shop_id, -1)
    row = -1 if model is None or own < 0 else model.items.row(int(stock.ids.ids[own]))
    if model is None or row < 0:
        return SimilarItems(model.version_id if model else None, ())
    alike = _alike(model).most_alike(row, by)
    rows = snapshot.stock_rows[alike.rows]
    may = _may_be_shown(snapshot, rows, own=own, now=now)
    barred = {stock.row_of[each] for each in but if each in stock.row_of}
    places = [at for at in np.flatnonzero(may).tolist() if rows[at] not in barred][:n]
    items = [
        SimilarItem(stock.products[rows[at]], ItemLikeness(*(_rounded(part[at]) for part in alike.parts)))
        for at in places
    ]
    return SimilarItems(model.version_id, items)


def _may_be_shown(snapshot: Snapshot, rows: IntArray, *, own: int, now: datetime) -> BoolArray:
    """Mask of the rows of the stock that may be shown beside one; −1 is gone."""
    families = snapshot.stock.families
    kin = np.array([own], np.int32) if families is None else siblings(np.array([own], np.int32), families)
    may = (rows >= 0) & snapshot.sellable(now)[rows] & ~np.isin(rows, kin)
    rules = snapshot.rules.applying(
        placement=PLACEMENT, segment=None, audiences=(), customer=None, context=np.array([own], np.int32), now=now
    )
    return left_in(rows, may, rules)[0]


def _rounded(value: float) -> float | None:
    """Likeness as it is told, to four places; None for NaN."""
    return None if np.isnan(value) else round(float(min(max(value, 0), 1)), 4)


class Resemblance:
    """How alike the items of one model are; what was asked of late is held."""

    def __init__(self, model: Model) -> None:
        described, catalogue = candidate_source(model).descriptions, model.training.catalogue
        vectors = catalogue.vectors if described is None else described.features_[:, :-1]  # as floats already
        if vectors is None:
            vectors = np.zeros((len(model.items), 0), np.float32)
        self._texts = Neighbourhood.of_texts(vectors, catalogue.spaces)
        self._pictures = Neighbourhood.of_pictures(vectors, catalogue.spaces)
        bought = load_bought(model.version_id, model.cut) or Bought.of(model.training.teaching)
        self._buyers = SharedBuyers(bought, people=settings.SMALLEST_GROUP)
        self.most_alike = lru_cache(HELD)(self._most_alike)

    def _most_alike(self, row: int, by: LikenessBy) -> _MostAlike:
        """The most alike items; of what two have in common by all, what cannot be known counts as nothing."""
        text, behaviour = self._texts.cosines(row), self._buyers.cosines(row)
        picture = np.full_like(text, np.nan) if self._pictures is None else self._pictures.cosines(row)
        parts = {LikenessBy.TEXT: text, LikenessBy.PICTURE: picture, LikenessBy.BEHAVIOUR: behaviour}
        asked = parts.values() if by is LikenessBy.ALL else [parts[by]]
        score = np.sum([np.maximum(np.nan_to_num(part), 0) for part in asked], axis=0)
        score[row] = 0
        rows = np.argsort(-score, kind="stable")[:LOOKED_AT]
        rows = rows[score[rows] > 0]
        return _MostAlike(rows.astype(np.int32), [part[rows] for part in parts.values()])


@held_by_model
def _alike(model: Model) -> Resemblance:
    return Resemblance(model)
