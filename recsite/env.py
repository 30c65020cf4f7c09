"""Typed readers of the environment. What they do not understand they refuse, naming the variable and the remedy.

A secret may stand in a file instead: ``SECRET_KEY_FILE=/run/secrets/key`` is read where ``SECRET_KEY`` is asked for.
"""

import os
import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from redis.maint_notifications import MaintNotificationsConfig

from recommendations.channels import sealing, signing
from recommendations.channels.embeddings import service_place
from recommendations.channels.outbound import ForbiddenAddressError

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_asked: set[str] = set()
ANYMAIL = "anymail+"
BUCKETS = ("s3", "gs", "abfs", "abfss")
SECRET_OPTIONS = {"access_key", "secret_key", "session_token", "account_key", "sas_token"}
"""Options of a bucket's address by which it would hold a key."""
LEAN_VALKEY: dict[str, Any] = {
    "driver_info": None,
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}
"""A connection is opened by two questions, not five: it says nothing of its library, whose version redis-py looks up on
disk each time, and asks for no news of maintenance, which Valkey does not have.
"""
OURS = (
    "ITEM_FEED", "RECSITE_", "SHOP_", "SHOPIFY_WEBHOOK", "WOOCOMMERCE_WEBHOOK", "PUSH_", "CONTACT_", "LINK_",
    "EMBEDDING_", "PICTURES_", "RECEIPT_", "EXPORT_", "BACKUP_", "PSEUDONYM_", "SMALLEST_",
    "PRIVACY_",
)  # fmt: skip
"""Beginnings of our variables, of which one that nobody asks for is misspelt."""
OF_SHOPS = frozenset(
    f"RECSITE_{name}"
    for name in (
        "URL", "KEY", "PAGES_KEY", "CATALOGUE_KEY", "SHOP_URL", "CONSENT", "TIMEOUT", "FLUSH", "ITEM", "SLOTS",
        "ROBOTS", "REFUNDED",
    )
)  # fmt: skip
"""What a shop calls its own side of the clients (docs/storefront.md, docs/oscar.md), on the same machine, too."""


def text(name: str, *, default: str | None = None) -> str:
    """The value of a variable as it stands; without a default the variable is required."""
    _asked.add(name)
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(
            f"{name} is not set. docs/settings.md says what it means; "
            "to try Recsite without any settings use `make demo`, or `python -m recsite.embedded -- COMMAND`."
        )
    return value


def secret(name: str, *, shortest: int, default: str | None = None) -> str:
    """A secret from ``NAME`` or from the file named by ``NAME_FILE``; shorter than ``shortest`` is refused.

    Without a default it is required; the default itself may be shorter.
    """
    _asked.add(f"{name}_FILE")
    file = os.environ.get(f"{name}_FILE")
    if file and name in os.environ:
        raise ImproperlyConfigured(f"Both {name} and {name}_FILE are set; keep one.")
    try:
        value = Path(file).read_text(encoding="utf-8").strip() if file else text(name, default=default)
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE={file} cannot be read: {error}") from error
    if len(value) < shortest and value != default:
        raise ImproperlyConfigured(f"{name} has {len(value)} characters; at least {shortest} are needed.")
    return value


def secrets(name: str, *, shortest: int) -> list[str]:
    """Secrets written with commas or one a line; none where the variable is not set."""
    given = re.split(r"[,\n]", secret(name, shortest=shortest, default=""))
    parts = [part.strip() for part in given if part.strip()]
    short = [len(part) for part in parts if len(part) < shortest]
    if short:
        raise ImproperlyConfigured(f"{name} has one of {short[0]} characters; each needs at least {shortest}.")
    return parts


