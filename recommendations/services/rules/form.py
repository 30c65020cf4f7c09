"""The form of a rule: what each of its values may be; every complaint stands at its field and says what to do."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from recommendations.models import Audience, Customer, Placement, Rule, Segment
from recommendations.services.customers import find_customers
from recommendations.store.rules.conditions import ConditionError, check, frozen
from recommendations.terms import CapPer, RuleAction
from recommendations.wording import labels
from recommendations.wording.rules import condition_problem

OF_ACTION: Mapping[str, tuple[str, ...]] = {
    RuleAction.PIN: ("slot",),
    RuleAction.BOOST: ("strength",),
    RuleAction.CAP: ("most", "per"),
    RuleAction.MINIMUM_SHARE: ("share",),
}
"""Numbers that each action has; the others are emptied."""

NONE: Mapping[str, Any] = {"slot": None, "strength": None, "most": None, "per": "", "share": None}
LONGEST_NAME = 120
NOT_WHOLE = _("Enter a whole number.")


class ShopTimeField(forms.Field):
    """A moment in UTC, also written as text; one without a zone is one of the shop.

    ``second``: of a time that comes twice, as the clocks go back, it is the later one.
    """

    def __init__(self, *, second: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.second = second

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            moment = value if isinstance(value, datetime) else parse_datetime(str(value))
        except ValueError:  # well written, but no such day
            moment = None
        if moment is None or not 1970 <= moment.year < 9999:
            raise ValidationError(_("Not a date and time: write it like 2026-12-24 18:00."))
        if timezone.is_naive(moment):
            moment = timezone.make_aware(moment.replace(fold=self.second), timezone.get_default_timezone())
        return moment.astimezone(UTC)


class ConditionsField(forms.Field):
    """Conditions as they are stored; each complaint says of which one it is."""

    def to_python(self, value: Any) -> list[dict[str, Any]]:
        conditions = [_condition(position, one) for position, one in enumerate(value or [])]
        try:
            check(conditions)
        except ConditionError as error:
            raise ValidationError(condition_problem(error.position, error.field, error.code)) from error
        return conditions


class ShareField(forms.FloatField):
    """A share above 0 and up to 1; what is not finite is out of range as any other number is."""

    def validate(self, value: float | None) -> None:
        if value is not None and not 0 < value <= 1:
            raise ValidationError(self.error_messages["required"])


class CustomerField(forms.Field):
    """A customer, by the key; as a text by the code or the shop's own id, of which nothing is kept."""

    def to_python(self, value: Any) -> Customer | None:
        if value in self.empty_values or not str(value).strip():
            return None
        if isinstance(value, int):
            customer = Customer.objects.filter(pk=value, erased_at=None).first()
        else:
            customer = next((one.customer for one in find_customers(typed=str(value))), None)
        if customer is None:
            text = _(
                "No customer has the code or the shop's id “%(value)s”: type it as C-7K4F, or as your shop writes it."
            )
            raise ValidationError(text, params={"value": value})
        return customer


