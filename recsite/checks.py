"""System checks of an installation, run by ``manage.py check --deploy``."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


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
