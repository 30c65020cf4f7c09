"""The weights that ship: a start for shops that have no truth yet.

Home and discover are the weights of ``maths.md`` §4, found on the tuning window of the demo data (there with a
recommender that is interchangeable with ``buy_again``, which takes its share here). Item and cart are set by judgement:
nothing has measured them yet. Equal weights are worse than the best single recommender, so nothing starts with them.
"""

from collections.abc import Mapping

from recommendations.terms import BlendName

PRESETS: Mapping[BlendName, Mapping[str, float]] = {
    BlendName.HOME: {"buy_again": 0.50, "ease_home": 0.26, "recent_neighbours_home": 0.19, "content": 0.05},
    BlendName.DISCOVER: {
        "ease_discover": 0.58,
        "als_discover": 0.22,
        "content_discover": 0.08,
        "user_knn_discover": 0.07,
        "interests_discover": 0.05,
    },
    BlendName.ITEM: {"also_bought": 0.45, "item_knn_context": 0.30, "content_context": 0.20, "popularity_home": 0.05},
    BlendName.CART: {"also_bought": 0.45, "item_knn_context": 0.25, "sequence_context": 0.15, "buy_again": 0.15},
}
"""Per blend: instance → weight, adding up to 1."""
