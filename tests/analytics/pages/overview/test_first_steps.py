"""First steps on the first page: computed from what is there, put away and shown again; and the offer of the tour."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recommendations.models import ApiKey, Blend, BlendWeights, SourceHour, Staff
from recommendations.terms import Role
from tests.analytics import records

pytestmark = pytest.mark.django_db
SET = reverse("set_first_steps")


def steps(client: Client) -> str:
    """A mark for each step: done, or open; "" where the list is not shown."""
    page = client.get("/").content.decode()
    return "".join("✓" if done else "·" for done in re.findall(r'<li class="(is-done)?">', page))


def is_open(client: Client) -> bool:
    return '<details class="card first-steps" open>' in client.get("/").content.decode()


def make_it_work() -> ApiKey:
    records.event(records.customer("u"), records.item("i"), days_ago=0)
    records.version(records.run())
    key = ApiKey.objects.create(name="shop", prefix="abc", digest="0" * 64, scopes=[])
    SourceHour.objects.create(key=key, hour=timezone.now(), lines=1)
    return key


def test_each_step_is_done_by_what_is_there(admin: Client) -> None:
    assert steps(admin) == "······"
    records.event(records.customer("u"), records.item("i"), days_ago=0)
    assert steps(admin) == "✓·····"
    records.version(records.run())
    records.published("home")
    assert steps(admin) == "✓✓····"
    key = ApiKey.objects.create(name="shop", prefix="abc", digest="0" * 64, scopes=[])
    assert steps(admin) == "✓✓✓···"
    SourceHour.objects.create(key=key, hour=timezone.now(), lines=1)
    assert steps(admin) == "✓✓✓✓··"
    blend = Blend.objects.get(name="home")
    BlendWeights.objects.create(blend=blend, number=9, weights={"buy_again": 1}, author=Staff.objects.get())
    assert steps(admin) == "✓✓✓✓✓·"
    key.revoked_at = timezone.now()
    key.save()
    assert steps(admin) == "✓✓·✓✓·"
    key.revoked_at = None
    key.save()
    Staff.objects.create_user("ann@example.com", role=Role.VIEWER)
    assert steps(admin) == ""


def test_where_only_the_optional_is_left_it_is_one_line(admin: Client) -> None:
    assert is_open(admin)
    make_it_work()
    assert steps(admin) == "✓✓✓✓··"
    assert not is_open(admin)
    assert "4 of 6 done" in admin.get("/").content.decode()


def test_it_is_put_away_for_all_and_shown_again_under_setup(admin: Client, client_of: Callable[[Role], Client]) -> None:
    viewer = client_of(Role.VIEWER)
    assert "Hide this list" not in viewer.get("/").content.decode()
    page = admin.post(SET, {"shown": "no"}, follow=True).content.decode()
    assert "Show them again under Setup." in page
    assert steps(admin) == steps(viewer) == ""
    assert "Show the first steps again" in admin.get("/setup/placements/").content.decode()
    assert "Show the first steps again" not in viewer.get("/setup/placements/").content.decode()
    admin.post(SET, {"shown": "yes"})
    assert len(steps(viewer)) == 6
    assert "Show the first steps again" not in admin.get("/setup/placements/").content.decode()


@pytest.mark.parametrize(
    ("role", "links"),
    [
        (Role.VIEWER, {"sources", "weights"}),
        (Role.CATALOGUE_ADMIN, {"new_import", "sources", "weights"}),
        (Role.ADMIN, {"new_import", "runs", "new_api_key", "sources", "weights", "staff_list"}),
    ],
)
def test_a_step_leads_where_the_reader_may_do_it(
    client_of: Callable[[Role], Client], role: Role, links: set[str]
) -> None:
    page = client_of(role).get("/").content.decode()
    shown = page.partition('<ol class="card-fill checklist">')[2].partition("</ol>")[0]
    assert set(re.findall(r'<a href="([^"]+)"', shown)) == {reverse(name) for name in links}


def test_the_tour_is_offered_until_it_was_left(admin: Client, client_of: Callable[[Role], Client]) -> None:
    make_it_work()
    admin.post(SET, {"shown": "no"})
    viewer = client_of(Role.VIEWER)
    assert "New here?" in viewer.get("/").content.decode()
    assert viewer.post(reverse("leave_tour"), {"next": "/?days=7"})["Location"] == "/?days=7"
    assert "New here?" not in viewer.get("/").content.decode()
    assert "New here?" in admin.get("/").content.decode()
