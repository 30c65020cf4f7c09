"""A run of the loop, and after it what moved: a reading of stability, and alarms where that is more than usual."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from recommendations.loop import run
from recommendations.models import Alarm, ModelVersion, Run, StabilityReading
from recommendations.services.watches.churn import Basis, Comparison
from recommendations.services.watches.shifts import Shift, shifts
from recommendations.store.models import runs
from recommendations.store.models.artefacts import ArtefactDamagedError
from recommendations.store.models.model import load_model
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import Cut, RunStatus
from recommendations.watch_terms import AlarmDirection, WatchedRate


def run_loop(run_id: UUID, *, clock: Callable[[], datetime]) -> RunStatus | None:
    """Run or resume a run as ``loop.run.run_loop``, and read what moved where it has succeeded."""
    status = run.run_loop(run_id, clock=clock)
    if status is RunStatus.SUCCEEDED:
        read_stability(Run.objects.get(pk=run_id), now=clock())
    return status


def read_stability(finished: Run, *, now: datetime) -> StabilityReading | None:
    """Read how far interests, popularity and lists moved with a run; None where that was read already.

    Lists are compared where its version is live: with what they were made of at the last reading of a live version.
    """
    version = ModelVersion.objects.get(run=finished)
    if StabilityReading.objects.filter(version=version).exists():
        return None
    started = time.monotonic()
    before = StabilityReading.objects.exclude(basis={}).select_related("version").order_by("-at").first()
    reading = StabilityReading(version=version, before=before.version if before else None, at=now)
    if version.is_live:
        _read_churn(reading, before, seed=finished.seed)
    moved = _shifts(version, before.version, seed=finished.seed) if before else {}
    reading.shifts = {rate: shift._asdict() for rate, shift in moved.items()}
    reading.seconds = time.monotonic() - started
    with transaction.atomic():
        reading.save()
        for rate, shift in moved.items():
            _judge(rate, shift, now=now)
    whole = f"{reading.churn['whole']:.1%} of the lists changed, " if reading.churn else ""
    runs.log(finished, f"stability: {whole}read in {reading.seconds:.1f} s")
    return reading


def _read_churn(reading: StabilityReading, before: StabilityReading | None, *, seed: int) -> None:
    live = replace(current_snapshot(), model=load_model(reading.version_id, Cut.LIVE))
    basis = Basis.of(live)
    reading.basis = basis.described()
    then = Basis.then(before, now=live) if before else None
    if then is None or before is None:
        return
    churn = Comparison(before=then, now=basis, moment=reading.at).churn(seed=seed)
    if churn:
        settings = before.version.instances != reading.version.instances
        reading.churn = {
            "customers": churn.customers, "whole": churn.whole, "parts": churn.parts, "settings": settings,
        }  # fmt: skip


def _shifts(version: ModelVersion, before: ModelVersion, *, seed: int) -> dict[WatchedRate, Shift]:
    """The shifts; none where the files of a version are gone."""
    try:
        return dict(shifts(version, before, seed=seed))
    except (ArtefactDamagedError, KeyError):
        return {}


def _judge(rate: WatchedRate, shift: Shift, *, now: datetime) -> None:
    """Raise an alarm where a shift is notable, and end the one before it where it is not."""
    lasting = Alarm.objects.lasting().filter(rate=rate, placement="")
    if not shift.is_notable:
        lasting.update(ended_at=now)
    elif alarm := lasting.first():
        alarm.last_at, alarm.times, alarm.change = now, alarm.times + 1, shift.psi
        alarm.save(update_fields=["last_at", "times", "change"])
    else:
        Alarm.objects.create(
            rate=rate, placement="", direction=AlarmDirection.RISE, onset=now, raised_at=now, last_at=now,
            change=shift.psi,
        )  # fmt: skip
