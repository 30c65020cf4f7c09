"""The people whom the bench of erasures erases, what they did, and what the record says of them before and after."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from bench.bars import Figure
from bench.privacy.traces import Traces
from demo.complete_journey.wheel import read_transactions
from demo.models import Replay
from recommendations.models import Customer, Event, Measurement, ModelVersion
from recommendations.services.access.keys import create_key
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Scope, Side

KEY_NAME = "Bench of erasures"
ITEMS = 500
PAST = 2_000  # lines that a replay sends again


@dataclass(frozen=True, kw_only=True)
class People:
    """Those who are erased, others of the shop, and what the first bought before."""

    seed: int
    ids: Sequence[str]
    others: Sequence[str]
    items: Sequence[str]
    lines: Sequence[Mapping[str, Any]]
    traces: Traces

    @classmethod
    def drawn(cls, number: int, *, seed: int) -> Self:
        """Draw from the households that the record knows."""
        rng = np.random.default_rng(seed)
        named = {pseudonym(str(each)): str(each) for each in read_transactions()["household_id"].unique().tolist()}
        stored = Customer.objects.filter(pseudonym__in=list(named), personalise=True).values_list("pseudonym", "pk")
        known = sorted((named[bytes(value)], key) for value, key in stored)
        chosen = rng.permutation(len(known))
        ids = [known[at] for at in chosen[:number].tolist()]
        others = [known[at][0] for at in chosen[number : number + 500].tolist()]
        rows = Event.objects.filter(customer__in=[key for _, key in ids], name="purchase", item__isnull=False)
        named_by = {key: one for one, key in ids}
        lines = [_as_sent(named_by, row) for row in rows.select_related("item").order_by("-occurred_at")[:PAST]]
        items = sorted({line["items"][0]["item_id"] for line in lines})[:ITEMS]
        traces = Traces.of([pseudonym(one) for one, _ in ids])
        return cls(seed=seed, ids=[one for one, _ in ids], others=others, items=items, lines=lines, traces=traces)

    def past(self, rng: np.random.Generator, number: int) -> list[Mapping[str, Any]]:
        """Some of what they did, as a retry or a replay sends it."""
        return [self.lines[at] for at in rng.integers(0, len(self.lines), number).tolist()]


def _as_sent(named_by: Mapping[int, str], row: Event) -> dict[str, Any]:
    if row.item is None or row.customer_id is None:
        raise ValueError("a purchase of somebody has an item and a customer")
    item = {"item_id": row.item.shop_id, "quantity": float(row.quantity or 1), "price": str(row.price or 1)}
    return {
        "event_id": str(row.event_id), "name": "purchase", "timestamp": row.occurred_at.isoformat(),
        "user_id": named_by[row.customer_id], "transaction_id": row.transaction_id, "items": [item],
    }  # fmt: skip


def await_replay(*, within: float) -> None:
    """Wait until the demo has sent its last days: in them these people ask again, and come back as somebody new."""
    until = time.monotonic() + within
    while Replay.objects.unfinished().exists():
        if time.monotonic() > until:
            raise SystemExit(f"the demo's replay did not end within {within / 60:.0f} minutes")
        time.sleep(1)


def privacy_key() -> str:
    """A new key of the shop's server that may erase."""
    row, secret = create_key(name=KEY_NAME, side=Side.SERVER, scopes=[Scope.PRIVACY_WRITE], by=None)
    return f"{row.prefix}.{secret}"


class Accuracy(NamedTuple):
    """NDCG@10 and its interval, and from when on what people did then was to be told in advance."""

    value: float
    low: float
    high: float
    since: datetime


def accuracy() -> dict[str, Accuracy]:
    """That of the live version's hybrid at home and at discover."""
    version = ModelVersion.objects.live().get()
    rows = Measurement.objects.filter(evaluation__version=version, kind="hybrid").select_related("evaluation")
    return {row.evaluation.task: Accuracy(**row.metrics["ndcg@10"], since=row.evaluation.window_start) for row in rows}


def scan(traces: Traces, data: Path) -> Iterator[Figure]:
    """What an independent reader still finds."""
    cells, rows = traces.in_tables()
    yield Figure("cells with a number of theirs", cells, most=0)
    yield Figure("table rows with a text of theirs", rows, most=0)
    yield Figure("entries of Valkey", traces.in_valkey(), most=0)
    pieces, arrays = traces.in_files(data)
    yield Figure("pieces of files", pieces, most=0)
    yield Figure("arrays of models", arrays, most=0)
