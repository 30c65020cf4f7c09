"""Start, cancel and resume a turn of the loop."""

from datetime import datetime
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from recommendations.loop.run import plan
from recommendations.models import Staff, Turn
from recommendations.services.access import audit
from recommendations.store.models import runs
from recommendations.terms import RunStatus

RUN_TURN = "recommendations.tasks.run_turn"

log = structlog.get_logger(__name__)


class TurnAlreadyRunningError(Exception):
    """Only one turn goes round at a time; ``turn`` is the one that does."""

    def __init__(self, turn: Turn) -> None:
        super().__init__(f"turn {turn} is not over yet")
        self.turn = turn


class TurnIsOverError(Exception):
    """The turn has ended, so that it cannot be cancelled or resumed."""

    def __init__(self, turn: Turn) -> None:
        super().__init__(f"turn {turn} is over: {turn.status}")
        self.turn = turn


@transaction.atomic
def start_turn(*, by: Staff | None, now: datetime, seed: int = 0, in_worker: bool = True) -> Turn:
    """A new turn as of now. It waits for a worker, unless the caller runs it in its own process."""
    unfinished = Turn.objects.unfinished().select_for_update().first()
    if unfinished:
        raise TurnAlreadyRunningError(unfinished)
    turn = Turn.objects.create(now=now, seed=seed, started_by=by)
    runs.add_stages(turn, plan())
    audit.record(by=by, verb="start", subject=turn, after={"now": now.isoformat(), "seed": seed})
    if in_worker:
        transaction.on_commit(lambda: enqueue(turn.pk))
    return turn


@transaction.atomic
def cancel_turn(*, turn: Turn, by: Staff | None, now: datetime) -> None:
    """Ask the turn to stop; one that no worker has taken up ends at once. What is live stays as it is."""
    asked = Turn.objects.unfinished().filter(pk=turn.pk, cancel_requested_at=None).update(cancel_requested_at=now)
    if not asked:
        turn.refresh_from_db()
        raise TurnIsOverError(turn)
    Turn.objects.filter(pk=turn.pk, status__in=[RunStatus.QUEUED, RunStatus.INTERRUPTED]).update(
        status=RunStatus.CANCELLED, finished_at=now
    )
    audit.record(by=by, verb="cancel", subject=turn)


@transaction.atomic
def resume_turn(*, turn: Turn, by: Staff | None, now: datetime) -> None:
    """Let a failed, cancelled or interrupted turn go on from its last finished stage."""
    other = Turn.objects.unfinished().exclude(pk=turn.pk).first()
    if other:
        raise TurnAlreadyRunningError(other)
    ended = [RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED]
    changed = Turn.objects.filter(pk=turn.pk, status__in=ended).update(
        status=RunStatus.QUEUED, tries=0, cancel_requested_at=None, finished_at=None, message=""
    )
    if not changed:
        turn.refresh_from_db()
        raise TurnIsOverError(turn)
    audit.record(by=by, verb="resume", subject=turn, after={"at": now.isoformat()})
    transaction.on_commit(lambda: enqueue(turn.pk))


def start_daily_turn(*, now: datetime) -> Turn | None:
    """The turn of the schedule; None where one is still going round."""
    try:
        return start_turn(by=None, now=now)
    except TurnAlreadyRunningError:
        return None


def watch_turns(*, now: datetime) -> list[UUID]:
    """Give turns whose worker died to the next worker; the ids of those."""
    found = runs.interrupted_turns(now=now)
    for turn_id in found:
        enqueue(turn_id)
    return found


def enqueue(turn_id: UUID) -> None:
    """Where Valkey is away the turn waits for ``watch_turns``, which finds it after a minute."""
    try:
        current_app.send_task(RUN_TURN, args=[str(turn_id)], queue="loop")
    except OperationalError as error:
        log.warning("turn not sent to a worker", turn=str(turn_id), error=type(error).__name__)
