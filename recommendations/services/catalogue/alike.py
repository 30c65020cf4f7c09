"""Items that read like another one, by what the catalogue says of them, beside who bought both."""

from typing import NamedTuple

import numpy as np

from recommendations.engine.describe.neighbours import Neighbourhood
from recommendations.engine.frames import IntArray
from recommendations.models import Item
from recommendations.store.models.artefacts import load_arrays
from recommendations.store.models.model import SPACE_ENDS, SPACES, TEACHES, spaces_of
from recommendations.terms import Cut

MOST = 8
LOOKED_AT = 40  # nearest items, of which those that are still sold are shown


class Alike(NamedTuple):
    """An item beside another one: how alike they read and how alike their buyers are, each a cosine of 0 … 1."""

    item: Item
    reads: float
    bought: float | None  # None: of one of them nothing was bought


def reads_like(item: Item, *, version: int | None) -> list[Alike]:
    """Items that are sold and read most like this one, the nearest first; none where the model cannot tell."""
    if version is None:
        return []
    arrays = load_arrays(version, Cut.LIVE, prefix=("ids/items", "catalogue/vectors", SPACES, SPACE_ENDS))
    keys, vectors = arrays["ids/items"], arrays.get("catalogue/vectors")
    row = int(np.searchsorted(keys, item.pk))
    if vectors is None or row == len(keys) or keys[row] != item.pk:
        return []
    rows, cosines = Neighbourhood(vectors, spaces_of(arrays)).nearest(row, most=LOOKED_AT)
    sold = Item.objects.filter(retired_at=None).in_bulk(keys[rows].tolist())
    shown = [(place, sold[key]) for place, key in enumerate(keys[rows].tolist()) if key in sold][:MOST]
    bought = _bought_alike(row, rows[[place for place, _item in shown]], version=version)
    return [Alike(each, float(cosines[place]), share) for (place, each), share in zip(shown, bought, strict=True)]


def _bought_alike(row: int, others: IntArray, *, version: int) -> list[float | None]:
    """Cosine of the buyers of an item with those of each of the others: common ones / √(its · theirs)."""
    columns = ("interactions/item", "interactions/user", "interactions/bought")
    acts = load_arrays(version, Cut.LIVE, prefix=(*columns, TEACHES))
    item, user, bought = (acts[name] for name in columns)
    mine = bought & acts.get(TEACHES, True) & np.isin(item, [row, *others.tolist()])
    buyers = {one: np.unique(user[mine & (item == one)]) for one in (row, *others.tolist())}
    own = buyers[row]
    return [
        len(np.intersect1d(own, theirs)) / float(np.sqrt(len(own) * len(theirs))) if len(own) and len(theirs) else None
        for theirs in (buyers[one] for one in others.tolist())
    ]
