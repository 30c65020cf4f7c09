"""Kill -9 of Valkey and PostgreSQL under requests to a real web process: answers go on and say how they were made."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from recsite.embedded.postgres import Postgres
from recsite.embedded.server import Server
from recsite.embedded.valkey import Valkey
from recsite.processes import spawn, stop

ROOT = Path(__file__).resolve().parents[2]
OPEN = """
import django
django.setup()
from django.core.management import call_command
from django.utils import timezone
from recommendations.loop.run import run_loop
from recommendations.services.access.keys import create_key
from recommendations.services.operations.runs import start_run
from recommendations.store.live import writes
from tests.grocery import open_shop
call_command("migrate", verbosity=0)
open_shop(now=timezone.now())
print(run_loop(start_run(by=None, now=timezone.now(), in_worker=False).pk, clock=timezone.now))
writes.rebuild()
key, secret = create_key(name="test", scopes=["recommendations:read", "events:write"], by=None)
print(f"{key.prefix}.{secret}")
"""
RESTORE = """
import django
django.setup()
from recommendations.services.operations.housekeeping import restore_live_state
print(restore_live_state())
"""
SELL_OUT = """
import sys, django
django.setup()
from django.utils import timezone
from recommendations.models import Item
from recommendations.services.catalogue.editing import set_availability
items = Item.objects.filter(shop_id__in=sys.argv[1:]).values_list("pk", flat=True)
print(set_availability(items=list(items), availability="out_of_stock", by=None, now=timezone.now()))
"""


@dataclass
class Shop:
    """The servers and one web process; ``answers`` keeps what every request got."""

    env: dict[str, str]
    postgres: Server
    valkey: Server
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[int, str, float]] = field(default_factory=list)

    def run(self, code: str, *arguments: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], env=self.env, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def send(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, self.headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def ask(self, placement: str, **parameters: str) -> dict[str, Any]:
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        started = time.monotonic()
        status, body = self.send(f"/api/v1/placements/{placement}/recommend/?{query}")
        self.answers.append((status, str(body.get("source")), time.monotonic() - started))
        assert status == 200, body
        assert body["results"]
        return body


def killed(server: Any) -> None:
    os.kill(server._process.pid, signal.SIGKILL)
    server._process.wait()


def ids(body: dict[str, Any]) -> list[str]:
    return [result["item_id"] for result in body["results"]]


@pytest.fixture
def shop() -> Iterator[Shop]:
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    folder.chmod(0o711)
    servers = Postgres(folder, ephemeral=False), Valkey(folder, ephemeral=True)
    for server in servers:
        server.start()
    env = {name: value for name, value in os.environ.items() if not name.endswith("_FILE")} | {
        "DATABASE_URL": servers[0].url,
        "REDIS_URL": servers[1].url,
        "DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "recsite.settings",
        "RECSITE_DEMO": "1",
        "SECRET_KEY": "demo-" + "0123456789" * 6,
        "PSEUDONYM_KEY": "demo-" + "9876543210" * 6,
        "PYTHONPATH": str(ROOT),
    }
    shop = Shop(env, *servers)
    web = None
    try:
        shop.headers = {
            "Authorization": f"Api-Key {shop.run(OPEN)[-1]}",
            "Content-Type": "application/json",
            "Host": "localhost",
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        shop.url = f"http://127.0.0.1:{port}"
        web = spawn(
            [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
             "--workers", "1", "--blocking-threads", "4", "--log-level", "warning", "recsite.wsgi:application"],
            stop=signal.SIGTERM, env=env, output=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: answers(shop.url))
        yield shop
    finally:
        if web is not None:
            stop(web, number=signal.SIGTERM, seconds=10)
        for server in reversed(servers):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2):
            return True
    except OSError:
        return False


def until(true: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


def buy(shop: Shop, user: str, item: str) -> int:
    event = {
        "event_id": str(uuid.uuid4()), "name": "purchase", "timestamp": datetime.now(UTC).isoformat(),
        "user_id": user, "transaction_id": str(uuid.uuid4()), "items": [{"item_id": item, "quantity": 1}],
    }  # fmt: skip
    return shop.send("/api/v1/events/", {"events": [event]})[0]


def test_answers_go_on_while_valkey_and_then_postgresql_are_killed(shop: Shop) -> None:
    before = {user: ids(shop.ask("home", user_id=user)) for user in ("u0", "u1", "u2")}
    bought = ids(shop.ask("discover", user_id="u0"))[0]
    assert buy(shop, "u0", bought) == 202
    assert bought not in ids(shop.ask("discover", user_id="u0"))

    with shoppers(shop, bought) as broken:
        killed(shop.valkey)
        time.sleep(2)  # what was bought is asked of PostgreSQL now
        alone = shop.ask("home", user_id="u0")
        assert (alone["source"], alone["personalised"], alone["fallback_reason"]) == ("model", True, None)
        assert buy(shop, "u1", bought) == 202  # it waits in the process

    killed(shop.postgres)
    assert_answers_without_servers(shop, before, bought)
    shop.postgres.start()
    shop.valkey.start()
    assert_all_is_whole_again(shop, bought)
    assert_sold_out_items_go(shop)
    assert broken == []
    assert {status for status, _, _ in shop.answers} == {200}
    assert len(shop.answers) > 300
    assert max(took for _, _, took in shop.answers) < 5  # seconds; the one that finds a server gone waits for it
    with redis.Redis.from_url(shop.valkey.url) as client:
        assert client.xlen("live:slates") > 0


@contextmanager
def shoppers(shop: Shop, bought: str) -> Iterator[list[BaseException]]:
    """Ask for two customers in threads all the while, and end them; the list has what they met with."""
    going = threading.Event()
    broken: list[BaseException] = []

    def shopper(user: str) -> None:
        while not going.is_set():
            try:
                shop.ask("home", user_id=user)
                assert bought not in ids(shop.ask("discover", user_id="u0"))
            except BaseException as error:  # noqa: BLE001 - told by the main thread
                broken.append(error)
                return

    threads = [threading.Thread(target=shopper, args=(user,)) for user in ("u1", "nobody")]
    for thread in threads:
        thread.start()
    try:
        yield broken
    finally:
        going.set()
        for thread in threads:
            thread.join()


def assert_answers_without_servers(shop: Shop, before: dict[str, list[str]], bought: str) -> None:
    """Assert that answers go on from the process alone, say so and do not wait, and that events are refused."""
    started = time.monotonic()
    for user, items in before.items():
        body = shop.ask("home", user_id=user)
        assert ids(body) == items
        assert (body["source"], body["fallback_reason"]) == ("model", "no_live_state")
    cold = shop.ask("home", user_id="never-seen")
    assert (cold["source"], cold["fallback_reason"]) == ("popular", "no_history")
    assert shop.ask("also_bought", item_id="cheese-0")["source"] == "model"
    assert buy(shop, "u0", bought) == 503
    for _ in range(200):
        shop.ask("home", user_id="u0")
    assert time.monotonic() - started < 20


def assert_all_is_whole_again(shop: Shop, bought: str) -> None:
    """Assert that what was bought is known again, before and after the live state is restored from the record."""
    until(lambda: shop.ask("home", user_id="u0")["fallback_reason"] is None)
    assert bought not in ids(shop.ask("discover", user_id="u0"))  # Valkey came back empty
    assert int(shop.run(RESTORE)[-1]) >= 2
    assert bought not in ids(shop.ask("discover", user_id="u0"))
    assert bought not in ids(shop.ask("discover", user_id="u1"))


def assert_sold_out_items_go(shop: Shop) -> None:
    sold_out = ids(shop.ask("home", user_id="u0"))
    assert shop.run(SELL_OUT, *sold_out) == [str(len(sold_out))]
    assert not set(sold_out) & set(ids(shop.ask("home", user_id="u0")))