class RuleForm(forms.Form):
    """The values of a rule in the shape of a frozen one; numbers and times may be text."""

    name = forms.CharField(max_length=LONGEST_NAME, error_messages={
        "required": _("Give the rule a name."),
        "max_length": _("At most %(limit_value)d characters."),
        "null_characters_not_allowed": _("The name contains a character that cannot be stored."),
    })  # fmt: skip
    placement = forms.ModelChoiceField(Placement.objects, to_field_name="name", required=False, error_messages={
        "invalid_choice": _("There is no placement “%(value)s”: choose one from the list."),
    })  # fmt: skip
    segment = forms.ModelChoiceField(Segment.objects, to_field_name="number", required=False, error_messages={
        "invalid_choice": _("There is no segment %(value)s: choose one from the list."),
    })  # fmt: skip
    audience = forms.ModelChoiceField(Audience.objects.unarchived(), required=False, error_messages={
        "invalid_choice": _("There is no audience %(value)s: choose one from the list."),
    })  # fmt: skip
    customer = CustomerField(required=False)
    context = ConditionsField(required=False)
    starts_at = ShopTimeField(required=False)
    ends_at = ShopTimeField(second=True, required=False)
    items = ConditionsField(required=False)
    action = forms.ChoiceField(choices=labels.RULE_ACTIONS, error_messages=dict.fromkeys(
        ("required", "invalid_choice"), _("Choose what the rule does.")
    ))  # fmt: skip
    slot = forms.IntegerField(required=False, error_messages={"invalid": NOT_WHOLE, "required": _("Choose the slot.")})
    strength = forms.IntegerField(min_value=-100, max_value=100, required=False, error_messages={
        **dict.fromkeys(("required", "min_value", "max_value"), _("Choose a strength from −100 to 100.")),
        "invalid": NOT_WHOLE,
    })  # fmt: skip
    most = forms.IntegerField(min_value=1, max_value=100, required=False, error_messages={
        "required": _("Say how many at most."),
        "min_value": _("At least 1: to show none of them, exclude them."),
        "max_value": _("At most 100: no list is longer."),
        "invalid": NOT_WHOLE,
    })  # fmt: skip
    per = forms.ChoiceField(choices=labels.CAPS_PER, required=False, error_messages={
        "invalid_choice": _("Choose what to count by: brand, category or all together."),
    })  # fmt: skip
    share = ShareField(required=False, error_messages={
        "required": _("Choose a share above 0 % and up to 100 %."), "invalid": _("Enter a number."),
    })  # fmt: skip

    def clean_strength(self) -> int | None:
        strength: int | None = self.cleaned_data["strength"]
        if strength == 0:
            raise ValidationError(_("0 changes nothing: above 0 boosts, below 0 buries."))
        return strength

    def clean_per(self) -> str:
        return self.cleaned_data["per"] or CapPer.ALL

    def clean(self) -> dict[str, Any]:
        """Check what concerns more than one field, and empty the numbers that the action does not have."""
        values = self.cleaned_data
        action = values.get("action", "")
        for name in NONE.keys() - set(OF_ACTION.get(action, ())):
            self.errors.pop(name, None)
            values[name] = NONE[name]
        starts_at, ends_at = values.get("starts_at"), values.get("ends_at")
        if starts_at and ends_at and starts_at >= ends_at:
            self.add_error("ends_at", _("The rule ends before it begins: choose a later end."))
        every_item = action == RuleAction.CAP and values.get("per") != CapPer.ALL  # the cap of each brand or category
        if action and not every_item and values.get("items") == []:
            self.add_error("items", _("Say which items: without a condition it would be all of them."))
        for name in OF_ACTION.get(action, ()):
            if name in values and values[name] is None:
                self.add_error(name, self.fields[name].error_messages["required"])
        if values.get("slot") is not None:
            places = [values["placement"]] if values.get("placement") else Placement.objects.all()
            most = max((placement.n for placement in places), default=0)
            if not 1 <= values["slot"] <= most:
                words = _("This slot is beyond the end of the list: choose a slot from 1 to %(most)d.")
                self.add_error("slot", ValidationError(words, params={"most": most}))
        return values


def fill(rule: Rule, values: Mapping[str, Any]) -> Rule:
    """Set these values of the rule without saving, in the shape of a frozen rule; those left out stay.

    Raises ValidationError with ``message_dict`` by field, and TypeError for a field that rules do not have.
    """
    form = RuleForm({**frozen(rule), **values})
    unknown = values.keys() - form.fields.keys()
    if unknown:
        raise TypeError(f"a rule has no {', '.join(sorted(unknown))}")
    if not form.is_valid():
        raise ValidationError(form.errors.as_data())
    for name, value in form.cleaned_data.items():
        setattr(rule, name, value)
    return rule


def _condition(position: int, value: Any) -> dict[str, Any]:
    complete = isinstance(value, Mapping) and isinstance(value.get("values"), Sequence)
    if not complete or isinstance(value["values"], str):
        raise ValidationError(condition_problem(position, "values", "missing"))
    values = list(value["values"])
    if any(isinstance(one, str) and "\x00" in one for one in values):
        raise ValidationError(condition_problem(position, "values", "unknown"))
    return {"attribute": value.get("attribute", ""), "operator": value.get("operator", ""), "values": values}
