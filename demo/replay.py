"""The replay of the demo: the days that the import held back come in through the API, as a shop would send them.

Each basket asks for a slate, reports it as seen, the slate's items that are in the basket as clicked, and the basket as
bought, at its own time. When all are in, a run of the loop learns from them, once.
"""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from demo import held_back as store
from demo.aa_experiment import start_aa
from demo.held_back import Basket
from demo.models import Replay
from recommendations.event_types import EventName
from recommendations.services.operations import runs
from recommendations.store import jobs
from recommendations.store.advisory_lock import advisory_lock
from recommendations.terms import RunStatus

EXPIRES = 10  # seconds that the message waits for a worker; the next look sends another
PLACEMENT = "home"
N = 10
SEEN_BEFORE, CLICKED_BEFORE = timedelta(minutes=2), timedelta(minutes=1)
REST = 0.5  # of the time that a basket took: so much the machine is left to others
PATIENCE = 60  # seconds without an answer, of tries that are ever further apart


class DoorIsShutError(Exception):
    """The API did not answer, or not as it should; the message says what it said."""


@dataclass
class Door:
    """The API over real HTTP, on one connection that is kept."""

    url: str
    key: str
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def recommend(self, user: str) -> dict[str, Any]:
        query = urlencode({"user_id": user, "n": N})
        return self._ask("GET", f"/api/v1/placements/{PLACEMENT}/recommend/?{query}", None, 200)

    def send(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        return self._ask("POST", "/api/v1/events/", json.dumps({"events": events}).encode(), 202)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str, body: bytes | None, expected: int) -> dict[str, Any]:
        """Ask again while the API is away or busy: a retry of events changes nothing. Raises DoorIsShutError."""
        end, pause = time.monotonic() + PATIENCE, 0.25
        while True:
            status, text = self._once(method, path, body)
            if status == expected:
                answer: dict[str, Any] = json.loads(text)
                return answer
            if status not in {0, 429, 502, 503} or time.monotonic() > end:
                raise DoorIsShutError(f"{method} {path.partition('?')[0]}: {status or 'no answer'} {text[:300]}")
            time.sleep(pause)
            pause = min(2 * pause, 5.0)

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, str]:
        """Send one request; returns status and text, status 0 where nobody answers."""
        if self._connection is None:
            address = urlsplit(self.url)
            self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        headers = {"Authorization": f"Api-Key {self.key}", "Content-Type": "application/json"}
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return 0, str(error)


def demo_door() -> Door | None:
    """Door of the running demo; None until its pages answer."""
    published = Path(settings.DATA) / "demo.json"
    if not settings.DEMO or not published.exists():
        return None
    credentials = json.loads(published.read_text(encoding="utf-8"))
    return Door(url=credentials["url"], key=credentials["api_key"])


def run_replay(door: Door, *, clock: Callable[[], datetime]) -> RunStatus | None:
    """Replay what is left; None where another process is at it, or nothing is left to do."""
    try:
        replay = Replay.objects.first()
        return jobs.run_job(
            replay, lambda job: _replay(job, door, clock=clock), clock=clock, refusals=(DoorIsShutError,)
        )  # fmt: skip
    finally:
        door.close()


def watch_replay(*, now: datetime) -> bool:
    """Give a replay that nobody is at to a worker, and one that has finished to a run; whether there was one."""
    replay = Replay.objects.first()
    if replay is None or not settings.DEMO:
        return False
    if replay.status == RunStatus.SUCCEEDED and replay.run_id is None:
        return _learn(replay, now=now)
    if not replay.unfinished or demo_door() is None:
        return False
    with advisory_lock(replay.lock) as free:
        if free:
            Replay.objects.filter(status=RunStatus.RUNNING).update(status=RunStatus.INTERRUPTED)
    if free:
        jobs.enqueue(replay, expires=EXPIRES)
    return free


def going_on() -> QuerySet[Replay]:
    """The replay while the last days come in: events of days gone by, and the newest still to come."""
    return Replay.objects.filter(status__in=(RunStatus.QUEUED, RunStatus.RUNNING))


def _learn(replay: Replay, *, now: datetime) -> bool:
    """Start the one run that learns from the replay, as soon as no other goes round."""
    try:
        with transaction.atomic():
            run = runs.start_run(by=None, now=now)
            return bool(Replay.objects.filter(pk=replay.pk, run=None).update(run=run))
    except runs.RunInProgressError:
        return False


def _replay(replay: Replay, door: Door, *, clock: Callable[[], datetime]) -> None:
    """Send all baskets that have not come in yet. Raises JobCancelledError and DoorIsShutError."""
    baskets, came = store.baskets(replay), store.sent(replay)
    left = [basket for basket in baskets if str(basket.number) not in came]
    replay.baskets, replay.done, replay.already = len(baskets), len(baskets) - len(left), len(baskets) - len(left)
    if replay.resumed_at is None:
        start_aa(replay, now=clock())
    replay.resumed_at = clock()
    report = jobs.Reporter(replay)
    try:
        for basket in left:
            if report.is_due:
                report(replay.done / replay.baskets)
                _save(replay)
            begin = time.monotonic()
            answer = door.send(events_of(basket, door.recommend(str(basket.household))))
            replay.events += answer["accepted"]
            replay.refused += answer["rejected"] + sum(len(row.get("rejected_items", ())) for row in answer["results"])
            replay.done += 1
            time.sleep(REST * (time.monotonic() - begin))
    finally:
        _save(replay)


def _save(replay: Replay) -> None:
    replay.save(update_fields=["baskets", "done", "already", "events", "refused", "resumed_at"])


def events_of(basket: Basket, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Events of a basket: seen, clicked where the slate had what was bought, bought; every event names the slate."""
    bought = {line.product for line in basket.lines}
    clicked = [int(row["item_id"]) for row in answer["results"] if int(row["item_id"]) in bought]
    common = {
        "user_id": str(basket.household),
        "recommendation_id": answer["recommendation_id"],
        "context": {"source": "replay"},
    }
    seen = {"name": EventName.VIEW_ITEM_LIST, "event_id": str(basket.act_id(EventName.VIEW_ITEM_LIST))}
    events = [common | seen | {"timestamp": (basket.at - SEEN_BEFORE).isoformat()}]
    for product in clicked:
        click = {"name": EventName.SELECT_ITEM, "event_id": str(basket.act_id(EventName.SELECT_ITEM, product))}
        when = {"timestamp": (basket.at - CLICKED_BEFORE).isoformat(), "items": [{"item_id": str(product)}]}
        events.append(common | click | when)
    for product in dict.fromkeys(line.product for line in basket.lines):
        purchase = {
            "name": EventName.PURCHASE,
            "event_id": str(basket.purchase_id(product)),
            "timestamp": basket.at.isoformat(),
            "transaction_id": str(basket.number),
            "items": [
                {"item_id": str(product), "quantity": line.quantity, "price": str(line.price)}
                for line in basket.lines
                if line.product == product
            ],
        }
        events.append(common | purchase)
    return events
