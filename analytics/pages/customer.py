"""The review of one customer: what they like, did, and are recommended, live or as the model was tested."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts import customer as charts
from analytics.charts.hues import of_recommender
from analytics.pages.customer_filters import filters_of, jumps
from analytics.pages.customers import version_of
from analytics.pages.parameters import number
from analytics.queries import customer as query
from analytics.queries.customer_order import place
from analytics.queries.frame import Frame, read_frame
from analytics.queries.search import find_items
from analytics.queries.words import label, term_label
from recommendations import wording
from recommendations.models import Item
from recommendations.services.review import NotLoadedError, Review, UnknownPlacementError, review
from recommendations.terms import Cut

MOST_CONTEXT = 10
TAKES_SEVERAL = {"cart"}


@dataclass(frozen=True, kw_only=True)
class View:
    """What the address asks to see."""

    place: query.Place
    cut: Cut
    context: list[int]


@require_safe
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    frame = read_frame()
    person = query.person(pk, model=frame.model)
    if person is None:
        merged = query.merged_into(pk)
        if merged is None:
            raise Http404
        return redirect("customer", pk=merged)
    filters = filters_of(request.GET)
    timeline = query.timeline(person.keys)
    context = {
        "section": "customers",
        "frame": frame,
        "person": person,
        "jumps": jumps(request.GET),
        "place": place(person.customer.pk, filters, version=version_of(frame)),
        "timeline": timeline,
        "timeline_figure": charts.timeline(timeline.weeks, weeks=_("Week"), events=_("Events a week")).to_json(
            engine="orjson"
        ),
        "interests_figure": charts.interests(
            person.interests, long_term=_("90 days"), lately=_("7 days"), axis=_("Share of acts, %")
        ).to_json(engine="orjson"),
        "events": query.last_events(person.keys),
    }
    return render(request, "dashboard/customer.html", context | _recommendations(request, frame, person))


@require_safe
def item_suggestions(request: HttpRequest) -> HttpResponse:
    """Items to choose as the context, while the title is being typed."""
    text = request.GET.get("find", "").replace("\x00", "")
    return render(request, "dashboard/item_suggestions.html", {"items": find_items(text), "find": text})


def _recommendations(request: HttpRequest, frame: Frame, person: query.Person) -> dict[str, Any]:
    view = _view(request, person)
    if view is None:
        return {"problem": _("Every placement is switched off.")}
    items = _context(view, frame, person)
    context = {
        "view": view,
        "context_items": items,
        "several": view.place.name in TAKES_SEVERAL,
        "chosen_context": bool(view.context),
    }
    try:
        found = review(
            customer=person.customer.pk,
            placement=view.place.name,
            cut=view.cut,
            context_items=[item.pk for item in items],
        )
    except UnknownPlacementError:
        return context | {"problem": _("This placement was switched off a moment ago.")}
    except NotLoadedError:
        return context | {"problem": _("The model is still being read. Load the page again in a few seconds.")}
    return context | _shown(found)


def _shown(found: Review) -> dict[str, Any]:
    bars = charts.score_bars([card.contributions for card in found.cards])
    instances = list(dict.fromkeys(name for card in found.cards for name, _value in card.contributions))
    names = {name: wording.instance_label(name) for name in instances}
    cards = [
        (
            card,
            bar,
            [(piece, names[piece.instance]) for piece in bar.pieces],
            [(term_label(group), value) for group, value in card.terms],
        )
        for card, bar in zip(found.cards, bars, strict=True)
    ]
    table = [(card, [dict(card.contributions).get(name) for name in instances]) for card in found.cards]
    hits = [card for card in found.cards if card.bought_later]
    reason = found.answer.fallback_reason
    return {
        "review": found,
        "cards": cards,
        "legend": [(names[name], *of_recommender(name)) for name in instances],
        "table": table,
        "hits": len(hits),
        "precision": len(hits) / len(found.cards) if found.cards else None,
        "source": label(wording.SOURCES, found.answer.source),
        "fallback": label(wording.FALLBACKS, reason) if reason else "",
    }


def _view(request: HttpRequest, person: query.Person) -> View | None:
    places = {place.name: place for place in person.placements}
    if not places:
        return None
    place = places.get(request.GET.get("placement", ""), next(iter(places.values())))
    chosen = [key for text in request.GET.getlist("around") if (key := number(text)) is not None]
    cut = Cut.TEST if request.GET.get("cut") == Cut.TEST else Cut.LIVE
    several = place.name in TAKES_SEVERAL
    return View(
        place=place, cut=cut, context=chosen[-(MOST_CONTEXT if several else 1) :] if place.needs_context else []
    )


def _context(view: View, frame: Frame, person: query.Person) -> list[Item]:
    """Chosen by staff, else what the customer bought last: in the history that the cut knows."""
    if not view.place.needs_context:
        return []
    if view.context:
        return query.context_items(view.context)
    bought = query.last_bought(person.keys, until=frame.tested_until if view.cut is Cut.TEST else None)
    return bought if view.place.name in TAKES_SEVERAL else bought[:1]
