"""Campaigns of the demo: three live and one in review from the first minute on, for contacts that are invented.

Nobody reads these mails: they lie in the demo's Mailbox, so that every effect of them has to be none. The push agent
watches them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import translation

from demo.agent import let_agent_watch
from demo.replay import demo_door
from demo.webhook import furnish_webhook
from recommendations.domains.goods import GOODS
from recommendations.engine.push.cases import Clock
from recommendations.models import Campaign, CampaignVersion, ModelVersion
from recommendations.push_terms import CampaignKind, Channel, Trigger
from recommendations.services.campaigns.lifecycle import approve, ask_for_review, create_campaign
from recommendations.services.campaigns.presets import CampaignPreset, preset_of
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.domain import shop_domain

LOCK = 7_264_131
A_DAY = 300  # mails of a campaign, so that the two which have much to say send 600 on the first day
SOON = timedelta(minutes=3)  # until the weekly mail leaves on the demo's first day: it is decided within one
WEEKLY_ON = 4  # Thursdays
CART_HOURS = 1  # that a visitor of the demo's shop has to wait for the mail about their cart
NOTE = "The demo begins with it. {0}"


@dataclass(frozen=True, kw_only=True)
class DemoCampaign:
    """A preset with what is otherwise in the demo; ``note`` says so to whoever reads it."""

    preset: CampaignPreset
    note: str
    live: bool = True
    channels: Sequence[Channel] = (Channel.EMAIL,)
    parts: Mapping[str, Mapping[str, Any]]

    def begin(self, *, now: datetime) -> Campaign:
        """Make the campaign, and let it go live or be reviewed. Raises NotReadyError."""
        draft = {**self.preset.draft(), "channels": [channel.value for channel in self.channels]}
        for part, values in self.parts.items():
            draft[part] = draft[part] | values
        with translation.override(settings.SHOP_LANGUAGE):
            made = create_campaign(
                name=self.preset.title, kind=self.preset.kind, trigger=self.preset.trigger,
                purpose=self.preset.purpose, draft=draft, by=None, now=now,
            )  # fmt: skip
        note = NOTE.format(self.note)
        if self.live:
            approve(campaign=made, revision=made.revision, expected={}, note=note, by=None, now=now)
        else:
            ask_for_review(campaign=made, note=note, by=None, now=now)
        return made


def begin_campaigns(*, now: datetime) -> int:
    """Begin the demo's campaigns and its agent, once, as soon as its pages answer; how many campaigns were begun.

    Nothing is sent by a demo whose mail would leave the machine; where nothing is bought, no cart is written about.
    """
    served = demo_door() is not None and ModelVersion.objects.live().exists()
    ready = settings.DEMO and settings.POST_OFFICE and served and shop_domain() is GOODS
    if not ready or CampaignVersion.objects.filter(note__startswith=NOTE.format("")).exists():
        return 0
    with advisory_lock(LOCK) as alone:
        if not alone:
            return 0
        with transaction.atomic():
            furnish_webhook(now=now)
            begun = [each.begin(now=now) for each in campaigns_of_the_demo(now=now)]
            let_agent_watch(now=now)  # of these campaigns
            return len(begun)


def campaigns_of_the_demo(*, now: datetime) -> list[DemoCampaign]:
    soon = (now + SOON).astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).replace(second=0, microsecond=0)
    weekly = {
        "weekdays": sorted({WEEKLY_ON, soon.isoweekday()}), "hour": soon.time().isoformat(), "clock": Clock.SHOP.value
    }  # fmt: skip
    return [
        DemoCampaign(
            preset=preset_of(CampaignKind.TRIGGERED, Trigger.DUE_AGAIN),
            note=f"At most {A_DAY} mails a day.",
            parts={"safety": {"per_day": A_DAY}},
        ),
        DemoCampaign(
            preset=preset_of(CampaignKind.TRIGGERED, Trigger.CART_LEFT),
            note=f"An hour after a visitor of the demo's shop left, to their browser if they let it tell them. At most "
            f"{A_DAY} messages a day.",
            channels=(Channel.WEB_PUSH, Channel.EMAIL),
            parts={"occasion": {"hours": CART_HOURS}, "safety": {"per_day": A_DAY}},
        ),
        DemoCampaign(
            preset=preset_of(CampaignKind.RECURRING),
            note=f"On Thursdays, and on the demo's first weekday at {soon:%H:%M}, so that it comes minutes after the "
            f"start. At most {A_DAY} mails a day.",
            parts={"when": weekly, "safety": {"per_day": A_DAY}},
        ),
        DemoCampaign(
            preset=preset_of(CampaignKind.TRIGGERED, Trigger.NEW_FOR_YOU),
            note="Have a look at it, and approve it.",
            live=False,
            parts={},
        ),
    ]
