"""Time zones to choose from on the page of preferences: one name a place, as one would say it."""

import re

import pytest
from django.test import Client

from recommendations.models import Contact
from recommendations.public.zones import zone_choices
from tests.public.pages import contact, page_of

pytestmark = pytest.mark.django_db


def test_old_names_and_doubles_are_left_out_and_the_others_can_be_read() -> None:
    zones = {name: words for _region, names in zone_choices() for name, words in names}
    assert zones["America/Argentina/Buenos_Aires"] == "Buenos Aires (Argentina)"
    assert (zones["Africa/Asmara"], zones["America/New_York"], zones["UTC"]) == ("Asmara", "New York", "UTC")
    assert zones["Antarctica/DumontDUrville"] == "Dumont d'Urville"
    for old in ("Africa/Asmera", "America/Buenos_Aires", "Asia/Calcutta", "Europe/Kiev", "US/Eastern", "Etc/GMT+5"):
        assert old not in zones
    assert 350 < len(zones) < 450
    assert len(set(zones.values())) == len(zones)


def test_what_the_shop_said_stays_chosen_also_by_an_old_name() -> None:
    for name, option in (
        ("Asia/Calcutta", "<option selected>Asia/Calcutta</option>"),
        ("America/Sao_Paulo", '<option value="America/Sao_Paulo" selected>Sao Paulo</option>'),
    ):
        page = page_of(contact(time_zone="Asia/Tokyo"))
        Contact.objects.update(time_zone=name)
        text = Client().get(page).content.decode()
        assert option in text
        assert len(re.findall(r"<option[^>]* selected", text)) == 1
