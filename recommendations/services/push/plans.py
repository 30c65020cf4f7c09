"""Send plans: what the draft of a campaign would do at a moment of the next days, person by person; nothing is sent."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from recommendations.models import Campaign, CampaignVersion, Occurrence, SendPlan, Staff
from recommendations.models.jobs import UNFINISHED
from recommendations.push_terms import OccurrenceState
from recommendations.services.access.audit import needed_note
from recommendations.services.campaigns import lifecycle
from recommendations.services.campaigns.lifecycle import (
    CampaignOverError,
    SentAlreadyError,
    form_of,
    has_come,
)
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.deciding import Ground
from recommendations.services.push.sendings import PLAN, LiveCampaign, plan
from recommendations.serving.pipeline import UnknownPlacementError
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store import jobs
from recommendations.store.push import verdicts
from recommendations.store.serving.snapshot_holder import NotLoadedError
from recommendations.terms import RunStatus

AHEAD = timedelta(days=7)
SAME = timedelta(minutes=1)  # moments that are so near are the same: somebody clicked twice
STANDS = timedelta(hours=24)  # a plan is as good as new for an approval
STAYS = timedelta(days=1)  # before another plan of the campaign takes its place
BETWEEN_REPORTS = timedelta(milliseconds=300)
DECIDING = 0.8  # of the work; the rest is writing
AT_ONCE = 10_000
REFERENCE = "plan"
"""Key beside the counts that a version expects: which plan they are of."""


class MomentError(Exception):
    """The moment is over, or more than seven days ahead."""


class PlanIsOverError(Exception):
    """The plan has ended, or somebody has cancelled it before."""


class NoPlanError(Exception):
    """Nobody has seen what this very draft would do: there is no plan of its revision, or it is older than a day."""


def ask(*, campaign: Campaign, as_of: datetime, by: Staff | None, now: datetime) -> SendPlan:
    """Begin a plan of the draft as it is saved; one that goes on for the same moment is given again.

    One that goes on for another moment, or for the draft as it was, is cancelled. Raises CampaignOverError,
    UnfinishedError, SentAlreadyError and MomentError.
    """
    if campaign.ended_at or campaign.archived_at:
        raise CampaignOverError
    if has_come(campaign):
        raise SentAlreadyError
    form_of(campaign, now=now)
    if not now - SAME <= as_of <= now + AHEAD:
        raise MomentError
    for running in campaign.plans.unfinished().filter(cancel_requested_at=None):
        if running.revision == campaign.revision and abs(running.as_of - as_of) < SAME:
            return running
        jobs.request_cancel(running, now=now)
    _forget_old(campaign, now=now)
    asked = SendPlan.objects.create(campaign=campaign, revision=campaign.revision, as_of=as_of, started_by=by)
    jobs.enqueue(asked)
    return asked


def cancel(asked: SendPlan, *, now: datetime) -> None:
    """End the plan. Raises PlanIsOverError."""
    if not jobs.request_cancel(asked, now=now):
        raise PlanIsOverError


def latest_plan(campaign: Campaign) -> SendPlan | None:
    """The plan that was asked for last, over or not."""
    return campaign.plans.select_related("campaign", "occurrence__pressure").first()


def plan_for_approval(campaign: Campaign, *, now: datetime) -> SendPlan | None:
    """The last finished plan of the draft as it is, if it is not older than a day."""
    done = campaign.plans.succeeded().filter(revision=campaign.revision, finished_at__gt=now - STANDS)
    return done.select_related("occurrence").order_by("-finished_at").first()


def approve_as_planned(
    *, campaign: Campaign, revision: int, without_plan: bool, note: str, by: Staff | None, now: datetime,
    refusal: int = 0,
) -> CampaignVersion:  # fmt: skip
    """Approve the draft with the counts of its plan, which the brake compares a sending with; or without a plan.

    Raises NoPlanError, and whatever ``lifecycle.approve`` does.
    """
    current = Campaign.objects.get(pk=campaign.pk)
    lifecycle.check_as_seen(current, revision=revision, refusal=refusal)
    note = needed_note(note)
    seen = plan_for_approval(current, now=now)
    if seen is None and not without_plan:
        raise NoPlanError
    return lifecycle.approve(
        campaign=current, revision=revision, expected=_expected(seen), note=note, by=by, now=now, refusal=refusal
    )


def _expected(seen: SendPlan | None) -> Mapping[str, int]:
    if seen is None or seen.occurrence is None:
        return {}
    return {**seen.occurrence.counts, REFERENCE: seen.occurrence.pk}


def make_plan(key: UUID) -> RunStatus | None:
    """Make a plan in the worker; None where it is gone, over or somebody else is at it."""
    job = SendPlan.objects.select_related("campaign", "occurrence").filter(pk=key).first()
    return jobs.run_job(job, _make, clock=timezone.now, refusals=(NotLoadedError, UnknownPlacementError))


def _make(job: SendPlan) -> None:
    """Decide, and write the verdicts; what a worker left that died, or was cancelled, is taken away."""
    _take_back(job)
    campaign = job.campaign
    if campaign.revision != job.revision:
        raise jobs.JobCancelledError
    report = jobs.Reporter(job, between=BETWEEN_REPORTS)
    ground = Ground(snapshot=current_snapshot(), rules=rules_now(now=job.as_of), now=job.as_of)
    outcome = plan(
        _as_live(campaign, job.as_of), ground=ground,
        progress=lambda share: report(DECIDING * share) if report.is_due else None,
    )  # fmt: skip
    report(DECIDING)
    job.occurrence = Occurrence.objects.create(
        campaign=campaign, key=f"{PLAN}-{secrets.token_hex(4)}", due_at=job.as_of, state=OccurrenceState.PLANNED,
        pressure=ground.rules, decided_at=timezone.now(), rules_version=ground.snapshot.rules.version,
        model_version=ground.snapshot.model.version_id if ground.snapshot.model else None,
    )  # fmt: skip
    job.save(update_fields=["occurrence"])
    try:
        for first in range(0, len(outcome), AT_ONCE):
            verdicts.write(job.occurrence.pk, outcome[first : first + AT_ONCE], now=job.as_of)
            report(DECIDING + (1 - DECIDING) * min(first + AT_ONCE, len(outcome)) / len(outcome))
    except jobs.JobCancelledError:
        _take_back(job)
        raise
    job.occurrence.counts = verdicts.counts_of(job.occurrence.pk)
    job.occurrence.save(update_fields=["counts"])


def _as_live(campaign: Campaign, moment: datetime) -> LiveCampaign:
    """The draft as if it had been approved for the moment."""
    version = CampaignVersion(campaign=campaign, starts_at=moment)
    return LiveCampaign(campaign=campaign, version=version, form=form_of(campaign))


@transaction.atomic
def _take_back(job: SendPlan) -> None:
    """Delete what was written of a plan that is not whole."""
    begun = job.occurrence
    if begun is not None:
        job.occurrence = None
        job.save(update_fields=["occurrence"])
        begun.delete()


@transaction.atomic
def _forget_old(campaign: Campaign, *, now: datetime) -> None:
    """Delete plans of more than a day ago with their verdicts, but for those by which a version was approved."""
    old = campaign.plans.exclude(status__in=UNFINISHED).filter(created_at__lt=now - STAYS)
    approved = campaign.versions.values_list(f"expected__{REFERENCE}", flat=True)
    going = old.exclude(occurrence__in=[key for key in approved if key])
    occurrences = list(going.exclude(occurrence=None).values_list("occurrence", flat=True))
    going.delete()
    Occurrence.objects.filter(pk__in=occurrences).delete()
