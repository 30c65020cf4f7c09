"""Facts of every item at the cut, the same for all customers: popularity, how people come back to it, price."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import Catalogue, FloatArray, IdArray, IntArray, Interactions, TrainingSet
from recommendations.engine.preprocess.popularity import recent_buyers, trend
from recommendations.engine.preprocess.rhythms import Rhythms
from recommendations.engine.ranking.promotion_facts import PromotionFacts, promotion_facts

MONTH = 28.0
FORMER = 112.0
"""Days of former buyers: who bought in them, but before the last month, may have come back in it."""

SHRINKAGE = 10.0  # former buyers that an item must have before its own return rate is believed by half
USUAL_DAYS, RECENT_DAYS = 182.0, 14.0  # of prices
CENT = 0.01


@dataclass(frozen=True, kw_only=True)
class Return:
    """How people come back to a thing (an item, a category)."""

    gap: FloatArray  # mean days from one purchase to the next by the same person; NaN where nobody came back
    rate: FloatArray  # share of former buyers who bought in the last month, shrunk to the whole shop's


@dataclass(frozen=True, kw_only=True)
class Categories:
    """The main category of each item; a last one holds the items without any."""

    of_item: IdArray  # [items]
    n: int
    back: Return  # [categories]
    buyers: FloatArray  # [categories]: of the last month, item by item
    share: FloatArray  # [items]: of the category's buyers of the last month
    rank: FloatArray  # [items]: log(1 + items of the category with more buyers)
    price: FloatArray  # [categories]: the middle of the prices paid (geometric mean)


@dataclass(frozen=True, kw_only=True)
class ItemFacts:
    """Facts of the items, made once per cut from its training set; arrays by item row."""

    back: Return
    categories: Categories
    popularity: Mapping[str, FloatArray]
    usual_price: FloatArray  # paid per unit; the catalogue's where nothing was paid; NaN where that is unknown too
    recent_price: FloatArray
    promotion: PromotionFacts | None  # None where the shop has told of none

    @property
    def n_items(self) -> int:
        return len(self.usual_price)

    @property
    def level(self) -> FloatArray:
        """log of an item's price over that of its category."""
        middle = self.categories.price[self.categories.of_item]
        return np.log(np.maximum(self.usual_price, CENT)) - np.log(np.maximum(middle, CENT))


def item_facts(training: TrainingSet) -> ItemFacts:
    """Make the facts from the past only, and the plan of the coming weeks in ``training.promotions``."""
    bought = training.teaching.where(training.teaching.bought)
    pairs = Rhythms(bought.user.astype(np.int64) * training.n_items + bought.item, bought.age)
    usual = _paid(bought, days=USUAL_DAYS, otherwise=training.catalogue.price)
    recent = _paid(bought, days=RECENT_DAYS, otherwise=usual)
    return ItemFacts(
        back=_return(pairs, pairs.keys % training.n_items, n=training.n_items),
        categories=_categories(bought, training.catalogue, usual),
        popularity=_popularity(training, pairs),
        usual_price=usual,
        recent_price=recent,
        promotion=promotion_facts(training),
    )


def _return(pairs: Rhythms, thing: IdArray, *, n: int) -> Return:
    """Gap and return rate by thing; ``pairs`` are the rhythms of persons with things, ``thing`` that of each pair."""
    gaps = np.bincount(thing, pairs.times - 1, minlength=n)
    days = np.bincount(thing, pairs.oldest - pairs.newest, minlength=n)
    recent = pairs.recent(MONTH)
    before = pairs.recent(FORMER) > recent
    former = np.bincount(thing, before, minlength=n)
    again = np.bincount(thing, before & (recent > 0), minlength=n)
    rate = (again + SHRINKAGE * again.sum() / max(former.sum(), 1)) / (former + SHRINKAGE)
    gap = np.divide(days, gaps, out=np.full(n, np.nan), where=gaps > 0)
    return Return(gap=gap.astype(np.float32), rate=rate.astype(np.float32))


