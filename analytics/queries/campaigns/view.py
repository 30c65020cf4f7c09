"""One campaign as its page shows it: its versions, its sendings, and how the draft differs from what runs."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Q
from django.urls import reverse

from analytics.queries.campaigns.listing import TONES, WeekOfCampaign, next_of, weeks_of
from analytics.queries.campaigns.reviews import SentBack, returned
from analytics.queries.campaigns.sendings import is_released, state_words
from analytics.queries.campaigns.words import CampaignWords, differing, place_words, what_words
from recommendations.engine.push.schedule import ONCE
from recommendations.models import Campaign, CampaignVersion, Item, Message, Occurrence
from recommendations.push_terms import (
    ERASED,
    FINAL,
    SENDING,
    WAITING,
    CampaignKind,
    CampaignStatus,
    MessageState,
    OccurrenceState,
    Trigger,
    Verdict,
)
from recommendations.services.campaigns.draft_trail import writers_by_version
from recommendations.services.push.finishing import has_no_candidates
from recommendations.wording import push_labels
from recommendations.wording.linter import listed

MOST_SENDINGS = 30
CALL = """curl -X POST "{address}" -H "Authorization: Api-Key $KEY" \\
  -H 'Content-Type: application/json' -d {body}"""


@dataclass(frozen=True, kw_only=True)
class SendingLine:
    """A sending: how many people it had in view, how many were to get it, and what became of that so far.

    What was to be sent is what was sent, what is still to leave and the rest: that came to nothing, or nobody knows.
    """

    occurrence: Occurrence
    people: int
    planned: int
    taken: int
    waiting: int
    is_over: bool

    @property
    def rest(self) -> int:
        return max(self.planned - self.taken - self.waiting, 0)

    @property
    def label(self) -> str:
        return state_words(self.occurrence, is_over=self.is_over)


def trigger_call(campaign: Campaign) -> str:
    """The request by which the shop calls for a message, as docs/push.md has it; empty where it calls for none.

    It is about the first item of the shop's catalogue.
    """
    if campaign.trigger != Trigger.SHOP:
        return ""
    items = Item.objects.filter(retired_at=None).order_by("pk").values_list("shop_id", flat=True)
    body = {"user_id": "u1", "key": "appointment-4711", "item_ids": [items.first() or "SKU1"]}
    return CALL.format(
        address=f"{settings.PUBLIC_URL}{reverse('campaign-trigger', args=[campaign.slug])}",
        body=shlex.quote(json.dumps(body, ensure_ascii=False)),
    )


@dataclass(frozen=True, kw_only=True)
class CampaignView:
    campaign: Campaign
    status: CampaignStatus
    live: CampaignVersion | None
    versions: Sequence[CampaignVersion]
    written: Sequence[tuple[CampaignVersion, str]]  # with the names of who wrote it
    sendings: Sequence[SendingLine]
    sentence: str
    what: str
    next_at: datetime | None
    week: WeekOfCampaign
    changed: Sequence[str]  # what the draft has otherwise than what runs, where it can still be sent
    returned: SentBack | None

    @property
    def label(self) -> str:
        return str(dict(push_labels.CAMPAIGN_STATUSES)[self.status])

    @property
    def tone(self) -> str:
        return TONES.get(self.status, "")

    @property
    def is_over(self) -> bool:
        return self.status in {CampaignStatus.ENDED, CampaignStatus.ARCHIVED}

    @property
    def braked(self) -> Sequence[SendingLine]:
        """Sendings that somebody has to let go."""
        return [] if self.is_over else [
            line for line in self.sendings if line.occurrence.state == OccurrenceState.WAITING
        ]  # fmt: skip


def view_of(campaign: Campaign, *, now: datetime) -> CampaignView:
    versions = list(campaign.versions.select_related("author", "approved_by"))
    live = next((each for each in versions if each.is_live), None)
    form = live.frozen if live else campaign.draft
    sendings = _sendings(campaign, now=now)
    has_come = campaign.kind == CampaignKind.ONCE and any(line.occurrence.key == ONCE for line in sendings)
    differences = differing(live.frozen, campaign.draft) if live and not has_come else []
    return CampaignView(
        campaign=campaign,
        status=campaign.status(live=live, now=now),
        live=live,
        versions=versions,
        written=_written(campaign, versions),
        sendings=sendings,
        sentence=CampaignWords.of([form]).sentence(campaign, form),
        what=what_words(form),
        next_at=next_of(campaign, live, now=now) if campaign.paused_at is None and campaign.ended_at is None else None,
        week=weeks_of(now=now, campaign=campaign.pk).get(campaign.pk, WeekOfCampaign()),
        changed=list(dict.fromkeys(place_words(pointer) for pointer, *_values in differences)),
        returned=returned(campaign),
    )


def _written(campaign: Campaign, versions: Sequence[CampaignVersion]) -> list[tuple[CampaignVersion, str]]:
    writers = writers_by_version(campaign) if versions else {}
    names = {number: listed([str(each) for each in staff]) for number, staff in writers.items()}
    return [(each, names.get(each.number) or str(each.author or "")) for each in versions]


def waiting_messages(campaign: Campaign) -> int:
    """Number of messages that have not left yet."""
    return Message.objects.filter(campaign=campaign, state__in=WAITING).count()


def _sendings(campaign: Campaign, *, now: datetime) -> list[SendingLine]:
    stored = campaign.occurrences.exclude(state=OccurrenceState.PLANNED).select_related("campaign", "version")
    last = list(stored.order_by("-due_at")[:MOST_SENDINGS])
    of_each = Message.objects.filter(occurrence__in=last).values_list("occurrence").annotate(
        taken=Count("pk", filter=Q(state=MessageState.TAKEN)), waiting=Count("pk", filter=~Q(state__in=FINAL))
    )  # fmt: skip
    counts = {key: (taken, waiting) for key, taken, waiting in of_each}
    return [_line(campaign, each, counts.get(each.pk, (0, 0)), now=now) for each in last]


def _line(campaign: Campaign, occurrence: Occurrence, messages: tuple[int, int], *, now: datetime) -> SendingLine:
    counts, (taken, waiting) = occurrence.counts, messages
    planned = sum(counts.get(verdict, 0) for verdict in SENDING)
    if is_released(occurrence) or (occurrence.state == OccurrenceState.WAITING and not campaign.ended_at):
        waiting = planned  # all of it, until somebody lets it go and it is decided afresh
    return SendingLine(
        occurrence=occurrence, people=sum(counts.get(verdict, 0) for verdict in Verdict), planned=planned,
        taken=taken + counts.get(f"{ERASED}taken", 0), waiting=waiting,
        is_over=not waiting and has_no_candidates(campaign, occurrence, now=now),
    )  # fmt: skip
