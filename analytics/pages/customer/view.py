"""The lens on a customer: placement, context, moment, simulated acts, draft; all of it stands in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.pages.columns import without
from analytics.parameters import number
from analytics.queries.customer import profile as query
from analytics.queries.days import midnight
from analytics.queries.layout import Frame, read_frame
from recommendations.event_types import EventName
from recommendations.models import Item, Placement
from recommendations.services.review.acts import simulated_acts
from recommendations.services.review.review import Simulated
from recommendations.terms import Cut

MOST_CONTEXT = 10
MOST_ACTS = 10
OLDEST = 1970  # year
TAKES_SEVERAL = {"cart"}
ACTS: Mapping[str, Promise] = {
    EventName.VIEW_ITEM: gettext_lazy("Views"),
    EventName.ADD_TO_CART: gettext_lazy("Puts in the cart"),
    EventName.PURCHASE: gettext_lazy("Buys"),
    EventName.PLAY: gettext_lazy("Plays"),
    EventName.COMPLETE: gettext_lazy("Finishes"),
}
"""What acts that can be simulated are called."""


class Compare(StrEnum):
    """The drafts with which the live answer is compared."""

    WEIGHTS = "weights"
    RULES = "rules"
    BOTH = "both"


COMPARISONS: Mapping[Compare, Promise] = {
    Compare.WEIGHTS: gettext_lazy("Draft weights"),
    Compare.RULES: gettext_lazy("Draft rules"),
    Compare.BOTH: gettext_lazy("Draft weights and rules"),
}


@dataclass(frozen=True, kw_only=True)
class Act:
    """A simulated act with its item; ``without`` is the query of the address that takes it off."""

    act: Simulated
    words: str
    item: Item
    without: str


@dataclass(frozen=True, kw_only=True)
class Lens:
    place: Placement
    cut: Cut = Cut.LIVE
    context: Sequence[Item] = ()
    chosen: bool = False  # the context, by the reader; else it is what the customer bought last
    as_of: datetime | None = None
    as_of_text: str = ""
    acts: Sequence[Act] = ()
    compare: Compare | None = None
    problems: Mapping[str, str] = field(default_factory=dict)  # by field: what is wrong, and what to do

    @property
    def as_of_words(self) -> str:
        """The day that was chosen, in words; empty where none was."""
        if self.as_of is None:
            return ""
        day = date.fromisoformat(self.as_of_text)
        if day == timezone.localdate():
            return _("As of now")
        return _("As of the end of %(day)s") % {"day": date_format(day, "DATE_FORMAT")}

    @property
    def several(self) -> bool:
        return self.place.name in TAKES_SEVERAL

    @property
    def simulated(self) -> list[Simulated]:
        return [each.act for each in self.acts]


class Looked(NamedTuple):
    """A customer, and the lens on them."""

    person: query.CustomerHead
    lens: Lens


def looked_at(request: HttpRequest, pk: int) -> Looked | None:
    """Customer and lens of a part of the page; None where the customer or every placement is gone."""
    frame = read_frame()
    person = query.person(pk, model=frame.model)
    lens = lens_of(request.GET, person, frame=frame) if person else None
    return Looked(person, lens) if person and lens else None


def lens_of(sent: QueryDict, person: query.CustomerHead, *, frame: Frame) -> Lens | None:
    """The lens that the address asks for; None where every placement is switched off."""
    places = {place.name: place for place in person.placements}
    if not places:
        return None
    place = places.get(sent.get("placement", ""), next(iter(places.values())))
    cut = Cut.TEST if sent.get("cut") == Cut.TEST else Cut.LIVE
    compare = sent.get("compare", "")
    asked_context, asked_acts = _asked_context(sent, place), _asked_acts(sent) if cut is Cut.LIVE else []
    items = query.items_by_key([*asked_context, *(key for _name, key, _raw in asked_acts)])
    moment, problem = _moment(sent.get("as_of", "")) if cut is Cut.LIVE else (None, "")
    unknown = [key for key in (*asked_context, *(key for _name, key, _raw in asked_acts)) if key not in items]
    problems = {"as_of": problem, "unknown": _unknown_items(unknown)}
    context = [items[key] for key in asked_context if key in items]
    return Lens(
        place=place,
        cut=cut,
        context=context or _last_bought(place, person, until=frame.tested_until if cut is Cut.TEST else moment),
        chosen=bool(context),
        as_of=moment,
        as_of_text=sent.get("as_of", "") if cut is Cut.LIVE else "",
        acts=[
            Act(
                act=Simulated(name=name, item=key),
                words=str(ACTS[name]),
                item=items[key],
                without=_without_one(sent, name="did", value=raw),
            )
            for name, key, raw in asked_acts
            if key in items
        ],
        compare=Compare(compare) if compare in set(Compare) else None,
        problems={name: text for name, text in problems.items() if text},
    )


def asked(sent: QueryDict) -> str:
    """The query that asks for the same view again, without what is open in its panel."""
    return without(sent, "why", "why_not")


def _asked_context(sent: QueryDict, place: Placement) -> list[int]:
    if not place.needs_context:
        return []
    chosen = [key for text in sent.getlist("around") if (key := number(text)) is not None]
    return chosen[-(MOST_CONTEXT if place.name in TAKES_SEVERAL else 1) :]


def _asked_acts(sent: QueryDict) -> list[tuple[EventName, int, str]]:
    """Acts in ``did=view_item:17`` that make sense: the act, the item's key, and the parameter as it stands."""
    acts = []
    for raw in sent.getlist("did")[:MOST_ACTS]:
        name, _colon, text = raw.partition(":")
        key = number(text)
        if name in simulated_acts() and key is not None:
            acts.append((EventName(name), key, raw))
    return acts


def _last_bought(place: Placement, person: query.CustomerHead, *, until: datetime | None) -> Sequence[Item]:
    """Items that the customer bought last, in the history that is looked at."""
    if not place.needs_context:
        return []
    bought = query.last_bought(person.keys, until=until)
    return bought if place.name in TAKES_SEVERAL else bought[:1]


def _moment(text: str) -> tuple[datetime | None, str]:
    """The end of a day, or now if it is today, and in words what is wrong with the text."""
    if not text:
        return None, ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None, _("Not a date. Write it as year-month-day, such as 2026-10-31, or choose it from the calendar.")
    today = timezone.localdate()
    if day > today:
        return None, _("This day is in the future. Choose today or an earlier day.")
    if day.year < OLDEST:
        return None, _("There are no data from that time. Choose a later day.")
    if day == today:
        return timezone.now(), ""
    return midnight(day + timedelta(days=1)), ""


def _unknown_items(keys: Sequence[int]) -> str:
    if not keys:
        return ""
    return _("The address names items that do not exist (%(keys)s); they are ignored. Choose items by title.") % {
        "keys": ", ".join(map(str, keys))
    }


def _without_one(sent: QueryDict, *, name: str, value: str) -> str:
    """The query of an address without the last parameter of this name and value."""
    rest = sent.copy()
    values = rest.getlist(name)
    at = len(values) - 1 - values[::-1].index(value) if value in values else -1
    rest.setlist(name, [each for place, each in enumerate(values) if place != at])
    return f"?{rest.urlencode()}"
