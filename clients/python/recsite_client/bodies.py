"""Bodies that a shop sends. Amounts are texts ("19.90"), times have a time zone; both are made from Python's types."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypedDict

from recsite_client.hints import NotRequired, Unpack
from recsite_client.problems import UnsendableError

Money: TypeAlias = str | Decimal
Time: TypeAlias = str | datetime
Part: TypeAlias = Literal["product", "score", "reasons", "contributions", "why"]


class EventItem(TypedDict):
    item_id: str
    quantity: NotRequired[int]
    price: NotRequired[Money]
    index: NotRequired[int]


class EventContext(TypedDict, total=False):
    channel: str
    page: str
    locale: str
    source: str


class Consent(TypedDict, total=False):
    personalisation: bool
    measure: bool
    marketing: bool


class EventFields(TypedDict, total=False):
    event_id: str
    timestamp: Time
    user_id: str
    anonymous_id: str
    proof: str
    session_id: str
    items: Sequence[EventItem]
    value: Money
    currency: str
    search_term: str
    transaction_id: str
    recommendation_id: str
    rating: float
    rating_scale: float
    progress: float
    target_type: Literal["customer", "brand", "category", "creator", "collection"]
    target_id: str
    context: EventContext
    consent: Consent


class Event(EventFields):
    name: str


class PurposeStatement(TypedDict):
    """What a customer said of a purpose; "given" needs its time and a proof, anything else is of now without one."""

    purpose: Literal["for_you", "reminders", "news"]
    state: Literal["given", "refused", "withdrawn"]
    channel: NotRequired[Literal["email"]]
    at: NotRequired[Time | None]
    proof: NotRequired[Mapping[str, str]]


class ContactFields(TypedDict, total=False):
    """Fields of a contact; None: none. ``confirmed``: you have seen that the address is theirs."""

    email: str | None
    language: str | None
    time_zone: str | None
    confirmed: bool
    consents: Sequence[PurposeStatement]


class ContactEntry(ContactFields):
    user_id: str


class Context(TypedDict, total=False):
    """Context of a request: what the page is about."""

    item_ids: Sequence[str]
    basket: Sequence[str]
    categories: Sequence[str]
    search_term: str


class PriceRange(TypedDict, total=False):
    gte: Money
    lte: Money


class Filter(TypedDict, total=False):
    """What an item has to be: all of it together; of a list any value does, of ``attributes`` any of each key."""

    price: PriceRange
    brand: Sequence[str]
    categories: Sequence[str]
    in_stock: bool
    item_ids: Sequence[str]
    not_brand: Sequence[str]
    not_categories: Sequence[str]
    tags: Sequence[str]
    not_tags: Sequence[str]
    attributes: Mapping[str, Sequence[str | float | bool]]


class Boost(TypedDict):
    """What goes up, or below 0 down, in one answer; ``strength`` -100 to 100, as a rule's."""

    filter: Filter
    strength: int
    name: NotRequired[str]


class CommonWish(TypedDict, total=False):
    """Options of every request: for whom; what is not given is as the placement has it."""

    user_id: str
    anonymous_id: str
    session_id: str
    exclude_item_ids: Sequence[str]
    diversity: float
    rotation: float
    fallback: Literal["popular", "none"]
    personalise: bool
    lang: str
    fields: Sequence[Part]
    dry_run: bool


class BesideWish(CommonWish, total=False):
    """Options of a request about an item: for whom, how many, and after which ones (``next_cursor`` of an answer)."""

    n: int
    cursor: str


class AlikeWish(TypedDict, total=False):
    """Options of a question how alike items are: how many, without which ones, and with which parts."""

    n: int
    exclude_item_ids: Sequence[str]
    fields: Sequence[Part]


class ArmWish(TypedDict):
    """An arm of a running experiment, as answers name it."""

    experiment_id: str
    variation_id: str


class Wish(BesideWish, total=False):
    """Options of a request to a placement: for whom, how many, and what the page is about.

    A dry run may ask for the answer of an arm of an experiment.
    """

    context: Context
    filter: Filter
    boosts: Sequence[Boost]
    experiment: ArmWish
    proof: str  # of a page's key; a server's word needs none


class SlotWish(TypedDict):
    """Options of one placement of a page; ``n`` 0 leaves it out."""

    placement: str
    n: NotRequired[int]


class PageWish(CommonWish, total=False):
    """Options of a request of a whole page; a placement that ``slots`` does not name is as the page has it, and left
    out with ``only``.
    """

    context: Context
    filter: Filter
    boosts: Sequence[Boost]
    slots: Sequence[SlotWish]
    only: bool
    proof: str  # of a page's key; a server's word needs none


class BatchUser(TypedDict, total=False):
    """One of many customers, by either id."""

    user_id: str
    anonymous_id: str


class BatchWish(TypedDict, total=False):
    """Options of a request for many customers, the same for all of them."""

    context: Context
    n: int
    filter: Filter
    boosts: Sequence[Boost]
    exclude_item_ids: Sequence[str]
    diversity: float
    rotation: float
    fallback: Literal["popular", "none"]
    personalise: bool
    lang: str
    fields: Sequence[Part]
    dry_run: bool


class Rating(TypedDict, total=False):
    average: float | None
    count: int | None


class Embedding(TypedDict):
    """A vector of the shop's own; all of a space are of one model."""

    space: str
    values: Sequence[float]


class ItemFields(TypedDict, total=False):
    """Fields of an item; None: unknown. Categories are paths such as "Shoes > Running"."""

    title: str
    description: str | None
    brand: str | None
    categories: Sequence[str] | None
    price: Money | None
    original_price: Money | None
    cost: Money | None
    currency: str | None
    availability: Literal["in_stock", "out_of_stock", "preorder", "backorder"] | None
    available_quantity: int | None
    available_time: Time | None
    expire_time: Time | None
    image_url: str | None
    url: str | None
    tags: Sequence[str] | None
    attributes: Mapping[str, Any] | None
    creator: str | None
    collection: str | None
    number: int | None
    duration: int | None
    published_at: Time | None
    language: str | None
    rating: Rating | None
    kind: Literal["product", "article", "track", "album", "artist", "film", "episode", "series"] | None
    parent_id: str | None
    embedding: Embedding | None


class Item(ItemFields):
    item_id: str


def new_event(name: str, **fields: Unpack[EventFields]) -> Event:
    """An event that has an id and a time of its own: sent twice, it counts once."""
    event: Event = {"event_id": str(uuid.uuid4()), "timestamp": datetime.now(timezone.utc), **fields, "name": name}
    return event


def encoded(body: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8. Raises UnsendableError for what JSON cannot say, such as NaN."""
    try:
        text = json.dumps(body, default=_plain, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UnsendableError(f"This cannot be sent: {error}") from error


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be sent")
