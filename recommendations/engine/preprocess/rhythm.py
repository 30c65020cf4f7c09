"""Rhythm in which one user buys one item, as facts for a sentence."""

from recommendations.engine.frames import Interactions


def rhythm(history: Interactions, item: int) -> dict[str, float]:
    """Facts of the purchases of an item in the history of one user; empty if there are none.

    ``times``, ``days_since`` the newest and, from two purchases on, the mean gap ``every_days``.
    """
    ages = history.age[(history.item == item) & history.bought]
    if not len(ages):
        return {}
    facts = {"times": float(len(ages)), "days_since": float(ages.min())}
    if len(ages) > 1:
        facts["every_days"] = float(ages.max() - ages.min()) / (len(ages) - 1)
    return facts
