"""The door that the replay comes in by."""

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from demo.replay import Door
from recommendations.services.access import keys
from recommendations.terms import Scope


@pytest.fixture
def door(transactional_db: None) -> Iterator[Door]:
    """A real server, and a key that may do everything."""
    server = LiveServer("127.0.0.1")
    key, secret = keys.create_key(name="demo", scopes=list(Scope), by=None)
    keys.key_ring.drop()
    try:
        yield Door(url=server.url, key=f"{key.prefix}.{secret}")
    finally:
        server.stop()
