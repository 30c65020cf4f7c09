"""The address a request comes from: that of the connection, or what our own proxy says of it."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest


def client_address(environ: Mapping[str, Any]) -> str:
    """Address of the client by the environment of WSGI; ``X-Real-IP`` counts only where a proxy of ours writes it."""
    forwarded = environ.get("HTTP_X_REAL_IP") if settings.BEHIND_PROXY else None
    return str(forwarded or environ.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str:
    """What attempts to sign in are counted by: the address, of IPv6 its first half, whose rest anybody may choose."""
    address = client_address(request.META)
    try:
        return str(ipaddress.ip_network(f"{address}/64", strict=False)) if ":" in address else address
    except ValueError:
        return address
