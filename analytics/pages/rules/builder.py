"""The attribute builder: conditions as a formset, changed by buttons of the form that it is a part of.

Row n of the builder ``items`` is sent as ``items-n-attribute``, ``items-n-was`` (the attribute that its fields were
made for), ``items-n-operator``, ``items-n-values`` (one for each chosen) and ``items-n-typed`` (being typed).
A button ``edit=items:add`` changes the rows and shows them again; without JavaScript with the whole page around them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import parameters
from analytics.queries.rules.values import Value, attribute_words, described
from recommendations.services.rules.attributes import AttributeKind, ConditionError, kind_of, operators_of, problems
from recommendations.services.rules.editing import Matched, matched
from recommendations.wording import labels
from recommendations.wording.rules import condition_problem

MOST_ROWS = 20
MOST_VALUES = 500
LONGEST = 500  # characters of a value
LARGEST = 10**15  # what is beyond is no number of anything

type Row = dict[str, Any]
"""``attribute``, ``operator`` and ``typed`` as texts, ``values`` as a sequence of texts; each may be left out."""


class Builder(StrEnum):
    """A builder of conditions: on the items that the rule acts on, or on an item in view."""

    CONTEXT = "context"
    ITEMS = "items"


UNITS: Mapping[str, str] = {"discount": "percent", "margin": "percent", "price": "money", "listed_days": "days"}
"""Units of attributes; what is a percentage is stored as a share."""


NOTHING: Mapping[str, Promise] = {
    "item": gettext_lazy("No item has this title or id: choose one from the list."),
    "category": gettext_lazy("No category is called this: choose one from the list."),
    "brand": gettext_lazy("No item has this brand: choose one from the list."),
    "": gettext_lazy("No item has this value: choose one from the list."),
}
"""What is said of a typed text that is no value of the attribute."""


class TextField(forms.CharField):
    """Text that is cut and stripped, without what the database does not take."""

    def to_python(self, value: Any) -> str:
        return parameters.typed(value, longest=LONGEST)


class TextsField(forms.Field):
    """Different texts, those that say nothing left out."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> tuple[str, ...]:
        texts = (parameters.typed(text, longest=LONGEST) for text in value or ())
        return tuple(dict.fromkeys(text for text in texts if text))[:MOST_VALUES]


class ConditionForm(forms.Form):
    """A condition as it stands in the form: everything is text. Nothing of it is wrong before its formset says so."""

    attribute = TextField(required=False)
    was = forms.Field(required=False)
    operator = TextField(required=False)
    values = TextsField(required=False)
    typed = TextField(required=False)

    row: Row
    focus = ""  # the field in which one goes on

    def clean(self) -> None:
        """Forget the values of a former attribute."""
        self.row = {name: value for name, value in self.cleaned_data.items() if name != "was"}
        was = self.cleaned_data["was"]
        if was is not None and parameters.typed(was, longest=LONGEST) != self.row["attribute"]:
            self.row |= {"operator": "", "values": (), "typed": "yes" if self.kind is AttributeKind.YES_NO else ""}

    @property
    def kind(self) -> AttributeKind | None:
        return kind_of(self.row["attribute"])

    @property
    def chosen(self) -> tuple[str, ...]:
        """The values, with the one that was typed and not taken over yet."""
        values, typed = self.row["values"], self.row["typed"]
        return values if not typed or typed in values else (*values, typed)

    @property
    def condition(self) -> Row | None:
        """The condition as it is stored, None where nothing was chosen; a number that is none stays text."""
        attribute, operator = self.row["attribute"], self.row["operator"]
        if not attribute and not self.chosen:
            return None
        values = [_stored(attribute, text) for text in self.chosen]
        return {"attribute": attribute, "operator": operator, "values": values}

    @property
    def words(self) -> str:
        return attribute_words(self.row["attribute"])

    @property
    def unit(self) -> str:
        return UNITS.get(self.row["attribute"], "")

    @property
    def operators(self) -> list[tuple[str, str]]:
        names = dict(labels.OPERATORS)
        return [(code, str(names[code])) for code in operators_of(self.row["attribute"])]

    @property
    def described(self) -> list[Value]:
        return described(self.row["attribute"], self.row["values"])

    @property
    def hint(self) -> str:
        if self.row["attribute"] == "item":
            return _("Part of its title, or its id")
        return _("Part of its name") if self.row["attribute"] in {"category", "brand"} else _("Part of it")

    @property
    def nothing(self) -> str:
        """What is said of a typed text that is no value."""
        return str(NOTHING.get(self.row["attribute"], NOTHING[""]))

    def after(self, what: str, argument: str) -> list[Row]:
        """The row after a button ``drop``, ``take`` (what was typed), ``pick:value`` or ``out:place``; one or none."""
        values: Sequence[str] = self.row["values"]
        if what == "drop":
            return []
        if what == "take":
            return [self.row | {"values": self.chosen, "typed": ""}]
        if what == "pick" and argument:
            return [self.row | {"values": [*values, argument], "typed": ""}]
        if what == "out":
            out = parameters.number(argument)
            return [self.row | {"values": [value for place, value in enumerate(values) if place != out]}]
        return [self.row]


