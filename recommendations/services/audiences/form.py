"""The form of an audience, one for each kind of condition; every complaint stands at its field and says what to do."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from recommendations.fields import LONGEST_PROPERTY, LONGEST_PROPERTY_TEXT
from recommendations.models import Category, Customer, Segment
from recommendations.services.rules.form import ConditionsField
from recommendations.store.audiences.members import SIDES, Place
from recommendations.terms import AudienceKind, Operator
from recommendations.wording import labels

LONGEST_NAME = 120
LONGEST_DAYS = 3_650
MOST_CONDITIONS = 10  # of a side
MOST_TIMES = 1_000
MOST_VALUES = 100


def _days(missing: Any, *, least: int = 1) -> forms.IntegerField:
    words = {
        "required": missing,
        "invalid": _("Enter the days as a whole number."),
        "min_value": _("At least %(limit_value)d days."),
        "max_value": _("At most %(limit_value)d days."),
    }
    return forms.IntegerField(min_value=least, max_value=LONGEST_DAYS, error_messages=words)


def _choice(choices: Any, missing: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=choices, error_messages=dict.fromkeys(("required", "invalid_choice"), missing))


def _operators(*operators: Operator) -> list[tuple[str, Any]]:
    return [(code, words) for code, words in labels.OPERATORS if code in operators]


class SegmentsField(forms.TypedMultipleChoiceField):
    """Numbers of segments of the live version."""

    def __init__(self) -> None:
        words = dict.fromkeys(("required", "invalid_list"), _("Choose a segment."))
        super().__init__(coerce=int, error_messages=words)

    def validate(self, value: Any) -> None:
        if not value:
            raise ValidationError(self.error_messages["required"])
        live = {
            str(number) for number in Segment.objects.filter(version__is_live=True).values_list("number", flat=True)
        }
        gone = [number for number in value if number not in live]
        if gone:
            names = {str(segment.number): str(segment) for segment in Segment.objects.all()}
            text = _("Segment “%(segment)s” is no longer there: choose another one.")
            raise ValidationError(text, params={"segment": names.get(gone[0], gone[0])})


class CategoryField(forms.CharField):
    """Path of a category that there is."""

    def validate(self, value: str) -> None:
        super().validate(value)
        if not Category.objects.filter(path=value).exists():
            text = _("There is no category “%(value)s”: choose one from the list.")
            raise ValidationError(text, params={"value": value})


class PropertyField(forms.CharField):
    """Name of a property that the shop has said of somebody."""

    def validate(self, value: str) -> None:
        super().validate(value)
        if not Customer.objects.filter(properties__has_key=value).exists():
            text = _("Your shop has sent no property “%(value)s” of any customer: choose one from the list.")
            raise ValidationError(text, params={"value": value})


class ValuesField(forms.Field):
    """Different texts: a list of them, or one text with commas between them."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> list[str]:
        texts = str(value or "").split(",") if not isinstance(value, list | tuple) else value
        values = list(dict.fromkeys(text for one in texts if (text := str(one).replace("\x00", "").strip())))
        if len(values) > MOST_VALUES or any(len(one) > LONGEST_PROPERTY_TEXT for one in values):
            words = _("At most %(most)d values of %(longest)d characters.")
            raise ValidationError(words, params={"most": MOST_VALUES, "longest": LONGEST_PROPERTY_TEXT})
        return values

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


class KindForm(forms.Form):
    """The values of a condition as they are stored."""

    kind: ClassVar[AudienceKind]


class DidForm(KindForm):
    items = ConditionsField(required=False)
    days = _days(_("Say within how many days."))
    times = forms.IntegerField(min_value=1, max_value=MOST_TIMES, error_messages={
        "required": _("Say how often at least."),
        "invalid": _("Enter how often as a whole number."),
        "min_value": _("At least once: customers who never did belong under “But not”."),
        "max_value": _("At most %(limit_value)d times."),
    })  # fmt: skip


class BoughtForm(DidForm):
    kind = AudienceKind.BOUGHT


class ViewedForm(DidForm):
    kind = AudienceKind.VIEWED


class SpentForm(KindForm):
    kind = AudienceKind.SPENT
    operator = _choice(_operators(Operator.AT_LEAST, Operator.AT_MOST), _("Choose at least or at most."))
    amount = forms.FloatField(min_value=0, max_value=1e9, error_messages={
        "required": _("Say how much."),
        "invalid": _("Not a number: write it like 49.90."),
        "min_value": _("An amount cannot be below 0."),
        "max_value": _("The amount is out of range: choose a smaller number."),
    })  # fmt: skip
    days = _days(_("Say within how many days."))


