"""System checks of an installation; most are run by ``manage.py check --deploy`` alone."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from recommendations.services.mails.providers import backend_of, may_prove


@register(Tags.security, deploy=True)
def errors_hide_their_insides(*, app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Refuse an installation whose error pages show settings and code to everybody."""
    if not settings.DEBUG or settings.DEMO:
        return []
    return [
        Error(
            "DEBUG=1 shows everybody who meets an error the code, the settings and the data around it.",
            hint="Take DEBUG out of the environment; the logs hold every error.",
            id="recsite.E001",
        )
    ]


@register(Tags.compatibility)
def the_mail_service_is_known(*, app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Refuse a service for mail to customers that there is not, or that has other options."""
    provider = settings.PUSH_MAIL_SERVER.get("provider")
    if provider is None:
        return []
    hint = "docs/push.md, “Sending by a mail service”, has examples."
    try:
        backend_of(provider, settings.PUSH_MAIL_SERVER["options"])
    except ImproperlyConfigured as error:
        return [Error(str(error), hint=hint, id="recsite.E002")]
    if settings.PUSH_HOOK_SECRET and not may_prove(provider, settings.PUSH_HOOK_SECRET):
        return [Error(f"PUSH_HOOK_SECRET must be user:password for {provider}.", hint=hint, id="recsite.E003")]
    return []
