"""Off-policy estimates: how much more a draft would have earned than what was live, from answers already given.

Both are judged under the same exploration, so that what stays cancels. An item counts wherever it stood, by how much it
was looked at there: w = E_draft[attention of the item] / E_log[attention of the item] (position-based model, Li et al.
2018). A model of relevance r̂ speaks for what the clicks leave open (doubly robust), and alone where the weight is above
``MOST`` (Wang et al. 2017). Per answer

    Δ = Σ_a (wanted_a − live_a) r̂_a + Σ_k (w_draft − w_live) (click_k − q_k r̂_k).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.attention import Attention
from recommendations.engine.experiments.relevance import relevance
from recommendations.engine.frames import FloatArray

type Values = NDArray[np.float64]
type Orders = NDArray[np.integer]

MOST = 200.0
"""Weight above which one click would carry the estimate, so that the model of relevance alone speaks."""

DOUBT = 0.25
"""Part of what the model alone speaks for by which it may be wrong, at the end of the interval."""

MISFIT = 0.5
"""Price of clicks that come together, per part of the list that changes: calibrated on customers who stop after one."""

NORMAL = 1.959964  # standard deviations on either side of a 95 % interval

CAP = 99.0
"""Percentile of an answer's revenue at which revenue is cut."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LoggedAnswers:
    """Answers of a placement that were given and seen, and what came of them.

    An answer's items are those of its ranking, before anything was explored, and behind them such that only the draft
    ranks. Exploration depends on the slots that rules hold and on the length of the ranking: answers that agree in
    these share a form.
    """

    places: NDArray[np.integer]  # [answers, slots]: the item that each slot showed; −1: filled up, or empty
    clicks: Values  # [answers, slots], 0 or 1
    customers: NDArray[np.integer]  # [answers]; one without a name has a number of its own
    chances: Values  # [forms, ranked, slots]: chance of each place of the ranking to stand in each slot
    form: NDArray[np.integer]  # [answers]
    features: FloatArray  # [answers, items, features] of ``relevance``

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rankings:
    """Rankings of the same answers under other weights: [answers, ranked] items, −1 after the last.

    ``live`` is None where what is live made all the answers; else answers of earlier versions count, too.
    """

    draft: Orders
    live: Orders | None = None


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Difference of the draft to what is live, in outcomes an answer (clicks, or money), and how far it carries."""

    value: float
    low: float
    high: float
    live: float  # outcome an answer that is live
    answers: int
    worth: float  # answers of a live test that the log is worth
    never_shown: float  # share of the draft's attention at what was never shown, or hardly ever
    largest: float  # weight
    heaviest: float  # part of the half-width that one answer makes
    together: float  # co-clicks: 1 where the slots of an answer are independent
    changed: float  # share of the draft's list that is not in the live list


@dataclass(frozen=True, kw_only=True, eq=False)
class _Weighing:
    """Expected attention and weights of every item of every answer [answers, items], under one attention."""

    q: Values
    logged: Values
    draft: Values
    live: Values
    r: Values  # expected outcome if looked at
    squares: Values  # expected square of it

    @cached_property
    def unsupported(self) -> NDArray[np.bool_]:
        return (self.draft > 0) & (self.draft > MOST * self.logged)

    @cached_property
    def weights(self) -> Values:
        """Weight of the draft less that of what is live."""
        draft = np.where(self.unsupported, 0.0, self.draft)
        live = np.where(self.live > MOST * self.logged, 0.0, self.live)
        return quotient(draft - live, self.logged)


def pbm_dr(
    logged: LoggedAnswers, rankings: Rankings, attention: Attention, *, outcomes: Values | None = None
) -> Estimate:
    """Estimate the difference with its 95 % interval; ``outcomes`` [answers, slots] are the clicks, else money.

    Half-width 1.96 s + b: s² is the larger of the variance by customer and that of the draw itself, which counts the
    rare heavy clicks that a sample happens not to have, and the attention's, and what the model alone speaks for; b is
    the price of a wrong model of attention.
    """
    outcomes = logged.clicks if outcomes is None else outcomes
    n, live = len(logged), float(outcomes.sum(axis=1).mean())
    weighing = _weighing(logged, rankings, attention.q, outcomes)
    difference = _differences(logged, weighing, outcomes)
    scatter = max(clustered_variance(difference, logged.customers), _design(weighing) / n)
    doubt = DOUBT * float((weighing.draft * weighing.unsupported * weighing.r).sum(axis=1).mean()) / NORMAL
    swing = sum(_swing(logged, rankings, attention.q, shift, outcomes) ** 2 for shift in attention.shifts)
    error = math.sqrt(scatter + swing + doubt**2)
    together, changed = co_clicks(logged, attention.q), _changed(logged, rankings)
    half = NORMAL * error + MISFIT * abs(1 - together) * changed * live
    value = float(difference.mean())
    wanted = float(weighing.draft.sum())
    furthest = float(np.abs(difference - value).max(initial=0.0)) / n
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        live=live,
        answers=n,
        worth=float(outcomes.sum(axis=1).var()) / error**2 if error else math.inf,
        never_shown=float((weighing.draft * weighing.unsupported).sum()) / wanted if wanted else 0.0,
        largest=_largest(weighing),
        heaviest=furthest / (NORMAL * math.sqrt(scatter)) if scatter else 0.0,
        together=together,
        changed=changed,
    )


def capped(revenue: Values) -> Values:
    """Revenue by slot [answers, slots], an answer's being cut at the 99th percentile of those with any."""
    total = revenue.sum(axis=1)
    if not (total > 0).any():
        return revenue
    most = float(np.percentile(total[total > 0], CAP))
    return revenue * np.minimum(1.0, most / np.maximum(total, most))[:, None]


