"""Quarantines as sentences in the reader's language."""

from datetime import datetime

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.templatetags.display import day, number
from recommendations.customer_codes import customer_code
from recommendations.models import Quarantine
from recommendations.terms import QuarantineState, SuspicionRule

register = template.Library()


@register.filter("quarantine")
def sentence(quarantine: Quarantine) -> str:
    """What a quarantine covers, how that stands, and why: of rows of ``queries/catalogue/suspicious.py``."""
    parts = {"what": _subject(quarantine), "why": _reason(quarantine)}
    several = 1 if _is_of_items(quarantine) else quarantine.events
    if quarantine.state == QuarantineState.RESTORED:
        text = ngettext("%(what)s counts again: %(why)s.", "%(what)s count again: %(why)s.", several)
    elif quarantine.state == QuarantineState.DELETED:
        text = ngettext("%(what)s was deleted: %(why)s.", "%(what)s were deleted: %(why)s.", several)
    else:
        text = ngettext("%(what)s is set aside: %(why)s.", "%(what)s are set aside: %(why)s.", several)
    return text % parts


@register.filter("events")
def events_in_words(events: int) -> str:
    return ngettext("%(n)s event", "%(n)s events", events) % {"n": number(events)}


@register.filter("people")
def people_in_words(people: int) -> str:
    return ngettext("%(n)s customer", "%(n)s customers", people) % {"n": number(people)}


def _is_of_items(quarantine: Quarantine) -> bool:
    """Whether it covers what everybody who never bought did with some items."""
    return quarantine.rule == SuspicionRule.RUSH and not quarantine.people


def _subject(quarantine: Quarantine) -> str:
    row, events = vars(quarantine), events_in_words(quarantine.events)
    if _is_of_items(quarantine):
        return _acts_on_items(len(quarantine.items), since=row["since"])
    if quarantine.rule == SuspicionRule.STAFF and row["customer"]:
        return _("%(events)s of %(customer)s") % {"events": events, "customer": customer_code(row["customer"])}
    if row["key"]:
        return _("%(events)s that came with the key “%(key)s”") % {"events": events, "key": row["key"]}
    if quarantine.people:
        return _("%(events)s of %(people)s") % {"events": events, "people": people_in_words(quarantine.people)}
    return events


def _acts_on_items(items: int, *, since: datetime | None) -> str:
    """What is held of items; nobody knows since when where the events were deleted."""
    if since is None:
        text = ngettext(
            "What customers who never bought did with %(n)s item",
            "What customers who never bought did with %(n)s items",
            items,
        )
        return text % {"n": number(items)}
    text = ngettext(
        "What customers who never bought did with %(n)s item since %(day)s",
        "What customers who never bought did with %(n)s items since %(day)s",
        items,
    )
    return text % {"n": number(items), "day": day(since)}


def _reason(quarantine: Quarantine) -> str:
    items = {"n": number(len(quarantine.items))}
    match quarantine.rule:
        case SuspicionRule.TWINS:
            text = ngettext(
                "they share %(n)s item that hardly anyone buys", "they share %(n)s items that hardly anyone buys",
                len(quarantine.items),
            )  # fmt: skip
            return text % items
        case SuspicionRule.RUSH if quarantine.people:
            text = ngettext(
                "they came within a week for %(n)s item that regular customers hardly ask for",
                "they came within a week for %(n)s items that regular customers hardly ask for",
                len(quarantine.items),
            )
            return text % items
        case SuspicionRule.RUSH:
            return _("many came at once")
        case SuspicionRule.PACE:
            return _("they act like clockwork")
    return _("“%(reason)s” (%(who)s)") % {
        "reason": quarantine.reason, "who": quarantine.set_aside_by or _("a command"),
    }  # fmt: skip
