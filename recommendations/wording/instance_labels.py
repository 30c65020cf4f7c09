"""Labels of recommenders, of baselines and of what else a score is made of, in the reader's language."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

INSTANCES: Mapping[str, Promise] = {
    "buy_again": _("Bought often"),
    "repurchase": _("Due for repurchase"),
    "ease_home": _("Goes with purchases"),
    "ease_discover": _("Goes with purchases (Discover)"),
    "recent_neighbours_home": _("Recent baskets of similar customers"),
    "recent_neighbours_discover": _("Recent baskets of similar customers (Discover)"),
    "user_knn": _("Similar customers"),
    "user_knn_discover": _("Similar customers (Discover)"),
    "interests": _("Interests"),
    "interests_discover": _("Interests (Discover)"),
    "content": _("Similar descriptions"),
    "content_discover": _("Similar descriptions (Discover)"),
    "content_ridge_discover": _("Fitting descriptions (Discover)"),
    "content_context": _("Described like the item in view"),
    "segments": _("Segment"),
    "social": _("People they follow"),
    "social_discover": _("People they follow (Discover)"),
    "segments_discover": _("Segment (Discover)"),
    "popularity_home": _("Popularity of the week"),
    "popularity_discover": _("Popularity of the month"),
    "item_knn": _("Similar to past purchases"),
    "item_knn_discover": _("Similar to past purchases (Discover)"),
    "item_knn_context": _("Similar to the item in view"),
    "als": _("Hidden factors"),
    "als_discover": _("Hidden factors (Discover)"),
    "sequence": _("Usual next purchase"),
    "sequence_context": _("Usual next purchase after the item in view"),
    "next_item": _("Taken soon after"),
    "next_item_discover": _("Taken soon after (Discover)"),
    "next_item_context": _("Taken soon after the item in view"),
    "transformer": _("What a net expects next"),
    "transformer_discover": _("What a net expects next (Discover)"),
    "session_knn": _("Similar sessions"),
    "also_bought": _("Bought together"),
    "trending": _("Trend"),
    "promotion": _("Promotion plan"),
    "revenue": pgettext_lazy("goal", "Revenue"),
    "margin": pgettext_lazy("goal", "Margin"),
    "clearance": pgettext_lazy("goal", "Stock to clear"),
    "second_stage": _("Second stage"),
    "little_known": _("Little is known yet"),
    "stated_taste": _("What they say they like"),
    "popular": _("Best sellers"),
    "personal_frequency": _("What they always buy"),
}


def instance_label(name: str) -> str:
    """Label of an instance, a baseline or the list for everybody; of any other its name."""
    return str(INSTANCES.get(name, name))