if TYPE_CHECKING:
    Conditions = forms.BaseFormSet[ConditionForm]
else:
    Conditions = forms.formset_factory(ConditionForm, extra=0, max_num=MOST_ROWS, absolute_max=MOST_ROWS)


class ConditionFormSet(Conditions):
    """The rows of a builder, which the page sends uncounted and perhaps with gaps."""

    error = ""  # of all rows together

    @classmethod
    def of(cls, rows: Iterable[Row], builder: str) -> Self:
        rows = list(rows)[:MOST_ROWS]
        data = MultiValueDict({f"{builder}-{count}_FORMS": [str(len(rows))] for count in ("TOTAL", "INITIAL")})
        for place, row in enumerate(rows):
            for name, value in row.items():
                data.setlist(f"{builder}-{place}-{name}", [value] if isinstance(value, str) else list(value))
        formset = cls(data, prefix=builder)
        formset.full_clean()
        return formset

    @classmethod
    def sent(cls, data: QueryDict, builder: str) -> Self:
        """Rows in the order of their numbers."""
        pattern = re.compile(rf"{builder}-(\d{{1,4}})-attribute")
        numbers = {int(match.group(1)) for name in data if (match := pattern.fullmatch(name))}
        rows = [
            {name: f"{builder}-{number}-{name}" for name in ConditionForm.base_fields} for number in sorted(numbers)
        ]
        return cls.of(({name: data.getlist(key) for name, key in row.items() if key in data} for row in rows), builder)

    @classmethod
    def stored(cls, conditions: Iterable[Mapping[str, Any]], builder: str) -> Self:
        return cls.of((_row(condition) for condition in conditions), builder)

    @property
    def conditions(self) -> list[Row]:
        """Conditions as they are stored, without the rows in which nothing was chosen."""
        return [form.condition for form in self.forms if form.condition]

    @property
    def problems(self) -> dict[int, ConditionError]:
        """Errors of the conditions, by row."""
        full = [place for place, form in enumerate(self.forms) if form.condition]
        return {full[at]: error for at, error in problems(self.conditions).items()}

    @property
    def complaints(self) -> int:
        return bool(self.error) + sum(bool(form.errors) for form in self.forms)

    @cached_property
    def matched(self) -> Matched | None:
        """The items that match; None without rows, or where a condition means nothing or is complained of."""
        if not self.forms or any(form.errors for form in self.forms):
            return None
        try:
            return matched(self.conditions)
        except ConditionError:
            return None

    def check(self, error: str | None = None) -> None:
        """Put what is wrong at its field; what is missing only after an attempt to save, which has an ``error``."""
        for place, problem in self.problems.items():
            if error is not None or problem.code != "missing":
                words = condition_problem(problem.position, problem.field, problem.code)
                self.forms[place].add_error(problem.field, words)
        self.error = "" if self.complaints else error or ""

    def after(self, command: str) -> "ConditionFormSet":
        """The rows after a button as ``items:add`` or ``items:pick:0:value``; where one goes on has the focus."""
        builder, what, number, argument = (*command.split(":", 3), "", "", "", "")[:4]
        at = parameters.number(number)
        if builder != self.prefix or (what != "add" and at is None):
            return self
        rows = [[form.row] if place != at else form.after(what, argument) for place, form in enumerate(self.forms)]
        added: list[list[Row]] = [[{}]] if what == "add" else []
        after = ConditionFormSet.of(chain.from_iterable(rows + added), self.prefix)
        if added:
            after.forms[-1].focus = "attribute"
        elif after.forms:
            after.forms[min(at or 0, len(after.forms) - 1)].focus = "values"
        return after


def is_builder(name: str) -> bool:
    """Whether a builder is called so: one of a rule, or the items of a row of an audience."""
    return name in set(Builder) or re.fullmatch(r"row-\d{1,3}-items", name) is not None


def _row(condition: Mapping[str, Any]) -> Row:
    """The row that shows a stored condition."""
    attribute = str(condition.get("attribute", ""))
    values = [_as_typed(attribute, value) for value in condition.get("values", ())]
    return {"attribute": attribute, "operator": str(condition.get("operator", "")), "values": values}


def _stored(attribute: str, text: str) -> str | float | int:
    if kind_of(attribute) is not AttributeKind.NUMBER:
        return text
    try:
        number = Decimal(text.replace("−", "-"))
    except InvalidOperation:
        return text
    if not number.is_finite() or number.copy_abs() > LARGEST:
        return text
    number = number / 100 if UNITS.get(attribute) == "percent" else number
    return int(number) if number == int(number) else float(number)


def _as_typed(attribute: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if UNITS.get(attribute) != "percent":
        return str(value)
    try:
        return f"{(Decimal(str(value)) * 100).normalize():f}"
    except InvalidOperation:
        return str(value)
