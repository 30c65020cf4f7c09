"""Recsite behind a real port, with a few items and keys, as the clients of a shop meet it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import pytest_django
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from recommendations.models import Item
from recommendations.services.keys import create_key
from recommendations.terms import Scope
from tests.trained import furnish


@dataclass(frozen=True)
class Recsite:
    url: str
    browser_key: str
    server_key: str


@pytest.fixture(scope="module")
def recsite(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[Recsite]:
    with django_db_blocker.unblock():
        Item.objects.bulk_create(
            Item(shop_id=f"SKU{number}", title=f"Item {number}", price=number) for number in range(60)
        )
        server = LiveServer("127.0.0.1")
        try:
            yield Recsite(server.url, _token(Scope.EVENTS_WRITE), _token(*Scope))
        finally:
            server.stop()
            call_command("flush", verbosity=0, interactive=False)
            furnish()


def _token(*scopes: Scope) -> str:
    key, secret = create_key(name="Shop", scopes=scopes, by=None)
    return f"{key.prefix}.{secret}"
