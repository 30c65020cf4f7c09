"""A campaign many of whose first messages could not be written is paused, so that somebody looks."""

from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from recommendations.models import Campaign, Message
from recommendations.push_terms import MessageState
from recommendations.services.campaigns.lifecycle import CampaignOverError, PausedAlreadyError, pause

MOST, FIRST = 20, 500  # messages that may fail, of so many
NOT_TRIED = (MessageState.WITHDRAWN, MessageState.EXPIRED)


def pause_what_fails(campaign: Campaign, *, version: int, now: datetime) -> bool:
    """Pause a campaign whose version cannot be written for too many; whether it does. A new version begins anew."""
    tried = Message.objects.filter(campaign=campaign, version=version, settled_at__isnull=False)
    first = tried.exclude(state__in=NOT_TRIED).order_by("settled_at").values_list("state", flat=True)[:FIRST]
    if sum(state == MessageState.FAILED for state in first) < MOST:
        return False
    with translation.override(settings.SHOP_LANGUAGE), suppress(CampaignOverError, PausedAlreadyError):
        reason = _("%(failed)d of its first messages could not be written.") % {"failed": MOST}
        pause(campaign=campaign, reason=reason, by=None, now=now)
    return True
