"""Explanations behind the question marks beside figures: one sentence and one example each."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import template
from django.utils.crypto import get_random_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics.templatetags.words import METRICS

register = template.Library()


class Explanation(NamedTuple):
    """A figure by its name, what it tells, and an example."""

    words: Promise | str
    meaning: Promise
    example: Promise


FIGURES: Mapping[str, Explanation] = {
    "attributed": Explanation(
        _("Attributed revenue"),
        _(
            "What customers paid for items they bought from a list: the purchase names the list, or follows a click "
            "in it within the placement's time. Returns are deducted."
        ),
        _("A customer clicks a tea for $5 in “For you” and buys two that evening: $10."),
    ),
    "turnover": Explanation(
        _("Share of turnover"),
        _("Attributed revenue as a share of all confirmed purchases of the same days."),
        _("$500 of $10,000 came from lists: 5%."),
    ),
    "orders": Explanation(
        _("Orders"),
        _("Orders with at least one item that was bought from a list and kept."),
        _("An order of six items, two of them from a list, counts once."),
    ),
    "earned_margin": Explanation(
        _("Margin"),
        _("Attributed revenue less the cost of what was sold, of the items whose cost is known."),
        _("Sold for $10, cost $6: $4."),
    ),
    "lift": Explanation(
        _("Lift"),
        _("How much more customers spend because of the lists, against a control group that gets none of them."),
        _("$21 a visitor with lists, $20 without: a lift of 5%."),
    ),
    "lists": Explanation(
        _("Lists"),
        _("Lists that were seen; where the shop does not report what was seen, all lists that it was given."),
        _("A customer who opens the home page three times sees three lists."),
    ),
    "conversion": Explanation(
        _("Bought from"),
        _("Share of the lists from which at least one item was bought."),
        _("100 lists were seen, and 8 customers bought something out of theirs: 8%."),
    ),
    "hits": Explanation(
        _("Find something"),
        _(
            "Of 100 customers, how many buy at least one of their ten recommended items in the weeks after. Measured "
            "on purchases that the model had not seen; every run on other weeks, so the number moves with them."
        ),
        _("20 means that for 80 of 100 none of the ten was right."),
    ),
    "better": Explanation(
        _("More accurate"),
        _(
            "Difference in accuracy, which also counts how many of the ten are right and how high they rank; in "
            "percent of the other's accuracy."
        ),
        _("Both lists hold the milk that is bought; the one that has it first is the better one."),
    ),
    "recommended": Explanation(
        _("Recommended to someone"),
        _(
            "Share of the items on sale that are in at least one customer's list with the live model, at “For you” "
            "or “Discover”. Coverage on Quality is from the test: its customers, lists of ten, the items of that "
            "time."
        ),
        _("Of 1,000 items on sale 107 are in someone's list: 10.7%."),
    ),
    "revenue": Explanation(
        pgettext_lazy("metric", "Revenue"),
        _("As accuracy, with each item counting as much as was spent on it."),
        _("Coffee for $12 in position 1 counts for more than gum for $1 there."),
    ),
    "accuracy": Explanation(
        pgettext_lazy("metric", "Accuracy"),
        _("How close to the top of the list the items are that were bought afterwards, at the length that is shown."),
        _(
            "An item that is bought moves from position 2 to 5: less accurate. From 13 to 20 where 12 are shown: no "
            "change."
        ),
    ),
    "margin": Explanation(
        pgettext_lazy("metric", "Margin"),
        _("Price minus cost of the items in the list that were bought afterwards, where the cost is known."),
        _("A coffee for $12 that costs you $8 is bought, and the list has it: $4."),
    ),
    "clearance": Explanation(
        pgettext_lazy("metric", "Stock to clear"),
        _(
            "Share of slots that show an item of which you have more than 12 weeks' stock, at the pace of the last "
            "eight."
        ),
        _("Three of twelve slots show such an item: 25%."),
    ),
    "diversity": Explanation(
        pgettext_lazy("metric", "Variety"),
        _("How different the items of a list are from one another; 1 is all different."),
        _("Ten kinds of milk are near 0; a list from ten aisles is near 1."),
    ),
    "coverage": Explanation(
        pgettext_lazy("metric", "Coverage"),
        _("Share of the catalogue that is in at least one customer's list."),
        _("Of 1,000 items 80 are in someone's list: 8%."),
    ),
    "goal_revenue": Explanation(
        pgettext_lazy("goal", "Revenue"),
        _(
            "Moves up what costs more than the usual purchase, and down what costs less. At 0, prices do not count; at "
            "1, an item counts from half to twice as much, as its price is half or twice the usual."
        ),
        _("The usual purchase is $3. At 1, a coffee for $6 counts twice, a gum for $1 half."),
    ),
    "goal_margin": Explanation(
        pgettext_lazy("goal", "Margin"),
        _(
            "Moves up what leaves you more than the usual purchase after its cost, and down what leaves less: at 1, "
            "from half to twice. An item without a cost stays where it is."
        ),
        _("The usual purchase leaves $1. At 1, an item that leaves $2 counts twice, one that leaves 30¢ half."),
    ),
    "goal_clearance": Explanation(
        pgettext_lazy("goal", "Stock to clear"),
        _(
            "Moves up items of which you have more than 12 weeks' stock, at the pace of the last eight: at 1, up to "
            "twice. New items and those without a stock figure stay where they are."
        ),
        _("60 pieces, and 5 sell in two weeks: they last 24 weeks. At 1, the item counts twice."),
    ),
    "slots_touched": Explanation(
        _("Slots touched"),
        _(
            "Share of slots that show another item than now, of those that the shop asks for. An item that only moves "
            "up or down counts, too."
        ),
        _("A pin to position 3 of 12 moves what is below it: 10 of 12 slots, 1 of them with a new item."),
    ),
    "distance": Explanation(
        _("Distance to the best simple list"),
        _(
            "Accuracy of this run's model against the best list that needs no model. Every run is tested on the last "
            "weeks of its own data, and weeks differ: compare distances, not accuracies. A distance also grows where "
            "the other list gets weaker, so both parts stand below it."
        ),
        _("In a hard month both find less. Still 9% ahead means that the model is as good as before."),
    ),
    "pair_lift": Explanation(
        _("Lift"),
        _("How many times as often as by chance both are in one basket."),
        _("Alone they would meet in 10 baskets of 1,000; they are together in 50: 5."),
    ),
    "confidence": Explanation(
        _("Confidence"),
        _("Share of the baskets with the first item that also contain the second."),
        _("Of 200 baskets with buns 50 have sausages, too: 25%."),
    ),
    "support": Explanation(
        _("Support"),
        _("Share of all baskets that contain both."),
        _("Both are in 50 of 10,000 baskets: 0.5%."),
    ),
    "activity": Explanation(
        _("Activity"),
        _("Weight of all activity, halved every 90 days, as the live model sees it."),
        _("A purchase of today counts 1, one of three months ago a half."),
    ),
    "events": Explanation(
        _("Events"),
        _("All events ever received."),
        _("Two views and a purchase of three items: five."),
    ),
    "new_this_week": Explanation(
        _("New this week"),
        _("The category that leads the last 7 days, and the share it gained on the last 90."),
        _("Of 90 days' activity 4% is wine, of this week's 30%: Wine, up 26 points."),
    ),
    "bought": Explanation(
        _("Bought"),
        _("Purchases, as the live model knows them."),
        _("Three customers bought it twice each: six."),
    ),
    "slots": Explanation(
        _("Slots"),
        _("Slots it fills in customers' lists."),
        _("It is in “For you” of 30 customers and in “Discover” of 10: 40."),
    ),
    "fit": Explanation(
        _("Training, s"),
        _("Seconds to learn from the history before the split."),
        _("12.5: the recommender had learned after twelve and a half seconds."),
    ),
}

EXAMPLES: Mapping[str, Promise] = {
    "ndcg@10": _(
        "Three of the ten items are bought: in positions 1 to 3 that gives 1, in positions 8 to 10 about 0.4."
    ),
    "ndcg@20": _("As with ten: the higher the right items rank, the closer to 1."),
    "recall@10": _("A customer buys 20 different items, and 6 of them were among the ten: 0.3."),
    "recall@20": _("A customer buys 20 different items, and 9 of them were among the twenty: 0.45."),
    "hit_rate@10": _("86 of 100 customers bought one of their ten, or more: 0.86."),
    "map@10": _("Only the second of ten is bought, and nothing else: 0.5."),
    "mrr@10": _("The first item bought is in position 4: 0.25."),
    "revenue_ndcg@10": _("Coffee for $12 in position 1 counts for more than gum for $1 there."),
    "coverage@10": _("Of 1,000 items 80 are in someone's ten: 8%."),
    "novelty@10": _("An item that one of 1,000 customers bought has 10 bits, one that half of them bought has 1."),
    "diversity@10": _("Ten kinds of milk are near 0; a list from ten aisles is near 1."),
}
"""Example for each of ``METRICS``."""

NAMES: Mapping[str, Promise] = {
    "ndcg@10": pgettext_lazy("metric", "Accuracy"),
    "revenue_ndcg@10": pgettext_lazy("metric", "Revenue"),
    "coverage@10": pgettext_lazy("metric", "Coverage"),
    "diversity@10": pgettext_lazy("metric", "Variety"),
    "novelty@10": pgettext_lazy("metric", "Novelty"),
}
"""Names of metrics where people decide; *Quality* has those of the literature."""


@register.inclusion_tag("dashboard/help.html")
def help_on(name: str, more: str = "") -> dict[str, Any]:
    """Question mark that opens what a figure means; ``more`` is said under it, such as its interval."""
    words, meaning, example = _explained(name)
    return {"words": words, "meaning": meaning, "example": example, "more": more, "key": get_random_string(8)}


@register.filter
def figure_name(name: str) -> str:
    """Name of a metric in a person's words."""
    if name in FIGURES:
        return str(FIGURES[name].words)
    return str(NAMES.get(name) or METRICS[name][0])


def _explained(name: str) -> Explanation:
    if name in FIGURES:
        return FIGURES[name]
    words, meaning = METRICS[name]
    both = f"{NAMES[name]} · {words}" if name in NAMES else words
    return Explanation(both, meaning, EXAMPLES[name])
