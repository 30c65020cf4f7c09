"""Recsite's storefront API for shops in Python: ``Client(url, key)``. docs/storefront.md shows it at work."""

from recsite_client.bodies import new_event
from recsite_client.client import Client
from recsite_client.problems import Flaw, ProblemError, RecsiteError, UnreachableError

__all__ = ["Client", "Flaw", "ProblemError", "RecsiteError", "UnreachableError", "new_event"]
