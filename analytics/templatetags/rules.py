"""Rules, their fields and what changed in them, in the words of the reader."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Protocol

from django import template
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from analytics.templatetags.display import MISSING, moment, number, share
from analytics.templatetags.words import label
from recommendations.customer_codes import customer_code
from recommendations.engine.evaluation.intervals import Measure
from recommendations.models import AuditEntry, Rule, RuleBook, Segment
from recommendations.services.rules.books import BookChange, book_changes
from recommendations.services.rules.editing import audience_names, value_titles
from recommendations.services.rules.price_tags import MEASURED, Placed
from recommendations.terms import RuleAction
from recommendations.wording import labels
from recommendations.wording.labels import placement_label
from recommendations.wording.rules import Titles, do_text, items_text, rule_text, short_moment

register = template.Library()

FIELDS: Mapping[str, Promise] = {
    "name": gettext_lazy("Name"),
    "placement": gettext_lazy("Placement"),
    "segment": gettext_lazy("Segment"),
    "audience": gettext_lazy("Audience"),
    "customer": gettext_lazy("Customer"),
    "context": gettext_lazy("Item in view"),
    "starts_at": gettext_lazy("From"),
    "ends_at": gettext_lazy("Until"),
    "items": gettext_lazy("Which items"),
    "action": pgettext_lazy("rule", "Does"),
    "slot": gettext_lazy("Slot"),
    "strength": gettext_lazy("Strength"),
    "most": gettext_lazy("At most"),
    "per": gettext_lazy("Of each"),
    "share": gettext_lazy("Least share"),
    "order": gettext_lazy("Order"),
    "archived_at": gettext_lazy("Archived"),
}
FORMER = {"ndcg@10": "accuracy", "revenue_ndcg@10": "revenue"}
"""Names of effects in price tags that were stored before they were measured at the placement's own length."""

TIMES = {"starts_at", "ends_at", "archived_at"}


class Scheduled(Protocol):
    """What is in force for a time; None is for ever."""

    starts_at: datetime | None
    ends_at: datetime | None


