"""The second factor: set up, asked for at the one login, recovered from, taken away; wrong codes lock."""

import re
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from recommendations.models import AuditEntry, AuthenticatorApp, Staff, StaffSession
from recommendations.services.access import second_factor
from recommendations.terms import Role
from tests.analytics.conftest import client_of as client_of

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
PAGE = "/account/second-factor/"


def code_of(staff: Staff, *, steps: int = 0) -> str:
    """What the app shows; ``steps`` half minutes later."""
    app = AuthenticatorApp.objects.get(user=staff)
    maker = TOTP(app.bin_key)
    maker.time = maker.time + 30 * steps
    return f"{maker.token():06d}"


def log_in(client: Client, staff: Staff, password: str = PASSWORD, then: str = "/runs/") -> str:
    answer = client.post("/login/", {"username": staff.email, "password": password, "next": then})
    return str(answer.get("Location", answer.status_code))


def forget_pauses() -> None:
    """Let the pauses after wrong codes and the half minute of a used one be over."""
    AuthenticatorApp.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0, last_t=-1)
    StaticDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)


@pytest.fixture
def ada() -> Staff:
    return Staff.objects.create_user("ada@example.com", PASSWORD, role=Role.VIEWER, name="Ada")


@pytest.fixture
def codes(ada: Staff) -> list[str]:
    """Recovery codes of Ada, who has just set the second factor up."""
    second_factor.new_app(ada)
    codes = second_factor.confirm_app(staff=ada, code=code_of(ada))
    assert codes is not None
    forget_pauses()
    return codes


def verbs() -> list[str]:
    return list(AuditEntry.objects.filter(object_type="staff").order_by("pk").values_list("verb", flat=True))


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sets_it_up_and_is_asked_for_it(client_of: Callable[[Role], Client], role: Role) -> None:
    client, staff = client_of(role), Staff.objects.get(email=f"{role}@example.com")
    page = client.get(PAGE).content.decode()
    assert 'src="data:image/svg+xml' in page
    assert second_factor.key_of(AuthenticatorApp.objects.get(user=staff)) in page
    assert "does not match" in client.post(PAGE, {"code": "000000"}).content.decode()
    assert not second_factor.has_second_factor(staff)
    forget_pauses()
    done = client.post(PAGE, {"code": code_of(staff)}).content.decode()
    shown = re.findall(r"\b[a-z2-7]{5}-[a-z2-7]{5}\b", done.split("<textarea")[1].split("</textarea>")[0])
    assert len(set(shown)) == 10
    assert "The second factor is on." in done
    assert "10 of 10" in client.get(PAGE).content.decode()
    other = Client()
    assert log_in(other, staff, "correct horse") == "/login/code/?next=%2Fruns%2F"
    assert other.get("/runs/")["Location"] == "/login/?next=/runs/"  # the password alone opens nothing
    forget_pauses()
    answer = other.post("/login/code/?next=/runs/", {"code": code_of(staff)})
    assert answer["Location"] == "/runs/"
    assert other.get("/runs/").status_code == 200
    assert verbs() == ["set second factor", "sign in"]


def test_the_admin_asks_for_it_too(client: Client, ada: Staff, codes: list[str]) -> None:
    Staff.objects.filter(pk=ada.pk).update(role=Role.ADMIN)
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert log_in(client, ada, then="/admin/") == "/login/code/?next=%2Fadmin%2F"
    assert client.get("/admin/").status_code == 302
    assert client.post("/login/code/?next=/admin/", {"code": code_of(ada)})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_code_works_once(client: Client, ada: Staff, codes: list[str]) -> None:
    code = code_of(ada)
    log_in(client, ada)
    assert client.post("/login/code/", {"code": f" {code[:3]} {code[3:]} "}).status_code == 302
    other = Client()
    log_in(other, ada)
    assert "does not match" in other.post("/login/code/", {"code": code}).content.decode()


