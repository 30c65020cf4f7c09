"""What the pages of campaigns need of the installation."""

import pytest
from django.conf import LazySettings


@pytest.fixture
def mail_is_set(settings: LazySettings) -> None:
    """Mail could leave, though nothing takes it."""
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": 1}
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "a@shop.example", "1 Market Square"
