"""Alarms and watched rates on the pages."""

import math
from datetime import timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.templatetags.activity import author, called, kind_label, verb_label
from analytics.templatetags.display import MISSING, money, number, share
from analytics.templatetags.words import label
from recommendations.models import Alarm
from recommendations.services.watches.alarms import Cause
from recommendations.watch_terms import WITH_RUNS, AlarmDirection, WatchedRate
from recommendations.wording import watch_labels
from recommendations.wording.labels import placement_quoted

register = template.Library()
register.filter("quoted_placement", placement_quoted)

FEW_DAYS = timedelta(days=6)


@register.filter
def alarm_sentence(alarm: Alarm) -> str:
    """What is out of the ordinary, in a sentence without what may have caused it."""
    if alarm.rate == WatchedRate.OVERFIT:
        text = _("With the last run a recommender learned more by heart: the gap to what came after grew by %(size)s.")
        return text % {"size": number(alarm.change, 3)}
    if alarm.rate in WITH_RUNS:
        text = _("%(rate)s changed more than is usual with the last run: a shift of %(size)s.")
        return text % {"rate": label(watch_labels.RATES, alarm.rate), "size": number(alarm.change, 2)}
    falls = alarm.direction == AlarmDirection.FALL
    if alarm.placement:
        down, up = (
            _("%(rate)s at %(place)s: down %(size)s since %(since)s."),
            _("%(rate)s at %(place)s: up %(size)s since %(since)s."),
        )
    else:
        down, up = _("%(rate)s: down %(size)s since %(since)s."), _("%(rate)s: up %(size)s since %(since)s.")
    return (down if falls else up) % {
        "rate": label(watch_labels.RATES, alarm.rate), "place": placement_quoted(alarm.placement),
        "size": share(abs(alarm.change)), "since": since_words(alarm),
    }  # fmt: skip


def since_words(alarm: Alarm) -> str:
    """Day and hour of the onset: the weekday while that is clear, and no hour where it is watched by the day."""
    at = timezone.localtime(alarm.onset)
    is_near = timezone.now() - alarm.onset < FEW_DAYS
    text = date_format(at, "l") if is_near else date_format(at, "DATE_FORMAT")
    return text if alarm.by_day else f"{text} {date_format(at, 'H:i')}"


@register.filter
def cause_sentence(cause: Cause) -> str:
    """Who did what, and when; or which model went live."""
    at = date_format(timezone.localtime(cause.at), "H:i")
    if cause.entry is None:
        return _("%(time)s model %(model)s went live") % {"time": at, "model": cause.model}
    entry = cause.entry
    return _("%(time)s %(who)s %(did)s %(kind)s %(what)s") % {
        "time": at, "who": author(entry) or _("the schedule"), "did": verb_label(entry.verb),
        "kind": kind_label(entry.object_type), "what": called(entry),
    }  # fmt: skip


@register.filter
def rate_value(value: float, rate: str) -> str:
    """A rate in its unit; what is unknown is a dash."""
    if not math.isfinite(value):
        return MISSING
    if rate == WatchedRate.REVENUE:
        return money(value)
    return number(value) if rate == WatchedRate.EVENTS else share(value, 2)
