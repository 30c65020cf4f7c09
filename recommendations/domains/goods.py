"""Goods: what people buy and buy again. Its numbers are those that shipped before there were domains.

The weights are a start for shops that have no truth yet.
Home and discover were chosen on three windows of the demo's data before its test window: for home the mean of what the
tuner found there; for discover plainer numbers, which did better on each window than what the tuner had found on the
others. Cart is set by judgement: nothing has measured it yet. Item is to show what could be taken *instead*: with an
item in view that 500 customers bought in the window before the test window, it is to find what else of the same kind
they bought there. Of plain numbers that keep 95 of 100 items of the kind, these find it as well as any (NDCG@10 .247,
of .255 for the best of all), better than description alone (.208) and than what is bought together (.159), which
belongs to the cart; on the test window .246. Of the neighbours by customers a little is enough: at .4 every ninth item
is of another kind. Session was looked for on baskets of people whom the model did not know, with one, two and five
items in view, in the window before the test window: plain numbers that do nearly as well as the tuner's (NDCG@10 .122
against .125), with more for ``session_knn``. Equal weights of all instances are worse than the best single recommender,
so nothing starts with them.
"""

from recommendations.domains.protocol import Domain, DomainName, PlacementPreset, channels
from recommendations.event_types import EventName
from recommendations.terms import BlendName, CatalogueScope, ItemKind, Repeat, Variants

HOME, DISCOVER, ITEM, CART = BlendName.HOME, BlendName.DISCOVER, BlendName.ITEM, BlendName.CART

GOODS = Domain(
    name=DomainName.GOODS,
    kinds=(ItemKind.PRODUCT,),
    points={name: name.facts.points for name in EventName if name.facts.points},
    unit=EventName.PURCHASE,
    taken=frozenset({EventName.PURCHASE}),
    weights={
        BlendName.HOME: {
            "repurchase": 0.49,
            "buy_again": 0.19,
            "ease_home": 0.19,
            "recent_neighbours_home": 0.07,
            "content": 0.03,
            "sequence": 0.03,
        },
        BlendName.DISCOVER: {
            "ease_discover": 0.40,
            "als_discover": 0.20,
            "item_knn_discover": 0.20,
            "user_knn_discover": 0.10,
            "interests_discover": 0.10,
        },
        BlendName.ITEM: {"content_context": 0.70, "item_knn_context": 0.20, "popularity_home": 0.10},
        BlendName.CART: {"also_bought": 0.45, "item_knn_context": 0.25, "sequence_context": 0.15, "buy_again": 0.15},
        BlendName.SESSION: {
            "session_knn": 0.30,
            "also_bought": 0.25,
            "popularity_home": 0.25,
            "item_knn_context": 0.10,
            "content_context": 0.10,
        },
    },
    promotion={
        BlendName.HOME: 0.5,
        BlendName.DISCOVER: 1.0,
        BlendName.ITEM: 0.0,
        BlendName.CART: 0.0,
        BlendName.SESSION: 0.0,
    },
    placements=(
        PlacementPreset(name="home", blend=HOME),
        PlacementPreset(name="discover", blend=DISCOVER, repeat=Repeat.EXCLUDE),
        PlacementPreset(name="buy_again", blend=HOME, repeat=Repeat.ONLY),
        PlacementPreset(name="item", blend=ITEM, needs_context=True),
        PlacementPreset(name="also_bought", blend=CART, needs_context=True),
        PlacementPreset(name="cart", blend=CART, needs_context=True),
        PlacementPreset(name="trending", blend=None),
        PlacementPreset(name="category", blend=HOME, needs_context=True, scope=CatalogueScope.CATEGORY),
        PlacementPreset(name="search", blend=HOME, scope=CatalogueScope.FOUND, explores=False, variants=Variants.EACH),
        PlacementPreset(name="new", blend=HOME, scope=CatalogueScope.NEWEST),
        *channels(HOME),
    ),
    pages={
        "home": (("home", 12), ("buy_again", 6), ("discover", 6), ("trending", 6), ("new", 6)),
        "item": (("also_bought", 6), ("item", 6)),
        "cart": (("cart", 6),),
        "category": (("category", 24),),
        "search": (("search", 24),),
        "thanks": (("discover", 6),),
    },
    wanted=frozenset({"picture", "price", "category", "description", "brand"}),
)
