"""Points of acts that the next run counts with: the shipped ones, and what staff accepted in their place."""

from collections.abc import Mapping

from recommendations.models import ShopSetting
from recommendations.store.domain import shop_domain

KEY = "event_points"


LEAST = 0.05
"""Points that an act keeps, so that its events stay in the history."""


def with_learned(points: Mapping[str, float], learned: Mapping[str, float]) -> dict[str, float]:
    """Points with those that were learned in the place of some."""
    return {**points, **{name: max(value, LEAST) for name, value in learned.items()}}


def event_points() -> dict[str, float]:
    """Points of every kind of act that has any."""
    stored = ShopSetting.objects.filter(key=KEY).values_list("value", flat=True).first() or {}
    return {**shop_domain().points, **stored}


def set_event_points(points: Mapping[str, float]) -> None:
    """Have the next run count with these."""
    ShopSetting.objects.update_or_create(key=KEY, defaults={"value": dict(points)})
