"""The tour: stops on the real pages by a parameter, each with its neighbours; left for good, per person."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from analytics.pages.tour import STOPS
from recommendations.models import Staff
from recommendations.terms import Role
from tests.analytics import records

pytestmark = pytest.mark.django_db
LEAVE = reverse("leave_tour")


def stop_of(page: str) -> str:
    return unescape(page.partition('<div id="tour"')[2].partition("</div>")[0])


def test_there_are_six_to_eight_stops() -> None:
    assert 6 <= len(STOPS) <= 8


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN])
def test_from_the_first_stop_to_the_last_by_next_and_back(client_of: Callable[[Role], Client], role: Role) -> None:
    records.event(records.customer("u"), records.item("i"), days_ago=0)
    client, address, seen = client_of(role), reverse("overview", query={"tour": 1}), []
    while address:
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, address
        stop = stop_of(answer.content.decode())
        seen.append(re.findall(r"(\d) of 8", stop)[0])
        onward = re.search(r'btn-primary" href="([^"]+)"', stop)
        back = re.search(r'class="btn" href="([^"]+)"', stop)
        assert bool(back) is (len(seen) > 1)
        address = onward[1] if onward else ""
    assert seen == list("12345678")
    assert "Done" in stop


@pytest.mark.parametrize("text", ["", "0", "9", "99", "x", "\uff11", "-1", "1e1"])
def test_any_other_number_is_no_stop(admin: Client, text: str) -> None:
    page = admin.get("/approvals/", {"tour": text}).content.decode()
    assert 'id="tour"' not in page
    assert "js/tour" not in page


def test_a_customer_at_random_keeps_the_tour(admin: Client) -> None:
    records.event(records.customer("u"), records.item("i"), days_ago=0)
    assert admin.get("/customers/random/?tour=4")["Location"].endswith("?tour=4")


def test_whoever_leaves_stays_on_the_page_and_is_remembered(admin: Client) -> None:
    stop = stop_of(admin.get("/activity/?type=rule&tour=8").content.decode())
    assert 'data-here="/activity/?type=rule"' in stop
    assert Staff.objects.get().tour_ended_at is None
    assert admin.post(LEAVE, headers={"HX-Request": "true"}).status_code == 204
    assert Staff.objects.get().tour_ended_at is not None
    assert admin.post(LEAVE, {"next": "https://evil.example/"})["Location"] == "/"


def test_the_tour_starts_from_the_account_and_from_the_frame(admin: Client) -> None:
    assert f'href="{reverse("overview")}?tour=1"' in admin.get("/account/").content.decode()