class SpanForm(KindForm):
    """Between so many and so many days ago."""

    from_days = _days(_("Say from how many days ago; 0 is now."), least=0)
    to_days = _days(_("Say until how many days ago."))

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("from_days", 0) >= values.get("to_days", math.inf):
            self.add_error("to_days", _("It ends before it begins: choose more days here than there."))
        return values


class LastPurchaseForm(SpanForm):
    kind = AudienceKind.LAST_PURCHASE


class CustomerSinceForm(SpanForm):
    kind = AudienceKind.CUSTOMER_SINCE


class InterestForm(KindForm):
    kind = AudienceKind.INTEREST
    category = CategoryField(max_length=500, error_messages={"required": _("Choose a category.")})
    percent = forms.FloatField(min_value=0.1, max_value=100, error_messages={
        "required": _("Say how much of the interest."),
        "invalid": _("Not a number: write it like 2.5."),
        **dict.fromkeys(("min_value", "max_value"), _("Choose a share from 0.1 %% to 100 %%.")),
    })  # fmt: skip


class SegmentForm(KindForm):
    kind = AudienceKind.SEGMENT
    segments = SegmentsField()


class PropertyForm(KindForm):
    kind = AudienceKind.PROPERTY
    property = PropertyField(max_length=LONGEST_PROPERTY, error_messages={"required": _("Choose a property.")})
    operator = _choice(labels.OPERATORS, _("Choose a comparison."))
    values = ValuesField(error_messages={"required": _("Enter a value; separate several with commas.")})

    def clean(self) -> dict[str, Any]:
        """Check that what is compared as a number is one."""
        values = self.cleaned_data
        if values.get("operator") in {Operator.AT_LEAST, Operator.AT_MOST} and values.get("values"):
            try:
                [number] = map(float, values["values"])
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                self.add_error("values", _("Enter one number, as 4.5."))
        return values


FORMS: Mapping[AudienceKind, type[KindForm]] = {
    form.kind: form
    for form in (
        BoughtForm, ViewedForm, SpentForm, LastPurchaseForm, CustomerSinceForm, InterestForm, SegmentForm, PropertyForm,
    )
}  # fmt: skip


def checked_name(value: Any) -> str:
    """The name of an audience. Raises ValidationError."""
    name = " ".join(str(value or "").replace("\x00", "").split())
    if not name:
        raise ValidationError(_("Give the audience a name."))
    if len(name) > LONGEST_NAME:
        raise ValidationError(_("At most %(longest)d characters."), params={"longest": LONGEST_NAME})
    return name


def checked(conditions: Any) -> dict[str, list[dict[str, Any]]]:
    """Conditions as they are stored. Raises ValidationError with ``message_dict`` by place: ``all-0-days``."""
    if not isinstance(conditions, Mapping) or not all(isinstance(conditions.get(side, []), list) for side in SIDES):
        raise ValidationError({"all": _("Send “all” and “none”, a list of conditions each.")})
    errors: dict[str, Any] = {}
    stored: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for place, condition in _each(conditions):
        form = form_of(condition)
        if form is None:
            errors[f"{place.side}-{place.position}-kind"] = _("Choose what the condition is about.")
        elif form.is_valid():
            stored[place.side].append({"kind": str(form.kind), **form.cleaned_data})
        else:
            errors |= {f"{place.side}-{place.position}-{name}": texts for name, texts in form.errors.as_data().items()}
    if not any(conditions.get(side) for side in SIDES):
        errors["all"] = _("Say who: add a condition.")
    for side in SIDES:
        if len(conditions.get(side, [])) > MOST_CONDITIONS:
            errors[side] = ValidationError(_("At most %(most)d conditions."), params={"most": MOST_CONDITIONS})
    if errors:
        raise ValidationError(errors)
    return stored


def form_of(condition: Any) -> KindForm | None:
    """The form of a condition, filled in; None where it is of no kind."""
    kind = condition.get("kind") if isinstance(condition, Mapping) else None
    return FORMS[AudienceKind(kind)](condition) if kind in set(AudienceKind) else None


def _each(conditions: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Place, Any]]:
    for side in SIDES:
        for position, condition in enumerate(conditions.get(side, [])):
            yield Place(side, position), condition
