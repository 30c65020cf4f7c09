"""What staff see of an error that no page caught."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from recommendations.models import Staff


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OperationalError("connection refused"), 503, "The database is not responding"),
        (ZeroDivisionError(), 500, "Something went wrong"),
    ],
)
def test_a_page_that_fails_says_whether_the_database_is_away(
    client: Client, error: Exception, status: int, words: str
) -> None:
    client.force_login(Staff.objects.create_user("ada@example.com"))
    client.raise_request_exception = False

    def refuse(*_arguments: Any) -> None:
        raise error

    with connection.execute_wrapper(refuse):
        answer = client.get("/runs/")
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert answer.get("Retry-After") == ("5" if status == 503 else None)
