"""Rows made by hand, for pages whose right content is known in advance."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np

from recommendations.engine.interests.main_interests import MainInterests
from recommendations.event_types import TRADES, EventName
from recommendations.models import (
    Blend,
    BlendWeights,
    Category,
    Customer,
    Evaluation,
    Event,
    Item,
    LiveProfile,
    Measurement,
    ModelVersion,
    Run,
    RunStage,
    Segment,
)
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.models.artefacts import save_arrays
from recommendations.store.models.main_interests import save_main_interests
from recommendations.terms import Cut, MeasuredKind, RunStatus, Stage, Task, VersionStatus

NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)
SPLIT = NOW - timedelta(days=28)
PLAN = [
    (Stage.COLLECT, ""), (Stage.PREPROCESS, ""), (Stage.INTERESTS, ""), (Stage.TRAIN, Cut.TUNING),
    (Stage.TRAIN, Cut.TEST), (Stage.TRAIN, Cut.LIVE), (Stage.EVALUATE, ""), (Stage.ADJUST, ""),
]  # fmt: skip


def customer(shop_id: str) -> Customer:
    return Customer.objects.create(pseudonym=pseudonym(shop_id), created_at=NOW)


def item(shop_id: str, *, title: str = "", category: Category | None = None) -> Item:
    row = Item.objects.create(shop_id=shop_id, title=title or shop_id, price="2.50", listed_at=NOW)
    if category:
        row.categories.add(category)
    return row


def event(who: Customer, what: Item | None, *, days_ago: float, name: EventName = EventName.PURCHASE) -> Event:
    return event_of_items(who, [what], days_ago=days_ago, name=name)[0]


def event_of_items(
    who: Customer,
    items: Sequence[Item | None],
    *,
    days_ago: float,
    name: EventName = EventName.PURCHASE,
    first_line: int = 0,
) -> list[Event]:
    """The lines of an event, one for each item."""
    at, event_id = NOW - timedelta(days=days_ago), uuid.uuid4()
    prepare_partitions(at, at)
    return [
        Event.objects.create(
            occurred_at=at,
            event_id=event_id,
            line=line,
            name=name,
            customer=who,
            item=item,
            quantity=1,
            amount="2.50",
            transaction_id="t" if name in TRADES else None,
        )
        for line, item in enumerate(items, first_line)
    ]


def run(
    *, created: datetime = NOW, status: RunStatus = RunStatus.SUCCEEDED, done: int = len(PLAN), **fields: Any
) -> Run:
    """A run whose first ``done`` stages have finished, ten seconds each."""
    over = status not in {RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.INTERRUPTED}
    started = created if status is not RunStatus.QUEUED else None
    row = Run.objects.create(
        status=status,
        now=created,
        started_at=started,
        finished_at=created + timedelta(seconds=90) if over else None,
        **fields,
    )
    Run.objects.filter(pk=row.pk).update(created_at=created)
    row.refresh_from_db()
    for position, (stage, cut) in enumerate(PLAN):
        begin = created + timedelta(seconds=10 * position)
        finished = position < done
        broken = position == done and status is not RunStatus.QUEUED
        RunStage.objects.create(
            run=row,
            stage=stage,
            cut=cut,
            position=position + 1,
            status=RunStatus.SUCCEEDED if finished else status if broken else RunStatus.QUEUED,
            started_at=begin if finished or broken else None,
            finished_at=begin + timedelta(seconds=10) if finished or (broken and over) else None,
            counts={"events": 1200, "new": 12} if stage is Stage.COLLECT and finished else {},
        )
    return row


def version(of: Run, *, live: bool = True) -> ModelVersion:
    cuts = {
        Cut.LIVE: NOW.isoformat(),
        Cut.TEST: SPLIT.isoformat(),
        Cut.TUNING: (SPLIT - timedelta(days=28)).isoformat(),
    }
    return ModelVersion.objects.create(
        run=of,
        status=VersionStatus.READY,
        is_live=live,
        live_since=NOW,
        windows={"cuts": cuts, "end": NOW.isoformat(), "days": 28.0},
    )


def measured(of: ModelVersion, task: Task, values: Mapping[tuple[str, MeasuredKind], float]) -> Evaluation:
    """Rows of the quality table, each value with an interval of ± .01 around it."""
    run = Evaluation.objects.create(
        version=of, cut=Cut.TEST, task=task, window_start=SPLIT, window_end=NOW, users=1983, seed=0
    )
    for (name, kind), value in values.items():
        metrics = {metric: _around(value, 0.01) for metric in ("ndcg@10", "coverage@10")}
        Measurement.objects.create(evaluation=run, name=name, kind=kind, metrics=metrics, fit_seconds=1.5)
    return run


def compared(run: Evaluation, differences: Mapping[str, float]) -> None:
    """Differences of rows to the hybrid in NDCG@10, with an interval of ± .01 around each."""
    for name, value in differences.items():
        run.rows.filter(name=name).update(against={"ndcg@10": _around(value, 0.01)})


def sliced(run: Evaluation, name: str, *slices: tuple[str, str, int, float]) -> None:
    """Kind, key, customers and NDCG@10 of each slice of a row, with an interval of ± .05 around it."""
    stored = [
        {"kind": kind, "key": key, "users": users, "metrics": {"ndcg@10": _around(value, 0.05)}}
        for kind, key, users, value in slices
    ]
    run.rows.filter(name=name).update(slices=stored)


def _around(value: float, margin: float) -> dict[str, float]:
    return {"value": value, "low": value - margin, "high": value + margin}


def profile(who: Customer, *, weight: float, segment: Segment | None = None, shift: float = 0, leads: str = "") -> None:
    """What the live version knows of a customer; ``leads`` names the category of their last days."""
    leading = Category.objects.get_or_create(path=leads, defaults={"name": leads})[0].pk if leads else None
    LiveProfile.objects.create(customer=who, segment=segment, weight=weight, shift=shift, leads=leading)


def likes(of: ModelVersion, who: Customer, **shares: float) -> None:
    """Long-term interests by category name in a version's files, which know nobody else; the last days are half of it.

    They need a folder (``artefact_folder``).
    """
    like(of, {who: shares})


def like(of: ModelVersion, shares: Mapping[Customer, Mapping[str, float]]) -> None:
    """The same of several customers; a category that somebody has no share of is 0."""
    names, people = list(dict.fromkeys(chain(*shares.values()))), sorted(shares, key=attrgetter("pk"))
    keys = [Category.objects.get_or_create(path=name, defaults={"name": name})[0].pk for name in names]
    columns = np.tile(np.arange(len(keys), dtype=np.int32), (len(people), 1))
    values = np.array([[shares[who].get(name, 0.0) for name in names] for who in people], np.float32)
    save_arrays(of, Cut.LIVE, {"ids/users": np.array([who.pk for who in people]), "ids/categories": np.array(keys)})
    for half_life, factor in ((90, 1.0), (7, 0.5)):
        found = MainInterests(columns, (values * factor).astype(np.float32), np.full(len(people), factor))
        save_main_interests(of, found, half_life=half_life)


def published(blend: str, *, number: int = 1) -> BlendWeights:
    row = Blend.objects.get(name=blend)
    row.last_number = number
    row.save()
    return BlendWeights.objects.create(
        blend=row, number=number, weights={"buy_again": 1.0}, status="published", is_default=True, reason="a test"
    )
