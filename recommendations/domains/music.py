"""Music: what is liked is heard again and again."""

from recommendations.domains.protocol import ORDERED, Domain, DomainName, PlacementPreset, channels, halving
from recommendations.event_types import EventName
from recommendations.terms import BlendName, CatalogueScope, ItemKind, Repeat, Variants

HOME, DISCOVER, ITEM, CART = BlendName.HOME, BlendName.DISCOVER, BlendName.ITEM, BlendName.CART

MUSIC = Domain(
    name=DomainName.MUSIC,
    kinds=(ItemKind.TRACK, ItemKind.ALBUM, ItemKind.ARTIST),
    points={
        EventName.SELECT_ITEM: 0.2,
        EventName.VIEW_ITEM: 0.2,
        EventName.SEARCH: 0.2,
        EventName.PLAY: 1.0,
        EventName.COMPLETE: 1.0,
        EventName.SKIP: -0.5,
        EventName.SAVE: 2.0,
        EventName.ADD_TO_WISHLIST: 2.0,
        EventName.SHARE: 2.0,
        EventName.RATE_ITEM: 2.0,
    },
    unit=EventName.PLAY,
    taken=frozenset({EventName.PLAY, EventName.COMPLETE}),
    played_at_once=0.2,
    taken_from=0.5,
    settings=halving(taste=60.0, popularity=14.0),
    extra=ORDERED,
    weights={
        BlendName.HOME: {"ease_home": 0.35, "content": 0.25, "buy_again": 0.2, "item_knn": 0.1, "next_item": 0.1},
        BlendName.DISCOVER: {
            "ease_discover": 0.4,
            "item_knn_discover": 0.2,
            "content_ridge_discover": 0.15,
            "next_item_discover": 0.15,
            "popularity_discover": 0.1,
        },
        BlendName.ITEM: {"item_knn_context": 0.6, "content_context": 0.3, "popularity_home": 0.1},
        BlendName.CART: {"item_knn_context": 0.4, "next_item_context": 0.3, "also_bought": 0.3},
        BlendName.SESSION: {
            "session_knn": 0.25,
            "next_item_context": 0.25,
            "item_knn_context": 0.2,
            "content_context": 0.2,
            "popularity_home": 0.1,
        },
    },
    promotion=dict.fromkeys(BlendName, 0.0),
    placements=(
        PlacementPreset(name="home", blend=HOME, cool_down=0.1),
        PlacementPreset(name="on_repeat", blend=HOME, repeat=Repeat.ONLY, cool_down=0.1),
        PlacementPreset(name="discover", blend=DISCOVER, repeat=Repeat.EXCLUDE),
        PlacementPreset(name="radio", blend=CART, needs_context=True),
        PlacementPreset(name="item", blend=ITEM, needs_context=True),
        PlacementPreset(name="trending", blend=None),
        PlacementPreset(name="category", blend=HOME, needs_context=True, scope=CatalogueScope.CATEGORY),
        PlacementPreset(name="search", blend=HOME, scope=CatalogueScope.FOUND, explores=False, variants=Variants.EACH),
        PlacementPreset(name="new", blend=HOME, scope=CatalogueScope.NEWEST),
        PlacementPreset(name="new_from_followed", blend=None, scope=CatalogueScope.FOLLOWED, explores=False),
        *channels(DISCOVER, Repeat.EXCLUDE),
    ),
    pages={
        "home": (("home", 12), ("on_repeat", 6), ("discover", 6), ("trending", 6), ("new", 6)),
        "item": (("radio", 6), ("item", 6)),
        "category": (("category", 24),),
        "search": (("search", 24),),
    },
    days=14,
    wanted=frozenset({"picture", "category", "creator", "duration"}),
)
