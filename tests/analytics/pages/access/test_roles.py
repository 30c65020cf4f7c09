"""What staff of each role see and press; ``test_policy.py`` walks every address."""

from collections.abc import Callable
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from analytics.pages.failure import LISTS
from recommendations.models import Audience, Rule
from recommendations.terms import Role, RunStatus
from tests.analytics import records

pytestmark = pytest.mark.django_db

CHANGING = {"start_run", "cancel_run", "resume_run"}
MAY_RUN = {Role.PUBLISHER, Role.ADMIN}


def addresses(names: set[str]) -> list[str]:
    return [
        reverse(name, kwargs={"pk": uuid4()} if name.endswith("_run") and name != "start_run" else {}) for name in names
    ]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_every_page(client_of: Callable[[Role], Client], role: Role) -> None:
    client, run, who = client_of(role), records.run(), records.customer("u")
    records.event(who, records.item("i"), days_ago=1)
    pages = ["/", "/customers/", f"/customers/{who.code}/", "/runs/", f"/runs/{run.pk}/", f"/runs/{run.pk}/progress/"]
    for page in [*pages, "/quality/", "/search/?q=x", "/customers/items/?find=x"]:
        assert client.get(page).status_code == 200, page


@pytest.mark.parametrize("role", list(Role))
def test_only_permitted_roles_start_cancel_and_resume_runs(client_of: Callable[[Role], Client], role: Role) -> None:
    client = client_of(role)
    failed = records.run(status=RunStatus.FAILED, done=2)
    expected = 302 if role in MAY_RUN else 403
    for action in (f"/runs/{failed.pk}/resume/", f"/runs/{failed.pk}/cancel/", "/runs/start/"):
        answer = client.post(action)
        assert answer.status_code == expected, action
        assert ("Your role does not allow this" in answer.content.decode()) is (expected == 403)
        assert ("Roles that may: Publisher / Admin." in answer.content.decode()) is (expected == 403)
    assert ("Start a run" in client.get("/runs/").content.decode()) is False  # one is going on, or one may not
    failed.refresh_from_db()
    assert failed.status == (RunStatus.CANCELLED if role in MAY_RUN else RunStatus.FAILED)


@pytest.mark.parametrize("role", list(Role))
def test_buttons_are_shown_to_roles_that_may_press_them(client_of: Callable[[Role], Client], role: Role) -> None:
    client, failed = client_of(role), records.run(status=RunStatus.FAILED, done=2)
    may = role in MAY_RUN
    assert ("Start a run" in client.get("/runs/").content.decode()) is may
    assert ("Resume</button>" in client.get(f"/runs/{failed.pk}/").content.decode()) is may
    opens_admin = role in {Role.ADMIN, Role.CATALOGUE_ADMIN}
    assert ('href="/admin/"' in client.get("/setup/placements/").content.decode()) is opens_admin


def test_addresses_that_change_something_need_a_post(admin: Client) -> None:
    for address in addresses(CHANGING | {"preferences"}):
        opened = admin.get(address)
        assert (opened.status_code, opened["Allow"]) == (405, "POST"), address
        assert "This address only takes what a form sends" in opened.content.decode(), address


def test_a_post_needs_the_token_of_its_page(client_of: Callable[[Role], Client]) -> None:
    admin = client_of(Role.ADMIN)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.cookies
    for address in addresses(CHANGING | {"preferences"}):
        assert strict.post(address).status_code == 403, address


def test_unknown_addresses_are_not_found_in_the_frame(admin: Client) -> None:
    for address in ("/nothing/", f"/runs/{uuid4()}/", "/customers/me/"):
        answer = admin.get(address)
        assert answer.status_code == 404, address
        assert "There is nothing at this address" in answer.content.decode()
    for section in LISTS:
        assert f'href="/{section}/">Go to ' in admin.get(f"/{section}/no/such/thing/").content.decode(), section
    assert "Go to Overview" in admin.get("/nothing/").content.decode()


def test_a_form_that_may_only_be_read_says_so(client_of: Callable[[Role], Client]) -> None:
    rule = Rule.objects.create(name="Tea first", action="boost")
    audience = Audience.objects.create(name="Tea people", conditions={"all": [], "none": []})
    for role, told in ((Role.VIEWER, True), (Role.PUBLISHER, False)):
        client = client_of(role)
        for address, words in (
            (f"/rules/{rule.pk}/", "Your role can read rules, but not change them."),
            (f"/audiences/{audience.pk}/", "Your role can read audiences, but not change them."),
        ):
            assert (words in client.get(address).content.decode()) is told, (role, address)


@pytest.mark.parametrize("address", ["C-7K4F", "id/nobody", "id/a%2Fb"])
def test_an_unknown_customer_is_named(admin: Client, address: str) -> None:
    answer = admin.get(f"/customers/{address}/")
    assert answer.status_code == 404
    typed = unquote(address.removeprefix("id/"))
    page = answer.content.decode()
    assert f"There is no customer “{typed}”" in page
    assert ("names nobody before they agree to personalisation" in page) is address.startswith("id/")


def test_a_stranger_learns_nothing_from_an_unknown_address(client: Client) -> None:
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert "Customers" not in answer.content.decode()
