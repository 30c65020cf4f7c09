"""Filters and order of a list, as a form of the address; what makes no sense counts as absent.

A list declares what it takes, with the type that the value has: ``days: int | None = number(most=90)``.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from django import forms
from django.utils.translation import gettext as _

from analytics import parameters
from recommendations.customer_codes import customer_code, customer_key

type Words = Callable[[Any], object]
"""What a filter is called where it is on; a filter without words has no chip."""


class ListFilters(forms.Form):
    """What an address asks for, or ``values`` by the names of the fields; each is an attribute."""

    def __init__(self, address: Mapping[str, Any] | None = None, **values: Any) -> None:
        super().__init__(address or {})
        self.full_clean()
        self.cleaned_data |= values

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            try:
                return self.__dict__["cleaned_data"][name]
            except KeyError as error:
                raise AttributeError(name) from error

    def add_prefix(self, field_name: str) -> str:
        """The parameter of a field."""
        field = self.fields.get(field_name)
        return str(field.label) if field and field.label else field_name

    def replaced(self, **values: Any) -> Self:
        return type(self)(**{**self.cleaned_data, **values})

    def chips(self, **words: Words) -> list[tuple[str, str]]:
        """Parameter and words of every filter that is on; each can be taken off. ``words``: those of this request."""
        named = {name: words.get(name, getattr(field, "words", None)) for name, field in self.fields.items()}
        return [
            (self.add_prefix(name), str(words(self.cleaned_data[name])))
            for name, words in named.items()
            if words and self.cleaned_data[name] not in (None, self.fields[name].initial)
        ]


class _Parameter(forms.Field):
    """A parameter of the address; ``label`` is its name there, where that is not the name of the field."""

    def __init__(
        self, parse: Callable[[str | None], Any], label: str = "", *, usual: Any = None, words: Words | None = None
    ) -> None:
        super().__init__(required=False, label=label, initial=usual)
        self.parse, self.words = parse, words

    def clean(self, value: str | None) -> Any:
        parsed = self.parse(value)
        return self.initial if parsed is None else parsed


def text(
    name: str = "", *, longest: int = 128, words: Words | None = lambda text: _("“%(text)s”") % {"text": text}
) -> Any:
    return _Parameter(lambda value: parameters.typed(value, longest=longest), name, usual="", words=words)


def choice(among: Collection[Any], name: str = "", **more: Any) -> Any:
    """One of these; the values of a mapping are words."""
    named = {"words": among.__getitem__} if isinstance(among, Mapping) else {}
    return _Parameter(lambda value: next((each for each in among if str(each) == value), None), name, **named | more)


def number(name: str = "", *, least: int = 0, most: int = parameters.LARGEST, **more: Any) -> Any:
    def parse(value: str | None) -> int | None:
        parsed = parameters.number(value)
        return parsed if parsed is not None and least <= parsed <= most else None

    return _Parameter(parse, name, **more)


def customer(name: str = "", **more: Any) -> Any:
    """The key of a customer, who stands in the address by the code."""
    return _Parameter(lambda value: customer_key(value or ""), name, **{"words": customer_code} | more)


def day(name: str = "", **more: Any) -> Any:
    return _Parameter(parameters.day, name, **more)


def order(columns: Iterable[str], *, usual: str) -> Any:
    """A column by which the list is sorted, with "-" downwards."""
    return choice([f"{sign}{column}" for column in columns for sign in ("", "-")], usual=usual)


def page() -> Any:
    return _Parameter(parameters.page_number)
