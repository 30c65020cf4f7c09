"""Validation of the form of a rule: every complaint stands at its field and says what to do."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from recommendations.models import Customer, Placement, Rule, Segment
from recommendations.store.rules.conditions import ConditionError, FrozenRule, check
from recommendations.terms import CapPer, RuleAction
from recommendations.wording.rules import condition_problem

FIELDS = (
    "name", "placement", "segment", "customer", "context", "starts_at", "ends_at", "items", "action", "slot",
    "strength", "most", "per", "share",
)  # fmt: skip
OF_ACTION: Mapping[str, tuple[str, ...]] = {
    RuleAction.PIN: ("slot",),
    RuleAction.BOOST: ("strength",),
    RuleAction.CAP: ("most", "per"),
    RuleAction.MINIMUM_SHARE: ("share",),
}
"""Numbers that each action has; the others are emptied."""

NONE: Mapping[str, Any] = {"slot": None, "strength": None, "most": None, "per": "", "share": None}
LONGEST_NAME = 120


class _Complaints(dict[str, ValidationError]):
    """Complaints by field, the first of each: the second would often be a consequence of it."""

    def at(self, field: str, text: str) -> None:
        self.setdefault(field, ValidationError(text))


def filled(rule: Rule, values: Mapping[str, Any]) -> Rule:
    """Set these values, in the shape of a frozen rule (numbers and times also as text), without saving.

    A time without a zone is one of the shop. Raises ValidationError with ``message_dict`` by field, and TypeError for
    a field that rules do not have.
    """
    unknown = values.keys() - set(FIELDS)
    if unknown:
        raise TypeError(f"a rule has no {', '.join(sorted(unknown))}")
    complaints = _Complaints()
    for name in FIELDS:
        if name not in values:
            continue
        try:
            setattr(rule, name, _READERS[name](values[name]))
        except ValidationError as error:
            complaints[name] = error
    for name in NONE.keys() - set(OF_ACTION.get(rule.action, ())):
        setattr(rule, name, NONE[name])
        complaints.pop(name, None)
    _check(rule, complaints)
    if complaints:
        raise ValidationError(dict(complaints))
    return rule


def as_frozen(rule: Rule, values: FrozenRule) -> Rule:
    """Set what a book has of the rule, unchecked: the shop may have changed since, and it was served."""
    plain: dict[str, Any] = dict(values)
    rule.placement = Placement.objects.filter(name=plain.pop("placement")).first()
    rule.segment = Segment.objects.filter(number=plain.pop("segment")).first()
    rule.customer_id = plain.pop("customer")
    rule.starts_at, rule.ends_at = _moment(plain.pop("starts_at")), _moment(plain.pop("ends_at"))
    for name in plain.keys() & set(FIELDS):
        setattr(rule, name, plain[name])
    return rule


def _check(rule: Rule, complaints: _Complaints) -> None:
    """Check what concerns more than one field, or must not stay empty."""
    if not rule.name:
        complaints.at("name", _("Give the rule a name."))
    if rule.starts_at and rule.ends_at and rule.starts_at >= rule.ends_at:
        complaints.at("ends_at", _("The rule ends before it begins: choose a later end."))
    if rule.action not in list(RuleAction):
        complaints.at("action", _("Choose what the rule does."))
        return
    if not rule.items and not _of_everything(rule):
        complaints.at("items", _("Say which items: without a condition it would be all of them."))
    for name in OF_ACTION.get(rule.action, ()):
        if text := _NUMBERS[name](rule):
            complaints.at(name, text)


def _of_everything(rule: Rule) -> bool:
    """Whether the rule may speak of all items: only a cap of each brand or category makes sense for all together."""
    return rule.action == RuleAction.CAP and rule.per != CapPer.ALL


def _slot(rule: Rule) -> str:
    if rule.slot is None:
        return _("Choose the slot.")
    places = Placement.objects.all() if rule.placement is None else Placement.objects.filter(pk=rule.placement.pk)
    most = places.aggregate(most=Max("n"))["most"] or 0
    if not 1 <= rule.slot <= most:
        return _("A pin beyond the slate: choose a slot from 1 to %(most)d.") % {"most": most}
    return ""


def _strength(rule: Rule) -> str:
    if rule.strength is None or not -100 <= rule.strength <= 100:
        return _("Choose a strength from −100 to 100.")
    return "" if rule.strength else _("0 changes nothing: above 0 boosts, below 0 buries.")


def _most(rule: Rule) -> str:
    if rule.most is None:
        return _("Say how many at most.")
    if rule.most < 1:
        return _("At least 1: to show none of them, exclude them.")
    return _("At most 100: no slate is longer.") if rule.most > 100 else ""


def _per(rule: Rule) -> str:
    return "" if rule.per in list(CapPer) else _("Choose of what it counts: brand, category or all together.")


def _share(rule: Rule) -> str:
    if rule.share is None or not 0 < rule.share <= 1:
        return _("Choose a share above 0 % and up to 100 %.")
    return ""


_NUMBERS: Mapping[str, Callable[[Rule], str]] = {
    "slot": _slot, "strength": _strength, "most": _most, "per": _per, "share": _share
}  # fmt: skip


def _name(value: Any) -> str:
    name = str(value or "").strip()
    if "\x00" in name:
        raise ValidationError(_("The name holds a character that cannot be stored."))
    if len(name) > LONGEST_NAME:
        raise ValidationError(_("At most %(most)d characters.") % {"most": LONGEST_NAME})
    return name


def _placement(value: Any) -> Placement | None:
    if value in (None, ""):
        return None
    placement = Placement.objects.filter(name=str(value)).first() if "\x00" not in str(value) else None
    if placement is None:
        raise ValidationError(_("There is no placement “%(name)s”: choose one of the list.") % {"name": value})
    return placement


def _segment(value: Any) -> Segment | None:
    if value in (None, ""):
        return None
    number = _whole(value)
    segment = Segment.objects.filter(number=number).first() if number is not None and 0 <= number < 32_768 else None
    if segment is None:
        raise ValidationError(_("There is no segment %(number)s: choose one of the list.") % {"number": value})
    return segment


def _customer(value: Any) -> Customer | None:
    if value in (None, ""):
        return None
    number = _whole(value)
    customer = Customer.objects.filter(pk=number).first() if number is not None and 0 < number < 2**63 else None
    if customer is None:
        raise ValidationError(_("There is no customer %(number)s.") % {"number": value})
    return customer


def _moment(value: Any) -> datetime | None:
    """Read a time, in UTC; one without a zone is one of the shop."""
    if value in (None, ""):
        return None
    try:
        moment = value if isinstance(value, datetime) else parse_datetime(str(value))
    except ValueError:  # well written, but no such day
        moment = None
    if moment is None or not 1970 <= moment.year < 9999:
        raise ValidationError(_("No date and time: write it as 2026-12-24 18:00."))
    aware = moment if timezone.is_aware(moment) else timezone.make_aware(moment, timezone.get_default_timezone())
    return aware.astimezone(UTC)


def _conditions(value: Any) -> list[dict[str, Any]]:
    """Read conditions as they are stored; each complaint says of which one it is."""
    conditions = [_condition(number, one) for number, one in enumerate(value or [])]
    try:
        check(conditions)
    except ConditionError as error:
        raise ValidationError(condition_problem(error.position, error.field, error.code)) from error
    return conditions


def _condition(position: int, value: Any) -> dict[str, Any]:
    complete = isinstance(value, Mapping) and isinstance(value.get("values"), Sequence)
    if not complete or isinstance(value["values"], str):
        raise ValidationError(condition_problem(position, "values", "missing"))
    values = list(value["values"])
    if any(isinstance(one, str) and "\x00" in one for one in values):
        raise ValidationError(condition_problem(position, "values", "unknown"))
    return {"attribute": value.get("attribute", ""), "operator": value.get("operator", ""), "values": values}


def _number(value: Any) -> int | None:
    if value in (None, ""):
        return None
    number = _whole(value)
    if number is None:
        raise ValidationError(_("Enter a whole number."))
    return number


def _fraction(value: Any) -> float | None:
    if value in (None, ""):
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValidationError(_("Enter a number.")) from error


def _whole(value: Any) -> int | None:
    """Read a whole number; None where it is none, and true and false are none."""
    if isinstance(value, bool):
        return None
    try:
        return int(value) if float(value) == int(value) else None
    except (TypeError, ValueError, OverflowError):
        return None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": _name,
    "placement": _placement,
    "segment": _segment,
    "customer": _customer,
    "context": _conditions,
    "starts_at": _moment,
    "ends_at": _moment,
    "items": _conditions,
    "action": lambda value: str(value or ""),
    "slot": _number,
    "strength": _number,
    "most": _number,
    "per": lambda value: str(value or CapPer.ALL),
    "share": _fraction,
}
