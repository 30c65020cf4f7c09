"""What is done again and again: stock followed, campaigns decided, messages sent, what senders left taken back."""

import time
from contextlib import closing
from datetime import datetime
from functools import partial

from django.utils import timezone

from recommendations.push_terms import Channel
from recommendations.services.campaigns.guardrails import watch_rates
from recommendations.services.mails.line import missing_settings
from recommendations.services.parcels.lines import REPEATING, WAYS
from recommendations.services.push.finishing import finish_sendings
from recommendations.services.push.following import settle_clicks
from recommendations.services.push.occasions import follow_returns
from recommendations.services.push.pace import give_back, line_goes_on, room_for
from recommendations.services.push.sender import ChannelSender, new_holder
from recommendations.services.push.sendings import decide_pushes, live_campaigns
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.push import outbox

SHIFT = 30.0  # seconds that a sender works before it lets another task go
PATIENCE = 2.0  # seconds that it waits for its pace rather than come again


def decide(*, now: datetime) -> int:
    """Decide what is due; nothing where no campaign is live."""
    if not live_campaigns():
        return 0
    follow_returns(current_snapshot(), now=now)
    return decide_pushes(now=now)


def send(channel: Channel = Channel.EMAIL) -> int:
    """Send what is due on a channel, for a while and at its pace; how many messages were handed over.

    One worker or many do it.
    """
    if missing_settings(channel) or not outbox.has_due(channel):
        return 0
    until, handed = time.monotonic() + SHIFT, 0
    with closing(WAYS[channel].open_line()) as line:
        sender = ChannelSender(
            channel=channel, line=line, holder=new_holder(channel), clock=timezone.now,
            goes_on=partial(line_goes_on, channel),
        )  # fmt: skip
        while outbox.has_due(channel):
            grant = room_for(channel)
            if grant.messages == 0:
                if grant.wait > PATIENCE or time.monotonic() + grant.wait >= until:
                    break
                time.sleep(grant.wait)
                continue
            outcomes = sender.send_some(current_snapshot(), most=grant.messages)
            left = sum(outcome is not None for outcome in outcomes)
            if left < grant.messages:
                give_back(channel, grant.messages - left)
            handed += left
            if not outcomes or time.monotonic() >= until:
                break
    return handed


def settle(*, now: datetime) -> int:
    """Take back what senders have left, make events of clicks, finish what is over, pause what does harm; how many of
    them all.
    """
    reaped = sum(outbox.reap(repeating=REPEATING).values())
    return reaped + settle_clicks(now=now) + finish_sendings(now=now) + watch_rates(now=now)
