"""Articles: each is read once, and is old in days."""

from recommendations.domains.protocol import ORDERED, PAGES_TAKEN_ONCE, TAKEN_ONCE, Domain, DomainName, halving
from recommendations.event_types import EventName
from recommendations.terms import BlendName, ItemKind

ARTICLES = Domain(
    name=DomainName.ARTICLES,
    kinds=(ItemKind.ARTICLE,),
    points={
        EventName.SELECT_ITEM: 0.2,
        EventName.VIEW_ITEM: 0.2,
        EventName.SEARCH: 0.2,
        EventName.PLAY: 1.0,
        EventName.COMPLETE: 1.0,
        EventName.SAVE: 2.0,
        EventName.ADD_TO_WISHLIST: 2.0,
        EventName.SHARE: 3.0,
        EventName.RATE_ITEM: 2.0,
    },
    unit=EventName.COMPLETE,
    taken=frozenset({EventName.COMPLETE, EventName.PLAY}),
    taken_from=0.9,
    settings=halving(taste=14.0, popularity=1.0),
    extra=ORDERED,
    weights={
        BlendName.HOME: {
            "item_knn": 0.3,
            "ease_home": 0.2,
            "content": 0.2,
            "next_item": 0.2,
            "popularity_home": 0.1,
        },
        BlendName.DISCOVER: {
            "content_ridge_discover": 0.45,
            "next_item_discover": 0.2,
            "item_knn_discover": 0.2,
            "ease_discover": 0.15,
        },
        BlendName.ITEM: {"content_context": 0.7, "item_knn_context": 0.2, "popularity_home": 0.1},
        BlendName.CART: {"item_knn_context": 0.4, "next_item_context": 0.3, "also_bought": 0.3},
        BlendName.SESSION: {
            "content_context": 0.3,
            "item_knn_context": 0.3,
            "next_item_context": 0.3,
            "popularity_home": 0.1,
        },
    },
    promotion=dict.fromkeys(BlendName, 0.0),
    placements=TAKEN_ONCE,
    pages=PAGES_TAKEN_ONCE,
    days=2,
    wanted=frozenset({"picture", "category", "description", "creator", "published_at"}),
)
