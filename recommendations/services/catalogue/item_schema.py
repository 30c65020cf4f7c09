"""Schema of the items that a shop sends, and decoding of a body of one or of many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, ValidationError

from recommendations.fields import Address, Brand, Count, Id, Language, Money, Path, Rating, Tag, Text, Title, Word
from recommendations.ingest.misfit import misfit, unreadable
from recommendations.ingest.refusal import Refusal, UnreadableError
from recommendations.terms import Availability, ItemKind

MOST_ROWS = 1_000
MOST_PATHS, MOST_TAGS = 50, 100
MOST_VALUES = 1_024  # of a vector
SPACE = "^[a-z0-9][a-z0-9._-]{0,39}$"

type Given[Field] = Field | UnsetType | None
"""A field of changes: the value that it gets, null, or not given."""
type Moment = Annotated[datetime, Meta(tz=True, description="With its time zone; 1990 to 2999.")]


class RatingForm(Struct, forbid_unknown_fields=True):
    """Stars of the shop's own scale, and how many people gave some."""

    average: Rating | None = None
    count: Count | None = None


class EmbeddingForm(Struct, forbid_unknown_fields=True):
    """A vector of the shop's own, in a space that it names: all vectors of a space are of one model."""

    space: Annotated[str, Meta(pattern=SPACE, description="Small letters, digits, `.`, `_` and `-`.")]
    values: Annotated[
        list[float], Meta(min_length=1, max_length=MOST_VALUES, description="Of any length but 0; direction counts.")
    ]


class ItemChanges(Struct, forbid_unknown_fields=True, kw_only=True):
    """Fields of an item that are to be changed; null empties one."""

    title: Title | UnsetType = UNSET
    description: Given[Text] = UNSET
    brand: Given[Brand] = UNSET
    categories: Given[
        Annotated[list[Path], Meta(max_length=MOST_PATHS, description="Those that do not exist are made.")]
    ] = UNSET
    price: Given[Money] = UNSET
    original_price: Given[Annotated[Money, Meta(description="Before a reduction.")]] = UNSET
    cost: Given[Annotated[Money, Meta(description="What the shop pays for it.")]] = UNSET
    currency: Given[Annotated[Word, Meta(description="The shop's, where it is given.")]] = UNSET
    availability: Given[Availability] = UNSET
    available_quantity: Given[Annotated[Count, Meta(description="0: sold out; null: unknown, and so for sale.")]] = (
        UNSET
    )
    available_time: Given[Annotated[Moment, Meta(description="For sale from then on.")]] = UNSET
    expire_time: Given[Annotated[Moment, Meta(description="For sale until then.")]] = UNSET
    image_url: Given[Address] = UNSET
    url: Given[Address] = UNSET
    tags: Given[Annotated[list[Tag], Meta(max_length=MOST_TAGS)]] = UNSET
    attributes: Given[dict[str, Any]] = UNSET
    creator: Given[Annotated[Brand, Meta(description="Who made it: the author, artist or director.")]] = UNSET
    collection: Given[Annotated[Brand, Meta(description="What it is a part of: the album, series or column.")]] = UNSET
    number: Given[Annotated[Count, Meta(description="Its place in the collection, the first is 1.")]] = UNSET
    duration: Given[Annotated[Count, Meta(description="In seconds.")]] = UNSET
    published_at: Given[Annotated[Moment, Meta(description="When it came out.")]] = UNSET
    language: Given[Language] = UNSET
    rating: Given[RatingForm] = UNSET
    kind: Given[ItemKind] = UNSET
    parent_id: Given[Annotated[Id, Meta(description="The item that it is a variant of.")]] = UNSET
    embedding: Given[
        Annotated[EmbeddingForm, Meta(description="Left out, its vectors stay; null takes away those that were sent.")]
    ] = UNSET


class ItemForm(ItemChanges, kw_only=True):
    """A whole item: fields that are not given get their defaults."""

    title: Title


class ItemRowForm(ItemForm, kw_only=True):
    """A whole item of a batch."""

    item_id: Id


class ItemChangesRowForm(ItemChanges, kw_only=True):
    """Changes of one item of a batch."""

    item_id: Id


class ItemBatch(Struct, forbid_unknown_fields=True):
    """Whole items, one row each."""

    items: Annotated[list[ItemRowForm], Meta(min_length=1, max_length=MOST_ROWS)]


class ItemChangesBatch(Struct, forbid_unknown_fields=True):
    """Changes, one row per item."""

    items: Annotated[list[ItemChangesRowForm], Meta(min_length=1, max_length=MOST_ROWS)]


class _RawBatch(Struct, forbid_unknown_fields=True):
    items: Annotated[list[Raw], Meta(min_length=1, max_length=MOST_ROWS)]


class _Named(Struct):
    item_id: str


type RowForm = ItemRowForm | ItemChangesRowForm


@dataclass(frozen=True)
class RefusedRow:
    """A row that is no item, with its id where that can be read."""

    item_id: str | None
    refusal: Refusal


_raw_batch = msgspec.json.Decoder(_RawBatch)
_named = msgspec.json.Decoder(_Named)
_decoders: dict[type[ItemChanges], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (ItemChanges, ItemForm, ItemRowForm, ItemChangesRowForm)
}


def read_one[Form: ItemChanges](body: bytes, kind: type[Form]) -> Form:
    """Read an item. Raises UnreadableError; msgspec's DecodeError, UnicodeDecodeError or RecursionError for no JSON."""
    try:
        form: Form = _decoders[kind].decode(body)
    except ValidationError as error:
        raise UnreadableError(misfit(error)) from error
    return form


def read_batch(body: bytes, kind: type[RowForm]) -> Sequence[RowForm | RefusedRow]:
    """Decode the rows of a batch, each by itself. Raises as ``read_one`` where the body holds no rows."""
    body.decode()
    try:
        rows = _raw_batch.decode(body).items
    except ValidationError as error:
        remedy = _("Send {“items”: [1 to %(most)s items]}.") % {"most": MOST_ROWS}
        raise unreadable(error, rows="items", remedy=remedy) from error
    return [_read_row(raw, _decoders[kind]) for raw in rows]


def _read_row(raw: Raw, decoder: msgspec.json.Decoder[RowForm]) -> RowForm | RefusedRow:
    try:
        return decoder.decode(raw)
    except ValidationError as error:
        return RefusedRow(_name_of(raw), misfit(error))
    except (msgspec.DecodeError, RecursionError):
        text = _("The row is nested too deeply, or a text in it is not valid Unicode.")
        return RefusedRow(None, Refusal("", text))


def _name_of(raw: Raw) -> str | None:
    try:
        return _named.decode(raw).item_id
    except (msgspec.DecodeError, RecursionError):
        return None
