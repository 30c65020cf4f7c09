"""Headers of pages: nobody keeps what they hold; the API and static files say for themselves what may be kept."""

import gzip
from collections.abc import Callable
from contextlib import closing

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from recommendations.terms import Role
from tests.analytics import records
from tests.analytics.conftest import client_of as client_of

pytestmark = pytest.mark.django_db

KEPT_BY_NOBODY = [
    "/", "/customers/", "/customers/?format=csv", "/activity/?format=csv", "/nothing/", "/admin/",
    "/admin/recommendations/item/", "/admin/jsi18n/", "/login/", "/password/", "/runs/start/",
]  # fmt: skip


def test_no_page_and_no_export_may_be_kept(client_of: Callable[[Role], Client]) -> None:
    client, who = client_of(Role.ADMIN), records.customer("u")
    addresses = [*KEPT_BY_NOBODY, f"/customers/{who.code}/"]
    assert {address: client.get(address)["Cache-Control"] for address in addresses} == dict.fromkeys(
        addresses, "no-store"
    )


def test_a_page_may_use_nothing_that_it_does_not_need(client: Client) -> None:
    policy = client.get("/login/")["Permissions-Policy"]
    assert "camera=()" in policy
    assert "geolocation=()" in policy
    assert "*" not in policy


def test_strangers_keep_no_page_either(client: Client) -> None:
    assert client.get("/customers/")["Cache-Control"] == "no-store"


def test_static_files_and_the_api_say_what_may_be_kept(client: Client, settings: Settings) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    records.item("i")
    assert client.get("/api/v1/items/i/tile.svg")["Cache-Control"] == "public, max-age=604800"
    with closing(client.get("/static/css/app.css")) as file:
        assert file["Cache-Control"].startswith("max-age=")


def test_pages_are_compressed_and_no_length_tells_what_stands_in_them(client_of: Callable[[Role], Client]) -> None:
    client, _who = client_of(Role.ADMIN), records.item("i")
    answers = [client.get("/customers/", headers={"Accept-Encoding": "gzip, br"}) for _ in range(8)]
    assert {answer["Content-Encoding"] for answer in answers} == {"gzip"}
    assert "Accept-Encoding" in answers[0]["Vary"]
    assert all(len(answer.content) < len(gzip.decompress(answer.content)) / 3 for answer in answers)
    assert len({len(answer.content) for answer in answers}) > 1
    assert "Content-Encoding" not in client.get("/customers/")
    assert "Content-Encoding" not in client.get("/api/v1/schema/", headers={"Accept-Encoding": "gzip"})
    assert client.get("/api/v1/items/i/tile.svg", headers={"Accept-Encoding": "gzip"})["Content-Encoding"] == "gzip"


def test_static_files_come_as_they_were_compressed(client: Client, settings: Settings) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    with closing(client.get("/static/vendor/inter.woff2", headers={"Accept-Encoding": "gzip"})) as file:
        assert "Content-Encoding" not in file
