"""Goals beside accuracy that weights can have in this shop."""

from functools import lru_cache

from recommendations.store.models.model import load_lifts
from recommendations.store.process_held import at_drop
from recommendations.terms import Cut, Lift


@lru_cache(maxsize=1)
def goals_of_version(version_id: int) -> frozenset[Lift]:
    """Goals of which a model's live cut has data."""
    return frozenset(load_lifts(version_id, Cut.LIVE)) - {Lift.PROMOTION}


at_drop(goals_of_version.cache_clear)
