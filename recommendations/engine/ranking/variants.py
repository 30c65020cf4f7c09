"""Variants of a product: of each product one tile, that of the variant which ranks best, or is pinned.

``families`` says by item row which product an item is: the row of the item that it is a variant of, else its own.
"""

from dataclasses import replace

import numpy as np

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.contenders import Contenders
from recommendations.engine.ranking.rules import Rule
from recommendations.engine.ranking.slots import Cap
from recommendations.terms import RuleAction


def best_of_each(contenders: Contenders, families: IntArray) -> Contenders:
    """The contenders, with the scores of all but one of each product −inf; a pinned one stays, else the best."""
    open_ = np.flatnonzero(contenders.scores > -np.inf)
    product = families[contenders.items[open_]]
    free = ~np.isin(open_, [pin.candidate for pin in contenders.pins.values()])
    order = np.lexsort((open_, -contenders.scores[open_], free))
    first = np.unique(product[order], return_index=True)[1]
    if len(first) == len(open_):
        return contenders
    scores = np.full_like(contenders.scores, -np.inf)
    best = open_[order[first]]
    scores[best] = contenders.scores[best]
    return replace(contenders, scores=scores)


def siblings(rows: IntArray, families: IntArray) -> IntArray:
    """All rows of the products that these rows are of, ascending."""
    wanted = np.zeros(len(families), np.bool_)
    wanted[families[rows]] = True
    return np.flatnonzero(wanted[families]).astype(np.int32)


def one_tile_each(families: IntArray) -> Cap:
    """A cap, over every row, that lets one item of each product be shown."""
    every = np.arange(len(families), dtype=np.int32)
    whole = np.ones(len(families), np.bool_)
    return Cap(Rule(key=0, action=RuleAction.CAP, items=whole, most=1, groups=families), every)
