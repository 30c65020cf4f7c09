"""Ids, order numbers and sessions in logs, after a run that goes wrong wherever it can: ``make bench-privacy-logs``.

A small shop runs as ``make demo`` runs one: web, workers, beat, PostgreSQL, Valkey, each with its log. Every id, order
number, session, event and reference that is sent begins with one word that nobody else knows. They are sent as they
should be, wrongly, twice, without a right, to addresses that are not there, in the search of a colleague, and while
statements are cancelled that hold them. Then the word is looked for in all that was logged, and so are the pseudonyms
of those ids, also as PostgreSQL writes them.
"""

import argparse
import json
import logging
import os
import re
import secrets
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django
import requests

from bench.bars import Figure, report, say
from bench.faults.shop import Shop, family
from bench.faults.staff import Staff

PATIENCE = 60.0
LONGEST = 300.0  # until the worker has looked at every request
USERS = 6
STUCK = 2.0  # seconds for which a table is closed before what waits for it is cancelled
TABLES = ("recommendations_event", "recommendations_customer", "recommendations_privacyrequest")
CANCEL = """
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
"""


@dataclass
class Marked:
    """The word, and what begins with it."""

    word: str = field(default_factory=lambda: secrets.token_hex(6))

    def name(self, what: str) -> str:
        return f"{self.word}-{what}"

    def event(self) -> str:
        """An event's id, which is a UUID, so that a hyphen stands in the word."""
        return str(uuid.UUID(self.word + "4abc8" + secrets.token_hex(8)[:15]))

    def users(self) -> list[str]:
        return [self.name(f"user {number}") for number in range(USERS)]

    def pattern(self, pseudonyms: Sequence[bytes]) -> re.Pattern[bytes]:
        split = f"{self.word[:8]}-{self.word[8:]}"
        texts = [self.word.encode(), split.encode(), *(value.hex().encode() for value in pseudonyms)]
        return re.compile(b"|".join(map(re.escape, texts)), re.IGNORECASE)


@dataclass
class Caller:
    """What the shop's server sends; how often each status was answered."""

    shop: Shop
    key: str
    item: str
    mark: Marked
    statuses: dict[int, int] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Api-Key {self.key if key is None else key}", "Content-Type": "application/json"}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        answer = requests.request(
            method, f"{self.shop.url}{path}", data=data, headers=headers | more.pop("headers", {}), timeout=PATIENCE,
            **more,
        )  # fmt: skip
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        return answer

    def event(self, user: str, name: str = "purchase", **fields: Any) -> dict[str, Any]:
        return {
            "event_id": self.mark.event(), "name": name, "timestamp": datetime.now(UTC).isoformat(), "user_id": user,
            "anonymous_id": f"{user} visit", "session_id": self.mark.name("session"),
            "transaction_id": self.mark.name(f"order {secrets.token_hex(3)}"),
            "items": [{"item_id": self.item, "quantity": 1, "price": "2.00"}], "search_term": self.mark.name("search"),
            **fields,
        }  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.privacy.logs", description=__doc__)
    parser.add_argument("--level", default="INFO", choices=["DEBUG", "INFO", "WARNING"], help="of what is logged")
    parser.add_argument("--keep", type=Path, help="copy the logs into this folder")
    parser.add_argument("--json", type=Path, help="write protocol and figures here")
    options = parser.parse_args(argv)
    with family(env={"LOG_LEVEL": options.level}) as shop:
        figures = list(_figures(shop, keep=options.keep))
    return report(figures, protocol={"level": options.level}, path=options.json)


def _figures(shop: Shop, *, keep: Path | None) -> Iterator[Figure]:
    os.environ.update(shop.env)
    django.setup()
    logging.disable()  # of the bench itself
    from recommendations.services.access.keys import create_key  # noqa: PLC0415 - Django is set up by now
    from recommendations.store.events.pseudonyms import pseudonym  # noqa: PLC0415
    from recommendations.terms import CustomerKind, Scope  # noqa: PLC0415

    mark = Marked()
    row, secret = create_key(
        name="Logs", scopes=list(Scope), by=None, requests_per_minute=10**6, lines_per_minute=10**6
    )
    call = Caller(shop, f"{row.prefix}.{secret}", shop.facts["items"][0], mark)
    for part in (_as_it_should_be, _wrongly, _without_right, _staff, _cancelled, _erasures, _commands):
        say(part.__name__.strip("_").replace("_", " "))
        part(call)
    time.sleep(3)
    kinds = (CustomerKind.SIGNED_IN, CustomerKind.ANONYMOUS)
    pseudonyms = [pseudonym(name, kind=kind) for name in mark.users() for kind in kinds]
    pattern, lines = mark.pattern(pseudonyms), 0
    for path in sorted(shop.folder.glob("*.log")):
        content = path.read_bytes().splitlines()
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / path.name).write_bytes(b"\n".join(content))
        found = [line for line in content if pattern.search(line)]
        lines += len(content)
        for line in found[:5]:
            say(f"  {path.name}: {line[:300].decode(errors='replace')}")
        yield Figure(f"lines of {path.name} with an id", len(found), most=0)
    yield Figure("lines of logs", lines, least=100)
    yield Figure("requests", sum(call.statuses.values()), least=100)
    yield Figure(
        "requests that were refused", sum(call.statuses.get(status, 0) for status in range(400, 500)), least=30
    )
    yield Figure("requests that failed", sum(call.statuses.get(status, 0) for status in range(500, 600)), least=1)


