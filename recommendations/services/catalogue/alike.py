"""Items that read or look like another one, by what the catalogue says and shows of them, beside who bought both."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.describe.neighbours import LOOKS, READS, Neighbourhood
from recommendations.engine.frames import FloatArray, IntArray
from recommendations.models import Item
from recommendations.services.catalogue.pictures import PictureReading, picture_reading
from recommendations.services.catalogue.quality import is_sold_out
from recommendations.store.models.artefacts import load_arrays
from recommendations.store.models.model import SPACE_ENDS, SPACES, TEACHES, spaces_of
from recommendations.terms import Cut

MOST = 8
LOOKED_AT = 40  # nearest items, of which those that are still sold are shown
ACTS = ("interactions/item", "interactions/user", "interactions/bought")

type Arrays = Mapping[str, NDArray[Any]]


class Alike(NamedTuple):
    """An item beside another one: how alike they read and how alike their buyers are, each a cosine of 0 … 1."""

    item: Item
    reads: float
    bought: float | None  # None: of one of them nothing was bought


class LooksAlike(NamedTuple):
    """An item beside another one: how alike they look and read, each a cosine of 0 … 1."""

    item: Item
    looks: float
    reads: float | None  # None: of one of them nothing is written

    @property
    def score(self) -> float:
        """The two together: .7 of the looks and .3 of the words."""
        return LOOKS * self.looks + READS * (self.reads or 0)


class ItemsBeside(NamedTuple):
    """Items like another one; ``looking`` is None where pictures cannot be compared at all: the extra is missing."""

    reading: list[Alike]
    looking: list[LooksAlike] | None
    is_seen: bool  # whether the live model knows the picture of the item
    has_stopped: bool  # whether pictures were looked at before, and no new one is


def alike_items(item: Item, *, version: int | None) -> ItemsBeside:
    """Items that are sold and read or look most like this one, the nearest first; none where the model cannot tell."""
    reading = picture_reading()
    nothing = ItemsBeside(
        [], None if reading is PictureReading.NEVER else [], is_seen=False,
        has_stopped=reading is PictureReading.STOPPED,
    )  # fmt: skip
    if version is None:
        return nothing
    arrays = load_arrays(
        version, Cut.LIVE, prefix=("ids/items", "catalogue/vectors", SPACES, SPACE_ENDS, *ACTS, TEACHES)
    )
    keys, vectors = arrays["ids/items"], arrays.get("catalogue/vectors")
    row = int(np.searchsorted(keys, item.pk))
    if vectors is None or row == len(keys) or keys[row] != item.pk:
        return nothing
    spaces = spaces_of(arrays)
    texts, pictures = Neighbourhood.of_texts(vectors, spaces), Neighbourhood.of_pictures(vectors, spaces)
    alike = nothing._replace(reading=_reads_like(row, texts, arrays=arrays))
    if pictures is None:
        return alike
    looks = pictures.cosines(row)
    looking = _looks_like(item, row, looks=looks, reads=texts.cosines(row), keys=keys)
    return alike._replace(looking=looking, is_seen=not np.isnan(looks[row]))


def _reads_like(row: int, texts: Neighbourhood, *, arrays: Arrays) -> list[Alike]:
    keys = arrays["ids/items"]
    rows, cosines = texts.nearest(row, most=LOOKED_AT)
    sold = Item.objects.filter(retired_at=None).in_bulk(keys[rows].tolist())
    shown = [(place, sold[key]) for place, key in enumerate(keys[rows].tolist()) if key in sold][:MOST]
    bought = _bought_alike(row, rows[[place for place, _item in shown]], acts=arrays)
    return [Alike(each, float(cosines[place]), share) for (place, each), share in zip(shown, bought, strict=True)]


def _looks_like(
    item: Item, row: int, *, looks: FloatArray, reads: FloatArray, keys: NDArray[np.int64]
) -> list[LooksAlike]:
    """Items in stock of the same kind that look most like one, by .7 of the pictures and .3 of the texts."""
    score = np.where(
        np.isnan(looks), -np.inf, LOOKS * np.maximum(looks, 0) + READS * np.maximum(np.nan_to_num(reads), 0)
    )
    score[row] = -np.inf
    rows = np.argsort(-score, kind="stable")[: 10 * LOOKED_AT]
    rows = rows[(score[rows] > 0) & (looks[rows] > 0)]
    sold = Item.objects.filter(retired_at=None, kind=item.kind).exclude(is_sold_out())
    may = sold.in_bulk(keys[rows].tolist())
    kin = {item.pk, item.parent_id or item.pk}
    shown: list[LooksAlike] = []
    for at, key in zip(rows.tolist(), keys[rows].tolist(), strict=True):
        other = may.get(key)
        if other is not None and not kin & {other.pk, other.parent_id}:
            shown.append(LooksAlike(other, min(float(looks[at]), 1), _cosine(reads[at])))
        if len(shown) == MOST:
            break
    return shown


def _cosine(value: float) -> float | None:
    return None if np.isnan(value) else float(min(max(value, 0), 1))


def _bought_alike(row: int, others: IntArray, *, acts: Arrays) -> list[float | None]:
    """Cosine of the buyers of an item with those of each of the others: common ones / √(its · theirs)."""
    item, user, bought = (acts[name] for name in ACTS)
    mine = bought & acts.get(TEACHES, True) & np.isin(item, [row, *others.tolist()])
    buyers = {one: np.unique(user[mine & (item == one)]) for one in (row, *others.tolist())}
    own = buyers[row]
    return [
        len(np.intersect1d(own, theirs)) / float(np.sqrt(len(own) * len(theirs))) if len(own) and len(theirs) else None
        for theirs in (buyers[one] for one in others.tolist())
    ]
