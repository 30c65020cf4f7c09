"""Rules in the form that is served, and the items that their conditions match.

A condition compares one attribute of an item with values: ``{"attribute", "operator", "values"}``. The conditions of a
rule hold together; the values of a condition are alternatives.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple, NotRequired, TypedDict
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import DecimalField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import NullIf
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThanOrEqual
from django.utils import timezone

from recommendations.models import Category, Item, Promotion, Rule, RuleBook
from recommendations.store.rules.values import as_number, as_text, as_yes_or_no
from recommendations.terms import PATH_SEPARATOR, Availability, Operator

type Conditions = Sequence[Mapping[str, Any]]
type Known = tuple[Any, ...]

OWN = "attributes."
"""Prefix of the key of an attribute that the shop gave the item itself."""

LONGEST_LISTED = Decimal(36_500)  # days
DAY, WEEK = timedelta(days=1), timedelta(days=7)


class AttributeKind(StrEnum):
    CHOICE = "choice"
    NUMBER = "number"
    YES_NO = "yes_no"


ATTRIBUTES: Mapping[str, AttributeKind] = {
    "category": AttributeKind.CHOICE,  # a path; what lies under it counts, too
    "brand": AttributeKind.CHOICE,
    "item": AttributeKind.CHOICE,  # the shop's id
    "tag": AttributeKind.CHOICE,
    "availability": AttributeKind.CHOICE,
    "price": AttributeKind.NUMBER,
    "discount": AttributeKind.NUMBER,  # 1 − price / original price
    "margin": AttributeKind.NUMBER,  # (price − cost) / price
    "listed_days": AttributeKind.NUMBER,  # since the shop began to sell it
    "promoted": AttributeKind.YES_NO,  # in this week's plan
}
"""``attributes.<key>``, a choice, stands beside them: what the shop itself says of an item."""

OPERATORS: Mapping[AttributeKind, tuple[Operator, ...]] = {
    AttributeKind.CHOICE: (Operator.IS, Operator.IS_NOT),
    AttributeKind.NUMBER: (Operator.AT_LEAST, Operator.AT_MOST, Operator.IS, Operator.IS_NOT),
    AttributeKind.YES_NO: (Operator.IS,),
}
TIMED = frozenset({"listed_days", "promoted"})
"""Attributes that change by themselves as time goes by."""


class FrozenRule(TypedDict):
    """A rule as a book holds it; moments in ISO 8601, None where the rule does not ask."""

    id: int
    name: str
    placement: str | None
    segment: int | None  # its number
    audience: NotRequired[int]  # primary key; books from before there were audiences lack it, too
    customer: int | None  # primary key
    context: list[dict[str, Any]]
    starts_at: str | None
    ends_at: str | None
    items: list[dict[str, Any]]
    action: str
    slot: int | None
    strength: int | None
    most: int | None
    per: str
    share: float | None


class ConditionError(ValueError):
    """The condition at ``position`` means nothing; ``field`` is attribute, operator or values, ``code`` what is wrong:
    unknown, missing, not_a_number, out_of_range, not_a_text or not_yes_or_no."""

    def __init__(self, position: int, field: str, code: str) -> None:
        super().__init__(f"condition {position + 1}: {field} {code}")
        self.position, self.field, self.code = position, field, code


class Condition(NamedTuple):
    """A condition that means something: numbers are numbers, yes and no are true and false."""

    attribute: str
    operator: Operator
    values: Known


def frozen(rule: Rule) -> FrozenRule:
    """The rule as it would stand in a book."""
    stands = FrozenRule(
        id=rule.pk,
        name=rule.name,
        placement=rule.placement.name if rule.placement else None,
        segment=rule.segment.number if rule.segment else None,
        customer=rule.customer_id,
        context=rule.context,
        starts_at=rule.starts_at.isoformat() if rule.starts_at else None,
        ends_at=rule.ends_at.isoformat() if rule.ends_at else None,
        items=rule.items,
        action=rule.action,
        slot=rule.slot,
        strength=rule.strength,
        most=rule.most,
        per=rule.per,
        share=rule.share,
    )
    if rule.audience_id is not None:
        stands["audience"] = rule.audience_id
    return stands


def default_book() -> RuleBook | None:
    """The book that is served; None before the first rule was published."""
    return RuleBook.objects.filter(is_default=True).first()


def kind_of(attribute: str) -> AttributeKind | None:
    """Kind of an attribute; None where there is no such attribute."""
    if attribute.startswith(OWN) and len(attribute) > len(OWN):
        return AttributeKind.CHOICE
    return ATTRIBUTES.get(attribute)


def parsed(conditions: Conditions) -> tuple[Condition, ...]:
    """Parse conditions. Raises ConditionError at the first that means nothing."""
    return tuple(_parsed(position, condition) for position, condition in enumerate(conditions))


def matching(conditions: Conditions, *, now: datetime | None = None) -> QuerySet[Item]:
    """The items that meet all conditions at a moment, retired ones as well; without conditions, every item.

    Raises ConditionError.
    """
    return Item.objects.filter(as_query(parsed(conditions), now=now or timezone.now()))


def check(conditions: Conditions) -> None:
    """Raise ConditionError as ``matching`` does, and where the catalogue knows no such category, brand, item, tag or
    key, which is what a slip of the pen looks like."""
    for position, (attribute, _, values) in enumerate(parsed(conditions)):
        if attribute.startswith(OWN):
            if not Item.objects.filter(attributes__has_key=attribute.removeprefix(OWN)).exists():
                raise ConditionError(position, "attribute", "unknown")
        elif attribute in _KNOWN and not all(_KNOWN[attribute](value) for value in values):
            raise ConditionError(position, "values", "unknown")


def as_query(conditions: Sequence[Condition], *, now: datetime) -> Q:
    """Query for the items that meet all conditions; an unknown number meets none."""
    return reduce(and_, (_meaning(condition, now) for condition in conditions), Q())


def listed_spans(condition: Condition, now: datetime) -> list[tuple[datetime | None, datetime | None]]:
    """The spans of time, (after, up to], in which an item with these ``listed_days`` was listed.

    For ``IS_NOT``, as for ``IS``: the days that are named, each of them whole.
    """
    ages = [timedelta(days=float(value)) for value in condition.values]
    match condition.operator:
        case Operator.AT_LEAST:
            return [(None, now - age) for age in ages]
        case Operator.AT_MOST:
            return [(now - age - timedelta.resolution, None) for age in ages]
        case _:
            return [(now - age - DAY, now - age) for age in ages if not age % DAY]


def shop_day(now: datetime) -> date:
    """The day of a moment where the shop is."""
    return now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()


def _parsed(position: int, condition: Mapping[str, Any]) -> Condition:
    attribute, operator, values = (condition.get(name) for name in Condition._fields)
    kind = kind_of(attribute) if isinstance(attribute, str) and "\0" not in attribute else None
    if kind is None:
        raise ConditionError(position, "attribute", "unknown" if attribute else "missing")
    if operator not in OPERATORS[kind]:
        raise ConditionError(position, "operator", "unknown" if operator else "missing")
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise ConditionError(position, "values", "missing")
    try:
        typed = tuple(_READ[kind](value) for value in values)
        if attribute == "listed_days" and not 0 <= min(typed) <= max(typed) <= LONGEST_LISTED:
            raise ValueError("out_of_range")
        if attribute == "availability" and not set(typed) <= set(Availability):
            raise ValueError("unknown")
    except ValueError as error:
        raise ConditionError(position, "values", str(error)) from error
    return Condition(str(attribute), Operator(operator), typed)


_READ: Mapping[AttributeKind, Callable[[object], Any]] = {
    AttributeKind.CHOICE: as_text,
    AttributeKind.NUMBER: as_number,
    AttributeKind.YES_NO: as_yes_or_no,
}


def _meaning(condition: Condition, now: datetime) -> Q:
    attribute, operator, values = condition
    if attribute == "promoted":
        return _any(Q(_promoted(shop_day(now))) if value else ~Q(_promoted(shop_day(now))) for value in values)
    if attribute == "listed_days":
        spans = listed_spans(condition, now)
        query = _any(
            (Q(listed_at__gt=after) if after else Q()) & (Q(listed_at__lte=until) if until else Q())
            for after, until in spans
        )
    elif attribute in _AMOUNTS:
        query = _any(Q(_COMPARED[operator](_AMOUNTS[attribute], value)) for value in values)
    elif attribute.startswith(OWN):
        query = _any(_own(attribute.removeprefix(OWN), str(value)) for value in values)
    else:
        query = _OF_CHOICE[attribute](values)
    return ~query if operator is Operator.IS_NOT else query


def _any(parts: Iterable[Q]) -> Q:
    """Query that meets one of the parts; without parts, nothing."""
    return reduce(or_, parts, Q(pk__in=[]))


def _promoted(day: date) -> Exists:
    this_week = Promotion.objects.filter(item=OuterRef("pk"), week__gt=day - WEEK, week__lte=day)
    return Exists(this_week.filter(Q(display__gt=0) | Q(mailer__gt=0)))


def _under(paths: Sequence[Any]) -> Q:
    under = _any(Q(category__path=path) | Q(category__path__startswith=f"{path}{PATH_SEPARATOR}") for path in paths)
    return Q(Exists(Item.categories.through.objects.filter(under, item=OuterRef("pk"))))


def _own(key: str, value: str) -> Q:
    """Query for an attribute of the shop, which may have written a number, a yes or no, or a list."""
    same: list[Any] = [value, [value]]
    if value in {"true", "false"}:
        same.append(value == "true")
    with suppress(ValueError):
        same.append(float(as_number(value)))
    return _any(Q(attributes__contains={key: one}) for one in same)


_OF_CHOICE: Mapping[str, Callable[[Sequence[Any]], Q]] = {
    "category": _under,
    "brand": lambda values: Q(brand__in=values),
    "item": lambda values: Q(shop_id__in=values),
    "tag": lambda values: Q(tags__overlap=list(values)),
    "availability": lambda values: Q(availability__in=values),
}
_KNOWN: Mapping[str, Callable[[Any], bool]] = {
    "category": lambda value: Category.objects.filter(path=value).exists(),
    "brand": lambda value: Item.objects.filter(brand=value).exists(),
    "item": lambda value: Item.objects.filter(shop_id=value).exists(),
    "tag": lambda value: Item.objects.filter(tags__contains=[value]).exists(),
}
_AMOUNT = DecimalField(max_digits=20, decimal_places=6)
_ONE: Combinable = Value(Decimal(1), output_field=_AMOUNT)
_AMOUNTS: Mapping[str, "ExpressionWrapper[Combinable]"] = {
    "price": ExpressionWrapper(F("price"), _AMOUNT),
    "discount": ExpressionWrapper(_ONE - F("price") / NullIf("original_price", Value(Decimal(0))), _AMOUNT),
    "margin": ExpressionWrapper((F("price") - F("cost")) / NullIf("price", Value(Decimal(0))), _AMOUNT),
}
_COMPARED = {
    Operator.IS: Exact,
    Operator.IS_NOT: Exact,
    Operator.AT_LEAST: GreaterThanOrEqual,
    Operator.AT_MOST: LessThanOrEqual,
}
