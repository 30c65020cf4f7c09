"""Placements that show a part of the shop: a category, what a search found, the newest, what somebody began."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.ranking.selection import SelectionParams
from recommendations.serving.candidates import CandidateSource
from recommendations.serving.customer_context import CustomerContext
from recommendations.serving.fallback import FallbackSource, fallback_chain
from recommendations.serving.search import matching
from recommendations.serving.taste.likings import meaning
from recommendations.serving.types import ResolvedRequest
from recommendations.store.models.model import Model
from recommendations.store.serving.series import GoingOn
from recommendations.store.serving.snapshot import ServedPlacement, Snapshot
from recommendations.store.serving.stock import Stock, of_categories
from recommendations.terms import CatalogueScope, Fallback, Source

NEW = 100
"""So many of the newest items that may be shown are put into the order of the customer's taste."""

MOST = 100
"""The most items that an answer may have."""


class ScopedItems(NamedTuple):
    """The part of the shop that an answer is of; ``rows`` are those of the stock and ascend, None: the whole shop.

    ``why`` says why it is not the part that was asked for; ``going_on`` is what the customer has begun, in order.
    """

    scope: CatalogueScope = CatalogueScope.WHOLE
    rows: IntArray | None = None
    why: Fallback | None = None
    going_on: tuple[GoingOn, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether it is a part of its own for each customer, which takes no model."""
        return self.scope in {CatalogueScope.FOLLOWED, CatalogueScope.BEGUN}

    def of_model(self, model: Model, stock: Stock) -> IntArray | None:
        """Rows of the model in place of the stock's, of the items that it knows; they ascend."""
        if self.rows is None:
            return None
        rows = model.items.rows(stock.ids.ids[self.rows])
        return np.sort(rows[rows >= 0]).astype(np.int32)


WHOLE = ScopedItems()
BY_TIME = frozenset({CatalogueScope.NEWEST, CatalogueScope.FOLLOWED, CatalogueScope.BEGUN})


def resolved(request: ResolvedRequest, placement: ServedPlacement) -> ResolvedRequest:
    """Take the context items of a search for what it found, not for what the customer looks at."""
    if placement.scope is not CatalogueScope.FOUND:
        return request
    return replace(request, found_items=request.context_items, context_items=())


def scope_of(
    request: ResolvedRequest,
    placement: ServedPlacement,
    *,
    snapshot: Snapshot,
    customer: CustomerContext,
    open_: BoolArray,
    sellable: BoolArray,
) -> ScopedItems:
    """The part of the shop that a placement shows; ``open_`` by row of the stock: what may be shown, but for that, and
    ``sellable``: what is for sale, whatever the request filters.
    """
    match placement.scope:
        case CatalogueScope.CATEGORY:
            return _category(request, snapshot)
        case CatalogueScope.FOUND:
            return _found_by_search(request, snapshot)
        case CatalogueScope.NEWEST:
            order = snapshot.stock.newest
            return ScopedItems(CatalogueScope.NEWEST, np.sort(order[open_[order]][:NEW]))
        case CatalogueScope.FOLLOWED:
            return _followed(customer, snapshot=snapshot, open_=open_)
        case CatalogueScope.BEGUN:
            return _begun(customer, snapshot=snapshot, open_=open_, sellable=sellable)
        case _:
            return WHOLE


def narrowed(params: SelectionParams, scope: ScopedItems, *, request: ResolvedRequest, stock: Stock) -> SelectionParams:
    """Narrow ``params`` to the scope. All that a search found is shown, up to ``MOST``, where nobody says how many."""
    if scope.rows is None:
        return params
    allowed = np.zeros(len(stock), np.bool_)
    allowed[scope.rows] = True
    if params.allowed is not None:
        allowed &= params.allowed
    n = params.n if request.n else max(params.n, min(len(request.found_items), MOST))
    return replace(params, allowed=allowed, n=n)


def fallbacks_of(
    scope: ScopedItems,
    *,
    request: ResolvedRequest,
    snapshot: Snapshot,
    candidates: CandidateSource | None,
    customer: CustomerContext,
) -> Iterable[FallbackSource]:
    """Fallback sources of a scope; what was found and what is new fills up always, as it was asked for."""
    if scope.scope is CatalogueScope.BEGUN:  # and nothing else, where that is not enough
        return (FallbackSource(Source.SESSION, np.array([one.row for one in scope.going_on], np.int32)),)
    if scope.scope in BY_TIME:
        return (FallbackSource(Source.NEWEST, snapshot.stock.newest),)
    if not request.fill and scope.scope is not CatalogueScope.FOUND:
        return ()
    return fallback_chain(snapshot, candidates, customer)


def _followed(customer: CustomerContext, *, snapshot: Snapshot, open_: BoolArray) -> ScopedItems:
    """The newest items of the brands, categories, creators and collections that a customer follows."""
    wanted = np.zeros(len(snapshot.stock), np.bool_)
    for liking in customer.followed:
        wanted |= meaning(liking, snapshot)
    order = snapshot.stock.newest
    rows = np.sort(order[(open_ & wanted)[order]][:NEW])
    return ScopedItems(CatalogueScope.FOLLOWED, rows) if len(rows) else ScopedItems(why=Fallback.NOTHING_FOLLOWED)


def _begun(customer: CustomerContext, *, snapshot: Snapshot, open_: BoolArray, sellable: BoolArray) -> ScopedItems:
    """What a customer goes on with; nothing at all where they began nothing."""
    going_on = tuple(one for one in customer.watched.goes_on(snapshot.stock, sellable=sellable) if open_[one.row])
    rows = np.unique(np.array([one.row for one in going_on], np.int32))
    if customer.why_not is Fallback.NOT_PERSONALISED:
        return ScopedItems(CatalogueScope.BEGUN, rows, Fallback.NOT_PERSONALISED)
    return ScopedItems(CatalogueScope.BEGUN, rows, None if going_on else Fallback.NOTHING_BEGUN, going_on)


def _category(request: ResolvedRequest, snapshot: Snapshot) -> ScopedItems:
    """Items in the categories of the request, else in those of the items in view."""
    stock = snapshot.stock
    if request.categories:
        keys = snapshot.names.under(request.categories)
    else:
        seen = stock.ids.rows(np.array(request.context_items, np.int64))
        kinds = list(stock.kinds)
        keys = frozenset(key for number in stock.column("kind")[seen[seen >= 0]].tolist() for key in kinds[number])
        if not keys:
            return ScopedItems(why=Fallback.NO_CONTEXT)
    rows = np.flatnonzero(of_categories(stock, keys)).astype(np.int32)
    return ScopedItems(CatalogueScope.CATEGORY, rows, None if keys else Fallback.UNKNOWN_CATEGORY)


def _found_by_search(request: ResolvedRequest, snapshot: Snapshot) -> ScopedItems:
    """Items that the search found, else those that match its term, else the whole shop."""
    stock = snapshot.stock
    if request.found_items:
        rows = stock.ids.rows(np.array(request.found_items, np.int64))
        return ScopedItems(CatalogueScope.FOUND, np.unique(rows[rows >= 0]).astype(np.int32))
    if not request.search_term:
        return ScopedItems(why=Fallback.NO_CONTEXT)
    rows = matching(request.search_term, snapshot)
    return ScopedItems(CatalogueScope.FOUND, rows) if len(rows) else ScopedItems(why=Fallback.NO_MATCH)
