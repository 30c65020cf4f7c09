"""Campaigns in words: for whom, what, when and how safely, also of a draft that is not finished."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import msgspec
from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.formats import time_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.templatetags.display import moment, number, share
from recommendations.engine.push.cases import Clock
from recommendations.models import Audience, Campaign
from recommendations.push_terms import CampaignKind, Channel, Priority, Trigger
from recommendations.services.campaigns.form import ContextItem, GoalKind, Layout, Occasion, Safety, What, When, Who
from recommendations.services.campaigns.presets import ITSELF
from recommendations.wording import push_labels
from recommendations.wording.labels import placement_label
from recommendations.wording.linter import listed

LAYOUTS: Mapping[str, Promise] = {
    Layout.TILES: gettext_lazy("Tiles, two in a row"),
    Layout.LIST: gettext_lazy("List with small pictures"),
    Layout.SINGLE: gettext_lazy("One large picture, the others as text"),
}
CLOCKS: Mapping[str, Promise] = {
    Clock.CUSTOMER: gettext_lazy("The customer's clock"),
    Clock.SHOP: gettext_lazy("The shop's clock"),
}
GOALS: Mapping[str, Promise] = {
    GoalKind.SHOWN: gettext_lazy("They buy something that was in it"),
    GoalKind.CATEGORIES: gettext_lazy("They buy something of these categories"),
    GoalKind.ANYTHING: gettext_lazy("They buy anything"),
}
FIELDS: Mapping[str, Promise] = {
    "name": gettext_lazy("Name"),
    "any_of": gettext_lazy("In one of these audiences"),
    "none_of": gettext_lazy("In none of these"),
    "hours": gettext_lazy("Hours"),
    "views": gettext_lazy("Looks"),
    "percent": gettext_lazy("Per cent"),
    "days": gettext_lazy("Days"),
    "channels": gettext_lazy("Sent by"),
    "endpoint": gettext_lazy("Webhook"),
    "layout": gettext_lazy("Layout"),
    "texts": gettext_lazy("Texts"),
    "blocks": gettext_lazy("Lists"),
    "subjects": gettext_lazy("Subject"),
    "preheader": gettext_lazy("Preview text"),
    "heading": gettext_lazy("Heading"),
    "intro": gettext_lazy("Introduction"),
    "button": gettext_lazy("Button"),
    "placement": gettext_lazy("List"),
    "n": gettext_lazy("Items"),
    "context": gettext_lazy("What the list is about"),
    "price_to": gettext_lazy("Price up to"),
    "categories": gettext_lazy("Categories"),
    "least_items": gettext_lazy("Least items"),
    "least_chance": gettext_lazy("Least chance of an item"),
    "due_percent": gettext_lazy("Chance, per cent"),
    "starts_at": gettext_lazy("Starts"),
    "ends_at": gettext_lazy("Ends"),
    "weekdays": gettext_lazy("Days of the week"),
    "hour": gettext_lazy("Hour"),
    "clock": gettext_lazy("Clock"),
    "best_within": gettext_lazy("Best hour within"),
    "best_channel": gettext_lazy("Best channel"),
    "expires_hours": gettext_lazy("Too late after"),
    "holdout": gettext_lazy("Held out"),
    "priority": gettext_lazy("Priority"),
    "per_day": gettext_lazy("Messages a day"),
    "kind": gettext_lazy("What counts as an answer"),
}
"""What the fields of a campaign are called, by the last name of their place."""
PARTS: Mapping[str, type[msgspec.Struct]] = {
    "who": Who, "what": What, "when": When, "safety": Safety, "occasion": Occasion,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CampaignWords:
    """Words for campaigns; ``audiences`` are the names of those that they speak of, by key."""

    audiences: Mapping[int, str]

    @classmethod
    def of(cls, drafts: Iterable[Mapping[str, Any]]) -> Self:
        keys = {
            key for draft in drafts if (who := part_of(draft, "who", Who)) for key in (*who.any_of, *who.none_of)
        }  # fmt: skip
        rows = Audience.objects.filter(pk__in=keys).values_list("pk", "name") if keys else []
        return cls(audiences=dict(rows))

    def who(self, draft: Mapping[str, Any]) -> str:
        """People whom it is for."""
        who = part_of(draft, "who", Who)
        if who is None:
            return _("Not finished")
        wanted, unwanted = (listed([self._name(key) for key in keys]) for keys in (who.any_of, who.none_of))
        if not unwanted:
            return wanted or _("Everybody")
        return _("%(who)s, but not %(others)s") % {"who": wanted or _("Everybody"), "others": unwanted}

    def sentence(self, campaign: Campaign, draft: Mapping[str, Any]) -> str:
        """What the campaign is."""
        parts = {
            "purpose": dict(push_labels.PURPOSES)[campaign.purpose],
            "who": self.who(draft),
            "when": when_words(campaign, draft),
        }
        return _("%(when)s · for: %(who)s · %(purpose)s") % parts

    def _name(self, key: int) -> str:
        return self.audiences.get(key, _("an audience that is gone"))


def part_of[Part: msgspec.Struct](draft: Mapping[str, Any], name: str, part: type[Part]) -> Part | None:
    """A part of a draft; None where it is not finished."""
    try:
        return msgspec.convert(draft.get(name, {}), part)
    except msgspec.ValidationError:
        return None


def when_words(campaign: Campaign, draft: Mapping[str, Any]) -> str:
    """When the campaign comes."""
    when = part_of(draft, "when", When)
    if when is None:
        return _("Not finished")
    if campaign.kind == CampaignKind.TRIGGERED:
        occasion = part_of(draft, "occasion", Occasion)
        words = occasion_words(Trigger(campaign.trigger), occasion or Occasion())
    elif campaign.kind == CampaignKind.RECURRING:
        days = listed([str(WEEKDAYS[day - 1]) for day in sorted(set(when.weekdays))])
        words = _("Every %(days)s") % {"days": days} if days else _("No day chosen yet")
    else:
        words = moment(when.starts_at) if when.starts_at else _("As soon as it is approved")
    if when.best_within is not None:
        hours = ngettext("%(n)d hour", "%(n)d hours", when.best_within) % {"n": when.best_within}
        return _("%(when)s, at the best hour within %(hours)s") % {"when": words, "hours": hours}
    if when.hour is None:
        return words
    at = {"when": words, "hour": time_format(when.hour, "TIME_FORMAT")}
    if when.clock is Clock.SHOP:
        return _("%(when)s, at %(hour)s by the shop's clock") % at
    return _("%(when)s, at %(hour)s by the customer's clock") % at


def occasion_words(trigger: Trigger, numbers: Occasion) -> str:
    """What calls for a message, with its numbers."""
    hours = ngettext("%(n)d hour", "%(n)d hours", numbers.hours) % {"n": numbers.hours}
    days = ngettext("%(n)d day", "%(n)d days", numbers.days) % {"n": numbers.days}
    texts: Mapping[Trigger, str] = {
        Trigger.CART_LEFT: _("%(hours)s after something was left in the cart"),
        Trigger.VIEWED: _("%(hours)s after the last of %(views)s looks at an item within 72 hours, none of it bought"),
        Trigger.BACK_IN_STOCK: _("When an item that they looked for is back in stock"),
        Trigger.PRICE_DROP: _("When an item that they looked at costs %(percent)s less"),
        Trigger.DUE_AGAIN: _("When something that they buy again and again is due"),
        Trigger.NEW_FOR_YOU: _("When something new suits them"),
        Trigger.WIN_BACK: _("After three times as long as usual without a purchase, and %(days)s at least"),
        Trigger.SHOP: _("When the shop says so"),
    }
    facts = {"hours": hours, "days": days, "views": number(numbers.views), "percent": share(numbers.percent / 100)}
    return texts[trigger] % facts


def what_words(draft: Mapping[str, Any]) -> str:
    """What is in the message, in a line."""
    what = part_of(draft, "what", What)
    if what is None:
        return _("Not finished")
    items = sum(block.n for block in what.blocks)
    names = dict(settings.LANGUAGES)
    languages = listed([str(names.get(code, code)) for code in what.texts])
    text = ngettext("Up to %(n)d item · %(languages)s", "Up to %(n)d items · %(languages)s", items)
    return text % {"n": items, "languages": languages or _("no text yet")}


def safety_words(draft: Mapping[str, Any]) -> str:
    """What protects people, in a line."""
    safety = part_of(draft, "safety", Safety)
    if safety is None:
        return _("Not finished")
    words = [str(dict(push_labels.PRIORITIES)[safety.priority])]
    if safety.holdout and safety.priority is not Priority.SERVICE:
        words.append(_("%(share)s held out") % {"share": share(safety.holdout)})
    if safety.per_day:
        words.append(_("at most %(n)s a day") % {"n": number(safety.per_day)})
    words.append(ngettext("answers of %(n)d day count", "answers of %(n)d days count", safety.goal.days)
                 % {"n": safety.goal.days})  # fmt: skip
    return " · ".join(words)


def list_words(placement: str, context: str) -> str:
    """What a list of a message shows."""
    if placement == ITSELF and context == ContextItem.TRIGGER:
        return _("The item that it is about")
    return str(placement_label(placement))


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The single values of a draft by their place; an empty list is one of them."""
    if isinstance(value, Mapping) and value:
        for name, each in value.items():
            yield from leaves(each, f"{pointer}/{name}")
    elif isinstance(value, list) and value and isinstance(value[0], Mapping | list | str):
        for place, each in enumerate(value):
            yield from leaves(each, f"{pointer}/{place}")
    else:
        yield pointer, value


