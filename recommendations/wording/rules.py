"""Rules of merchandising in words: when · which items · do, and what is wrong with a condition."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext
from django.utils.translation import gettext_lazy as _

from recommendations.customer_codes import customer_code
from recommendations.terms import CapPer, Operator, RuleAction
from recommendations.wording.item_labels import AVAILABILITIES
from recommendations.wording.labels import OPERATORS, placement_quoted
from recommendations.wording.money import short_amount

type Condition = Mapping[str, Any]
type Frozen = Mapping[str, Any]
type Titles = Mapping[tuple[str, str], str]
"""What values are called, by attribute and value: items by the shop's id, categories by their path."""

ATTRIBUTE_NAMES: Mapping[str, Promise] = {
    "category": _("category"),
    "brand": _("brand"),
    "item": _("item"),
    "tag": _("tag"),
    "price": _("price"),
    "discount": _("discount"),
    "margin": _("margin"),
    "listed_days": _("days since it was listed"),
    "availability": _("availability"),
    "promoted": _("promoted this week"),
}
SHARES = frozenset({"discount", "margin"})
CHINESE = "⺀"
"""The first of the Chinese characters and signs."""


def attribute_name(attribute: str) -> str:
    """Label of an attribute of an item; one of the shop's own (``attributes.<key>``) is called by its key."""
    return str(ATTRIBUTE_NAMES.get(attribute, attribute.removeprefix("attributes.")))


def rule_text(
    rule: Frozen,
    *,
    segments: Mapping[int, str] | None = None,
    audiences: Mapping[int, str] | None = None,
    titles: Titles | None = None,
) -> str:
    """A rule as one sentence: "On home, for segment Fresh & family: pin Apples to slot 1".

    ``segments`` are the names by number, ``audiences`` by key; without them and ``titles`` number, key, id and path
    stand there.
    """
    when = when_text(rule, segments=segments, audiences=audiences, titles=titles)
    return gettext("%(when)s: %(do)s") % {"when": when, "do": do_text(rule, titles)}


def when_text(
    rule: Frozen,
    *,
    segments: Mapping[int, str] | None = None,
    audiences: Mapping[int, str] | None = None,
    titles: Titles | None = None,
) -> str:
    """The *when* of a rule: where, for whom and in what time; "Everywhere" where nothing limits it."""
    parts = (
        [gettext("on %(placement)s") % {"placement": placement_quoted(rule["placement"])}] if rule["placement"] else []
    )
    if rule["segment"] is not None:
        name = (segments or {}).get(rule["segment"], str(rule["segment"]))
        parts.append(gettext("for segment %(segment)s") % {"segment": name})
    if rule.get("audience") is not None:
        name = (audiences or {}).get(rule["audience"], str(rule["audience"]))
        parts.append(gettext("for audience “%(audience)s”") % {"audience": name})
    if rule["customer"] is not None:
        parts.append(gettext("for customer %(customer)s") % {"customer": customer_code(rule["customer"])})
    if rule["context"]:
        parts.append(context_text(rule["context"], titles))
    if rule["starts_at"]:
        parts.append(gettext("from %(moment)s") % {"moment": short_moment(datetime.fromisoformat(rule["starts_at"]))})
    if rule["ends_at"]:
        parts.append(gettext("until %(moment)s") % {"moment": short_moment(datetime.fromisoformat(rule["ends_at"]))})
    if not rule["placement"]:
        parts.insert(0, gettext("everywhere"))
    text = pgettext("between where and when", ", ").join(parts)
    return text[:1].upper() + text[1:]


def context_text(conditions: Sequence[Condition], titles: Titles | None = None) -> str:
    """The items in view beside which a rule acts."""
    return gettext("next to %(items)s") % {"items": _spaced(items_text(conditions, titles))}


def do_text(rule: Frozen, titles: Titles | None = None) -> str:
    """The *do* of a rule: what it does to which items."""
    facts = {**rule, "items": _spaced(items_text(rule["items"], titles))}
    match rule["action"]:
        case RuleAction.BOOST:
            facts["strength"] = f"{rule['strength'] or 0:+d}".replace("-", "−")
            up = (rule["strength"] or 0) >= 0
            template = gettext("boost %(items)s by %(strength)s") if up else gettext("bury %(items)s by %(strength)s")
        case RuleAction.CAP:
            facts["most"] = rule["most"] or 0
            caps = _CAPS if rule["items"] else _CAPS_OF_ALL
            template = str(caps[CapPer(rule["per"] or CapPer.ALL)])
        case RuleAction.MINIMUM_SHARE:
            facts["share"] = _percent(rule["share"] or 0)
            template = gettext("give %(items)s at least %(share)s of the slots")
        case action:
            template = str(_PLAIN[RuleAction(action)])
    return (template % facts).strip()


