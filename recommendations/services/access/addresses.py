"""The address a request comes from: that of the connection, or what our own proxy says of it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings


def client_address(environ: Mapping[str, Any]) -> str:
    """Address of the client by the environment of WSGI; ``X-Real-IP`` counts only where a proxy of ours writes it."""
    forwarded = environ.get("HTTP_X_REAL_IP") if settings.BEHIND_PROXY else None
    return str(forwarded or environ.get("REMOTE_ADDR", ""))
