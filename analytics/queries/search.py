"""What the box in the frame finds: customers by their code or the shop's id, items, rules, and runs by their model."""

import re
from dataclasses import dataclass
from functools import reduce
from operator import and_

import numpy as np
from django.db.models import Case, IntegerField, Q, Value, When

from recommendations.models import Item, ModelVersion, Rule
from recommendations.models.catalogue import WORD
from recommendations.services.catalogue.sales import sold
from recommendations.services.customers import FoundCustomer, find_customers

MOST_ITEMS = 30
FEW_ITEMS = 8
SHORTEST = 2
MOST = 20_000  # matches among which what sells is looked for
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
    """Items with the words of the text in their title: that of the id first, then what sells, then the rest.

    Where a word only stands inside of another, as tea in steak, the item comes later; last is what has no price or
    sells nothing.
    """
    text = text.strip()
    if len(text) < SHORTEST:
        return []
    matches = Item.objects.filter(retired_at=None).called(text)
    rows = list(matches.annotate(rank=_rank(text)).order_by("rank").values_list("rank", "price", "title", "pk")[:MOST])
    sales = sold(np.array([row[-1] for row in rows], np.int64)).tolist()
    order = sorted(
        (rank, price is None or not sale, -sale, title, pk)
        for (rank, price, title, pk), sale in zip(rows, sales, strict=True)
    )
    keys = [pk for *_place, pk in order[:most]]
    items = Item.objects.prefetch_related("categories").in_bulk(keys)
    return [items[key] for key in keys if key in items]


def _rank(text: str) -> Case:
    """0: the item with this id; 1: the title is this; 2: every word begins a word of the title; 3: all others."""
    begun = reduce(and_, (Q(title__iregex=rf"\m{word}") for word in WORD.findall(text)), ~Q(title=""))
    return Case(
        When(shop_id=text, then=Value(0)), When(title__iexact=text, then=Value(1)), When(begun, then=Value(2)),
        default=Value(3), output_field=IntegerField(),
    )  # fmt: skip


def _rules(text: str) -> list[Rule]:
    if len(text) < SHORTEST:
        return []
    return list(Rule.objects.unarchived().filter(name__icontains=text).order_by("position", "pk")[:MOST_ITEMS])


def _runs(text: str) -> list[ModelVersion]:
    """The run that made a model: m12."""
    match = MODEL.fullmatch(text)
    return list(ModelVersion.objects.select_related("run").filter(pk=int(match[1]))) if match else []