def _categories(bought: Interactions, catalogue: Catalogue, price: FloatArray) -> Categories:
    n = catalogue.categories.shape[1] + 1
    of_item = catalogue.main_categories(missing=n - 1)
    keys = bought.user.astype(np.int64) * n + of_item[bought.item]
    first = first_of(keys, bought.basket)
    pairs = Rhythms(keys[first], bought.age[first])
    month = recent_buyers(bought, days=MONTH)
    buyers = np.bincount(of_item, month, minlength=n).astype(np.float32)
    order = np.lexsort((-month, of_item))
    sizes = np.bincount(of_item, minlength=n)
    rank = np.empty(len(of_item), np.float32)
    rank[order] = np.log1p(np.arange(len(of_item)) - np.repeat(np.cumsum(sizes) - sizes, sizes))
    paid = np.isfinite(price[bought.item])
    logs = np.log(np.maximum(price[bought.item[paid]], CENT))
    rows = of_item[bought.item[paid]]
    middle = np.exp(np.bincount(rows, logs, minlength=n) / np.maximum(np.bincount(rows, minlength=n), 1))
    return Categories(
        of_item=of_item,
        n=n,
        back=_return(pairs, pairs.keys % n, n=n),
        buyers=buyers,
        share=(month / np.maximum(buyers[of_item], 1)).astype(np.float32),
        rank=rank,
        price=middle.astype(np.float32),
    )


def first_of(keys: IdArray, basket: IntArray) -> IdArray:
    """Positions of the first row of each (key, basket): lines of one basket are one purchase of the key."""
    code = keys * (int(basket.max(initial=0)) + 1) + basket
    positions: IdArray = np.unique(code, return_index=True)[1]
    return positions


def _popularity(training: TrainingSet, pairs: Rhythms) -> dict[str, FloatArray]:
    acts, n = training.teaching, training.n_items
    item = pairs.keys % n
    buyers = {f"buyers_{days}d": recent_buyers(acts, days=days) for days in (7, 14, 28, 91)}
    buyers["buyers"] = np.bincount(item, minlength=n).astype(np.float32)
    for days in (7, 28, 56):
        buyers[f"new_buyers_{days}d"] = np.bincount(item, pairs.oldest < days, minlength=n).astype(np.float32)
    columns = {name: np.log1p(values) for name, values in buyers.items()}
    times = np.bincount(item, pairs.times, minlength=n)
    columns["trend"] = trend(acts)
    columns["trend_7d"] = (buyers["buyers_7d"] + 1) / (buyers["buyers_28d"] / 4 + 1)
    columns["new_share"] = buyers["new_buyers_28d"] / np.maximum(buyers["buyers_28d"], 1)
    columns["times_per_buyer"] = (times / np.maximum(buyers["buyers"], 1)).astype(np.float32)
    columns["listed"] = training.catalogue.listed_age
    columns |= _by_basket(acts, pairs, buyers["buyers"])
    return columns


def _by_basket(acts: Interactions, pairs: Rhythms, buyers: FloatArray) -> dict[str, FloatArray]:
    """What people's newest baskets hold, whenever that was, and who took it more than once."""
    bought, n = acts.where(acts.bought), acts.n_items
    newest = bought.basket_rank == 0
    last = np.bincount(bought.item[newest], minlength=n).astype(np.float32)
    again = np.bincount(pairs.keys % n, pairs.times > 1, minlength=n)
    usual = float(again.sum()) / max(float(buyers.sum()), 1.0)
    return {
        "last_baskets": np.log1p(last),
        "last_to_buyers": (last / np.maximum(buyers, 1)).astype(np.float32),
        "taken_again": ((again + SHRINKAGE * usual) / (buyers + SHRINKAGE)).astype(np.float32),
    }


def _paid(bought: Interactions, *, days: float, otherwise: FloatArray) -> FloatArray:
    """Money per unit of each item over the last ``days``."""
    recent = (bought.age < days) & (bought.quantity > 0)
    items = bought.item[recent]
    amount = np.bincount(items, bought.amount[recent], minlength=bought.n_items)
    units: NDArray[np.float64] = np.bincount(items, bought.quantity[recent], minlength=bought.n_items)
    return np.divide(amount, units, out=otherwise.astype(np.float64), where=units > 0).astype(np.float32)
