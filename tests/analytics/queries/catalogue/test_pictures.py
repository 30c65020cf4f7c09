"""Hosts of pictures that the policy keeps from the dashboard, told with what to set."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from analytics.queries.catalogue.pictures import strange_hosts
from recommendations.models import Item
from tests.analytics import records

pytestmark = pytest.mark.django_db
HERE = "https://recsite.example"


def strange(*addresses: str) -> list[tuple[str, int]]:
    for number, address in enumerate(addresses):
        Item.objects.filter(pk=records.item(f"i{number}").pk).update(image_url=address)
    return [(each.host, each.items) for each in strange_hosts(HERE, mark=str(addresses))]


def test_hosts_that_the_setting_does_not_name_are_counted(settings: Settings) -> None:
    settings.PICTURE_HOSTS = ["https://cdn.example", "*.shop.example", "plain.example"]
    assert strange(
        "", "/i.jpg", f"{HERE}/i.jpg", "https://cdn.example/i.jpg", "https://a.shop.example/i", "//plain.example/i.jpg",
        "https://Other.example/1.jpg", "//other.example/2.jpg", "https://shop.example/i.jpg?a=b",
        "http://cdn.example/i.jpg", "https://cdn.example:8443/i.jpg",
    ) == [("other.example", 2), ("cdn.example", 1), ("cdn.example:8443", 1), ("shop.example", 1)]  # fmt: skip


def test_catalogue_says_what_to_set_and_a_tile_stands_by(admin: Client) -> None:
    assert strange("https://shop.example/i.jpg") == [("shop.example", 1)]
    page = admin.get(reverse("catalogue")).content.decode()
    assert "<strong>shop.example</strong> · 1 item" in page
    assert "PICTURE_HOSTS" in page
    listed = admin.get(reverse("catalogue_items")).content.decode()
    assert 'src="https://shop.example/i.jpg" data-tile="/api/v1/items/i0/tile.svg"' in listed
