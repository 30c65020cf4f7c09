"""Made visitors of given lists: people of an experiment who come again, and days of a bandit; all by known chances."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.bandit import DailyArms
from recommendations.engine.experiments.moments import Moments
from recommendations.engine.simulation.days import DELAYS
from recommendations.engine.simulation.list_clicks import BUYS, ListClicks, Rows, Values
from recommendations.engine.simulation.visitors import REFUND_DAYS, VisitorModel
from recommendations.terms import Metric

WINDOW = 28  # days of a person that count
UNITS = 2_000  # people who come to a bandit on a day
OF_DAYS = (Metric.CTR, Metric.CONVERTED, Metric.ATTRIBUTED, Metric.FALLBACK, Metric.LATENCY)


@dataclass(frozen=True, kw_only=True, eq=False)
class ListVisitors:
    """What came of each person who came at all, [people, days] by day; ``first`` is the day of the first visit.

    ``money`` is what was ordered, ``refunded`` what came back that day. ``rows`` are whose lists they see, ``arm``
    which of them, ``purse`` what they spend beside others, ``past`` the money of the period before.
    """

    first: Rows
    arm: Rows
    rows: Rows
    purse: Values
    past: Values
    lists: Values
    clicked: Values
    fallbacks: Values
    orders: Values
    money: Values
    refunded: Values

    @property
    def visits(self) -> Values:
        return self.lists.sum(axis=1)

    def sums(self, *, arm: int, days: int, cap: float) -> dict[Metric, tuple[Moments, int]]:
        """Moments of each metric over the people of an arm who came in the first days, and in how many it happened."""
        own = (self.arm == arm) & (self.first < days)
        lists, clicked, fallbacks, orders, money, refunded = (
            each[own, :days].sum(axis=1)
            for each in (self.lists, self.clicked, self.fallbacks, self.orders, self.money, self.refunded)
        )
        net = np.minimum(money - refunded, cap)
        of_each: dict[Metric, tuple[Values, Values | None]] = {
            Metric.REVENUE: (net, np.minimum(self.past[own], cap)),
            Metric.CONVERTED: ((orders > 0).astype(np.float64), None), Metric.ORDERS: (orders, None),
            Metric.BASKET_VALUE: (money - refunded, orders), Metric.CTR: (clicked, lists),
            Metric.ATTRIBUTED: (net, None), Metric.REFUNDS: (refunded, money), Metric.FALLBACK: (fallbacks, lists),
        }  # fmt: skip
        return {metric: (Moments.of(y, x), int((y > 0).sum())) for metric, (y, x) in of_each.items()}

    def above(self, *, arm: int, days: int, cap: float) -> int:
        """How many people of an arm the cap holds down."""
        own = (self.arm == arm) & (self.first < days)
        return int(((self.money - self.refunded)[own, :days].sum(axis=1) > cap).sum())

    def spent(self, quantile: float) -> float | None:
        """The quantile of what buyers spent; None without any."""
        spent = (self.money - self.refunded).sum(axis=1)
        return float(np.quantile(spent[spent > 0], quantile)) if (spent > 0).any() else None


def list_visitors(
    clicks: ListClicks, model: VisitorModel, *, shares: tuple[float, ...], draw: np.random.Generator
) -> ListVisitors:
    """Draw the people of an experiment: visits are gamma–Poisson, a list each time, and purchases follow clicks."""
    people = model.people
    often = draw.gamma(model.evenness, model.visits / model.evenness, people)
    purse = np.exp(draw.normal(-0.5 * model.wealth**2, model.wealth, people))
    rows = draw.integers(0, clicks.chances.shape[1], people)
    arm = draw.choice(len(shares), people, p=shares)
    before = draw.poisson(often * model.before * clicks.orders[0, rows])
    past = _paid(np.repeat(np.arange(people), before), purse, model, draw)

    who = np.repeat(np.arange(people), draw.poisson(often * model.days))
    when = draw.integers(0, model.days, len(who))
    first = np.full(people, model.days)
    np.minimum.at(first, who, when)
    counts = when - first[who] < WINDOW
    who, when = who[counts], when[counts]
    hits = draw.random((len(who), clicks.chances.shape[2])) < clicks.chances[arm[who], rows[who]]
    orders = draw.binomial(hits.sum(axis=1), BUYS)
    order = np.repeat(np.arange(len(who)), orders)
    paid = draw.lognormal(*model.amount, len(order)) * purse[who[order]]
    later = when[order] + draw.integers(*REFUND_DAYS, len(order))
    back = (draw.random(len(order)) < model.refunds) & (later < np.minimum(first[who[order]] + WINDOW, model.days))
    came, row = np.unique(who, return_inverse=True)
    shape = (len(came), model.days)
    day = row * model.days + when
    by_day = {
        "lists": _summed(day, np.ones(len(who)), shape), "clicked": _summed(day, hits.any(axis=1), shape),
        "fallbacks": _summed(day, clicks.fallback[arm[who], rows[who]], shape), "orders": _summed(day, orders, shape),
        "money": _summed(day[order], paid, shape),
        "refunded": _summed((row[order] * model.days + later)[back], paid[back], shape),
    }  # fmt: skip
    return ListVisitors(first=first[came], arm=arm[came], rows=rows[came], purse=purse[came], past=past[came], **by_day)


def past_visitors(clicks: ListClicks, model: VisitorModel, *, draw: np.random.Generator) -> ListVisitors:
    """Draw the people of the four weeks before, when everybody had the control."""
    control = ListClicks(chances=clicks.chances[:1], fallback=clicks.fallback[:1])
    return list_visitors(control, replace(model, days=model.before), shares=(1.0,), draw=draw)


@dataclass
class ListDays:
    """Days of a bandit as they grow: people come once a day, and part of what they buy comes in a day or two late."""

    clicks: ListClicks
    model: VisitorModel
    _n: list[Values] = field(default_factory=list)
    _came: list[Values] = field(default_factory=list)  # [days waited, metric, y · yy · successes, arm]

    def add(self, shares: Values, *, draw: np.random.Generator) -> None:
        """Live through a day whose people are dealt out by the shares."""
        arms, customers, slots = self.clicks.chances.shape
        arm, rows = draw.choice(arms, UNITS, p=shares / shares.sum()), draw.integers(0, customers, UNITS)
        hits = draw.random((UNITS, slots)) < self.clicks.chances[arm, rows]
        orders = draw.binomial(hits.sum(axis=1), BUYS)
        order = np.repeat(np.arange(UNITS), orders)
        money = _paid(order, np.ones(UNITS), self.model, draw)
        wait = np.where(orders > 0, draw.choice(len(DELAYS), UNITS, p=DELAYS), 0)
        values = np.stack(
            [hits.any(axis=1), orders > 0, money, self.clicks.fallback[arm, rows], np.zeros(UNITS)]
        ).astype(np.float64)  # as ``OF_DAYS``
        came = np.zeros((len(DELAYS), len(OF_DAYS), 3, arms))
        for place, y in enumerate(values):
            late = wait if OF_DAYS[place] in {Metric.CONVERTED, Metric.ATTRIBUTED} else np.zeros_like(wait)
            for column, each in enumerate((y, y * y, (y > 0).astype(np.float64))):
                sums = np.bincount(late * arms + arm, weights=each, minlength=len(DELAYS) * arms)
                came[:, place, column] = sums.reshape(len(DELAYS), arms)
        self._n.append(np.bincount(arm, minlength=arms).astype(np.float64))
        self._came.append(came)

    def record(self, days: int) -> dict[Metric, DailyArms]:
        """What has come in of the first days by the end of the last of them."""
        n = np.array(self._n[:days])
        sums = np.array([came[: days - day].sum(axis=0) for day, came in enumerate(self._came[:days])])
        return {
            metric: DailyArms(n=n, y=sums[:, place, 0], yy=sums[:, place, 1], successes=sums[:, place, 2])
            for place, metric in enumerate(OF_DAYS)
        }


def _paid(who: Rows, purse: Values, model: VisitorModel, draw: np.random.Generator) -> Values:
    """Money of orders by whose they are, less what came back of it; so many people as there are purses."""
    amount = draw.lognormal(*model.amount, len(who)) * purse[who] * (draw.random(len(who)) >= model.refunds)
    return np.bincount(who, weights=amount, minlength=len(purse))


def _summed(at: Rows, amounts: NDArray[np.generic], shape: tuple[int, int]) -> Values:
    return np.bincount(at, weights=amounts.astype(np.float64), minlength=shape[0] * shape[1]).reshape(shape)
