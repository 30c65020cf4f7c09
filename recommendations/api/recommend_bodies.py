"""What a request for recommendations may say: the structs that bodies and queries are decoded into."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from recommendations.vector_terms import LikenessBy

MOST_IDS = 1_000
MOST_USERS = 1_000
MOST_SLOTS = 12  # of a page
MOST_BOOSTS = 10
MOST_KEYS = 20  # attributes of a filter
MOST_VALUES = 100  # of an attribute
MOST_LOOKED_UP = 500  # tags and values of attributes, of a whole request

type Id = Annotated[str, Meta(min_length=1, max_length=128)]
type SessionId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        description="Taken, and nothing more: a visit is what the customer or visitor did since the last run "
        "of the loop, the newest first, whatever its session is called. Send user_id or anonymous_id.",
    ),
]
type Ids = Annotated[list[Id], Meta(max_length=MOST_IDS)]
type Text = Annotated[str, Meta(max_length=512)]
type Paths = Annotated[list[Text], Meta(max_length=MOST_IDS)]
type Cursor = Annotated[
    str,
    Meta(
        max_length=8_000, description="`next_cursor` of the answer before: nothing that was shown so far comes again."
    ),
]
type Tags = Annotated[list[Text], Meta(max_length=MOST_VALUES)]
type Key = Annotated[str, Meta(min_length=1, max_length=100)]
type Values = Annotated[list[Text | int | float | bool], Meta(max_length=MOST_VALUES)]
type Rotation = Annotated[
    float,
    Meta(
        ge=0, le=1, description="How far goes down what this customer saw and did not click; as the placement has it."
    ),
]
type Fill = Literal["popular", "none"]
type Proof = Annotated[
    str,
    Meta(
        max_length=128,
        description="With a key in a page: that user_id is signed in there, from `POST /api/v1/identity/`. A server's "
        "word needs none.",
    ),
]
type Field = Literal["product", "score", "reasons", "contributions", "why"]

FIELDS: frozenset[str] = frozenset({"product", "score", "reasons", "contributions"})
"""Parts of an item that are sent where none are asked for; ``why`` has to be."""
WORDS = frozenset({"reasons", "why"})
"""Parts that need reasons."""


class PriceRange(Struct, forbid_unknown_fields=True):
    gte: Decimal | None = None
    lte: Decimal | None = None


class ItemFilter(Struct, forbid_unknown_fields=True):
    """What an item has to be; all that is given holds together. Of a list any value does, of ``attributes`` any value
    of each key. A tag, key or value that the catalogue does not have matches nothing, and is no error.
    """

    price: PriceRange | None = None
    brand: Annotated[list[Text], Meta(max_length=MOST_IDS)] | None = None
    categories: Paths | None = None
    in_stock: bool | None = None
    item_ids: Ids | None = None
    not_brand: Annotated[list[Text], Meta(max_length=MOST_IDS)] = []
    not_categories: Paths = []
    tags: Tags | None = None
    not_tags: Tags = []
    attributes: Annotated[dict[Key, Values], Meta(max_length=MOST_KEYS)] = {}


class BoostOptions(Struct, forbid_unknown_fields=True):
    """What goes up, or below 0 down, in this answer, as by a rule of this strength. ``rules`` of an item name it."""

    filter: ItemFilter
    strength: Annotated[int, Meta(ge=-100, le=100)]
    name: Annotated[str, Meta(max_length=60)] | None = None


class RecommendContext(Struct, forbid_unknown_fields=True):
    """What the customer looks at. To a placement of search results ``item_ids`` are what the shop's search found;
    without them ``search_term`` is looked for. A placement of a category takes ``categories``, else those of the items.
    """

    item_ids: Ids = []
    basket: Ids = []
    categories: Paths = []
    search_term: Text | None = None


class CommonOptions(Struct, forbid_unknown_fields=True):
    """What every body asks for. ``diversity`` defaults to what the placement and its weights have."""

    context: RecommendContext | None = None
    filter: ItemFilter | None = None
    boosts: Annotated[list[BoostOptions], Meta(max_length=MOST_BOOSTS)] = []
    exclude_item_ids: Ids = []
    diversity: Annotated[float, Meta(ge=0, le=1)] | None = None
    rotation: Rotation | None = None
    fallback: Fill = "popular"
    personalise: bool = True
    lang: Annotated[str, Meta(max_length=35)] | None = None
    fields: list[Field] | None = None
    dry_run: bool = False


class RecommendOptions(CommonOptions):
    """What a body asks for at one placement, which says how many items there are where ``n`` does not."""

    n: Annotated[int, Meta(ge=1, le=100)] | None = None


class SlotOptions(Struct, forbid_unknown_fields=True):
    """What a request says of one placement of a page. ``n`` 0 leaves it out."""

    placement: Annotated[str, Meta(min_length=1, max_length=40)]
    n: Annotated[int, Meta(ge=0, le=100)] | None = None


class PageBody(CommonOptions):
    """The body of a request for a page; a placement that ``slots`` does not name is as the page has it; with ``only``
    it is left out.
    """

    user_id: Id | None = None
    anonymous_id: Id | None = None
    session_id: SessionId | None = None
    proof: Proof | None = None
    slots: Annotated[list[SlotOptions], Meta(max_length=MOST_SLOTS)] = []
    only: Annotated[bool, Meta(description="true: the placements of `slots`, and no others of the page.")] = False


class ArmOptions(Struct, forbid_unknown_fields=True):
    """An arm of a running experiment, as answers name it."""

    experiment_id: Annotated[str, Meta(pattern="^e[1-9][0-9]{0,17}$")]
    variation_id: Annotated[str, Meta(pattern="^[a-f]$")]


class RecommendBody(RecommendOptions):
    """The body of a POST. A dry run may ask for the answer of an arm of an experiment, whoever it is for."""

    user_id: Id | None = None
    anonymous_id: Id | None = None
    session_id: SessionId | None = None
    cursor: Cursor | None = None
    proof: Proof | None = None
    experiment: ArmOptions | None = None


class BatchUser(Struct, forbid_unknown_fields=True):
    """The signed-in one counts if both are named."""

    user_id: Id | None = None
    anonymous_id: Id | None = None


class BatchOptions(RecommendOptions, kw_only=True):
    """What many customers get, at one placement."""

    placement: Annotated[str, Meta(min_length=1, max_length=40)]


class BatchBody(BatchOptions, kw_only=True):
    """The body of a batch."""

    users: Annotated[list[BatchUser], Meta(min_length=1, max_length=MOST_USERS)]


class BatchOfRaw(BatchOptions, kw_only=True):
    """Batch as it is read first: a flaw of one customer is theirs alone."""

    users: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_USERS)]


class ItemToItemQuery(Struct, forbid_unknown_fields=True):
    """The query of a GET about an item; those of its fields that are lists may come several times."""

    user_id: Id | None = None
    anonymous_id: Id | None = None
    session_id: SessionId | None = None
    exclude_item_id: Ids = []
    n: Annotated[int, Meta(ge=1, le=100)] | None = None
    diversity: Annotated[float, Meta(ge=0, le=1)] | None = None
    rotation: Rotation | None = None
    fallback: Fill = "popular"
    personalise: bool = True
    lang: Annotated[str, Meta(max_length=35)] | None = None
    fields: list[Field] | None = None
    dry_run: bool = False
    cursor: Cursor | None = None


class SimilarQuery(ItemToItemQuery):
    """The query of a GET of similar items; ``by`` asks for likeness in place of an answer of the placement."""

    by: LikenessBy | None = None


class LikenessQuery(Struct, forbid_unknown_fields=True):
    """The query with ``by``, in which nothing else counts."""

    by: LikenessBy
    n: Annotated[int, Meta(ge=1, le=100)] = 8
    exclude_item_id: Ids = []
    fields: list[Field] | None = None


class RecommendQuery(ItemToItemQuery):
    """The query of a GET."""

    item_id: Ids = []
    basket: Ids = []
    category: Paths = []
    search_term: Text | None = None
    proof: Proof | None = None
