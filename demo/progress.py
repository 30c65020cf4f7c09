"""Progress of the replay of the demo."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from demo.models import Replay
from recommendations.terms import RunStatus

ENDED_EARLY = {RunStatus.FAILED, RunStatus.CANCELLED}


@dataclass(frozen=True, kw_only=True)
class Progress:
    replay: Replay

    @property
    def unfinished(self) -> bool:
        return self.replay.status not in {RunStatus.SUCCEEDED, *ENDED_EARLY}

    @property
    def may_resume(self) -> bool:
        return self.replay.status in ENDED_EARLY

    @property
    def percent(self) -> int:
        return round(100 * self.replay.done / self.replay.baskets) if self.replay.baskets else 0

    @property
    def per_second(self) -> float | None:
        """Baskets a second since the last start; None before there is one."""
        replay = self.replay
        if replay.resumed_at is None or replay.heartbeat_at is None or replay.done == replay.already:
            return None
        seconds = (replay.heartbeat_at - replay.resumed_at).total_seconds()
        return (replay.done - replay.already) / seconds if seconds > 0 else None

    @property
    def left(self) -> timedelta | None:
        speed = self.per_second
        return timedelta(seconds=(self.replay.baskets - self.replay.done) / speed) if speed else None

    @property
    def took(self) -> timedelta | None:
        """Duration from the first start to the end, or to now; None before it."""
        if self.replay.started_at is None:
            return None
        return (self.replay.finished_at or timezone.now()) - self.replay.started_at


def progress() -> Progress | None:
    """Progress of the replay; None where nothing was held back."""
    replay = Replay.objects.first()
    return Progress(replay=replay) if replay else None


def going_on() -> QuerySet[Replay]:
    """The replay while the last days come in: events of days gone by, and the newest still to come."""
    return Replay.objects.filter(status__in=(RunStatus.QUEUED, RunStatus.RUNNING))
