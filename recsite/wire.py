"""What goes to PostgreSQL and Valkey over a network is encrypted and proven, or the operator says that it is theirs."""

import os
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.exceptions import ImproperlyConfigured

OURSELVES = {"", "localhost", "127.0.0.1", "::1"}
PROVEN = {"verify-ca", "verify-full"}
UNPROVEN = {"none", "optional"}
INNER = "or INNER_NETWORK=1 where nobody else is on that network"


def refuse_plain(connection: Mapping[str, Any], options: Mapping[str, Any], *, valkey: str) -> None:
    """Refuse servers elsewhere that are not spoken to by TLS with a proof of who they are.

    ``connection`` and ``options`` are those of ``env.database``. Raises ImproperlyConfigured.
    """
    _refuse_plain_database(connection, options)
    _refuse_plain_valkey(valkey)


def _refuse_plain_database(connection: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """What an address leaves out libpq takes from its own variables."""
    hosts = f"{options.get('hostaddr', '')},{connection['HOST'] or os.environ.get('PGHOST', '')}".split(",")
    mode = options.get("sslmode") or os.environ.get("PGSSLMODE", "")
    elsewhere = "service" in options or "PGSERVICE" in os.environ or _elsewhere(hosts)
    if elsewhere and mode not in PROVEN:
        raise ImproperlyConfigured(
            "DATABASE_URL leads to another machine without a proof that it is ours. Add ?sslmode=verify-full"
            f"&sslrootcert=/path/of/ca.pem (docs/going-live.md, “Encrypted on the way”), {INNER}."
        )


def _refuse_plain_valkey(url: str) -> None:
    parts = urlsplit(url)
    if not _elsewhere([parts.hostname or ""]):
        return
    asked = {value.lower() for value in parse_qs(parts.query).get("ssl_cert_reqs", ())}
    if parts.scheme != "rediss" or asked & UNPROVEN:
        raise ImproperlyConfigured(
            "REDIS_URL leads to another machine without TLS, or without a proof that it is ours. Begin it with rediss://"
            f" and end it with ?ssl_ca_certs=/path/of/ca.pem (docs/going-live.md, “Encrypted on the way”), {INNER}."
        )


def _elsewhere(hosts: Iterable[str]) -> bool:
    """Whether one of the hosts is neither this machine nor a socket."""
    return any(host not in OURSELVES and not host.startswith(("/", "@")) for host in hosts)
