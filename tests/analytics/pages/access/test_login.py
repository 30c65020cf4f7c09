"""Login with e-mail and password, its lock, and the language and theme that follow the person."""

import pytest
from django.conf import LazySettings
from django.test import Client

from analytics.pages.access.preferences import THEME_COOKIE
from recommendations.models import Staff

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.fixture
def ada() -> Staff:
    return Staff.objects.create_user("ada@example.com", PASSWORD, name="Ada")


def test_the_email_address_is_the_same_in_any_case(client: Client, ada: Staff) -> None:
    answer = client.post("/login/?next=/runs/", {"username": "ADA@example.com", "password": PASSWORD, "next": "/runs/"})
    assert (answer.status_code, answer["Location"]) == (302, "/runs/")
    assert "Ada" in client.get("/runs/").content.decode()
    assert client.get("/login/")["Location"] == "/"  # who is in already needs no login
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/")["Location"] == "/login/?next=/"


def test_login_does_not_redirect_to_another_site(client: Client, ada: Staff) -> None:
    answer = client.post("/login/", {"username": ada.email, "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_wrong_passwords_are_told_then_locked_for_a_while(client: Client, ada: Staff, settings: LazySettings) -> None:
    wrong = {"username": ada.email, "password": "wrong"}
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        answer = client.post("/login/", wrong)
        assert answer.status_code == 200
        assert "do not match" in answer.content.decode()
    for password in ("wrong", PASSWORD):  # from now on even the right one waits, in whatever case the address is
        answer = client.post("/login/", {"username": ada.email.upper(), "password": password})
        assert answer.status_code == 429
        assert "Login is locked for 15 min" in answer.content.decode()
    other = Staff.objects.create_user("eve@example.com", PASSWORD)
    assert client.post("/login/", {"username": other.email, "password": PASSWORD}).status_code == 302


def test_inactive_staff_cannot_log_in(client: Client, ada: Staff) -> None:
    Staff.objects.filter(pk=ada.pk).update(is_active=False)
    assert client.post("/login/", {"username": ada.email, "password": PASSWORD}).status_code == 200


def chosen(client: Client, **choice: str) -> None:
    answer = client.post("/preferences/", {"next": "/login/", **choice})
    assert (answer.status_code, answer["Location"]) == (302, "/login/")


def test_language_and_theme_before_login_are_kept_for_the_staff_member(client: Client, ada: Staff) -> None:
    chosen(client, language="zh-hans")
    chosen(client, theme="dark")
    page = client.get("/login/").content.decode()
    assert 'lang="zh-hans" data-theme="dark" data-bs-theme="dark"' in page
    assert "电子邮箱" in page
    client.post("/login/", {"username": ada.email, "password": PASSWORD})
    ada.refresh_from_db()
    assert (ada.language, ada.theme) == ("zh-hans", "dark")
    assert "概览" in client.get("/").content.decode()


def test_another_browser_gets_the_language_and_theme_of_the_staff_member(ada: Staff) -> None:
    Staff.objects.filter(pk=ada.pk).update(language="zh-hans", theme="light")
    client = Client()
    client.post("/login/", {"username": ada.email, "password": PASSWORD})
    page = client.get("/").content.decode()
    assert 'lang="zh-hans" data-theme="light"' in page


def test_language_and_theme_changed_after_login_are_kept(client: Client, ada: Staff) -> None:
    client.post("/login/", {"username": ada.email, "password": PASSWORD})
    chosen(client, language="zh-hans", theme="dark")
    ada.refresh_from_db()
    assert (ada.language, ada.theme) == ("zh-hans", "dark")
    chosen(client, language="en")
    ada.refresh_from_db()
    assert (ada.language, ada.theme) == ("en", "dark")


@pytest.mark.parametrize("choice", [{"theme": "pink"}, {"language": "xx"}, {"language": "en'"}, {}])
def test_choices_that_are_not_on_offer_change_nothing(client: Client, ada: Staff, choice: dict[str, str]) -> None:
    client.post("/login/", {"username": ada.email, "password": PASSWORD})
    chosen(client, **choice)
    ada.refresh_from_db()
    assert (ada.language, ada.theme) == ("en", "auto")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_preferences_do_not_redirect_to_another_site(client: Client, target: str) -> None:
    assert client.post("/preferences/", {"theme": "dark", "next": target})["Location"] == "/"


def test_an_odd_cookie_is_the_systems_theme(client: Client) -> None:
    client.cookies[THEME_COOKIE] = "</html>"
    assert 'data-theme="auto" data-bs-theme="light"' in client.get("/login/").content.decode()
