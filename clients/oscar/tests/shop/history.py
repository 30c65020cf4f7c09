"""Customers and their orders of half a year, invented: each buys mostly from a category or two of theirs.

manage.py shell -c "from history import order_history; order_history()"
"""

import random
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from oscar.core.loading import get_model

from oscar_recsite.items import for_sale, price_of

Order, Line = get_model("order", "Order"), get_model("order", "Line")
Product, User = get_model("catalogue", "Product"), get_user_model()
DAYS = 180


@transaction.atomic
def order_history(customers: int = 120, *, seed: int = 1) -> int:
    """Orders of invented customers, and how many."""
    dice, shelves = random.Random(seed), _shelves()
    names, orders = sorted(shelves), 0
    for number in range(customers):
        email = f"customer{number}@example.com"
        user = User.objects.create_user(username=email, email=email, password=None)
        tastes = dice.sample(names, min(2, len(names)))
        for visit in range(dice.randint(2, 6)):
            shelf = shelves[dice.choice(tastes if dice.random() < 0.8 else names)]
            days = dice.uniform(1, DAYS)
            _order(f"h{number}-{visit}", user, dice.sample(shelf, min(len(shelf), dice.randint(1, 3))), days=days)
            orders += 1
    return orders


def _shelves() -> dict[str, list]:
    """What can be bought, by the category where it stands."""
    shelves = defaultdict(list)
    for product in Product.objects.browsable().order_by("pk"):
        ready = for_sale(product)
        if price_of(ready) is not None:
            for category in product.get_categories():
                shelves[category.name].append(ready)
    return {name: shelf for name, shelf in shelves.items() if len(shelf) >= 3}


def _order(number: str, user: object, products: list, *, days: float) -> None:
    prices = [price_of(product) for product in products]
    total = sum(prices, Decimal(0))
    order = Order.objects.create(
        number=number, user=user, total_incl_tax=total, total_excl_tax=total, shipping_incl_tax=0, shipping_excl_tax=0,
        status="Complete", date_placed=timezone.now() - timedelta(days=days),
    )  # fmt: skip
    names = ("unit_price", "line_price", "line_price_before_discounts")
    Line.objects.bulk_create(
        Line(
            order=order, product=product, title=product.get_title(), quantity=1, num_allocated=0,
            **{f"{name}_{tax}_tax": price for name in names for tax in ("incl", "excl")},
        )
        for product, price in zip(products, prices, strict=True)
    )  # fmt: skip
