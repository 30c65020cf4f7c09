"""Outages: a server is killed and stays away; Valkey is emptied, or full. Who asks for recommendations does not notice.

Web, workers and beat are those of the demo; PostgreSQL and Valkey come back when the script says so.
"""

import argparse
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from json import dumps
from pathlib import Path

import redis

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.faults.client import Client, Dropped, Reply
from bench.faults.report import Report, options, progress
from bench.faults.shop import Servers, Shop, brought_up, responds, until, with_servers
from bench.faults.staff import Staff
from bench.faults.victims import kill

QUICK = 1.0  # seconds within which an event is refused
BREATH = 3.0  # seconds that a server is away before it is measured
BACK = 600.0


@dataclass
class Asked:
    """Answers to a number of requests."""

    statuses: Counter[int] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    empty: int = 0
    unsaid: int = 0  # about somebody whom the model knows, without a word on what is missing

    def __str__(self) -> str:
        parts = ", ".join(f"{status} × {number}" for status, number in sorted(self.statuses.items()))
        kinds = ", ".join(f"{kind} × {number}" for kind, number in self.sources.most_common())
        return f"{parts}; slowest {max(self.seconds):.2f} s" + (f"; {kinds}" if kinds else "")

    def all_are(self, status: HTTPStatus) -> bool:
        return set(self.statuses) == {status} and not self.empty


def main(argv: Sequence[str] | None = None) -> int:
    parser = options(__doc__)
    parser.add_argument("--requests", type=int, default=200, help="of recommendations in each state")
    arguments = parser.parse_args(argv)
    report, tell = Report("Outages of PostgreSQL and Valkey"), progress(arguments)
    with with_servers() as (shop, servers), ExitStack() as stack:
        shop.inside("static")
        stack.enter_context(brought_up(shop))
        stage = Stage(shop, servers, report, arguments)
        for act in (stage.postgresql_away, stage.valkey_away, stage.both_away, stage.valkey_emptied, stage.valkey_full):
            tell(act.__name__)
            act()
    return report.end(arguments.json, vars(arguments))


