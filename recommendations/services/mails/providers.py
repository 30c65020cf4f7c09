"""Services that send mail: which there are, how one is reached, and what its signed events say of our mails."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import HttpRequest
from django.urls import reverse

from recommendations.channels.protocol import Parcel
from recommendations.services.mails.returns import ReturnedTo, key_of

TIMEOUT = 10  # seconds
TAG = "recsite"
"""Name of our note in the metadata of a mail."""
_TAG = re.compile(r"([ma])(\d{1,18})")


class Hook(NamedTuple):
    """The view of django-anymail that reads a provider's events, and its option that ``PUSH_HOOK_SECRET`` is."""

    view: str
    secret: str


BASIC = "webhook_secret"  # user:password, in the address that the provider calls
# Only those whose events bring our note in a mail back: without it nobody knows which mail they are about.
PROVIDERS: Mapping[str, Hook] = {
    "brevo": Hook("BrevoTrackingWebhookView", BASIC),
    "mailgun": Hook("MailgunTrackingWebhookView", "webhook_signing_key"),
    "mailjet": Hook("MailjetTrackingWebhookView", BASIC),
    "mailtrap": Hook("MailtrapTrackingWebhookView", "tracking_secret"),
    "mandrill": Hook("MandrillCombinedWebhookView", "webhook_key"),
    "postmark": Hook("PostmarkTrackingWebhookView", BASIC),
    "resend": Hook("ResendTrackingWebhookView", BASIC),
    "sparkpost": Hook("SparkPostTrackingWebhookView", BASIC),
}


class EventKind(StrEnum):
    DELIVERED = "delivered"
    HARD = "hard"  # there is no such address
    SOFT = "soft"  # not this time
    COMPLAINT = "complaint"
    UNSUBSCRIBED = "unsubscribed"  # by the provider's own link
    OTHER = "other"


KINDS: Mapping[str, EventKind] = {
    "delivered": EventKind.DELIVERED, "complained": EventKind.COMPLAINT, "unsubscribed": EventKind.UNSUBSCRIBED,
    "bounced": EventKind.SOFT, "rejected": EventKind.SOFT, "failed": EventKind.SOFT,
}  # fmt: skip
"""By the names of django-anymail. A bounce is a soft one until the provider says more."""
LOST = frozenset({"bounced", "rejected"})
NO_SUCH = frozenset({"bounced", "invalid"})  # reasons for it


@dataclass(frozen=True, kw_only=True)
class ProviderEvent:
    """What a provider says of a mail: which of ours it is about, by our note in it; None for mail of others."""

    kind: EventKind
    about: ReturnedTo | None


class UnsignedError(Exception):
    """It does not come from the provider."""


class MalformedError(Exception):
    """It is not what the provider sends."""


def backend_of(provider: str, options: Mapping[str, str]) -> Any:
    """The way to a provider. Raises ImproperlyConfigured for an unknown one, and for options that it has not."""
    if provider not in PROVIDERS:
        raise ImproperlyConfigured(f"PUSH_EMAIL_URL: {provider!r} is none of {', '.join(PROVIDERS)}.")
    backend = import_module(f"anymail.backends.{provider}").EmailBackend
    own = {"requests_timeout": TIMEOUT, "ignore_unsupported_features": True}
    with warnings.catch_warnings(action="error"):  # an option that nobody knows is only warned of
        try:
            return backend(**own, **options)
        except (Warning, TypeError, ImproperlyConfigured) as error:
            raise ImproperlyConfigured(f"PUSH_EMAIL_URL, {provider}: {error}") from error


def note_of(parcel: Parcel) -> Mapping[str, str]:
    """Our note in a mail: a message, or an address that a mail about itself goes to."""
    return {TAG: f"{'m' if parcel.idempotency_key == key_of(parcel.message) else 'a'}{parcel.message}"}


def has_hook(provider: str) -> bool:
    """Whether events of the provider are taken: mail goes by it, and the secret is set that proves them."""
    return settings.PUSH_MAIL_SERVER.get("provider") == provider in PROVIDERS and bool(settings.PUSH_HOOK_SECRET)


def may_prove(provider: str, secret: str) -> bool:
    """Whether a secret has the form that proves events of the provider."""
    return PROVIDERS[provider].secret != BASIC or all(secret.partition(":"))


def events_in(request: HttpRequest, provider: str) -> list[ProviderEvent]:
    """The events of a signed call. Raises UnsignedError and MalformedError."""
    view = _view(provider)
    view.setup(request)
    try:
        view.run_validators(request)
    except (SuspiciousOperation, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnsignedError from error
    try:
        return [_event(each) for each in view.parse_events(request)]
    except (ValueError, LookupError, TypeError, AttributeError, ImproperlyConfigured) as error:
        raise MalformedError from error


def _view(provider: str) -> Any:
    hook, options = PROVIDERS[provider], {}
    if provider == "mandrill":  # it signs the address that it calls, which a proxy may have changed
        options["webhook_url"] = f"{settings.PUBLIC_URL}{reverse('mail-hook', args=[provider])}"
    view = getattr(import_module(f"anymail.webhooks.{provider}"), hook.view)
    return view(**{hook.secret: settings.PUSH_HOOK_SECRET}, **options)


def _event(event: Any) -> ProviderEvent:
    match = _TAG.fullmatch(str((event.metadata or {}).get(TAG, "")))
    return ProviderEvent(
        kind=_kind(event),
        about=ReturnedTo(match[1] == "m", int(match[2])) if match else None,
    )


def _kind(event: Any) -> EventKind:
    kind = KINDS.get(str(event.event_type), EventKind.OTHER)
    is_hard = event.event_type in LOST and event.reject_reason in NO_SUCH and not _says_soft(event.esp_event)
    return EventKind.HARD if is_hard else kind


def _says_soft(raw: Any) -> bool:
    """Whether a provider that calls every bounce by one name says in its own words that it was not for good."""
    if not isinstance(raw, Mapping):
        return False
    words = [str(raw.get(name, "")) for name in ("Type", "type", "event", "bounce_class_name", "bounce_type")]
    return raw.get("hard_bounce") is False or any("soft" in word.lower() for word in words)
