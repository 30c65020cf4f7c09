"""System checks of an installation; most are run by ``manage.py check --deploy`` alone."""

from collections.abc import Sequence
from typing import Any

import structlog
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.core.checks import Warning as Advice
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, NotSupportedError, connection

from recommendations.models import ShopSetting, Staff
from recommendations.services.mails.providers import backend_of, may_prove
from recommendations.services.operations.readiness import foreign_domain, missing_static_files, what_valkey_lacks

log = structlog.get_logger(__name__)


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


@register(Tags.database)
def the_database_answers_and_is_new_enough(*, databases: Sequence[str] | None, **_options: Any) -> list[CheckMessage]:
    """Refuse a PostgreSQL that is away or too old, before migrations begin; ``check --database default`` looks, too."""
    try:
        if databases:
            connection.ensure_connection()
    except NotSupportedError as error:
        return [Error(str(error), hint="docs/going-live.md says what Recsite needs.", id="recsite.E004")]
    except DatabaseError as error:
        hint = "Is PostgreSQL running where DATABASE_URL says, with that user, password and database? The log has more."
        return [Error(f"The database does not answer: {error}.", hint=hint, id="recsite.E005")]
    return []


@register(Tags.database)
def the_database_is_of_this_domain(*, databases: Sequence[str] | None, **_options: Any) -> list[CheckMessage]:
    """Refuse the database of a shop that offers something else, before anything is read or changed."""
    try:
        foreign = foreign_domain() if databases and ShopSetting._meta.db_table in _tables() else ""
    except DatabaseError:  # it is away, or too old: another check says so
        return []
    hint = "docs/domains.md says what a domain decides."
    return [Error(foreign, hint=hint, id="recsite.E008")] if foreign else []


def _tables() -> list[str]:
    """Names of the tables that there are; a new database has none."""
    return connection.introspection.table_names()


@register(Tags.database, deploy=True)
def valkey_answers(*, databases: Sequence[str] | None, **_options: Any) -> list[CheckMessage]:
    """Refuse an installation without Valkey; as servers are looked for, it is looked for with the database alone."""
    if not databases:
        return []
    hint = "REDIS_URL says where it is, and with which password; docs/going-live.md has the settings that it needs."
    return [Error(text, hint=hint, id="recsite.E006") for text in what_valkey_lacks().values()]


@register(Tags.security, deploy=True)
def it_has_a_name(*, app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Refuse an installation that answers every request but those of its own machine with a bare 400."""
    if settings.DEMO or set(settings.ALLOWED_HOSTS) - {"localhost", "127.0.0.1"}:
        return []
    text = "No page and no call is answered: ALLOWED_HOSTS names no host, so that every request gets a bare 400."
    hint = "Set ALLOWED_HOSTS to the names under which people and the shop reach it, such as recsite.example.com."
    return [Error(text, hint=hint, id="recsite.E007")]


@register(Tags.security, deploy=True)
def somebody_can_sign_in(*, app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Name what is missing to sign in: an account, a way in by https, mail that arrives, pages that can be drawn."""
    return [] if settings.DEMO else [*_of_accounts(), *_of_https(), *_of_mail(), *_of_static_files()]


def _of_accounts() -> list[CheckMessage]:
    try:
        if any(staff.has_usable_password() for staff in Staff.objects.filter(is_active=True)[:50]):
            return []
    except DatabaseError:  # it is away, too old, or has no tables: others say so
        return []
    hint = "manage.py createsuperuser makes the first account, which invites the others."
    return [Advice("Nobody can sign in: there is no account with a password.", hint=hint, id="recsite.W001")]


def _of_https() -> list[CheckMessage]:
    if settings.BEHIND_PROXY:
        return []
    hint = "Set BEHIND_PROXY=1 where a proxy that sets X-Forwarded-Proto is the only way in; not where web speaks TLS."
    text = "Every request by plain http is sent on to https, as BEHIND_PROXY is not set."
    return [Advice(text, hint=hint, id="recsite.W002")]


def _of_mail() -> list[CheckMessage]:
    backend = str(settings.MAILERS["default"]["BACKEND"])
    if backend.endswith("smtp.EmailBackend"):
        return []
    text = "No e-mail leaves this installation: invitations and links for forgotten passwords reach nobody."
    return [Advice(text, hint="Let EMAIL_URL begin with smtp:// or smtps://.", id="recsite.W003")]


def _of_static_files() -> list[CheckMessage]:
    missing = missing_static_files()
    if not missing:
        return []
    text = f"Static files are not collected, so that pages fail: {missing[0]} is one of {len(missing):,}."
    return [Advice(text, hint="Run manage.py collectstatic.", id="recsite.W004")]


def log_what_is_missing() -> None:
    """Write to the log of a process that begins what its checks find, as nobody may have run them."""
    messages = run_checks(tags=["database"], databases=["default"]) + somebody_can_sign_in(app_configs=None)
    for message in messages:
        if str(message.id).startswith("recsite."):
            log.warning(message.msg, check=message.id, hint=message.hint)
    connection.close()
