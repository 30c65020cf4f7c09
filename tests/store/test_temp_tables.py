"""Temporary tables that COPY fills."""

import pytest
from django.db import DataError, transaction

from recommendations.store.temp_tables import copy, copying, rows, temporary

pytestmark = pytest.mark.django_db


def test_an_error_of_a_copy_in_is_one_of_django_s() -> None:
    """An import catches that; psycopg's own would pass by and leave the import as running."""
    with temporary("numbers", "(number integer)"):
        with pytest.raises(DataError, match="line 2"), transaction.atomic():
            copy("numbers", ["number"], [b"1\n", b"two\n"])
        copy("numbers", ["number"], [b"1\n", b"2\n"])
        assert rows("SELECT number FROM numbers ORDER BY 1") == [(1,), (2,)]


def test_an_error_of_a_copy_out_is_one_of_django_s() -> None:
    query = "COPY (SELECT 1 / (2 - n) FROM generate_series(1, 2) AS n) TO STDOUT"
    with pytest.raises(DataError, match="division by zero"), transaction.atomic(), copying(query) as copied:
        assert [bytes(block) for block in copied] == [b"1\n"]
