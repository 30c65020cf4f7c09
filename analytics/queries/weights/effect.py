"""The effect of weights on all customers of the tuning panel, in figures and a sentence, and on some in lists."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.charts.weights import Effect
from analytics.queries.intervals import Direction, Interval, direction
from analytics.queries.quality.leader_table import MAIN_METRIC
from analytics.queries.words import METRICS, WHY_UNMEASURED, metric_label
from analytics.templatetags.display import number, signed
from recommendations.engine.evaluation.intervals import Measure
from recommendations.models import Item
from recommendations.services.weights.what_if import SHOWN, ListPlace, Mover, WhatIf, WhatIfFigure

SHOWN_METRICS = ("ndcg@10", "recall@10", "revenue_ndcg@10", "coverage@10", "novelty@10", "diversity@10")


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """A figure under these weights, under live, and the difference, paired by customer; ``shift`` is its share."""

    name: str
    words: str
    help: str
    value: Interval
    live: Interval
    difference: Interval
    shift: Effect

    @property
    def exact(self) -> bool:
        return self.difference["low"] == self.difference["high"]

    @property
    def same(self) -> bool:
        return self.exact and not self.difference["value"]

    @property
    def direction(self) -> Direction:
        return direction(self.difference)


@dataclass(frozen=True, kw_only=True)
class Effects:
    """The effect of weights on the panel; ``why_not``: why there are no figures, empty where there are."""

    users: int
    changed: int
    rows: Sequence[MetricRow]
    why_not: str

    @property
    def same(self) -> bool:
        return not self.changed

    @property
    def main(self) -> MetricRow | None:
        return next((row for row in self.rows if row.name == MAIN_METRIC), None)

    @property
    def drawn(self) -> list[Effect]:
        return [row.shift for row in self.rows]

    @property
    def sentence(self) -> str:
        """Change of accuracy, and how sure that is, in one sentence."""
        if self.main is None:
            return self.why_not
        if self.same:
            return _("As live: every customer sees the same ten items.")
        values = {name: signed(self.main.difference[name], 4) for name in ("value", "low", "high")}
        return str(_SENTENCES[self.main.direction]) % values

    @property
    def reach(self) -> str:
        """Number of customers who notice, in one sentence."""
        if self.main is None or self.same:
            return ""
        return ngettext(
            "%(changed)s of %(users)s customer sees another top ten.",
            "%(changed)s of %(users)s customers see another top ten.",
            self.users,
        ) % {"changed": number(self.changed), "users": number(self.users)}


_SENTENCES: Mapping[Direction, Promise] = {
    Direction.BETTER: gettext_lazy(
        "Clearly more accurate than live: NDCG@10 %(value)s (95%% interval %(low)s to %(high)s)."
    ),
    Direction.WORSE: gettext_lazy(
        "Clearly less accurate than live: NDCG@10 %(value)s (95%% interval %(low)s to %(high)s)."
    ),
    Direction.UNCLEAR: gettext_lazy(
        "As accurate as live, as far as the panel can tell: NDCG@10 %(value)s (95%% interval %(low)s to %(high)s)."
    ),
}


@dataclass(frozen=True, kw_only=True)
class MovedItem:
    """An item of a customer's list; ``up`` by how many places it rose, negative where it fell, None where it is new."""

    item: Item
    place: int | None  # None: it left the list
    up: int | None

    @property
    def down(self) -> int:
        """Number of places by which the item fell."""
        return -(self.up or 0)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A list as it would be, and what left it."""

    heading: str
    customer: int | None  # its key, where the list is of a customer
    about: str
    lines: Sequence[MovedItem]
    outs: Sequence[MovedItem]
    replaced: int
    context: Sequence[Item] = ()  # in view


def effects(found: WhatIf) -> Effects:
    return Effects(
        users=found.users,
        changed=found.changed,
        rows=[_row(name, found.figures[name]) for name in SHOWN_METRICS if name in found.figures],
        why_not=str(WHY_UNMEASURED[found.unmeasured]) if found.unmeasured else "",
    )


def movers(found: WhatIf) -> list[Listed]:
    """Lists of the panel's customers that are shown."""
    keys = {place.item for mover in found.movers for place in (*mover.live, *mover.draft)}
    items = titled(keys.union(*(mover.context for mover in found.movers)))
    return [_of_customer(mover, items) for mover in found.movers]


def titled(keys: Iterable[int]) -> dict[int, Item]:
    """Items by key, with as much of them as a line shows."""
    return Item.objects.only("shop_id", "title", "image_url").in_bulk(list(keys))


def lines(places: Iterable[ListPlace], items: Mapping[int, Item]) -> list[MovedItem]:
    """A list in its order; what the catalogue has no more is left out."""
    return [
        MovedItem(
            item=items[place.item],
            place=place.now if place.now and place.now <= SHOWN else None,
            up=place.was - place.now if place.was and place.now and place.was <= SHOWN else None,
        )
        for place in places
        if place.item in items
    ]


def _of_customer(mover: Mover, items: Mapping[int, Item]) -> Listed:
    listed = {place.item for place in mover.draft}
    return Listed(
        heading=_("Customer %(number)s") % {"number": mover.customer},
        customer=mover.customer,
        about=ngettext("%(n)s basket", "%(n)s baskets", mover.baskets) % {"n": number(mover.baskets)},
        lines=lines(mover.draft, items),
        outs=lines([place for place in mover.live if place.item not in listed], items),
        replaced=mover.replaced,
        context=[items[key] for key in mover.context if key in items],
    )


def _row(name: str, figure: WhatIfFigure) -> MetricRow:
    words, base = metric_label(name), figure.live.value
    shares = [end / base if base else 0.0 for end in figure.against]
    return MetricRow(
        name=name,
        words=words,
        help=str(METRICS[name][1]),
        value=_interval(figure.draft),
        live=_interval(figure.live),
        difference=_interval(figure.against),
        shift=Effect(words=words, value=shares[0], low=shares[1], high=shares[2]),
    )


def _interval(measure: Measure) -> Interval:
    return measure._asdict()
