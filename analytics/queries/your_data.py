"""What the shop's data allow, in sentences: whom they reach, what each placement lacks, what is next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import floor

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.queries.layout import Frame
from analytics.templatetags.display import day, number, share
from recommendations.event_types import EventName
from recommendations.models import Staff
from recommendations.services.access.policy import Action, may
from recommendations.services.catalogue.quality import CatalogueFlaw, Flaws
from recommendations.services.operations.record_counts import RecordCounts
from recommendations.services.review.acts import sells, taking_acts

FEW_BASKETS = 100  # below which hardly a pair of items comes together often enough to count
FEW_AGAIN = 20
MUCH_LACKS = 0.2  # share of the items
OLD = timedelta(days=7)
COUNTED = (CatalogueFlaw.NO_PRICE, CatalogueFlaw.NO_PICTURE, CatalogueFlaw.NO_CATEGORY)


class DataState(StrEnum):
    WORKS = "works"
    THIN = "thin"
    LACKS = "lacks"


@dataclass(frozen=True, kw_only=True)
class PlacementData:
    """What a placement has to go by; ``words`` say why it is so, and what would help."""

    name: str
    state: DataState
    words: str


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """What to do; ``address`` is where, "" for who may not do it."""

    words: str
    link: str
    address: str


@dataclass(frozen=True, kw_only=True)
class YourData:
    """Data of the shop as the pages see them at a moment."""

    counts: RecordCounts
    flaws: Flaws
    frame: Frame
    staff: Staff
    now: datetime

    @property
    def lead(self) -> str:
        """The whole in a sentence."""
        counts = self.counts
        if not self.flaws.listed:
            return _("There are no items yet, so nothing can be recommended.")
        if not counts.customers:
            return _("There are no events yet, so everybody gets the same items.")
        two = ngettext(
            "%(count)s customer with two acts or more", "%(count)s customers with two acts or more", counts.with_two
        ) % {"count": number(counts.with_two)}
        if self.frame.model is None:
            return _("%(two)s; no run has learned from them yet.") % {"two": two}
        return _("%(two)s; recommendations of their own for %(share)s of all %(all)s.") % {
            "two": two, "share": share_at_least(counts.coverage), "all": number(counts.customers),
        }  # fmt: skip

    @property
    def is_old(self) -> bool:
        newest = self.frame.newest_event
        return newest is not None and self.now - newest > OLD

    def lacking(self, flaw: CatalogueFlaw) -> float:
        """Share of the items on sale with a flaw."""
        return self.flaws.found[flaw].items / self.flaws.listed if self.flaws.listed else 1.0


def placement_data(data: YourData, names: Sequence[str]) -> list[PlacementData]:
    """What each of these placements has to go by; a shop's own are left out, as nobody knows what they need."""
    judges = {
        "home": _of_interests, "discover": _of_interests, "email": _of_interests, "buy_again": _of_repeats,
        "item": _of_categories, "category": _of_categories, "also_bought": _of_baskets, "cart": _of_baskets,
        "trending": _of_freshness, "search": _of_items, "new": _of_items,
    }  # fmt: skip
    judged = [(name, *judges[name](data)) for name in names if name in judges]
    return [PlacementData(name=name, state=state, words=words) for name, state, words in judged]


def _of_interests(data: YourData) -> tuple[DataState, str]:
    counts = data.counts
    if not counts.with_two:
        return DataState.LACKS, _("Nobody did two things yet: everybody gets what is popular. Send events.")
    if data.frame.model is None:
        return DataState.LACKS, _("No run has learned from the events yet.")
    words = _("%(covered)s of %(all)s customers get items of their own; the others get what is popular.") % {
        "covered": number(counts.covered), "all": number(counts.customers),
    }  # fmt: skip
    return (DataState.WORKS if counts.coverage >= 0.5 else DataState.THIN), words


def _of_repeats(data: YourData) -> tuple[DataState, str]:
    counts = data.counts
    if not counts.orders:
        return DataState.LACKS, _("No purchase came in. Send purchases with their transaction_id.")
    words = ngettext(
        "%(count)s customer bought on two days or more.", "%(count)s customers bought on two days or more.",
        counts.bought_again,
    ) % {"count": number(counts.bought_again)}  # fmt: skip
    if not counts.bought_again:
        return DataState.LACKS, words
    return (DataState.WORKS if counts.bought_again >= FEW_AGAIN else DataState.THIN), words


def share_at_least(value: float) -> str:
    """A share as a percentage that it reaches: 100% is all, and not nearly all."""
    return share(floor(value * 100 + 1e-9) / 100)


