"""Sendings that are over: nobody of them is a candidate any more, and nothing of them waits."""

from datetime import datetime, timedelta

import msgspec
from django.db.models import Exists, OuterRef

from recommendations.models import Campaign, Message, Occurrence
from recommendations.push_terms import FINAL, WAITS_ON, CampaignKind, OccurrenceState
from recommendations.services.campaigns.form import SHORTEST_LIFE, CampaignForm
from recommendations.services.push.sendings import MISSED


def finish_sendings(*, now: datetime) -> int:
    """Finish the sendings that are over; how many."""
    open_ones = Message.objects.filter(occurrence=OuterRef("pk")).exclude(state__in=FINAL)
    past = Occurrence.objects.filter(
        ~Exists(open_ones), state=OccurrenceState.DECIDED, due_at__lte=now - timedelta(hours=SHORTEST_LIFE) - MISSED
    )
    over = [each.pk for each in past.select_related("version") if _ends_at(each) <= now]
    return Occurrence.objects.filter(pk__in=over, state=OccurrenceState.DECIDED).update(
        state=OccurrenceState.FINISHED, finished_at=now
    )


def has_no_candidates(campaign: Campaign, occurrence: Occurrence, *, now: datetime) -> bool:
    """Whether nobody new will be written to in a decided sending, though it is not finished yet."""
    if occurrence.state != OccurrenceState.DECIDED:
        return False
    if campaign.ended_at or _ends_at(occurrence) <= now:
        return True
    return campaign.kind != CampaignKind.TRIGGERED and not any(occurrence.counts.get(each) for each in WAITS_ON)


def _ends_at(occurrence: Occurrence) -> datetime:
    """The moment from which no verdict of a sending turns any more: the decision looks at it for so long."""
    if occurrence.version is None:
        return occurrence.due_at
    form = msgspec.convert(occurrence.version.frozen, CampaignForm)
    return occurrence.due_at + timedelta(hours=form.when.expires_hours) + MISSED
