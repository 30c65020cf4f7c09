"""Audiences in words: who is meant, and by what a customer matches."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext

from recommendations.terms import AudienceKind, Operator
from recommendations.wording.labels import OPERATORS
from recommendations.wording.money import short_amount
from recommendations.wording.rules import Titles, items_text

type Condition = Mapping[str, Any]
type Names = Mapping[Any, str]


def audience_text(conditions: Mapping[str, Sequence[Condition]], *, segments: Names, titles: Titles) -> str:
    """Conditions in one sentence: "Bought tea in the last 30 days and spent at least $50, but not: in segment X"."""
    sides = {
        side: [condition_text(one, segments=segments, titles=titles) for one in conditions.get(side, ())]
        for side in ("all", "none")
    }
    text = pgettext("between conditions of an audience", ", and ").join(sides["all"]) or gettext("everybody")
    if sides["none"]:
        left_out = pgettext("between conditions of an audience", ", or ").join(sides["none"])
        text = gettext("%(who)s; but not: %(left_out)s") % {"who": text, "left_out": left_out}
    return text[:1].upper() + text[1:]


def condition_text(condition: Condition, *, segments: Names, titles: Titles) -> str:
    """One condition: "bought items with brand Acme in the last 30 days"."""
    facts = {name: value for name, value in condition.items() if name != "items"}
    match AudienceKind(condition["kind"]):
        case AudienceKind.BOUGHT | AudienceKind.VIEWED as kind:
            items = items_text(condition["items"], titles) if condition["items"] else gettext("something")
            return _did(kind, {**facts, "items": items})
        case AudienceKind.SPENT:
            facts["amount"] = short_amount(condition["amount"])
            if condition["operator"] == Operator.AT_LEAST:
                return gettext("spent at least %(amount)s in the last %(days)s days") % facts
            return gettext("spent at most %(amount)s in the last %(days)s days") % facts
        case AudienceKind.LAST_PURCHASE:
            return gettext("last bought something %(from_days)s to %(to_days)s days ago") % facts
        case AudienceKind.CUSTOMER_SINCE:
            return gettext("came for the first time %(from_days)s to %(to_days)s days ago") % facts
        case AudienceKind.INTEREST:
            facts["percent"] = formats.number_format(_short(condition["percent"]))
            facts["category"] = titles.get(("category", condition["category"]), condition["category"])
            return gettext("at least %(percent)s %% of interest in %(category)s") % facts
        case AudienceKind.SEGMENT:
            named = [segments.get(number, str(number)) for number in condition["segments"]]
            return gettext("in segment %(segments)s") % {"segments": pgettext("between values", " or ").join(named)}
        case AudienceKind.PROPERTY:
            facts["values"] = pgettext("between values", " or ").join(map(str, condition["values"]))
            facts["operator"] = dict(OPERATORS)[condition["operator"]]
            return gettext("%(property)s %(operator)s %(values)s") % facts


def fact_text(condition: Condition, fact: str, *, segments: Names) -> str:
    """Fact by which a customer meets a condition, as ``store/audiences`` tells it, in words: "bought on 12 May"."""
    kind = AudienceKind(condition["kind"])
    if condition.get("times", 1) > 1:
        return _times(kind, int(fact))
    if kind is AudienceKind.SEGMENT:
        return segments.get(int(fact), fact)
    if kind is AudienceKind.PROPERTY:
        return gettext("%(property)s %(value)s") % {"property": condition["property"], "value": fact}
    if kind is AudienceKind.SPENT:
        told = short_amount(float(fact))
    else:
        told = formats.number_format(fact) if kind is AudienceKind.INTEREST else _day(fact)
    return str(_FACTS[kind]) % {"fact": told}


_FACTS: Mapping[AudienceKind, Promise] = {
    AudienceKind.BOUGHT: gettext_lazy("bought on %(fact)s"),
    AudienceKind.VIEWED: gettext_lazy("viewed on %(fact)s"),
    AudienceKind.SPENT: gettext_lazy("spent %(fact)s"),
    AudienceKind.LAST_PURCHASE: gettext_lazy("last bought on %(fact)s"),
    AudienceKind.CUSTOMER_SINCE: gettext_lazy("came on %(fact)s"),
    AudienceKind.INTEREST: gettext_lazy("%(fact)s %% of interest"),
}


def _times(kind: AudienceKind, n: int) -> str:
    if kind is AudienceKind.BOUGHT:
        return ngettext("bought %(n)d time", "bought %(n)d times", n) % {"n": n}
    return ngettext("viewed %(n)d time", "viewed %(n)d times", n) % {"n": n}


def _did(kind: AudienceKind, facts: Mapping[str, Any]) -> str:
    often = facts["times"] > 1
    if kind is AudienceKind.BOUGHT:
        if often:
            return gettext("bought %(items)s at least %(times)s times in the last %(days)s days") % facts
        return gettext("bought %(items)s in the last %(days)s days") % facts
    if often:
        return gettext("viewed %(items)s at least %(times)s times in the last %(days)s days") % facts
    return gettext("viewed %(items)s in the last %(days)s days") % facts


def _short(value: float) -> float | int:
    """A number without the point that says nothing."""
    return int(value) if float(value).is_integer() else round(value, 2)


def _day(moment: str) -> str:
    return formats.date_format(timezone.localtime(datetime.fromisoformat(moment)), "MONTH_DAY_FORMAT")
