"""Rules of pressure in words: what holds, what a version changed, and who published it when and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.templatetags.display import money, number, share
from recommendations.models import PressureRules
from recommendations.push_terms import Channel
from recommendations.services.campaigns.pressure import CapForm, PressureForm, form_of
from recommendations.wording import push_labels
from recommendations.wording.linter import listed
from recommendations.wording.money import currency

VERSIONS = 30  # that are listed


@dataclass(frozen=True, kw_only=True)
class PressureVersion:
    """A published version, with what it changed of the one before it."""

    rules: PressureRules
    sentence: str
    changes: list[tuple[str, str, str]]  # what, before, after


def versions() -> list[PressureVersion]:
    """The latest versions, the newest first."""
    stored = list(PressureRules.objects.select_related("author")[: VERSIONS + 1])
    forms = [form_of(rules) for rules in stored]
    return [
        PressureVersion(
            rules=rules, sentence=sentence(form), changes=list(changes(forms[place + 1], form)) if before else []
        )
        for place, (rules, form) in enumerate(zip(stored, forms, strict=True))
        for before in [place + 1 < len(stored)]
    ][:VERSIONS]


def sentence(form: PressureForm) -> str:
    """All that rules say, in one sentence."""
    return _("%(parts)s.") % {"parts": _("; ").join([_caps(form), _quiet(form), *_others(form)])}


def changes(before: PressureForm, after: PressureForm) -> Iterator[tuple[str, str, str]]:
    """What differs between two versions: its name, what it was and what it is."""
    parts = (
        (_("Limits"), _limits),
        (_("Quiet hours"), lambda form: _hours(form.quiet_from, form.quiet_until)),
        (_("Never written to"), lambda form: share(form.holdout, 1 if form.holdout * 100 % 1 else 0)),
        (_("Messages a day of all campaigns"), lambda form: number(form.per_day) if form.per_day else _("no limit")),
        (_("Price of a message"), _prices),
        (_("Worth of a contact that leaves"), _lost),
    )
    for name, words in parts:
        if words(before) != words(after):
            yield name, words(before), words(after)


def idle_limits(form: PressureForm) -> list[str]:
    """Limits that never count, as another one of the same messages is used up before."""
    text = _("“%(idle)s” never counts: “%(tight)s” is used up before.")
    return [
        text % {"idle": _cap(idle), "tight": _cap(tight)}
        for idle in form.caps
        for tight in form.caps
        if tight.most < idle.most and tight.hours >= idle.hours and tight.channel in {None, idle.channel}
    ]


def _caps(form: PressureForm) -> str:
    return _("At most %(limits)s") % {"limits": _limits(form)} if form.caps else _("No limit to messages")


def _limits(form: PressureForm) -> str:
    ordered = sorted(form.caps, key=lambda cap: (cap.channel is None, cap.hours))
    return listed([_cap(cap) for cap in ordered]) if ordered else _("no limit")


def _cap(cap: CapForm) -> str:
    if cap.channel is Channel.EMAIL:
        words = (
            ngettext("%(n)s mail a day", "%(n)s mails a day", cap.most) if cap.hours == 24
            else ngettext("%(n)s mail a week", "%(n)s mails a week", cap.most)
        )  # fmt: skip
    elif cap.channel is Channel.WEB_PUSH:
        words = (
            ngettext("%(n)s notification a day", "%(n)s notifications a day", cap.most) if cap.hours == 24
            else ngettext("%(n)s notification a week", "%(n)s notifications a week", cap.most)
        )  # fmt: skip
    else:
        words = (
            ngettext("%(n)s message a day altogether", "%(n)s messages a day altogether", cap.most) if cap.hours == 24
            else ngettext("%(n)s message a week altogether", "%(n)s messages a week altogether", cap.most)
        )  # fmt: skip
    return words % {"n": number(cap.most)}


def _quiet(form: PressureForm) -> str:
    if form.quiet_from == form.quiet_until:
        return _("at any hour")
    hours = {"start": f"{form.quiet_from:%H:%M}", "end": f"{form.quiet_until:%H:%M}"}
    return _("none between %(start)s and %(end)s where the customer lives") % hours


def _hours(start: time, end: time) -> str:
    return _("none") if start == end else f"{start:%H:%M}–{end:%H:%M}"


def _prices(form: PressureForm) -> str:
    names = dict(push_labels.CHANNELS)
    prices = [
        _("%(channel)s %(price)s") % {"channel": names[channel], "price": currency() + number(price, 4)}
        for channel, price in form.prices.items()
        if price
    ]
    return listed(prices) if prices else _("nothing")


def _lost(form: PressureForm) -> str:
    if form.lost_contact is None:
        return _("5% of what one spends in 90 days")
    return money(form.lost_contact)


def _others(form: PressureForm) -> Iterator[str]:
    if form.holdout:
        held = share(form.holdout, 1 if form.holdout * 100 % 1 else 0)
        yield _("%(share)s of the customers are never written to, so that the effect can be seen") % {"share": held}
    if form.per_day:
        yield _("%(n)s messages a day of all campaigns together") % {"n": number(form.per_day)}
    if any(form.prices.values()):
        yield _("a message costs: %(prices)s") % {"prices": _prices(form)}
    if form.lost_contact is not None:
        yield _("a contact that leaves costs %(money)s") % {"money": money(form.lost_contact)}
