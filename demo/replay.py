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

from celery import current_app
from django.conf import settings
from django.db import transaction

from demo import held_back as store
from demo.held_back import UNFINISHED, Basket
from demo.models import Replay
from recommendations.models import Staff
from recommendations.services.access import audit
from recommendations.services.operations import runs
from recommendations.terms import EventName, RunStatus

RUN_REPLAY = "demo.tasks.run_replay"
EXPIRES = 10  # seconds that the message waits for a worker; the next look sends another
PLACEMENT = "home"
N = 10
SEEN_BEFORE, CLICKED_BEFORE = timedelta(minutes=2), timedelta(minutes=1)
REST = 0.5  # of the time that a basket took: so much the machine is left to others
BETWEEN_REPORTS = 0.5  # seconds
PATIENCE = 60  # seconds without an answer, of tries that are ever further apart


class ReplayIsOverError(Exception):
    """The replay is over or goes on already, so that it cannot be cancelled or resumed."""


class DoorIsShutError(Exception):
    """The API did not answer, or not as it should; the message says what it said."""


class CancelledError(Exception):
    """Staff asked for the replay to stop."""


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
    with store.replay_lock() as alone:
        replay = Replay.objects.filter(status__in=UNFINISHED).first() if alone else None
        if replay is None:
            return None
        try:
            _replay(replay, door, clock=clock)
        except CancelledError:
            return _ended(replay, RunStatus.CANCELLED, now=clock())
        except DoorIsShutError as error:
            return _ended(replay, RunStatus.FAILED, now=clock(), message=str(error))
        finally:
            door.close()
        return _ended(replay, RunStatus.SUCCEEDED, now=clock())


def cancel_replay(*, by: Staff | None, now: datetime) -> None:
    """Stop the replay after the basket in hand; what came in stays. One that no worker has taken up ends at once."""
    with transaction.atomic():
        count = Replay.objects.filter(status__in=UNFINISHED, cancel_requested_at=None).update(cancel_requested_at=now)
        if not count:
            raise ReplayIsOverError
        waiting = Replay.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.INTERRUPTED])
        waiting.update(status=RunStatus.CANCELLED, finished_at=now)
        audit.record(by=by, verb="cancel", subject=Replay.objects.get())


def resume_replay(*, by: Staff | None) -> None:
    """Go on with a cancelled or failed replay; the next look takes it up."""
    with transaction.atomic():
        ended = Replay.objects.filter(status__in=[RunStatus.CANCELLED, RunStatus.FAILED])
        if not ended.update(status=RunStatus.QUEUED, cancel_requested_at=None, finished_at=None, message=""):
            raise ReplayIsOverError
        audit.record(by=by, verb="resume", subject=Replay.objects.get())


def watch_replay(*, now: datetime) -> bool:
    """Give a replay that nobody is at to a worker, and one that has finished to a run; whether there was one."""
    replay = Replay.objects.first()
    if replay is None or not settings.DEMO:
        return False
    if replay.status == RunStatus.SUCCEEDED and replay.run_id is None:
        return _learn(replay, now=now)
    if replay.status not in UNFINISHED or demo_door() is None:
        return False
    with store.replay_lock() as free:
        if free:
            Replay.objects.filter(status=RunStatus.RUNNING).update(status=RunStatus.INTERRUPTED)
    if free:
        current_app.send_task(RUN_REPLAY, queue="loop", expires=EXPIRES)
    return free


def _learn(replay: Replay, *, now: datetime) -> bool:
    """Start the one run that learns from the replay, as soon as no other goes round."""
    try:
        with transaction.atomic():
            run = runs.start_run(by=None, now=now)
            return bool(Replay.objects.filter(pk=replay.pk, run=None).update(run=run))
    except runs.RunInProgressError:
        return False


def _replay(replay: Replay, door: Door, *, clock: Callable[[], datetime]) -> None:
    """Send all baskets that have not come in yet. Raises CancelledError and DoorIsShutError."""
    baskets, came = store.baskets(replay), store.sent(replay)
    left = [basket for basket in baskets if str(basket.number) not in came]
    now = clock()
    replay.baskets, replay.done, replay.already = len(baskets), len(baskets) - len(left), len(baskets) - len(left)
    replay.started_at, replay.resumed_at, replay.status = replay.started_at or now, now, RunStatus.RUNNING
    replay.message, reported = "", 0.0
    for basket in left:
        if time.monotonic() - reported > BETWEEN_REPORTS:
            reported = time.monotonic()
            _report(replay, now=clock())
        begin = time.monotonic()
        events = events_of(basket, door.recommend(str(basket.household)))
        answer = door.send(events)
        replay.events += answer["accepted"]
        replay.refused += answer["rejected"] + sum(len(row.get("rejected_items", ())) for row in answer["results"])
        replay.done += 1
        time.sleep(REST * (time.monotonic() - begin))


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


def _report(replay: Replay, *, now: datetime) -> None:
    """Save the progress. Raises CancelledError where staff asked for the replay to stop."""
    replay.heartbeat_at = now
    replay.save(update_fields=[
        "baskets", "done", "already", "events", "refused", "status", "started_at", "resumed_at", "heartbeat_at",
        "message",
    ])  # fmt: skip
    if Replay.objects.filter(pk=replay.pk, cancel_requested_at__isnull=False).exists():
        raise CancelledError


def _ended(replay: Replay, status: RunStatus, *, now: datetime, message: str = "") -> RunStatus:
    replay.status, replay.finished_at, replay.heartbeat_at, replay.message = status, now, now, message
    replay.save(update_fields=["done", "events", "refused", "status", "finished_at", "heartbeat_at", "message"])
    return status
