"""What somebody else saved while a form was open: merged where it is something else, shown where it is the same field.

Beside each field of such a form stands the value that was there when it was opened (``show_hidden_initial``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from analytics.queries.last_change import last_change
from analytics.templatetags.activity import field_text, field_words


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field that two people set differently, in words."""

    words: str
    theirs: str
    mine: str


class StaleFormError(Exception):
    """Somebody else saved other values; ``over`` is what the form has to send to be saved over them."""

    def __init__(self, kind: str, key: int, differences: Sequence[Difference], over: str) -> None:
        super().__init__(f"{kind} {key} was changed by somebody else")
        self.kind, self.key, self.differences, self.over = kind, key, differences, over

    def in_words(self) -> dict[str, Any]:
        """What the page shows of it."""
        who, at = last_change(self.kind, self.key)
        return {"who": who, "at": at, "differences": self.differences, "over": self.over}


def changed_meanwhile(form: forms.BaseForm, fresh: forms.BaseForm) -> list[str]:
    """Fields that hold another value in ``fresh`` than when the form was opened."""
    return [name for name, field in form.fields.items() if _seen_otherwise(form[name], field, fresh[name].initial)]


def check_stale(kind: str, key: int, *, theirs: Mapping[str, Any], mine: Mapping[str, Any], over: str | None) -> None:
    """Refuse to save ``mine`` over ``theirs``, values of the same fields. Raises StaleFormError."""
    differing = [name for name in theirs if theirs[name] != mine[name]]
    differences = [
        Difference(
            words=field_words(kind, name),
            theirs=field_text(kind, name, theirs[name]),
            mine=field_text(kind, name, mine[name]),
        )
        for name in differing
    ]
    token = "|".join(f"{each.words}={each.theirs}" for each in differences)
    if differences and over != token:
        raise StaleFormError(kind, key, differences, token)


def _seen_otherwise(bound: forms.BoundField, field: forms.Field, stored: Any) -> bool:
    if bound.html_initial_name not in bound.form.data:
        return False
    try:
        seen = field.to_python(bound.form.data[bound.html_initial_name])
    except ValidationError:
        return True
    return field.has_changed(
        *(each.replace("\r\n", "\n") if isinstance(each, str) else each for each in (seen, stored))
    )
