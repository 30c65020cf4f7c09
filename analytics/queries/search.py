"""What the search finds: customers by code or shop's id, items, rules, segments, audiences, versions by number."""

import re
from dataclasses import dataclass
from functools import reduce
from operator import and_

import numpy as np
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from recommendations.models import Audience, BlendWeights, Campaign, Item, ModelVersion, Rule, RuleBook, Segment
from recommendations.models.catalogue import WORD
from recommendations.services.catalogue.sales import sold
from recommendations.services.customers import FoundCustomer, find_customers
from recommendations.terms import WeightsStatus

MOST_ITEMS = 30
FEW_ITEMS = 8
SHORTEST = 2
MOST = 20_000  # matches among which what sells is looked for
LARGEST = 2**31 - 1  # number of a version
MODEL = re.compile(r"(?:(?:model|模型) *)?m([0-9]{1,18})", re.IGNORECASE)
WEIGHTS = re.compile(r"(?:(?:weights|权重) *)?v([0-9]{1,9})", re.IGNORECASE)
BOOK = re.compile(r"(?:(?:rules|规则) *)?r([0-9]{1,9})", re.IGNORECASE)
"""How versions are called on the pages, and in the answers of the API: m12, v3, r5."""


@dataclass(frozen=True, kw_only=True)
class Found:
    text: str
    customers: list[FoundCustomer]
    items: list[Item]
    more_items: bool
    rules: list[Rule]
    segments: list[Segment]
    audiences: list[Audience]
    campaigns: list[Campaign]
    runs: list[ModelVersion]
    weights: list[BlendWeights]
    books: list[RuleBook]

    @property
    def count(self) -> int:
        """How many there are of all kinds."""
        versions = len(self.runs) + len(self.weights) + len(self.books)
        groups = len(self.segments) + len(self.audiences) + len(self.campaigns)
        return len(self.customers) + len(self.items) + len(self.rules) + groups + versions

    @property
    def customer(self) -> FoundCustomer | None:
        """The one customer who is meant: no other, and no item, is called exactly so."""
        alone = len(self.customers) == 1 and not any(is_exact(item, self.text) for item in self.items)
        return self.customers[0] if alone else None

    @property
    def item(self) -> Item | None:
        """The one item that is meant: it has this id and no customer has, or nothing else is found."""
        if not self.items or self.customers:
            return None
        first = self.items[0]  # that of the id, where there is one
        return first if first.shop_id == self.text or self.count == 1 else None


def search(text: str, *, most: int = MOST_ITEMS) -> Found:
    text = text.strip()
    items = find_items(text, most=most + 1)
    return Found(
        text=text,
        customers=find_customers(typed=text),
        items=items[:most],
        more_items=len(items) > most,
        rules=_rules(text)[:most],
        segments=_segments(text)[:most],
        audiences=_audiences(text)[:most],
        campaigns=_campaigns(text)[:most],
        runs=[
            each for key in _numbers(text, MODEL) for each in ModelVersion.objects.select_related("run").filter(pk=key)
        ],
        weights=[each for number in _numbers(text, WEIGHTS) for each in _weights(number)],
        books=[each for number in _numbers(text, BOOK) for each in RuleBook.objects.filter(number=number)],
    )


def is_exact(item: Item, text: str) -> bool:
    return item.shop_id == text or item.title.casefold() == text.casefold()


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


def _audiences(text: str) -> list[Audience]:
    if len(text) < SHORTEST:
        return []
    return list(Audience.objects.filter(archived_at=None, name__icontains=text)[:MOST_ITEMS])


def _campaigns(text: str) -> list[Campaign]:
    if len(text) < SHORTEST:
        return []
    return list(Campaign.objects.ours().unarchived().filter(name__icontains=text)[:MOST_ITEMS])


def _segments(text: str) -> list[Segment]:
    """Segments with all words in their name, which may be made from their categories."""
    words = [word.casefold() for word in WORD.findall(text)]
    if len(text) < SHORTEST or not words:
        return []
    return [one for one in Segment.objects.all() if all(word in str(one).casefold() for word in words)]


def _weights(number: int) -> QuerySet[BlendWeights]:
    published = BlendWeights.objects.exclude(status=WeightsStatus.DRAFT).filter(number=number)
    return published.select_related("blend", "segment", "audience").order_by("blend", "segment", "audience")


def _numbers(text: str, pattern: re.Pattern[str]) -> list[int]:
    """The number of the version that is typed; none where none is."""
    match = pattern.fullmatch(text)
    return [min(int(match[1]), LARGEST)] if match else []