type FieldChange = tuple[str, str, str]
"""A field in words, and its value before and after."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """What segments are called by number, audiences by key, and what values are called."""

    segments: Mapping[int, str]
    audiences: Mapping[int, str]
    titles: Titles

    @classmethod
    def of(cls, rules: Iterable[Mapping[str, Any]], *, segments: Mapping[int, str] | None = None) -> "Names":
        """Names of all that these rules, or parts of them, speak of; ``segments`` where they are known already."""
        rules = list(rules)
        conditions = [one for rule in rules for name in ("items", "context") for one in rule.get(name) or ()]
        numbers = {rule["segment"] for rule in rules if rule.get("segment") is not None} - set(segments or {})
        names = {one.number: str(one) for one in Segment.objects.filter(number__in=numbers)} if numbers else {}
        return cls(
            segments={**(segments or {}), **names},
            audiences=audience_names(rules),
            titles=value_titles(conditions),
        )

    def segment(self, number: int) -> str:
        return self.segments.get(number, str(number))

    def sentence(self, rule: Mapping[str, Any]) -> str:
        """The rule in one sentence: when and what."""
        return rule_text(rule, segments=self.segments, audiences=self.audiences, titles=self.titles)

    def effect(self, rule: Mapping[str, Any]) -> str:
        """What the rule does to which items, as a sentence of its own."""
        text = do_text(rule, self.titles)
        return text[:1].upper() + text[1:]

    def field(self, name: str, value: Any, *, empty: Promise | None = None) -> str:
        """The value of a field of a frozen rule; where it says nothing ``empty``, or a dash."""
        if value is None or value in ("", []):
            return str(empty or MISSING)
        if name in {"items", "context"}:
            return items_text(value, self.titles)
        return _scalar(name, value, self)


@register.filter
def rule_sentence(rule: Mapping[str, Any], names: Names) -> str:
    return names.sentence(rule)


@register.filter
def changes(book: RuleBook) -> list[BookChange]:
    """Changes of the book that it was made from."""
    return book_changes(book.parent.rules if book.parent else [], book.rules)


@register.filter
def change_fields(change: BookChange, names: Names) -> list[FieldChange]:
    """Fields that differ of a rule that is in both books."""
    return _field_changes(change.before, change.after, names) if change.before and change.after else []


@register.filter
def entry_fields(entry: AuditEntry, names: Names) -> list[FieldChange]:
    """Fields that an act on a rule changed; of what was published whole, only what differs is told."""
    if entry.verb in {"publish", "withdraw"} and not (entry.before and entry.after):
        return []
    return _field_changes(entry.before or {}, entry.after or {}, names)


@register.filter
def rise(placed: Placed) -> int | None:
    """Places by which an item rose, negative where it fell; None where one of the lists has it not."""
    return None if placed.was is None or placed.becomes is None else placed.was - placed.becomes


@register.filter
def relative_effects(tag: Mapping[str, Any]) -> list[tuple[str, Measure]]:
    """Metric and change, as a share of what it was, of a stored price tag; what was 0 is left out."""
    effects = {FORMER.get(name, name): effect for name, effect in tag["effects"].items()}
    stored = [(name, effects[name]) for name in MEASURED if name in effects]
    return [
        (name, Measure(*(each[end] / each["was"] for end in Measure._fields))) for name, each in stored if each["was"]
    ]


register.filter("rule_status", partial(label, labels.RULE_STATUSES))
register.filter("rule_action", partial(label, labels.RULE_ACTIONS))
register.filter("short_moment", short_moment)


@register.filter
def short_day(day: date) -> str:
    return date_format(day, pgettext("a day, in Django's letters", "j M"))


@register.filter
def action_hue(action: str) -> int:
    """Number of the hue in which bars of an action are drawn."""
    return list(RuleAction).index(RuleAction(action)) + 1


@register.filter
def schedule(rule: Rule) -> str:
    starts_at, ends_at = rule.starts_at, rule.ends_at
    if starts_at and ends_at:
        return _("%(start)s to %(end)s") % {"start": moment(starts_at), "end": moment(ends_at)}
    if starts_at:
        return _("from %(moment)s") % {"moment": moment(starts_at)}
    return _("until %(moment)s") % {"moment": moment(ends_at)} if ends_at else _("always")


@register.filter
def short_schedule(rule: Scheduled) -> list[str]:
    """The schedule in few characters, in the parts between which a line may break."""
    starts_at, ends_at = rule.starts_at, rule.ends_at
    if starts_at and ends_at:
        return [f"{short_moment(starts_at)} –", short_moment(ends_at)]
    if starts_at:
        return [_("from %(moment)s") % {"moment": short_moment(starts_at)}]
    return [_("until %(moment)s") % {"moment": short_moment(ends_at)} if ends_at else _("always")]


def _field_changes(before: Mapping[str, Any], after: Mapping[str, Any], names: Names) -> list[FieldChange]:
    """Fields that differ, one by one; what is of no interest to a reader is left out."""
    changes = [
        (str(words), names.field(name, before.get(name)), names.field(name, after.get(name)))
        for name, words in FIELDS.items()
    ]
    return [change for change in changes if change[1] != change[2]]


def _scalar(name: str, value: Any, names: Names) -> str:
    if name in TIMES:
        return moment(datetime.fromisoformat(value))
    if name == "placement":
        return placement_label(value)
    if name == "segment":
        return names.segment(value)
    if name == "audience":
        return names.audiences.get(value, str(value))
    if name in {"action", "per"}:
        return label(labels.RULE_ACTIONS if name == "action" else labels.CAPS_PER, value)
    if name == "share":
        return share(value)
    if name == "customer":
        return customer_code(value)
    return number(value) if isinstance(value, int) else str(value)
