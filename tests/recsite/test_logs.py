"""The log names no customer: a line about a request has the route where the address was."""

import io
import logging
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings

from recommendations.terms import Scope
from tests.api.conftest import ApiClient, client_with

__all__ = ["client_with"]
WHO = "jane.doe@mail.example"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Text that the handler of the settings writes."""
    handler = logging.getLogger().handlers[0]
    handler = next(one for one in logging.getLogger().handlers if getattr(one, "filters", None))
    text = io.StringIO()
    before = handler.setStream(text)  # type: ignore[attr-defined]
    yield text
    handler.setStream(before)  # type: ignore[attr-defined]


@pytest.mark.parametrize("who", [WHO, "jane/doe@mail.example", "简.doe@mail.example", "a%20b@mail.example"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_no_address_with_a_customer_in_it_is_logged(
    log: io.StringIO, client_with: Callable[..., ApiClient], status: int, who: str
) -> None:
    address = f"/api/v1/users/{who}/interests/"
    client = client_with(Scope.EVENTS_WRITE if status == 403 else Scope.RECOMMENDATIONS_READ)
    if status == 401:
        client.headers = {"Authorization": "Api-Key wrong.key"}
    if status == 404:
        address = f"/customers-of/{who}/"
    answer = (
        client.send("PATCH", address) if status == 405 else client.get(address, **({"n": "0"} if status == 400 else {}))
    )
    assert answer.status_code == status
    written = log.getvalue()
    assert written
    assert "doe" not in written
    assert "mail.example" not in written
    assert settings.LOGGING["handlers"]["console"]["filters"]
