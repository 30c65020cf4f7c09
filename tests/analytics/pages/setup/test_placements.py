"""Placements in the dashboard: everybody looks, an admin changes, flawed values say so at their fields."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from recommendations.models import AuditEntry, Placement
from recommendations.terms import Role

pytestmark = pytest.mark.django_db
LIST = reverse("placement_list")
HOME = reverse("placement_settings", args=["home"])


def form(**changes: str) -> dict[str, str]:
    home = Placement.objects.get(name="home")
    given = {
        "repeat": home.repeat, "variants": home.variants,
        "cool_down": str(home.cool_down), "fatigue": str(home.fatigue), "diversity": "",
        "explores": "on", "n": str(home.n),
        "attribution_window": str(home.attribution_window), "enabled": "on",
    }  # fmt: skip
    seen = {f"initial-{name}": value for name, value in given.items()}
    return seen | {name: value for name, value in (given | changes).items() if value or name == "diversity"}


def test_the_list_says_what_each_placement_shows(client_of: Callable[[Role], Client]) -> None:
    page = client_of(Role.VIEWER).get(LIST)
    assert [each.name for each in page.context["placements"]] == list(
        Placement.objects.order_by("id").values_list("name", flat=True)
    )
    assert "For you" in page.content.decode()


def test_an_admin_changes_a_placement_with_a_trail(admin: Client) -> None:
    answer = admin.post(HOME, form(n="7", enabled=""), follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert "has changed, from the next request on." in answer.content.decode()
    home = Placement.objects.get(name="home")
    assert (home.n, home.enabled) == (7, False)
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"n": 20, "enabled": True}, {"n": 7, "enabled": False})


def test_two_people_do_not_overwrite_each_other_unseen(admin: Client) -> None:
    mine, other = form(n="9", cool_down="0.5"), form(cool_down="0.5")
    admin.post(HOME, form(n="7"))
    answer = admin.post(HOME, mine)
    assert answer.status_code == 409
    assert "<td>7</td><td>9</td>" in answer.content.decode()
    assert admin.post(HOME, other).status_code == 302  # another field
    home = Placement.objects.get(name="home")
    assert (home.n, home.cool_down) == (7, 0.5)
    admin.post(HOME, {**mine, "over": answer.context["stale"]["over"]})
    assert Placement.objects.get(name="home").n == 9


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", "0"),
        ("n", "101"),
        ("n", "many"),
        ("cool_down", "2"),
        ("fatigue", "3"),
        ("diversity", "-1"),
        ("attribution_window", "721"),
        ("repeat", "maybe"),
    ],
)
def test_a_flawed_value_says_so_at_its_field(admin: Client, field: str, value: str) -> None:
    answer = admin.post(HOME, form(**{field: value}))
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not AuditEntry.objects.exists()


def test_who_may_not_change_sees_the_values_and_no_button(client_of: Callable[[Role], Client]) -> None:
    page = client_of(Role.MERCHANDISER).get(HOME).content.decode()
    assert page.count("disabled") >= 7
    assert ">Save<" not in page


def test_an_unknown_placement_is_not_found(admin: Client) -> None:
    for answer in (admin.get, admin.post):
        assert answer(reverse("placement_settings", args=["cellar"])).status_code == 404


def test_variants_have_one_tile_or_one_each(admin: Client) -> None:
    page = admin.get(HOME).content.decode()
    assert "One tile per product" in page
    assert "A tile for each variant" in page
    admin.post(HOME, form(variants="each"))
    assert Placement.objects.get(name="home").variants == "each"
    assert AuditEntry.objects.get().after == {"variants": "each"}
    assert Placement.objects.get(name="search").variants == "each"  # what the shop's search found is shown
    assert set(Placement.objects.exclude(name__in=["home", "search"]).values_list("variants", flat=True)) == {"one"}
