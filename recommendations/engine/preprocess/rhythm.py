"""Rhythm in which one user buys one item, as facts for a sentence."""

from recommendations.engine.frames import Interactions


def rhythm(history: Interactions, item: int) -> dict[str, float]:
    """Facts of the purchases of an item in the history of one user; empty if there are none.

    ``times``, ``days_since`` the newest and, from two purchases on, the mean gap ``every_days``.
    """
    purchases = history.purchases
    place = purchases.place.get(item)
    if place is None:
        return {}
    times, newest = int(purchases.times[place]), float(purchases.newest[place])
    facts = {"times": float(times), "days_since": newest}
    if times > 1:
        facts["every_days"] = (float(purchases.oldest[place]) - newest) / (times - 1)
    return facts