class Stage:
    """The outages, one after the other; each ends with all servers there."""

    def __init__(self, shop: Shop, servers: Servers, report: Report, arguments: argparse.Namespace) -> None:
        self.shop, self.servers, self.report = shop, servers, report
        self._requests = arguments.requests
        self._staff = Staff(shop)
        self._staff.log_in()

    def postgresql_away(self) -> None:
        self.kill("postgresql")
        first = self.recommended(8)
        time.sleep(BREATH)
        self.promise("PostgreSQL away: recommendations answer at once", first, kept=first.all_are(HTTPStatus.OK))
        answers = self.recommended(self._requests)
        self.promise("PostgreSQL away: recommendations go on", answers, kept=answers.all_are(HTTPStatus.OK))
        refused = [self.sent() for _ in range(10)] + self.at_once(16)
        tally = Asked()
        for reply in refused:
            note(tally, reply)
        waits = sum(reply.retry_after is None for reply in refused)
        kept = tally.all_are(HTTPStatus.SERVICE_UNAVAILABLE) and not waits and max(tally.seconds) <= QUICK
        self.promise(f"PostgreSQL away: events 503 with Retry-After within {QUICK:g} s", tally, kept=kept)
        status, heading, _ = self._staff.page("/")
        kept = (status, heading) == (HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer")
        self.promise("PostgreSQL away: the dashboard says so", f"{status}: {heading}", kept=kept)
        self.servers.postgres.start()
        seconds = until(lambda: self.sent().status == HTTPStatus.ACCEPTED, "events", seconds=BACK)
        pages = until(lambda: self._staff.page("/").status == HTTPStatus.OK, "pages", seconds=BACK)
        self.back("PostgreSQL", f"events after {seconds:.2f} s, pages after {seconds + pages:.2f} s")

    def valkey_away(self) -> None:
        self.kill("valkey")
        first = self.recommended(8)
        self.promise("Valkey away: recommendations answer at once", first, kept=first.all_are(HTTPStatus.OK))
        time.sleep(BREATH)
        answers = self.recommended(self._requests)
        self.promise("Valkey away: recommendations go on", answers, kept=answers.all_are(HTTPStatus.OK))
        self.events_are_taken("Valkey away")
        self.staff_get_in("Valkey away")
        begun = self._staff.page("/runs/start/", {})
        seen = f"{begun.status} after {begun.seconds:.2f} s"
        self.promise("Valkey away: a run can be started; it waits", seen, kept=begun.status == HTTPStatus.FOUND)
        self.servers.valkey.start()
        self.whole_again("Valkey")

    def both_away(self) -> None:
        self.kill("valkey")
        self.kill("postgresql")
        time.sleep(BREATH)
        answers = self.recommended(self._requests)
        kept = answers.all_are(HTTPStatus.OK) and not answers.unsaid
        self.promise("both away: recommendations go on and say so where it matters", answers, kept=kept)
        self.servers.postgres.start()
        self.servers.valkey.start()
        self.whole_again("both")

    def valkey_emptied(self) -> None:
        with self.valkey() as client:
            client.flushall()
        answers = self.recommended(self._requests)
        self.promise("Valkey emptied: recommendations go on", answers, kept=answers.all_are(HTTPStatus.OK))
        self.whole_again("an emptied Valkey")

    def valkey_full(self) -> None:
        with self.valkey() as client:
            limit = client.config_get("maxmemory")["maxmemory"]
            client.config_set("maxmemory", 1)
            try:
                answers = self.recommended(self._requests)
                self.promise("Valkey full: recommendations go on", answers, kept=answers.all_are(HTTPStatus.OK))
                self.events_are_taken("Valkey full")
                self.staff_get_in("Valkey full")
            finally:
                client.config_set("maxmemory", limit)
        self.whole_again("a full Valkey")

    def kill(self, role: str) -> None:
        """Kill the server and all its processes."""
        kill(self.shop, role, random.Random(0), alone=False)  # noqa: S311 - no secret
        server = self.servers.postgres if role == "postgresql" else self.servers.valkey
        until(lambda: not server.alive(), f"{role} is dead")

    def valkey(self) -> redis.Redis:
        return redis.Redis.from_url(self.shop.env["REDIS_URL"])

    def promise(self, what: str, seen: object, *, kept: bool) -> None:
        self.report.promise(what, seen, kept=kept)

    def back(self, what: str, seen: str) -> None:
        self.promise(f"{what} back: all is as before", seen, kept=True)

    def client(self) -> Client:
        return Client(self.shop.port, self.shop.headers)

    def recommended(self, number: int) -> Asked:
        """Ask through both doors, for customers of the model and strangers, one after the other."""
        tally, client = Asked(), self.client()
        for one in range(number):
            user, placement = f"u{one % 70}", ("home", "discover", "trending")[one % 3]
            path = f"/api/v1/placements/{placement}/recommend/"
            try:
                if one % 2:
                    reply = client.send("POST", path, dumps({"user_id": user}).encode())
                else:
                    reply = client.send("GET", f"{path}?user_id={user}")
                note(tally, reply)
                in_model = one % 70 < self.shop.facts["customers"]
                tally.unsaid += in_model and reply.status == HTTPStatus.OK and not reply.body["fallback_reason"]
            except Dropped:
                tally.statuses[0] += 1
        client.close()
        return tally

    def sent(self, *, item: str | None = None, user: str = "u3", name: str = "view_item") -> Reply:
        event = {
            "event_id": str(uuid.uuid4()), "name": name, "timestamp": datetime.now(UTC).isoformat(), "user_id": user,
            "items": [{"item_id": item or self.shop.facts["items"][0]}], "transaction_id": str(uuid.uuid4()),
        }  # fmt: skip
        client = self.client()
        try:
            return client.send("POST", "/api/v1/events/", dumps({"events": [event]}).encode())
        finally:
            client.close()

    def at_once(self, number: int) -> list[Reply]:
        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(lambda _: self.sent(), range(number)))

    def events_are_taken(self, when: str) -> None:
        tally = Asked()
        for _ in range(20):
            note(tally, self.sent())
        self.promise(f"{when}: events are taken", tally, kept=tally.all_are(HTTPStatus.ACCEPTED))
        client = self.client()
        path = "/api/v1/placements/discover/recommend/?user_id=u7"
        item = client.send("GET", path).body["results"][0]["item_id"]
        taken = self.sent(item=item, user="u7", name="purchase").status
        after = [result["item_id"] for result in client.send("GET", path).body["results"]]
        seen = f"{taken}; the item is {'still shown' if item in after else 'gone'}"
        self.promise(f"{when}: the next answer knows of a purchase", seen, kept=item not in after)
        client.close()

    def staff_get_in(self, when: str) -> None:
        wrong = [Staff(self.shop).log_in(email=f"eve-{when[-4:]}@example.com", password="wrong") for _ in range(5)]  # noqa: S106
        right = Staff(self.shop).log_in()
        forgotten = Staff(self.shop).forgot()
        seen = f"right password {right}, five wrong ones {wrong}, forgotten {forgotten}"
        expected = [HTTPStatus.OK] * 4 + [HTTPStatus.TOO_MANY_REQUESTS]
        kept = (right, wrong, forgotten) == (HTTPStatus.FOUND, expected, HTTPStatus.FOUND)
        self.promise(f"{when}: staff log in, and wrong passwords are counted", seen, kept=kept)

    def whole_again(self, what: str) -> None:
        """Wait until marks are answered, and all that the record knows is in Valkey again."""
        begin = time.monotonic()
        until(lambda: responds(f"{self.shop.url}readyz"), "readiness", seconds=BACK)
        until(lambda: self.sent().status == HTTPStatus.ACCEPTED, "events", seconds=BACK)
        ready = time.monotonic() - begin
        until(self._is_built, "live state", seconds=BACK)
        until(lambda: not self.shop.inside("behind")["acts"], "live state", seconds=BACK)
        seconds = time.monotonic() - begin
        self.back(what, f"ready after {ready:.2f} s, live state whole within {seconds:.0f} s")

    def _is_built(self) -> bool:
        with self.valkey() as client:
            return bool(client.exists("live:built")) and not client.exists("live:doubted")


def note(found: Asked, reply: Reply) -> None:
    found.statuses[reply.status] += 1
    found.seconds.append(reply.seconds)
    if reply.status == HTTPStatus.OK:
        found.sources[f"{reply.body['source']}/{reply.body['fallback_reason'] or '–'}"] += 1
        found.empty += not reply.body["results"]


if __name__ == "__main__":
    sys.exit(main())
