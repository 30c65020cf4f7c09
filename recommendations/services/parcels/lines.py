"""Each channel: how it writes a message, the line on which that leaves, and whether the installation has it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings

from recommendations.channels.outbound import HttpClient
from recommendations.channels.protocol import Line
from recommendations.channels.sealing import vapid_key
from recommendations.channels.web_push import PushSender, WebPush
from recommendations.channels.webhook import Webhook
from recommendations.push_terms import Channel
from recommendations.services.mails.line import mail_line
from recommendations.services.parcels.content import Delivery, MessageContent
from recommendations.services.parcels.hook import hook_of
from recommendations.services.parcels.mail import mail_of
from recommendations.services.parcels.notification import notification_of


@dataclass(frozen=True, kw_only=True)
class ChannelWay:
    """The way of a channel; ``repeats_safely`` as its line says."""

    write: Callable[[MessageContent], Delivery]
    open_line: Callable[[], Line]
    repeats_safely: bool = True


def push_line() -> Line:
    """A line to browsers' push services; the caller closes it."""
    subject = f"mailto:{settings.PUSH_FROM}" if settings.PUSH_FROM else settings.PUBLIC_URL
    key, services = vapid_key(settings.VAPID_KEY), settings.PUSH_SERVICE_HOSTS
    return WebPush(PushSender(key=key, subject=subject, services=services))


def hook_line() -> Line:
    """A line to the shop's own systems; the caller closes it."""
    return Webhook(client=HttpClient(trusted=settings.WEBHOOK_HOSTS))


WAYS: Mapping[Channel, ChannelWay] = {
    Channel.EMAIL: ChannelWay(write=mail_of, open_line=mail_line, repeats_safely=False),
    Channel.WEB_PUSH: ChannelWay(write=notification_of, open_line=push_line),
    Channel.WEBHOOK: ChannelWay(write=hook_of, open_line=hook_line),
}
REPEATING = tuple(channel for channel, way in WAYS.items() if way.repeats_safely)
"""Channels on which what a dead sender was handing over is simply handed over again."""
