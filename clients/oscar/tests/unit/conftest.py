"""The smallest shop beside a Recsite that notes what it is sent; everything else is real: Oscar, its pages, HTTP."""

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import Browser, FakeRecsite
from oscar.core.loading import get_model
from shelves import stock_shelves

from oscar_recsite import outgoing
from oscar_recsite.send_queue import SendQueue


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        stock_shelves()


@pytest.fixture(autouse=True)
def recsite(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRecsite]:
    """Recsite of this test; what the shop sends waits until the test asks what came."""
    deliveries = {
        "events": outgoing.deliver_events,
        "mergers": outgoing.deliver_mergers,
        "items": outgoing.deliver_items,
    }
    monkeypatch.setattr(outgoing, "queue", SendQueue(deliveries, threaded=False))
    monkeypatch.setattr(outgoing, "connections", SimpleNamespace(close_all=lambda: None))  # the test's own stays open
    with FakeRecsite() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        settings.RECSITE_URL, settings.RECSITE_KEY = server.url, "a.b"
        settings.RECSITE_SHOP_URL = "https://shop.example"
        settings.RECSITE_TIMEOUT = 5.0
        yield server
        server.shutdown()


@pytest.fixture
def browser(django_capture_on_commit_callbacks: Callable[..., Any]) -> Browser:
    return Browser(django_capture_on_commit_callbacks)


@pytest.fixture
def product() -> Callable[[str], Any]:
    return lambda title: get_model("catalogue", "Product").objects.get(title=title)


@pytest.fixture
def customer(django_user_model: Any) -> Callable[[str], Any]:
    return lambda name: django_user_model.objects.create_user(username=name, email=f"{name}@example.com")