def co_clicks(logged: LoggedAnswers, q: Values) -> float:
    """Pairs of clicks in one answer over what independent slots would give under r̂; 1 where nothing is to be told."""
    r = relevance(logged.features, places=logged.places, outcomes=logged.clicks, q=q, customers=logged.customers)
    chance = q * at_slots(r, logged.places)
    expected = chance.sum(axis=0)
    chance = chance * quotient(logged.clicks.sum(axis=0), expected)
    pairs = _pairs(chance)
    return _pairs(logged.clicks) / pairs if pairs else 1.0


def attention_wanted(logged: LoggedAnswers, orders: Orders, q: Values) -> Values:
    """Expected attention of each item [answers, items] where ``orders`` are explored as the answers were."""
    by_place = (logged.chances @ q)[logged.form]
    items = logged.features.shape[1]
    wanted = np.zeros((len(orders), items + 1))  # the last column takes places without an item
    width = min(by_place.shape[1], orders.shape[1])
    at = np.where(orders[:, :width] >= 0, orders[:, :width], items)
    np.put_along_axis(wanted, at, by_place[:, :width], axis=1)
    return wanted[:, :items]


def _weighing(logged: LoggedAnswers, rankings: Rankings, q: Values, outcomes: Values) -> _Weighing:
    own = attention_wanted(logged, own_order(logged), q)
    live = own if rankings.live is None else attention_wanted(logged, rankings.live, q)

    def model(values: Values) -> Values:
        return relevance(
            logged.features, places=logged.places, outcomes=values, q=q, customers=logged.customers,
            most=float(values.max(initial=0.0)),
        )  # fmt: skip

    r = model(outcomes)
    squares = r if outcomes is logged.clicks else model(outcomes**2)
    draft = attention_wanted(logged, rankings.draft, q)
    return _Weighing(q=q, logged=own, draft=draft, live=live, r=r, squares=squares)


def own_order(logged: LoggedAnswers) -> Orders:
    """The rankings that the answers were made of."""
    ranked = logged.chances.shape[1]
    return np.broadcast_to(np.arange(ranked), (len(logged), ranked))


def _differences(logged: LoggedAnswers, weighing: _Weighing, outcomes: Values) -> Values:
    """Δ of each answer."""
    model = ((weighing.draft - weighing.live) * weighing.r).sum(axis=1)
    left = outcomes - weighing.q * at_slots(weighing.r, logged.places)
    clicked: Values = (at_slots(weighing.weights, logged.places) * left).sum(axis=1)
    return model + clicked


def _design(weighing: _Weighing) -> float:
    """Variance of an answer's Δ by the draw itself: each item's clicks are rare, so that they scatter as their mean."""
    model = ((weighing.draft - weighing.live) * weighing.r).sum(axis=1)
    clicks = (weighing.weights**2 * weighing.logged * weighing.squares).sum(axis=1)
    return float(clicks.mean() + model.var())


def clustered_variance(values: Values, customers: NDArray[np.integer]) -> float:
    """Variance of the mean, where the answers of one customer go together."""
    _, cluster = np.unique(customers, return_inverse=True)
    sums = np.bincount(cluster, values - values.mean())
    if len(sums) < 2:
        return 0.0
    return float((sums**2).sum()) / len(values) ** 2 * len(sums) / (len(sums) - 1)


def _swing(logged: LoggedAnswers, rankings: Rankings, q: Values, shift: Values, outcomes: Values) -> float:
    """Change of the estimate by one standard error of attention in one direction."""
    means = [
        float(_differences(logged, _weighing(logged, rankings, q * np.exp(sign * shift), outcomes), outcomes).mean())
        for sign in (1, -1)
    ]
    return (means[0] - means[1]) / 2


def _changed(logged: LoggedAnswers, rankings: Rankings) -> float:
    """Share of the draft's list that is not in the live list."""
    slots = logged.places.shape[1]
    draft = rankings.draft[:, :slots]
    live = (own_order(logged) if rankings.live is None else rankings.live)[:, :slots]
    stays = (draft[:, :, None] == live[:, None, :]).any(axis=2)
    there = draft >= 0
    return 1 - float((stays & there).sum()) / max(int(there.sum()), 1)


def _largest(weighing: _Weighing) -> float:
    supported = np.where(weighing.unsupported, 0.0, weighing.draft)
    return float(quotient(supported, weighing.logged).max(initial=0.0))


def at_slots(values: Values, places: NDArray[np.integer]) -> Values:
    """Values of the items that the slots showed [answers, slots]; 0 where there is none."""
    return np.where(places >= 0, np.take_along_axis(values, np.maximum(places, 0), axis=1), 0.0)


def quotient(above: Values, below: Values) -> Values:
    """Quotients, 0 where there is nothing to divide by."""
    quotients: Values = np.divide(above, below, out=np.zeros(np.shape(above)), where=below > 0)
    return quotients


def _pairs(values: Values) -> float:
    return float((values.sum(axis=1) ** 2 - (values**2).sum(axis=1)).sum()) / 2
