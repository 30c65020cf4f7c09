"""The slot of an answer that may go to a new item which was promised its first impressions.

It is the last slot that no rule holds. With the share of the budget it shows one of the open promises that this
customer may see, else what is ranked there; both chances are exact, so that what was shown can be weighed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.ranking.promise import Budget, chances
from recommendations.engine.ranking.rules import Rule, of_kind
from recommendations.engine.ranking.selection import CatalogueState, Selection, SelectionParams, eligibility
from recommendations.engine.ranking.slots import Cap
from recommendations.terms import RuleAction

NOT_RANKED = -1  # the place in the ranking of what stands there for another reason


@dataclass(frozen=True, kw_only=True, eq=False)
class PromiseOffer:
    """The open promises of a placement, and how well each fits the customer."""

    rows: IntArray  # of the items, ascending
    age: FloatArray  # days since it was given
    fit: FloatArray  # NaN where nobody can say
    budget: Budget

    def only(self, may: BoolArray) -> "PromiseOffer":
        """The promises that may be shown here; the budget is that of all."""
        return PromiseOffer(rows=self.rows[may], age=self.age[may], fit=self.fit[may], budget=self.budget)


def with_promise(
    selection: Selection,
    offer: PromiseOffer,
    *,
    catalogue: CatalogueState,
    params: SelectionParams,
    draw: np.random.Generator,
) -> Selection:
    """The selection with the last open slot given to an open promise by the chances of the budget.

    Where nothing is open that this customer may see, nothing is drawn and nothing changes. Else the chance of what is
    ranked there is 1 − ε times what it was, and that of the new item ε times its own among the open ones.
    """
    slot = _open_slot(selection)
    if slot is None or not offer.budget.share:
        return selection
    eligible, _ = eligibility(offer.rows, catalogue=catalogue, params=params)
    others = np.delete(selection.items, slot)
    fits = _beside(offer.rows, shown=others, rules=params.rules, families=catalogue.families)
    unknown = ~np.isin(offer.rows, params.bought) & (offer.rows != selection.items[slot])
    offer = offer.only(eligible & fits & unknown)
    if not len(offer.rows):
        return selection
    propensity = selection.propensity.copy()
    propensity[slot] *= 1 - offer.budget.share
    if draw.random() >= offer.budget.share:
        return replace(selection, propensity=propensity)
    likely = chances(offer.age, offer.fit, load=offer.budget.load)
    at = int(draw.choice(len(likely), p=likely))
    propensity[slot] = offer.budget.share * likely[at]
    return _given(selection, slot, offer.rows[at], propensity=propensity)


def _open_slot(selection: Selection) -> int | None:
    """The last slot that no rule holds; None where rules hold all."""
    free = [place for place in range(len(selection.items)) if place not in selection.fixed]
    return free[-1] if free else None


def _beside(rows: IntArray, *, shown: IntArray, rules: Sequence[Rule], families: IntArray | None) -> BoolArray:
    """Mask of the items that may stand beside those that are shown: none twice, no second tile of a product, no cap
    broken.
    """
    may = ~np.isin(rows, shown)
    if families is not None:
        may &= ~np.isin(families[rows], families[shown])
    both = np.concatenate([shown, rows]).astype(np.int32)
    for rule in of_kind(rules, RuleAction.CAP):
        cap = Cap(rule, both)
        for place in range(len(shown)):
            cap.take(place)
        may &= ~cap.blocked[len(shown) :]
    return np.asarray(may)


def _given(selection: Selection, slot: int, row: int, *, propensity: NDArray[np.float64]) -> Selection:
    """The selection with a new item in a slot: no part of a score has brought it there."""

    def without[A: np.generic](values: NDArray[A]) -> NDArray[A]:
        changed = values.copy()
        changed[..., slot] = 0
        return changed

    items, places = selection.items.copy(), selection.places.copy()
    items[slot], places[slot] = row, NOT_RANKED
    return replace(
        selection,
        items=items,
        score=without(selection.score),
        final=without(selection.final),
        contributions=without(selection.contributions),
        lifted={name: without(values) for name, values in selection.lifted.items()},
        fatigue=without(selection.fatigue),
        boosts={key: without(values) for key, values in selection.boosts.items()},
        diversity=without(selection.diversity),
        touched={key: without(values) for key, values in selection.touched.items()},
        propensity=propensity,
        places=places,
        fixed=tuple(sorted({*selection.fixed, slot})),
        promised=slot,
    )
