"""Types of events, a row each: what the event needs, what it says of a customer's taste, what it is to a slate.

Who handles some of the types only takes them from here, by such a fact. Beside its row a type has a label
(``wording/labels.py``) and a look (``analytics/charts/hues.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Self

from recommendations.terms import Trust


class ItemNeed(Enum):
    """Whether an event names an item."""

    REQUIRED = 1  # without one it is refused
    EXPECTED = 2  # without one it is taken, and then left out of a run as an orphan
    OPTIONAL = 3


class Outcome(Enum):
    """What an event tells of the slate that led to it."""

    SHOWN = 1
    CLICKED = 2
    CARTED = 3
    BOUGHT = 4


@dataclass(frozen=True)
class EventType:
    """Facts of a type of events."""

    name: str
    aliases: tuple[str, ...] = ()  # names that Segment, Vertex and Recombee have for it
    item: ItemNeed = ItemNeed.REQUIRED
    fields: tuple[str, ...] = ()  # without these it is refused
    points: float = 0.0  # α: how much interest it tells of, of a rating the best one; 0: nothing
    takes_back: str | None = None  # the type that it undoes, with which it is counted
    live: bool = False  # a sign of interest that the next answer knows of; it has points
    outcome: Outcome | None = None
    stated_from: Trust = Trust.PAGE  # whose word it may be at the least; a lesser one's is refused


class EventName(StrEnum):
    """Names of events: GA4's, and ours of what it has none for, from ``rate_item`` to ``save``."""

    facts: EventType

    def __new__(cls, row: EventType | str) -> Self:
        """Make a member of its row, which may be a mere name; its value is the name."""
        event_type = row if isinstance(row, EventType) else EventType(row)
        member = str.__new__(cls, event_type.name)
        member._value_, member.facts = event_type.name, event_type
        return member

    # fmt: off
    VIEW_ITEM_LIST = EventType("view_item_list", aliases=("Product List Viewed", "category-page-view"),
                               item=ItemNeed.EXPECTED, outcome=Outcome.SHOWN)
    SELECT_ITEM = EventType("select_item", aliases=("Product Clicked",), points=1.0, live=True, outcome=Outcome.CLICKED)
    VIEW_ITEM = EventType("view_item", points=1.0, live=True, outcome=Outcome.CLICKED,
                          aliases=("Product Viewed", "detail-page-view", "AddDetailView", "detailView"))
    SEARCH = EventType("search", aliases=("Products Searched", "view_search_results"), item=ItemNeed.OPTIONAL,
                       fields=("search_term",), points=1.0)  # of an item that was clicked in the results
    ADD_TO_CART = EventType("add_to_cart", aliases=("Product Added", "add-to-cart", "AddCartAddition", "cartAddition"),
                            points=3.0, live=True, outcome=Outcome.CARTED)
    REMOVE_FROM_CART = EventType("remove_from_cart", points=-1.0, takes_back="add_to_cart",
                                 aliases=("Product Removed", "remove-from-cart", "DeleteCartAddition"))
    BEGIN_CHECKOUT = EventType("begin_checkout", aliases=("Checkout Started", "checkout-start"), item=ItemNeed.OPTIONAL)
    PURCHASE = EventType("purchase", aliases=("Order Completed", "purchase-complete", "AddPurchase"),
                         fields=("transaction_id",), points=5.0, outcome=Outcome.BOUGHT)
    REFUND = EventType("refund", aliases=("Order Refunded", "Order Cancelled", "DeletePurchase"),
                       fields=("transaction_id",), points=-5.0, takes_back="purchase", stated_from=Trust.SERVER)
    ADD_TO_WISHLIST = EventType("add_to_wishlist", points=2.0, live=True,
                                aliases=("Product Added to Wishlist", "add-to-list", "AddBookmark", "bookmark"))
    SHARE = EventType("share", aliases=("Product Shared",), item=ItemNeed.EXPECTED)
    RATE_ITEM = EventType("rate_item", aliases=("Product Reviewed", "AddRating", "rating"),
                          fields=("rating", "rating_scale"), points=5.0, stated_from=Trust.PROVEN)
    DISLIKE_ITEM = EventType("dislike_item", aliases=("hide",))  # without points: it takes the item out of all
    FOLLOW = EventType("follow", item=ItemNeed.OPTIONAL, fields=("target_type", "target_id"))
    UNFOLLOW = EventType("unfollow", item=ItemNeed.OPTIONAL, fields=("target_type", "target_id"))
    VIEW_HOMEPAGE = EventType("view_homepage", aliases=("home-page-view",), item=ItemNeed.OPTIONAL)
    VIEW_CART = EventType("view_cart", aliases=("Cart Viewed", "shopping-cart-page-view"), item=ItemNeed.OPTIONAL)
    PLAY = EventType("play", points=1.0, live=True, outcome=Outcome.CLICKED)
    COMPLETE = EventType("complete", points=1.0, live=True, outcome=Outcome.CLICKED)
    SKIP = EventType("skip", points=-1.0, takes_back="play")
    SAVE = EventType("save", points=2.0, live=True)
    # fmt: on


NAMES: Mapping[str, EventName] = {
    **{str(name): name for name in EventName},
    **{alias: name for name in EventName for alias in name.facts.aliases},
}
"""Types of events by the names that a shop may write."""

UNUSED: Mapping[str, tuple[str, ...]] = {
    "GA4": (
        "ad_impression", "add_payment_info", "add_shipping_info", "app_remove", "app_store_subscription_renew",
        "app_update", "campaign_details", "click", "close_convert_lead", "close_unconvert_lead", "disqualify_lead",
        "earn_virtual_currency", "exception", "file_download", "first_open", "first_visit", "form_start",
        "form_submit", "generate_lead", "in_app_purchase", "join_group", "level_end", "level_start", "level_up",
        "login", "page_view", "post_score", "qualify_lead", "screen_view", "scroll", "select_content",
        "select_promotion", "session_start", "sign_up", "spend_virtual_currency", "tutorial_begin",
        "tutorial_complete", "unlock_achievement", "user_engagement", "video_complete", "video_progress",
        "video_start", "view_promotion", "working_lead",
    ),
    "Segment": (
        "Cart Shared", "Checkout Step Completed", "Checkout Step Viewed", "Coupon Applied", "Coupon Denied",
        "Coupon Entered", "Coupon Removed", "Order Updated", "Payment Info Entered", "Product List Filtered",
        "Product Removed from Wishlist", "Promotion Clicked", "Promotion Viewed", "Wishlist Product Added to Cart",
        "alias", "group", "page", "screen",
    ),
    "Vertex": ("media-complete", "media-play", "page-visit", "remove-from-list"),
    "Recombee": (
        "DeleteBookmark", "DeleteDetailView", "DeleteRating", "DeleteViewPortion", "SetViewPortion", "viewPortion",
    ),
}  # fmt: skip
"""Names of other systems that are left out on purpose: they say nothing of an item, or only take back what is kept."""

_SEPARATORS = str.maketrans("", "", " _-")


def folded(name: str) -> str:
    """A name without its letters' case and the signs between its words, as two people may write the same one."""
    return name.casefold().translate(_SEPARATORS)


LIKE: Mapping[str, str] = {folded(name): name for name in reversed(list(NAMES))}
"""How a name that is nearly right is written."""

TRADES = tuple(name for name in EventName if "transaction_id" in name.facts.fields)
"""Types of which each line is one of a transaction."""
