"""The form of an item: its fields, its categories and its attributes as rows.

Beside each field stands the value that was there when the form was opened: what a reader did not touch is not changed,
even where somebody else has changed it meanwhile.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.pages.meanwhile import changed_meanwhile
from analytics.parameters import typed
from analytics.templatetags.display import number
from recommendations.fields import LONGEST_TAG, LONGEST_TEXT
from recommendations.models import Category, Item
from recommendations.services.catalogue.item_checks import BrokenRuleError, checked_column
from recommendations.services.catalogue.refused_rows import REASONS

if TYPE_CHECKING:
    OfItem = forms.ModelForm[Item]
else:
    OfItem = forms.ModelForm

MOST_ROWS = 100
LONGEST_NAME, LONGEST_VALUE, LONGEST_PATH = 100, 2_000, 500
GROUPS = {
    "what": ("title", "brand", "description", "tags"),
    "sale": (
        "price", "original_price", "cost", "availability", "available_quantity", "available_at", "expires_at",
    ),
    "shop": ("image_url", "url", "parent"),
    "work": ("kind", "creator", "collection", "number", "duration", "published_at", "language"),
}  # fmt: skip
YES, NO = gettext_lazy("yes"), gettext_lazy("no")


@dataclass(frozen=True, kw_only=True)
class FormRow:
    """A row of the form: a category (``text``), or an attribute (``name``, ``text``); ``was``: what it held before."""

    name: str = ""
    text: str = ""
    was: tuple[str, str] = ("", "")
    error: str = ""


class ItemEditor(OfItem):
    tags = forms.CharField(
        label=gettext_lazy("tags"), required=False, widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("One per line."),
    )  # fmt: skip
    parent = forms.CharField(
        label=gettext_lazy("variant of"), required=False, max_length=128,
        help_text=gettext_lazy("The id of the item that this one is a size or colour of."),
    )  # fmt: skip

    class Meta:
        model = Item
        fields = tuple(name for names in GROUPS.values() for name in names)

    def __init__(self, data: QueryDict | None = None, *, instance: Item) -> None:
        initial = {"tags": "\n".join(instance.tags), "parent": instance.parent.shop_id if instance.parent else ""}
        super().__init__(data, instance=instance, initial=initial, label_suffix="")
        self.fields["description"] = forms.CharField(
            label=self.fields["description"].label, required=False, max_length=LONGEST_TEXT,
            widget=forms.Textarea({"rows": 4}),
        )  # fmt: skip
        for name in ("available_at", "expires_at", "published_at"):
            self.fields[name].widget = forms.DateTimeInput(
                {"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"
            )
        for name in ("price", "original_price", "cost"):  # their limits are checked as those of the API
            self.fields[name] = forms.DecimalField(label=self.fields[name].label, required=False)
        for name, field in self.fields.items():
            field.show_hidden_initial = True
            field.error_messages |= _own_words(name, field)
        self.stored_attributes: Mapping[str, Any] = instance.attributes if isinstance(instance.attributes, dict) else {}
        self.categories = self._category_rows()
        self.attributes = self._attribute_rows()

    def groups(self) -> dict[str, list[forms.BoundField]]:
        return {group: [self[name] for name in names] for group, names in GROUPS.items()}

    def clean_tags(self) -> list[str]:
        lines = (line.strip() for line in str(self.cleaned_data["tags"]).splitlines())
        tags = list(dict.fromkeys(line for line in lines if line))
        if any(len(tag) > LONGEST_TAG for tag in tags):
            raise forms.ValidationError(_("A tag has at most %(most)s characters.") % {"most": LONGEST_TAG})
        return tags

    def clean_parent(self) -> Item | None:
        shop_id = typed(str(self.cleaned_data["parent"]), longest=128)
        if not shop_id:
            return None
        if shop_id == self.instance.shop_id:
            raise forms.ValidationError(_("An item cannot be a variant of itself."))
        parent = Item.objects.filter(shop_id=shop_id).first()
        if parent is None:
            raise forms.ValidationError(_("No item has the id “%(id)s”.") % {"id": shop_id})
        return parent

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        start, end = given.get("available_at"), given.get("expires_at")
        if start and end and end <= start:
            self.add_error("expires_at", _("It must be later than the start."))
        given |= self._as_by_api(given)
        self.categories, categories = self._checked_categories()
        self.attributes, attributes = self._checked_attributes()
        if any(row.error for row in (*self.categories, *self.attributes)):
            raise forms.ValidationError("", code="rows")  # the rows say it
        return {**given, "categories": categories, "attributes": attributes}

    def _as_by_api(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Values that were typed over, as the catalogue stores them; what the API would refuse is refused here."""
        checked = dict[str, Any]()
        for name in (given.keys() & self.changed_data) - {"parent"}:
            try:
                checked[name] = checked_column(name, given[name])
            except BrokenRuleError as error:
                self.add_error(name, error.refusal.reason)
        return checked

    def faults(self) -> int:
        """How many fields and rows say what is wrong with them."""
        rows = sum(bool(row.error) for row in (*self.categories, *self.attributes))
        return rows + len(self.errors.keys() - {NON_FIELD_ERRORS})

    def other_errors(self) -> list[str]:
        """Errors of the form as a whole."""
        return [str(text) for error in self.non_field_errors().as_data() if error.code != "rows" for text in error]

    def meanwhile(self, fresh: "ItemEditor") -> list[str]:
        """Fields that somebody else has saved since the form was opened; ``fresh`` is the form of what is stored."""
        rows = {"categories": (self.categories, fresh.categories), "attributes": (self.attributes, fresh.attributes)}
        seen = [name for name, (mine, theirs) in rows.items() if _rows_seen(mine) != _rows_seen(theirs)]
        return [*changed_meanwhile(self, fresh), *seen]

    def changes(self) -> dict[str, Any]:
        """What the reader changed, and nothing else."""
        named = {name: self.cleaned_data[name] for name in self.changed_data}
        if any((row.name, row.text) != row.was for row in self.categories):
            named["categories"] = self.cleaned_data["categories"]
        if any((row.name, row.text) != row.was for row in self.attributes):
            named["attributes"] = self.cleaned_data["attributes"]
        return named

    def add_row(self, kind: str) -> None:
        """Offer one more row; what was typed stays."""
        rows = {"category": self.categories, "attribute": self.attributes}.get(kind, [])
        if len(rows) < MOST_ROWS:
            rows.append(FormRow())

    # --- Rows

    def _category_rows(self) -> list[FormRow]:
        if self.is_bound:
            return [FormRow(text=text, was=("", was)) for text, was in self._sent("category", "was_category")]
        paths = self.instance.categories.values_list("path", flat=True) if self.instance.pk else ()
        return [FormRow(text=path, was=("", path)) for path in paths] + [FormRow()]

    def _attribute_rows(self) -> list[FormRow]:
        if self.is_bound:
            sent = self._sent("attribute", "value", "was_attribute", "was_value")
            return [FormRow(name=name, text=text, was=(had, was)) for name, text, had, was in sent]
        written = [(name, as_text(value)) for name, value in sorted(self.stored_attributes.items())]
        return [FormRow(name=name, text=text, was=(name, text)) for name, text in written] + [FormRow()]

    def _sent(self, *names: str) -> list[tuple[str, ...]]:
        sent = self.data if isinstance(self.data, QueryDict) else QueryDict()
        columns = [sent.getlist(name)[:MOST_ROWS] for name in names]
        longest = LONGEST_PATH if names[0] == "category" else LONGEST_VALUE
        return [tuple(typed(text, longest=longest) for text in row) for row in zip(*columns, strict=False)]

    def _checked_categories(self) -> tuple[list[FormRow], list[Category]]:
        there = Category.objects.in_bulk([row.text for row in self.categories if row.text], field_name="path")
        gone = _("There is no such category. Choose one from the list.")
        rows = [
            FormRow(text=row.text, was=row.was, error=gone if row.text and row.text not in there else "")
            for row in self.categories
        ]
        return rows, list(there.values())

    def _checked_attributes(self) -> tuple[list[FormRow], dict[str, Any]]:
        rows, values = [], dict[str, Any]()
        for row in self.attributes:
            error = ""
            if row.text and not row.name:
                error = _("Give the attribute a name.")
            elif len(row.name) > LONGEST_NAME:
                error = _("At most %(most)s characters.") % {"most": LONGEST_NAME}
            elif row.name in values:
                error = _("There is a row with this name already.")
            elif row.name and row.text:
                values[row.name], error = self._value(row)
            rows.append(FormRow(name=row.name, text=row.text, was=row.was, error=error))
        return rows, values

    def _value(self, row: FormRow) -> tuple[Any, str]:
        """The value of a row, of the kind that it had; and what is wrong with it."""
        had = self.stored_attributes.get(row.was[0])
        if had is not None and row.text == row.was[1]:
            return had, ""
        if row.name != row.was[0] or not isinstance(had, bool | int | float | list | dict):
            return row.text, ""
        return _as_before(row.text, had)


