"""Sentences that answer an act on a page for customers: what is so now."""

from collections.abc import Iterable

from django.conf import settings
from django.utils.dateparse import parse_datetime, parse_time
from django.utils.formats import date_format, time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from recommendations.push_terms import Channel
from recommendations.services.contacts.acts import OwnAct, Respect
from recommendations.wording import push_labels
from recommendations.wording.labels import Choices


def word(choices: Choices, code: str) -> str:
    """What a code is called, in the reader's language."""
    return str(dict(choices)[code])


def words(choices: Choices, codes: Iterable[str]) -> str:
    """Names of several codes, one after another."""
    return pgettext("between names", ", ").join(word(choices, code) for code in codes)


def sentence(act: OwnAct) -> str:
    """What an act has led to, in the reader's language."""
    if act.undoes:
        return _("Undone: everything is as it was before.")
    return {
        Respect.PURPOSES: _of_purposes,
        Respect.LIMIT: _of_limit,
        Respect.PAUSE: _of_pause,
        Respect.QUIET: _of_quiet,
        Respect.TRAITS: _of_traits,
    }[act.respect](act)


def _of_purposes(act: OwnAct) -> str:
    if act.purpose is None:
        return _("Everything is stopped. Nothing more will be sent to you.")
    purpose = {"purpose": word(push_labels.PURPOSES, act.purpose)}
    is_given = act.after["states"].get(act.channel, {}).get(act.purpose) == "given"
    if act.channel == Channel.WEB_PUSH:
        if is_given:
            return _("You said yes to “%(purpose)s” as browser notifications.") % purpose
        return _("You get no browser notifications of “%(purpose)s” any more.") % purpose
    if is_given:
        return _("You said yes to “%(purpose)s”.") % purpose
    return _("You are unsubscribed from “%(purpose)s”. No more of it will be sent.") % purpose


def _of_limit(act: OwnAct) -> str:
    most = act.after["most_a_week"]
    if most is None:
        return _("You have set no limit.")
    return ngettext("You get at most %(most)d mail a week.", "You get at most %(most)d mails a week.", most) % {
        "most": most
    }


def _of_pause(act: OwnAct) -> str:
    until = parse_datetime(act.after["paused_until"] or "")
    if until is None:
        return _("The pause is over.")
    return _("Paused: nothing is sent until %(day)s.") % {"day": date_format(localtime(until))}


def _of_quiet(act: OwnAct) -> str:
    start, end = (parse_time(act.after[name] or "") for name in ("quiet_from", "quiet_until"))
    zone = act.after["time_zone"] or settings.TIME_ZONE
    if start is None or end is None:
        return _("There are no quiet hours. Your time zone is %(zone)s.") % {"zone": zone}
    hours = {"from": time_format(start, "H:i"), "until": time_format(end, "H:i"), "zone": zone}
    return _("Nothing is sent between %(from)s and %(until)s (%(zone)s).") % hours


def _of_traits(act: OwnAct) -> str:
    if all(act.after.values()):
        return _("Recommendations go by what you bought and looked at.")
    return _("What you bought and looked at is no longer used. Recommendations and reminders are not sent any more.")
