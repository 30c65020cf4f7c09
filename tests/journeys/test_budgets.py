"""What a page may cost: questions to the database, against a baseline, and what a first visit has to load."""

import json
import re
from functools import cache
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommendations.models import Staff
from recommendations.store.live import writes
from recommendations.store.serving import snapshot_holder
from tests.journeys.addresses import addresses as page_addresses
from tests.journeys.furnishing import EMAIL
from tests.journeys.test_admin_pages import admin_addresses

pytestmark = pytest.mark.django_db  # for the shop that the fixture committed; the tests only read

BASELINE = Path(__file__).with_name("queries.json")
MOST_QUERIES = 12
MOST_KILOBYTES = 650
ASSET = re.compile(r'(?:src|href)="/static/([^"?#]+)')
IMPORT = re.compile(r'(?:from|import)\s*\(?["\']\./([\w./-]+)["\']')
QUALITY = 5  # of brotli; the server compresses better, so this never says too little


@pytest.fixture
def reader(site: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A reader with live state in Valkey, as in production; what a process reads again by the clock counts for none."""
    writes.rebuild()
    monkeypatch.setattr(snapshot_holder, "RECHECK", 3600.0)
    client = Client()
    client.force_login(Staff.objects.get(email=EMAIL), backend="django.contrib.auth.backends.ModelBackend")
    return client


def addresses() -> dict[str, str]:
    return page_addresses() | admin_addresses()


def counts(client: Client) -> dict[str, int]:
    """Number of queries of every page, when what processes keep is there."""
    numbers = {}
    for name, address in addresses().items():
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200, name
        numbers[name] = len(queries)
    return numbers


def test_no_page_takes_more_queries_than_its_baseline(reader: Client) -> None:
    """A page that asks more is a page that someone made slower; where it has to, write the new number down."""
    baseline: dict[str, int] = json.loads(BASELINE.read_text(encoding="utf-8"))
    numbers = counts(reader)
    assert {name: count for name, count in numbers.items() if count > MOST_QUERIES} == {}
    assert {name: (count, baseline.get(name)) for name, count in numbers.items() if count > baseline.get(name, 0)} == {}
    assert baseline.keys() == numbers.keys()


def test_a_first_visit_is_light(reader: Client) -> None:
    """The page and every file that it names, compressed; pictures of items are the shop's own."""
    heavy = {}
    for name, address in addresses().items():
        page = reader.get(address).content
        files = files_of(frozenset(ASSET.findall(page.decode())))
        kilobytes = (len(brotli.compress(page, quality=QUALITY)) + sum(weight(file) for file in files)) / 1024
        if kilobytes > MOST_KILOBYTES:
            heavy[name] = round(kilobytes)
    assert heavy == {}


def files_of(named: frozenset[str]) -> frozenset[str]:
    """Files that a page names, with the modules that modules import."""
    more = {
        f"js/{module}" for file in named if file.startswith("js/") for module in IMPORT.findall(text_of(file))
    } - named
    return files_of(named | more) if more else named


def path_of(file: str) -> Path:
    path = finders.find(file)
    assert path, file
    return Path(path)


def text_of(file: str) -> str:
    return path_of(file).read_text(encoding="utf-8")


@cache
def weight(file: str) -> int:
    content = path_of(file).read_bytes()
    return (
        len(content) if file.endswith((".png", ".webp", ".woff2")) else len(brotli.compress(content, quality=QUALITY))
    )
