"""Made visitors of a shop, with a truth that is known: how often they come, buy, spend and send back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray

type Values = NDArray[np.float64]
REFUND_DAYS = (3, 11)  # an order comes back after 3 … 10 days


@dataclass(frozen=True, kw_only=True)
class VisitorModel:
    """Chances of a made shop. Who comes often, clicks or buys more than others stays so, also before the experiment."""

    people: int = 7_000
    days: int = 28
    before: int = 28  # days of the period before
    visits: float = 0.25  # a day, mean of the gamma
    evenness: float = 1.0  # shape of the gamma: the lower, the more unlike people are
    clicks: tuple[float, float] = (1.0, 19.0)  # beta of the chance that a visit has a click
    orders: tuple[float, float] = (1.0, 39.0)  # beta of the chance that a visit has an order
    amount: tuple[float, float] = (3.0, 1.0)  # mean and sd of the logarithm of an order's money
    refunds: float = 0.1  # share of orders that come back
    wealth: float = 0.0
    """Sd of the logarithm of what a person spends beside others: it makes past spending speak for later."""


@dataclass(frozen=True)
class VisitorDays:
    """What came of each person who came at all: [units, days], by day; money is net of what was sent back that day.

    ``first`` is the day of the first visit, from which the person counts; ``past`` [units] is the money of the period
    before; ``key`` [units] names the person.
    """

    first: NDArray[np.int64]
    arm: NDArray[np.int64]
    seen: Values
    clicks: Values
    orders: Values
    revenue: Values
    past: Values
    key: NDArray[np.uint64]

    @property
    def present(self) -> BoolArray:
        """Whether a person had come by the end of the day, [units, days]."""
        return np.arange(self.seen.shape[1]) >= self.first[:, None]

    @property
    def curve(self) -> Values:
        """Different visitors of the first 1, 2 … days."""
        return self.present.sum(axis=0).astype(np.float64)


def visitors(
    model: VisitorModel,
    *,
    draw: np.random.Generator,
    shares: tuple[float, ...] = (0.5, 0.5),
    buys: tuple[float, ...] = (0.0, 0.0),
    clicks: tuple[float, ...] = (0.0, 0.0),
) -> VisitorDays:
    """Draw an experiment: visits are gamma–Poisson, each with a click and an order by the person's chances.

    ``shares`` are those of the arms, ``buys`` and ``clicks`` the true lifts of the chances under each, as shares. The
    same generator gives the same people and orders under other lifts, with more or fewer of them.
    """
    people = model.people
    often = draw.gamma(model.evenness, model.visits / model.evenness, people)
    taste, need = draw.beta(*model.clicks, people), draw.beta(*model.orders, people)
    purse = np.exp(draw.normal(-0.5 * model.wealth**2, model.wealth, people))
    arm = draw.choice(len(shares), people, p=shares)
    key = draw.integers(0, 2**63, people).astype(np.uint64)
    past = _past(model, draw, often=often, need=need, purse=purse)

    who = np.repeat(np.arange(people), draw.poisson(often * model.days))
    when = draw.integers(0, model.days, len(who))
    chance = np.minimum(need[who] * (1 + np.asarray(buys)[arm[who]]), 1)
    liking = np.minimum(taste[who] * (1 + np.asarray(clicks)[arm[who]]), 1)
    clicked, bought = draw.random(len(who)) < liking, draw.random(len(who)) < chance
    amount = draw.lognormal(*model.amount, len(who)) * purse[who] * bought
    back = draw.random(len(who)) < model.refunds
    later = when + draw.integers(*REFUND_DAYS, len(who))

    came, row = np.unique(who, return_inverse=True)
    first = np.full(len(came), model.days)
    np.minimum.at(first, row, when)
    returned = back & (later < model.days)
    shape = (len(came), model.days)
    revenue = _by_day(row, when, amount, shape) - _by_day(row[returned], later[returned], amount[returned], shape)
    return VisitorDays(
        first=first, arm=arm[came], seen=_by_day(row, when, np.ones(len(row)), shape),
        clicks=_by_day(row, when, clicked, shape), orders=_by_day(row, when, bought, shape),
        revenue=revenue, past=past[came], key=key[came],
    )  # fmt: skip


def _past(model: VisitorModel, draw: np.random.Generator, *, often: Values, need: Values, purse: Values) -> Values:
    """Money of the period before, of each person; what came back of it is taken off."""
    orders = draw.binomial(draw.poisson(often * model.before), need)
    who = np.repeat(np.arange(len(often)), orders)
    amount = draw.lognormal(*model.amount, len(who)) * purse[who] * (draw.random(len(who)) >= model.refunds)
    return np.bincount(who, weights=amount, minlength=len(often))


def _by_day(
    row: NDArray[np.int64], day: NDArray[np.int64], amount: NDArray[np.generic], shape: tuple[int, int]
) -> Values:
    flat = np.bincount(row * shape[1] + day, weights=amount.astype(np.float64), minlength=shape[0] * shape[1])
    return flat.reshape(shape)
