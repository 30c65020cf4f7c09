"""All at which a draft is not of the shape of its form; msgspec alone stops at the first."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAliasType, get_args, get_origin

import msgspec
from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, Struct

from recommendations.ingest.refusal import Refusal
from recommendations.wording.shapes import shape_words


def refusals_of_shape(given: object, kind: Any, pointer: str = "") -> Iterator[Refusal]:
    """Refusals of each value that is not of its kind, with its place."""
    bare, bounds = _bare(kind)
    if isinstance(bare, type) and issubclass(bare, Struct) and isinstance(given, Mapping):
        yield from _of_fields(given, bare, pointer)
    elif get_origin(bare) is dict and isinstance(given, Mapping):
        for name, each in given.items():
            yield from refusals_of_shape(each, get_args(bare)[1], f"{pointer}/{name}")
    elif get_origin(bare) is list and isinstance(given, list):
        for place, each in enumerate(given):
            yield from refusals_of_shape(each, get_args(bare)[0], f"{pointer}/{place}")
        if not _is(given, Annotated[list[Any], bounds]):
            yield Refusal(pointer, shape_words(_field(pointer), given, bare, bounds))
    elif not _is(given, kind):
        yield Refusal(pointer, shape_words(_field(pointer), given, bare, bounds))


def sound[Part: Struct](given: object, part: type[Part], pointer: str, refused: set[str]) -> Part | None:
    """A part of the fields that nothing was refused of; None where one of them has to be there."""
    if not isinstance(given, Mapping):
        return None
    wrong = {each.removeprefix(f"{pointer}/").partition("/")[0] for each in refused if each.startswith(f"{pointer}/")}
    try:
        return msgspec.convert({name: value for name, value in given.items() if name not in wrong}, part)
    except msgspec.ValidationError:
        return None


def _of_fields(given: Mapping[str, Any], part: type[Struct], pointer: str) -> Iterator[Refusal]:
    fields = {field.name: field for field in msgspec.structs.fields(part)}
    for name, field in fields.items():
        if name in given:
            yield from refusals_of_shape(given[name], field.type, f"{pointer}/{name}")
        elif field.required:
            yield Refusal(f"{pointer}/{name}", shape_words(name, UNSET, *_bare(field.type)))
    for name in given.keys() - fields.keys():
        yield Refusal(f"{pointer}/{name}", _("There is no such part of a campaign."))


def _bare(kind: Any) -> tuple[Any, Meta]:
    """A kind without its names and bounds, and its bounds."""
    bounds = Meta()
    while isinstance(kind, TypeAliasType) or get_origin(kind) is Annotated:
        if isinstance(kind, TypeAliasType):
            kind = kind.__value__
        else:
            kind, bounds = get_args(kind)[:2]
    return kind, bounds


def _is(given: object, kind: Any) -> bool:
    try:
        msgspec.convert(given, kind)
    except msgspec.ValidationError:
        return False
    return True


def _field(pointer: str) -> str:
    """The name of the field that a place is in."""
    return next((part for part in reversed(pointer.split("/")) if part and not part.isdigit()), "")
