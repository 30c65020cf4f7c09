"""A little shop for the pages of rules: two categories, four items, a segment, and drafts made by the services."""

from typing import Any

from recommendations.models import Category, Item, Rule, RuleBook, Segment, Staff
from recommendations.services.rules.books import publish_rules
from recommendations.services.rules.editing import save_rule
from recommendations.store.rules.conditions import default_book
from tests.analytics import records
from tests.analytics.records import NOW

TEA, COFFEE = "Drinks > Tea", "Drinks > Coffee"


def shop() -> dict[str, Item]:
    """``green`` and ``black`` tea at 2.50, ``bean`` and ``instant`` coffee at 9.00; the brand of all is Leaf."""
    drinks = Category.objects.create(path="Drinks", name="Drinks")
    items = {}
    for path, titles, price in ((TEA, ("green", "black"), "2.50"), (COFFEE, ("bean", "instant"), "9.00")):
        category = Category.objects.create(path=path, name=path.rpartition(" > ")[2], parent=drinks)
        for title in titles:
            items[title] = records.item(f"sku-{title}", title=f"{title.title()} {category.name}", category=category)
            Item.objects.filter(pk=items[title].pk).update(price=price, brand="Leaf")
    return items


def segment(number: int = 3) -> Segment:
    return Segment.objects.create(
        number=number, name="Tea lovers", size=10, version=records.version(records.run(), live=False)
    )


def rule(name: str = "Tea first", *, by: Staff | None = None, **values: Any) -> Rule:
    """A draft that boosts tea on "For you", unless ``values`` say otherwise."""
    usual = {
        "name": name,
        "placement": "home",
        "action": "boost",
        "strength": 40,
        "items": [condition("category", TEA)],
    }
    return save_rule(rule=None, values=usual | values, revision=None, by=by, now=NOW)


def condition(attribute: str, *values: Any, operator: str = "is") -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "values": list(values)}


def published(*rules: Rule, note: str = "a test", expected: dict[str, Any] | None = None) -> RuleBook:
    book = default_book()
    return publish_rules(
        rules=[each.pk for each in rules], based_on=book.number if book else 0, note=note, by=None, now=NOW,
        expected=expected or {},
    )  # fmt: skip


def form(**fields: Any) -> dict[str, Any]:
    """What the editor sends for a rule that boosts tea; a condition is ``items-0-…``."""
    usual = {
        "name": "Tea first", "placement": "home", "segment": "", "customer": "", "starts_at": "", "ends_at": "",
        "action": "boost", "slot": "1", "strength": "40", "most": "2", "per": "brand", "share": "20",
        "items-0-attribute": "category", "items-0-was": "category", "items-0-operator": "is", "items-0-values": [TEA],
    }  # fmt: skip
    return usual | fields