def _own_words(name: str, field: forms.Field) -> dict[str, str]:
    """Errors of a field in our words where Django's name no limit, or in words of its own."""
    if name in (whole := {"available_quantity": "not_a_stock", "number": "not_a_count", "duration": "not_a_count"}):
        return dict.fromkeys(("invalid", "min_value", "max_value"), str(REASONS[whole[name]]))
    if isinstance(field, forms.DecimalField):
        return {"invalid": str(REASONS["not_a_number"])}
    longest = getattr(field, "max_length", None)
    return {"max_length": _("At most %(most)s characters.") % {"most": number(longest)}} if longest else {}


def _rows_seen(rows: Sequence[FormRow]) -> list[tuple[str, str]]:
    """What the rows held when the form was opened."""
    return sorted(row.was for row in rows if any(row.was))


def as_text(value: Any) -> str:
    """A value of an attribute as a person writes it."""
    if isinstance(value, bool):
        return str(YES if value else NO)
    if isinstance(value, list) and all(isinstance(each, str) and "," not in each for each in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_before(text: str, had: bool | float | Sequence[Any] | Mapping[str, Any]) -> tuple[Any, str]:  # noqa: FBT001
    if isinstance(had, bool):
        known = {str(YES): True, "true": True, str(NO): False, "false": False}
        return known.get(text.lower()), "" if text.lower() in known else _("Write yes or no.")
    if isinstance(had, list) and as_text(had)[:1] != "[":
        return [each.strip() for each in text.split(",") if each.strip()], ""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        value = None
    if isinstance(had, int | float):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value, "" if is_number else _("Not a number. Use a format like 19.90.")
    return value, "" if isinstance(value, type(had)) else _("Keep this format: %(example)s") % {
        "example": as_text(had)[:60]
    }


def _refuse(text: str) -> None:
    """NaN and infinity are no JSON, and PostgreSQL takes neither."""
    raise ValueError(text)
