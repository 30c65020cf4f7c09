"""Invited staff get a link that lets them choose a password, once."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import LazySettings
from django.core import mail
from django.test import Client
from django.urls import reverse

from recommendations import tasks
from recommendations.models import AuditEntry, Staff
from recommendations.services.access.invitations import AlreadyInError, send_again
from recommendations.terms import Role
from tests.analytics.conftest import MODEL_BACKEND

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
NEW = {"email": "Ann@Example.com", "name": "Ann", "role": "merchandiser"}


@pytest.fixture
def boss(client: Client) -> Staff:
    staff = Staff.objects.create_user("boss@example.com", PASSWORD, role=Role.ADMIN, name="Bo")
    client.force_login(staff, backend=MODEL_BACKEND)
    return staff


def link_of(message: mail.EmailMessage) -> str:
    match = re.search(r"http://127\.0\.0\.1:8000(/password/\S+)", str(message.body))
    assert match is not None, message.body
    return match[1]


def test_who_is_invited_reads_at_first_what_the_inviter_reads(
    client: Client, boss: Staff, django_capture_on_commit_callbacks: object
) -> None:
    Staff.objects.filter(pk=boss.pk).update(language="zh-hans")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        client.post(reverse("invite_staff"), NEW)
    assert Staff.objects.get(email="ann@example.com").language == "zh-hans"
    assert "邀请" in str(mail.outbox[0].subject)


def test_from_the_invitation_to_the_first_login(
    client: Client, boss: Staff, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert client.post(reverse("invite_staff"), NEW).status_code == 302
    ann = Staff.objects.get(email="ann@example.com")
    assert not ann.has_usable_password()
    [message] = mail.outbox
    assert (message.subject, message.to) == ("Bo invites you to Recsite", ["ann@example.com"])
    assert "as Merchandiser" in message.body
    stranger = Client()
    page = stranger.get(link_of(message), follow=True)
    assert "Choose a password" in page.content.decode()
    assert "For Ann. At least" in page.content.decode()
    address = page.request["PATH_INFO"]
    flawed = stranger.post(address, {"new_password1": "12345678", "new_password2": "12345678"})
    assert "entirely numeric" in flawed.content.decode()
    assert "For Ann. At least" in flawed.content.decode()
    done = stranger.post(address, {"new_password1": PASSWORD, "new_password2": PASSWORD}, follow=True)
    assert "Log in with it" in done.content.decode()
    assert stranger.post("/login/", {"username": "ann@example.com", "password": PASSWORD})["Location"] == "/"
    used = Client().get(link_of(message), follow=True)
    assert "no longer works" in used.content.decode()
    trail = AuditEntry.objects.filter(object_id=str(ann.pk), object_type="staff").order_by("pk")
    assert [(entry.verb, entry.staff) for entry in trail] == [
        ("create", boss), ("invite", boss), ("set password", ann), ("sign in", ann),
    ]  # fmt: skip
    ann.refresh_from_db()
    with pytest.raises(AlreadyInError):
        send_again(staff=ann, by=boss)


def test_the_invitation_is_sent_again_on_demand(
    client: Client, boss: Staff, django_capture_on_commit_callbacks: object
) -> None:
    ann = Staff.objects.create_user("ann@example.com", role=Role.VIEWER, language="zh-hans")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        client.post(reverse("invite_again", args=[ann.pk]))
        answer = client.post(reverse("invite_again", args=[boss.pk]), follow=True)
    assert "already has a password" in answer.content.decode()
    [message] = mail.outbox
    assert message.subject == "Bo 邀请您使用 Recsite"


@pytest.mark.parametrize("backend", ["console", "filebased"])
def test_without_e_mail_the_link_is_shown_to_be_copied(
    client: Client, boss: Staff, settings: LazySettings, tmp_path: Path, backend: str
) -> None:
    options = {"OPTIONS": {"file_path": str(tmp_path)}} if backend == "filebased" else {}
    settings.MAILERS = {"default": {"BACKEND": f"django.core.mail.backends.{backend}.EmailBackend", **options}}
    made = client.post(reverse("invite_staff"), NEW, follow=True).content.decode()
    assert "copy the link below, and send it to ann@example.com yourself" in made
    link = re.search(r'id="invitation"[^>]* value="http://127\.0\.0\.1:8000(/password/[^"]+)"', made)
    assert link is not None
    assert 'data-copies="invitation"' in made
    assert "For Ann. At least" in Client().get(link[1], follow=True).content.decode()
    ann = Staff.objects.get(email="ann@example.com")
    page = reverse("staff_member", args=[ann.pk])
    again = client.post(reverse("invite_again", args=[ann.pk]), follow=True).content.decode()
    assert "copy the link below" in again
    ann.set_password(PASSWORD)
    ann.save()
    assert 'id="invitation"' not in client.get(page).content.decode()


def test_with_e_mail_no_link_is_shown(client: Client, boss: Staff) -> None:
    made = client.post(reverse("invite_staff"), NEW, follow=True).content.decode()
    assert "will get an e-mail with a link" in made
    assert 'id="invitation"' not in made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that the pages leave to a worker; a test plays the worker."""
    addresses: list[str] = []

    def send_task(name: str, args: Sequence[str], **_options: object) -> None:
        assert name == tasks.send_password_link.name
        addresses.extend(args)

    monkeypatch.setattr(current_app, "send_task", send_task)
    return addresses


