"""Where addresses of customers might stand: tables, Valkey, files, logs and pages, piece by piece."""

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import Resolver404, resolve
from psycopg import sql

from bench.bars import say
from recommendations.customer_codes import customer_code
from recommendations.models import Address, Contact, Staff
from recommendations.store.contacts.sealing import unseal
from recommendations.terms import Role

MOST_PAGES, MOST_OF_A_KIND, MOST_CUSTOMERS = 400, 8, 50
OWN = {"post", "mail"}
"""Folders of the demo: the customers' mailbox, and that of staff."""
LINK = re.compile(r'href="(/[^"#]*)')
LEFT_OUT = ("/mailbox/", "/logout", "/static/", "/admin/logout")
CHUNK = 1 << 20


def addresses() -> list[str]:
    """Every address that is sealed in the database, opened."""
    return sorted({unseal(sealed)["email"] for sealed in Address.objects.values_list("sealed", flat=True) if sealed})


def hits(pieces: Iterable[tuple[str, bytes]], wanted: re.Pattern[bytes]) -> tuple[int, int]:
    """How many pieces hold an address, which are named, and how many there are."""
    hits = count = 0
    for name, content in pieces:
        count += 1
        if wanted.search(content):
            hits += 1
            say(f"an address in {name}")
    return hits, count


def rows() -> Iterator[tuple[str, bytes]]:
    """Every row of every table, as a dump has it."""

    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            with cursor.copy(sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(table))) as copy:
                for row in copy:
                    yield table, bytes(row)


def entries() -> Iterator[tuple[str, bytes]]:
    """Every key of Valkey with its value as it is stored."""

    server = redis.Redis.from_url(settings.REDIS_URL)
    for key in server.scan_iter(count=1_000):
        yield f"Valkey {key!r}", key + (server.dump(key) or b"")


def files(data: Path) -> Iterator[Path]:
    """Every file of a folder, those among them that take another's place while it is read."""
    seen = set[Path]()
    while fresh := sorted(path for path in set(data.rglob("*")) - seen if path.is_file()):
        seen.update(fresh)
        yield from (path for path in fresh if path.relative_to(data).parts[0] not in OWN)


def pieces(files: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Pieces of files, each with the end of the one before; of one that goes meanwhile there are none."""
    for path in files:
        last = b""
        with suppress(FileNotFoundError), path.open("rb") as file:
            while piece := file.read(CHUNK):
                yield str(path), last + piece
                last = piece[-500:]


def pages() -> Iterator[tuple[str, bytes]]:
    """Pages that an admin comes to by links from the front page, each kind of page a few times."""

    settings.ALLOWED_HOSTS = ["*"]
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(Staff.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk")[0])
    first = [
        "/",
        *(f"/customers/{key}/" for key in _codes(Contact.objects.values_list("pk", flat=True)[:MOST_CUSTOMERS])),
    ]
    waiting, seen, times = deque(first), set(first), dict[str, int]()
    while waiting and sum(times.values()) < MOST_PAGES:
        address = waiting.popleft()
        try:
            kind = resolve(address.partition("?")[0]).view_name or address
        except Resolver404:
            continue
        if times.get(kind, 0) == (MOST_CUSTOMERS if address in first else MOST_OF_A_KIND):
            continue
        times[kind] = times.get(kind, 0) + 1
        answer = client.get(address)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        yield address, json.dumps([address, *answer.headers.items()]).encode() + content
        links = [link.replace("&amp;", "&") for link in LINK.findall(content.decode(errors="replace"))]
        for link in links:
            if link not in seen and not link.startswith(LEFT_OUT):
                seen.add(link)
                waiting.append(link)


def _codes(keys: Iterable[int]) -> Iterator[str]:
    return (customer_code(key) for key in keys)
