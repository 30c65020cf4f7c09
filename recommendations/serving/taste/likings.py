"""Items of today's shop that are meant by what a customer says they like."""

from collections.abc import Sequence

import numpy as np

from recommendations.engine.frames import BoolArray, FloatArray
from recommendations.serving.taste.liked_items import LikedItems
from recommendations.store.live.state import Liking, LikingKind
from recommendations.store.rules.conditions import Condition
from recommendations.store.serving.rule_matching import OutOfReachError
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.stock import of_brands, of_categories, of_collections, of_creators
from recommendations.terms import Operator

EVEN = np.float32(0.1)
"""What is liked of a kind counts at least so much, though nobody takes it at present."""

MOST_LIKINGS = 100
"""Likings of one customer that a list is made of: first what they stated."""

OF_ITS_KIND = np.float32(0.5)
"""How much what stands in the same categories as a liked item counts beside it."""


def liked_items(likings: Sequence[Liking], popularity: FloatArray, snapshot: Snapshot) -> LikedItems | None:
    """What these mean in the shop of today, each as much as the others, and in each what is popular first.

    ``popularity`` is of the items of the model. None where they mean nothing that it knows.
    """
    together, most = np.zeros(len(popularity), np.float32), np.zeros(len(popularity), np.float32)
    strongest = np.zeros(len(popularity), np.int32)
    for place, liking in enumerate(likings[:MOST_LIKINGS]):
        scores = _scores(liking, popularity, snapshot)
        together += scores
        strongest[scores > most] = place
        np.maximum(most, scores, out=most)
    rows = np.flatnonzero(together).astype(np.int32)
    if not len(rows):
        return None
    return LikedItems(tuple(likings), rows.tobytes(), together[rows].tobytes(), strongest[rows].tobytes())


def meaning(liking: Liking, snapshot: Snapshot) -> BoolArray:
    """Mask of the stock: what belongs to a category, a brand, a creator, a collection or a tag, or is the item."""
    stock = snapshot.stock
    match liking.kind:
        case LikingKind.CATEGORY:
            return of_categories(stock, snapshot.names.under([liking.name]))
        case LikingKind.BRAND:
            return of_brands(stock, [liking.name])
        case LikingKind.CREATOR:
            return of_creators(stock, [liking.name])
        case LikingKind.COLLECTION:
            return of_collections(stock, [liking.name])
        case LikingKind.TAG:
            return _tagged(liking.name, snapshot)
    return np.asarray(np.arange(len(stock)) == stock.row_of.get(liking.name, -1))


def _scores(liking: Liking, popularity: FloatArray, snapshot: Snapshot) -> FloatArray:
    """Scores of one liking, [items of the model]: the root of what is popular of it, at most 1."""
    if liking.kind is LikingKind.ITEM:
        return _of_item(snapshot.stock.row_of.get(liking.name), popularity, snapshot)
    return _by_popularity(_of_model(meaning(liking, snapshot), snapshot), popularity)


def _of_item(row: int | None, popularity: FloatArray, snapshot: Snapshot) -> FloatArray:
    """The item above all, and what stands in the same categories half as much."""
    if row is None:
        return np.zeros(len(popularity), np.float32)
    kinds = snapshot.stock.column("kind")
    scores = OF_ITS_KIND * _by_popularity(_of_model(kinds == kinds[row], snapshot), popularity)
    scores[snapshot.stock_rows == row] = 1
    return scores


def _tagged(tag: str, snapshot: Snapshot) -> BoolArray:
    """Mask of the stock by a tag; nothing where PostgreSQL would have to say it and is away."""
    try:
        [met] = snapshot.rules.lookup.met_each([Condition("tag", Operator.IS, (tag,))])
    except OutOfReachError:
        return np.zeros(len(snapshot.stock), np.bool_)
    return met


def _by_popularity(items: BoolArray, popularity: FloatArray) -> FloatArray:
    root = np.sqrt(np.maximum(popularity, 0), dtype=np.float32)
    most = root[items].max(initial=0)
    part = root / most if most else np.ones_like(root)
    return np.where(items, EVEN + (1 - EVEN) * part, 0).astype(np.float32)


def _of_model(stock: BoolArray, snapshot: Snapshot) -> BoolArray:
    rows = snapshot.stock_rows
    return np.asarray((rows >= 0) & stock[rows])
