"""Words of the statement of main parameters: for customers, who know nothing of recommenders."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.statement_terms import ParameterKind, StatedRow, StatementCause
from recommendations.terms import CatalogueScope, Lift, Repeat

KINDS: Mapping[str, Promise] = {
    ParameterKind.AGAIN: _("what you buy again and again"),
    ParameterKind.DUE: _("what you bought before and may need again by now"),
    ParameterKind.FITTING: _("what goes with what you bought"),
    ParameterKind.LATELY: _("what people with habits like yours bought lately"),
    ParameterKind.ALIKE_PEOPLE: _("what people with habits like yours buy"),
    ParameterKind.INTERESTS: _("what fits your interests"),
    ParameterKind.DESCRIPTION: _("what is described like things that you bought"),
    ParameterKind.DESCRIPTION_IN_VIEW: _("what is described like the item that you look at"),
    ParameterKind.SEGMENT: _("what customers like you choose"),
    ParameterKind.FOLLOWED_PEOPLE: _("what people whom you follow choose"),
    ParameterKind.POPULAR: _("what many people buy at present"),
    ParameterKind.SAME_BUYERS: _("what people who bought the same as you also bought"),
    ParameterKind.SAME_BUYERS_IN_VIEW: _("what people who bought the item that you look at also bought"),
    ParameterKind.PATTERN: _("what fits the pattern of your purchases"),
    ParameterKind.NEXT: _("what is usually bought after what you bought"),
    ParameterKind.NEXT_IN_VIEW: _("what is usually bought after the item that you look at"),
    ParameterKind.ORDER: _("what usually comes next after all that you bought, in that order"),
    ParameterKind.VISIT: _("what people chose whose visit was like yours"),
    ParameterKind.TOGETHER: _("what is bought together with the item that you look at"),
    ParameterKind.LEARNED_ORDER: _("a learned order of all this, by what people then bought"),
}
"""What counts, for the middle of a sentence."""
PLACES: Mapping[str, Promise] = {
    "home": _("on the home page"),
    "discover": _("among things that are new to you"),
    "buy_again": _("under “Buy again”"),
    "item": _("among similar items"),
    "also_bought": _("under “Often bought together”"),
    "cart": _("in the basket"),
    "trending": _("under “Trending”"),
    "category": _("on pages of categories"),
    "search": _("in search results"),
    "new": _("among new items"),
    **dict.fromkeys(("following", "new_from_followed"), _("in news from what you follow")),
    "continue": _("under “Continue”"),
    "email": _("in e-mails"),
    "web_push": _("in browser notifications"),
    "webhook": _("in other messages"),
    "on_repeat": _("under “On repeat”"),
    "radio": _("on the radio"),
}
"""Where a placement stands, for a list of places; a shop's own is called by its code."""
SCOPES: Mapping[str, Promise] = {
    CatalogueScope.CATEGORY: _("Only items of the category that you look at are shown."),
    CatalogueScope.FOUND: _("Only what your search found is shown."),
    CatalogueScope.NEWEST: _("Only the newest items are shown."),
    CatalogueScope.FOLLOWED: _("What you follow is shown, the newest first: the same order for everybody."),
    CatalogueScope.BEGUN: _("What you have begun and not finished is shown, and what comes next."),
}
REPEATS: Mapping[str, Promise] = {
    Repeat.EXCLUDE: _("What you bought before is left out."),
    Repeat.ONLY: _("Only what you bought before is shown."),
}
LIFTS: Mapping[str, Promise] = {
    Lift.PROMOTION: _("Items in the shop's promotions move up (strength %(strength)s)."),
    Lift.REVENUE: _("Items with a higher price move up (strength %(strength)s)."),
    Lift.MARGIN: _("Items on which the shop earns more move up (strength %(strength)s)."),
    Lift.CLEARANCE: _("Items of which there is too much in stock move up (strength %(strength)s)."),
}
CHANGES: Mapping[str, Promise] = {
    "weights": _("what counts how much"),
    "rules": _("the shop's rules"),
    "placements": _("how lists are made up"),
    "pages": _("which lists are on a page"),
}
"""What a test changes."""
CAUSES: Mapping[str, Promise] = {
    StatementCause.START: _("First start, or a new version of Recsite"),
    StatementCause.WEIGHTS: _("Weights were published"),
    StatementCause.BOOK: _("Rules were published"),
    StatementCause.PLACEMENT: _("A placement was changed"),
    StatementCause.PROMISE: _("A promise to new items was published"),
    StatementCause.EXPERIMENT: _("An experiment began or changed"),
}
ROWS: Mapping[str, Promise] = {
    StatedRow.PLACEMENT: pgettext_lazy("where a sentence comes from", "Placement"),
    StatedRow.WEIGHTS: pgettext_lazy("where a sentence comes from", "Weights"),
    StatedRow.PROMISE: pgettext_lazy("where a sentence comes from", "Promise"),
    StatedRow.RULES: pgettext_lazy("where a sentence comes from", "Rules"),
    StatedRow.EXPERIMENT: pgettext_lazy("where a sentence comes from", "Experiment"),
    StatedRow.NOTHING: pgettext_lazy("where a sentence comes from", "Always so"),
}
