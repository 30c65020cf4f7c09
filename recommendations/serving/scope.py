"""Placements that show a part of the shop: a category, what a search found, the newest."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.ranking.selection import Wish
from recommendations.serving.candidates import Pools
from recommendations.serving.customer_context import Person
from recommendations.serving.fallback import Rung, ladder, newest
from recommendations.serving.search import matching
from recommendations.serving.types import Ask
from recommendations.store.models.model import Model
from recommendations.store.serving.snapshot import ServedPlacement, Snapshot
from recommendations.store.serving.stock import Stock, of_categories
from recommendations.terms import PATH_SEPARATOR, Fallback, Part, Source

NEW = 100
"""Among so many of the newest items that may be shown the customer's taste makes the order."""

MOST = 100
"""Items that an answer may have."""


class Section(NamedTuple):
    """The part of the shop that an answer is of; ``rows`` are those of the stock and ascend, None: the whole shop.

    ``why``: it is not the part that was asked for.
    """

    part: Part = Part.WHOLE
    rows: IntArray | None = None
    why: Fallback | None = None

    def of_model(self, model: Model, stock: Stock) -> IntArray | None:
        """The same as rows of the model, of the items that it knows; they ascend."""
        if self.rows is None:
            return None
        rows = model.items.rows(stock.ids.ids[self.rows])
        return np.sort(rows[rows >= 0]).astype(np.int32)


WHOLE = Section()


def understood(ask: Ask, placement: ServedPlacement) -> Ask:
    """To a search the items of the context are what was found, not what the customer looks at."""
    if placement.part is not Part.FOUND:
        return ask
    return replace(ask, found_items=ask.context_items, context_items=())


def section_of(ask: Ask, placement: ServedPlacement, *, snapshot: Snapshot, open_: BoolArray) -> Section:
    """``open_`` by row of the stock: what may be shown, as far as the section does not say."""
    match placement.part:
        case Part.CATEGORY:
            return _category(ask, snapshot)
        case Part.FOUND:
            return _found(ask, snapshot)
        case Part.NEWEST:
            order = newest(snapshot)
            return Section(Part.NEWEST, np.sort(order[open_[order]][:NEW]))
        case _:
            return WHOLE


def narrowed(wish: Wish, section: Section, *, ask: Ask, stock: Stock) -> Wish:
    """To the section. All that a search found is shown, up to what an answer may have, where nobody says how many."""
    if section.rows is None:
        return wish
    allowed = np.zeros(len(stock), np.bool_)
    allowed[section.rows] = True
    if wish.allowed is not None:
        allowed &= wish.allowed
    n = wish.n if ask.n else max(wish.n, min(len(ask.found_items), MOST))
    return replace(wish, allowed=allowed, n=n)


def rungs_of(section: Section, *, ask: Ask, snapshot: Snapshot, pools: Pools | None, person: Person) -> Iterable[Rung]:
    """What stands in for the candidates; what was found and what is new does so always, as it was asked for."""
    if section.part is Part.NEWEST:
        return (Rung(Source.NEWEST, newest(snapshot)),)
    if not ask.fill and section.part is not Part.FOUND:
        return ()
    return ladder(snapshot, pools, person)


def keys_under(snapshot: Snapshot, paths: Sequence[str]) -> frozenset[int]:
    """Of the categories with these paths, and of all that lie under them."""
    under = tuple(f"{path}{PATH_SEPARATOR}" for path in paths)
    names = snapshot.names.categories.items()
    return frozenset(key for key, (path, _) in names if path in paths or path.startswith(under))


def _category(ask: Ask, snapshot: Snapshot) -> Section:
    """Those of the request, else those that the items in view are in."""
    stock = snapshot.stock
    if ask.categories:
        keys = keys_under(snapshot, ask.categories)
    else:
        seen = stock.ids.rows(np.array(ask.context_items, np.int64))
        kinds = list(stock.kinds)
        keys = frozenset(key for number in stock.column("kind")[seen[seen >= 0]].tolist() for key in kinds[number])
        if not keys:
            return Section(why=Fallback.NO_CONTEXT)
    rows = np.flatnonzero(of_categories(stock, keys)).astype(np.int32)
    return Section(Part.CATEGORY, rows, None if keys else Fallback.UNKNOWN_CATEGORY)


def _found(ask: Ask, snapshot: Snapshot) -> Section:
    """What the search found, else what matches its term, else the whole shop."""
    stock = snapshot.stock
    if ask.found_items:
        rows = stock.ids.rows(np.array(ask.found_items, np.int64))
        return Section(Part.FOUND, np.unique(rows[rows >= 0]).astype(np.int32))
    if not ask.search_term:
        return Section(why=Fallback.NO_CONTEXT)
    rows = matching(ask.search_term, snapshot)
    return Section(Part.FOUND, rows) if len(rows) else Section(why=Fallback.NO_MATCH)
