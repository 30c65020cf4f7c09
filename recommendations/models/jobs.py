"""Jobs: long work that a worker does, and that staff watch, cancel and resume."""

import zlib
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.terms import RunStatus
from recommendations.wording import labels

UNFINISHED = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.INTERRUPTED})
WAITING = frozenset({RunStatus.QUEUED, RunStatus.INTERRUPTED})
RESUMABLE = frozenset({RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED})


class JobQuerySet[J: "Job"](models.QuerySet[J]):
    def unfinished(self) -> Self:
        return self.filter(status__in=UNFINISHED)

    def waiting(self) -> Self:
        """Unfinished jobs that no worker is at."""
        return self.filter(status__in=WAITING)

    def succeeded(self) -> Self:
        return self.filter(status=RunStatus.SUCCEEDED)


class Job(models.Model):
    """Work of one kind, a row per time that it is asked for; ``store.jobs`` changes its state.

    A kind names its task of Celery, which is given the primary key as text, and the queue of the task; how often a job
    that did not end is tried again; and, where one of the kind runs at a time in this database, the lock of all.
    """

    TASK: ClassVar[str]
    QUEUE: ClassVar[str] = "default"
    MOST_TRIES: ClassVar[int | None] = 3
    LOCK: ClassVar[int | None] = None

    status = models.CharField(_("status"), max_length=12, choices=labels.RUN_STATUSES, default=RunStatus.QUEUED)
    progress = models.FloatField(_("progress"), default=0)
    tries = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True)
    heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    cancel_requested_at = models.DateTimeField(_("cancel asked for"), null=True)
    message = models.TextField(_("message"), blank=True)
    peak_mb = models.PositiveIntegerField(_("peak memory, MB"), null=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager.from_queryset(JobQuerySet)()

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(status__in=list(RunStatus)), name="%(class)s_status_is_known"),
            models.CheckConstraint(
                condition=models.Q(progress__gte=0, progress__lte=1), name="%(class)s_progress_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)[:8]

    @property
    def lock(self) -> int:
        """Key of the advisory lock that a worker holds while it is at the job."""
        return self.LOCK or zlib.crc32(f"{self._meta.label_lower} {self.pk}".encode())

    @property
    def unfinished(self) -> bool:
        return self.status in UNFINISHED

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or will as soon as its worker hears that somebody cancelled it."""
        return self.cancel_requested_at is not None or not self.unfinished

    @property
    def may_resume(self) -> bool:
        return self.status in RESUMABLE

    @property
    def took(self) -> timedelta | None:
        """Duration from the first start to the end, or to now; None before it."""
        return (self.finished_at or timezone.now()) - self.started_at if self.started_at else None