def test_a_forgotten_password_is_reset_by_e_mail(
    client: Client, asked: list[str], django_capture_on_commit_callbacks: object
) -> None:
    ada = Staff.objects.create_user("ada@example.com", PASSWORD, name="Ada")
    for address in ("ADA@example.com", "nobody@example.com", "ada@example.com"):  # the last comes too soon
        answer = client.post("/password/", {"email": address}, follow=True)
        assert "Check your mail" in answer.content.decode()
    assert asked == ["ada@example.com", "nobody@example.com"]  # the page does not look who is known
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        for address in asked:
            tasks.send_password_link(address)
    [message] = mail.outbox
    assert message.to == ["ada@example.com"]
    page = client.get(link_of(message), follow=True)
    client.post(page.request["PATH_INFO"], {"new_password1": "a better one now", "new_password2": "a better one now"})
    ada.refresh_from_db()
    assert ada.check_password("a better one now")


def test_the_page_looks_nobody_up(client: Client, asked: list[str], django_assert_num_queries: object) -> None:
    """So that it takes as long for those whom nobody knows."""
    Staff.objects.create_user("ada@example.com", PASSWORD)
    for address in ("ada@example.com", "nobody@example.com"):
        with django_assert_num_queries(0):  # type: ignore[operator]
            assert client.post("/password/", {"email": address}).status_code == 302


@pytest.mark.parametrize("host", ["127.0.0.1:9999", "localhost.:4444"])
def test_links_do_not_lead_to_the_host_that_a_request_names(
    client: Client, boss: Staff, host: str, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        client.post(reverse("invite_staff"), NEW, headers={"host": host})
    [message] = mail.outbox
    assert link_of(message)


@pytest.mark.parametrize("staff", [{"is_active": False}, {"password": None}])
def test_who_has_left_or_was_only_invited_gets_no_link(
    staff: dict[str, Any], django_capture_on_commit_callbacks: object
) -> None:
    Staff.objects.create_user("ada@example.com", **{"password": PASSWORD, **staff})
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        tasks.send_password_link("ada@example.com")
    assert mail.outbox == []


def test_an_invalid_e_mail_address_is_refused_at_its_field(client: Client) -> None:
    answer = client.post("/password/", {"email": "ada"})
    assert answer.status_code == 200
    assert 'id="email-error"' in answer.content.decode()
    assert mail.outbox == []