def _as_it_should_be(call: Caller) -> None:
    for user in call.mark.users():
        events = [call.event(user), call.event(user, "view_item", consent={"personalisation": True}), call.event(user)]
        for _time in range(2):
            call("POST", "api/v1/events/", {"events": events})
        call("POST", "api/v1/users/merge/", {"user_id": user, "anonymous_id": f"{user} visit"})
        call("PATCH", f"api/v1/users/{user}/", {"properties": {"city": call.mark.name("city")}})
        contact = {"email": f"{call.mark.name('mail')}@example.com", "consents": []}
        call("PUT", f"api/v1/contacts/{user}/", contact)
        for path in ("", "interests/", "messages/", "taste/", "privacy/"):
            call("GET", f"api/v1/users/{user}/{path}")
        for path in ("placements/home/recommend", "pages/home/recommend"):
            call("GET", f"api/v1/{path}/", params={"user_id": user, "n": "5", "session_id": call.mark.name("session")})


def _wrongly(call: Caller) -> None:
    user, word = call.mark.users()[0], call.mark.name("wrong")
    for fields in (
        {"timestamp": word}, {"timestamp": "1999-01-01T00:00:00Z"}, {"name": word}, {"user_id": 500 * word},
        {"user_id": f"{word}\x00"}, {"event_id": word}, {"items": [{"item_id": word}]}, {"items": word},
        {"transaction_id": 500 * word}, {"session_id": {"id": word}}, {word: word}, {"recommendation_id": word},
        {"context": {"page": f"https://shop.example/{word}", "channel": word}}, {"rating": word}, {"value": word},
        {"name": "refund", "transaction_id": word}, {"target_type": "customer", "target_id": word, "name": "follow"},
    ):  # fmt: skip
        call("POST", "api/v1/events/", {"events": [call.event(user) | fields]})
    for body in (
        b"{" + word.encode(),
        word.encode(),
        f'{{"events": "{word}"}}'.encode(),
        b'"' + b"\xff" + word.encode(),
    ):
        call("POST", "api/v1/events/", body)
        call("POST", "api/v1/users/merge/", body)
        call("POST", "api/v1/users/erase/", body)
        call("PUT", f"api/v1/contacts/{word}/", body)
    call("POST", "api/v1/events/", b"[" + word.encode() * 300_000 + b"]")
    for system in ("segment", "rudderstack", "ga4", "snowplow", word):
        call("POST", f"api/v1/events/{system}/", {"userId": user, "type": "track", "event": word, "batch": [word]})
    for shop in ("shopify", "woocommerce", word):
        call("POST", f"api/v1/hooks/{shop}/", {"id": word, "customer": {"id": user}})
    for path in (
        f"users/{user}/interests/?n=0",
        f"users/{word}/nothing/",
        f"items/{word}/similar/",
        f"answers/{word}/",
    ):
        call("GET", f"api/v1/{path}")
        call("DELETE", f"api/v1/{path}")
    call("GET", f"customers-of/{word}/")
    call("GET", "api/v1/placements/home/recommend/", params={"user_id": word, "n": word})
    for wish in (
        {"user_id": user, "mode": word}, {"user_id": user, "reference": f"{word}\x00"}, {"user_id": user, word: 1},
        {"user_id": call.mark.users()[1], "reference": word}, {"user_id": call.mark.users()[2], "reference": word},
    ):  # fmt: skip
        call("POST", "api/v1/users/erase/", wish)


