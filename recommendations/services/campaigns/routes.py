"""Channels on which a campaign leaves, and what the installation lacks for them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from django.utils.translation import gettext as _

from recommendations.ingest.refusal import Refusal
from recommendations.push_terms import Channel
from recommendations.services.endpoints.book import endpoint_for, in_use
from recommendations.services.mails.line import missing_settings


def channels_of(draft: Mapping[str, Any]) -> list[Channel]:
    """The channels of a draft that there are; by default e-mail."""
    given, channels = draft.get("channels", [Channel.EMAIL]), []
    for each in given if isinstance(given, list) else ():
        with suppress(ValueError):
            channels.append(Channel(each))
    return channels


def missing_for(draft: Mapping[str, Any]) -> list[str]:
    """Names of the settings that the channels of a draft lack."""
    return missing_settings(*channels_of(draft))


def without_route(draft: Mapping[str, Any]) -> Iterator[Refusal]:
    """Refusals of a draft whose webhook is off, or not clear."""
    if Channel.WEBHOOK not in channels_of(draft):
        return
    chosen = draft.get("endpoint")
    if endpoint_for(chosen if isinstance(chosen, int) else None) is not None:
        return
    if chosen is not None:
        yield Refusal("/endpoint", _("This webhook is off. Switch it on under Webhooks, or choose another one."))
    elif in_use():
        yield Refusal("/endpoint", _("There are several webhooks: choose the one that this campaign's messages go to."))
    else:
        yield Refusal("/endpoint", _("There is no webhook in use. Add one under Webhooks, or leave out this channel."))
