"""The rhythm in which a person buys an item."""

from recommendations.engine.frames import Interactions


def rhythm(history: Interactions, item: int) -> dict[str, float]:
    """``times``, ``days_since`` the newest and, from two purchases on, the mean gap ``every_days``; empty if none.

    ``history`` is that of one person.
    """
    ages = history.age[(history.item == item) & history.bought]
    if not len(ages):
        return {}
    facts = {"times": float(len(ages)), "days_since": float(ages.min())}
    if len(ages) > 1:
        facts["every_days"] = float(ages.max() - ages.min()) / (len(ages) - 1)
    return facts
