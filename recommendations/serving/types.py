"""Types of the requests to a placement and of the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from msgspec import Struct

from recommendations.engine.ranking.selection import IneligibleReason
from recommendations.store.serving.snapshot import ServedArm, ServedWeights
from recommendations.store.serving.stock import Product as Product
from recommendations.terms import Cut, Fallback, Reason, Source, Way

type Fact = str | int | float


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Filter that leaves only items like these; None does not ask."""

    price_from: Decimal | None = None
    price_to: Decimal | None = None
    brands: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None  # whole paths; what lies under them counts, too
    in_stock: bool | None = None
    items: tuple[str, ...] | None = None  # only these, by the shop's ids
    not_brands: tuple[str, ...] = ()
    not_categories: tuple[str, ...] = ()
    tags: tuple[str, ...] | None = None  # any of them
    not_tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()  # key → any of these values; all keys together


@dataclass(frozen=True, kw_only=True)
class AskedBoost:
    """A boost of one request: what its filter leaves goes up or down, as by a rule of this strength."""

    filter: Filter
    strength: int  # −100 … 100
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class ResolvedRequest:
    """A request by primary keys. None for n and diversity: as the placement and its weights have it."""

    placement: str
    customer: int | None = None
    context_items: tuple[int, ...] = ()
    basket: tuple[int, ...] = ()
    exclude_items: tuple[int, ...] = ()
    before: tuple[int, ...] = ()  # shown on the pages before this one
    found_items: tuple[int, ...] = ()  # by the shop's search; ``scope.resolved`` fills it in
    categories: tuple[str, ...] = ()  # whole paths
    search_term: str = ""
    n: int | None = None
    personalise: bool = True
    fill: bool = True  # with what is popular, where there are too few candidates
    explain: bool = True
    filter: Filter | None = None
    boosts: tuple[AskedBoost, ...] = ()
    diversity: float | None = None
    rotation: float | None = None  # in the place of the placement's fatigue
    cut: Cut = Cut.LIVE
    explore: bool = True
    ranks: bool = True  # a part of the shop; otherwise its items are as good as one another, and nothing is scored
    folded: bool = False  # from the history up to the moment of asking, scored anew, and not from the stored record
    recommendation_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request in the shop's own ids; the fields are those of ``ResolvedRequest``."""

    placement: str
    user_id: str | None = None
    anonymous_id: str | None = None
    item_ids: tuple[str, ...] = ()
    basket: tuple[str, ...] = ()
    exclude_item_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    search_term: str = ""
    n: int | None = None
    personalise: bool = True
    fill: bool = True
    explain: bool = True
    filter: Filter | None = None
    boosts: tuple[AskedBoost, ...] = ()
    diversity: float | None = None
    rotation: float | None = None
    dry_run: bool = False
    cursor: str = ""  # of the answer before: ``cursor.packed``
    experiment: tuple[int, int] | None = None  # of a dry run: key, and position of the arm to answer under

    def __hash__(self) -> int:
        """Hash of the fields, worked out once: kept answers are looked up by requests that come again and again."""
        own: int | None = self.__dict__.get("_hash")
        if own is None:
            own = self.__dict__["_hash"] = hash(tuple(self.__dict__.values()))
        return own


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """A request of a whole page: ``shared`` is what all slots ask for, whatever placement and n it names."""

    name: str
    shared: Request
    counts: tuple[tuple[str, int | None], ...] = ()  # placement, items; None: as the page has it, 0: not at all
    only: bool = False  # the placements of ``counts``


class ShownReason(Struct, frozen=True, kw_only=True):
    """A reason: code and evidence (ids of the shop, names, numbers) are the contract; words are made of them."""

    code: Reason
    evidence: Mapping[str, Fact]


class Shown(Struct, frozen=True, kw_only=True):
    item: int
    product: Product
    rank: int
    score: float
    final: float
    contributions: Mapping[str, float]  # instance → its part; they add up to the score
    reasons: tuple[ShownReason, ...]
    propensity: float
    source: Source
    place: int = -1  # in the ranking, 0 = first, before anything was explored; −1: filled up
    fixed: bool = False  # rules hold its slot, and exploration leaves it
    boosts: Mapping[int, float] = {}  # key of a rule, or of a boost of the request (below 0) → what it adds
    fatigue: float = 0.0  # what it loses as it was shown before and not clicked
    ignored: int = 0  # how often it was
    diversity: float = 0.0  # final = score + fatigue + boosts + diversity
    rules: tuple[int, ...] = ()  # keys of those that acted on it
    promised: bool = False  # a new item, in a slot that it was promised


@dataclass(frozen=True, kw_only=True)
class Trace:
    """How many candidates went into each step and came out."""

    candidates: int = 0
    eligible: int = 0
    lost: Mapping[IneligibleReason, int] = field(default_factory=dict)
    tired: int = 0  # of the eligible: how many go down as they were shown before and not clicked
    diversified: int = 0
    explored: int = 0
    ruled: Mapping[int, int] = field(default_factory=dict)  # key of a rule → items that it acted on
    filled: Mapping[Source, int] = field(default_factory=dict)
    silent: tuple[str, ...] = ()  # instances without anything to say about any candidate
    missing: tuple[str, ...] = ()  # instances with a weight that the model does not have


@dataclass(frozen=True, kw_only=True)
class Answer:
    recommendation_id: str
    placement: str
    model_version: int | None
    weights: ServedWeights | None
    rules_version: int  # number of the book of rules; 0 before the first
    personalised: bool
    source: Source
    fallback_reason: Fallback | None
    shown: tuple[Shown, ...]
    trace: Trace
    way: Way = Way.AS_RANKED
    nameless: bool = False  # nothing about the customer may be written down
    customer: int | None = None  # who may be given links of their own; None: a stranger, or as one
    arms: tuple[ServedArm, ...] = ()  # of experiments, under which it was made
    missing_item_ids: tuple[str, ...] = ()
    rule_names: Mapping[int, str] = field(default_factory=dict)  # of the rules that acted, by key
    next_cursor: str | None = None  # of the next page; None: there is none

    @property
    def weights_version(self) -> int | None:
        return self.weights.version if self.weights else None
