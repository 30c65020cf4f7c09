"""Pairs at a cut and what was bought after it, by hand; and points that come out of planted purchases."""

import numpy as np
import pandas as pd
import pytest

from recommendations.engine.feedback.act_outcomes import act_outcomes
from recommendations.engine.feedback.event_weights import ACTS, learn_points
from recommendations.event_types import EventName


def frame(*rows: tuple[int, int, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user", "item", "name", "at"])


def test_the_strongest_act_before_the_cut_and_purchases_of_28_days_after_it() -> None:
    events = frame(
        (5, 70, "view_item", 1), (5, 70, "add_to_cart", 2), (5, 80, "select_item", 3), (9, 80, "purchase", 4),
        (9, 70, "add_to_wishlist", 9), (5, 70, "purchase", 10), (9, 80, "purchase", 37.9), (5, 80, "purchase", 38),
        (9, 99, "purchase", 12), (7, 70, "purchase", 12), (9, -1, "view_item", 1), (9, 70, "share", 1),
    )  # fmt: skip
    outcomes = act_outcomes([events], cut=10, draw=np.random.default_rng(0))
    columns = (outcomes.customer, outcomes.act, outcomes.popularity, outcomes.bought)
    told = sorted(zip(*(column.tolist() for column in columns), strict=True))
    cart, view, wish, buy = (
        ACTS.index(name)
        for name in (EventName.ADD_TO_CART, EventName.VIEW_ITEM, EventName.ADD_TO_WISHLIST, EventName.PURCHASE)
    )
    assert told == [(0, view, 2, False), (0, cart, 2, True), (1, wish, 2, False), (1, buy, 2, True)]


def test_nothing_before_the_cut_are_no_pairs() -> None:
    assert not len(act_outcomes([frame((1, 2, "purchase", 11))], cut=10, draw=np.random.default_rng(0)).customer)


def test_planted_acts_are_worth_what_their_buyers_buy() -> None:
    """Of 400 customers and 50 items: a view doubles the odds of none, a purchase has ten times the odds."""
    draw, rows = np.random.default_rng(4), []
    chance = {None: 0.02, "view_item": 0.06, "purchase": 0.25}
    for user in range(400):
        for item in range(50):
            act = draw.choice([None, "view_item", "purchase"], p=[0.8, 0.1, 0.1])
            if act:
                rows.append((user, item, act, 1.0))
            if draw.random() < chance[act]:
                rows.append((user, item, "purchase", 11.0))
    learned = learn_points(act_outcomes([frame(*rows)], cut=10, draw=draw))
    odds = {act: np.log(share / (1 - share)) for act, share in chance.items()}
    truth = 5 * (odds["view_item"] - odds[None]) / (odds["purchase"] - odds[None])
    points = learned[EventName.VIEW_ITEM].points
    assert points.low < truth < points.high
    assert points.value == pytest.approx(truth, abs=0.5)
