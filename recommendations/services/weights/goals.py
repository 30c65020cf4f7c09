"""Goals beside accuracy that weights can have in this shop."""

from functools import lru_cache

from recommendations.store.models.live_version import live_version
from recommendations.store.models.model import load_lifts
from recommendations.store.process_held import at_drop
from recommendations.terms import Cut, Lift


def known_goals() -> frozenset[Lift]:
    """Goals of which the live model has data; none without a live model."""
    version = live_version()
    return _goals_of(version.pk) if version else frozenset()


@lru_cache(maxsize=1)
def _goals_of(version_id: int) -> frozenset[Lift]:
    return frozenset(load_lifts(version_id, Cut.LIVE)) - {Lift.PROMOTION}


at_drop(_goals_of.cache_clear)
