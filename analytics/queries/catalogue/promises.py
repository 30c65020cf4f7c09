"""New items of a placement: how their promises go, which wait, and what one more promise would take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, Q, QuerySet, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.charts.promises import PromisePoint
from analytics.templatetags.display import number, share
from recommendations.engine.ranking.first_impressions import ClickBelief, click_belief
from recommendations.models import Item, NewItem, NewItemPromise, Placement
from recommendations.promise_terms import Lacking, NewItemState
from recommendations.services.promises.fits import graduation_of
from recommendations.services.promises.publishing import (
    Price,
    PromiseForm,
    may_promise,
    price_of,
    rule_of,
)
from recommendations.wording.labels import placement_label

DAY = timedelta(days=1)
LATELY = timedelta(days=28)
PER_PAGE = 50
DRAWN = 300  # promises in the figure, the newest
ORDER = (NewItemState.PROMISED, NewItemState.WAITING)


@dataclass(frozen=True, kw_only=True)
class NewItemRow:
    """An item in the table; ``left`` are days until its promise ends, below 0 after it."""

    new: NewItem
    left: float | None
    first: ClickBelief | None  # what is believed of its clicks; None before anything can be
    sold_out: bool
    grown: float  # how far it is ordered among new items by what people do, 0 … 1

    @property
    def share(self) -> float:
        """How much of the promise is kept."""
        return min(1.0, self.new.shown / self.new.promise.impressions) if self.new.promise else 0.0


@dataclass(frozen=True, kw_only=True)
class PromiseCounts:
    """New items of a placement in the last 28 days, by state, and those that are not ready, by what they lack."""

    by_state: Mapping[str, int]
    lacking: Mapping[Lacking, int]

    @property
    def n_kept(self) -> int:
        return self.by_state.get(NewItemState.KEPT, 0)

    @property
    def ended(self) -> int:
        return self.n_kept + self.by_state.get(NewItemState.LATE, 0)

    @property
    def open(self) -> int:
        return self.by_state.get(NewItemState.PROMISED, 0)

    @property
    def waiting(self) -> int:
        return self.by_state.get(NewItemState.WAITING, 0)

    @property
    def not_ready(self) -> int:
        return sum(self.lacking.values())


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """What a promise takes: new items a day that the placement can carry, beside those that come, and its price."""

    answers_a_day: float
    carried: float
    listed: float
    price: Price | None

    @property
    def too_many(self) -> bool:
        return self.listed > self.carried


def placements() -> list[tuple[Placement, NewItemPromise | None]]:
    """Placements that may promise something, with what they do."""
    live = {promise.placement_id: promise for promise in NewItemPromise.objects.filter(is_default=True)}
    own = Placement.objects.filter(enabled=True).select_related("blend")
    return [(row, live.get(row.pk)) for row in own if may_promise(row)]


def chosen(
    every: Sequence[tuple[Placement, NewItemPromise | None]], name: str
) -> tuple[Placement, NewItemPromise | None] | None:
    """The placement that is asked for, else the first that promises something, else the first."""
    named = next((pair for pair in every if pair[0].name == name), None)
    promising = next((pair for pair in every if pair[1]), None)
    return named or promising or (every[0] if every else None)


def counts(placement: Placement, lacking: Mapping[Lacking, int], *, now: datetime) -> PromiseCounts:
    by_state = _lately(placement, now=now).order_by().values_list("state").annotate(n=Count("pk"))
    return PromiseCounts(by_state=dict(by_state), lacking=lacking)


def arithmetic(placement: Placement, form: PromiseForm, *, answers_a_day: float, now: datetime) -> Arithmetic:
    since = now - form.new_days * DAY
    listed = Item.objects.filter(listed_at__gt=since, listed_at__lte=now, retired_at=None).count()
    return Arithmetic(
        answers_a_day=answers_a_day, carried=rule_of(form).a_day(answers_a_day), listed=listed / form.new_days,
        price=price_of(placement, form, now=now),
    )  # fmt: skip


def page(placement: Placement, counted: PromiseCounts, *, state: str, number: str, now: datetime) -> Page[NewItem]:
    """New items of a placement: promised, waiting, then those that are over, the latest first; as many as counted."""
    paginator = Paginator(_of(placement, state=state, now=now), PER_PAGE)
    paginator.count = counted.by_state.get(state, 0) if state else sum(counted.by_state.values())
    return paginator.get_page(number)


def rows(new: Sequence[NewItem], *, now: datetime) -> list[NewItemRow]:
    grown = graduation_of([each.item_id for each in new])
    return [_row(each, grown=grown[each.item_id], now=now) for each in new]


def every_row(placement: Placement, *, state: str, now: datetime) -> list[NewItemRow]:
    return rows(list(_of(placement, state=state, now=now)), now=now)


def points(placement: Placement, *, now: datetime) -> list[PromisePoint]:
    """Promises of the last 28 days in the figure: how old each is, and how much of it is kept."""
    own = NewItem.objects.filter(placement=placement, promised_at__gt=now - LATELY).select_related("item", "promise")
    drawn = own.exclude(state__in=(NewItemState.WAITING, NewItemState.STOPPED)).order_by("-promised_at", "pk")[:DRAWN]
    return [
        PromisePoint(
            title=each.item.title,
            days=((each.ended_at or now) - each.promised_at) / DAY,
            shown=each.shown,
            state=NewItemState(each.state),
        )
        for each in drawn
        if each.promised_at
    ]


def versions(placement: Placement) -> QuerySet[NewItemPromise]:
    return NewItemPromise.objects.filter(placement=placement).select_related("author").order_by("-number")[:20]


def sentence(placement: Placement, promise: NewItemPromise | None) -> str:
    """What a placement promises, in a sentence."""
    name = placement_label(placement.name)
    if promise is None or not promise.gives:
        return _("“%(placement)s” promises new items nothing: they are shown where the ranking puts them.") % {
            "placement": name
        }
    times = ngettext("%(n)s impression", "%(n)s impressions", promise.impressions) % {"n": number(promise.impressions)}
    days = ngettext("%(n)s day", "%(n)s days", promise.days) % {"n": number(promise.days)}
    text = _(
        "“%(placement)s” promises each new item %(impressions)s within %(days)s, in the last slot of at most %(share)s "
        "of its answers."
    )
    return text % {"placement": name, "impressions": times, "days": days, "share": share(promise.highest_share)}


def outcome(found: PromiseCounts) -> str:
    """How promises went in the last 28 days, in a sentence; empty before one has ended."""
    if not found.ended:
        return ""
    text = ngettext(
        "%(kept)s of %(n)s promise of the last 28 days was kept.",
        "%(kept)s of %(n)s promises of the last 28 days were kept.",
        found.ended,
    )
    return text % {"kept": number(found.n_kept), "n": number(found.ended)}


def _of(placement: Placement, *, state: str, now: datetime) -> QuerySet[NewItem]:
    own = _lately(placement, now=now).select_related("item", "promise")
    own = own.filter(state=state) if state else own
    turn = Case(*(When(state=code, then=place) for place, code in enumerate(ORDER)), default=len(ORDER))
    fit, ended = F("fit").desc(nulls_last=True), F("ended_at").desc(nulls_first=True)
    return own.order_by(turn, "promised_at" if state == NewItemState.PROMISED else ended, "-first", fit, "pk")


def _lately(placement: Placement, *, now: datetime) -> QuerySet[NewItem]:
    """New items of a placement that are not over, or were in the last 28 days."""
    return NewItem.objects.filter(Q(ended_at=None) | Q(ended_at__gt=now - LATELY), placement=placement)


def _row(new: NewItem, *, grown: float, now: datetime) -> NewItemRow:
    left = None
    if new.promise and new.promised_at and new.state == NewItemState.PROMISED:
        left = new.promise.days - (now - new.promised_at) / DAY
    first = None
    if new.expected > 0 and new.shown:
        rate = new.expected / new.shown
        first = click_belief(shown=new.shown, clicks=new.clicks, expected=rate)
    return NewItemRow(new=new, left=left, first=first, sold_out=new.item.is_sold_out, grown=grown)
