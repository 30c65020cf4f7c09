"""A folder of its own for the files of a test, and two items that they change."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import LazySettings

from recommendations.models import Category, Item


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: LazySettings) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}


@pytest.fixture
def items() -> list[Item]:
    drinks = [Item.objects.create(shop_id="A1", title="Tea", price=Decimal("3.00")),
            Item.objects.create(shop_id="A2", title="Coffee", price=Decimal("4.00"))]  # fmt: skip
    drinks[0].categories.add(Category.objects.create(path="Drinks", name="Drinks"))
    return drinks
