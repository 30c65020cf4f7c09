"""What ``check --deploy`` and the log of a web that begins say is missing to sign in."""

import pytest
import structlog.testing
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from recommendations.models import Staff
from recsite import checks

pytestmark = pytest.mark.django_db


@pytest.fixture
def production(settings: Settings) -> Settings:
    settings.DEMO, settings.BEHIND_PROXY = False, True
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"}}
    return settings


def ids() -> set[str]:
    messages = run_checks(tags=["security"], include_deployment_checks=True)
    return {str(message.id) for message in messages if str(message.id).startswith("recsite.W")}


def test_an_installation_that_has_all_is_told_nothing(production: Settings) -> None:
    Staff.objects.create_superuser("ann@example.com", "correct horse")
    assert ids() == set()


def test_nobody_has_an_account(production: Settings) -> None:
    assert ids() == {"recsite.W001"}
    Staff.objects.create_user("bea@example.com")  # invited, and has no password yet
    Staff.objects.create_superuser("ann@example.com", "correct horse", is_active=False)
    assert ids() == {"recsite.W001"}


def test_plain_http_without_a_proxy_and_mail_that_goes_nowhere(production: Settings) -> None:
    Staff.objects.create_superuser("ann@example.com", "correct horse")
    production.BEHIND_PROXY = False
    production.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    assert ids() == {"recsite.W002", "recsite.W003"}


def test_static_files_that_were_not_collected(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    Staff.objects.create_superuser("ann@example.com", "correct horse")
    monkeypatch.setattr(checks, "missing_static_files", lambda: ("css/app.css", "js/app.js"))
    assert ids() == {"recsite.W004"}


def test_a_demo_is_told_nothing(settings: Settings) -> None:
    assert ids() == set()


def test_a_process_that_begins_logs_it(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.connection, "close", lambda: None)
    with structlog.testing.capture_logs() as logged:
        checks.log_what_is_missing()
    assert [(line["check"], line["log_level"]) for line in logged] == [("recsite.W001", "warning")]
    assert "createsuperuser" in logged[0]["hint"]
