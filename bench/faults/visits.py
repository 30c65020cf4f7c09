"""Visits under an experiment: an answer is asked for, and what came of it is told until it is taken."""

import json
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from bench.faults.client import AGAIN, RETRYABLE, Client, Dropped, Load

NEWCOMERS = 0.2  # share of the visits of people whom the shop has not seen


@dataclass(frozen=True)
class GivenAnswer:
    """An answer as the shop got it; ``arm`` is its letter, "" for none."""

    recommendation_id: str
    user: str
    arm: str
    weights: int | None
    source: str


class VisitLoad(Load):
    """Senders whose every event follows from an answer: lists seen, clicks, purchases, and some given back."""

    def __init__(self, client: Callable[[], Client], items: Sequence[str], *, customers: int, seed: int) -> None:
        super().__init__(client, items, customers=customers, seed=seed)
        self.answers: list[GivenAnswer] = []

    def _send(self, rng: random.Random) -> None:
        client = self._client()
        while not self._over.is_set():
            is_new = rng.random() < NEWCOMERS
            user = f"n{rng.randrange(10**6)}" if is_new else f"u{rng.randrange(self._customers)}"
            answer = self._asked(client, user)
            if answer is None:
                time.sleep(AGAIN)
                continue
            events = _events(rng, user, answer)
            lines = {event["event_id"]: len(event.get("items", ())) or 1 for event in events}
            with self.tally.lock:
                self.tally.sent |= lines
            self._until_taken(client, json.dumps({"events": events}).encode(), lines)
            time.sleep(rng.uniform(0, 0.03))
        client.close()

    def _asked(self, client: Client, user: str) -> dict[str, Any] | None:
        """Body of an answer with items; None where there was none."""
        try:
            reply = client.send("GET", f"/api/v1/placements/home/recommend/?user_id={user}")
        except Dropped as error:
            self.tally.count(self.tally.answers, type(error).__name__)
            return None
        self.tally.count(self.tally.answers, str(reply.status))
        if reply.status != HTTPStatus.OK or not reply.body["results"]:
            if reply.status != RETRYABLE:
                self.tally.note_odd(f"recommend {reply.status} {str(reply.body)[:300]}")
            return None
        body = dict(reply.body)
        arm = body["experiment"]["variation_id"] if body["experiment"] else ""
        given = GivenAnswer(body["recommendation_id"], user, arm, body["weights_version"], body["source"])
        with self.tally.lock:
            self.answers.append(given)
        self.tally.count(self.tally.sources, f"{body['source']}/{body['fallback_reason']}")
        return body


def _events(rng: random.Random, user: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What a visitor does with an answer: sees it, may click, may buy one or two of it, may give all of it back."""
    items = [one["item_id"] for one in answer["results"]]

    def event(name: str, chosen: Sequence[str], **more: Any) -> dict[str, Any]:
        lines = [{"item_id": item} | more.get("line", {}) for item in chosen]
        return {
            "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)), "name": name, "user_id": user,
            "timestamp": datetime.now(UTC).isoformat(), "items": lines, **more.get("fields", {}),
        }  # fmt: skip

    of_answer = {"recommendation_id": answer["recommendation_id"]}
    events = [event("view_item_list", items[:4], fields=of_answer)]
    if rng.random() < 0.4:
        events.append(event("select_item", [rng.choice(items)], fields=of_answer))
    if rng.random() < 0.3:
        order = {"transaction_id": f"o{rng.getrandbits(64):x}"}
        line = {"quantity": rng.randint(1, 3), "price": rng.randint(1, 9)}
        bought = event("purchase", rng.sample(items, min(2, len(items))), fields=of_answer | order, line=line)
        events.append(bought)
        if rng.random() < 0.2:
            events.append(event("refund", [bought["items"][0]["item_id"]], fields=order))
    return events
