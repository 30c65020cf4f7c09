"""Memory of processes, as the doors use it: what is about people is forgotten when one of them is erased."""

from recommendations.store.live.change_watch import people_cache

__all__ = ["people_cache"]
