"""What is bought together: association rules of the live model, as a list and as a network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.core.paginator import Page, Paginator
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext as _

from analytics import filters as fields
from analytics.charts.together import Node
from recommendations.engine.interests.network import network
from recommendations.models import AssociationRule, Item

PER_PAGE = 50
MOST_IN_A_FILE = 10_000
SHORTEST = 2  # characters that are looked for
DRAWN = 60  # pairs
SORTS: Mapping[str, str] = {
    "lift": "lift", "baskets": "baskets", "confidence": "confidence", "support": "support",
}  # fmt: skip
USUAL = "-baskets"


class Filters(fields.ListFilters):
    """Filters and order of the pairs; ``baskets`` is the least number of them."""

    text: str = fields.text("q")
    baskets: int = fields.number(usual=0, words=lambda baskets: _("at least %(n)d baskets") % {"n": baskets})
    sort: str = fields.order(SORTS, usual=USUAL)
    page: int = fields.page()


type Pair = tuple[Item, AssociationRule]
"""An item, and the rule that baskets with it hold the consequent, too."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """Items and pairs to draw; ``edges``: places of two nodes, and the pair's lift."""

    nodes: Sequence[Node]
    edges: Sequence[tuple[int, int, float]]


def together(filters: Filters, *, model: int | None) -> tuple[Page[AssociationRule], list[Pair]]:
    page = Paginator(_ordered(filters, model), PER_PAGE).get_page(filters.page)
    return page, _pairs(page)


def first_pairs(filters: Filters, *, model: int | None) -> list[Pair]:
    """The first rows, as many as a file holds."""
    return _pairs(_ordered(filters, model)[:MOST_IN_A_FILE])


def drawn(filters: Filters, *, model: int | None) -> Network:
    """Network of the pairs that the filters leave, by the order asked for, each once."""
    once = {
        frozenset((rule.antecedents[0], rule.consequent_id)): rule for rule in _ordered(filters, model)[: 2 * DRAWN]
    }
    rules = list(once.values())[:DRAWN]
    keys = sorted({key for rule in rules for key in (rule.antecedents[0], rule.consequent_id)})
    titles = dict(Item.objects.filter(pk__in=keys).values_list("pk", "title"))
    at = {key: place for place, key in enumerate(keys)}
    first = np.array([at[rule.antecedents[0]] for rule in rules], np.int32)
    second = np.array([at[rule.consequent_id] for rule in rules], np.int32)
    links = np.bincount(np.append(first, second), minlength=len(keys))
    nodes = [
        Node(key=key, words=titles.get(key, str(key)), links=int(links[place]), x=float(x), y=float(y))
        for place, (key, (x, y)) in enumerate(zip(keys, network(first, second, len(keys)).tolist(), strict=True))
    ]
    edges = [(int(a), int(b), rule.lift) for a, b, rule in zip(first, second, rules, strict=True)]
    return Network(nodes=nodes, edges=edges)


def _ordered(filters: Filters, model: int | None) -> QuerySet[AssociationRule]:
    column = F(SORTS.get(filters.sort.removeprefix("-"), "baskets"))
    return _chosen(filters, model).order_by(column.desc() if filters.sort.startswith("-") else column.asc(), "pk")


def _chosen(filters: Filters, model: int | None) -> QuerySet[AssociationRule]:
    rules = AssociationRule.objects.filter(version=model or 0).select_related("consequent")
    if filters.baskets:
        rules = rules.filter(baskets__gte=filters.baskets)
    if len(filters.text) >= SHORTEST:
        called = Item.objects.called(filters.text)
        rules = rules.filter(
            Exists(called.filter(pk=OuterRef("antecedents__0"))) | Exists(called.filter(pk=OuterRef("consequent")))
        )
    return rules


def _pairs(found: Iterable[AssociationRule]) -> list[Pair]:
    rules = list(found)
    items = Item.objects.in_bulk({rule.antecedents[0] for rule in rules})
    return [(items[rule.antecedents[0]], rule) for rule in rules if rule.antecedents[0] in items]
