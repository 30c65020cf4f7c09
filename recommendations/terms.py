"""Codes of the domain's terms; ``wording/labels.py`` says what each is called on a page."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

PATH_SEPARATOR = " > "
"""Separator of the levels in a category's path."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a text that a spreadsheet takes for a formula; our files put an apostrophe before it."""


class ItemKind(StrEnum):
    PRODUCT = "product"
    ARTICLE = "article"
    TRACK = "track"
    ALBUM = "album"
    ARTIST = "artist"
    FILM = "film"
    EPISODE = "episode"
    SERIES = "series"


class Availability(StrEnum):
    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    BACKORDER = "backorder"


class CustomerKind(StrEnum):
    """How the shop knew the customer: by a signed-in id or by an anonymous one."""

    SIGNED_IN = "signed_in"
    ANONYMOUS = "anonymous"


class Side(StrEnum):
    """Where an API key stands: in a page, which everybody can read, or on a server of the shop."""

    PAGE = "page"
    SERVER = "server"


class Trust(IntEnum):
    """Whose word an event is, the least believed first."""

    PAGE = 0  # anybody's who has opened the shop
    PROVEN = 1  # a page's, with a proof by the shop of who is signed in
    SERVER = 2
    IMPORT = 3


class SuspicionRule(StrEnum):
    """Why events were set aside."""

    TWINS = "twins"  # people who share, pair by pair, what chance would not bring together
    RUSH = "rush"  # items that more unconfirmed people ask for than the confirmed bear out
    PACE = "pace"  # people who act like clockwork
    STAFF = "staff"  # somebody decided so


class QuarantineState(StrEnum):
    ASIDE = "aside"  # nothing is learned from it
    RESTORED = "restored"
    DELETED = "deleted"


class Stage(StrEnum):
    """The six stages of the loop, in order."""

    COLLECT = "collect"
    PREPROCESS = "preprocess"
    INTERESTS = "interests"
    TRAIN = "train"
    EVALUATE = "evaluate"
    ADJUST = "adjust"


class Cut(StrEnum):
    """End of a training history. Weights come from *tuning*, figures from *test*, answers from *live*, never mixed."""

    TUNING = "tuning"
    TEST = "test"
    LIVE = "live"


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class VersionStatus(StrEnum):
    BUILDING = "building"
    READY = "ready"
    DISCARDED = "discarded"


class BlendName(StrEnum):
    """Names of the blends, a weight vector each; the first two rank for a customer, the others for a context of items.

    The context of ``session`` is what a visitor did a moment ago.
    """

    HOME = "home"
    DISCOVER = "discover"
    ITEM = "item"
    CART = "cart"
    SESSION = "session"


class Task(StrEnum):
    """Task of an evaluation: predict purchases, repeats allowed (home) or never bought before (discover)."""

    HOME = "home"
    DISCOVER = "discover"


TASKS: Mapping[Task, BlendName] = {Task.HOME: BlendName.HOME, Task.DISCOVER: BlendName.DISCOVER}
"""The blend that each task evaluates."""


def task_of(blend: BlendName) -> Task | None:
    """The task that evaluates a blend; None for blends of items in view, which have no truth."""
    return next((task for task, name in TASKS.items() if name is blend), None)


class Repeat(StrEnum):
    ALLOW = "allow"
    EXCLUDE = "exclude"
    ONLY = "only"


class Variants(StrEnum):
    ONE = "one"  # a placement shows one tile for a product: the variant that ranks best
    EACH = "each"  # and here one for each variant


class CatalogueScope(StrEnum):
    """Part of the shop's catalogue that a placement shows."""

    WHOLE = "whole"
    CATEGORY = "category"  # what lies under the categories of the request
    FOUND = "found"  # what the shop's search found, else what matches its term
    NEWEST = "newest"
    FOLLOWED = "followed"  # of what the customer follows, brands to collections, the newest first
    BEGUN = "begun"  # what the customer began and has not finished, and the next episode of a series