def test_a_recovery_code_works_once(client: Client, ada: Staff, codes: list[str]) -> None:
    for attempt, status in ((codes[0].upper(), 302), (codes[0], 200), (codes[1].replace("-", ""), 302)):
        forget_pauses()
        log_in(browser := Client(), ada)
        assert browser.post("/login/code/", {"code": attempt}).status_code == status, attempt
    assert second_factor.codes_left(ada) == 8
    used = AuditEntry.objects.filter(verb="use recovery code").order_by("pk")
    assert [entry.after for entry in used] == [{"codes_left": 9}, {"codes_left": 8}]


@pytest.mark.parametrize(
    ("code", "said"), [("aaaaa-aaaaa", "wrong or has been used"), ("12345", "Wait for the next one")]
)
def test_a_wrong_code_is_called_by_its_kind(client: Client, ada: Staff, codes: list[str], code: str, said: str) -> None:
    log_in(client, ada)
    assert said in client.post("/login/code/", {"code": code}).content.decode()


def test_a_used_recovery_code_is_called_used(client: Client, ada: Staff, codes: list[str]) -> None:
    assert second_factor.verify(staff=ada, code=codes[0])
    log_in(client, ada)
    assert "has been used" in client.post("/login/code/", {"code": codes[0]}).content.decode()


def test_wrong_codes_wait_then_lock_like_wrong_passwords(client: Client, ada: Staff, codes: list[str]) -> None:
    log_in(client, ada)
    assert "does not match" in client.post("/login/code/", {"code": "000000"}).content.decode()
    assert "Too soon" in client.post("/login/code/", {"code": code_of(ada)}).content.decode()
    AuthenticatorApp.objects.update(throttling_failure_count=6)
    page = client.post("/login/code/", {"code": code_of(ada)}).content.decode()
    [seconds] = re.findall(r"Wait (\d+) seconds, then", page)
    assert 25 <= int(seconds) <= 32  # the pause doubles: 2⁵ seconds after the sixth
    for _ in range(3):
        forget_pauses()
        assert client.post("/login/code/", {"code": "000000"}).status_code == 200
    forget_pauses()
    assert client.post("/login/code/", {"code": "000000"}).status_code == 429
    forget_pauses()
    answer = client.post("/login/code/", {"code": code_of(ada)})
    assert answer.status_code == 429
    assert "ada@example.com" in answer.content.decode()
    assert log_in(Client(), ada) == "429"
    assert verbs()[1:] == ["wrong code"] * 5 + ["lock out"]


def test_the_right_password_does_not_forget_wrong_codes(client: Client, ada: Staff, codes: list[str]) -> None:
    statuses = []
    for _ in range(5):
        forget_pauses()
        log_in(client, ada)
        statuses.append(client.post("/login/code/", {"code": "000000"}).status_code)
    assert statuses == [200] * 4 + [429]


def test_the_code_is_asked_for_ten_minutes_and_of_the_same_password(
    client: Client, ada: Staff, codes: list[str]
) -> None:
    assert client.get("/login/code/")["Location"] == "/login/"
    log_in(client, ada)
    ada.set_password("another one entirely")
    ada.save()
    assert client.get("/login/code/")["Location"] == "/login/"
    log_in(client, ada, "another one entirely")
    session = client.session
    session["half_in"] = {**session["half_in"], "at": "2020-01-01T00:00:00+00:00"}
    session.save()
    assert client.post("/login/code/", {"code": code_of(ada)})["Location"] == "/login/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_the_code_leads_to_no_other_site(client: Client, ada: Staff, codes: list[str], target: str) -> None:
    log_in(client, ada)
    assert client.post(f"/login/code/?next={target}", {"code": code_of(ada)})["Location"] == "/"


@pytest.fixture
def in_with_code(client: Client, ada: Staff, codes: list[str]) -> Client:
    log_in(client, ada)
    client.post("/login/code/", {"code": code_of(ada)})
    forget_pauses()
    return client


