"""A run of the loop, and after it what moved: a reading of stability, and alarms where that is more than usual."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from recommendations.engine.ranking.second_stage import SecondStageUnavailableError
from recommendations.loop import run as loop
from recommendations.models import Alarm, ModelVersion, Run, StabilityReading
from recommendations.services.watches.churn import Basis, Comparison, distance
from recommendations.services.watches.overfitting import overfit
from recommendations.services.watches.refits import Refits, Settings, TooLongError
from recommendations.services.watches.shifts import Shift, shifts
from recommendations.store.models import runs
from recommendations.store.models.artefacts import ArtefactDamagedError
from recommendations.store.models.model import load_model
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import Cut, RunStatus
from recommendations.watch_terms import AlarmDirection, WatchedRate

UNKNOWN = (TooLongError, SecondStageUnavailableError)
"""Why it is not known what a run would have made had it been another."""

NOISE_SECONDS = 1.0
"""Time that lists of another seed are made for."""


def run_loop(run_id: UUID, *, clock: Callable[[], datetime]) -> RunStatus | None:
    """Run or resume a run as ``loop.run.run_loop``, and read what moved where it has succeeded."""
    status = loop.run_loop(run_id, clock=clock)
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
        _read_churn(reading, before, run=finished)
    moved = _shifts(version, before.version, seed=finished.seed) if before else {}
    grown = overfit(version, before.version) if before else None
    reading.shifts = {rate: shift._asdict() for rate, shift in moved.items()}
    reading.seconds = time.monotonic() - started
    with transaction.atomic():
        reading.save()
        for rate, shift in moved.items():
            _judge(rate, shift.psi if shift.is_notable else None, now=now)
        if before:
            _judge(WatchedRate.OVERFIT, grown.growth if grown else None, now=now)
    if grown and before:
        text = f"{grown.task}: {grown.name} learned more by heart than in {before.version}: {grown.growth:+.4f}"
        runs.log(finished, text)
    whole = f"{reading.churn['whole']:.1%} of the lists changed, " if reading.churn else ""
    runs.log(finished, f"stability: {whole}read in {reading.seconds:.1f} s")
    return reading


def _read_churn(reading: StabilityReading, before: StabilityReading | None, *, run: Run) -> None:
    learned = load_model(reading.version_id, Cut.LIVE)
    live = replace(current_snapshot(), model=learned)
    basis = Basis.of(live)
    reading.basis = basis.described()
    then = Basis.then(before, now=live) if before else None
    if then is None or before is None:
        return
    comparison = Comparison(before=then, now=basis, moment=reading.at)
    refits = Refits(learned=learned, customers=comparison.sample(run.seed), run=run)
    churn = _parted(comparison, refits, before.version.instances).churn(seed=run.seed)
    if churn:
        reading.churn = {
            "customers": churn.customers, "whole": churn.whole, "parts": churn.parts, "noise": _noise(live, refits),
            "settings": before.version.instances != reading.version.instances,
        }  # fmt: skip


def _parted(comparison: Comparison, refits: Refits, settings: Settings) -> Comparison:
    """The comparison with data and settings apart, where these changed and can be fitted in time."""
    try:
        unset = refits.as_before(settings)
        own = None if unset is None else refits.own
    except UNKNOWN:
        return comparison
    return comparison if own is None else replace(comparison, now=replace(comparison.now, model=own), unset=unset)


def _noise(live: Snapshot, refits: Refits) -> float | None:
    """How much of the lists another seed would have changed; None where that takes too long to know."""
    try:
        one, other = (replace(live, model=each, experiments=()) for each in (refits.own, refits.reseeded()))
    except UNKNOWN:
        return None
    return distance(one, other, refits.customers, now=live.read_at, most=NOISE_SECONDS)


def _shifts(version: ModelVersion, before: ModelVersion, *, seed: int) -> dict[WatchedRate, Shift]:
    """The shifts; none where the files of a version are gone."""
    try:
        return dict(shifts(version, before, seed=seed))
    except (ArtefactDamagedError, KeyError):
        return {}


def _judge(rate: WatchedRate, change: float | None, *, now: datetime) -> None:
    """Raise an alarm where a change is notable, and end the one before it where there is none."""
    lasting = Alarm.objects.lasting().filter(rate=rate, placement="")
    if change is None:
        lasting.update(ended_at=now)
    elif alarm := lasting.first():
        alarm.last_at, alarm.times, alarm.change = now, alarm.times + 1, change
        alarm.save(update_fields=["last_at", "times", "change"])
    else:
        Alarm.objects.create(
            rate=rate, placement="", direction=AlarmDirection.RISE, onset=now, raised_at=now, last_at=now,
            change=change,
        )  # fmt: skip
