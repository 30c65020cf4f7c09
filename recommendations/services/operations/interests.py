"""Interests of a customer as a version has them."""

from typing import NamedTuple

from recommendations.engine.ids import IdMap
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.main_interests import LATELY, TASTE, VersionInterests, load_main_interests
from recommendations.store.models.model import Model
from recommendations.store.serving.snapshot_holder import snapshot_holder


class Likings(NamedTuple):
    """Shares of interest by key of the category, the largest first: of the last 90 days, and of the last 7."""

    taste: dict[int, float]
    lately: dict[int, float]


NOTHING = Likings({}, {})


def likings(customer: int, *, model: int | None) -> Likings:
    """The largest shares of a customer (by key); none of whom the version does not know."""
    if model is None:
        return NOTHING
    held = snapshot_holder().snapshot
    if held is not None and held.model is not None and held.model.version_id == model:
        known = _interests_of(held.model)
    else:
        known = load_main_interests(model, customer=customer)
    row = -1 if known is None else IdMap(ids=known.users).row(customer)
    if known is None or row < 0:
        return NOTHING
    return Likings(*(known.shares(row, half_life=each) for each in (TASTE, LATELY)))


@held_by_model
def _interests_of(model: Model) -> VersionInterests | None:
    """The interests of everybody in the version that is served, which lie in mapped files."""
    return load_main_interests(model.version_id)