def test_turning_it_off_needs_password_and_code(in_with_code: Client, ada: Staff, codes: list[str]) -> None:
    off = "/account/second-factor/remove/"
    for form in (
        {},
        {"password": PASSWORD},
        {"password": "wrong", "code": codes[0]},
        {"password": PASSWORD, "code": "x"},
    ):
        forget_pauses()
        assert in_with_code.post(off, form).status_code == 200, form
    assert second_factor.has_second_factor(ada)
    forget_pauses()
    answer = in_with_code.post(off, {"password": PASSWORD, "code": code_of(ada)}, follow=True)
    assert "The second factor is turned off" in answer.content.decode()
    assert not StaticToken.objects.exists()
    assert verbs()[-1] == "remove second factor"
    assert log_in(Client(), ada) == "/runs/"


def test_new_recovery_codes_replace_the_old(in_with_code: Client, ada: Staff, codes: list[str]) -> None:
    page = in_with_code.post("/account/second-factor/codes/", {"password": PASSWORD, "code": code_of(ada)})
    assert "Here are ten new codes; the old ones no longer work." in page.content.decode()
    assert "The second factor is on" not in page.content.decode()
    assert not set(codes) & set(page.content.decode().split())
    assert not second_factor.verify(staff=ada, code=codes[0])


def test_an_admin_takes_it_away_from_who_lost_the_phone(
    client_of: Callable[[Role], Client], in_with_code: Client, ada: Staff
) -> None:
    admin, change = client_of(Role.ADMIN), reverse("staff_member", args=[ada.pk])
    assert "127.0.0.1" in admin.get(change).content.decode()
    remove = reverse("remove_staff_factor", args=[ada.pk])
    answer = admin.post(remove, follow=True)
    assert "was signed out everywhere" in answer.content.decode()
    assert in_with_code.get("/runs/").status_code == 302
    entries = AuditEntry.objects.filter(verb__in=["remove second factor", "end session"])
    assert {(entry.verb, str(entry.staff), entry.label) for entry in entries} == {
        ("remove second factor", "The admin", ada.email),
        ("end session", "The admin", ada.email),
    }
    assert "has no second factor" in admin.post(remove, follow=True).content.decode()


def test_the_command_helps_the_only_admin(ada: Staff, codes: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("remove_second_factor", "ADA@example.com")
    assert "is gone" in capsys.readouterr().out
    assert not second_factor.has_second_factor(ada)
    with pytest.raises(CommandError, match="Nobody has the address"):
        call_command("remove_second_factor", "nobody@example.com")


def test_where_it_is_required_nothing_else_opens_before(client: Client, ada: Staff, settings: LazySettings) -> None:
    settings.SECOND_FACTOR = "required"
    log_in(client, ada)
    for address in ("/", "/runs/", "/account/", "/account/password/", "/admin/", "/customers/?format=csv"):
        assert client.get(address)["Location"] == PAGE, address
    assert client.post("/runs/start/")["Location"] == PAGE
    assert client.get("/runs/", headers={"HX-Request": "true"})["HX-Redirect"] == PAGE
    assert "A second factor is required here" in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"code": code_of(ada)}).status_code == 200
    assert client.get("/runs/").status_code == 200
    forget_pauses()
    client.post("/account/second-factor/remove/", {"password": PASSWORD, "code": code_of(ada)})
    assert client.get("/runs/")["Location"] == PAGE  # off means: to be set up again


def test_at_rest_there_is_neither_a_key_nor_a_code(ada: Staff, codes: list[str], settings: LazySettings) -> None:
    app = AuthenticatorApp.objects.get(user=ada)
    key = app.bin_key
    assert app.key.encode() not in (key, key.hex().encode())
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert not stored & {code.replace("-", "") for code in codes}
    settings.SECRET_KEY = "another" * 10
    assert app.bin_key != key


def test_keys_and_codes_stand_in_no_log(ada: Staff, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    log_in(client, ada)
    client.get(PAGE)
    key = second_factor.key_of(AuthenticatorApp.objects.get(user=ada))
    code = code_of(ada)
    page = client.post(PAGE, {"code": code}).content.decode()
    [recovery, *_rest] = re.findall(r"\b[a-z2-7]{5}-[a-z2-7]{5}\b", page.split("<textarea")[1])
    assert not any(secret in caplog.text for secret in (key, key.replace(" ", ""), recovery))
    assert StaffSession.objects.filter(staff=ada).count() == 1
