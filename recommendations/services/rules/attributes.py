"""Vocabulary of a rule's conditions, as an editor offers it: attributes of items, comparisons, own keys."""

from collections.abc import Iterable, Mapping
from typing import Any

from recommendations.models import Item
from recommendations.store.rules.conditions import (
    ATTRIBUTES,
    OPERATORS,
    OWN,
    AttributeKind,
    ConditionError,
    FrozenRule,
    check,
    frozen,
    kind_of,
    matching,
)
from recommendations.terms import Operator

__all__ = [
    "OWN", "AttributeKind", "ConditionError", "FrozenRule", "attributes", "frozen", "kind_of", "matching",
    "operators_of", "problems",
]  # fmt: skip

LOOKED_AT = 500  # items, the last that came in, whose own attributes are offered


def attributes() -> list[str]:
    """Attributes that every item has, then the keys that the shop gave its latest items itself."""
    latest = Item.objects.order_by("-pk").values_list("attributes", flat=True)[:LOOKED_AT]
    own = {key for given in latest if isinstance(given, dict) for key in given}
    return [*ATTRIBUTES, *(OWN + key for key in sorted(own))]


def operators_of(attribute: str) -> tuple[Operator, ...]:
    """Comparisons of the attribute; none where there is no such attribute."""
    kind = kind_of(attribute)
    return OPERATORS[kind] if kind else ()


def problems(conditions: Iterable[Mapping[str, Any]]) -> dict[int, ConditionError]:
    """Errors of conditions, by position; a value that the catalogue does not know is one, too."""
    errors = {}
    for position, condition in enumerate(conditions):
        try:
            check([condition])
        except ConditionError as error:
            errors[position] = ConditionError(position, error.field, error.code)
    return errors