def vapid_key(name: str) -> str:
    """A private key of P-256 as 32 bytes in base64url; "" where the variable is not set."""
    value = secret(name, shortest=43, default="")
    try:
        if value:
            sealing.vapid_key(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is no key of VAPID; manage.py push_keys makes one.") from error
    return value


def seeds(name: str) -> list[str]:
    """Keys of Ed25519 written with commas, the newest first, each 32 bytes in base64url; none where it is not set."""
    values = secrets(name, shortest=43)
    try:
        for value in values:
            signing.signing_key(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has no key of Ed25519; manage.py privacy_keys makes one.") from error
    return values


def flag(name: str, *, default: bool) -> bool:
    value = text(name, default=str(default)).strip().lower()
    if value in _TRUE | _FALSE:
        return value in _TRUE
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no; use 1 or 0.")


def integer(name: str, *, default: int, at_least: int) -> int:
    value = text(name, default=str(default))
    if value.strip().isdecimal() and int(value) >= at_least:
        return int(value)
    raise ImproperlyConfigured(f"{name}={value!r} is not a whole number of at least {at_least}.")


def choice(name: str, *, among: Iterable[str], default: str) -> str:
    value, choices = text(name, default=default), set(among)
    if value in choices:
        return value
    raise ImproperlyConfigured(f"{name}={value!r} is unknown; use one of {', '.join(sorted(choices))}.")


def words(name: str, *, default: str = "") -> list[str]:
    """A list written with commas; empty parts are dropped."""
    return [part for raw in text(name, default=default).split(",") if (part := raw.strip())]


def pairs(name: str) -> dict[str, str]:
    """Pairs written with commas: ``sku=item_id,label=title``."""
    given = dict(word.partition("=")[::2] for word in words(name))
    if not all(key.strip() and value.strip() for key, value in given.items()):
        raise ImproperlyConfigured(f"{name} must be written like sku=item_id,label=title.")
    return {key.strip(): value.strip() for key, value in given.items()}


def hosts(name: str) -> list[str]:
    """Hosts written with commas, each with its scheme or without: ``https://cdn.example.com``, ``*.example.com``."""
    given = words(name)
    for host in given:
        if not re.fullmatch(r"(https?://)?(\*\.)?\w[\w.-]*(:[1-9]\d{0,4})?", host, flags=re.ASCII):
            raise ImproperlyConfigured(
                f"{name}: {host!r} is not a host; write it like https://cdn.example.com, without a path."
            )
    return given


def origins(name: str) -> list[str]:
    """Hosts as ``hosts`` takes them, in small letters; one without a scheme is spoken to by https."""
    return [each if "://" in each else f"https://{each}" for host in hosts(name) for each in [host.lower()]]


def folder(name: str, *, default: Path) -> Path:
    """An absolute path; it need not exist yet."""
    return Path(text(name, default=str(default))).expanduser().resolve()


def storage(name: str, *, default: Path, in_folder: dict[str, Any]) -> dict[str, Any]:
    """A storage of files in a folder, which gets the options ``in_folder``, or in a bucket, such as
    ``s3://bucket/recsite?region=eu-central-1``.
    """
    value = text(name, default=str(default))
    if "://" not in value:
        options = {"location": folder(name, default=default), **in_folder}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    parts = urlsplit(value)
    if parts.scheme not in BUCKETS or not parts.hostname:
        begins = ", ".join(f"{scheme}://" for scheme in BUCKETS)
        raise ImproperlyConfigured(f"{name} must be a folder, or begin with one of {begins} and name a bucket.")
    asked = dict(parse_qsl(parts.query))
    if parts.password or (parts.username and parts.scheme in {"s3", "gs"}) or SECRET_OPTIONS & asked.keys():
        raise ImproperlyConfigured(
            f"{name} holds a key: leave it out of the address, and set what the store's own tools read, such as "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return {"BACKEND": "recommendations.store.bucket.BucketStorage", "OPTIONS": {"url": value}}


def database(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Django's own keys of a PostgreSQL address, and the rest for ``OPTIONS``, as libpq itself reads it."""
    value = text(name)
    if value.partition("://")[0] not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(f"{name} must begin with postgresql://; Recsite runs on PostgreSQL only.")
    try:
        parts = conninfo_to_dict(value)
    except ProgrammingError as error:
        raise ImproperlyConfigured(f"{name} is not an address that PostgreSQL understands: {error}") from error
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    return {ours: str(parts.pop(theirs, "")) for ours, theirs in names.items()}, dict(parts)


def valkey(name: str) -> str:
    value = text(name)
    if value.partition("://")[0] not in {"redis", "rediss"}:
        raise ImproperlyConfigured(f"{name} must begin with redis:// or rediss://.")
    return value


def refuse_unasked(*prefixes: str) -> None:
    """Refuse variables that look like ours and that nobody asked for: a misspelt setting must not go unnoticed."""
    unknown = sorted(name for name in os.environ if name.startswith(prefixes) and name not in _asked | OF_SHOPS)
    if unknown:
        raise ImproperlyConfigured(f"Unknown settings: {', '.join(unknown)}. docs/settings.md lists all.")


def web_address(name: str, *, default: str, plain: bool) -> str:
    """Address of a site without a path, such as ``https://recsite.example.com``; ``plain``: http is allowed, too."""
    value = text(name, default="") or default
    site = re.fullmatch(r"(https?)://[\w.-]+(:[1-9]\d{0,4})?/?", value, flags=re.ASCII)
    if site is None or (site[1] == "http" and not plain):
        raise ImproperlyConfigured(
            f"{name}={value!r} is no address of a site; write it like https://recsite.example.com, without a path."
        )
    return value.rstrip("/")


def mailer(name: str, *, default: str | None) -> dict[str, Any]:
    """How e-mail goes out, as an entry of ``MAILERS``: ``console://``, ``file:///folder``, ``smtp://user:password@host``.

    ``smtp`` asks the server for TLS before it says anything secret; ``smtps`` speaks TLS from the first byte.
    """
    value = text(name, default=default)
    parts = urlsplit(value)
    if parts.scheme == "console":
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file" and parts.path.startswith("/"):
        return {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": parts.path}}
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(
            f"{name} must be console://, file:///folder, or begin with smtp:// or smtps:// and name a host."
        )
    options = {
        "host": parts.hostname,
        "port": parts.port or (465 if parts.scheme == "smtps" else 587),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": parts.scheme == "smtps",
        "use_tls": parts.scheme == "smtp",
        "timeout": 10,
    }
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


def mail_server(name: str) -> dict[str, Any]:
    """A server for mail to customers, ``smtp://user:password@host`` or ``smtps://…``; empty where it is not set.

    Only a server on this machine is spoken to without TLS. ``anymail+postmark://?server_token=…`` is a mail service,
    with the options that django-anymail has for it.
    """
    value = text(name, default="")
    if not value:
        return {}
    parts = urlsplit(value)
    if parts.scheme.startswith(ANYMAIL):
        if find_spec("anymail") is None:
            raise ImproperlyConfigured(f"{name} names a mail service: install Recsite with its extra “esp”.")
        return {"provider": parts.scheme.removeprefix(ANYMAIL), "options": dict(parse_qsl(parts.query))}
    options: dict[str, Any] = mailer(name, default="").get("OPTIONS", {})
    if "host" not in options:
        raise ImproperlyConfigured(f"{name} must begin with smtp://, smtps:// or anymail+, and name a host or service.")
    return options | {"use_tls": options["use_tls"] and options["host"] not in {"127.0.0.1", "::1", "localhost"}}


def service(name: str, *, model: str) -> tuple[str, str]:
    """Address of a service that embeds texts, such as ``https://embed.example/v1``, and its model; "" without one."""
    value, by = text(name, default="").strip(), text(model, default="").strip()
    try:
        if value:
            service_place(value)
    except ForbiddenAddressError as error:
        raise ImproperlyConfigured(
            f"{name} may not be spoken to: {error}. Write it like https://embed.example/v1, or http://embedder:8080/v1 "
            "inside your own network."
        ) from error
    if value and not by:
        raise ImproperlyConfigured(f"{name} is set, and {model} does not say by which model texts are embedded.")
    return value, by
