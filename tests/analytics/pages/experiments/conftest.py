"""Who looks at experiments."""

from collections.abc import Callable

import pytest
from django.test import Client

from recommendations.terms import Role


@pytest.fixture
def publisher(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.PUBLISHER)


@pytest.fixture
def viewer(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.VIEWER)
