"""The demo's shop as a process of its own, with the catalogue of the journeys' record."""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from recommendations.services.access.keys import create_key
from recommendations.terms import Scope
from recsite.processes import spawn, stop
from recsite.supervisor import shop_environment, shop_settings
from tests.grocery import ITEMS_EACH, TASTES
from tests.journeys.conftest import committed
from tests.recsite.processes import wait_for

LAST = "soap-9"  # of which there is one left
CATALOGUE = ["item_id,title,brand,price,categories,available_quantity\n"] + [
    f"{taste.lower()}-{number},{taste} {number},Brand {number % 3},{number + 1}.00,FOOD > {taste.upper()},"
    f"{1 if f'{taste.lower()}-{number}' == LAST else ''}\n"
    for taste in TASTES
    for number in range(ITEMS_EACH)
]


def token(*scopes: Scope, origins: tuple[str, ...] = ()) -> str:
    key, secret = create_key(name="Shop", scopes=scopes, origins=origins, by=None)
    return f"{key.prefix}.{secret}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def shop_process(
    data: Path, *, recsite: str, customers: Sequence[str] = ("u3",), push: str = "", **keys: Callable[[str], str]
) -> Iterator[str]:
    """The shop, as the demo starts it; its address. ``push``: its push service, ``keys``: made for that address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    file = shop_settings(data)
    file.parent.mkdir()
    with (file.parent / "catalogue.csv").open("w", encoding="utf-8", newline="") as lines:
        lines.writelines(CATALOGUE)
    options = {
        "recsite": recsite,
        "timeout": 10,
        "currency": "USD",
        "catalogue": "catalogue.csv",
        "customers": [*customers],
    }
    options |= {name: committed(lambda make=make: make(address)) for name, make in keys.items()}
    file.write_text(json.dumps(options), encoding="utf-8")
    argv = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--blocking-threads", "4", "--log-level", "warning", "storefront.wsgi:application"]
    process = spawn(argv, stop=signal.SIGTERM, env=os.environ | shop_environment(data) | {"STOREFRONT_PUSH": push})
    try:
        assert wait_for(lambda: answers(port) or process.poll() is not None, seconds=30)
        assert process.poll() is None
        yield address
    finally:
        stop(process, number=signal.SIGTERM, seconds=10)