def _of_categories(data: YourData) -> tuple[DataState, str]:
    if not data.flaws.listed:
        return _of_items(data)
    lacking = data.lacking(CatalogueFlaw.NO_CATEGORY)
    if lacking == 1:
        return DataState.LACKS, _("No item has a category: fill the column categories.")
    if lacking > MUCH_LACKS:
        return DataState.THIN, _("%(share)s of the items have no category.") % {"share": share(lacking)}
    return DataState.WORKS, _("%(share)s of the items have a category.") % {"share": share_at_least(1 - lacking)}


def _of_baskets(data: YourData) -> tuple[DataState, str]:
    baskets = data.counts.baskets
    if not baskets:
        return DataState.LACKS, _(
            "No order has two items. Send all lines of an order under one transaction_id; until then similar items "
            "stand in."
        )
    words = ngettext("%(count)s order has two items or more.", "%(count)s orders have two items or more.", baskets)
    return (DataState.WORKS if baskets >= FEW_BASKETS else DataState.THIN), words % {"count": number(baskets)}


def _of_freshness(data: YourData) -> tuple[DataState, str]:
    newest = data.frame.newest_event
    if newest is None:
        return DataState.LACKS, _("No events came in.")
    words = _("The newest event is of %(day)s.") % {"day": day(newest)}
    if data.is_old:
        return DataState.THIN, words + " " + _("What is asked for now can be told once the shop sends events itself.")
    return DataState.WORKS, words


def _of_items(data: YourData) -> tuple[DataState, str]:
    if not data.flaws.listed:
        return DataState.LACKS, _("There are no items yet.")
    words = ngettext("%(count)s item is on sale.", "%(count)s items are on sale.", data.flaws.listed)
    return DataState.WORKS, words % {"count": number(data.flaws.listed)}


def next_steps(data: YourData) -> list[NextStep]:
    """What to do next, the most important first."""
    return [*_about_the_record(data), *_about_items(data), *_about_the_shop(data)]


def _about_the_record(data: YourData) -> Iterator[NextStep]:
    if not data.flaws.listed:
        yield NextStep(
            words=_("Import the catalogue."),
            link=_("Import items"),
            address=_for(data, Action.EDIT_CATALOGUE, "new_import"),
        )
    if not data.counts.customers:
        yield NextStep(
            words=_("Import past events by command, or let the shop send them with a key."),
            link=_("API keys"), address=_for(data, Action.MANAGE_KEYS, "api_keys"),
        )  # fmt: skip
    elif data.frame.model is None:
        yield NextStep(
            words=_("Start a run: it learns from what is there."), link=_("Runs"), address=reverse("runs")
        )  # fmt: skip
    elif not data.counts.kinds.keys() & set(taking_acts()):
        bought = _("Send purchases from the shop's server: they say most, and what came of recommendations.")
        played = _("Send the events that say most: %(events)s.") % {"events": ", ".join(taking_acts())}
        yield NextStep(
            words=bought if sells() else played, link=_("What came in"), address=reverse("sources")
        )  # fmt: skip
    if data.counts.customers and EventName.VIEW_ITEM not in data.counts.kinds:
        yield NextStep(
            words=_("Send views of items, too: most visitors look before they buy.")
            if sells()
            else _("Send views of items, too: they tell what somebody looked at and left."),
            link=_("What came in"), address=reverse("sources"),
        )  # fmt: skip


def _about_items(data: YourData) -> Iterator[NextStep]:
    words = {
        CatalogueFlaw.NO_PRICE: _("Fill in prices: items without one cannot be filtered or capped by it."),
        CatalogueFlaw.NO_PICTURE: _("Fill in pictures: a tile without one is hardly clicked."),
        CatalogueFlaw.NO_CATEGORY: _("Fill in categories: similar items and interests go by them."),
    }
    for flaw in COUNTED:
        lacking = data.flaws.found[flaw].items
        if lacking:
            link = ngettext("%(count)s item", "%(count)s items", lacking) % {"count": number(lacking)}
            yield NextStep(words=words[flaw], link=link, address=f"{reverse('catalogue_items')}?flaw={flaw}")


def _about_the_shop(data: YourData) -> Iterator[NextStep]:
    if not data.frame.has_key:
        yield NextStep(
            words=_("Make a key for the shop's server and one for its pages."), link=_("API keys"),
            address=_for(data, Action.MANAGE_KEYS, "api_keys"),
        )  # fmt: skip
    if not data.frame.shop_sends:
        yield NextStep(
            words=_("Let the shop send its events and ask for its first slot."), link=_("Try the API"),
            address=reverse("api-docs"),
        )  # fmt: skip
    elif data.is_old:
        yield NextStep(
            words=_("Nothing came in for a week: see whether the shop still sends."), link=_("What came in"),
            address=reverse("sources"),
        )  # fmt: skip


def _for(data: YourData, action: Action, name: str) -> str:
    return reverse(name) if may(data.staff, action) else ""
