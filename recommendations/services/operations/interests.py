"""Interests of a customer as a version has them."""

from typing import NamedTuple

from recommendations.store.models.main_interests import LATELY, TASTE, load_main_interests


class Likings(NamedTuple):
    """Shares of interest by key of the category, the largest first: of the last 90 days, and of the last 7."""

    taste: dict[int, float]
    lately: dict[int, float]


def likings(customer: int, *, model: int | None) -> Likings:
    """The largest shares of a customer (by key); none of whom the version does not know."""
    known = load_main_interests(model, customer=customer) if model else None
    return Likings(*({} if known is None else known.shares(0, half_life=each) for each in (TASTE, LATELY)))
