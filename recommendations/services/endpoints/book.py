"""Webhooks made, changed and opened. A secret is shown once; changed, the one before signs as well for a day."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from recommendations.channels.outbound import ForbiddenAddressError, is_public, place_of
from recommendations.channels.webhook import PREFIX
from recommendations.models import Endpoint, Staff
from recommendations.services.access import audit
from recommendations.store.contacts.sealing import OpenAddress, SealBrokenError, reseal, seal, unseal

__all__ = [
    "EndpointError", "NewSecret", "SealBrokenError", "address_of", "create", "endpoint_for", "endpoints", "in_use",
    "inside_text", "opened", "reseal_secrets", "rotate", "site_of", "switch",
]  # fmt: skip

MOST = 10  # in use
ROTATES = timedelta(hours=24)  # that the secret before signs as well
BYTES = 32  # of a secret
LONGEST_NAME = 60


class EndpointError(Exception):
    """It cannot be made or used so; ``field`` is the one to mend, and the text says how."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """An endpoint, with a secret that is shown this once."""

    endpoint: Endpoint
    secret: str


@transaction.atomic
def create(name: str, url: str, *, by: Staff | None, now: datetime) -> NewSecret:
    """Create a webhook. Raises EndpointError and KeysMissingError."""
    name, url = name.strip(), url.strip()
    if not name or len(name) > LONGEST_NAME:
        raise EndpointError("name", _("Give it a name of at most %(most)d characters.") % {"most": LONGEST_NAME})
    _check_address(url)
    _check_room()
    secret = _secret()
    endpoint = Endpoint(name=name, url=url, sealed_secret=seal({"secret": secret}), author=by, created_at=now)
    try:
        with transaction.atomic():
            endpoint.save()
    except IntegrityError as error:
        raise EndpointError("name", _("There is a webhook of that name already.")) from error
    audit.record(by=by, verb="create", subject=endpoint, after={"name": name, "host": site_of(url)})
    return NewSecret(endpoint=endpoint, secret=secret)


@transaction.atomic
def rotate(key: int, *, by: Staff, now: datetime) -> NewSecret:
    """Give a webhook a new secret; the one that it had signs as well for a day. Raises KeysMissingError."""
    endpoint, secret = _locked(key), _secret()
    endpoint.sealed_before, endpoint.before_until = endpoint.sealed_secret, now + ROTATES
    endpoint.sealed_secret = seal({"secret": secret})
    endpoint.save(update_fields=["sealed_secret", "sealed_before", "before_until"])
    audit.record(by=by, verb="change secret", subject=endpoint)
    return NewSecret(endpoint=endpoint, secret=secret)


@transaction.atomic
def switch(key: int, *, on: bool, by: Staff | None, reason: str = "") -> Endpoint:
    """Switch a webhook on or off, which staff say, or its receiver does by what it answers. Raises EndpointError."""
    endpoint = _locked(key)
    if endpoint.enabled == on:
        return endpoint
    if on:
        _check_address(endpoint.url)
        _check_room()
    endpoint.enabled, endpoint.off_reason, endpoint.failing_since = on, "" if on else reason, None
    endpoint.save(update_fields=["enabled", "off_reason", "failing_since"])
    audit.record(by=by, verb="switch on" if on else "switch off", subject=endpoint, note=reason)
    return endpoint


def endpoints() -> Sequence[Endpoint]:
    """All webhooks by name, those in use first."""
    return list(Endpoint.objects.select_related("author").order_by("-enabled", "name"))


def in_use() -> Sequence[Endpoint]:
    """The webhooks that messages may go to, by name."""
    return list(Endpoint.objects.filter(enabled=True).order_by("name"))


def endpoint_for(key: int | None) -> Endpoint | None:
    """The webhook that a campaign names, or else the only one in use; None where that is off, or it is not clear."""
    enabled = Endpoint.objects.filter(enabled=True)
    chosen = list((enabled.filter(pk=key) if key else enabled)[:2])
    return chosen[0] if len(chosen) == 1 else None


def opened(endpoint: Endpoint, *, now: datetime) -> OpenAddress:
    """Where a webhook is, and the secrets that sign for it now. Raises KeysMissingError and SealBrokenError."""
    sealed = [endpoint.sealed_secret]
    if endpoint.sealed_before and endpoint.before_until and endpoint.before_until > now:
        sealed.append(endpoint.sealed_before)
    return {"url": endpoint.url, "secrets": " ".join(unseal(each)["secret"] for each in sealed)}


@transaction.atomic
def reseal_secrets() -> None:
    """Seal the secrets of all webhooks with the first of CONTACT_KEYS. Raises KeysMissingError and SealBrokenError."""
    for endpoint in Endpoint.objects.select_for_update():
        endpoint.sealed_secret = reseal(endpoint.sealed_secret)
        endpoint.sealed_before = reseal(endpoint.sealed_before) if endpoint.sealed_before else None
        endpoint.save(update_fields=["sealed_secret", "sealed_before"])


def site_of(url: str) -> str:
    """Scheme, host and port of a webhook, which is all that the trail and most of the staff see of it."""
    try:
        return place_of(url, trusted=settings.WEBHOOK_HOSTS).origin
    except ForbiddenAddressError:
        return ""


def address_of(url: str) -> str:
    """Where a webhook is, as who may change it sees it: without its query, which may be a secret."""
    path = urlsplit(url).path
    return f"{site_of(url)}{path}{'?…' if '?' in url else ''}"


def _check_address(url: str) -> None:
    site = site_of(url)
    if site and site not in settings.WEBHOOK_HOSTS and _is_inside(url):
        raise EndpointError("url", inside_text(site))
    if not site:
        text = _(
            "Write an address such as https://erp.shop.example/hooks: by https, on port 443 or 8443, without a name "
            "and password. One inside your own network has to stand in WEBHOOK_HOSTS."
        )
        raise EndpointError("url", text)


def inside_text(site: str) -> str:
    """What to do about an address inside the shop's own network."""
    text = _(
        "It is inside your own network, where nothing is sent by itself. If that is meant, set "
        "WEBHOOK_HOSTS=%(site)s and start again; otherwise write a public address."
    )
    return text % {"site": site}


def _is_inside(url: str) -> bool:
    """Whether an address names no host but an IP address, and that is none of the open internet's."""
    try:
        return not is_public(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _check_room() -> None:
    if Endpoint.objects.filter(enabled=True).count() >= MOST:
        raise EndpointError("name", _("There are %(most)d webhooks in use: switch one off first.") % {"most": MOST})


def _locked(key: int) -> Endpoint:
    return Endpoint.objects.select_for_update().get(pk=key)


def _secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()