_PLAIN: Mapping[RuleAction, Promise] = {
    RuleAction.EXCLUDE: _("exclude %(items)s"),
    RuleAction.INCLUDE_ONLY: _("include only %(items)s"),
    RuleAction.PIN: _("pin %(items)s to slot %(slot)s"),
}
_CAPS: Mapping[CapPer, Promise] = {
    CapPer.BRAND: _("show at most %(most)d of each brand among %(items)s"),
    CapPer.CATEGORY: _("show at most %(most)d of each category among %(items)s"),
    CapPer.ALL: _("show at most %(most)d of %(items)s"),
}

_CAPS_OF_ALL: Mapping[CapPer, Promise] = {
    CapPer.BRAND: _("show at most %(most)d of each brand"),
    CapPer.CATEGORY: _("show at most %(most)d of each category"),
    CapPer.ALL: _("show at most %(most)d items"),
}


def items_text(conditions: Sequence[Condition], titles: Titles | None = None) -> str:
    """Conditions in words, "items with brand Acme and price at most 5"; of single items only their names."""
    if not conditions:
        return gettext("all items")
    told = [_spaced(condition_text(condition, titles)) for condition in conditions]
    text = pgettext("between conditions", " and ").join(told)
    if not all(_names(condition) for condition in conditions):
        text = gettext("items with %(told)s") % {"told": text}
    return text.strip()


def condition_text(condition: Condition, titles: Titles | None = None) -> str:
    """One condition: "brand Acme or Best", "price at most 5"; of single items only their names."""
    attribute, operator, values = condition["attribute"], condition["operator"], condition["values"]
    told = [_spaced(_value(attribute, value, titles or {})) for value in values]
    alternatives = pgettext("between values", " or ").join(told).strip()
    if _names(condition):
        return alternatives
    if attribute == "promoted":
        yes = any(str(value).lower() in {"true", "yes", "1"} for value in values) is (operator == Operator.IS)
        return gettext("a promotion this week") if yes else gettext("no promotion this week")
    facts = {"attribute": attribute_name(attribute), "values": alternatives}
    if operator == Operator.IS:
        return gettext("%(attribute)s %(values)s") % facts
    if operator == Operator.IS_NOT:
        return gettext("%(attribute)s other than %(values)s") % facts
    compared = {str(code): name for code, name in OPERATORS}.get(operator, operator)
    return gettext("%(attribute)s %(operator)s %(values)s") % {**facts, "operator": compared}


def _names(condition: Condition) -> bool:
    """Whether a condition chooses single items by their ids."""
    return bool(condition["attribute"] == "item" and condition["operator"] == Operator.IS)


def condition_problem(position: int, field: str, code: str) -> str:
    """What is wrong with the condition at a position (from 0), and what to do: the words of a ``ConditionError``."""
    problem = str(_PROBLEMS.get((field, code)) or _PROBLEMS[field, "unknown"])
    return gettext("Condition %(number)d: %(problem)s") % {"number": position + 1, "problem": problem}


_PROBLEMS: Mapping[tuple[str, str], Promise] = {
    ("attribute", "unknown"): _("items have no such attribute: choose one from the list."),
    ("operator", "unknown"): _("this attribute cannot be compared that way: choose another comparison."),
    ("values", "unknown"): _("no item has this value: choose one from the list."),
    ("values", "missing"): _("it has no value: choose at least one."),
    ("values", "not_a_number"): _("the value is not a number: write it like 4.50."),
    ("values", "out_of_range"): _("the value is out of range: choose a smaller number."),
    ("values", "not_a_text"): _("the value is not text: choose one from the list."),
    ("values", "not_yes_or_no"): _("choose yes or no."),
}


def _value(attribute: str, value: object, titles: Titles) -> str:
    if attribute in {"item", "category"}:
        return titles.get((attribute, str(value)), str(value))
    if attribute == "availability":
        return str({str(code): name for code, name in AVAILABILITIES}.get(str(value), value))
    if attribute in SHARES:
        try:
            return _percent(float(str(value)))
        except (ValueError, OverflowError):  # infinity is a number to Python, but no share
            return str(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if attribute == "price":
            return short_amount(value)
        return formats.number_format(value)
    return str(value)


def _spaced(text: str) -> str:
    """Text with a space at each end that is not Chinese itself, where it is to stand in a Chinese sentence."""
    if not (get_language() or "").startswith("zh"):
        return text
    first, last = ("" if text[end:][:1] >= CHINESE or text[end:][:1] in "“”" else " " for end in (0, -1))
    return first + text + last


def _percent(share: float) -> str:
    """A share in per cent, with at most one digit after the point."""
    value = round(100 * share, 1)
    return gettext("%(value)s %%") % {"value": formats.number_format(int(value) if value == int(value) else value)}


def short_moment(moment: datetime) -> str:
    """A moment of the shop in few characters, "29 Nov 23:59"; of another year than this one with the year."""
    local = timezone.localtime(moment, timezone.get_default_timezone())
    if local.year == timezone.localdate(timezone=timezone.get_default_timezone()).year:
        return formats.date_format(local, pgettext("a moment of this year, in Django's letters", "j M H:i"))
    return formats.date_format(local, pgettext("a moment, in Django's letters", "j M Y H:i"))
