"""What the tests of the agent are made of: menus, people, stakes, and messages with answers by known weights."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommendations.engine.push.agent.belief import ClosedDecisions
from recommendations.engine.push.agent.choice import Stakes
from recommendations.engine.push.agent.terms import Allowed, Menu, MenuCampaign, Values
from recommendations.push_terms import Channel

TWO = Menu(campaigns=(MenuCampaign(1, 2), MenuCampaign(2, 2)), channels=(Channel.EMAIL, Channel.WEB_PUSH))
THREE = Menu(
    campaigns=(MenuCampaign(7, 3), MenuCampaign(8, 1), MenuCampaign(9, 2)),
    channels=(Channel.WEB_PUSH, Channel.EMAIL, Channel.WEBHOOK),
)


def people(n: int, menu: Menu, *, seed: int) -> Values:
    """Numbers of made people [n, columns]."""
    return np.random.default_rng([seed, 1]).normal(size=(n, len(menu.columns)))


def stakes(n: int, menu: Menu, *, seed: int, worth: float = 20.0) -> Stakes:
    draw = np.random.default_rng([seed, 2])
    prices = {Channel.EMAIL: 0.001, Channel.WEB_PUSH: 0.0002, Channel.WEBHOOK: 0.05}
    return Stakes(
        worth=worth * np.exp(0.3 * draw.normal(size=n)), caused=draw.choice([0.9, 0.6, 0.3], n),
        leaving=0.02 * draw.random(n), price=np.array([prices[option.channel] for option in menu.options]),
        tiredness=0.05,
    )  # fmt: skip


def allowances(n: int, menu: Menu, *, seed: int, part: float = 0.5) -> Allowed:
    return np.random.default_rng([seed, 3]).random((n, len(menu.options))) < part


def messages(n: int, menu: Menu, weights: Values, *, seed: int, persons: int | None = None) -> ClosedDecisions:
    """Messages with options at random, answered by these weights [terms]."""
    draw = np.random.default_rng([seed, 4])
    rows = menu.rows(people(n, menu, seed=seed), draw.integers(0, len(menu.options), n))
    answered = (draw.random(n) < expit(rows @ weights)).astype(np.float64)
    whose: NDArray[np.int64] = draw.permutation(n) if persons is None else draw.integers(0, persons, n)
    return ClosedDecisions(rows=rows, answered=answered, people=whose)
