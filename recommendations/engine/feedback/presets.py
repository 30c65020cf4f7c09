"""The weights that ship: a start for shops that have no truth yet.

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

from collections.abc import Mapping

from recommendations.terms import BlendName

PRESETS: Mapping[BlendName, Mapping[str, float]] = {
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
}
"""Per blend: instance → weight, adding up to 1."""

PROMOTION: Mapping[BlendName, float] = {
    BlendName.HOME: 0.5,
    BlendName.DISCOVER: 1.0,
    BlendName.ITEM: 0.0,
    BlendName.CART: 0.0,
    BlendName.SESSION: 0.0,
}
"""Per blend: the exponent of the lift of the promotion plan, where a shop tells of one (``maths.md`` §4)."""
