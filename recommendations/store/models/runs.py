"""The state of a turn. Every change is conditional on the state before it, so that two workers never both act."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from recommendations.models import ModelVersion, Turn, TurnLogLine, TurnStage
from recommendations.terms import Cut, RunStatus, Stage

LOCK = 7_264_101  # one turn of the loop at a time in this database
MOST_TRIES = 3
BETWEEN_REPORTS = timedelta(milliseconds=500)


class TurnCancelledError(Exception):
    """Staff asked for the turn to stop."""


@contextmanager
def turn_lock() -> Iterator[bool]:
    """True while this process alone may run a turn. The lock goes with its connection, so a killed worker frees it."""
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            taken = bool(cursor.fetchone()[0])
        try:
            yield taken
        finally:
            if taken:
                with own.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    finally:
        own.close()


def add_stages(turn: Turn, plan: Sequence[tuple[Stage, Cut | None]]) -> None:
    TurnStage.objects.bulk_create(
        TurnStage(turn=turn, stage=stage, cut=cut or "", position=position)
        for position, (stage, cut) in enumerate(plan, start=1)
    )


def take_up(turn_id: UUID, *, now: datetime) -> Turn | None:
    """The turn, now running; None where it is over, or was given up after three tries."""
    waiting = Turn.objects.unfinished().filter(pk=turn_id)
    turn = waiting.first()
    if turn is None:
        return None
    if turn.tries >= MOST_TRIES:
        finish(turn, RunStatus.FAILED, now=now, message=f"Given up after {turn.tries} tries that did not end.")
        return None
    changed = waiting.filter(tries=turn.tries).update(
        status=RunStatus.RUNNING,
        tries=turn.tries + 1,
        heartbeat_at=now,
        started_at=turn.started_at or now,
        message="",
    )
    if not changed:
        return None
    turn.stages.filter(status=RunStatus.RUNNING).update(status=RunStatus.INTERRUPTED)
    turn.refresh_from_db()
    return turn


def finish(turn: Turn, status: RunStatus, *, now: datetime, message: str = "") -> bool:
    """End the turn if it has not ended yet."""
    changed = (
        Turn.objects.unfinished()
        .filter(pk=turn.pk)
        .update(
            status=status,
            finished_at=now,
            message=message,
            peak_mb=peak_mb(),
            **({"progress": 1} if status is RunStatus.SUCCEEDED else {}),
        )
    )
    turn.stages.filter(status=RunStatus.RUNNING).update(status=status, finished_at=now)
    return bool(changed)


def peak_mb() -> int:
    """The most memory that this process has taken so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def interrupted_turns(*, now: datetime) -> list[UUID]:
    """Turns whose worker is gone: they say that they run, and nobody holds the lock. They are marked interrupted.

    Also turns that have waited for a minute though no other runs: their message to the worker was lost.
    """
    with turn_lock() as free:
        if not free:
            return []
        dead = Turn.objects.filter(status=RunStatus.RUNNING)
        found = list(dead.values_list("pk", flat=True))
        dead.update(status=RunStatus.INTERRUPTED)
        TurnStage.objects.filter(turn__in=found, status=RunStatus.RUNNING).update(status=RunStatus.INTERRUPTED)
        lost = Turn.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.INTERRUPTED])
        waited = lost.filter(created_at__lt=now - timedelta(minutes=1)).exclude(pk__in=found)
        return found + list(waited.values_list("pk", flat=True))


def log(turn: Turn, text: str) -> None:
    TurnLogLine.objects.create(turn=turn, text=text)


def version_of(turn: Turn) -> ModelVersion:
    """The version that the turn makes; the same one when the turn is resumed."""
    return ModelVersion.objects.get_or_create(turn=turn)[0]


def stage_counts(turn: Turn, stage_name: Stage, cut: Cut) -> dict[str, Any]:
    """What a finished stage of this turn counted; empty where it has not finished."""
    row = turn.stages.filter(stage=stage_name, cut=cut, status=RunStatus.SUCCEEDED).first()
    return dict(row.counts) if row else {}


@dataclass(kw_only=True)
class StageReport:
    """How a running stage tells how far it is; it hears in return whether it should stop."""

    turn: Turn
    row: TurnStage
    n_stages: int
    reported_at: datetime | None = None

    def __call__(self, share: float, *, text: str = "") -> None:
        """``share`` of the stage is done. Raises TurnCancelledError where staff asked for the turn to stop."""
        now = timezone.now()
        if text:
            log(self.turn, text)
        if not text and self.reported_at and now - self.reported_at < BETWEEN_REPORTS:
            return
        self.reported_at = now
        share = min(max(share, 0.0), 1.0)
        TurnStage.objects.filter(pk=self.row.pk).update(progress=share)
        Turn.objects.filter(pk=self.turn.pk, status=RunStatus.RUNNING).update(
            progress=(self.row.position - 1 + share) / self.n_stages, heartbeat_at=now
        )
        if Turn.objects.filter(pk=self.turn.pk, cancel_requested_at__isnull=False).exists():
            raise TurnCancelledError


@contextmanager
def stage(turn: Turn, row: TurnStage) -> Iterator[StageReport]:
    """The row runs while the block runs, and is finished if the block ends without an error."""
    TurnStage.objects.filter(pk=row.pk).update(
        status=RunStatus.RUNNING, started_at=timezone.now(), progress=0, finished_at=None
    )
    report = StageReport(turn=turn, row=row, n_stages=turn.stages.count())
    report(0)
    yield report
    TurnStage.objects.filter(pk=row.pk).update(
        status=RunStatus.SUCCEEDED, finished_at=timezone.now(), progress=1, counts=row.counts
    )