def _without_right(call: Caller) -> None:
    user = call.mark.users()[0]
    for key in ("", "no.key", call.mark.name("key"), f"{call.mark.word}.{call.mark.word}"):
        for method, path in (
            ("POST", "events/"),
            ("GET", f"users/{user}/interests/"),
            ("GET", f"users/{user}/privacy/"),
        ):
            call(method, f"api/v1/{path}", {"events": [call.event(user)]} if method == "POST" else None, key=key)
    page = {"Origin": "https://shop.example", "Referer": f"https://shop.example/{call.mark.word}"}
    call("POST", "api/v1/events/", {"events": [call.event(user)]}, headers=page)


def _staff(call: Caller) -> None:
    """A colleague types ids where a page takes words."""
    staff, user = Staff(call.shop), call.mark.name("user").replace(" ", "+")
    staff.log_in(email=f"{call.mark.word}@example.com", password=call.mark.word)
    if staff.log_in() >= 400:
        raise SystemExit("the colleague could not log in")
    pages = ("search/", "customers/", "events/", "messages/", "privacy/", "answers/", "activity/", "contacts/")
    for page in pages:
        staff.page(f"/{page}?q={user}&order={user}&customer={user}")
        staff.page(f"/{page}{user}/")
    staff.page("/privacy/new/", {"kind": "erase", "user_id": call.mark.users()[3], "word": "no"})
    staff.page("/privacy/new/", {"kind": "export", "user_id": call.mark.users()[3], "reference": call.mark.name("ref")})
    staff.page("/privacy/holds/new/", {"user_id": call.mark.users()[3], "reason": ""})


def _cancelled(call: Caller) -> None:
    """What waits for a table is cancelled, as an impatient operator does it; PostgreSQL says which statement it was."""
    user = call.mark.users()[4]
    tasks: Sequence[Callable[[], Any]] = (
        lambda: call("POST", "api/v1/events/", {"events": [call.event(user) for _ in range(20)]}),
        lambda: call("POST", "api/v1/events/", {"events": [call.event(call.mark.name("user new"))]}),
        lambda: call("POST", "api/v1/events/", {"events": [call.event(user) | {"name": "refund", "user_id": None}]}),
        lambda: call("POST", "api/v1/users/export/", {"user_id": user, "reference": call.mark.name("late")}),
        lambda: call("GET", f"api/v1/users/{user}/privacy/"),
        lambda: call("PATCH", f"api/v1/users/{user}/", {"properties": {"city": call.mark.name("city")}}),
    )
    for table in TABLES:
        with call.shop.database() as connection:
            connection.autocommit = False
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            threads = [threading.Thread(target=task) for task in tasks]
            for each in threads:
                each.start()
            _cancel_until(threads, call.shop)
            connection.rollback()


def _cancel_until(threads: Sequence[threading.Thread], shop: Shop) -> None:
    """Cancel whatever waits for a lock until nobody does any more."""
    time.sleep(STUCK)
    until = time.monotonic() + PATIENCE
    with shop.database() as other:
        while any(each.is_alive() for each in threads) and time.monotonic() < until:
            other.execute(CANCEL)
            time.sleep(0.1)


def _erasures(call: Caller) -> None:
    """People are erased while statements of the worker are cancelled; it fails, and goes on when it is tried again."""
    bodies = [{"user_id": user, "anonymous_ids": [f"{user} visit"]} for user in call.mark.users()]
    with call.shop.database() as connection:
        connection.autocommit = False
        connection.execute("LOCK TABLE recommendations_slate IN ACCESS EXCLUSIVE MODE")
        states = [call("POST", "api/v1/users/erase/", body).json()["status_url"] for body in bodies]
        states.append(call("POST", "api/v1/users/export/", bodies[0]).json()["status_url"])
        with call.shop.database() as other:
            for _try in range(100):
                other.execute(CANCEL)
                time.sleep(0.1)
        connection.rollback()
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        told = [call("GET", state.lstrip("/")).json()["state"] for state in states]
        if not {"received", "running"} & set(told):
            break
        time.sleep(1)
    say(f"  states of requests: {', '.join(told)}")
    call("POST", "api/v1/events/", {"events": [call.event(user) for user in call.mark.users()]})


def _commands(call: Caller) -> None:
    """A file comes with rows that cannot be taken; what the command says is told to whoever sent it, and is no log."""
    folder = call.shop.folder / "files"
    folder.mkdir(exist_ok=True)
    rows = [["name", "timestamp", "user_id", "item_id", "price", "transaction_id"]]
    then = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for user in call.mark.users():
        rows.append(["purchase", then, user, call.item, "5", call.mark.name("filed")])
        rows.append(["purchase", "yesterday", user, "no such item", "much", call.mark.name("filed")])
    (folder / "events.csv").write_text("".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")
    argv = [sys.executable, "manage.py", "import_events", str(folder / "events.csv")]
    subprocess.run(argv, env=call.shop.env, check=False, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
