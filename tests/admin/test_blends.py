"""Options of blends: who sets them, where they make sense, and the trail."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from recommendations.models import AuditEntry, Blend
from recommendations.terms import BlendName, Role

pytestmark = pytest.mark.django_db
HOME, CART = BlendName.HOME, BlendName.CART


def page_of(name: BlendName) -> str:
    return reverse("admin:recommendations_blend_change", args=[Blend.objects.get(name=name).pk])


def options(name: BlendName) -> tuple[bool, bool]:
    return Blend.objects.values_list("automatic", "second_stage").get(name=name)


def test_options_of_a_blend_are_off_and_switched_on_with_a_trail(admin: Client) -> None:
    assert options(HOME) == (False, False)
    assert "passed the gate" in admin.get(page_of(HOME)).content.decode()
    assert admin.post(page_of(HOME), {"second_stage": "on"}).status_code == 302
    assert options(HOME) == (False, True)
    entry = AuditEntry.objects.get()
    assert (entry.object_type, entry.verb, entry.staff.email) == ("blend", "change", "admin@example.com")
    assert (entry.before, entry.after) == ({"second_stage": False}, {"second_stage": True})
    assert admin.post(page_of(HOME), {"second_stage": "on"}).status_code == 302  # nothing new
    assert AuditEntry.objects.count() == 1
    assert admin.post(page_of(HOME), {"automatic": "on"}).status_code == 302
    assert options(HOME) == (True, False)


def test_a_blend_that_nothing_measures_has_no_second_stage(admin: Client) -> None:
    answer = admin.post(page_of(CART), {"second_stage": "on"})
    assert answer.status_code == 200
    assert "No purchases can measure Completes the basket" in answer.content.decode()
    assert options(CART) == (False, False)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.CATALOGUE_ADMIN])
def test_roles_that_publish_weights_set_options(signed_in: Callable[[Role], Client], role: Role) -> None:
    client = signed_in(role)
    assert client.get(page_of(HOME)).status_code == 200
    client.post(page_of(HOME), {"second_stage": "on"})
    assert options(HOME) == (False, role is Role.ADMIN)