def with_defaults(draft: Mapping[str, Any]) -> dict[str, Any]:
    """A draft as it counts: what is not said is what it would be; what is not finished stays as it is."""
    whole: dict[str, Any] = {}
    for name, part in PARTS.items():
        converted = part_of(draft, name, part)
        whole[name] = draft.get(name, {}) if converted is None else msgspec.to_builtins(converted)
    whole["channels"] = draft.get("channels") or [Channel.EMAIL.value]
    return whole


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Places at which two drafts differ, with both values; None where one has none."""
    first, second = (dict(leaves(with_defaults(draft))) for draft in (one, other))
    return [
        (pointer, first.get(pointer), second.get(pointer))
        for pointer in dict.fromkeys([*first, *second])
        if first.get(pointer) != second.get(pointer)
    ]


def place_words(pointer: str) -> str:
    """What a place of a draft is called: “Subject 2 (English)”."""
    parts = pointer.strip("/").split("/")
    names = [part for part in parts if part in FIELDS]
    words = str(FIELDS[names[-1]]) if names else pointer
    if parts[0] == "what" and parts[1:2] == ["blocks"] and len(parts) > 2:
        return _("List %(n)d: %(field)s") % {"n": int(parts[2]) + 1, "field": words}
    if parts[-1].isdigit() and parts[-2] == "subjects":
        words = f"{words} {int(parts[-1]) + 1}"
    if parts[1:2] == ["texts"] and len(parts) > 2:
        language = dict(settings.LANGUAGES).get(parts[2], parts[2])
        return _("%(field)s (%(language)s)") % {"field": words, "language": language}
    return words


def value_text(pointer: str, value: Any) -> str:
    """A value of a draft as a reader would write it."""
    if value in (None, "", []):
        return "–"
    field = next((part for part in reversed(pointer.split("/")) if part in FIELDS), "")
    codes: Mapping[str, Mapping[Any, Any]] = {
        "layout": LAYOUTS, "clock": CLOCKS, "kind": GOALS, "priority": dict(push_labels.PRIORITIES),
        "channels": dict(push_labels.CHANNELS),
        "best_channel": {True: _("yes"), False: _("no")},
    }  # fmt: skip
    if field in codes:
        return str(codes[field].get(value, value))
    if field in {"holdout", "least_chance"} and isinstance(value, int | float):
        return share(value)
    if field in {"starts_at", "ends_at"}:
        return _moment_text(value)
    if field == "weekdays" and isinstance(value, list):
        return listed([str(WEEKDAYS.get(day - 1, day)) for day in value if isinstance(day, int)])
    if field == "placement":
        return str(placement_label(str(value)))
    if field in {"any_of", "none_of"} and isinstance(value, list):
        names = dict(
            Audience.objects.filter(pk__in=[key for key in value if isinstance(key, int)]).values_list("pk", "name")
        )
        return listed([names.get(key, str(key)) for key in value])
    return listed(list(map(str, value))) if isinstance(value, list) else str(value)


def _moment_text(value: Any) -> str:
    try:
        return moment(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return str(value)
