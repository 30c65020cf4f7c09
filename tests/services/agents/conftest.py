"""A shop that may send messages, in the morning, with a holdout and one mail a day."""

from datetime import datetime, time

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.models import PressureRules


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"
    settings.SHOP_TIME_ZONE = "UTC"


@pytest.fixture
def now() -> datetime:
    """Seven in the morning: all slots of the day are to come."""
    return timezone.now().replace(hour=7, minute=0, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def rules() -> PressureRules:
    return PressureRules.objects.create(
        number=1, caps=[{"channel": "email", "most": 1, "hours": 24}], quiet_from=time(21), quiet_until=time(8),
        holdout=0.1, season="2026-2", is_default=True,
    )  # fmt: skip
