"""A shop of teas and bread, its publisher, and rules from the first draft to the book."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from recommendations.models import Category, Item, Rule, RuleBook, Segment, Staff
from recommendations.services.rules.books import publish_rules
from recommendations.services.rules.editing import save_rule
from recommendations.store.rules.conditions import default_book
from recommendations.terms import Role

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
TEA = [{"attribute": "category", "operator": "is", "values": ["FOOD > TEA"]}]
PIN = {"name": "Tea first", "action": "pin", "items": TEA, "placement": "home", "slot": 1}


@pytest.fixture
def teas_and_bread() -> None:
    """Thirty teas and as much bread, of three brands."""
    for taste in ("Tea", "Bread"):
        category = Category.objects.create(path=f"FOOD > {taste.upper()}", name=taste)
        items = [
            Item(
                shop_id=f"{taste.lower()}-{number}",
                title=f"{taste} {number}",
                brand=f"Brand {number % 3}",
                price=Decimal(number + 1),
            )
            for number in range(30)
        ]
        category.items.set(Item.objects.bulk_create(items))
    Segment.objects.create(number=4, name="Fresh & family", size=70)


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.PUBLISHER)


def saved(**values: Any) -> Rule:
    return save_rule(rule=None, values={**PIN, **values}, revision=None, by=None, now=NOW)


def changed(rule: Rule, **values: Any) -> Rule:
    return save_rule(rule=rule, values=values, revision=rule.revision, by=None, now=NOW + timedelta(hours=1))


def published(*rules: Rule, note: str = "because") -> RuleBook:
    default = default_book()
    return publish_rules(
        rules=[rule.pk for rule in rules], based_on=default.number if default else None, note=note, by=None, now=NOW
    )
