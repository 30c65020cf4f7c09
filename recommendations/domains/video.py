"""Video: films and series that are watched once."""

from recommendations.domains.protocol import (
    ORDERED,
    PAGES_TAKEN_ONCE,
    TAKEN_ONCE,
    Domain,
    DomainName,
    PlacementPreset,
    halving,
)
from recommendations.event_types import EventName
from recommendations.terms import BlendName, CatalogueScope, ItemKind

VIDEO = Domain(
    name=DomainName.VIDEO,
    kinds=(ItemKind.FILM, ItemKind.EPISODE, ItemKind.SERIES),
    points={
        EventName.SELECT_ITEM: 0.1,
        EventName.VIEW_ITEM: 0.1,
        EventName.SEARCH: 0.1,
        EventName.PLAY: 1.0,
        EventName.COMPLETE: 1.0,
        EventName.RATE_ITEM: 1.0,
        EventName.SAVE: 1.0,
        EventName.ADD_TO_WISHLIST: 1.0,
        EventName.SHARE: 1.0,
    },
    unit=EventName.COMPLETE,
    taken=frozenset({EventName.COMPLETE, EventName.PLAY, EventName.RATE_ITEM}),
    least_played=0.1,
    taken_from=0.9,
    goes_on=True,
    settings=halving(taste=180.0, popularity=28.0),
    extra=ORDERED,
    weights={
        BlendName.HOME: {
            "ease_home": 0.3,
            "item_knn": 0.3,
            "content": 0.2,
            "next_item": 0.1,
            "popularity_home": 0.1,
        },
        BlendName.DISCOVER: {
            "ease_discover": 0.3,
            "item_knn_discover": 0.25,
            "content_ridge_discover": 0.25,
            "next_item_discover": 0.2,
        },
        BlendName.ITEM: {"item_knn_context": 0.5, "content_context": 0.4, "popularity_home": 0.1},
        BlendName.CART: {"item_knn_context": 0.4, "next_item_context": 0.3, "also_bought": 0.3},
        BlendName.SESSION: {
            "item_knn_context": 0.4,
            "next_item_context": 0.3,
            "content_context": 0.2,
            "popularity_home": 0.1,
        },
    },
    promotion=dict.fromkeys(BlendName, 0.0),
    placements=(
        *TAKEN_ONCE,
        PlacementPreset(name="continue", blend=None, scope=CatalogueScope.BEGUN, explores=False),
    ),
    pages={**PAGES_TAKEN_ONCE, "home": (("home", 12), ("continue", 6), ("trending", 6), ("new", 6))},
    days=14,
    wanted=frozenset({"picture", "category", "description", "duration", "number"}),
)
