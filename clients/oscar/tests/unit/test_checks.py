"""What the checks say when the shop starts."""

from typing import Any

import pytest
from django.conf import settings as given

from oscar_recsite.checks import MIDDLEWARE, missing, wrong
from oscar_recsite.harmless import harmless


def test_what_is_not_set_is_named_with_what_follows_and_what_helps(settings: Any) -> None:
    settings.RECSITE_SHOP_URL, settings.RECSITE_CONSENT, settings.RECSITE_PAGES_KEY = "", None, ""
    assert [warning.id for warning in missing()] == [f"oscar_recsite.W00{number}" for number in (3, 4, 5)]
    settings.RECSITE_URL = settings.RECSITE_KEY = ""
    warnings = missing()
    assert [warning.id for warning in warnings] == ["oscar_recsite.W001", "oscar_recsite.W002"]
    assert warnings[1].msg == "RECSITE_KEY is not set: nothing is sent, and all slots stay empty."
    assert "events:write" in warnings[1].hint


def test_a_shop_that_is_set_up_hears_nothing(settings: Any) -> None:
    settings.RECSITE_PAGES_KEY = "p.q"
    assert [*missing(), *wrong()] == []


BACK_TO_FRONT = [MIDDLEWARE, *(name for name in given.MIDDLEWARE if name != MIDDLEWARE)]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("RECSITE_URL", "recsite.example", "E001"),
        ("RECSITE_KEY", "a.b\n", "E001"),
        ("RECSITE_TIMEOUT", 0, "E001"),
        ("MIDDLEWARE", [name for name in given.MIDDLEWARE if name != MIDDLEWARE], "E002"),
        ("MIDDLEWARE", BACK_TO_FRONT, "E003"),
        ("RECSITE_CONSENT", "shop.nowhere.consent", "E004"),
        ("RECSITE_ITEM", 3, "E004"),
        ("RECSITE_SLOTS", ["home"], "E005"),
    ],
)
def test_what_is_wrong_keeps_the_shop_from_starting(name: str, value: object, code: str, settings: Any) -> None:
    setattr(settings, name, value)
    assert [error.id for error in wrong()] == [f"oscar_recsite.{code}"]


def test_a_function_is_made_harmless_while_debugging_too(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Django looks at receivers more closely then."""
    settings.DEBUG = True

    @harmless
    def halve(*, number: int) -> float:
        return 1 / number

    assert halve(number=2) == 0.5
    assert halve(number=0) is None
    assert "division by zero" in caplog.text