class WeightsStatus(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    PUBLISHED = "published"


class Source(StrEnum):
    """Where an answer came from, said honestly."""

    MODEL = "model"
    SESSION = "session"
    SEGMENT = "segment"
    POPULAR = "popular"
    NEWEST = "newest"
    NONE = "none"


class Way(IntEnum):
    """Way in which an answer was shown."""

    AS_RANKED = 0
    SHUFFLED = 1  # neighbours changed places
    CARDS = 2  # one of the last slots shows an item from further down


class ExperimentKind(StrEnum):
    AB = "ab"
    AA = "aa"  # twice the same, to see that nothing is found
    BANDIT = "bandit"  # shares follow what is seen, day by day


class ExperimentStatus(StrEnum):
    DRAFT = "draft"
    STARTING = "starting"  # a worker measures the past
    RUNNING = "running"
    PAUSED = "paused"  # everybody gets what is served
    STOPPED = "stopped"
    SHIPPED = "shipped"  # its winner was published


class Metric(StrEnum):
    """Quantities that an experiment compares, per person unless it is a ratio."""

    REVENUE = "revenue"  # of all purchases after the first answer, less what was given back
    CONVERTED = "converted"  # bought at all
    ORDERS = "orders"
    ITEMS_PER_BASKET = "items_per_basket"
    BASKET_VALUE = "basket_value"
    CTR = "ctr"  # lists clicked of those seen
    ATTRIBUTED = "attributed"  # revenue tied to lists of these placements
    REFUNDS = "refunds"  # refunded of paid
    FALLBACK = "fallback"  # answers that did not come from the model
    LATENCY = "latency"  # milliseconds per answer
    DISLIKES = "dislikes"
    COVERAGE = "coverage"  # different items in equally many answers of each arm


class Fallback(StrEnum):
    """Why an answer, or the end of it, does not come from the model."""

    NO_MODEL = "no_model"  # no run of the loop has finished yet
    NOT_PERSONALISED = "not_personalised"  # the shop asked for it, or the customer objected
    NO_HISTORY = "no_history"
    NO_CONTEXT = "no_context"  # the placement needs an item, and none was given that the model knows
    SILENT = "silent"  # no recommender with a weight has anything to say
    SHORT = "short"  # too few candidates may be shown
    UNKNOWN_CATEGORY = "unknown_category"  # the catalogue has none of those that were given
    NOTHING_FOLLOWED = "nothing_followed"  # or nothing of it may be shown
    NOTHING_BEGUN = "nothing_begun"  # or all of it was finished, and no part comes next
    NO_MATCH = "no_match"  # no item has a word of the search term
    NO_LIVE_STATE = "no_live_state"  # neither Valkey nor PostgreSQL can tell what the customer did lately


class Reason(StrEnum):
    BOUGHT_BEFORE = "bought_before"
    BECAUSE_YOU_BOUGHT = "because_you_bought"
    BECAUSE_YOU_VIEWED = "because_you_viewed"
    BOUGHT_TOGETHER = "bought_together"
    YOU_BUY_TOGETHER = "you_buy_together"
    BOUGHT_NEXT = "bought_next"
    SIMILAR_CUSTOMERS = "similar_customers"
    SIMILAR_ITEM = "similar_item"
    INTEREST = "interest"
    SEGMENT = "segment"
    POPULAR = "popular"
    PROMOTED = "promoted"
    NEW = "new"
    FOLLOWING = "following"
    STATED = "stated"  # the person said so
    FOLLOWED = "followed"  # a brand, a category, a creator or a collection
    BEGUN = "begun"
    NEXT_PART = "next_part"


class MeasuredKind(StrEnum):
    HYBRID = "hybrid"
    RECOMMENDER = "recommender"
    BASELINE = "baseline"


class SliceKind(StrEnum):
    """Criterion by which an evaluation divides its customers."""

    ACTIVITY = "activity"
    SEGMENT = "segment"
    DEPARTMENT = "department"
    NEW_ITEMS = "new_items"


class Activity(StrEnum):
    COLD = "cold"
    WARM = "warm"
    HEAVY = "heavy"


class GateOutcome(StrEnum):
    """Decision of the gate: whether a new configuration may go live."""

    PASSED = "passed"
    WORSE = "worse"  # than something that it would replace: certain, and not negligible
    UNMEASURED = "unmeasured"  # nobody with a history bought anything in the test window


class ApprovalState(StrEnum):
    """Where a request to publish a draft stands."""

    WAITING = "waiting"
    PUBLISHED = "published"
    RETURNED = "returned"  # with what is to be done
    WITHDRAWN = "withdrawn"  # by whoever asked


class Scope(StrEnum):
    """What an API key may do. In a page may stand ``events:write``, whose word proves little, and with named origins
    ``recommendations:read``, which is told of nobody what they did, and ``push:subscribe``, which takes a browser for
    nobody but its visitor without a proof.
    """

    EVENTS_WRITE = "events:write"
    EVENTS_REPLAY = "events:replay"
    IDENTITY_PROVE = "identity:prove"
    RECOMMENDATIONS_READ = "recommendations:read"
    CATALOGUE_WRITE = "catalogue:write"
    CUSTOMERS_WRITE = "customers:write"
    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    CAMPAIGNS_TRIGGER = "campaigns:trigger"
    PUSH_SUBSCRIBE = "push:subscribe"
    PRIVACY_WRITE = "privacy:write"
    METRICS_READ = "metrics:read"


class Role(StrEnum):
    VIEWER = "viewer"
    MERCHANDISER = "merchandiser"
    PUBLISHER = "publisher"
    CATALOGUE_ADMIN = "catalogue_admin"
    ADMIN = "admin"


class RuleAction(StrEnum):
    """What a rule does with the items that it matches; they act in this order."""

    EXCLUDE = "exclude"
    INCLUDE_ONLY = "include_only"
    PIN = "pin"
    BOOST = "boost"  # a negative strength buries
    CAP = "cap"  # at most so many of one brand or category
    MINIMUM_SHARE = "minimum_share"


class CapPer(StrEnum):
    """Group within which a cap counts items."""

    BRAND = "brand"
    CATEGORY = "category"
    ALL = "all"  # of what the rule matches


class RuleStatus(StrEnum):
    """Status of a rule; ``CHANGED`` is served in its last published form while a draft of it waits."""

    DRAFT = "draft"
    CHANGED = "changed"
    SCHEDULED = "scheduled"
    LIVE = "live"
    EXPIRED = "expired"
    ARCHIVED = "archived"


class Operator(StrEnum):
    """How a condition compares an attribute of an item with its values; several values are alternatives."""

    IS = "is"
    IS_NOT = "is_not"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class AudienceKind(StrEnum):
    """Kinds of conditions of an audience."""

    BOUGHT = "bought"
    VIEWED = "viewed"
    SPENT = "spent"
    LAST_PURCHASE = "last_purchase"
    CUSTOMER_SINCE = "customer_since"
    INTEREST = "interest"
    SEGMENT = "segment"
    PROPERTY = "property"


class JudgementKind(StrEnum):
    """What staff think of an item that was recommended to a customer."""

    GOOD = "good"
    ODD = "odd"
    WRONG = "wrong"


class AnswerStage(StrEnum):
    """The steps from the shop's items to an answer, in order; each item is lost in one of them or shown."""

    MODEL = "model"  # the model knows the item
    CANDIDATES = "candidates"  # it is among the few hundred items that are ranked for the customer
    ELIGIBILITY = "eligibility"  # it may be shown: for sale, not excluded, not bought a moment ago
    FATIGUE = "fatigue"  # it was not shown so often without a click that others pass it
    RULES = "rules"  # no rule takes it out
    RANKING = "ranking"  # its score is among the best
    DIVERSITY = "diversity"  # neither unlikeness, a cap, a share nor a pin gives its place to another
    SHOWN = "shown"


class Lift(StrEnum):
    """What lifts or lowers a score beside the recommenders, in the order in which it acts."""

    PROMOTION = "promotion"  # what the promotion plan makes of demand
    REVENUE = "revenue"  # the price
    MARGIN = "margin"  # what is left of the price
    CLEARANCE = "clearance"  # how long the stock lasts


class Level(IntEnum):
    NEW = 0  # nothing is known that a customer could not make up
    SEEN = 1  # came on three days of the shop, a week apart or more, or stands in a file of the shop
    CONFIRMED = 2  # bought or rated something by the word of the shop, and did not take it all back
