"""The log names no customer: a line about a request has the route where the address was."""

import io
import logging
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import RequestKind
from recommendations.store import jobs
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


@pytest.mark.django_db
def test_an_error_of_the_database_is_logged_without_the_row_that_it_was_about(log: io.StringIO) -> None:
    """Also where it caused another one."""
    stored = PrivacyRequest.objects.create(
        kind=RequestKind.EXPORT, reference=f"{WHO}\n7", subject=b"s", asked_for=b"a", due_at=timezone.now()
    )
    with pytest.raises(IntegrityError) as failed, transaction.atomic():
        PrivacyRequest.objects.filter(pk=stored.pk).update(kind="neither")
    assert WHO in str(failed.value)  # "Failing row contains …"
    logging.getLogger("recsite").error("it failed", exc_info=failed.value)
    written = log.getvalue()
    assert "violates check constraint" in written
    assert "direct cause" in written
    assert "Failing row" not in written
    assert WHO not in written
    assert jobs.text_of(failed.value).endswith('violates check constraint "privacy_kind_is_known"')
