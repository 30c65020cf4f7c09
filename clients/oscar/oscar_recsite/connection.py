"""Clients of Recsite, one for each way of talking; threads and requests share them."""

from functools import lru_cache

from oscar_recsite.conf import setting
from recsite_client import Client

SHORT = 2.0  # seconds for which the client itself tries again; then the queue waits, and can be ended


def asking() -> Client:
    """Client for slots: a page waits, so it tries once, and not at all after several failures."""
    return _client(setting("RECSITE_URL"), setting("RECSITE_KEY"), setting("RECSITE_TIMEOUT"), SHORT)


def telling() -> Client:
    """Client for events, beside the requests."""
    return _client(setting("RECSITE_URL"), setting("RECSITE_KEY"), 1.0, SHORT)


def cataloguing(*, patience: float = SHORT) -> Client:
    """Client for items; a command has more patience than a thread that others wait for."""
    key = setting("RECSITE_CATALOGUE_KEY") or setting("RECSITE_KEY")
    return _client(setting("RECSITE_URL"), key, 1.0, patience)


@lru_cache(maxsize=16)
def _client(url: str, key: str, timeout: float, patience: float) -> Client:
    return Client(url, key, timeout=timeout, patience=patience)
