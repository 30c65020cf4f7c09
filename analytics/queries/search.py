"""What the box in the frame finds: customers by their code or the shop's id, items, rules, and runs by their model."""

import re
from dataclasses import dataclass

from django.db.models import Case, IntegerField, Q, Value, When

from recommendations.models import Item, ModelVersion, Rule
from recommendations.services.customers import FoundCustomer, find_customers

MOST_ITEMS = 30
FEW_ITEMS = 8
SHORTEST = 2
MODEL = re.compile(r"m([0-9]{1,18})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Found:
    customers: list[FoundCustomer]
    items: list[Item]
    more_items: bool
    rules: list[Rule]
    runs: list[ModelVersion]

    @property
    def count(self) -> int:
        return len(self.customers) + len(self.items) + len(self.rules) + len(self.runs)


def search(text: str) -> Found:
    items = find_items(text, most=MOST_ITEMS + 1)
    return Found(
        customers=find_customers(typed=text),
        items=items[:MOST_ITEMS],
        more_items=len(items) > MOST_ITEMS,
        rules=_rules(text.strip()),
        runs=_runs(text.strip()),
    )


def find_items(text: str, *, most: int = FEW_ITEMS) -> list[Item]:
    """Items: that of the id first, then titles that begin so, then titles that contain it (by the trigram index)."""
    text = text.strip()
    if len(text) < SHORTEST:
        return []
    rank = Case(
        When(shop_id=text, then=Value(0)), When(title__istartswith=text, then=Value(1)), default=Value(2),
        output_field=IntegerField(),
    )  # fmt: skip
    items = Item.objects.filter(Q(title__icontains=text) | Q(shop_id=text), retired_at=None)
    return list(items.annotate(rank=rank).order_by("rank", "title").prefetch_related("categories")[:most])


def _rules(text: str) -> list[Rule]:
    if len(text) < SHORTEST:
        return []
    return list(Rule.objects.unarchived().filter(name__icontains=text).order_by("position", "pk")[:MOST_ITEMS])


def _runs(text: str) -> list[ModelVersion]:
    """The run that made a model: m12."""
    match = MODEL.fullmatch(text)
    return list(ModelVersion.objects.select_related("run").filter(pk=int(match[1]))) if match else []
