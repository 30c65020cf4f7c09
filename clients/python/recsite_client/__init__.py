"""Recsite's storefront API for shops in Python: ``Client(url, key)``. docs/storefront.md shows it at work."""

from recsite_client.bodies import new_event
from recsite_client.client import Client
from recsite_client.problems import (
    Flaw,
    MisdirectedError,
    ProblemError,
    RecsiteError,
    RedirectedError,
    RestingError,
    SettingError,
    UnreachableError,
    UnsendableError,
)

__all__ = [
    "Client",
    "Flaw",
    "MisdirectedError",
    "ProblemError",
    "RecsiteError",
    "RedirectedError",
    "RestingError",
    "SettingError",
    "UnreachableError",
    "UnsendableError",
    "new_event",
]
