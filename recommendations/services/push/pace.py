"""How fast a channel hands over, and whether its line works, by the settings and by what the line itself says."""

from collections.abc import Mapping

from django.conf import settings

from recommendations.channels.protocol import Later, Outcome, Unknown
from recommendations.push_terms import Channel
from recommendations.store.push import pace
from recommendations.store.push.outbox import AT_ONCE
from recommendations.store.push.pace import Grant, LineState

__all__ = ["Grant", "LineState", "give_back", "line_goes_on", "line_state", "room_for"]

give_back, line_state = pace.give_back, pace.line_state

PER_MINUTE: Mapping[Channel, int] = {Channel.WEB_PUSH: 3_000, Channel.WEBHOOK: 600}
"""Messages a minute; mails have a setting, as each mail server bears another number."""


def room_for(channel: Channel) -> Grant:
    """How many messages a sender may take up now."""
    per_minute = PER_MINUTE.get(channel) or settings.PUSH_EMAIL_PER_MINUTE
    return pace.take(channel, most=AT_ONCE, per_minute=per_minute)


def line_goes_on(channel: Channel, outcome: Outcome) -> bool:
    """Note what came of a message; whether the line is worth the next one."""
    if isinstance(outcome, Later) and outcome.too_fast:
        pace.slow_down(channel)
    if isinstance(outcome, Unknown) or (isinstance(outcome, Later) and outcome.of_line):
        return not pace.line_failed(channel)
    pace.line_worked(channel)
    return True
